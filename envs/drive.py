"""What drives neurons beside the senses: constant currents, stimulation by the action, and membrane noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp, isfinite, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NOISE_TAU_S = 1.0  # s, correlation time of the membrane noise; assumed


class Drive:
    """Extra drive of every neuron, mV, from one control step to the next.

    The noise is an Ornstein-Uhlenbeck process of its own for each neuron, exact at any step length: standard deviation
    `noise_mv`, correlation time `NOISE_TAU_S`, stationary from the first step on. Without it nothing is drawn.

    Args:
        names: of the neurons of the brain.
        find: selector -> names of the organism's neurons; those that the brain has lost are passed over.
        constant: selector -> drive in mV for the whole episode.
        stimulate: selectors of the neurons that the action stimulates.
        stimulation_mv: drive of a stimulated neuron at action 1, mV.
        noise_mv: standard deviation of the noise, mV.
        step_s: length of a control step, s.

    Raises:
        KeyError: a selector names nothing, with the nearest name.
        ValueError: a drive that is not finite, or a noise below 0.
    """

    def __init__(
        self,
        names: Sequence[str],
        find: Callable[[str], Sequence[str]],
        constant: Mapping[str, float],
        stimulate: Sequence[str],
        stimulation_mv: float,
        noise_mv: float,
        step_s: float,
    ) -> None:
        if not (isfinite(noise_mv) and noise_mv >= 0):
            raise ValueError(f"noise_mv ({noise_mv} mV) must be 0 or more")
        place = {name: i for i, name in enumerate(names)}
        self._constant = np.zeros(len(place))
        for selector, value in constant.items():
            if not isfinite(value):
                raise ValueError(f"drive of {selector!r} ({value} mV) is not finite")
            self._constant[[place[name] for name in find(selector) if name in place]] += value
        self.stimulated = tuple(name for selector in stimulate for name in find(selector) if name in place)
        self._stimulated = np.array([place[name] for name in self.stimulated], dtype=np.int64)
        self._stimulation_mv = stimulation_mv
        self._noise_mv, self._kept = noise_mv, exp(-step_s / NOISE_TAU_S)
        self._fresh = sqrt(1.0 - self._kept**2)

    def reset(self, rng: np.random.Generator) -> None:
        """Start an episode; `rng` is kept for the noise and left alone without it."""
        self._rng = rng
        if self._noise_mv:
            self._noise = rng.standard_normal(self._constant.size)

    def next(self, stimulation: npt.NDArray[np.float32]) -> Floats:
        """Drive in this step, mV, shape (n,).

        Args:
            stimulation: of `stimulated`, clipped to -1 to 1, shape (k,).
        """
        drive = self._constant
        if self._noise_mv:
            drive = drive + self._noise_mv * self._noise
            self._noise = self._kept * self._noise + self._fresh * self._rng.standard_normal(drive.size)
        if stimulation.any():
            drive = drive.copy()
            drive[self._stimulated] += self._stimulation_mv * np.clip(stimulation, -1.0, 1.0)
        return drive
