"""What cutting and imaging do to tissue: sections out of place and bent, folded, lost, dark, blurred, charged.

Every section of the volume taken is a picture of a section of the aligned tissue: its pixel (y, x) shows the aligned
place (y, x) + pull. The aligned place (y, x) is seen at (y, x) + push. Both are known on a grid and are part of the
truth; the tissue lost in a fold and its pull towards the fold are not in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["DAMAGES", "STANDARD_DAMAGE", "Damage", "Distortion", "damage_sections", "make_distortion", "move"]

Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]
DAMAGES = ("missing", "dark", "blurred", "charged", "folded")
GRID = 16  # px between known points of a distortion


@dataclass(frozen=True, kw_only=True)
class Damage:
    """How much goes wrong; all 0 by default. Standard deviations unless said otherwise; shares are of all sections."""

    shift_px: float = 0.0  # px, largest shift of a section along y and x, uniform
    rotation_deg: float = 0.0  # degrees
    scale: float = 0.0  # relative
    bend_px: float = 0.0  # px, rms of a smooth bending of each section by itself
    bend_scale_px: float = 64.0  # px, over which it changes
    missing: float = 0.0
    dark: float = 0.0
    blurred: float = 0.0
    charged: float = 0.0
    folded: float = 0.0
    drift: float = 0.0  # relative, of contrast along the stack, over tens of sections

    def __post_init__(self) -> None:
        if sum(getattr(self, kind) for kind in DAMAGES) > 1:
            raise ValueError("Damage: the shares of damaged sections must not exceed 1")

    @property
    def moves(self) -> bool:
        """Whether any section leaves its place."""
        return any((self.shift_px, self.rotation_deg, self.scale, self.bend_px))


STANDARD_DAMAGE = Damage(  # assumed, but for the shifts, which the bars of alignment name
    shift_px=15.0,
    rotation_deg=0.5,
    scale=0.004,
    bend_px=2.0,
    missing=0.015,
    dark=0.02,
    blurred=0.02,
    charged=0.01,
    folded=0.015,
    drift=0.08,
)


@dataclass(frozen=True, eq=False)
class Distortion:
    """Where sections really are, on a grid of GRID px."""

    pull_px: Singles  # shape (sections, gy, gx, 2), px (y, x)
    push_px: Singles  # the same, the other way round

    def dense(self, z: int, shape: tuple[int, int], back: bool = False) -> Singles:
        """Pull (or push, with `back`) of every pixel of a section, shape (2, y, x), px."""
        return _dense((self.push_px if back else self.pull_px)[z], shape)


def _dense(field: Singles, shape: tuple[int, int]) -> Singles:
    """From the grid to all pixels, linear."""
    y, x = np.arange(shape[0]) / GRID, np.arange(shape[1]) / GRID
    i, j = y.astype(int), x.astype(int)
    a, b = (y - i)[:, None, None], (x - j)[None, :, None]
    low = (1 - b) * field[i][:, j] + b * field[i][:, j + 1]
    high = (1 - b) * field[i + 1][:, j] + b * field[i + 1][:, j + 1]
    return np.moveaxis((1 - a) * low + a * high, -1, 0).astype(np.float32)


def make_distortion(shape: tuple[int, int, int], rng: np.random.Generator, damage: Damage) -> Distortion:
    """Random places of all sections; the first section too is out of place."""
    n = shape[0]
    grid = tuple(-(-side // GRID) + 2 for side in shape[1:])
    y, x = (np.arange(g) * GRID - side / 2 for g, side in zip(grid, shape[1:], strict=True))
    place = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)
    angle = np.deg2rad(rng.normal(0, 1, n) * damage.rotation_deg)
    size = 1 + rng.normal(0, 1, n) * damage.scale
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    affine = size[:, None, None] * turn - np.eye(2)
    shift = rng.uniform(-1, 1, (n, 2)) * damage.shift_px
    pull = np.einsum("yxk,njk->nyxj", place, affine)
    pull += shift[:, None, None]
    smooth = ndimage.gaussian_filter(rng.standard_normal(pull.shape), (0, *(damage.bend_scale_px / GRID / 2,) * 2, 0))
    pull += smooth * (damage.bend_px / smooth.std())
    return Distortion(pull.astype(np.float32), _inverse(pull).astype(np.float32))


def _inverse(pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """push(a) = -pull(a + push(a)), by repeated insertion; the grid's edge goes on outside it."""
    n, gy, gx, _ = pull.shape
    z, y, x = np.meshgrid(np.arange(n), np.arange(gy), np.arange(gx), indexing="ij")
    push = -pull
    for _ in range(20):
        at = [z, y + push[..., 0] / GRID, x + push[..., 1] / GRID]
        push = -np.stack([ndimage.map_coordinates(pull[..., k], at, order=1, mode="nearest") for k in (0, 1)], axis=-1)
    return push


