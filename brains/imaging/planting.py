"""Known misalignment and known damage, planted in a volume that has neither: what stages align and clean are scored by.

Truth is an offset field: the aligned pixel p of a section lies at p + offset(p) of the planted one, up to one constant
for the whole volume.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from .artefacts import KINDS

__all__ = ["damage", "misalign", "offset_errors"]

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
CROSS_PX = 8  # pixels between the places at which errors are taken


def misalign(
    volume: Bytes, rng: np.random.Generator, shift_px: int = 15, bend_px: float = 0.0, scale_px: float = 40.0
) -> tuple[Bytes, Doubles]:
    """Sections cut out of the volume at random places and bent, so that nothing at their ends tells where they were.

    Args:
        volume: shape (z, y, x).
        rng: draws.
        shift_px: greatest shift along an axis, pixels; uniform, whole, independent.
        bend_px: mean length of a smooth displacement, pixels.
        scale_px: sigma of the Gaussian that makes it smooth, pixels.

    Returns:
        The sections, each side shorter by twice the greatest displacement; and how far the content of each of their
        pixels was taken from, shape (z, 2, y, x), pixels.
    """
    margin = shift_px + (int(5 * bend_px))
    rows, columns = (n - 2 * margin for n in volume.shape[1:])
    places = np.mgrid[:rows, :columns].astype(np.float64) + margin
    taken = np.empty((len(volume), 2, rows, columns))
    made = np.empty((len(volume), rows, columns), dtype=np.uint8)
    for z, section in enumerate(volume):
        field = rng.integers(-shift_px, shift_px + 1, (2, 1, 1)) + np.zeros((2, rows, columns))
        if bend_px:
            smooth = np.stack([gaussian_filter(rng.standard_normal((rows, columns)), scale_px) for _ in range(2)])
            field += smooth * bend_px / np.linalg.norm(smooth, axis=0).mean()
        values = map_coordinates(section.astype(np.float32), places + field, order=3 if bend_px else 0)
        made[z], taken[z] = np.clip(np.round(values), 0, 255), field
    return made, taken


def offset_errors(offsets: NDArray[np.floating], taken: Doubles, keep: NDArray[np.bool_] | None = None) -> Doubles:
    """What is left of the misalignment after the offsets, at a grid of pixels.

    Args:
        offsets: of `align.offsets_of`, shape (z, rows, columns, 2), pixels; zeros tell how it was before.
        taken: of `misalign`.
        keep: shape (z,), which sections are scored; None for all.

    Returns:
        Shape (sections, places, 2), pixels, with zero mean over all.
    """
    height, width = taken.shape[2:]
    margin = CROSS_PX * 2
    places = np.mgrid[margin : height - margin : CROSS_PX, margin : width - margin : CROSS_PX].reshape(2, -1)
    nodes = offsets.shape[1:3]
    at = [np.clip((places[k] + 0.5) / taken.shape[2 + k] * nodes[k] - 0.5, 0, nodes[k] - 1) for k in (0, 1)]
    errors = np.empty((len(offsets), places.shape[1], 2))
    for z, field in enumerate(offsets):
        moved = np.stack([map_coordinates(field[..., k].astype(np.float64), at, order=1) for k in (0, 1)])
        for k in (0, 1):
            errors[z, :, k] = moved[k] + map_coordinates(taken[z, k], places + moved, order=1, mode="nearest")
    if keep is not None:
        errors = errors[keep]
    return np.asarray(errors - errors.mean(axis=(0, 1)))


def damage(volume: Bytes, rng: np.random.Generator, each: int = 2, noise: float = 2.0) -> tuple[Bytes, dict[int, str]]:
    """Sections of every kind of damage, no two next to each other.

    Args:
        volume: shape (z, y, x).
        rng: draws.
        each: sections of each kind.
        noise: standard deviation of what is added to damaged sections, grey values.

    Returns:
        The damaged volume, and the kind of every damaged section.
    """
    made = volume.copy()
    chosen = rng.choice(np.arange(2, len(volume) - 2, 2), each * len(KINDS), replace=False)
    kinds = {int(z): KINDS[k % len(KINDS)] for k, z in enumerate(chosen)}
    for z, kind in kinds.items():
        section = _damaged(made[z].astype(np.float64), kind, rng)
        grain = 0 if kind == "missing" else rng.normal(0, noise, section.shape)
        made[z] = np.clip(section + grain, 0, 255)
    return made, kinds


def _damaged(section: Doubles, kind: str, rng: np.random.Generator) -> Doubles:
    """One section after an accident; extents and depths assumed."""
    if kind == "missing":
        return np.zeros_like(section)
    if kind == "dark":
        return np.asarray(section * rng.uniform(0.3, 0.6))
    if kind == "blurred":
        return np.asarray(gaussian_filter(section, rng.uniform(1.5, 3)))
    height, width = section.shape
    y, x = np.mgrid[:height, :width] - np.array([height, width])[:, None, None] / 2
    angle, aside = rng.uniform(0, np.pi), rng.uniform(-0.2, 0.2) * height
    across, along = y * np.cos(angle) + x * np.sin(angle) - aside, x * np.cos(angle) - y * np.sin(angle)
    if kind == "folded":
        across = across + rng.uniform(2, 6) * np.sin(along / 30)
        return np.where(np.abs(across) < rng.uniform(3, 7), section * rng.uniform(0.1, 0.35), section)
    if rng.random() < 0.5:
        streak = (np.abs(across) < rng.uniform(4, 10)) & (along > rng.uniform(-0.3, 0.2) * height)
        return np.asarray(section + streak * rng.uniform(90, 160))
    middle = rng.uniform(-0.5, 0.5, 2) * section.shape
    away = (y - middle[0]) ** 2 + (x - middle[1]) ** 2
    return np.asarray(section + 200 * np.exp(-away / (2 * rng.uniform(12, 25) ** 2)))
