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
    half = np.float32(0.5 if np.issubdtype(image.dtype, np.integer) else 0.0)
    west, share = _between(target[1].start + np.arange(shape[2]), mesh.spacing[1], mesh.nodes[1])
    north, part = _between(target[0].start + np.arange(shape[1]), mesh.spacing[0], mesh.nodes[0])
    aside = target[0].start - corner[0], target[1].start - corner[1]
    _warp(image, valid, aside, grid, (north, part), (west, share), half, made, counts)
    return made, counts


def _between(places: NDArray[np.int64], spacing: float, nodes: int) -> tuple[NDArray[np.int64], Floats]:
    """The node before each pixel along one axis, and how far the pixel lies from it towards the next."""
    at = np.clip((places + 0.5) / spacing - 0.5, 0, nodes - 1)
    first = at.astype(np.int64).clip(0, max(nodes - 2, 0))
    return first, (at - first).astype(np.float32)


@njit(cache=True, fastmath=True)
def _warp(
    image: Any, valid: Any, aside: Any, grid: Any, rows: Any, columns: Any, half: float, made: Any, counts: Any
) -> None:
    height, width = image.shape[1:]
    nodes = grid.shape[2]
    line = np.zeros((nodes, 2), dtype=np.float32)
    one = np.float32(1)
    for k in range(len(made)):
        for i in range(made.shape[1]):
            north, part = rows[0][i], rows[1][i]
            south = min(north + 1, grid.shape[1] - 1)
            for n in range(nodes):
                for axis in range(2):
                    line[n, axis] = (one - part) * grid[k, north, n, axis] + part * grid[k, south, n, axis]
            for j in range(made.shape[2]):
                left, share = columns[0][j], columns[1][j]
                right = min(left + 1, nodes - 1)
                down = (one - share) * line[left, 0] + share * line[right, 0]
                over = (one - share) * line[left, 1] + share * line[right, 1]
                top, west = int(np.floor(down)), int(np.floor(over))
                b, a = down - np.float32(top), over - np.float32(west)
                top, west = top + i + aside[0], west + j + aside[1]
                bottom, east = top + (b > 0), west + (a > 0)
                if top < 0 or west < 0 or bottom >= height or east >= width:
                    continue
                upper = (one - a) * np.float32(image[k, top, west]) + a * np.float32(image[k, top, east])
                lower = (one - a) * np.float32(image[k, bottom, west]) + a * np.float32(image[k, bottom, east])
                made[k, i, j] = (one - b) * upper + b * lower + half
                counts[k, i, j] = valid[k, bottom if b > 0.5 else top, east if a > 0.5 else west]
