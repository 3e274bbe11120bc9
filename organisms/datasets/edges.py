"""Tables of edges, streamed in batches, to the arrays of a `CompactConnectome`.

Memory holds the kept edges and one batch, whatever the size of the file: the batches are read twice, first to count
the edges of every neuron and then to put them where they belong. Rows of one pair (one per neuropil, say) are summed
before any threshold. Ids are 64-bit whole numbers throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
Batches = Callable[[], Iterator[tuple[Ints, ...]]]  # presynaptic ids, postsynaptic ids, synapses; anew at every call

NOBODY = -1
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads ids over the hash table


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """Edges by source, and what was left out of the table on the way."""

    start: Ints  # (n + 1,)
    target: Shorts  # (edges,) ascending for each source
    count: Shorts  # (edges,)
    rows: int  # of the table
    foreign: int  # rows with an end that is not one of the neurons
    self_edges: int  # rows from a neuron to itself, after the foreign ones
    repeated: int  # rows summed into another of the same pair
    weak: int  # pairs below the threshold
    weak_synapses: int

    def changes(self, min_count: int) -> tuple[str, ...]:
        """What was left out, one line each, for the source of a connectome."""
        lines = [f"left out {self.foreign} of {self.rows} rows with an end that is no neuron of the table"]
        lines.append(f"dropped {self.self_edges} edges of a neuron with itself")
        if self.repeated:
            lines.append(f"summed {self.repeated} further rows of pairs already there")
        if min_count > 1:
            lines.append(
                f"dropped {self.weak} pairs of fewer than {min_count} synapses in all ({self.weak_synapses} synapses)"
            )
        return tuple(lines)


def collect(batches: Batches, ids: Ints, min_count: int = 1) -> Edges:
    """Edges among some neurons.

    Args:
        batches: gives the table batch by batch; called twice.
        ids: of the neurons, each once, shape (n,); their places become the rows.
        min_count: fewest synapses of a pair, over all its rows.

    Raises:
        ValueError: an id is listed twice, a count is not positive, or `min_count` is below 1.
    """
    if min_count < 1:
        raise ValueError(f"edges: min_count must be 1 or more, got {min_count}")
    neurons = _lookup(ids)
    degree = np.zeros(ids.size, dtype=np.int64)
    totals = np.zeros(3, dtype=np.int64)  # rows, foreign ends, self edges
    for pre, post, count in batches():
        if count.size and count.min() <= 0:
            raise ValueError(f"edges: counts must be positive, got {count.min()}")
        _tally(*neurons, pre, post, degree, totals)
    start = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
    target, summed = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.int32)
    ends = start[:-1].copy()
    for pre, post, count in batches():
        _place(*neurons, pre, post, count, ends, target, summed)
    left = np.zeros(3, dtype=np.int64)  # rows summed, weak pairs, their synapses
    begin = _merge(start, target, summed, min_count, left)
    for values in (target, summed):
        values.resize(int(begin[-1]), refcheck=False)
    return Edges(
        start=begin,
        target=target,
        count=summed,
        rows=int(totals[0]),
        foreign=int(totals[1]),
        self_edges=int(totals[2]),
        repeated=int(left[0]),
        weak=int(left[1]),
        weak_synapses=int(left[2]),
    )


def _lookup(ids: Ints) -> tuple[Ints, Shorts]:
    """A hash table of ids, half empty: the ids and the rows they stand for, NOBODY where there is none.

    Raises:
        ValueError: an id is listed twice.
    """
    bits = max(4, int(2 * ids.size).bit_length())
    keys, rows = np.zeros(1 << bits, dtype=np.int64), np.full(1 << bits, NOBODY, dtype=np.int32)
    twice = _enter(keys, rows, np.ascontiguousarray(ids, dtype=np.int64))
    if twice >= 0:
        raise ValueError(f"edges: neuron {ids[twice]} is listed twice")
    return keys, rows


@njit(cache=True)
def _slot(keys: Ints, rows: Shorts, key: int) -> Any:
    """Where an id is in the table, or the empty place where it would go."""
    mask = keys.size - 1
    place = np.int64((np.uint64(key) * SPREAD) >> np.uint64(32)) & mask
    while rows[place] != NOBODY and keys[place] != key:
        place = (place + 1) & mask
    return place


@njit(cache=True)
def _enter(keys: Ints, rows: Shorts, ids: Ints) -> int:
    for row in range(ids.size):
        place = _slot(keys, rows, ids[row])
        if rows[place] != NOBODY:
            return row
        keys[place], rows[place] = ids[row], row
    return -1


@njit(cache=True)
def _tally(keys: Ints, rows: Shorts, pre: Ints, post: Ints, degree: Ints, totals: Ints) -> None:
    """Count the edges of every neuron that `_place` will keep."""
    totals[0] += pre.size
    for e in range(pre.size):
        source = rows[_slot(keys, rows, pre[e])]
        if source == NOBODY or rows[_slot(keys, rows, post[e])] == NOBODY:
            totals[1] += 1
        elif pre[e] == post[e]:
            totals[2] += 1
        else:
            degree[source] += 1


@njit(cache=True)
def _place(
    keys: Ints, rows: Shorts, pre: Ints, post: Ints, count: Ints, ends: Ints, target: Shorts, summed: Shorts
) -> None:
    for e in range(pre.size):
        source, goal = rows[_slot(keys, rows, pre[e])], rows[_slot(keys, rows, post[e])]
        if source != NOBODY and goal != NOBODY and source != goal:
            target[ends[source]], summed[ends[source]] = goal, count[e]
            ends[source] += 1


@njit(cache=True)
def _merge(start: Ints, target: Shorts, summed: Shorts, min_count: int, left: Ints) -> Ints:
    """Sort the targets of every neuron, sum those listed more than once and close the gaps, in place."""
    begin = np.zeros_like(start)
    end = 0
    for i in range(start.size - 1):
        row = np.empty(start[i + 1] - start[i], np.int64)
        for k in range(row.size):
            row[k] = (np.int64(target[start[i] + k]) << 32) | np.int64(summed[start[i] + k])
        row.sort()
        k = 0
        while k < row.size:
            goal, total = row[k] >> 32, np.int64(0)
            while k < row.size and row[k] >> 32 == goal:
                total += row[k] & 0xFFFFFFFF
                left[0] += 1
                k += 1
            left[0] -= 1
            if total >= min_count:
                target[end], summed[end] = goal, total
                end += 1
            else:
                left[1] += 1
                left[2] += total
        begin[i + 1] = end
    return begin
