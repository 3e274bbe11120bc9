"""The dense compiled form: every neuron at every step, which costs less per event where the network is busy.

It keeps the equations and the order of the lazy form (lif_kernels.py). All neurons advance alike; those that stand
still in their refractory period are few, and are put back afterwards from a list.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .lif_cells import NEVER, Cells, Decays, Shorts, Singles, bring, foresee
from .lif_kernels import Fired, Wiring
from .poisson_trains import Trains, collect, draw
from .prefetch import LINE, prefetch

LANES = 1024  # neurons whose thresholds are looked at together
AHEAD = 4  # spikes between asking for a row of edges and using it


class Dense(NamedTuple):
    """The fields of `CELL` that the dense form needs, each in an array of its own; `since` moves only with a spike."""

    v: Singles  # (n,) mV
    g: Singles  # (n,) mV
    since: Shorts  # (n,) last refractory step
    threshold: Singles  # (n,) mV
    standing: Shorts  # (partitions, most neurons of one) who stands still, in no order
    stood_at: Singles  # (partitions, most neurons of one) mV, their voltages
    stand: NDArray[np.int64]  # (partitions,) how many they are


@njit
def dense_steps(
    p: int, first: int, last: int, neurons: Dense, wiring: Wiring, decays: Decays, trains: Trains,
    own: NDArray[np.int64], fired: Fired,
) -> None:  # fmt: skip
    """Advance partition p over the steps first..last of one block, every neuron at every step."""
    mine, block = fired.neuron[p], (first // wiring.delay) % 2
    soon = collect(trains, own[p], own[p + 1], last)
    for step in range(first, last):
        place = step % wiring.delay
        begin = fired.end[p, block, place]
        _stand(p, neurons, step)
        end = _advance_all(wiring.bounds[p], wiring.bounds[p + 1], step, neurons, decays, mine[block], begin)
        _put_back(p, neurons)
        for q in range(fired.neuron.shape[0]):
            start, stop = fired.end[q, 1 - block, place], fired.end[q, 1 - block, place + 1]
            fired.events[p] += _deliver(p, fired.neuron[q, 1 - block, start:stop], neurons.g, wiring)
        for a in range(own[p], own[p] + soon):
            k = trains.soon[a]
            if trains.next[k] == step:
                if neurons.since[trains.neuron[k]] < step:
                    neurons.v[trains.neuron[k]] += trains.weight[k]
                draw(trains, k, step)
        for a in range(begin, end):
            i = mine[block, a]
            neurons.v[i] = neurons.threshold[i] - wiring.span
            neurons.since[i] = step + max(wiring.refractory[i], 1) - 1
            _add(p, neurons, i)
        fired.end[p, block, place + 1] = end


@njit
def _add(p: int, neurons: Dense, i: int) -> None:
    neurons.standing[p, neurons.stand[p]] = i
    neurons.stand[p] += 1


@njit
def _stand(p: int, neurons: Dense, step: int) -> None:
    """Take from who stood still what arrived, and note the voltage of those who still do at this step."""
    standing, kept = neurons.standing[p], 0
    for a in range(neurons.stand[p]):
        i = standing[a]
        neurons.g[i] = 0.0
        if neurons.since[i] >= step:
            standing[kept], neurons.stood_at[p, kept] = i, neurons.v[i]
            kept += 1
    neurons.stand[p] = kept


@njit
def _put_back(p: int, neurons: Dense) -> None:
    for a in range(neurons.stand[p]):
        neurons.v[neurons.standing[p, a]] = neurons.stood_at[p, a]


@njit
def _advance_all(low: int, high: int, step: int, neurons: Dense, decays: Decays, spikes: Shorts, end: int) -> int:
    """One step of the neurons low..high; appends those above threshold to `spikes` and returns where they end now."""
    for a in range(low, high, LANES):
        b = min(a + LANES, high)
        v, g, threshold = neurons.v[a:b], neurons.g[a:b], neurons.threshold[a:b]
        if _advance(v, g, threshold, decays):
            for i in range(b - a):
                if v[i] > threshold[i] and neurons.since[a + i] < step:
                    spikes[end] = a + i
                    end += 1
    return end


@njit
def _advance(v: Singles, g: Singles, threshold: Singles, decays: Decays) -> int:
    """One step of some neurons; says whether any is above threshold."""
    of_voltage, of_synapse, gained = decays.after[1, 0], decays.after[1, 1], decays.after[1, 2]
    hits = np.int32(0)
    for i in range(v.size):
        new_v = v[i] * of_voltage + g[i] * gained
        v[i] = new_v
        g[i] *= of_synapse
        hits |= np.int32(new_v > threshold[i])
    return int(hits)


@njit
def _deliver(p: int, spikes: Shorts, g: Singles, wiring: Wiring) -> int:
    """Add the weights of what the neurons of `spikes` reach in partition p; returns how many edges those were."""
    start, target, weight, events = wiring.start[p], wiring.target, wiring.weight, 0
    for a in range(spikes.size):
        if a + AHEAD < spikes.size:
            _ask(p, spikes[a + AHEAD], wiring)
        begin, end = start[spikes[a]], wiring.start[p + 1, spikes[a]]
        for e in range(begin, end):
            g[target[e]] += weight[e]  # `_stand` takes it back from who stands still
        events += end - begin
    return events


@njit
def _ask(p: int, source: int, wiring: Wiring) -> None:
    """Start to load the edges of a neuron in partition p."""
    for e in range(wiring.start[p, source], wiring.start[p + 1, source], LINE):
        prefetch(wiring.target, e)
        prefetch(wiring.weight, e)


@njit
def to_dense(cells: Cells, heads: Shorts, neurons: Dense, wiring: Wiring, decays: Decays, step: int) -> None:
    """Bring every neuron to the end of the step before `step` and empty the calendar."""
    heads[:] = NEVER
    neurons.stand[:] = 0
    for p in range(wiring.bounds.size - 1):
        for i in range(wiring.bounds[p], wiring.bounds[p + 1]):
            bring(cells, decays, i, step - 1)
            cell = cells[i]
            cell.due = NEVER
            neurons.v[i], neurons.g[i], neurons.threshold[i] = cell.v, cell.g, cell.threshold
            neurons.since[i] = cell.free - 1
            if neurons.since[i] >= step - 1:
                _add(p, neurons, i)


@njit
def to_lazy(cells: Cells, heads: Shorts, neurons: Dense, wiring: Wiring, decays: Decays, step: int) -> None:
    """Foresee the spike of every neuron from the end of the step before `step`."""
    for p in range(wiring.bounds.size - 1):
        for i in range(wiring.bounds[p], wiring.bounds[p + 1]):
            cell = cells[i]
            cell.v, cell.threshold, cell.free = neurons.v[i], neurons.threshold[i], neurons.since[i] + 1
            cell.g = neurons.g[i] if cell.free < step else np.float32(0.0)
            cell.since = max(neurons.since[i], step - 1)
            foresee(cells, decays, heads[p], i)
