"""Copies of one spiking network on jax, each with its own seed, drive, Poisson input and clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models.spiking_model import resting_state, variables
from ..spiking import SpikingNetwork
from .dense_engine import NEVER, TRAIN_FIELDS, check_state, stored_input
from .jax_import import Array, jnp, precise
from .jax_input import background_rows, events
from .jax_loop import BLOCK, Given, Moving, compiled
from .jax_model import check_traceable
from .jax_wiring import on_their_way, wiring
from .poisson_background import Background, background
from .poisson_trains import Trains, trains

Shorts = NDArray[np.int32]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
SpikingState = dict[str, NDArray[np.generic]]

LAST_STEP = 2**30 - 2**16  # a step less NEVER is a 32-bit number: 29 hours of 0.1 ms


class JaxCopies:
    """Runs copies of one `SpikingNetwork` side by side; the states are those of `DenseEngine`.

    Args:
        network: what to run, without plastic edges and gap junctions.
        seeds: of the Poisson input of each copy.
        precision: "single", or "double", which fires the spikes of the dense engine at any length.

    Raises:
        ValueError: a network with plastic edges or gap junctions, too large for 32-bit places, or of a model that jax
            cannot trace.
    """

    def __init__(self, network: SpikingNetwork, seeds: Sequence[int], precision: str = "single") -> None:
        self._network, self._precision = network, precision
        self._kind = np.float64 if precision == "double" else np.float32
        check_traceable(network.model, network.dt_ms)
        self._constants = network.model.constants(network.dt_ms)
        self._run = compiled(type(network.model))
        self._usual = max(round(network.model.t_refractory_ms / network.dt_ms), 1)
        with precise(precision):
            self._wiring = wiring(network, len(seeds), self._kind)
        self._step, self._receptor = 0, 0
        self._seeds, self._began = [0] * len(seeds), np.zeros(len(seeds), np.int64)
        self._trains, self._background = [trains(0)] * len(seeds), [background(0, 0)] * len(seeds)
        self._history: list[tuple[int, int, Array]] = []  # first step, steps, who fired
        shape = (len(seeds), network.n)
        self._drive, self._jump = np.zeros(shape), np.zeros(shape)
        self._refractory = np.full(shape, self._usual, np.int32)
        self._last, self._x = np.full(shape, NEVER, np.int32), np.zeros((len(variables(network.model)), *shape))
        self._recent = [np.zeros((2, 0), np.int32)] * len(seeds)
        self._moving: Moving | None = None
        self._given: tuple[Array, Array, Array] | None = None
        self.reset(range(len(seeds)), seeds)

    @property
    def copies(self) -> int:
        """How many."""
        return len(self._seeds)

    def reset(self, which: Sequence[int], seeds: Sequence[int]) -> None:
        """Some copies at rest, without drive, trains and background."""
        self._fetch()
        if len(set(which)) == self.copies:
            self._step = 0
        for b, seed in zip(which, seeds, strict=True):
            self._seeds[b], self._began[b] = int(seed), self._step
            self._x[:, b] = resting_state(self._network.model, self._network.n)
            self._last[b], self._drive[b], self._jump[b], self._refractory[b] = NEVER, 0.0, 0.0, self._usual
            self._trains[b], self._background[b] = trains(seed), background(seed, 0)
            self._recent[b] = np.zeros((2, 0), np.int32)

    @property
    def began(self) -> Ints:
        """The step at which the clock of each copy was zero, shape (copies,)."""
        return self._began.copy()

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive from now on, shape (n,) or (copies, n); mV but for what the model says."""
        self._drive[:] = np.asarray(drive_mv, dtype=np.float64)
        self._given = None

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; `rate_hz` and `weight_mv` have shape (), (k,) or (copies, k)."""
        network, who = self._network, np.asarray(neurons, dtype=np.int64).reshape(-1)
        rate, weight = (np.broadcast_to(x, (self.copies, who.size)) for x in (rate_hz, weight_mv))
        made = [
            trains(seed, who, rate[b], weight[b], network.dt_ms, int(self._step - self._began[b]) - 1, network.n)
            for b, seed in enumerate(self._seeds)
        ]
        self._refractory[:] = self._usual
        self._refractory[:, who] = max(round(t_refractory_ms / network.dt_ms), 1)
        for b, one in enumerate(made):
            self._put_trains(b, one)

    def _put_trains(self, b: int, made: Trains) -> None:
        self._trains[b], self._given = made, None
        self._jump[b] = 0.0
        self._jump[b, made.neuron] = made.weight

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background of all copies; shapes (), (n,) or (copies, n). See `DenseEngine.background`."""
        network, shape = self._network, (self.copies, self._network.n)
        network.check_receptor(receptor)
        rate, amount = (np.broadcast_to(x, shape) for x in (rate_hz, weight))
        self._background = [
            background(seed, network.n, rate[b], amount[b], network.dt_ms) for b, seed in enumerate(self._seeds)
        ]
        self._receptor = receptor

    def blocks(self, steps: int) -> Iterator[tuple[int, Array]]:
        """Advance; yields for every block its first step and who fired, shape (BLOCK, copies * n), false at the end.

        Raises:
            OverflowError: the network would run past `LAST_STEP`.
        """
        if self._step + steps > LAST_STEP:
            raise OverflowError(f"JaxEngine: cannot run past step {LAST_STEP}; reset the brain")
        for done in range(0, steps, BLOCK):
            yield self._step, self._advance(min(BLOCK, steps - done))

    def run(self, steps: int) -> Ints:
        """Advance; returns the spikes of every neuron, shape (copies, n)."""
        counts = np.zeros(self.copies * self._network.n, np.int64)
        for _, fired in self.blocks(steps):
            counts += np.asarray(fired.sum(0, dtype=jnp.int32))
        return counts.reshape(self.copies, -1)

    def _advance(self, count: int) -> Array:
        first, firsts, n = self._step, self._step - self._began, self._network.n
        who = events(self._trains, firsts, count, n, BLOCK)
        outside = background_rows(self._background, firsts, count, n, BLOCK)
        with precise(self._precision):
            refractory, drive, jump = self._put_given()
            given = Given(refractory, drive, jump, jnp.asarray(who), jnp.asarray(outside.astype(self._kind)))
            now, length = jnp.int32(first), jnp.int32(count)
            self._moving, fired = self._run(
                self._put(), given, self._wiring, self._constants, now, length, self._receptor
            )
        self._step += count
        since = self._step - self._network.longest_delay
        self._history = [part for part in (*self._history, (first, count, fired)) if part[0] + part[1] > since]
        return fired

    def _put(self) -> Moving:
        """The moving arrays on jax's device."""
        if self._moving is None:
            ring = on_their_way(self._network, self._recent, self._began, self._step, self._kind)
            rows = tuple(jnp.array(row.ravel(), self._kind) for row in self._x)
            self._moving = Moving(
                rows, jnp.array(self._last.ravel()), jnp.zeros(self._last.size, bool), jnp.array(ring)
            )
        return self._moving

    def _put_given(self) -> tuple[Array, Array, Array]:
        if self._given is None:
            drive, jump = (jnp.array(x.ravel(), self._kind) for x in (self._drive, self._jump))
            self._given = jnp.array(self._refractory.ravel()), drive, jump
        return self._given

    def _fetch(self) -> None:
        """The moving arrays back on the CPU, where they may be changed."""
        self._given = None
        if self._moving is None:
            return
        for row, values in zip(self._x, self._moving.x, strict=True):
            row.ravel()[:] = values
        self._last.ravel()[:] = self._moving.last
        self._recent = self._fetch_recent()
        self._history, self._moving = [], None

    def _fetch_recent(self) -> list[Shorts]:
        """The spikes of each copy that may still be on their way, by its own clock, shape (2, spikes)."""
        since, n = self._step - self._network.longest_delay, self._network.n
        tables = [np.zeros((2, 0), np.int64)]
        for first, count, fired in self._history:
            steps, cells = np.nonzero(np.asarray(fired)[:count])
            tables.append(np.stack([steps + first, cells]))
        steps, cells = np.concatenate(tables, axis=1)
        found = []
        for b, began in enumerate(self._began):
            own = (cells // n == b) & (steps >= max(since, began))
            older = self._recent[b][:, self._recent[b][0] >= since - began]
            found.append(np.concatenate([older, [steps[own] - began, cells[own] % n]], axis=1).astype(np.int32))
        return found

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (copies, n)."""
        row = self._x[0] if self._moving is None else np.asarray(self._moving.x[0])
        return np.array(row, dtype=np.float32).reshape(self.copies, -1)

    def state(self) -> list[SpikingState]:
        """All that changes, of each copy, as copies; `DenseEngine` has the same."""
        self._fetch()
        return [self._state(b) for b in range(self.copies)]

    def _state(self, b: int) -> SpikingState:
        made: Trains = self._trains[b]
        outside: Background = self._background[b]
        last = self._last[b]
        return {
            **{name: self._x[k, b].copy() for k, name in enumerate(variables(self._network.model))},
            "last_spike": np.where(last == NEVER, NEVER, last - self._began[b]).astype(np.int32),
            "refractory": self._refractory[b].copy(),
            "drive": self._drive[b].copy(),
            "recent": self._recent[b].copy(),
            "seed": np.array(self._seeds[b], np.uint64),
            "step": np.array(self._step - self._began[b]),
            "background.receptor": np.array(self._receptor),
            **{f"trains.{name}": getattr(made, name).copy() for name in TRAIN_FIELDS},
            "background.miss": outside.miss.copy(),
            "background.weight": outside.weight.copy(),
        }

    def load(self, which: Sequence[int], states: Sequence[SpikingState]) -> None:
        """Let some copies continue exactly where states were taken.

        Raises:
            ValueError: an array is missing or has another shape, or copies have a background at different receptors.
        """
        self._fetch()
        receptors = {int(state["background.receptor"]) for state in states if state["background.miss"].size}
        kept = [b for b in range(self.copies) if b not in which and self._background[b].miss.size]
        if len(receptors | ({self._receptor} if kept else set())) > 1:
            raise ValueError("JaxCopies.load: all copies must have their background at one receptor")
        for b, state in zip(which, states, strict=True):
            check_state("JaxEngine", state, self._state(b))
            self._load(b, state)
        self._receptor = next(iter(receptors), self._receptor)

    def _load(self, b: int, state: SpikingState) -> None:
        self._seeds[b], self._began[b] = int(state["seed"]), self._step - int(state["step"])
        for k, name in enumerate(variables(self._network.model)):
            self._x[k, b] = state[name]
        last = state["last_spike"].astype(np.int64)
        self._last[b] = np.where(last == NEVER, NEVER, np.maximum(last + self._began[b], NEVER))
        self._refractory[b], self._drive[b] = state["refractory"], state["drive"]
        self._recent[b] = state["recent"].astype(np.int32)
        made, self._background[b], _ = stored_input(state, self._seeds[b])
        self._put_trains(b, made)
