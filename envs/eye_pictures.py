"""What an animal's eyes see, as two pictures of lines: the left eye's on the left, the animal's left at its left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..bodies.eyes import PictureEye

Frame = npt.NDArray[np.uint8]

POINT_PIXELS = 4  # of a point of an eye
BETWEEN = 8  # pixels between the eyes


class EyePictures:
    """Pictures of the brightness of every point.

    Args:
        eyes: left and right.
    """

    def __init__(self, eyes: Sequence[PictureEye]) -> None:
        self.eyes = tuple(eyes)

    def drawn(self, view: Frame, seen: npt.NDArray[np.uint8], left: int, top: int) -> Frame:
        """A copy of the view with the pictures on it.

        Args:
            view: shape (height, width, 3).
            seen: brightness of every point, left eye then right eye, 0 to 255.
            left: pixels from the left edge to the pictures.
            top: pixels from the upper edge.
        """
        picture, first = view.copy(), 0
        for eye in self.eyes:
            points = seen[first : first + eye.n].reshape(eye.height, eye.width)
            points = points.repeat(POINT_PIXELS, axis=0).repeat(POINT_PIXELS, axis=1)
            picture[top : top + points.shape[0], left : left + points.shape[1]] = points[..., None]
            first, left = first + eye.n, left + points.shape[1] + BETWEEN
        return picture
