"""Brightness and contrast made equal: section by section, and then between regions of the sections.

A section's median tile is brought to that of the volume. What regions then differ by, over many sections, is shading:
it is partly evened out, linearly and with a limit, as contrast-limited equalisation does it for histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

__all__ = ["ContrastSettings", "contrast_maps", "equalise"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ContrastSettings:
    """How brightness and contrast are made equal; all assumed."""

    local: float = 0.5  # share of the shading between regions that is evened out; 0 keeps it
    limit: float = 1.5  # greatest factor by which contrast is raised or lowered in one region
    sections: float = 8.0  # sections, sigma over which regions are averaged: neurites pass, shading stays
    least: float = 0.3  # share of valid pixels a tile must have to count

    def __post_init__(self) -> None:
        if not 0 <= self.local <= 1 or self.limit < 1:
            raise ValueError(f"ContrastSettings: local ({self.local}) must be 0 to 1, limit ({self.limit}) 1 or more")


def contrast_maps(tiles: Floats, bad: NDArray[np.bool_], settings: ContrastSettings) -> Floats:
    """Factor and summand of every tile.

    Args:
        tiles: of `survey`, shape (sections, rows, columns, 4).
        bad: which sections are to be replaced as a whole; they say nothing about the volume.
        settings: how.

    Returns:
        Shape (sections, rows, columns, 2): grey * factor + summand is the new grey value.
    """
    used = tiles[..., 0] >= settings.least
    mean, spread = (np.where(used, tiles[..., k], np.nan) for k in (1, 2))
    empty = bad | ~used.any(axis=(1, 2))
    middle, width = (_of_sections(values, empty) for values in (mean, spread))
    whole_middle, whole_width = np.median(middle), np.median(width)
    gain = (whole_width / width)[:, None, None]
    shade = np.where(np.isnan(mean) | empty[:, None, None], 0, (mean - middle[:, None, None]) * gain)
    rough = np.where(np.isnan(spread) | empty[:, None, None], 1, spread * gain / whole_width)
    shade, rough = (_smooth(values, settings.sections) for values in (shade, rough))
    local = np.clip(np.maximum(rough, 1e-3) ** -settings.local, 1 / settings.limit, settings.limit)
    factor = gain * local
    middles = middle[:, None, None] * gain + shade
    summand = whole_middle + (1 - settings.local) * shade - middles * local
    return np.stack([factor, summand], axis=-1).astype(np.float32)


def _of_sections(values: NDArray[np.floating], empty: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median tile of every section; between their neighbours' where a section is not to be trusted; never 0."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    if empty.all():
        return np.ones(len(values))
    known = np.flatnonzero(~empty)
    found = np.interp(np.arange(len(values)), known, np.nanmedian(flat[known], axis=1))
    return np.asarray(np.maximum(found, 0.5))


def _smooth(values: NDArray[np.floating], sections: float) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(values.astype(np.float64), sections, axis=0, mode="nearest"))


def equalise(image: NDArray[np.uint8], maps: Floats, corner: tuple[int, int], tile: int) -> NDArray[np.uint8]:
    """New grey values, between tiles by bilinear interpolation of their maps.

    Args:
        image: shape (sections, y, x).
        maps: of the same sections, shape (sections, rows, columns, 2).
        corner: pixel (y, x) of the whole section at which the image begins.
        tile: side of a tile, pixels.
    """
    made = np.empty_like(image)
    _equalise(image, np.ascontiguousarray(maps), corner[0], corner[1], tile, made)
    return made


@njit(cache=True)
def _equalise(image: Any, maps: Any, top: int, left: int, tile: int, made: Any) -> None:
    sections, height, width = image.shape
    rows, columns = maps.shape[1:3]
    line = np.zeros((columns, 2), dtype=np.float32)
    for k in range(sections):
        for y in range(height):
            at = min(max((top + y + 0.5) / tile - 0.5, 0.0), rows - 1.0)
            above = int(at)
            below, part = min(above + 1, rows - 1), np.float32(at - above)
            for n in range(columns):
                for m in range(2):
                    line[n, m] = (1 - part) * maps[k, above, n, m] + part * maps[k, below, n, m]
            for x in range(width):
                along = min(max((left + x + 0.5) / tile - 0.5, 0.0), columns - 1.0)
                west = int(along)
                east, share = min(west + 1, columns - 1), np.float32(along - west)
                factor = (1 - share) * line[west, 0] + share * line[east, 0]
                summand = (1 - share) * line[west, 1] + share * line[east, 1]
                value = image[k, y, x] * factor + summand + np.float32(0.5)
                made[k, y, x] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))
