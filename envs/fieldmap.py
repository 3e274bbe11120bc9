"""How a field is drawn in a video: contours under the animal, and a small map of the plate with its path so far."""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from .camera import Tube
from .fields import Field, GaussianField
from .overlay import INK, PAPER, font
from .plume import PlumeField

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
        pixels: height and width of the map.
    """

    def __init__(self, field: Field, path_mm: Floats, pixels: int = MAP_PIXELS) -> None:
        self.pixels, self.field, self.path = pixels, field, path_mm[:, :2]
        marks = [self.path, np.zeros((1, 2))]
        self.peak = np.array([field.x_mm, field.y_mm]) if isinstance(field, GaussianField | PlumeField) else None
        if self.peak is not None:
            marks.append(self.peak[None])
        places = np.concatenate(marks)
        low, high = places.min(axis=0), places.max(axis=0)
        self.side = max(float((high - low).max()), 1.0) * (1 + 2 * MAP_MARGIN)  # mm
        self.corner = (low + high) / 2 - self.side / 2
        values = field.values(places)
        self.step = float(np.ptp(values)) / LEVELS
        self._picture = self._background(0.0)

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

    def at(self, step: int, time_s: float = 0.0) -> tuple[Frame, list[tuple[float, float]]]:
        """The map at a time, shape (pixels, pixels, 3), and the path up to a step in its pixels."""
        rows = np.unique(np.linspace(0, step, PATH_POINTS).astype(int))
        return self._picture if self.field.STEADY else self._background(time_s), [
            (x, y) for x, y in self._pixels(self.path[rows]).tolist()
        ]

    def _pixels(self, places_mm: Floats) -> Floats:
        unit = (places_mm - self.corner) / self.side
        return np.stack([unit[..., 0], 1 - unit[..., 1]], axis=-1) * self.pixels

    def _background(self, time_s: float) -> Frame:
        from PIL import Image, ImageDraw

        along = (np.arange(self.pixels) + 0.5) / self.pixels * self.side
        places = np.stack(np.meshgrid(self.corner[0] + along, self.corner[1] + along[::-1]), axis=-1)
        values = self.field.values(places, time_s)
        low, high = (0.0, self.field.peak) if isinstance(self.field, PlumeField) else (values.min(), values.max())
        share = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)[..., None]
        image = Image.fromarray(np.round(255 * (LOW * (1 - share) + HIGH * share)).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        if self.peak is not None:
            x, y = self._pixels(self.peak).tolist()
            draw.line((x - 5, y, x + 5, y), fill=PAPER, width=2)
            draw.line((x, y - 5, x, y + 5), fill=PAPER, width=2)
        draw.text((6, self.pixels - 5), f"{self.side:.0f} mm", fill=INK, font=font(11), anchor="ls")
        if isinstance(self.field, PlumeField):
            _arrow(draw, self.field)
        return np.asarray(image)


def _arrow(draw: Any, plume: PlumeField) -> None:
    """Which way the wind goes, in the upper left corner, and how fast."""
    along = np.array([cos(plume.towards_rad), -sin(plume.towards_rad)])
    middle, across = np.array([18.0, 18.0]), np.array([-along[1], along[0]])
    tail, head = middle - 11 * along, middle + 11 * along
    draw.line((*tail, *head), fill=INK, width=2)
    draw.polygon([tuple(head + 3 * along), *(tuple(head - 4 * along + side * across) for side in (4, -4))], fill=INK)
    draw.text((34, 22), f"wind {plume.speed_mm_s:.0f} mm/s", fill=INK, font=font(11), anchor="ls")


def _flat(line: Floats, level_mm: float, width_mm: float) -> Tube:
    points = np.column_stack([line, np.full(len(line), level_mm)])
    return Tube(points=points, radii=np.full(len(line), width_mm), colours=np.broadcast_to(CONTOUR, points.shape))
