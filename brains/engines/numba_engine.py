"""The default engine: every sub-step of one `run` call inside one compiled loop, on one core.

Explicit Euler, all neurons at once from the values of the previous step, summed in a fixed order without fast-math, so
that a run is the same bit for bit however it is cut into calls.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from ..models import graded, lif, rate
from ..network import Network
from . import State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
F = TypeVar("F", bound=Callable[..., Any])


WIDTH = np.uint32(4)  # entries summed side by side


class _Rows(NamedTuple):
    """All inputs of every neuron: chemical ones from `release`, then electrical ones from `seen`, as one vector.

    A worm's rows are short, so that mispredicted loop ends would cost more than the sums: rows are padded with zero
    weights to a multiple of `WIDTH` and stand in the order of their length, which makes every loop end predictable.
    Indices are unsigned, since numba tests every signed one for being negative.
    """

    target: NDArray[np.uint32]  # (n,) the neuron of each row
    start: NDArray[np.uint32]  # (n + 1,)
    source: NDArray[np.uint32]  # (entries,)
    weight: Floats  # (entries,)


class _Cells(NamedTuple):
    """Parameters as the compiled loop wants them, each of shape (n,)."""

    spiking: NDArray[np.bool_]
    rated: NDArray[np.bool_]
    dt_over_tau: Floats
    v_rest: Floats
    v_half: Floats
    slope: Floats
    plateau: Floats
    v_reset: Floats
    t_held: Ints  # refractory steps
    dt_over_tau_release: Floats
    jump: Floats  # what a spike adds to the release trace
    rate_full: Floats
    spikelet: Floats  # what gap junctions see above the membrane at full release, mV; zero for graded cells
    conductance: Floats  # all gap junctions of the cell, relative to its leak


class _State(NamedTuple):
    """What changes, each of shape (n,)."""

    voltage: Floats
    trace: Floats
    held: Ints
    release: Floats


def _jit(function: F, cache: bool = False) -> F:
    """Numba's `njit` as a typed decorator."""
    compiled: F = njit(cache=cache)(function)
    return compiled


_graded_step = _jit(graded.step)
_graded_release = _jit(graded.release)
_lif_step = _jit(lif.step)
_lif_trace = _jit(lif.advance_trace)
_rate_step = _jit(rate.step)
_rate_release = _jit(rate.release)


@_jit
def _refresh_release(cells: _Cells, s: _State) -> None:
    for i in range(s.release.size):
        if cells.spiking[i]:
            s.release[i] = min(s.trace[i], 1.0)
        elif cells.rated[i]:
            s.release[i] = _rate_release(s.voltage[i], cells.rate_full[i])
        else:
            s.release[i] = _graded_release(s.voltage[i], cells.v_half[i], cells.slope[i])


@_jit
def _gather(rows: _Rows, row: int, values: Floats) -> float:
    """One row times `values`, always summed in the same order.

    Four running sums, because one alone makes every addition wait for the one before.
    """
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for k in range(rows.start[row], rows.start[row + 1], WIDTH):
        a += rows.weight[k] * values[rows.source[k]]
        b += rows.weight[k + 1] * values[rows.source[k + 1]]
        c += rows.weight[k + 2] * values[rows.source[k + 2]]
        d += rows.weight[k + 3] * values[rows.source[k + 3]]
    return (a + b) + (c + d)


def _compile(model_sources: str) -> Callable[..., None]:
    """Build the compiled loop. Its disk cache must know the sources of the models, which numba does not track."""

    def run(steps: int, cells: _Cells, rows: _Rows, bias: Floats, s: _State, spikes: Ints) -> None:
        assert model_sources  # as a closure variable it is part of the cache key
        n = bias.size
        current, signal = np.empty(n), np.empty(2 * n)
        _refresh_release(cells, s)
        for _ in range(steps):
            for i in range(n):
                signal[i] = s.release[i]
                signal[n + i] = s.voltage[i] + cells.spikelet[i] * s.release[i]
            for row in range(n):
                current[rows.target[row]] = _gather(rows, row, signal)
            for i in range(n):
                current[i] += bias[i] + cells.plateau[i] * s.release[i] - cells.conductance[i] * signal[n + i]
            for i in range(n):
                v, rest, gain = s.voltage[i], cells.v_rest[i], cells.dt_over_tau[i]
                if cells.spiking[i]:
                    half, reset, t_held = cells.v_half[i], cells.v_reset[i], cells.t_held[i]
                    v, held, spiked = _lif_step(v, s.held[i], current[i], rest, half, reset, t_held, gain)
                    s.trace[i] = _lif_trace(s.trace[i], spiked, cells.dt_over_tau_release[i], cells.jump[i])
                    s.voltage[i], s.held[i] = v, held
                    spikes[i] += spiked
                elif cells.rated[i]:
                    half, slope, full = cells.v_half[i], cells.slope[i], cells.rate_full[i]
                    s.voltage[i] = _rate_step(v, current[i], half, slope, full, gain)
                else:
                    s.voltage[i] = _graded_step(v, current[i], rest, gain)
            _refresh_release(cells, s)

    return _jit(run, cache=True)


