"""The two compiled forms of one step of a network of LIF neurons with exponential synapses.

`lazy_steps` touches a neuron only when something reaches it; in between its state is known in closed form.
`dense_steps` advances all of them, which costs less per event once most neurons hear something every few steps. Both
keep brian2's order within a step: states, thresholds, arriving spikes, events of Poisson trains, resets.

A partition is a range of targets that one thread owns. Partitions exchange spikes once a block of `delay` steps: a
spike cannot be felt earlier. Spikes are delivered in ascending order of their neurons, so that the number of threads
does not change a single bit.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .lif_cells import NEVER, RING, Cells, Decays, Shorts, Singles, bring, foresee, remove
from .poisson_trains import Trains, collect, draw

LANES = 1024  # neurons whose thresholds are looked at together


class Wiring(NamedTuple):
    """Who reaches whom: `target[start[p, i] : start[p + 1, i]]` are the targets of neuron i in partition p."""

    bounds: NDArray[np.int64]  # (partitions + 1,) first neuron of each partition
    start: NDArray[np.int64]  # (partitions + 1, n)
    target: Shorts  # (edges,)
    weight: Singles  # (edges,) mV
    delay: int  # steps
    refractory: Shorts  # (n,) steps
    span: float  # mV, threshold above reset


class Dense(NamedTuple):
    """The fields of `CELL` that the dense form needs, each in an array of its own; `since` moves only with a spike."""

    v: Singles  # (n,) mV
    g: Singles  # (n,) mV
    since: Shorts  # (n,) last refractory step
    threshold: Singles  # (n,) mV
    held: Shorts  # (partitions, lanes) latest of the last refractory steps of LANES neurons


class Fired(NamedTuple):
    """Spikes of the last two blocks by partition, in the order of steps and neurons."""

    neuron: Shorts  # (partitions, 2, capacity)
    end: NDArray[np.int64]  # (partitions, 2, delay + 1) where the spikes of each step of a block end
    events: NDArray[np.int64]  # (partitions,) spikes that arrived, since last asked


@njit
def lazy_steps(
    p: int, first: int, last: int, cells: Cells, heads: Shorts, wiring: Wiring, decays: Decays, trains: Trains,
    own: NDArray[np.int64], fired: Fired,
) -> None:  # fmt: skip
    """Advance partition p over the steps first..last of one block; `own` says which trains are whose."""
    mine, block, head = fired.neuron[p], (first // wiring.delay) % 2, heads[p]
    soon = collect(trains, own[p], own[p + 1], last)
    for step in range(first, last):
        place = step % wiring.delay
        begin = fired.end[p, block, place]
        end = _due(cells, decays, head, step, mine[block], begin)
        for q in range(fired.neuron.shape[0]):
            for a in range(fired.end[q, 1 - block, place], fired.end[q, 1 - block, place + 1]):
                source = fired.neuron[q, 1 - block, a]
                for e in range(wiring.start[p, source], wiring.start[p + 1, source]):
                    j = wiring.target[e]
                    if step >= cells[j].free:
                        bring(cells, decays, j, step)
                        cells[j].g += wiring.weight[e]
                        foresee(cells, decays, head, j)
                fired.events[p] += wiring.start[p + 1, source] - wiring.start[p, source]
        for a in range(own[p], own[p] + soon):
            k = trains.soon[a]
            if trains.next[k] == step:
                j = trains.neuron[k]
                if step >= cells[j].free:
                    bring(cells, decays, j, step)
                    cells[j].v += trains.weight[k]
                    foresee(cells, decays, head, j)
                draw(trains, k, step)
        for a in range(begin, end):
            cell = cells[mine[block, a]]
            cell.free = step + max(wiring.refractory[mine[block, a]], 1)
            cell.v, cell.g, cell.since = cell.threshold - wiring.span, np.float32(0.0), cell.free - 1
            foresee(cells, decays, head, mine[block, a])
        fired.end[p, block, place + 1] = end


@njit
def _due(cells: Cells, decays: Decays, head: Shorts, step: int, spikes: Shorts, begin: int) -> int:
    """Append the neurons that spike at this step to `spikes`, in ascending order, and return where they end now."""
    end, i = begin, head[step & (RING - 1)]
    while i != NEVER:
        following = cells[i].later
        remove(cells, head, i)
        bring(cells, decays, i, step)
        if cells[i].v > cells[i].threshold:
            spikes[end] = i
            end += 1
        else:  # it was only to be looked at again
            foresee(cells, decays, head, i)
        i = following
    if end - begin > 1:
        spikes[begin:end].sort()
    return end


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
        end = _advance_all(p, wiring.bounds[p], wiring.bounds[p + 1], step, neurons, decays, mine[block], begin)
        for q in range(fired.neuron.shape[0]):
            for a in range(fired.end[q, 1 - block, place], fired.end[q, 1 - block, place + 1]):
                source = fired.neuron[q, 1 - block, a]
                for e in range(wiring.start[p, source], wiring.start[p + 1, source]):
                    neurons.g[wiring.target[e]] += wiring.weight[
                        e
                    ]  # `_advance_all` takes it back from who stands still
                fired.events[p] += wiring.start[p + 1, source] - wiring.start[p, source]
        for a in range(own[p], own[p] + soon):
            k = trains.soon[a]
            if trains.next[k] == step:
                if neurons.since[trains.neuron[k]] < step:
                    neurons.v[trains.neuron[k]] += trains.weight[k]
                draw(trains, k, step)
        for a in range(begin, end):
            i = mine[block, a]
            neurons.v[i] = neurons.threshold[i] - wiring.span
            neurons.g[i] = 0.0
            neurons.since[i] = step + max(wiring.refractory[i], 1) - 1
            _hold(neurons, p, i - wiring.bounds[p], neurons.since[i])
        fired.end[p, block, place + 1] = end


@njit
def _hold(neurons: Dense, p: int, place: int, until: int) -> None:
    """Note that a neuron stands still until a step."""
    neurons.held[p, place // LANES] = max(neurons.held[p, place // LANES], until)


@njit
def _advance_all(
    p: int, low: int, high: int, step: int, neurons: Dense, decays: Decays, spikes: Shorts, end: int
) -> int:
    """One step of the neurons low..high; appends those above threshold to `spikes` and returns where they end now."""
    for a in range(low, high, LANES):
        b = min(a + LANES, high)
        v, g, since, threshold = neurons.v[a:b], neurons.g[a:b], neurons.since[a:b], neurons.threshold[a:b]
        if neurons.held[p, (a - low) // LANES] < step - 1:
            hits = _advance_free(v, g, threshold, decays)
        else:
            hits = _advance_some(v, g, since, threshold, decays, np.int32(step))
        if hits:
            for i in range(b - a):
                if since[i] < step and v[i] > threshold[i]:
                    spikes[end] = a + i
                    end += 1
    return end


@njit
def _advance_free(v: Singles, g: Singles, threshold: Singles, decays: Decays) -> int:
    """One step of neurons none of which stands still; says whether any is above threshold."""
    of_voltage, of_synapse, gained = decays.after[1, 0], decays.after[1, 1], decays.after[1, 2]
    hits = np.int32(0)
    for i in range(v.size):
        new_v = v[i] * of_voltage + g[i] * gained
        v[i] = new_v
        g[i] *= of_synapse
        hits |= np.int32(new_v > threshold[i])
    return int(hits)


@njit
def _advance_some(v: Singles, g: Singles, since: Shorts, threshold: Singles, decays: Decays, now: np.int32) -> int:
    """The same of neurons some of which stand still, or have done so until now and lose what arrived."""
    of_voltage, of_synapse, gained = decays.after[1, 0], decays.after[1, 1], decays.after[1, 2]
    hits, zero = np.int32(0), np.float32(0.0)
    for i in range(v.size):
        moves, old_v = since[i] < now, v[i]
        old_g = g[i] if since[i] < now - 1 else zero
        new_v = old_v * of_voltage + old_g * gained
        v[i] = new_v if moves else old_v
        g[i] = old_g * of_synapse
        hits |= np.int32(moves & (new_v > threshold[i]))
    return int(hits)


@njit
def to_dense(cells: Cells, heads: Shorts, neurons: Dense, wiring: Wiring, decays: Decays, step: int) -> None:
    """Bring every neuron to the end of the step before `step` and empty the calendar."""
    heads[:] = NEVER
    neurons.held[:] = NEVER
    for p in range(wiring.bounds.size - 1):
        for i in range(wiring.bounds[p], wiring.bounds[p + 1]):
            bring(cells, decays, i, step - 1)
            cell = cells[i]
            cell.due = NEVER
            neurons.v[i], neurons.g[i], neurons.threshold[i] = cell.v, cell.g, cell.threshold
            neurons.since[i] = cell.free - 1
            _hold(neurons, p, i - wiring.bounds[p], cell.free - 1)


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
