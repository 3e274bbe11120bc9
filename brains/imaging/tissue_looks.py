"""What electrons see: membranes, cytoplasm, mitochondria, vesicles, densities, grain and noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from .tissue_settings import TissueSettings

__all__ = ["edge_distance", "paint", "paint_capsule", "paint_synapse"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Labels = NDArray[np.uint32]
PATCH_NM = 80.0  # nm, over which a membrane is faint or not; assumed
GRAIN_NM = 12.0  # nm, standard deviation of a grain; FIB-25
LIMITS = 118, 190  # grey values between which cytoplasm lies; assumed
FAR_NM = 80.0  # nm, distances from a membrane beyond this are not told apart


@njit(cache=True)
def edge_distance(labels: Labels, voxel: Floats) -> Singles:
    """Distance of every voxel to the nearest surface between two labels, nm, at most FAR_NM (chamfer, two passes)."""
    nz, ny, nx = labels.shape
    out = np.full((nz, ny, nx), np.float32(FAR_NM))
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                mine = labels[z, y, x]
                if z + 1 < nz and labels[z + 1, y, x] != mine:
                    out[z, y, x] = min(out[z, y, x], np.float32(voxel[0] / 2))
                    out[z + 1, y, x] = min(out[z + 1, y, x], np.float32(voxel[0] / 2))
                if y + 1 < ny and labels[z, y + 1, x] != mine:
                    out[z, y, x] = min(out[z, y, x], np.float32(voxel[1] / 2))
                    out[z, y + 1, x] = min(out[z, y + 1, x], np.float32(voxel[1] / 2))
                if x + 1 < nx and labels[z, y, x + 1] != mine:
                    out[z, y, x] = min(out[z, y, x], np.float32(voxel[2] / 2))
                    out[z, y, x + 1] = min(out[z, y, x + 1], np.float32(voxel[2] / 2))
    steps = np.array([(a, b, c) for a in (-1, 0) for b in (-1, 0, 1) for c in (-1, 0, 1) if (a, b, c) < (0, 0, 0)])
    lengths = np.empty(13, np.float32)
    for i in range(13):
        lengths[i] = np.sqrt(((steps[i] * voxel) ** 2).sum())
    for way in range(2):
        sign = 1 - 2 * way
        for p in range(nz):
            z = p if way == 0 else nz - 1 - p
            for q in range(ny):
                y = q if way == 0 else ny - 1 - q
                for r in range(nx):
                    x = r if way == 0 else nx - 1 - r
                    least = out[z, y, x]
                    if least <= lengths.min() / 2:
                        continue
                    for i in range(13):
                        a, b, c = z + sign * steps[i, 0], y + sign * steps[i, 1], x + sign * steps[i, 2]
                        if 0 <= a < nz and 0 <= b < ny and 0 <= c < nx:
                            least = min(least, out[a, b, c] + lengths[i])
                    out[z, y, x] = least
    return out


@njit(cache=True)
def _shade(
    labels: Labels,
    distance: Singles,
    grey: Singles,
    patch: Singles,
    size: tuple[int, int, int],
    membrane: float,
    width: float,
    fade: float,
) -> Singles:
    """Cytoplasm of each label, darkened towards its membrane."""
    out = np.empty(labels.shape, np.float32)
    nz, ny, nx = labels.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                base = grey[labels[z, y, x]]
                d = distance[z, y, x] / width
                dark = np.exp(-d * d) * (1 - fade * patch[z // size[0], y // size[1], x // size[2]])
                out[z, y, x] = base + (membrane - base) * dark
    return out


@njit(cache=True)
def paint_capsule(
    image: Singles,
    labels: Labels,
    distance: Singles,
    a: Floats,
    b: Floats,
    radius: float,
    label: int,
    voxel: Floats,
    inside: float,
    rim: float,
    gap: float,
) -> None:
    """A body with a rim inside one label, never nearer than `gap` nm to its membrane; places and sizes in nm."""
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for k in range(3):
        low[k] = max(int((min(a[k], b[k]) - radius) / voxel[k]), 0)
        high[k] = min(int((max(a[k], b[k]) + radius) / voxel[k]) + 2, image.shape[k])
    axis = b - a
    length = max((axis * axis).sum(), 1e-9)
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                if labels[z, y, x] != label or distance[z, y, x] < gap:
                    continue
                pz, py, px = (z + 0.5) * voxel[0] - a[0], (y + 0.5) * voxel[1] - a[1], (x + 0.5) * voxel[2] - a[2]
                t = min(max((pz * axis[0] + py * axis[1] + px * axis[2]) / length, 0.0), 1.0)
                pz, py, px = pz - t * axis[0], py - t * axis[1], px - t * axis[2]
                depth = radius - np.sqrt(pz * pz + py * py + px * px)
                if depth > 0:
                    wanted = rim if min(depth, distance[z, y, x] - gap) < 9.0 else inside
                    image[z, y, x] = min(wanted, image[z, y, x]) if inside < 120 else wanted


@njit(cache=True)
def paint_synapse(
    image: Singles,
    labels: Labels,
    patch: Any,
    site: Floats,
    pre: int,
    post: int,
    voxel: Floats,
    reach: float,
    density: float,
) -> None:
    """Dark densities along a patch of membrane: thin before it with a bar at the site, thick after it.

    Args:
        image: changed.
        labels: of the voxels.
        patch: shape (n, 3), voxels of the contact.
        site: nm, where the bar stands.
        pre: label before.
        post: label after.
        voxel: nm.
        reach: nm, size of the window.
        density: grey value.
    """
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for k in range(3):
        low[k] = max(int((site[k] - reach) / voxel[k]), 0)
        high[k] = min(int((site[k] + reach) / voxel[k]) + 2, image.shape[k])
    for z in range(low[0], high[0]):
        for y in range(low[1], high[1]):
            for x in range(low[2], high[2]):
                mine = labels[z, y, x]
                if mine != pre and mine != post:
                    continue
                near = 1e9
                for i in range(len(patch)):
                    dz, dy, dx = (
                        (patch[i, 0] - z) * voxel[0],
                        (patch[i, 1] - y) * voxel[1],
                        (patch[i, 2] - x) * voxel[2],
                    )
                    near = min(near, dz * dz + dy * dy + dx * dx)
                near = np.sqrt(near)
                dz, dy, dx = (
                    (z + 0.5) * voxel[0] - site[0],
                    (y + 0.5) * voxel[1] - site[1],
                    (x + 0.5) * voxel[2] - site[2],
                )
                bar = np.sqrt(dz * dz + dy * dy + dx * dx)
                if mine == post:
                    share = np.exp(-((near / 24.0) ** 2))
                else:
                    share = max(np.exp(-((near / 14.0) ** 2)), np.exp(-((bar / 38.0) ** 4)))
                image[z, y, x] += (density - image[z, y, x]) * share


def paint(
    labels: Labels, distance: Singles, voxel: Floats, rng: np.random.Generator, settings: TissueSettings
) -> Singles:
    """Cytoplasm and membranes, before organelles, grain and noise.

    Args:
        labels: shape (z, y, x), 1 and up.
        distance: of `edge_distance`.
        voxel: nm.
        rng: of the greys.
        settings: of the tissue.
    """
    count = int(labels.max()) + 1
    grey = np.clip(rng.normal(settings.cytoplasm, settings.cytoplasm_spread, count), *LIMITS).astype(np.float32)
    size = tuple(max(round(PATCH_NM / side), 1) for side in voxel)
    coarse = rng.random(tuple(n // side + 1 for n, side in zip(labels.shape, size, strict=True)), dtype=np.float32)
    patch = ndimage.gaussian_filter(coarse, 0.7)
    patch = np.clip((patch - patch.mean()) / (2 * patch.std()) + 0.5, 0, 1).astype(np.float32)
    return np.asarray(
        _shade(
            labels, distance, grey, patch, size, settings.membrane, settings.membrane_nm, settings.membrane_patchiness
        )
    )


def add_grain(image: Singles, rng: np.random.Generator, settings: TissueSettings) -> NDArray[np.uint8]:
    """Grain of the stain, correlated over GRAIN_NM, and noise of the detector; in 8 bits."""
    width = [GRAIN_NM / side for side in settings.voxel_nm]
    grain = ndimage.gaussian_filter(rng.standard_normal(image.shape, dtype=np.float32), width, truncate=2.5)
    image += grain * np.float32(settings.texture / grain.std())
    image = ndimage.gaussian_filter(image, settings.blur_px, truncate=2.5)
    image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(settings.noise)
    return np.clip(image, 0, 255).astype(np.uint8)