_SOURCES = "".join(inspect.getsource(module) for module in (graded, lif, rate))
_run = _compile(hashlib.sha256(_SOURCES.encode()).hexdigest())


class NumbaEngine:
    """Runs one network; see `Engine` for the contract of every method."""

    def __init__(self, network: Network) -> None:
        cells, dt_ms = network.cells, network.dt_ms
        self._tonic = _own(cells.tonic_mv)
        self._rows = _rows(network.chemical, network.electrical)
        self._cells = _Cells(
            spiking=cells.model == "lif",
            rated=cells.model == "rate",
            dt_over_tau=dt_ms / cells.tau_m_ms,
            v_rest=_own(cells.v_rest_mv),
            v_half=_own(cells.v_half_mv),
            slope=_own(cells.slope_mv),
            plateau=_own(cells.plateau_mv),
            v_reset=_own(cells.v_reset_mv),
            t_held=np.rint(cells.t_refractory_ms / dt_ms).astype(np.int64),
            dt_over_tau_release=dt_ms / cells.tau_release_ms,
            jump=1e3 / (cells.tau_release_ms * cells.rate_full_hz),
            rate_full=_own(cells.rate_full_hz),
            spikelet=np.where(cells.model == "lif", cells.spikelet_mv, 0.0),
            conductance=np.asarray(network.electrical.sum(axis=1), dtype=np.float64).ravel(),
        )
        zeros = np.zeros(network.n)
        self._state = _State(_own(cells.v_rest_mv), zeros, np.zeros(network.n, dtype=np.int64), zeros.copy())
        self._run(self._tonic, 0)

    def run(self, drive: Floats, steps: int) -> Ints:
        """Advance by `steps` under a constant drive (mV, shape (n,)); returns the spikes of each neuron."""
        return self._run(self._tonic + drive, steps)

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, shape (n,), a copy."""
        return self._state.voltage.copy()

    @property
    def release(self) -> Floats:
        """Release now, 0 to 1, shape (n,), a copy."""
        return self._state.release.copy()

    @property
    def state(self) -> State:
        """Copies of the state variables; release follows from them."""
        return {name: getattr(self._state, name).copy() for name in ("voltage", "trace", "held")}

    def load(self, state: State) -> None:
        """Continue from a state."""
        for name in ("voltage", "trace", "held"):
            getattr(self._state, name)[:] = state[name]
        # The compiled loop, not numpy, computes release: their exponentials may differ in the last bit.
        self._run(self._tonic, 0)

    def _run(self, bias: Floats, steps: int) -> Ints:
        spikes = np.zeros(bias.size, dtype=np.int64)
        _run(steps, self._cells, self._rows, bias, self._state, spikes)
        return spikes


def _own(values: Floats) -> Floats:
    """A writable copy: a read-only array is another type to numba and would be compiled for again."""
    return np.array(values, dtype=np.float64)


def _rows(chemical: csr_array, electrical: csr_array) -> _Rows:
    both = csr_array(hstack([chemical, electrical], format="csr"))
    length = np.diff(both.indptr)
    target = np.argsort(length, kind="stable")
    padded = -(-length // int(WIDTH)) * int(WIDTH)
    start = np.concatenate([[0], np.cumsum(padded[target])])
    # a padding entry reads the neuron itself, so that a value that is not finite stays where it is
    source, weight = np.repeat(target, padded[target]), np.zeros(start[-1])
    entries = np.concatenate([np.arange(both.indptr[i], both.indptr[i + 1]) for i in target])
    places = np.repeat(start[:-1], length[target]) + _count_within(length[target])
    source[places], weight[places] = both.indices[entries], both.data[entries]
    return _Rows(target.astype(np.uint32), start.astype(np.uint32), source.astype(np.uint32), weight)


def _count_within(lengths: Ints) -> Ints:
    """0, 1, .. for each run of the given lengths, one after another."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1], dtype=np.int64) - np.repeat(ends - lengths, lengths)
