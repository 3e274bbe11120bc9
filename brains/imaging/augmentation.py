"""Patches for training, changed at random as tissue and microscopes differ between data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Augmentation", "Patch", "draw"]

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Patch:
    """A cube of tissue and its truth, both (z, y, x); 0 in the labels is unknown."""

    image: NDArray[np.uint8]
    labels: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How often and how far patches are changed; all assumed, none chosen on a test volume."""

    scale: tuple[float, float] = (0.75, 1.4)  # size of a voxel over that of the data, each patch
    stretch: float = 0.15  # further, each axis on its own
    anisotropy: float = 0.2  # share of patches whose sections are thickened
    thickness: tuple[int, int] = (2, 4)  # voxels of a thick section, from, up to and without
    missing: float = 0.15  # share of patches with empty sections
    shift: float = 0.2  # share of patches with a jump between sections
    shift_voxels: int = 3  # of the jump, at most, each axis
    blur: float = 0.3  # share of patches
    blur_sigma: tuple[float, float] = (0.4, 1.3)  # voxels
    gamma: tuple[float, float] = (0.6, 1.6)  # exponent of the grey values
    contrast: tuple[float, float] = (0.5, 1.6)  # gain, values clip at the ends of the range
    brightness: float = 0.2  # of the range, either way
    noise: tuple[float, float] = (0.0, 0.08)  # standard deviation, of the range
    grain: float = 0.4  # share of patches whose noise is correlated over two voxels


def draw(image: NDArray[np.uint8], labels: NDArray[Any], side: int, how: Augmentation, rng: Rng) -> Patch:
    """A random patch.

    Args:
        image: shape (z, y, x).
        labels: the same shape.
        side: of the patch, voxels.
        how: how far it is changed.
        rng: the only source of chance.
    """
    patch = _turned(_cut(image, labels, side, how, rng), rng)
    if rng.random() < how.shift:
        patch = _jumped(patch, how.shift_voxels, rng)
    return Patch(_imaged(patch.image, how, rng), patch.labels)


def _cut(image: NDArray[np.uint8], labels: NDArray[Any], side: int, how: Augmentation, rng: Rng) -> Patch:
    """A cube of random place and scale, sampled to `side` voxels: linear in the image, nearest in the labels."""
    from scipy.ndimage import map_coordinates

    scale = np.exp(rng.uniform(*np.log(how.scale))) * (1 + rng.uniform(-how.stretch, how.stretch, 3))
    scale = np.minimum(scale, (np.array(image.shape) - 1) / (side - 1))
    axes = []
    for n, step in zip(image.shape, scale, strict=True):
        start = rng.uniform(0, n - 1 - step * (side - 1))
        axes.append(start + step * np.arange(side))
    low = [int(axis[0]) for axis in axes]
    part = tuple(slice(a, int(axis[-1]) + 2) for a, axis in zip(low, axes, strict=True))
    grid = np.meshgrid(*(axis - a for axis, a in zip(axes, low, strict=True)), indexing="ij")
    grey = map_coordinates(image[part], grid, order=1, mode="nearest")
    index = np.ix_(*(np.minimum(np.rint(axis).astype(int), n - 1) for axis, n in zip(axes, image.shape, strict=True)))
    return Patch(grey, labels[index])


def _turned(patch: Patch, rng: Rng) -> Patch:
    """One of the 48 symmetries of a cube."""
    order = tuple(int(axis) for axis in rng.permutation(3))
    flips = tuple(slice(None, None, -1 if flip else 1) for flip in rng.integers(0, 2, 3))
    image, labels = patch.image.transpose(order)[flips], patch.labels.transpose(order)[flips]
    return Patch(np.ascontiguousarray(image), np.ascontiguousarray(labels))


def _jumped(patch: Patch, limit: int, rng: Rng) -> Patch:
    """All sections from a random one on are displaced; what leaves on one side comes in on the other as unknown."""
    first = int(rng.integers(1, len(patch.image)))
    image, labels = patch.image.copy(), patch.labels.copy()
    for axis in (1, 2):
        step = int(rng.integers(-limit, limit + 1))
        image[first:] = np.roll(image[first:], step, axis)
        labels[first:] = np.roll(labels[first:], step, axis)
        if step:
            edge = slice(0, step) if step > 0 else slice(step, None)
            labels[first:].swapaxes(0, axis)[edge] = 0
    return Patch(image, labels)


def _imaged(image: NDArray[np.uint8], how: Augmentation, rng: Rng) -> NDArray[np.uint8]:
    """The grey values as another microscope might give them."""
    from scipy.ndimage import gaussian_filter

    values: NDArray[np.floating[Any]] = image.astype(np.float32) / 255
    if rng.random() < how.anisotropy:
        values = _thickened(values, int(rng.integers(*how.thickness)))
    if rng.random() < how.blur:
        values = gaussian_filter(values, rng.uniform(*how.blur_sigma))
    values = np.power(values, np.float32(np.exp(rng.uniform(*np.log(how.gamma)))))
    middle = values.mean()
    values = (values - middle) * np.float32(rng.uniform(*how.contrast)) + middle
    values += np.float32(rng.uniform(-how.brightness, how.brightness))
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    if rng.random() < how.grain:
        noise = 2 * gaussian_filter(noise, 0.7)
    values += np.float32(rng.uniform(*how.noise)) * noise
    if rng.random() < how.missing:
        values[rng.integers(0, len(values), int(rng.integers(1, 3)))] = np.float32(rng.random())
    result: NDArray[np.uint8] = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return result


def _thickened(values: NDArray[np.floating[Any]], sections: int) -> NDArray[np.floating[Any]]:
    """Means over groups of sections, interpolated back: what thick sections show."""
    from scipy.ndimage import uniform_filter1d

    blurred = uniform_filter1d(values, sections, axis=0)[sections // 2 :: sections]
    place = np.clip((np.arange(len(values)) - sections // 2) / sections, 0, len(blurred) - 1)
    low = np.minimum(place.astype(int), len(blurred) - 1)
    high = np.minimum(low + 1, len(blurred) - 1)
    share = (place - low).astype(np.float32)[:, None, None]
    result: NDArray[np.floating[Any]] = blurred[low] * (1 - share) + blurred[high] * share
    return result
