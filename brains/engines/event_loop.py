"""The compiled loop of the event-driven engine: blocks, partitions, threads, and the choice between its two forms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit, prange, types
from numba.experimental import structref
from numpy.typing import NDArray

from . import lif_cells, lif_dense, lif_kernels, poisson_trains, prefetch
from .kept import fingerprint, kept
from .lif_cells import NEVER, Cells, Decays, Shorts, Singles, bring, enter, foresee
from .lif_dense import Dense, dense_steps, to_dense, to_lazy
from .lif_kernels import Fired, Wiring, lazy_steps
from .poisson_trains import Trains

Ints = NDArray[np.int64]

_KEY = fingerprint(lif_cells, lif_kernels, lif_dense, poisson_trains, prefetch)


def _keep(function: Callable[..., None]) -> Callable[..., None]:
    """Compile a function of this file and keep it on disk."""
    compiled: Callable[..., None] = kept(function, globals(), _KEY)
    return compiled


class Mode(NamedTuple):
    """How the network is being stepped."""

    lazy: NDArray[np.bool_]  # (1,)
    window: int  # steps, whole blocks
    choose: bool


class Machine(NamedTuple):
    """All that the compiled loop works on."""

    cells: Cells  # (n,) of the lazy form
    heads: Shorts  # (partitions, RING) first neuron of each step of the calendar, NEVER for none
    dense: Dense
    wiring: Wiring
    decays: Decays
    trains: Trains
    own: Ints  # (partitions + 1,) first train of each partition
    fired: Fired
    mode: Mode


@structref.register
class _HeldType(types.StructRef):  # type: ignore[misc]
    """The compiled type of `Held`."""


class Held(structref.StructRefProxy):  # type: ignore[misc]
    """A `Machine` kept in compiled form: to hand its arrays over at every call would cost as much as a few steps."""


structref.define_proxy(Held, _HeldType, ["machine"])


@njit(cache=True)
def hold(machine: Machine) -> Held:
    """Keep a machine; it goes on sharing its arrays with the one given."""
    return Held(machine)


@njit
def _choose(machine: Machine, step: int, busy: float) -> None:
    """Change the form where the last window was on the other side of `busy` by a factor of two."""
    n, mode = machine.cells.size, machine.mode
    per_step = machine.fired.events.sum() / mode.window
    machine.fired.events[:] = 0
    if mode.lazy[0] and per_step > busy * n:
        to_dense(machine.cells, machine.heads, machine.dense, machine.wiring, machine.decays, step)
        mode.lazy[0] = False
    elif not mode.lazy[0] and per_step < 0.5 * busy * n:
        to_lazy(machine.cells, machine.heads, machine.dense, machine.wiring, machine.decays, step)
        mode.lazy[0] = True


@_keep
def start_lazily(machine: Machine) -> None:
    """Take the state of the dense form over before the first step."""
    to_lazy(machine.cells, machine.heads, machine.dense, machine.wiring, machine.decays, 0)


@_keep
def shift_all(machine: Machine, step: int, threshold: Singles) -> None:
    """Give every neuron another threshold, and so another drive, at the end of the step before `step`.

    Voltages are measured from where the neuron would settle, and that place moves by as much.
    """
    cells, dense = machine.cells, machine.dense
    for p in range(machine.wiring.bounds.size - 1):
        for i in range(machine.wiring.bounds[p], machine.wiring.bounds[p + 1]):
            if machine.mode.lazy[0] and cells[i].threshold != threshold[i]:
                bring(cells, machine.decays, i, step - 1)
                cells[i].v += threshold[i] - cells[i].threshold
                cells[i].threshold = threshold[i]
                foresee(cells, machine.decays, machine.heads[p], i)
            elif not machine.mode.lazy[0]:
                dense.v[i] += threshold[i] - dense.threshold[i]
                dense.threshold[i] = threshold[i]


@_keep
def fill_calendar(cells: Cells, heads: Shorts, bounds: Ints) -> None:
    """Make the calendar anew from the steps that the neurons are due at."""
    heads[:] = NEVER
    for p in range(bounds.size - 1):
        for i in range(bounds[p], bounds[p + 1]):
            if cells[i].due != NEVER:
                enter(cells, heads[p], i, cells[i].due)


def _block(step: int, stop: int, m: Machine) -> None:
    """Advance every partition over some steps of one block."""
    for p in range(m.wiring.bounds.size - 1):
        if m.mode.lazy[0]:
            lazy_steps(p, step, stop, m.cells, m.heads, m.wiring, m.decays, m.trains, m.own, m.fired)
        else:
            dense_steps(p, step, stop, m.dense, m.wiring, m.decays, m.trains, m.own, m.fired)


def _parallel_block(step: int, stop: int, m: Machine) -> None:
    """`_block` with a thread for each partition."""
    # a parallel loop takes arrays but not tuples of them, so they are taken apart here and put together inside
    cells, heads, own, lazy = m.cells, m.heads, m.own, m.mode.lazy[0]
    v, g, since, threshold, standing, stood_at, stand = m.dense
    bounds, start, target, weight, delay, refractory, span = m.wiring
    after, tau_m, tau_synapse, peak = m.decays
    train_neuron, train_weight, log_miss, next_event, drawn, seed, soon = m.trains
    fired_neuron, fired_end, events = m.fired
    for p in prange(bounds.size - 1):
        wiring = Wiring(bounds, start, target, weight, delay, refractory, span)
        decays = Decays(after, tau_m, tau_synapse, peak)
        poisson = Trains(train_neuron, train_weight, log_miss, next_event, drawn, seed, soon)
        fired = Fired(fired_neuron, fired_end, events)
        if lazy:
            lazy_steps(p, step, stop, cells, heads, wiring, decays, poisson, own, fired)
        else:
            dense = Dense(v, g, since, threshold, standing, stood_at, stand)
            dense_steps(p, step, stop, dense, wiring, decays, poisson, own, fired)


@njit
def _grown(values: Shorts, size: int) -> Shorts:
    room = np.empty(size, np.int32)
    room[: values.size] = values
    return room


def _run(first: int, last: int, held: Held, busy: float) -> tuple[Shorts, Shorts]:
    """Advance over the steps first..last; returns the step and the neuron of every spike."""
    m = held.machine
    steps, spikes, count, delay = np.empty(1024, np.int32), np.empty(1024, np.int32), 0, m.wiring.delay
    step = first
    while step < last:
        stop = min(last, (step // delay + 1) * delay)
        _block(step, stop, m)
        half = (step // delay) % 2
        for now in range(step, stop):
            for p in range(m.wiring.bounds.size - 1):
                ends = m.fired.end[p, half]
                new = m.fired.neuron[p, half, ends[now % delay] : ends[now % delay + 1]]
                if count + new.size > steps.size:
                    size = 2 * steps.size + new.size
                    steps, spikes = _grown(steps, size), _grown(spikes, size)
                steps[count : count + new.size] = now
                spikes[count : count + new.size] = new
                count += new.size
        step = stop
        if m.mode.choose and step % m.mode.window == 0:
            _choose(m, step, busy)
    return steps[:count], spikes[:count]


@cache
def runner(parallel: bool) -> Callable[[int, int, Held, float], tuple[Shorts, Shorts]]:
    """`_run` compiled, with a thread for each partition or with one for all."""
    block = njit(parallel=True)(_parallel_block) if parallel else njit(_block)
    own = {**globals(), "_block": block}
    run: Callable[[int, int, Held, float], tuple[Shorts, Shorts]] = kept(_run, own, f"{parallel}_{_KEY}")
    return run


@njit(cache=True)
def cuts(start: Ints, target: Shorts, bounds: Ints) -> Ints:
    """Where the targets of each neuron pass from one partition to the next, shape (partitions + 1, n)."""
    cuts = np.empty((bounds.size, start.size - 1), np.int64)
    for i in range(start.size - 1):
        row = target[start[i] : start[i + 1]]
        for p in range(bounds.size):
            cuts[p, i] = start[i] + np.searchsorted(row, bounds[p])
    return cuts
