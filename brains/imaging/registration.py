"""How far one section is shifted against another: band-passed phase correlation with subpixel peaks.

All shifts are (y, x), pixels: positive where the content of the later section lies further along the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

__all__ = ["Band", "shifts", "shrink", "spectra"]

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True)
class Band:
    """Which detail is compared: a difference of two Gaussians, assumed, chosen on FIB-25 training_sample1."""

    fine_px: float = 1.0  # pixels, sigma of the finer Gaussian; noise below it is ignored
    coarse_px: float = 8.0  # pixels, sigma of the coarser one; shading above it is ignored
    whitening: float = 0.8  # power of the amplitude that is divided away; 1 is phase correlation, 0 correlation

    def __post_init__(self) -> None:
        if not 0 < self.fine_px < self.coarse_px:
            raise ValueError(f"Band: fine_px ({self.fine_px}) must lie between 0 and coarse_px ({self.coarse_px})")
        if not 0 <= self.whitening <= 1:
            raise ValueError(f"Band: whitening ({self.whitening}) must lie between 0 and 1")

    def gain(self, shape: tuple[int, int]) -> Floats:
        """Of every frequency of `scipy.fft.rfft2` of an image of that shape."""
        squares = np.fft.fftfreq(shape[0])[:, None] ** 2 + np.fft.rfftfreq(shape[1]) ** 2
        fine, coarse = (np.exp(-2 * np.pi**2 * sigma**2 * squares) for sigma in (self.fine_px, self.coarse_px))
        return np.asarray(fine - coarse, dtype=np.float32)


def shrink(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Means over squares of `factor` pixels; what is left over at the far ends is averaged over fewer pixels.

    Args:
        image: shape (sections, y, x).
        factor: pixels.
    """
    if factor == 1:
        return image
    n, y, x = image.shape
    padded = np.pad(image, ((0, 0), (0, -y % factor), (0, -x % factor)), mode="edge")
    squares = padded.reshape(n, padded.shape[1] // factor, factor, padded.shape[2] // factor, factor)
    means = squares.sum(axis=(2, 4), dtype=np.uint32) + factor**2 // 2
    return np.asarray(means // factor**2, dtype=np.uint8)


def spectra(images: NDArray[np.generic], band: Band, masks: NDArray[np.bool_] | None = None) -> Spectra:
    """Band-passed and whitened spectra of images whose ends are faded out.

    Args:
        images: shape (n, y, x).
        band: which detail is kept.
        masks: shape (n, y, x), True where a pixel counts; others are set to the mean of those that do.
    """
    values = images.astype(np.float32)
    flat = values.reshape(len(values), -1)  # a product with ones is the fastest sum
    ones = np.ones(flat.shape[1], dtype=np.float32)
    if masks is None:
        flat -= (flat @ ones)[:, None] / np.float32(flat.shape[1])
    else:
        inside = masks.reshape(len(values), -1).astype(np.float32)
        flat *= inside
        flat -= inside * ((flat @ ones) / np.maximum(inside @ ones, 1))[:, None]
    y, x = images.shape[1:]
    values *= np.sqrt(np.hanning(y + 2)[1:-1, None] * np.hanning(x + 2)[1:-1]).astype(np.float32)
    found: Spectra = scipy.fft.rfft2(values)
    found *= band.gain((y, x))
    if band.whitening:
        power = found.real**2 + found.imag**2
        found *= np.maximum(power, np.float32(1e-12)) ** np.float32(-band.whitening / 2)
    return found


def shifts(later: Spectra, earlier: Spectra, shape: tuple[int, int], limit: Sequence[int]) -> tuple[Floats, Floats]:
    """Shift of each later image against its earlier one.

    Args:
        later: of `spectra`, n of them.
        earlier: of `spectra`, n of them.
        shape: of the images, pixels (y, x).
        limit: greatest shift that is looked for along (y, x), pixels.

    Returns:
        Shifts, shape (n, 2), pixels; and how far each peak stands above the correlations around it, in their standard
        deviations, shape (n,): chance reaches 3 to 5.
    """
    reach = [min(limit[axis], shape[axis] // 2 - 2) for axis in (0, 1)]
    return _peaks(_around(scipy.fft.irfft2(later * earlier.conj(), s=shape), reach))


def _around(correlation: Floats, reach: Sequence[int]) -> Floats:
    """Correlations at shifts up to one more than `reach`, zero shift in the middle."""
    rows, columns = (np.arange(-r - 1, r + 2) for r in reach)
    found: Floats = correlation[:, rows[:, None], columns[None, :]]
    return found


def _peaks(around: Floats) -> tuple[Floats, Floats]:
    """Highest inner point of each map, refined by parabolas; and its height in standard deviations of the map."""
    n, rows, columns = around.shape
    best = around[:, 1:-1, 1:-1].reshape(n, -1).argmax(axis=1)
    y, x = best // (columns - 2) + 1, best % (columns - 2) + 1
    k = np.arange(n)
    peak = around[k, y, x]
    place = np.stack([y - rows // 2, x - columns // 2], axis=1).astype(np.float32)
    for axis, (dy, dx) in enumerate(((1, 0), (0, 1))):
        place[:, axis] += _vertex(around[k, y - dy, x - dx], peak, around[k, y + dy, x + dx])
    flat = around.reshape(n, -1)
    mean = flat @ np.full(flat.shape[1], 1 / flat.shape[1], dtype=np.float32)
    spread = np.sqrt(np.maximum(np.einsum("ij,ij->i", flat, flat) / flat.shape[1] - mean**2, 1e-24))
    return place, (peak - mean) / spread


def _vertex(before: Floats, peak: Floats, after: Floats) -> Floats:
    """Place of the vertex of the parabola through three points, -0.5 to 0.5."""
    bend = before - 2 * peak + after
    safe = np.where(bend < 0, bend, -1)
    return np.where(bend < 0, np.clip(0.5 * (before - after) / safe, -0.5, 0.5), 0).astype(np.float32)
