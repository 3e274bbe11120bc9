"""Which transmitter a synapse releases, where its vesicles are stained in channels of an image by light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .volume import Array, Box, VolumeError, Voxel

__all__ = ["transmitters"]

Floats = NDArray[np.float64]
RADIUS_NM = 80.0  # nm, of the ball that stain is averaged over; assumed: about the stain of one synapse
DEEP_NM = 30.0  # nm, from the cleft into the sending side, where that ball lies
CLEAR = 4.0  # standard deviations of the background of such means; assumed: less is no stain


def transmitters(
    channels: Array, names: Sequence[str], box: Box, voxel_nm: Voxel, sites_nm: Floats, towards_pre: Floats
) -> list[str]:
    """The transmitter of every site; empty where no channel stands out.

    Args:
        channels: shape (channel, z, y, x).
        names: of the channels.
        box: part of the volume that is read, around all sites.
        voxel_nm: size of a voxel, nm.
        sites_nm: shape (k, 3), of clefts, nm from the corner of the volume.
        towards_pre: shape (k, 3), unit vectors.

    Raises:
        VolumeError: there are more or fewer names than channels.
    """
    if channels.shape[0] != len(names):
        raise VolumeError(f"transmitters: {channels.shape[0]} channels, but {len(names)} names {tuple(names)}")
    if not len(sites_nm):
        return []
    seen = np.asarray(channels[(slice(None), *box.slices)])
    size = np.array(voxel_nm)
    at = (sites_nm + DEEP_NM * towards_pre) / size - np.array(box.start)
    means = np.stack([_ball(seen, place, size) for place in at])
    middle, spread = _background(seen, size)
    clear = (means - middle) / spread
    best = clear.argmax(axis=1)
    return [names[k] if row[k] > CLEAR else "" for k, row in zip(best, clear, strict=True)]


def _ball(seen: NDArray[Any], at: Floats, size: Floats) -> Floats:
    """Mean of every channel in the ball around a place, voxels."""
    reach = np.ceil(RADIUS_NM / size).astype(int)
    low = np.maximum(np.floor(at).astype(int) - reach, 0)
    high = np.minimum(np.floor(at).astype(int) + reach + 1, seen.shape[1:])
    window = seen[(slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))]
    axes = [(np.arange(a, b) + 0.5 - c) * side for a, b, c, side in zip(low, high, at, size, strict=True)]
    z, y, x = np.ix_(*axes)
    ball = z**2 + y**2 + x**2 <= RADIUS_NM**2
    return np.asarray(window[:, ball].mean(axis=1))


def _background(seen: NDArray[Any], size: Floats) -> tuple[Floats, Floats]:
    """Median of every channel, and how far means over a ball stray from it: that of boxes as large as the ball."""
    sides = np.maximum(np.rint(1.6 * RADIUS_NM / size).astype(int), 1)  # of a box with the ball's volume
    counts = np.maximum(np.array(seen.shape[1:]) // sides, 1)
    used = np.minimum(counts * sides, seen.shape[1:])
    steps = np.minimum(sides, used)
    cut = seen[:, : used[0], : used[1], : used[2]]
    shape = [n for count, step in zip(counts, steps, strict=True) for n in (count, step)]
    boxes = cut.reshape(len(seen), *shape).mean(axis=(2, 4, 6)).reshape(len(seen), -1)
    middle = np.median(boxes, axis=1)
    spread = 1.4826 * np.median(np.abs(boxes - middle[:, None]), axis=1)
    return middle, np.maximum(spread, 1.0)
