"""Fragments are joined, weakest boundary first, until what is left between them is a membrane; compiled with numba."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .region_graph import BINS, RegionGraph

__all__ = ["Agglomeration", "agglomerate"]


@dataclass(frozen=True, kw_only=True)
class Agglomeration:
    """When two regions are one.

    The strength of the boundary between them is the mean of all faces where they touch, or a quantile of it.
    """

    threshold: float = 0.3  # of the strength, 0 to 1: regions below it are joined
    quantile: float = 0.03  # 0: the mean counts; else this share of faces is weaker
    small_voxels: int = 0  # regions below it are joined to their weakest-bounded neighbour
    small_threshold: float = 1.0  # as long as that boundary is weaker than this


def agglomerate(
    graph: RegionGraph, sizes: NDArray[np.int64], settings: Agglomeration
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Join fragments by a queue of edges, the weakest first (ties by number).

    Args:
        graph: of fragments 1 to n.
        sizes: of fragments 0 to n, voxels.
        settings: when they are joined.

    Returns:
        Region of fragments 0 to n: the lowest number of its fragments; and the strength of every edge at the start.
    """
    counts = graph.counts.astype(np.float64)
    strengths = np.array([_strength(row, settings.quantile) for row in counts], dtype=np.float32)
    regions = np.arange(len(sizes))
    if len(counts):
        _join(
            graph.pairs.copy(), counts, sizes.astype(np.float64), regions, settings.quantile,
            settings.threshold, settings.small_voxels, settings.small_threshold,
        )  # fmt: skip
        while (regions[regions] != regions).any():  # joining leaves chains of regions that were joined again
            regions = regions[regions]
    return regions, strengths


@njit(cache=True)
def _strength(counts: Any, quantile: float) -> Any:
    """Mean or quantile, 0 to 1, of faces counted by strength."""
    total, weighted = 0.0, 0.0
    for k in range(BINS):
        total += counts[k]
        weighted += counts[k] * (k + 0.5)
    if quantile <= 0:
        return weighted / (total * BINS)
    below = 0.0
    for k in range(BINS):
        if below + counts[k] >= quantile * total:
            return (k + (quantile * total - below) / counts[k]) / BINS
        below += counts[k]
    return 1.0


@njit(cache=True)
def _find(regions: Any, node: int) -> int:
    while regions[node] != node:
        regions[node] = regions[regions[node]]
        node = regions[node]
    return node


@njit(cache=True)
def _join(
    pairs: Any, counts: Any, sizes: Any, regions: Any, quantile: float, threshold: float, small: float, lenient: float
) -> None:
    """Join regions in place.

    Edges hang on either end in linked lists: entry 2 e is edge e at its first end, 2 e + 1 at its second.
    """
    edges, nodes = len(pairs), len(sizes)
    head, tail = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    following, alive = np.full(2 * edges, -1, np.int64), np.ones(edges, np.bool_)
    for entry in range(2 * edges):
        _hang(head, tail, following, pairs[entry // 2, entry % 2], entry)
    scores, seen = np.empty(edges), np.full(nodes, -1, np.int64)
    heap = []
    for e in range(edges):
        scores[e] = _strength(counts[e], quantile)
        heap.append((scores[e], e))
    heapify(heap)
    while len(heap):
        score, e = heappop(heap)
        if not alive[e] or score != scores[e]:
            continue
        a, b = _find(regions, pairs[e, 0]), _find(regions, pairs[e, 1])
        least = min(sizes[a], sizes[b])
        if score >= threshold and not (least < small and score < lenient):
            continue
        alive[e] = False
        keep, gone = min(a, b), max(a, b)
        regions[gone] = keep
        sizes[keep] += sizes[gone]
        _merge_edges(pairs, counts, regions, head, tail, following, alive, seen, scores, heap, keep, gone, quantile)


@njit(cache=True)
def _hang(head: Any, tail: Any, following: Any, node: int, entry: int) -> None:
    if head[node] < 0:
        head[node] = entry
    else:
        following[tail[node]] = entry
    tail[node] = entry
    following[entry] = -1


@njit(cache=True)
def _merge_edges(
    pairs: Any, counts: Any, regions: Any, head: Any, tail: Any, following: Any, alive: Any, seen: Any, scores: Any,
    heap: Any, keep: int, gone: int, quantile: float,
) -> None:  # fmt: skip
    """Edges of two regions that are now one: those to the same neighbour are added, the rest hang on the one."""
    first, entry = head[keep], head[gone]
    head[keep] = tail[keep] = head[gone] = tail[gone] = -1
    for start in (first, entry):
        entry = start
        while entry >= 0:
            after, e = following[entry], entry // 2
            other = _find(regions, pairs[e, 1 - entry % 2])
            if alive[e] and other != keep:
                known = seen[other]
                if known < 0:
                    seen[other] = e
                    _hang(head, tail, following, keep, entry)
                else:
                    counts[known] += counts[e]
                    alive[e] = False
                    changed = _strength(counts[known], quantile)
                    if changed != scores[known]:
                        scores[known] = changed
                        heappush(heap, (changed, known))
            elif alive[e]:
                alive[e] = False
            entry = after
    entry = head[keep]
    while entry >= 0:
        e = entry // 2
        seen[_find(regions, pairs[e, 1 - entry % 2])] = -1
        entry = following[entry]
