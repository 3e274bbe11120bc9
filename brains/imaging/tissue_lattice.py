"""Ways through a lattice of cells that neurites own: found by price, never through a cell of another neurite."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FREE = 0  # owner of a cell that nothing runs through
STEPS = np.array([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=np.int32)


@njit(cache=True)
def route(shape: tuple[int, int, int], price: Floats, open_cells: Mask, starts: Ints, goal: Mask) -> Ints:
    """Cheapest way from any start to any goal, Dijkstra's.

    Args:
        shape: of the lattice.
        price: of entering each cell, flat.
        open_cells: which may be entered, flat; starts need not be open.
        starts: cells to begin at, flat indices.
        goal: where it may end, flat; a start may be one.

    Returns:
        Cells from the start to the goal, both included; empty where there is no way.
    """
    best = np.full(price.size, np.inf)
    came = np.full(price.size, -1, np.int32)
    heap = [(0.0, np.int32(0))]
    heap.pop()
    for cell in starts:
        best[cell] = 0.0
        heapq.heappush(heap, (0.0, cell))
    end = np.int32(-1)
    while len(heap):
        cost, cell = heapq.heappop(heap)
        if cost > best[cell]:
            continue
        if goal[cell]:
            end = cell
            break
        z, y, x = cell // (shape[1] * shape[2]), cell // shape[2] % shape[1], cell % shape[2]
        for step in range(6):
            nz, ny, nx = z + STEPS[step, 0], y + STEPS[step, 1], x + STEPS[step, 2]
            if not (0 <= nz < shape[0] and 0 <= ny < shape[1] and 0 <= nx < shape[2]):
                continue
            other = np.int32((nz * shape[1] + ny) * shape[2] + nx)
            if open_cells[other] and cost + price[other] < best[other]:
                best[other] = cost + price[other]
                came[other] = cell
                heapq.heappush(heap, (best[other], other))
    way = [np.int32(0)]
    way.pop()
    while end >= 0:
        way.append(np.int32(end))
        end = came[end]
    return np.array(way, dtype=np.int32)[::-1]


@njit(cache=True)
def wander(
    shape: tuple[int, int, int], owner: Ints, start: int, straight: float, rng: np.random.Generator, longest: int
) -> Ints:
    """A walk through free cells from `start`, mostly straight on, until it is stuck; cells in order.

    Args:
        shape: of the lattice.
        owner: of each cell, flat; FREE is free.
        start: a free cell.
        straight: chance of going straight on where that is free.
        rng: of the turns.
        longest: most cells.
    """
    taken = {np.int32(start)}
    way = [np.int32(start)]
    heading = int(rng.integers(0, 6))
    cell = start
    while len(way) < longest:
        z, y, x = cell // (shape[1] * shape[2]), cell // shape[2] % shape[1], cell % shape[2]
        first = heading if rng.random() < straight else int(rng.integers(0, 6))
        found = -1
        for turn in range(6):
            step = first if turn == 0 else (first + turn) % 6
            nz, ny, nx = z + STEPS[step, 0], y + STEPS[step, 1], x + STEPS[step, 2]
            if not (0 <= nz < shape[0] and 0 <= ny < shape[1] and 0 <= nx < shape[2]):
                continue
            other = (nz * shape[1] + ny) * shape[2] + nx
            if owner[other] == FREE and np.int32(other) not in taken:
                found, heading = other, step
                break
        if found < 0:
            break
        taken.add(np.int32(found))
        way.append(np.int32(found))
        cell = found
    return np.array(way, dtype=np.int32)


def beside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells that share a face with a cell of the mask (shape of the lattice)."""
    found = np.zeros_like(mask)
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    found[:, :, 1:] |= mask[:, :, :-1]
    found[:, :, :-1] |= mask[:, :, 1:]
    return found


def neighbours(shape: tuple[int, int, int], cell: int) -> Ints:
    """Flat indices of the cells that share a face with one."""
    place: NDArray[Any] = np.array(np.unravel_index(cell, shape)) + STEPS
    inside = ((place >= 0) & (place < np.array(shape))).all(axis=1)
    return np.asarray(np.ravel_multi_index(tuple(place[inside].T), shape), dtype=np.int32)
