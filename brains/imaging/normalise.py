"""Local contrast normalisation: what a boundary predictor sees is independent of brightness, gain and slow shading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["local_contrast"]

LIMIT = 4.0  # standard deviations; assumed: beyond it are charging and dirt


def local_contrast(image: NDArray[np.uint8], window: tuple[int, int, int]) -> NDArray[np.float32]:
    """Grey values less their local mean, in local standard deviations.

    Args:
        image: shape (z, y, x).
        window: sides of the box the mean and deviation are taken over, voxels.

    Returns:
        Shape (z, y, x), clipped to +-4.
    """
    from scipy.ndimage import uniform_filter

    values = image.astype(np.float32)
    mean = uniform_filter(values, window, mode="reflect")
    spread = uniform_filter(np.square(values), window, mode="reflect")
    spread -= np.square(mean)
    np.sqrt(np.maximum(spread, 0, out=spread), out=spread)
    spread += 0.02 * 255  # keeps empty resin from being blown up to noise; assumed, 2 % of the range
    values -= mean
    values /= spread
    return np.clip(values, -LIMIT, LIMIT, out=values)
