"""Sums over the voxels of every segment, in whole numbers: blocks are added up in any order and give the same.

They hold size, place, extent, surface and greys of a segment without going back to the voxels.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from .blocks import Block, Workers, grid, run_blocks
from .store import load, save
from .workspace import Workspace

__all__ = ["SUMS", "cell_sums", "sums"]

Ints = NDArray[np.int64]
SUMS = (
    "voxels",
    *("z", "y", "x"),  # of voxel numbers
    *("zz", "yy", "xx", "zy", "zx", "yx"),  # of their products
    *("faces_z", "faces_y", "faces_x"),  # towards another segment or nothing, by the axis they are crossed along
    *("inner", "grey", "grey2"),  # voxels DEEP inside, their greys and squares of these
)
DEEP = 2  # voxels, across which a voxel deep inside has its own segment on all sides


def cell_sums(
    space: Workspace, stage: str, image: str, labels: str, size: tuple[int, ...], workers: Workers
) -> pd.DataFrame:
    """Sums of all segments of a workspace, one row a segment, in ascending order of its label.

    Args:
        space: holds image and labels; the parts of blocks are kept in it.
        stage: whose markers and parts these are.
        image: name of the image.
        labels: name of the segments.
        size: core of a block, voxels.
        workers: who does it.
    """
    shape = space.segmentation(labels).shape
    blocks = grid(shape, size, (DEEP, DEEP, DEEP))
    run_blocks(
        partial(_block, space.folder, stage, image, labels), blocks, space.markers(stage) / "sums", workers, stage
    )
    parts = [[load(_part(space.folder, stage, block, name)) for name in ("labels", "sums")] for block in blocks]
    every = np.concatenate([part[0] for part in parts])
    names, row = np.unique(every, return_inverse=True)
    total = np.zeros((len(names), len(SUMS)), dtype=np.int64)
    np.add.at(total, row, np.concatenate([part[1] for part in parts]))
    table = pd.DataFrame(total, columns=list(SUMS))
    table.insert(0, "label", names.astype(np.uint64))
    return table


def _part(folder: Path, stage: str, block: Block, name: str) -> Path:
    return folder / "parts" / stage / f"{block.name}-{name}.npy"


def _block(folder: Path, stage: str, image: str, labels: str, block: Block) -> None:
    space = Workspace(folder)
    names = space.segmentation(labels).read(block.padded)
    found, total = sums(names, space.volume(image).read(block.padded), block.inner, block.core.start)
    save(_part(folder, stage, block, "labels"), found)
    save(_part(folder, stage, block, "sums"), total)


def sums(
    labels: NDArray[Any], image: NDArray[np.uint8], inner: tuple[slice, slice, slice], corner: tuple[int, int, int]
) -> tuple[NDArray[np.uint64], Ints]:
    """Sums of the segments of a part of a volume.

    Args:
        labels: shape (z, y, x); 0 is nothing.
        image: shape (z, y, x).
        inner: which voxels of these are summed; the others are only looked at.
        corner: voxel of the volume that `inner` begins at.

    Returns:
        Segments, ascending, shape (n,), and their sums, shape (n, len(SUMS)).
    """
    names = np.unique(labels[inner])
    names = names[names != 0]
    low = np.array([part.start for part in inner], dtype=np.int64)
    high = np.array([part.stop for part in inner], dtype=np.int64)
    total = np.zeros((len(names), len(SUMS)), dtype=np.int64)
    _add(np.ascontiguousarray(labels), image, names, low, high, np.array(corner, dtype=np.int64) - low, total)
    return names.astype(np.uint64), total


@njit(cache=True)
def _add(labels: Any, image: Any, names: Any, low: Ints, high: Ints, shift: Ints, total: Ints) -> None:
    last, at = names.dtype.type(0), 0
    shape = labels.shape
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                mine = labels[z, y, x]
                if mine == 0:
                    continue
                if mine != last:
                    last, at = mine, np.searchsorted(names, mine)
                row = total[at]
                a, b, c = z + shift[0], y + shift[1], x + shift[2]
                row[0] += 1
                row[1] += a
                row[2] += b
                row[3] += c
                row[4] += a * a
                row[5] += b * b
                row[6] += c * c
                row[7] += a * b
                row[8] += a * c
                row[9] += b * c
                row[10] += int(z + 1 < shape[0] and labels[z + 1, y, x] != mine) + int(
                    z > 0 and labels[z - 1, y, x] != mine
                )
                row[11] += int(y + 1 < shape[1] and labels[z, y + 1, x] != mine) + int(
                    y > 0 and labels[z, y - 1, x] != mine
                )
                row[12] += int(x + 1 < shape[2] and labels[z, y, x + 1] != mine) + int(
                    x > 0 and labels[z, y, x - 1] != mine
                )
                if _deep(labels, z, y, x, mine):
                    grey = np.int64(image[z, y, x])
                    row[13] += 1
                    row[14] += grey
                    row[15] += grey * grey


@njit(cache=True)
def _deep(labels: Any, z: int, y: int, x: int, mine: Any) -> bool:
    """Whether the voxels DEEP away along every axis, where there are any, are of the same segment."""
    shape = labels.shape
    if x >= DEEP and labels[z, y, x - DEEP] != mine:
        return False
    if x + DEEP < shape[2] and labels[z, y, x + DEEP] != mine:
        return False
    if y >= DEEP and labels[z, y - DEEP, x] != mine:
        return False
    if y + DEEP < shape[1] and labels[z, y + DEEP, x] != mine:
        return False
    if z >= DEEP and labels[z - DEEP, y, x] != mine:
        return False
    return not (z + DEEP < shape[0] and labels[z + DEEP, y, x] != mine)