def move(section: NDArray[Any], pull: Singles, order: int) -> NDArray[Any]:
    """A section as it was taken; 0 where the picture leaves the tissue.

    Args:
        section: shape (y, x), of the aligned tissue.
        pull: of `Distortion.dense`.
        order: 0 for labels, 1 for grey values.
    """
    y, x = np.indices(section.shape, dtype=np.float32)
    at = np.stack([y + pull[0], x + pull[1]])
    if order:
        moved = ndimage.map_coordinates(section.astype(np.float32), at, order=1, cval=0.0)
        return np.asarray(np.rint(moved).astype(section.dtype))
    i, j = np.rint(at[0]).astype(int), np.rint(at[1]).astype(int)
    inside = (i >= 0) & (i < section.shape[0]) & (j >= 0) & (j < section.shape[1])
    return np.asarray(np.where(inside, section[i.clip(0, section.shape[0] - 1), j.clip(0, section.shape[1] - 1)], 0))


def choose_damaged(sections: int, rng: np.random.Generator, damage: Damage) -> pd.DataFrame:
    """Which sections are damaged and how: columns z and damage; at least one of each kind whose share is not 0."""
    order = rng.permutation(np.arange(1, max(sections - 1, 1)))  # the ends stay: nothing beyond them could repair them
    rows: list[tuple[int, str]] = []
    for kind in DAMAGES:
        share = getattr(damage, kind)
        count = max(round(share * sections), 1) if share else 0
        rows += [(int(z), kind) for z in order[len(rows) : len(rows) + count]]
    return pd.DataFrame(rows, columns=["z", "damage"]).sort_values("z", ignore_index=True)


def damage_sections(image: Bytes, damaged: pd.DataFrame, rng: np.random.Generator, damage: Damage) -> None:
    """Change the sections of a stack in place: drift of contrast everywhere, damage where it is listed."""
    if damage.drift:
        _drift(image, rng, damage.drift)
    for z, kind in zip(damaged["z"], damaged["damage"], strict=True):
        image[z] = SPOIL[kind](image[z].astype(np.float32), rng).clip(0, 255).astype(np.uint8)


def _drift(image: Bytes, rng: np.random.Generator, size: float) -> None:
    """Gain and brightness that wander along the stack, and a slope within each section."""
    n = len(image)
    wander = ndimage.gaussian_filter1d(rng.standard_normal((2, n + 80)), 12, axis=1)[:, 40 : 40 + n]
    wander = wander / max(wander.std(), 1e-9) + 0.3 * rng.standard_normal((2, n))
    slope = (
        np.linspace(-1, 1, image.shape[1], dtype=np.float32)[:, None]
        * rng.normal(0, 0.5 * size * 128, n)[:, None, None]
    )
    for z in range(n):
        grey = (image[z].astype(np.float32) - 128) * (1 + size * wander[0, z]) + 128 * (1 + size * wander[1, z])
        seen = image[z] > 0  # outside of the tissue stays outside
        image[z] = np.where(seen, (grey + slope[z]).clip(1, 255), 0).astype(np.uint8)


def _missing(section: Singles, rng: np.random.Generator) -> Singles:
    return np.zeros_like(section)


def _dark(section: Singles, rng: np.random.Generator) -> Singles:
    return section * np.float32(rng.uniform(0.25, 0.5))


def _blurred(section: Singles, rng: np.random.Generator) -> Singles:
    return np.asarray(ndimage.gaussian_filter(section, float(rng.uniform(2.5, 5.0))))


def _charged(section: Singles, rng: np.random.Generator) -> Singles:
    """A bright cloud and streaks along the scan lines."""
    cloud = ndimage.gaussian_filter(rng.standard_normal(section.shape, dtype=np.float32), min(section.shape) / 6)
    streaks = ndimage.gaussian_filter1d(rng.standard_normal(section.shape[0]), 1.0)[:, None]
    cloud = (cloud - cloud.min()) / (np.ptp(cloud) + 1e-9)
    return np.asarray(section + 90 * cloud + 25 * streaks, dtype=np.float32)


def _folded(section: Singles, rng: np.random.Generator) -> Singles:
    """A dark band; the tissue beside it is pulled under."""
    y, x = np.indices(section.shape, dtype=np.float32)
    angle, half = rng.uniform(0, np.pi), rng.uniform(4, 9)
    middle = [side * rng.uniform(0.3, 0.7) for side in section.shape]
    away = (y - middle[0]) * np.cos(angle) + (x - middle[1]) * np.sin(angle) + 3 * np.sin((y + x) / 40)
    pulled = np.sign(away) * half * np.exp(-np.abs(away) / 60)
    at = np.stack([y + pulled * np.cos(angle), x + pulled * np.sin(angle)])
    folded = ndimage.map_coordinates(section, at, order=1, mode="nearest")
    return np.asarray(np.where(np.abs(away) < half, 0.35 * folded, folded), dtype=np.float32)


SPOIL = {"missing": _missing, "dark": _dark, "blurred": _blurred, "charged": _charged, "folded": _folded}
