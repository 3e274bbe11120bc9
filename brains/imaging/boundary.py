"""Membranes without training: dark sheets of a membrane's thickness, made coherent over their neighbourhood.

The Hessian of the smoothed image has one large positive eigenvalue across a dark sheet (Frangi et al. 1998, MICCAI;
sheets: Descoteaux et al. 2004). Its eigenvector's tensor is averaged over the neighbourhood, so that noise, whose
directions disagree, cancels (the idea of tensor voting, Medioni et al. 2000); darkness counts as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, cos, pi, sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Classical", "classical_boundary"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Classical:
    """Scales and weights; all assumed, chosen on sections 0 to 99 of FIB-25."""

    membrane_nm: float = 10.0  # nm, Gaussian width: two membranes and the cleft between them are about 30 nm
    coherence_nm: float = 12.0  # nm, Gaussian width of the neighbourhood
    isotropy: float = 0.3  # share of the second eigenvalue that is taken off: blobs and noise
    darkness: float = 0.05  # weight of the grey value, per standard deviation
    full: float = 0.2  # what counts as a certain boundary


def classical_boundary(
    image: NDArray[np.uint8], voxel_nm: tuple[float, float, float], settings: Classical
) -> NDArray[np.uint8]:
    """Boundary strength of every voxel.

    Args:
        image: shape (z, y, x), membranes dark.
        voxel_nm: size of a voxel along (z, y, x), nm.
        settings: scales and weights.

    Returns:
        Shape (z, y, x), 255 for a certain boundary.
    """
    from scipy.ndimage import gaussian_filter

    values = image.astype(np.float32)
    values -= values.mean()
    values /= max(float(values.std()), 1.0)
    width = [max(settings.membrane_nm / size, 0.5) for size in voxel_nm]
    values = gaussian_filter(values, width, truncate=3.0)
    steps = np.array([settings.membrane_nm / size for size in voxel_nm], dtype=np.float32)
    tensor = _sheets(values, steps)
    spread = [settings.coherence_nm / size for size in voxel_nm]
    for part in tensor:
        gaussian_filter(part, spread, output=part, truncate=2.0)
    scale = 255 / settings.full
    result: NDArray[np.uint8] = _strength(tensor, values, settings.isotropy, settings.darkness, scale)
    return result


@njit(cache=True, inline="always")
def _eigenvalues(a: float, b: float, c: float, d: float, e: float, f: float) -> tuple[float, float, float]:
    """Of [[a, d, e], [d, b, f], [e, f, c]], largest first (Smith 1961, Commun ACM 4:168)."""
    q = (a + b + c) / 3
    spread = (a - q) ** 2 + (b - q) ** 2 + (c - q) ** 2 + 2 * (d * d + e * e + f * f)
    if spread < 1e-18:
        return q, q, q
    p = sqrt(spread / 6)
    a, b, c, d, e, f = (a - q) / p, (b - q) / p, (c - q) / p, d / p, e / p, f / p
    half = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / 2
    angle = acos(min(1.0, max(-1.0, half))) / 3
    first, last = q + 2 * p * cos(angle), q + 2 * p * cos(angle + 2 * pi / 3)
    return first, 3 * q - first - last, last


@njit(cache=True, fastmath=True)
def _sheets(g: Any, steps: Any) -> Any:
    """Tensor of the largest eigenvalue across dark sheets: zz, yy, xx, zy, zx, yx; shape (6, z, y, x)."""
    depth, height, width = g.shape
    tensor = np.zeros((6, depth, height, width), np.float32)
    sz, sy, sx = steps
    for z in range(1, depth - 1):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                twice = 2 * g[z, y, x]
                a = (g[z + 1, y, x] + g[z - 1, y, x] - twice) * sz * sz
                b = (g[z, y + 1, x] + g[z, y - 1, x] - twice) * sy * sy
                c = (g[z, y, x + 1] + g[z, y, x - 1] - twice) * sx * sx
                d = (g[z + 1, y + 1, x] + g[z - 1, y - 1, x] - g[z + 1, y - 1, x] - g[z - 1, y + 1, x]) * sz * sy / 4
                e = (g[z + 1, y, x + 1] + g[z - 1, y, x - 1] - g[z + 1, y, x - 1] - g[z - 1, y, x + 1]) * sz * sx / 4
                f = (g[z, y + 1, x + 1] + g[z, y - 1, x - 1] - g[z, y + 1, x - 1] - g[z, y - 1, x + 1]) * sy * sx / 4
                first, _, _ = _eigenvalues(a, b, c, d, e, f)
                if first > 0:
                    n0, n1, n2, square = _normal(a - first, b - first, c - first, d, e, f)
                    if square > 0:
                        weight = first / square
                        tensor[0, z, y, x] = weight * n0 * n0
                        tensor[1, z, y, x] = weight * n1 * n1
                        tensor[2, z, y, x] = weight * n2 * n2
                        tensor[3, z, y, x] = weight * n0 * n1
                        tensor[4, z, y, x] = weight * n0 * n2
                        tensor[5, z, y, x] = weight * n1 * n2
    return tensor


@njit(cache=True, inline="always", fastmath=True)
def _normal(a: float, b: float, c: float, d: float, e: float, f: float) -> tuple[float, float, float, float]:
    """A vector that [[a, d, e], [d, b, f], [e, f, c]], of rank two, sends to zero, and its square."""
    u0, u1, u2 = d * f - e * b, e * d - a * f, a * b - d * d
    v0, v1, v2 = d * c - e * f, e * e - a * c, a * f - d * e
    w0, w1, w2 = b * c - f * f, f * e - d * c, d * f - b * e
    u, v, w = u0 * u0 + u1 * u1 + u2 * u2, v0 * v0 + v1 * v1 + v2 * v2, w0 * w0 + w1 * w1 + w2 * w2
    if u >= v and u >= w:
        return u0, u1, u2, u
    if v >= w:
        return v0, v1, v2, v
    return w0, w1, w2, w


@njit(cache=True, fastmath=True)
def _strength(tensor: Any, g: Any, isotropy: float, darkness: float, scale: float) -> Any:
    depth, height, width = g.shape
    result = np.empty(g.shape, np.uint8)
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                first, second, _ = _eigenvalues(
                    tensor[0, z, y, x], tensor[1, z, y, x], tensor[2, z, y, x],
                    tensor[3, z, y, x], tensor[4, z, y, x], tensor[5, z, y, x],
                )  # fmt: skip
                value = first - isotropy * second - darkness * min(2.0, max(-2.0, g[z, y, x]))
                result[z, y, x] = np.uint8(min(255.0, max(0.0, value * scale)))
    return result
