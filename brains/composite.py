"""CompositeBrain: a brain of named parts, each with a model of its own, that act on each other through projections.

A spiking cortex, a brainstem of rates and a cord of populations have no common unit of drive, so they are run by the
brains that suit them and exchange releases every `sync_ms`. To whoever owns the senses it is one brain: one list of
names, one drive, one state. `composed` makes it of one connectome, so that ablations, shuffles and the other controls
act on the whole wiring by name, whichever part a neuron is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..registry import UnknownNameError, nearest
from .brain import Activity, BrainLike, checked_drive, whole_steps
from .connectome import Connectome

Floats = NDArray[np.float64]
CompositeState = dict[str, NDArray[Any]]
Build = Callable[[Connectome], BrainLike]


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Synapses from one part onto another: what release in the one adds to the drive of the other."""

    source: str  # name of a part
    target: str
    weights: csr_array  # (targets, sources), in the unit of the target's drive at full release
    delay_ms: float = 0.0  # ms on top of the one exchange that it always takes; whole exchanges


class CompositeBrain:
    """Parts that exchange releases; see `brain.BrainLike`.

    All parts advance from the releases at the start of an exchange period, so their order does not matter.

    Args:
        parts: name -> brain; no neuron may have the same name in two.
        projections: between parts.
        sync_ms: period of exchange, ms; a whole number of steps of every part. It is the `dt_ms` of the whole.
        seed: from which every part gets one of its own.

    Raises:
        ValueError: a name that two parts share, weights or a delay that do not fit.
        KeyError: a projection names no part, with the nearest that is one.
    """

    def __init__(
        self,
        parts: Mapping[str, BrainLike],
        projections: Sequence[Projection] = (),
        sync_ms: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.parts, self.dt_ms, self.seed = dict(parts), sync_ms, seed
        self.names: tuple[str, ...] = tuple(name for part in self.parts.values() for name in part.names)
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ValueError(f"CompositeBrain: two parts have a neuron {twice!r}")
        edges = np.cumsum([0, *(len(part.names) for part in self.parts.values())]).tolist()
        self._slices = {name: slice(a, b) for name, a, b in zip(self.parts, edges, edges[1:], strict=False)}
        for name, part in self.parts.items():
            _whole(sync_ms / part.dt_ms, f"sync_ms ({sync_ms} ms) is no whole number of the steps of {name!r}")
        self._links = [self._link(projection) for projection in projections]
        depth = 1 + max((delay for _, _, _, delay in self._links), default=0)
        self._past = np.zeros((depth, len(self.names)))  # releases, newest first
        self.reset()

    def _link(self, projection: Projection) -> tuple[slice, slice, csr_array, int]:
        for name in (projection.source, projection.target):
            if name not in self.parts:
                raise UnknownNameError(f"no part {name!r} in the brain; {nearest(name, self.parts)}")
        source, target = self._slices[projection.source], self._slices[projection.target]
        shape = (target.stop - target.start, source.stop - source.start)
        where = f"projection from {projection.source!r} to {projection.target!r}"
        if projection.weights.shape != shape or not np.isfinite(projection.weights.data).all():
            raise ValueError(f"{where}: weights must be finite and of shape {shape}, got {projection.weights.shape}")
        text = f"{where}: delay_ms ({projection.delay_ms} ms) is no whole number of exchanges"
        return source, target, projection.weights, _whole(projection.delay_ms / self.dt_ms, text, least=0)

    @property
    def n(self) -> int:
        """Number of neurons of all parts."""
        return len(self.names)

    @property
    def time_s(self) -> float:
        """Simulated time since the reset, s."""
        return self._step_count * self.dt_ms * 1e-3

    @property
    def rest_mv(self) -> Floats:
        """Resting voltage of each neuron as its part has it, shape (n,)."""
        rest: list[Any] = [getattr(part, "rest_mv", np.zeros(len(part.names))) for part in self.parts.values()]
        return np.array(np.concatenate(rest), dtype=np.float64)

    def reset(self, seed: int | None = None) -> None:
        """Start again; `seed` replaces the seed, None keeps the one before."""
        self.seed = self.seed if seed is None else seed
        for k, part in enumerate(self.parts.values()):
            part.reset(int(np.random.default_rng([self.seed, k]).integers(2**32)))
        self._past[:] = 0.0
        self._step_count = 0

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance under a constant drive, each neuron's in the unit of its part, shape (n,).

        Raises:
            ValueError: a drive of the wrong shape or not finite, or a duration that is no whole number of exchanges.
        """
        given = checked_drive(self.names, drive)
        spikes = np.zeros(self.n, dtype=np.int64)
        voltage = np.zeros(self.n)
        exchanges = whole_steps(duration_s, self.dt_ms)
        for _ in range(exchanges):
            total = given.copy()
            for source, target, weights, delay in self._links:
                total[target] += weights @ self._past[delay, source]
            self._past[1:] = self._past[:-1].copy()
            for name, part in self.parts.items():
                place = self._slices[name]
                activity = part.step(total[place], self.dt_ms * 1e-3)
                self._past[0, place], voltage[place] = activity.release, activity.voltage
                spikes[place] += activity.spikes
        self._step_count += exchanges
        return Activity(voltage=voltage, release=self._past[0].copy(), spikes=spikes)

    @property
    def state(self) -> CompositeState:
        """All that changes: what every part has under "part/", the releases that are under way, seed and step."""
        own: CompositeState = {"past": self._past.copy()}
        own |= {"seed": np.array(self.seed, np.int64), "step": np.array(self._step_count, np.int64)}
        for name, part in self.parts.items():
            own |= {f"{name}/{key}": value for key, value in part.state.items()}
        return own

    def restore(self, state: CompositeState) -> None:
        """Continue exactly where `state` was taken.

        Raises:
            ValueError: an array is missing or does not fit.
        """
        for key, shape in {"past": self._past.shape, "seed": (), "step": ()}.items():
            if key not in state or state[key].shape != shape:
                raise ValueError(f"CompositeBrain.restore: the state needs {key!r} of shape {shape}")
        for name, part in self.parts.items():
            start = f"{name}/"
            part.restore({key.removeprefix(start): value for key, value in state.items() if key.startswith(start)})
        self._past[:] = state["past"]
        self.seed, self._step_count = int(state["seed"]), int(state["step"])


def composed(
    connectome: Connectome,
    parts: Mapping[str, Iterable[str]],
    build: Mapping[str, Build],
    gains: Mapping[tuple[str, str], float],
    sync_ms: float = 1.0,
    seed: int = 0,
) -> CompositeBrain:
    """One connectome as a composite brain.

    Args:
        connectome: the whole wiring. Synapses within a part are its builder's; chemical ones between two parts become
            projections of weight gain times count times sign. A part all of whose neurons are gone is left out.
        parts: name -> names of its neurons in the intact wiring; every neuron must be in exactly one.
        build: name -> what makes a brain of the part's connectome, with the names in the connectome's order.
        gains: (source, target) -> drive of the target by a synapse of count 1 at full release, in the target's unit.
        sync_ms: period of exchange, ms.
        seed: of the whole.

    Raises:
        ValueError: a neuron in no part or in two, or synapses between two parts that have no gain.
    """
    owner: dict[str, str] = {}
    for part, names in parts.items():
        for name in names:
            if owner.setdefault(name, part) != part:
                raise ValueError(f"composed: neuron {name!r} is in two parts, {owner[name]!r} and {part!r}")
    lost = [name for name in connectome.names if name not in owner]
    if lost:
        raise ValueError(f"composed: neuron {lost[0]!r} is in none of the parts {', '.join(parts)}")
    rows = {part: [k for k, name in enumerate(connectome.names) if owner[name] == part] for part in parts}
    rows = {part: found for part, found in rows.items() if found}
    own = {part: build[part](connectome.subset(connectome.names[k] for k in found)) for part, found in rows.items()}
    matrix, projections = connectome.matrix("chemical"), []
    for source, target in ((a, b) for a in rows for b in rows if a != b):
        block = csr_array(matrix[rows[target]][:, rows[source]])
        if block.nnz and (source, target) not in gains:
            raise ValueError(f"composed: no gain for the synapses from {source!r} to {target!r}")
        if block.nnz:
            weights = csr_array(block * gains[source, target])
            projections.append(Projection(source=source, target=target, weights=weights))
    return CompositeBrain(own, projections, sync_ms, seed)


def _whole(ratio: float, problem: str, least: int = 1) -> int:
    count = round(ratio)
    if count < least or abs(ratio - count) > 1e-6:
        raise ValueError(f"CompositeBrain: {problem}")
    return count
