"""The optomotor response: a walking fly in a striped drum that turns to and fro."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arenas import Arena
from ..measures import body_axis
from ..panorama import Drum
from .task import Band, Names, Series
from .walk import Walk

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Swaying:
    """A drum that turns left for a time and then right for as long, again and again."""

    drum: Drum
    half_s: float  # s, of each way

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness in world directions (m, 3), shape (m,)."""
        within = time_s % (2 * self.half_s)
        return self.drum.luminance(directions, position_mm, min(within, 2 * self.half_s - within))

    def way(self, time_s: Floats) -> Floats:
        """1 while it turns left, -1 while it turns right, shape (T,)."""
        return np.where(time_s % (2 * self.half_s) < self.half_s, 1.0, -1.0)


DRUM = Swaying(drum=Drum(period_deg=30.0, speed_deg_s=30.0), half_s=2.0)  # 1 Hz, where the response of flies is largest
INSIDE = Arena(medium="air", temperature_c=25.0, panorama=DRUM)
SETTLE_S = 0.5  # s after each reversal of the drum that are left out


@dataclass(frozen=True, kw_only=True)
class Turn(Walk):
    """Follow the drum: a fly that turns with its surround sees less of it move. Walking itself is commanded."""

    name: str = "turn"
    arena: Arena = INSIDE
    duration_s: float = 12.0  # s, three times to and fro
    drive: Mapping[str, float] = field(default_factory=lambda: {"DNg100": 400.0})

    BANDS: ClassVar = {
        "optomotor_gain": Band(
            0.1, 1.2, "with the drum, less than it: Goetz & Wenking 1973 J. Comp. Physiol. 85:235; from memory"
        ),
    }

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Those of walking, and how the fly turned with the drum.

        Returns:
            `optomotor_deg_s`: mean turning in the direction of the drum; `optomotor_gain`: that over the drum's speed.
        """
        time_s = series["time_s"]
        axis = body_axis(series["centreline_mm"])
        heading = np.degrees(np.unwrap(np.arctan2(axis[:, 1], axis[:, 0])))
        turning = np.gradient(heading, time_s)
        scene = self.arena.panorama
        assert isinstance(scene, Swaying)
        kept = time_s % scene.half_s >= SETTLE_S
        way = scene.way(time_s)
        sides = [turning[kept & (way == side)] for side in (1.0, -1.0)]
        following = float(sides[0].mean() - sides[1].mean()) / 2 if all(side.size for side in sides) else float("nan")
        return {
            **super().measures(series, names),
            "optomotor_deg_s": following,
            "optomotor_gain": following / scene.drum.speed_deg_s,
        }
