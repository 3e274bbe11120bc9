"""The lazy compiled form of one step of a network of LIF neurons with exponential synapses, and what it shares.

`lazy_steps` touches a neuron only when something reaches it; in between its state is known in closed form. Like the
dense form (lif_dense.py) it keeps brian2's order within a step: states, thresholds, arriving spikes, events of Poisson
trains, resets.

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


class Wiring(NamedTuple):
    """Who reaches whom: `target[start[p, i] : start[p + 1, i]]` are the targets of neuron i in partition p."""

    bounds: NDArray[np.int64]  # (partitions + 1,) first neuron of each partition
    start: NDArray[np.int64]  # (partitions + 1, n)
    target: Shorts  # (edges,)
    weight: Singles  # (edges,) mV
    delay: int  # steps
    refractory: Shorts  # (n,) steps
    span: float  # mV, threshold above reset


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
