"""The engine of spiking networks on jax: on a GPU where jax finds one, else on the CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..spiking import SpikingNetwork
from .jax_copies import JaxCopies

Shorts = NDArray[np.int32]
SpikingState = dict[str, NDArray[np.generic]]


class JaxEngine:
    """Runs one `SpikingNetwork` of any model that jax can trace; the same contract and state as `DenseEngine`.

    It calculates in 32 bits, so that a spike may come a step before or after that of an engine of 64 bits, and what
    follows from it. On a GPU the order of sums, and so the last bit, is fixed only with the environment variable
    XLA_FLAGS=--xla_gpu_deterministic_ops=true.

    Args:
        network: what to run, without plastic edges and gap junctions.
        seed: of all Poisson input.
        precision: "single", or "double" (slow on most GPUs).

    Raises:
        ValueError: a network or a model that it cannot run.
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0, precision: str = "single") -> None:
        self._network = network
        self._copies = JaxCopies(network, [seed], precision)

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains, no background."""
        self._copies.reset([0], [seed])

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, shape (n,), from now on; mV but for what the model says."""
        self._copies.drive(drive_mv)

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        self._copies.poisson(neurons, rate_hz, weight_mv, t_refractory_ms)

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background; see `DenseEngine.background`."""
        self._copies.background(rate_hz, weight, receptor)

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons.

        Raises:
            OverflowError: the network would run past `LAST_STEP`.
        """
        found = [np.zeros((2, 0), np.int64)]
        for first, fired in self._copies.blocks(steps):
            when, who = np.nonzero(np.asarray(fired))
            found.append(np.stack([when + first - self._copies.began[0], who]))
        when, who = np.concatenate(found, axis=1).astype(np.int32)
        return when, who

    @property
    def voltage(self) -> NDArray[np.float32]:
        """Voltage now, mV, shape (n,)."""
        return np.asarray(self._copies.voltage[0], dtype=np.float32)

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies; the same as of `DenseEngine`."""
        return self._copies.state()[0]

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken, by an engine of the same network.

        Raises:
            ValueError: an array is missing or has another shape than this engine's.
        """
        self._copies.load([0], [state])
