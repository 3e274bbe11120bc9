"""Maps compiled to loops: what a control step runs between an observation and a drive, a release and an excitation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Features(NamedTuple):
    """Coded channels: a channel under one encoding; each array of shape (features,)."""

    channel: Ints
    above: Floats  # factor on what exceeds the baseline
    below: Floats  # factor on what falls short of it
    follow: Floats  # share of the way that the baseline follows in one step; 0 for a baseline that stays at zero


class Links(NamedTuple):
    """Entries of a sparse matrix in the order they are summed; each array of shape (entries,)."""

    target: Ints
    source: Ints
    weight: Floats
    delay: Ints  # control steps


class _Memory(NamedTuple):
    started: npt.NDArray[np.bool_]  # (1,)
    baseline: Floats  # (features,)
    past: Floats  # (longest delay + 1, features), newest first


class CompiledSenses:
    """Observation vector to drive. Its only state is the running mean of adapting channels and delayed features.

    Args:
        features: what is computed from the observation.
        links: from features to neurons, in mV per unit.
        n: number of neurons.
    """

    def __init__(self, features: Features, links: Links, n: int) -> None:
        self._features, self._links, self._n = features, links, n
        shape = (int(links.delay.max(initial=0)) + 1, features.channel.size)
        self._memory = _Memory(np.zeros(1, dtype=np.bool_), np.zeros(shape[1]), np.zeros(shape))

    def reset(self) -> None:
        """Forget what was sensed."""
        for array in self._memory:
            array[:] = 0

    def __call__(self, observation: Singles) -> Floats:
        """Drive of each neuron, mV, shape (n,), for an observation of shape (n_channels,)."""
        drive = np.zeros(self._n)
        _sense(observation, self._features, self._links, self._memory, drive)
        return drive

    @property
    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """All that changes, for an exact checkpoint."""
        return {name: array.copy() for name, array in self._memory._asdict().items()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a checkpoint."""
        for name, array in self._memory._asdict().items():
            array[:] = state[name]


class CompiledEffectors:
    """Release to excitation.

    Args:
        links: from neurons to effectors, in excitation per release.
        n: number of effectors.
    """

    def __init__(self, links: Links, n: int) -> None:
        self._links, self._n = links, n

    def __call__(self, release: Floats) -> Singles:
        """Excitation of each effector in [0, 1], shape (n_effectors,), for a release of shape (n,)."""
        excitation = np.zeros(self._n, dtype=np.float32)
        _excite(release, self._links, excitation)
        return excitation


@njit(cache=True)
def _sense(observation: Singles, features: Features, links: Links, memory: _Memory, drive: Floats) -> None:
    started, baseline, past = memory.started[0], memory.baseline, memory.past
    for delay in range(past.shape[0] - 1, 0, -1):
        past[delay] = past[delay - 1]
    for i in range(baseline.size):
        value = np.float64(observation[features.channel[i]])
        if features.follow[i] > 0:
            if not started:
                baseline[i] = value
            value -= baseline[i]
            baseline[i] += features.follow[i] * value
        past[0, i] = value * (features.above[i] if value > 0 else features.below[i])
    if not started:  # before there is a past, the first value stands for it
        for delay in range(1, past.shape[0]):
            past[delay] = past[0]
        memory.started[0] = True
    for k in range(links.target.size):
        drive[links.target[k]] += links.weight[k] * past[links.delay[k], links.source[k]]


@njit(cache=True)
def _excite(release: Floats, links: Links, excitation: Singles) -> None:
    total = np.zeros(excitation.size)
    for k in range(links.target.size):
        total[links.target[k]] += links.weight[k] * release[links.source[k]]
    for i in range(excitation.size):
        excitation[i] = min(max(total[i], 0.0), 1.0)
