"""Segments at a coarser grid: which coarse cells each segment touches, and with how many voxels.

A segment thinner than a cell keeps every cell it passes, so nothing thin falls apart as it would if voxels were
skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .blocks import CHUNK
from .volume import Segmentation

__all__ = ["Coarse", "coarse"]

Labels = NDArray[np.uint64]
Counts = NDArray[np.int32]
COARSE_NM = 40.0  # nm, side of a cell: thinner than most neurites, thicker than a membrane


@dataclass(frozen=True, kw_only=True, eq=False)
class Coarse:
    """Cells sorted by segment, then by place."""

    label: NDArray[np.uint64]  # (n,)
    cell: NDArray[np.int32]  # (n, 3), (z, y, x) on the coarse grid
    voxels: NDArray[np.int32]  # (n,), of this segment in this cell
    factor: tuple[int, int, int]  # voxels a cell is wide along (z, y, x)
    cell_nm: tuple[float, float, float]  # size of a cell along (z, y, x), nm

    @property
    def labels(self) -> NDArray[np.uint64]:
        """Every segment once, ascending."""
        return np.unique(self.label)

    def of(self, label: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Cells (n, 3) of one segment and its voxels in each (n,)."""
        first, last = np.searchsorted(self.label, [label, label + 1])
        return self.cell[first:last], self.voxels[first:last]


def coarse(segmentation: Segmentation, cell_nm: float = COARSE_NM) -> Coarse:
    """All segments of a segmentation on a grid of about `cell_nm`, slab by slab."""
    factor = tuple(max(1, min(CHUNK, round(cell_nm / size))) for size in segmentation.voxel_nm)
    depth = max(CHUNK // factor[0], 1) * factor[0]
    z = segmentation.shape[0]
    parts = [_slab(segmentation, first, min(first + depth, z), factor) for first in range(0, z, depth)]
    label = np.concatenate([part[0] for part in parts])
    cell = np.concatenate([part[1] for part in parts])
    voxels = np.concatenate([part[2] for part in parts])
    order = np.argsort(label, kind="stable")
    sizes = tuple(f * size for f, size in zip(factor, segmentation.voxel_nm, strict=True))
    return Coarse(
        label=label[order],
        cell=cell[order],
        voxels=voxels[order],
        factor=(factor[0], factor[1], factor[2]),
        cell_nm=(sizes[0], sizes[1], sizes[2]),
    )


def _slab(
    segmentation: Segmentation, first: int, last: int, factor: tuple[int, ...]
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32]]:
    labels = np.asarray(segmentation.labels[first:last]).astype(np.uint64, copy=False)
    count = _entries(labels, *factor)
    label, cell = np.empty(count, dtype=np.uint64), np.empty((count, 3), dtype=np.int32)
    voxels = np.empty(count, dtype=np.int32)
    _fill(labels, *factor, label, cell, voxels)
    cell[:, 0] += first // factor[0]
    return label, cell, voxels


@njit(cache=True)
def _in_cell(
    labels: Labels, z0: int, y0: int, x0: int, fz: int, fy: int, fx: int, found: Labels, counts: Counts
) -> int:
    """Labels of one cell and how often each is there; returns how many."""
    n = 0
    for z in range(z0, min(z0 + fz, labels.shape[0])):
        for y in range(y0, min(y0 + fy, labels.shape[1])):
            for x in range(x0, min(x0 + fx, labels.shape[2])):
                here = labels[z, y, x]
                if here == 0:
                    continue
                k = 0
                while k < n and found[k] != here:
                    k += 1
                if k == n:
                    found[n] = here
                    counts[n] = 0
                    n += 1
                counts[k] += 1
    return n


@njit(cache=True)
def _entries(labels: Labels, fz: int, fy: int, fx: int) -> int:
    found, counts = np.empty(fz * fy * fx, dtype=np.uint64), np.empty(fz * fy * fx, dtype=np.int32)
    total = 0
    for z in range(0, labels.shape[0], fz):
        for y in range(0, labels.shape[1], fy):
            for x in range(0, labels.shape[2], fx):
                total += _in_cell(labels, z, y, x, fz, fy, fx, found, counts)
    return total


@njit(cache=True)
def _fill(labels: Labels, fz: int, fy: int, fx: int, label: Labels, cell: Counts, voxels: Counts) -> None:
    found, counts = np.empty(fz * fy * fx, dtype=np.uint64), np.empty(fz * fy * fx, dtype=np.int32)
    at = 0
    for z in range(0, labels.shape[0], fz):
        for y in range(0, labels.shape[1], fy):
            for x in range(0, labels.shape[2], fx):
                n = _in_cell(labels, z, y, x, fz, fy, fx, found, counts)
                for k in range(n):
                    label[at] = found[k]
                    cell[at, 0], cell[at, 1], cell[at, 2] = z // fz, y // fy, x // fx
                    voxels[at] = counts[k]
                    at += 1
