"""Sections moved by a field of offsets: bilinear in the offsets between nodes, bilinear in the grey values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .mesh import Mesh

__all__ = ["reach", "warp"]

Floats = NDArray[np.float32]


def reach(offsets: Floats) -> int:
    """Pixels that `warp` reads around what it writes."""
    return int(np.ceil(np.abs(offsets).max(initial=0))) + 1


def warp(
    image: NDArray[Any],
    valid: NDArray[np.bool_],
    corner: tuple[int, int],
    target: tuple[slice, slice],
    offsets: Floats,
    mesh: Mesh,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The grey value at each pixel p of the target, taken from p + offset(p).

    Args:
        image: shape (sections, y, x): the target and `reach` around it, as far as there is anything.
        valid: shape (sections, y, x), False where a pixel of the image does not count.
        corner: pixel (y, x) of the mesh's sections at which the image begins.
        target: rows and columns that are made, in pixels of the mesh's sections.
        offsets: shape (sections, nodes, 2), (y, x) pixels.
        mesh: whose nodes they are.

    Returns:
        Grey values, 0 where nothing was imaged, and which of them count; shape (sections, rows, columns).
    """
    grid = np.ascontiguousarray(offsets, dtype=np.float32).reshape(len(image), *mesh.nodes, 2)
    shape = len(image), target[0].stop - target[0].start, target[1].stop - target[1].start
    made, counts = np.zeros(shape, dtype=image.dtype), np.zeros(shape, dtype=np.bool_)
    spacing = np.array(mesh.spacing, dtype=np.float32)
    start = np.array([target[0].start, target[1].start], dtype=np.int64)
    half = 0.5 if np.issubdtype(image.dtype, np.integer) else 0.0
    _warp(image, valid, np.array(corner, dtype=np.int64), start, grid, spacing, half, made, counts)
    return made, counts


@njit(cache=True)
def _between(place: float, spacing: float, nodes: int) -> tuple[int, int, float]:
    """The nodes on both sides of a pixel along one axis, and how far it lies from the first towards the second."""
    at = min(max((place + 0.5) / spacing - 0.5, 0.0), nodes - 1.0)
    first = min(int(at), max(nodes - 2, 0))
    return first, min(first + 1, nodes - 1), at - first


@njit(cache=True)
def _warp(
    image: Any, valid: Any, corner: Any, start: Any, grid: Any, spacing: Any, half: float, made: Any, counts: Any
) -> None:
    sections, rows, columns = made.shape
    height, width = image.shape[1:]
    row = np.zeros((grid.shape[2], 2), dtype=np.float32)
    for k in range(sections):
        for i in range(rows):
            above, below, part = _between(start[0] + i, spacing[0], grid.shape[1])
            for n in range(grid.shape[2]):
                for axis in range(2):
                    row[n, axis] = (1 - part) * grid[k, above, n, axis] + part * grid[k, below, n, axis]
            for j in range(columns):
                left, right, share = _between(start[1] + j, spacing[1], grid.shape[2])
                y = start[0] + i - corner[0] + (1 - share) * row[left, 0] + share * row[right, 0]
                x = start[1] + j - corner[1] + (1 - share) * row[left, 1] + share * row[right, 1]
                if y < 0 or x < 0 or y > height - 1 or x > width - 1:
                    continue
                top, west = min(int(y), max(height - 2, 0)), min(int(x), max(width - 2, 0))
                bottom, east = min(top + 1, height - 1), min(west + 1, width - 1)
                b, a = y - top, x - west
                made[k, i, j] = (
                    (1 - b) * ((1 - a) * image[k, top, west] + a * image[k, top, east])
                    + b * ((1 - a) * image[k, bottom, west] + a * image[k, bottom, east])
                    + half
                )
                near = top if b < 0.5 else bottom
                counts[k, i, j] = valid[k, near, west if a < 0.5 else east]
