"""BrainBatch: many copies of one spiking network stepped together, as vectorised environments want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brain import whole_steps
from .spiking import SpikingNetwork
from .spiking_brain import SpikingState

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Copies(Protocol):
    """What runs copies of one network."""

    def reset(self, which: Sequence[int], seeds: Sequence[int]) -> None:
        """Some copies at rest."""

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the drive of all, shape (copies, n)."""

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains."""

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background."""

    def run(self, steps: int) -> Ints:
        """Advance; returns the spikes of every neuron, shape (copies, n)."""

    @property
    def voltage(self) -> NDArray[np.float32]:
        """Voltage now, mV, shape (copies, n)."""

    def state(self) -> list[SpikingState]:
        """All that changes, of each copy."""

    def load(self, which: Sequence[int], states: Sequence[SpikingState]) -> None:
        """Let some copies continue where states were taken."""


@dataclass(frozen=True, kw_only=True)
class BatchActivity:
    """What the neurons did during one `BrainBatch.step`."""

    spikes: Ints  # (batch, n) spikes of each neuron within the step
    voltage: Floats  # (batch, n) mV, at its end


class BrainBatch:
    """Copies of one spiking network, each with its own seed, drive, Poisson input and clock.

    A copy does what a `SpikingBrain` of the same network, seed and engine does; its state is that brain's, so that one
    can leave the batch or enter it. The edges are held once.

    Args:
        network: what to run.
        size: how many copies.
        seeds: of the Poisson input of each, shape (size,); None for 0, 1, 2 ...
        engine: of `SpikingBrain`. "jax" runs all copies in one array, on a GPU where jax finds one (extra `gpu`); every
            other one runs them one after the other, or on threads.
        threads: for the engines on the CPU; the result does not depend on it.

    Raises:
        ValueError: a size below 1, a wrong number of seeds, an engine that cannot run the network, or threads for jax.
        ModuleNotFoundError: an engine that is not installed, with what installs it.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        size: int,
        seeds: Sequence[int] | None = None,
        engine: str = "auto",
        threads: int = 1,
    ) -> None:
        if size < 1:
            raise ValueError(f"BrainBatch: size must be 1 or more, got {size}")
        self.network, self.size = network, size
        self._seeds = self._checked(range(size) if seeds is None else seeds, range(size))
        self._copies = _copies(network, self._seeds, engine, threads)
        self._steps = np.zeros(size, np.int64)

    @property
    def n(self) -> int:
        """Number of neurons of a copy."""
        return self.network.n

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of each copy."""
        return tuple(self._seeds)

    @property
    def time_s(self) -> Floats:
        """Simulated time of each copy since its reset, s, shape (batch,)."""
        return np.asarray(self._steps * self.network.dt_ms * 1e-3, dtype=np.float64)

    def reset(self, seeds: Sequence[int] | None = None, which: Sequence[int] | None = None) -> None:
        """Start again at rest, without trains, background and drive; the other copies go on undisturbed.

        Args:
            seeds: of those that start again; None keeps the ones before.
            which: places in the batch; None for all.

        Raises:
            ValueError: a place that is not in the batch, or another number of seeds than of places.
        """
        places = self._places(which)
        values = self._checked([self._seeds[b] for b in places] if seeds is None else seeds, places)
        self._copies.reset(places, values)
        for b, seed in zip(places, values, strict=True):
            self._seeds[b], self._steps[b] = seed, 0

    def poisson(
        self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike = 68.75, t_refractory_ms: float = 0.0
    ) -> None:
        """Give the same neurons of every copy Poisson trains, as `SpikingBrain.poisson` does.

        Args:
            neurons: indices, each once, shape (k,).
            rate_hz: Hz, shape (), (k,) or (batch, k).
            weight_mv: jump at each event, mV, shape (), (k,) or (batch, k).
            t_refractory_ms: refractory period of these neurons while they have a train, ms.

        Raises:
            ValueError: an index, a rate or a weight that cannot be, with its value.
        """
        self._copies.poisson(neurons, rate_hz, weight_mv, t_refractory_ms)

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Give every neuron Poisson input through a receptor, as `SpikingBrain.background` does.

        Args:
            rate_hz: Hz, shape (), (n,) or (batch, n).
            weight: of an event, in the unit of the model's weights, shape (), (n,) or (batch, n).
            receptor: place in the model's `RECEPTORS`, one for all copies.

        Raises:
            ValueError: a value that cannot be, or the event-driven engine, which has no background.
        """
        self._copies.background(rate_hz, weight, receptor)

    def step(self, drive: ArrayLike | None, duration_s: float) -> BatchActivity:
        """Advance all copies under constant drives.

        Args:
            drive: mV but for what the model says, shape (batch, n); None leaves it as it was.
            duration_s: a whole number of `network.dt_ms`, s.

        Raises:
            ValueError: a drive of the wrong shape or not finite, or a duration that is no whole number of steps.
        """
        count = whole_steps(duration_s, self.network.dt_ms)
        if drive is not None:
            self._copies.drive(self._checked_drive(drive))
        spikes = self._copies.run(count)
        self._steps += count
        return BatchActivity(spikes=spikes, voltage=self._copies.voltage.astype(np.float64))

    def _checked_drive(self, drive: ArrayLike) -> Floats:
        values = np.asarray(drive, dtype=np.float64)
        if values.shape != (self.size, self.n):
            raise ValueError(f"BrainBatch.step: drive (mV) must have shape ({self.size}, {self.n}), got {values.shape}")
        if not np.isfinite(values).all():
            b, i = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(f"BrainBatch.step: drive of neuron {i} of copy {b} is {values[b, i]} mV")
        return values

    @property
    def state(self) -> list[SpikingState]:
        """All that changes, of each copy, as copies, for an exact checkpoint; each is a state of `SpikingBrain`."""
        return self._copies.state()

    def restore(self, states: Sequence[SpikingState], which: Sequence[int] | None = None) -> None:
        """Continue exactly where states were taken.

        Args:
            states: one for each place.
            which: places in the batch; None for all.

        Raises:
            ValueError: another number of states than of places, or a state of another network or engine.
        """
        places = self._places(which)
        if len(states) != len(places):
            raise ValueError(f"BrainBatch: {len(places)} copies but {len(states)} states")
        self._copies.load(places, states)
        for b, state in zip(places, states, strict=True):
            self._seeds[b], self._steps[b] = int(state["seed"]), int(state["step"])

    def _places(self, which: Sequence[int] | None) -> list[int]:
        places = list(range(self.size)) if which is None else [int(b) for b in which]
        if len(set(places)) != len(places) or not all(0 <= b < self.size for b in places):
            raise ValueError(f"BrainBatch: places must be different ones of 0 to {self.size - 1}, got {places}")
        return places

    def _checked(self, seeds: Sequence[int], places: Sequence[int]) -> list[int]:
        if len(seeds) != len(places):
            raise ValueError(f"BrainBatch: {len(places)} copies but {len(seeds)} seeds")
        return [int(seed) for seed in seeds]


def _copies(network: SpikingNetwork, seeds: Sequence[int], engine: str, threads: int) -> Copies:
    if engine == "jax":
        if threads != 1:
            raise ValueError(f"BrainBatch: jax has threads of its own, got {threads} of them")
        from .engines.jax_copies import JaxCopies

        return JaxCopies(network, seeds)
    if engine == "nest":
        raise ValueError("BrainBatch: NEST holds one network a process; engines 'event' and 'dense' run copies")
    from .engines.loop_copies import LoopCopies

    return LoopCopies(network, seeds, engine, threads)
