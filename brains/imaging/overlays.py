"""Pictures of a reconstruction: sections with their segments in colour, and cuts across the sections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .volume import Segmentation, Volume

__all__ = ["colours", "overlay", "reslice", "section", "write_png"]

Picture = NDArray[np.uint8]


def colours(labels: NDArray[Any]) -> Picture:
    """A steady colour for every label, shape (..., 3); 0 is black."""
    mixed = (labels.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    channels = [(mixed >> np.uint64(8 * k)) & np.uint64(0xFF) for k in range(3)]
    bright = np.stack(channels, axis=-1).astype(np.uint16) // 2 + 96
    return np.where((labels == 0)[..., None], 0, np.minimum(bright, 255)).astype(np.uint8)


def overlay(grey: Picture, labels: NDArray[Any], strength: float = 0.4) -> Picture:
    """Grey values with segments tinted and their outlines drawn.

    Args:
        grey: shape (y, x).
        labels: shape (y, x).
        strength: of the tint, 0 to 1.
    """
    base = np.repeat(grey[..., None].astype(np.float64), 3, axis=2)
    tint = colours(labels).astype(np.float64)
    inside = (labels > 0)[..., None]
    picture = np.where(inside, (1 - strength) * base + strength * tint, base)
    edge = np.zeros(labels.shape, dtype=np.bool_)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return np.where(edge[..., None], tint, picture).astype(np.uint8)


def section(volume: Volume, z: int, segmentation: Segmentation | None = None) -> Picture:
    """One section, with its segments if there are any; shape (y, x) or (y, x, 3)."""
    grey = np.asarray(volume.data[z : z + 1])[0]
    return grey if segmentation is None else overlay(grey, np.asarray(segmentation.labels[z : z + 1])[0])


def reslice(volume: Volume, y: int) -> Picture:
    """A cut across the sections, stretched so that its pixels are square: shape (z stretched, x)."""
    cut = np.asarray(volume.data[:, y : y + 1])[:, 0]
    stretch = max(1, round(volume.voxel_nm[0] / volume.voxel_nm[2]))
    return np.repeat(cut, stretch, axis=0)


def write_png(path: Path, picture: Picture) -> None:
    """Write a PNG file under a temporary name and rename it."""
    from imageio.v3 import imwrite

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    imwrite(temporary, picture, extension=".png")
    temporary.replace(path)
