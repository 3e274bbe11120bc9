"""The optic lobe of one or more eyes: the published column graph, run on a hexagonal lattice.

Every column of the eye has one cell of each type, and the wiring between two types is the same in every column. Nothing
is trained: weights are signed synapse counts (`optic_columns.csv.gz`), time constants those of `optic_cells.csv`.

All activities are deviations from the state under the light the eye is adapted to, so the resting state is zero by
construction: graded cells, which release all the time, signal both signs; T4 and T5 only excitation.

    tau dv/dt = sum(weight * release) - v,   h da/dt = v - a,   release = v - a in band-pass types, v in the others

`ColumnNetwork` runs this with one multiply-add per synapse class and column over shifted rows of the lattice, which is
what makes 37,000 cells faster than real time on one core.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...registry import UnknownNameError, nearest
from .optic_wiring import RECEPTOR, check_tables, published_cells, published_columns, wiring_among

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

WIDTH = 4  # synapse classes added side by side
TINY = np.float32(1e-20)  # added and taken off: what is far smaller becomes 0, since denormal numbers are slow


@dataclass(frozen=True, kw_only=True)
class LobeSettings:
    """The global numbers of the optic lobe."""

    gain: float = 1.0  # all weights onto a cell together; at 1 every loop is stable; assumed
    inhibition: float = 2.0  # weight of an inhibitory synapse over that of an excitatory one; assumed
    dt_ms: float = 5.0  # ms, step of the explicit Euler method; 1 ms changes the direction selectivity by 0.02 at most

    def __post_init__(self) -> None:
        for name in ("gain", "inhibition", "dt_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"LobeSettings: {name} ({getattr(self, name)}) must be above 0")


class _Lattice(NamedTuple):
    """How columns of several eyes lie in one flat row with room for every offset between them."""

    place: Ints  # (eyes, n) of every column
    mask: Singles  # (length,) 1 where there is a column
    width: int  # from one row of the lattice to the next
    bounds: Ints  # (eyes, 2) first place of each eye and one past its last


class _Wiring(NamedTuple):
    """Synapse classes in the order of their targets, padded to a multiple of `WIDTH` for each."""

    first: Ints  # (types + 1,)
    source: Ints  # (classes,)
    shift: Ints  # (classes,) places from source to target
    weight: Singles  # (classes,)


class ColumnNetwork:
    """The cells of all columns and eyes, with their state.

    Args:
        columns: lattice coordinates p, q of the columns, the same in every eye, (n, 2).
        cells: one row a type, columns type, tau_ms, highpass_ms (empty: none), release ("graded" or "rectified").
        table: the wiring, as `published_columns`.
        settings: see `LobeSettings`.
        eyes: how many; they are not connected with each other.

    Raises:
        ValueError: a table lacks a column, a number is out of range, or the receptor is missing.
    """

    def __init__(
        self,
        columns: Ints,
        cells: pd.DataFrame | None = None,
        table: pd.DataFrame | None = None,
        settings: LobeSettings | None = None,
        eyes: int = 2,
    ) -> None:
        cells = published_cells() if cells is None else cells
        table = published_columns() if table is None else table
        check_tables(cells, table)
        self.settings = LobeSettings() if settings is None else settings
        self.columns, self.eyes = np.asarray(columns, dtype=np.int64), eyes
        self.types = tuple(cells["type"])
        self._index = {name: i for i, name in enumerate(self.types)}
        self.table = wiring_among(self.types, table)
        self._lattice = _lattice(self.columns, eyes, int(self.table[["dp", "dq"]].abs().to_numpy().max(initial=0)))
        self._wiring = self._wire()
        self._rates = _rates(cells, self.settings.dt_ms)
        self._state = np.zeros((3, len(self.types), self._lattice.mask.size), dtype=np.float32)
        self._light = np.zeros(self._lattice.mask.size, dtype=np.float32)

    @property
    def n(self) -> int:
        """Number of cells, all eyes together."""
        return self.eyes * len(self.columns) * len(self.types)

    @property
    def synapse_classes(self) -> int:
        """Number of type pairs and offsets that the network runs."""
        return len(self.table)

    def reset(self) -> None:
        """Back to rest."""
        self._state[:] = 0.0

    def step(self, light: Floats, steps: int) -> None:
        """Advance by `steps` of dt under a constant input to the receptors, shape (eyes, n columns), dimensionless."""
        self._light[self._lattice.place] = light
        receptor = self._index[RECEPTOR]
        lattice, voltage, slow, release = self._lattice, self._state[0], self._state[1], self._state[2]
        wiring, rates = self._wiring, self._rates
        _advance(steps, self._light, receptor, lattice.bounds, lattice.mask, wiring, rates, voltage, slow, release)

    def release(self, *names: str) -> Floats:
        """Release of every cell of some types now, deviation from rest, shape (types, eyes, n columns)."""
        rows = self._state[2, [self.index(name) for name in names]]
        return np.asarray(rows[:, self._lattice.place], dtype=np.float64)

    def index(self, name: str) -> int:
        """Place of a type in `types`; an unknown one raises with the nearest."""
        if name not in self._index:
            raise UnknownNameError(f"optic lobe: no cell type {name!r}; {nearest(name, self.types)}")
        return self._index[name]

    @property
    def state(self) -> Singles:
        """All that changes, a copy, shape (3, types, places)."""
        return self._state.copy()

    def restore(self, state: Singles) -> None:
        """Continue exactly from a `state`."""
        if state.shape != self._state.shape:
            raise ValueError(f"ColumnNetwork.restore: state must have shape {self._state.shape}, got {state.shape}")
        self._state[:] = state

    def weights(self) -> pd.Series[float]:
        """Weight of every row of `table`: signed count as a share of all counts onto the target, times the gain."""
        signed = self.table["sign"] * self.table["synapses"]
        signed = signed.where(signed > 0, signed * self.settings.inhibition)
        share = signed / signed.abs().groupby(self.table["target"]).transform("sum")
        return share * self.settings.gain

    def matrix(self) -> csr_array:
        """The same wiring for one eye as a matrix, rows targets, in the order type by type of all columns."""
        place = {(int(p), int(q)): i for i, (p, q) in enumerate(self.columns)}
        n, entries = len(self.columns), []
        names = [self.table[end].map(self._index).to_numpy() for end in ("source", "target")]
        steps = self.table[["dp", "dq"]].to_numpy()
        for source, target, step, weight in zip(*names, steps, self.weights(), strict=True):
            for (p, q), i in place.items():
                j = place.get((p + int(step[0]), q + int(step[1])), -1)
                if j >= 0:
                    entries.append((target * n + j, source * n + i, weight))
        rows, columns, data = zip(*entries, strict=True)
        return csr_array((data, (rows, columns)), shape=(n * len(self.types), n * len(self.types)))

    def _wire(self) -> _Wiring:
        targets = self.table["target"].map(self._index).to_numpy()
        sources = self.table["source"].map(self._index).to_numpy()
        shifts = self.table["dp"].to_numpy() * self._lattice.width + self.table["dq"].to_numpy()
        weights = self.weights().to_numpy()
        first, source, shift, weight = [0], [], [], []
        for target in range(len(self.types)):
            rows = np.flatnonzero(targets == target)
            padding = -len(rows) % WIDTH
            source += [*sources[rows], *[target] * padding]
            shift += [*shifts[rows], *[0] * padding]
            weight += [*weights[rows], *[0.0] * padding]
            first.append(len(source))
        return _Wiring(np.array(first), np.array(source), np.array(shift), np.array(weight, dtype=np.float32))


class _Rates(NamedTuple):
    """What each type does in one step, each of shape (types,)."""

    fast: Singles  # dt / tau
    slow: Singles  # dt / high-pass time constant, 0 where there is none
    passed: Singles  # share of the slow state that is taken off the output, 0 or 1
    rectified: NDArray[np.bool_]


def _rates(cells: pd.DataFrame, dt_ms: float) -> _Rates:
    slow = (dt_ms / cells["highpass_ms"]).fillna(0.0).to_numpy(dtype=np.float32)
    return _Rates(
        fast=(dt_ms / cells["tau_ms"]).to_numpy(dtype=np.float32),
        slow=slow,
        passed=(slow > 0).astype(np.float32),
        rectified=(cells["release"] == "rectified").to_numpy(),
    )


def _lattice(columns: Ints, eyes: int, reach: int) -> _Lattice:
    """A grid of p rows and q columns; the empty end of a row serves the next one too, as do the rows between eyes."""
    corner = columns.min(axis=0)
    rows, across = columns.max(axis=0) - corner + 1
    width, height = int(across) + reach, int(rows) + reach
    lead = reach * width + reach
    inside = (columns[:, 0] - corner[0]) * width + columns[:, 1] - corner[1]
    place = lead + np.arange(eyes)[:, None] * height * width + inside[None]
    low = lead + np.arange(eyes) * height * width
    bounds = np.stack([low, low + int(rows) * width], axis=1)
    mask = np.zeros(bounds[-1, 1] + lead, dtype=np.float32)
    mask[place] = 1.0
    return _Lattice(place, mask, width, bounds)


@njit(cache=True, fastmath={"contract"})
def _advance(
    steps: int,
    light: Singles,
    receptor: int,
    bounds: Ints,
    mask: Singles,
    wiring: _Wiring,
    rates: _Rates,
    voltage: Singles,
    slow: Singles,
    release: Singles,
) -> None:
    """Explicit Euler; all types from the release of the step before, one eye after the other.

    A multiplication and the addition after it may be one instruction, with one rounding: the same every time on one
    machine, but not the last bit on all machines.
    """
    current = np.zeros_like(release)
    for eye in range(bounds.shape[0]):
        low, high = bounds[eye, 0], bounds[eye, 1]
        for _ in range(steps):
            for target in range(voltage.shape[0]):
                row = current[target]
                row[low:high] = 0.0
                if target == receptor:
                    row[low:high] = light[low:high]
                for k in range(wiring.first[target], wiring.first[target + 1], WIDTH):
                    _add(row, release, wiring, k, low, high)
            for i in range(voltage.shape[0]):
                fast, lag, passed, rectified = rates.fast[i], rates.slow[i], rates.passed[i], rates.rectified[i]
                for j in range(low, high):
                    v = ((voltage[i, j] + fast * (current[i, j] - voltage[i, j]) + TINY) - TINY) * mask[j]
                    s = (slow[i, j] + lag * (v - slow[i, j]) + TINY) - TINY
                    out = v - passed * s
                    voltage[i, j], slow[i, j] = v, s
                    release[i, j] = max(out, np.float32(0.0)) if rectified else out


@njit(cache=True, fastmath={"contract"}, inline="always")
def _add(row: Singles, release: Singles, wiring: _Wiring, k: int, start: int, stop: int) -> None:
    """Add `WIDTH` synapse classes onto one stretch of a target's row."""
    a = release[wiring.source[k], start - wiring.shift[k] : stop - wiring.shift[k]]
    b = release[wiring.source[k + 1], start - wiring.shift[k + 1] : stop - wiring.shift[k + 1]]
    c = release[wiring.source[k + 2], start - wiring.shift[k + 2] : stop - wiring.shift[k + 2]]
    d = release[wiring.source[k + 3], start - wiring.shift[k + 3] : stop - wiring.shift[k + 3]]
    wa, wb, wc, wd = wiring.weight[k], wiring.weight[k + 1], wiring.weight[k + 2], wiring.weight[k + 3]
    onto = row[start:stop]
    for j in range(stop - start):
        onto[j] += (wa * a[j] + wb * b[j]) + (wc * c[j] + wd * d[j])
