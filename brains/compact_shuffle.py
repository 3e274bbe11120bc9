"""Null models of a `CompactConnectome`, fast enough for tens of millions of edges; `shuffling` has those of the other.

Shuffled edges are no longer what was measured, so their provenance becomes "derived".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
TRIES = 1000  # partners tried for an edge that repeats another before it is given up


class Method(Protocol):
    """What shuffles: gives the new `start`, the new `target`, and where each edge came from."""

    def __call__(self, start: Ints, target: Shorts, rng: np.random.Generator) -> tuple[Ints, Shorts, Ints]:
        """Shuffle."""


def swap_ends(start: Ints, target: Shorts, rng: np.random.Generator) -> tuple[Ints, Shorts, Ints]:
    """Degree-preserving shuffle: every neuron keeps its numbers of outgoing and of incoming edges.

    All postsynaptic ends are dealt anew, then those that would repeat an edge or lead a neuron to itself change places
    with the ends of other edges until none does. An edge's count and sign stay with its presynaptic end. Edges of a
    neuron with itself stay.

    Raises:
        RuntimeError: the wiring is so dense that no such dealing was found.
    """
    pre = np.repeat(np.arange(start.size - 1, dtype=np.int32), np.diff(start))
    movable = np.flatnonzero(pre != target)
    dealt = target.copy()
    dealt[movable] = rng.permutation(target[movable])
    left = _mend(start, pre, dealt, movable, rng)
    if left:
        raise RuntimeError(f"swap_ends: {left} edges of {target.size} could not be placed; the wiring is too dense")
    return start, *_sorted(start, dealt, np.arange(target.size, dtype=np.int64))


def permute_labels(start: Ints, target: Shorts, rng: np.random.Generator) -> tuple[Ints, Shorts, Ints]:
    """Label shuffle: the graph stays, but a random permutation of all neurons decides who sits where."""
    place = rng.permutation(start.size - 1)
    whose = np.argsort(place)  # the neuron whose place each one takes
    lengths = np.diff(start)[whose]
    begin = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    came = np.repeat(start[whose] - begin[:-1], lengths) + np.arange(target.size)
    return begin, *_sorted(begin, place.astype(np.int32)[target[came]], came)


METHODS: MappingProxyType[str, Method] = MappingProxyType({"degree": swap_ends, "label": permute_labels})


@njit(cache=True)
def _holds(target: Shorts, first: int, last: int, goal: int, but: int) -> bool:
    """Whether an edge of a row other than `but` leads to a neuron."""
    for e in range(first, last):
        if target[e] == goal and e != but:
            return True
    return False


@njit(cache=True)
def _mend(start: Ints, pre: Shorts, target: Shorts, movable: Ints, rng: np.random.Generator) -> int:
    """Swap the ends of edges that repeat another or lead to their own neuron; says how many could not be helped."""
    left = 0
    for a in movable:
        i = pre[a]
        if target[a] != i and not _holds(target, start[i], start[i + 1], target[a], a):
            continue
        for _ in range(TRIES):
            b = movable[rng.integers(0, movable.size)]
            j = pre[b]
            new_a, new_b = target[b], target[a]
            if i == j or new_a == i or new_b == j:
                continue
            if not _holds(target, start[i], start[i + 1], new_a, a) and not _holds(
                target, start[j], start[j + 1], new_b, b
            ):
                target[a], target[b] = new_a, new_b
                break
        else:
            left += 1
    return left


@njit(cache=True)
def _sorted(start: Ints, target: Shorts, came: Ints) -> tuple[Shorts, Ints]:
    """Every row in ascending order of its targets, and where each edge came from."""
    ordered, origin = np.empty_like(target), np.empty_like(came)
    for i in range(start.size - 1):
        order = np.argsort(target[start[i] : start[i + 1]], kind="mergesort")
        for k in range(order.size):
            ordered[start[i] + k] = target[start[i] + order[k]]
            origin[start[i] + k] = came[start[i] + order[k]]
    return ordered, origin
