"""Copies of one spiking network on the compiled engines, one after the other or on some threads; without jax."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..spiking import SpikingNetwork
from ..spiking_brain import SpikingState, spiking_engine

Ints = NDArray[np.int64]
Singles = NDArray[np.float32]


class LoopCopies:
    """Runs copies of one `SpikingNetwork`, whose edges they share; the same contract as `JaxCopies`.

    Args:
        network: what to run.
        seeds: of the Poisson input of each copy.
        engine: of `SpikingBrain`.
        threads: how many copies run at a time; the result does not depend on it.

    Raises:
        ValueError: an unknown engine, one that cannot run the network, or less than one thread.
    """

    def __init__(self, network: SpikingNetwork, seeds: Sequence[int], engine: str = "auto", threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"LoopCopies: threads must be 1 or more, got {threads}")
        self._network = network
        self._engines = [spiking_engine(network, engine, seed, 1, "auto") for seed in seeds]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def reset(self, which: Sequence[int], seeds: Sequence[int]) -> None:
        """Some copies at rest, without drive, trains and background."""
        for b, seed in zip(which, seeds, strict=True):
            self._engines[b].reset(int(seed))

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive from now on, shape (copies, n); mV but for what the model says."""
        for engine, row in zip(self._engines, np.asarray(drive_mv, dtype=np.float64), strict=True):
            engine.drive(row)

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; `rate_hz` and `weight_mv` have shape (), (k,) or (copies, k)."""
        shape = (len(self._engines), np.size(neurons))
        for engine, rate, weight in zip(self._engines, *_rows(shape, rate_hz, weight_mv), strict=True):
            engine.poisson(neurons, rate, weight, t_refractory_ms)

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background of all copies; shapes (), (n,) or (copies, n). See `DenseEngine.background`.

        Raises:
            ValueError: the event-driven engine, which has no background.
        """
        shape = (len(self._engines), self._network.n)
        for engine, rate, amount in zip(self._engines, *_rows(shape, rate_hz, weight), strict=True):
            give = getattr(engine, "background", None)
            if give is None:
                raise ValueError("BrainBatch: the event-driven engine has no background; ask for engine='dense'")
            give(rate, amount, receptor)

    def run(self, steps: int) -> Ints:
        """Advance; returns the spikes of every neuron, shape (copies, n)."""
        over = self._pool.map if self._pool else map
        n = self._network.n
        counts = over(lambda engine: np.bincount(engine.run(steps)[1], minlength=n), self._engines)
        return np.stack(list(counts)).astype(np.int64)

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (copies, n)."""
        return np.stack([engine.voltage for engine in self._engines])

    def state(self) -> list[SpikingState]:
        """All that changes, of each copy, as its engine gives it."""
        return [engine.state for engine in self._engines]

    def load(self, which: Sequence[int], states: Sequence[SpikingState]) -> None:
        """Let some copies continue exactly where states were taken.

        Raises:
            ValueError: an array is missing or has another shape.
        """
        for b, state in zip(which, states, strict=True):
            self._engines[b].load(state)


def _rows(shape: tuple[int, int], *values: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.broadcast_to(np.asarray(one, dtype=np.float64), shape) for one in values)
