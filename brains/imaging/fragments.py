"""Fragments of one block: a seed in the middle of every bulge between boundaries, grown until they meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .watershed import distance_nm, flood, peaks

__all__ = ["Fragments", "compact", "fragments", "middles"]


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """Where seeds lie; all assumed, chosen on sections 0 to 99 of FIB-25."""

    boundary: float = 0.9  # strength, 0 to 1, from which distances are measured
    smooth_nm: float = 20.0  # nm, Gaussian width: peaks nearer than that are one
    least_nm: float = 15.0  # nm, distance from a boundary of the middle of the thinnest fragment
    limit_nm: float = 300.0  # nm, distances are cut there


def middles(
    boundary: NDArray[np.uint8], voxel_nm: tuple[float, float, float], settings: Fragments
) -> NDArray[np.int64]:
    """Places farthest from boundaries, the farthest first, shape (n, 3), voxels."""
    distance = _smooth_distance(boundary, voxel_nm, settings)
    places = np.argwhere(peaks(distance, settings.least_nm) > 0)
    order = np.argsort(-distance[tuple(places.T)], kind="stable")
    return places[order]


def fragments(
    boundary: NDArray[np.uint8],
    voxel_nm: tuple[float, float, float],
    settings: Fragments,
    objects: NDArray[np.uint32] | None = None,
) -> NDArray[np.uint32]:
    """Fragments of a boundary map.

    Args:
        boundary: shape (z, y, x), 255 for a certain boundary.
        voxel_nm: size of a voxel along (z, y, x), nm.
        settings: where seeds lie.
        objects: fragments that are already known, 0 elsewhere; they grow too, and no seed is set in them.

    Returns:
        Shape (z, y, x), 1 and up; all 0 only where nothing had a seed.
    """
    labels: NDArray[np.uint32] = peaks(_smooth_distance(boundary, voxel_nm, settings), settings.least_nm)
    if objects is not None:
        labels[labels > 0] += objects.max()
        labels = np.where(objects > 0, objects, labels)
    flood(boundary, labels)
    return labels


def _smooth_distance(
    boundary: NDArray[np.uint8], voxel_nm: tuple[float, float, float], settings: Fragments
) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    distance: NDArray[np.float32] = distance_nm(
        boundary, max(1, round(255 * settings.boundary)), voxel_nm, settings.limit_nm
    )
    gaussian_filter(distance, [settings.smooth_nm / size for size in voxel_nm], output=distance, truncate=2.0)
    return distance


def compact(labels: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Number labels 1 to n in the order of their old numbers.

    Returns:
        The labels, and the voxels of 0 to n.
    """
    voxels = np.bincount(labels.ravel())
    present = voxels > 0
    present[0] = False
    numbers = np.where(present, np.cumsum(present), 0).astype(np.uint32)
    return numbers[labels], np.concatenate([[voxels[0]], voxels[present]]).astype(np.int64)
