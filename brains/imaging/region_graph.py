"""Which fragments touch, over how many faces, and how strong the boundary between them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["BINS", "RegionGraph", "face_graph", "joined", "region_graph"]

BINS = 32  # of boundary strength, 0 to 255


@dataclass(frozen=True, eq=False)
class RegionGraph:
    """Edges between fragments.

    Args:
        pairs: shape (edges, 2), fragments, the lower first, sorted.
        counts: shape (edges, 32), faces between voxels of either by strength of the boundary there.
    """

    pairs: NDArray[np.int64]
    counts: NDArray[np.int32]


def region_graph(labels: NDArray[np.uint32], boundary: NDArray[np.uint8]) -> RegionGraph:
    """Edges within an array; a face is as strong as the stronger of its two voxels, 0 in the labels is nothing."""
    return _grouped(_faces(labels, boundary))


def face_graph(
    low: NDArray[Any], high: NDArray[Any], low_boundary: NDArray[np.uint8], high_boundary: NDArray[np.uint8]
) -> RegionGraph:
    """Edges across a plane between two blocks.

    Args:
        low: fragments on one side, int64, any shape; fragments of both sides have different numbers.
        high: on the other side.
        low_boundary: boundary strength on one side.
        high_boundary: on the other.
    """
    touching = (low > 0) & (high > 0)
    pairs = np.stack([low[touching], high[touching]], axis=1).astype(np.int64)
    pairs.sort(axis=1)
    bins = np.maximum(low_boundary, high_boundary)[touching] // (256 // BINS)
    counts = np.zeros((len(pairs), BINS), dtype=np.int32)
    counts[np.arange(len(pairs)), bins] = 1
    return joined([RegionGraph(pairs, counts)])


def joined(graphs: Sequence[RegionGraph]) -> RegionGraph:
    """One graph of several; edges between the same fragments are added."""
    pairs = np.concatenate([graph.pairs for graph in graphs])
    counts = np.concatenate([graph.counts for graph in graphs])
    unique, index = np.unique(pairs, axis=0, return_inverse=True)
    total = np.zeros((len(unique), BINS), dtype=np.int32)
    np.add.at(total, index.ravel(), counts)
    return RegionGraph(unique, total)


def _grouped(faces: NDArray[np.uint64]) -> RegionGraph:
    keys, numbers = np.unique(faces, return_counts=True)
    fragments, bins = keys >> np.uint64(5), (keys & np.uint64(BINS - 1)).astype(np.int64)
    edges, index = np.unique(fragments, return_inverse=True)
    counts = np.zeros((len(edges), BINS), dtype=np.int32)
    counts[index, bins] = numbers
    pairs = np.stack([edges >> np.uint64(29), edges & np.uint64(2**29 - 1)], axis=1).astype(np.int64)
    return RegionGraph(pairs, counts)


@njit(cache=True)
def _faces(labels: NDArray[np.uint32], boundary: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Every face between two fragments as lower fragment (29 bits), higher (29 bits), bin (5 bits)."""
    depth, height, width = labels.shape
    faces, count = np.empty(1024, np.uint64), 0
    for z in range(depth):
        for y in range(height):
            if count + 3 * width > faces.size:
                more = np.empty(2 * faces.size + 3 * width, np.uint64)
                more[:count] = faces[:count]
                faces = more
            for x in range(width):
                one = labels[z, y, x]
                if one == 0:
                    continue
                for axis in range(3):
                    k, j, i = z + (axis == 0), y + (axis == 1), x + (axis == 2)
                    if k == depth or j == height or i == width:
                        continue
                    other = labels[k, j, i]
                    if other != one and other != 0:
                        low, high = np.uint64(min(one, other)), np.uint64(max(one, other))
                        strength = np.uint64(max(boundary[z, y, x], boundary[k, j, i]) >> 3)
                        faces[count] = (low << np.uint64(34)) | (high << np.uint64(5)) | strength
                        count += 1
    return faces[:count]
