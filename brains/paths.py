"""Neurons on short directed paths, on the rows of a compressed adjacency.

A path here may pass a neuron twice (a walk): what counts is whether activity can come from a source and still arrive
at a target within so many synapses. Distances are found breadth first, so the number of paths costs nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
FAR = np.iinfo(np.int32).max  # the distance of what is not reached


def distances_from(start: Ints, target: Shorts, sources: ArrayLike, limit: int | None = None) -> Shorts:
    """Edges on the shortest way from the nearest source to each neuron, shape (n,), FAR where there is none.

    Args:
        start: `target[start[i] : start[i + 1]]` are the targets of neuron i, shape (n + 1,).
        target: shape (edges,).
        sources: neurons at distance 0.
        limit: farthest distance looked for; None for no limit.
    """
    distance, front = _begin(start, sources)
    for step in _steps(start, limit):
        reached = np.unique(_targets(start, target, front))
        front = reached[distance[reached] == FAR]
        if not front.size:
            break
        distance[front] = step
    return distance


def distances_to(start: Ints, target: Shorts, targets: ArrayLike, limit: int | None = None) -> Shorts:
    """Edges on the shortest way from each neuron to the nearest of `targets`; see `distances_from`.

    Every step reads all edges once, which spares the memory of a second, transposed copy of them.
    """
    distance, front = _begin(start, targets)
    for step in _steps(start, limit):
        wanted = np.zeros(start.size - 1, dtype=np.bool_)
        wanted[front] = True
        edges = np.flatnonzero(wanted[target])
        reached = np.unique(np.searchsorted(start, edges, side="right") - 1)
        front = reached[distance[reached] == FAR]
        if not front.size:
            break
        distance[front] = step
    return distance


def on_paths(start: Ints, target: Shorts, sources: ArrayLike, targets: ArrayLike, max_edges: int) -> Ints:
    """Neurons on a path of at most `max_edges` edges from any source to any target, ascending.

    Raises:
        ValueError: `max_edges` is negative.
    """
    if max_edges < 0:
        raise ValueError(f"paths: max_edges must be 0 or more, got {max_edges}")
    there = distances_from(start, target, sources, max_edges).astype(np.int64)
    onward = distances_to(start, target, targets, max_edges).astype(np.int64)
    return np.flatnonzero(there + onward <= max_edges).astype(np.int64)


def rows_of(start: Ints, rows: Ints) -> Ints:
    """Places of all edges that leave some neurons, neuron by neuron."""
    lengths = start[rows + 1] - start[rows]
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
    return np.asarray(np.repeat(start[rows], lengths) + within, dtype=np.int64)


def _targets(start: Ints, target: Shorts, rows: Ints) -> Shorts:
    return target[rows_of(start, rows)]


def _begin(start: Ints, at_zero: ArrayLike) -> tuple[Shorts, Ints]:
    distance = np.full(start.size - 1, FAR, dtype=np.int32)
    front = np.unique(np.asarray(at_zero, dtype=np.int64))
    distance[front] = 0
    return distance, front


def _steps(start: Ints, limit: int | None) -> range:
    farthest = start.size - 1
    return range(1, (farthest if limit is None else min(limit, farthest)) + 1)
