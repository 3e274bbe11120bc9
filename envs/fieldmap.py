"""How a field is drawn in a video: contours under the animal, and a small map of the plate with its path so far."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .camera import Tube
from .fields import Field, GaussianField
from .overlay import INK, PAPER, font

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

LEVELS = 12  # contours over the range that the path meets
LINE_PIXELS = 0.9  # half the width of a contour
NODES = 40  # of the grid that contours are computed on, along each side of the view
LOW, HIGH = np.array([0.960, 0.945, 0.915]), np.array([0.55, 0.72, 0.70])  # colours of the least and the most
CONTOUR = np.array([0.52, 0.67, 0.66])
MAP_PIXELS = 150
MAP_MARGIN = 0.15  # of the map's side, kept free round the path and the peak
PATH_POINTS = 300  # of the path on the map


class FieldMap:
    """A field as it looks along one path.

    Args:
        field: what is drawn.
        path_mm: where the animal goes, mm, shape (T, 2 or more).
    """

    def __init__(self, field: Field, path_mm: Floats) -> None:
        self.field, self.path = field, path_mm[:, :2]
        marks = [self.path, np.zeros((1, 2))]
        self.peak = np.array([field.x_mm, field.y_mm]) if isinstance(field, GaussianField) else None
        if self.peak is not None:
            marks.append(self.peak[None])
        places = np.concatenate(marks)
        low, high = places.min(axis=0), places.max(axis=0)
        self.side = max(float((high - low).max()), 1.0) * (1 + 2 * MAP_MARGIN)  # mm
        self.corner = (low + high) / 2 - self.side / 2
        values = field.values(places)
        self.step = float(np.ptp(values)) / LEVELS
        self._picture = self._background()

    def contours(self, centre_mm: Floats, view_mm: float, depth_mm: float, pixels_per_mm: float) -> list[Tube]:
        """Lines of equal value within `view_mm` of a place, to be drawn flat `depth_mm` below it."""
        from contourpy import contour_generator

        if not self.step > 0:
            return []
        # whole steps of the grid, or the lines would tremble as the camera moves
        grid = view_mm / NODES
        first = np.floor((centre_mm[:2] - view_mm / 2) / grid)
        x, y = (grid * (start + np.arange(NODES + 2)) for start in first)
        values = self.field.values(np.stack(np.meshgrid(x, y), axis=-1))
        lines = contour_generator(x, y, values)
        wanted = np.arange(np.ceil(values.min() / self.step), np.floor(values.max() / self.step) + 1) * self.step
        width, level = LINE_PIXELS / pixels_per_mm, centre_mm[2] - depth_mm
        return [_flat(np.asarray(line), level, width) for value in wanted for line in lines.lines(value)]

    def at(self, step: int) -> tuple[Frame, list[tuple[float, float]]]:
        """The map, shape (MAP_PIXELS, MAP_PIXELS, 3), and the path up to a step in its pixels."""
        rows = np.unique(np.linspace(0, step, PATH_POINTS).astype(int))
        return self._picture, [(x, y) for x, y in self._pixels(self.path[rows]).tolist()]

    def _pixels(self, places_mm: Floats) -> Floats:
        unit = (places_mm - self.corner) / self.side
        return np.stack([unit[..., 0], 1 - unit[..., 1]], axis=-1) * MAP_PIXELS

    def _background(self) -> Frame:
        from PIL import Image, ImageDraw

        along = (np.arange(MAP_PIXELS) + 0.5) / MAP_PIXELS * self.side
        places = np.stack(np.meshgrid(self.corner[0] + along, self.corner[1] + along[::-1]), axis=-1)
        values = self.field.values(places)
        share = ((values - values.min()) / (np.ptp(values) or 1.0))[..., None]
        image = Image.fromarray(np.round(255 * (LOW * (1 - share) + HIGH * share)).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        if self.peak is not None:
            x, y = self._pixels(self.peak).tolist()
            draw.line((x - 5, y, x + 5, y), fill=PAPER, width=2)
            draw.line((x, y - 5, x, y + 5), fill=PAPER, width=2)
        draw.text((6, MAP_PIXELS - 5), f"{self.side:.0f} mm", fill=INK, font=font(11), anchor="ls")
        return np.asarray(image)


def _flat(line: Floats, level_mm: float, width_mm: float) -> Tube:
    points = np.column_stack([line, np.full(len(line), level_mm)])
    return Tube(points=points, radii=np.full(len(line), width_mm), colours=np.broadcast_to(CONTOUR, points.shape))
