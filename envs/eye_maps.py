"""What an animal's eyes see, as two maps of facets: the animal looks along the middle, its left is on the left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..bodies.eyes import CompoundEye, lattice_places

Frame = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

FACET_PIXELS = 5.0  # between neighbouring facets
BETWEEN = 8  # pixels between the eyes
TOUCH = 0.62  # facet distances from its middle that a facet is drawn: beyond the corners of a hexagon, 0.577


class EyeMaps:
    """Pictures of the brightness of every facet.

    Args:
        eyes: left and right.
    """

    def __init__(self, eyes: Sequence[CompoundEye]) -> None:
        first = 0
        parts: list[Ints] = []
        for eye, towards_middle in zip(eyes, (1.0, -1.0), strict=True):
            nearest = _facets(eye, towards_middle)
            parts += [np.where(nearest < 0, -1, nearest + first), np.full((len(nearest), BETWEEN), -1)]
            first += eye.n
        self.facets = np.hstack(parts[:-1])  # which facet each pixel shows, -1 for none

    def drawn(self, view: Frame, seen: npt.NDArray[np.uint8], left: int, top: int) -> Frame:
        """A copy of the view with the maps on it.

        Args:
            view: shape (height, width, 3).
            seen: brightness of every facet, left eye then right eye, 0 to 255.
            left: pixels from the left edge to the maps.
            top: pixels from the upper edge.
        """
        picture = view.copy()
        height, width = self.facets.shape
        part, shown = picture[top : top + height, left : left + width], self.facets >= 0
        part[shown] = seen[self.facets[shown], None]
        return picture


def _facets(eye: CompoundEye, forward: float) -> Ints:
    """The facet that each pixel of an eye's map shows, -1 beyond the eye; `forward` 1 draws its front on the right."""
    from scipy.spatial import cKDTree

    places = lattice_places(eye.columns) * [forward, -1.0]  # pixels count downwards
    low, high = places.min(axis=0) - TOUCH, places.max(axis=0) + TOUCH
    columns, rows = np.ceil((high - low) * FACET_PIXELS).astype(int)
    pixels = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) + 0.5
    distance, nearest = cKDTree(places).query(low + pixels / FACET_PIXELS)
    return np.where(distance <= TOUCH, nearest, -1).astype(np.int64)
