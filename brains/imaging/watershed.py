"""Seeded watershed of a boundary map, and the exact distance transform that places its seeds; compiled with numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["distance_nm", "flood", "peaks"]


@njit(cache=True)
def flood(boundary: NDArray[np.uint8], labels: NDArray[np.uint32]) -> None:
    """Grow seeds over the whole array, lowest boundary first (Meyer's flooding, a bucket queue of 256 levels).

    Voxels are taken in an order that depends on the arrays alone.

    Args:
        boundary: shape (z, y, x).
        labels: the same shape, 0 where there is no seed; filled in place.
    """
    depth, height, width = boundary.shape
    following = np.full(boundary.size, -1, np.int32)
    first, last = np.full(256, -1, np.int32), np.full(256, -1, np.int32)
    flat_boundary, flat = boundary.ravel(), labels.ravel()
    for place in range(flat.size):
        if flat[place]:
            _append(following, first, last, flat_boundary[place], place)
    plane, level = height * width, 0
    while level < 256:
        place = first[level]
        if place < 0:
            level += 1
            continue
        first[level] = following[place]
        z, rest = divmod(place, plane)
        y, x = divmod(rest, width)
        for side in range(6):
            step = 0
            if side == 0 and z > 0:
                step = -plane
            elif side == 1 and y > 0:
                step = -width
            elif side == 2 and x > 0:
                step = -1
            elif side == 3 and x < width - 1:
                step = 1
            elif side == 4 and y < height - 1:
                step = width
            elif side == 5 and z < depth - 1:
                step = plane
            if step and flat[place + step] == 0:
                flat[place + step] = flat[place]
                _append(following, first, last, max(flat_boundary[place + step], level), place + step)


@njit(cache=True, inline="always")
def _append(following: Any, first: Any, last: Any, level: int, place: int) -> None:
    if first[level] < 0:
        first[level] = place
    else:
        following[last[level]] = place
    last[level] = place
    following[place] = -1


@njit(cache=True)
def distance_nm(
    boundary: NDArray[np.uint8], threshold: int, voxel_nm: tuple[float, float, float], limit_nm: float
) -> NDArray[np.float32]:
    """Distance of every voxel from the nearest one at or above a threshold.

    Exact and separable (Felzenszwalb and Huttenlocher 2012, Theory of Computing 8:415). The ends of the array are no
    boundary.

    Args:
        boundary: shape (z, y, x).
        threshold: of a boundary.
        voxel_nm: size of a voxel along (z, y, x), nm.
        limit_nm: distances are cut there.

    Returns:
        Shape (z, y, x), nm.
    """
    depth, height, width = boundary.shape
    squares = np.empty(boundary.shape, np.float32)
    limit = np.float32(limit_nm * limit_nm)
    for z in range(depth):
        for y in range(height):
            far = limit_nm
            for x in range(width):
                far = 0.0 if boundary[z, y, x] >= threshold else min(far + voxel_nm[2], limit_nm)
                squares[z, y, x] = far
            far = limit_nm
            for x in range(width - 1, -1, -1):
                far = 0.0 if boundary[z, y, x] >= threshold else min(far + voxel_nm[2], limit_nm)
                nearest = min(far, squares[z, y, x])
                squares[z, y, x] = nearest * nearest
    room = max(depth, height)
    line, places, edges = np.empty(room, np.float32), np.empty(room, np.int32), np.empty(room + 1, np.float32)
    for z in range(depth):
        for x in range(width):
            _envelope(squares[z, :, x], voxel_nm[1], line, places, edges)
    for y in range(height):
        for x in range(width):
            _envelope(squares[:, y, x], voxel_nm[0], line, places, edges)
    for place in range(squares.size):
        squares.flat[place] = np.sqrt(min(squares.flat[place], limit))
    return squares


@njit(cache=True)
def _envelope(values: Any, size: float, line: Any, places: Any, edges: Any) -> None:
    """Replace squared distances along a line by the lower envelope of the parabolas that stand on them."""
    n, top = values.size, 0
    area = size * size
    places[0], edges[0], edges[1] = 0, -np.inf, np.inf
    for q in range(n):
        line[q] = values[q]
    for q in range(1, n):
        while True:
            p = places[top]
            meet = ((line[q] - line[p]) / area + q * q - p * p) / (2 * (q - p))
            if meet > edges[top]:
                break
            top -= 1
        top += 1
        places[top], edges[top], edges[top + 1] = q, meet, np.inf
    top = 0
    for q in range(n):
        while edges[top + 1] < q:
            top += 1
        values[q] = area * (q - places[top]) ** 2 + line[places[top]]


@njit(cache=True)
def peaks(values: NDArray[np.float32], least: float) -> NDArray[np.uint32]:
    """Number the local maxima (26 neighbours) from 1 in the order of the array; of equal neighbours the first counts.

    Args:
        values: shape (z, y, x).
        least: a maximum is above it.

    Returns:
        The same shape; 0 where there is none.
    """
    depth, height, width = values.shape
    seeds, count = np.zeros(values.shape, np.uint32), 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                value = values[z, y, x]
                if value > least and _is_peak(values, z, y, x, value):
                    count += 1
                    seeds[z, y, x] = count
    return seeds


@njit(cache=True, inline="always")
def _is_peak(values: Any, z: int, y: int, x: int, value: float) -> bool:
    depth, height, width = values.shape
    for k in range(max(z - 1, 0), min(z + 2, depth)):
        for j in range(max(y - 1, 0), min(y + 2, height)):
            for i in range(max(x - 1, 0), min(x + 2, width)):
                other = values[k, j, i]
                if other > value or (other == value and (k, j, i) < (z, y, x)):
                    return False
    return True
