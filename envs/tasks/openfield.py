"""Open field: a mouse that explores a bright floor among four dark pillars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...bodies.pillars import Pillar
from ..arenas import Arena
from ..measures import body_axis, moving_average
from .approach import BRIGHT, EXPLORE
from .mouse_walk import MouseWalk
from .task import Names, Series

ASIDE_MM = 250.0  # mm, of the pillars along x and y: a field of 50 cm, as usual; assumed
SQUARE_MM = 25.0  # mm, side of the squares that a visited area is counted in: a body is one wide and four long
SMOOTH_S = 0.3  # s, a stride, that the heading is averaged over
NEAR_MM = 50.0  # mm from a pillar's surface


def field_of_pillars(aside_mm: float = ASIDE_MM) -> Arena:
    """A bright arena with a pillar at each corner of a square."""
    corners = [(x, y) for x in (-aside_mm, aside_mm) for y in (-aside_mm, aside_mm)]
    pillars = tuple(Pillar(x_mm=x, y_mm=y, radius_mm=15.0, height_mm=150.0) for x, y in corners)
    return Arena(medium="air", temperature_c=22.0, panorama=BRIGHT, pillars=pillars)


@dataclass(frozen=True, kw_only=True)
class OpenField(MouseWalk):
    """The drive to explore makes the mouse walk; there are no walls, so that there is no thigmotaxis to measure."""

    name: str = "openfield"
    arena: Arena = field(default_factory=field_of_pillars)
    duration_s: float = 10.0  # s
    drive: Mapping[str, float] = field(default_factory=lambda: {"explore": EXPLORE})

    BANDS: ClassVar = {}

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Those of walking, and how it explores.

        Returns:
            `path_mm`: length of the way of its middle. `turning_deg_s`: mean size of the angular velocity of the
            heading, averaged over `SMOOTH_S`. `area_mm2`: of the squares of `SQUARE_MM` that its middle was in.
            `near_share`: of the time in which its nose is within `NEAR_MM` of a pillar.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        width = round(SMOOTH_S / float(time_s[1] - time_s[0]))
        axis = body_axis(line)
        heading = moving_average(np.unwrap(np.arctan2(axis[:, 1], axis[:, 0])), width)
        middle = moving_average(line.mean(axis=1)[:, :2], width)
        squares = np.unique(np.floor(middle / SQUARE_MM).astype(np.int64), axis=0)
        gaps = [
            np.hypot(line[:, 0, 0] - pillar.x_mm, line[:, 0, 1] - pillar.y_mm) - pillar.radius_mm
            for pillar in self.arena.pillars
        ]
        found = {
            "path_mm": float(np.linalg.norm(np.diff(middle, axis=0), axis=1).sum()),
            "turning_deg_s": float(np.degrees(np.abs(np.gradient(heading, time_s)).mean())),
            "area_mm2": float(len(squares) * SQUARE_MM**2),
            "near_share": float((np.min(gaps, axis=0) <= NEAR_MM).mean()) if gaps else 0.0,
        }
        return {**super().measures(series, names), **found}
