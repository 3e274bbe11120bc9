"""Where two segments touch: patches of about 30 nm, with their area, place, direction, and the greys on both sides.

A face between two voxels of different segments is part of their contact. Faces of a pair within one cell of a grid
that is fixed to the volume make one patch, so that the patches are the same whatever block they are found in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .volume import Voxel

__all__ = ["CELL_NM", "Contacts", "contacts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CELL_NM = 30.0  # nm, side of a cell; assumed: a membrane with both its leaflets
DEEP_NM = 27.0  # nm from the face, where a plain membrane has faded and a density has not; assumed
SUMS = (
    12  # columns: area, place (3), normal (3), grey beside, grey deep in the first and its area, the same of the second
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Contacts:
    """Patches sorted by pair, those of one pair in the order of their cells; n patches.

    Args:
        pair: shape (n, 2), both segments, the lower first.
        place_nm: shape (n, 3), middle of the faces, (z, y, x) from the corner of the volume.
        normal: shape (n, 3), unit vector from the first segment to the second; zero where faces cancel.
        area_nm2: shape (n,), of the faces.
        grey: shape (n, 3), mean grey value beside the faces, and `DEEP_NM` into the first and the second segment;
            that beside the faces where a side is thinner.
    """

    pair: NDArray[np.uint64]
    place_nm: Floats
    normal: Floats
    area_nm2: Floats
    grey: Floats

    @property
    def starts(self) -> Ints:
        """Where each pair begins, and the end: shape (pairs + 1,)."""
        if not len(self.pair):
            return np.zeros(1, dtype=np.int64)
        changes = np.flatnonzero((self.pair[1:] != self.pair[:-1]).any(axis=1)) + 1
        return np.concatenate([[0], changes, [len(self.pair)]])


def contacts(
    labels: NDArray[Any], image: NDArray[np.uint8], voxel_nm: Voxel, corner: tuple[int, int, int] = (0, 0, 0)
) -> Contacts:
    """Find all patches of contact.

    Args:
        labels: shape (z, y, x), unsigned integers; 0 touches nothing.
        image: shape (z, y, x).
        voxel_nm: size of a voxel, nm.
        corner: voxel of the volume that the arrays begin at.
    """
    size, start = np.array(voxel_nm), np.array(corner, dtype=np.int64)
    cell = np.array([max(1, round(CELL_NM / side)) for side in voxel_nm], dtype=np.int64)
    deep = np.array([max(0, round(DEEP_NM / side - 0.5)) for side in voxel_nm], dtype=np.int64)
    names = np.ascontiguousarray(labels)
    pair, sums = np.empty((1024, 2), dtype=np.uint64), np.empty((1024, SUMS))
    while (count := _scan(names, image, size, start, cell, deep, pair, sums)) > len(pair):
        pair, sums = np.empty((count, 2), dtype=np.uint64), np.empty((count, SUMS))
    pair, sums = pair[:count], sums[:count]
    order = np.lexsort((pair[:, 1], pair[:, 0]))
    pair, sums = pair[order], sums[order]
    area = sums[:, :1]
    length = np.linalg.norm(sums[:, 4:7], axis=1, keepdims=True)
    grey = np.repeat(sums[:, 7:8] / area, 3, axis=1)
    for k in (1, 2):
        thick = sums[:, 7 + 2 * k] > 0
        grey[thick, k] = sums[thick, 6 + 2 * k] / sums[thick, 7 + 2 * k]
    return Contacts(
        pair=pair,
        place_nm=sums[:, 1:4] / area + start * size,
        normal=sums[:, 4:7] / np.maximum(length, 1e-9),
        area_nm2=area[:, 0],
        grey=grey,
    )


@njit(cache=True)
def _scan(labels: Any, image: Any, size: Floats, start: Ints, cell: Ints, deep: Ints, pair: Any, sums: Floats) -> int:
    """Sums of every patch, cell by cell; returns how many there are, of which those that fit are written."""
    shape = labels.shape
    at, limit = 0, len(pair)
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    here, total = np.empty((27, 2), np.uint64), np.empty((27, SUMS))
    for ci in range(start[0] // cell[0], (start[0] + shape[0] - 1) // cell[0] + 1):
        for cj in range(start[1] // cell[1], (start[1] + shape[1] - 1) // cell[1] + 1):
            for ck in range(start[2] // cell[2], (start[2] + shape[2] - 1) // cell[2] + 1):
                for axis, c in enumerate((ci, cj, ck)):
                    low[axis] = max(c * cell[axis] - start[axis], 0)
                    high[axis] = min((c + 1) * cell[axis] - start[axis], shape[axis])
                found = _cell(labels, image, size, low, high, deep, here, total)
                if at + found <= limit:
                    pair[at : at + found] = here[:found]
                    sums[at : at + found] = total[:found]
                at += found
    return at


@njit(cache=True)
def _cell(labels: Any, image: Any, size: Floats, low: Ints, high: Ints, deep: Ints, here: Any, total: Floats) -> int:
    """Patches of one cell; a face belongs to the cell of its lower voxel. At most as many as `here` has rows."""
    shape, count = labels.shape, 0
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                mine = labels[z, y, x]
                if mine == 0:
                    continue
                for axis in range(3):
                    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
                    if z + dz >= shape[0] or y + dy >= shape[1] or x + dx >= shape[2]:
                        continue
                    other = labels[z + dz, y + dy, x + dx]
                    if other == 0 or other == mine:
                        continue
                    first, second = min(mine, other), max(mine, other)
                    k = 0
                    while k < count and (here[k, 0] != first or here[k, 1] != second):
                        k += 1
                    if k == len(here):
                        continue
                    if k == count:
                        here[k, 0], here[k, 1] = first, second
                        total[k] = 0.0
                        count += 1
                    area = size[0] * size[1] * size[2] / size[axis]
                    total[k, 0] += area
                    total[k, 1] += area * (z + 0.5 + 0.5 * dz) * size[0]
                    total[k, 2] += area * (y + 0.5 + 0.5 * dy) * size[1]
                    total[k, 3] += area * (x + 0.5 + 0.5 * dx) * size[2]
                    total[k, 4 + axis] += area if mine == first else -area
                    total[k, 7] += area * 0.5 * (float(image[z, y, x]) + float(image[z + dz, y + dy, x + dx]))
                    d = deep[axis]
                    column = 8 if mine == first else 10
                    a, b, c = z - d * dz, y - d * dy, x - d * dx
                    if min(a, b, c) >= 0 and labels[a, b, c] == mine:
                        total[k, column] += area * image[a, b, c]
                        total[k, column + 1] += area
                    column = 18 - column
                    a, b, c = z + (d + 1) * dz, y + (d + 1) * dy, x + (d + 1) * dx
                    if a < shape[0] and b < shape[1] and c < shape[2] and labels[a, b, c] == other:
                        total[k, column] += area * image[a, b, c]
                        total[k, column + 1] += area
    return count
