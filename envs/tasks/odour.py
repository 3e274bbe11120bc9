"""Smell: a walking fly in the wind that carries an odour from a source; what it smells says whether to turn upwind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import atan2, hypot
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ..arenas import Arena
from ..measures import moving_average
from ..plume import PlumeField
from .task import Band, Names, Series
from .walk import SETTLE_S, Walk

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]

WIND_MM_S = (
    -100.0,
    0.0,
)  # mm/s; the plume that flies and models are tested in has 10 cm/s (Alvarez-Salvado et al. 2018)
AWAY_MM = 60.0  # mm, from the start to the source, straight upwind; in that plume it is 250 to 300, here a walk of 4 s
REACHED_MM = 20.0  # mm from the source, where that study counts an arrival
SMELT = 0.1  # concentration from which the receptor neurons answer
LEAST_PATH_MM = 10.0  # mm, four body lengths; whoever went less far has not chosen a way
SMOOTH_S = 0.2  # s, two steps of the legs, that the path is averaged over


def windy(wind_mm_s: tuple[float, float] = WIND_MM_S, away_mm: float = AWAY_MM, peak: float = 1.0) -> Arena:
    """Air that moves, with a source of odour straight upwind of the start.

    Args:
        wind_mm_s: where the air goes, mm/s along x and y.
        away_mm: from the start to the source, mm.
        peak: concentration at the source, 1 being that of the responses in DoOR; 0 for a wind that carries nothing.
    """
    speed = hypot(*wind_mm_s)
    x, y = (-away_mm * part / speed for part in wind_mm_s)
    plume = PlumeField(
        modality="olfaction",
        channel="odour_*",
        unit="",
        peak=peak,
        x_mm=x,
        y_mm=y,
        speed_mm_s=speed,
        towards_rad=atan2(wind_mm_s[1], wind_mm_s[0]),
    )
    return Arena(medium="air", temperature_c=25.0, fields=(plume,), wind_mm_s=wind_mm_s)


@dataclass(frozen=True, kw_only=True)
class Odour(Walk):
    """Walking is commanded, slowly; odour and wind may turn the fly and speed it up. It starts with any heading.

    Everything is measured from `SETTLE_S` on until it first comes within `REACHED_MM` of the source, or to the end.
    """

    name: str = "odour"
    arena: Arena = field(default_factory=windy)
    duration_s: float = 8.0  # s
    drive: Mapping[str, float] = field(default_factory=lambda: {"DNg100": 250.0})

    BANDS: ClassVar = {
        "upwind_mm_s": Band(
            3.0, 20.0, "flies run upwind in odour: Alvarez-Salvado et al. 2018 doi:10.7554/eLife.37815; range assumed"
        ),
        "upwind_index": Band(0.3, 1.0, "the same; share assumed"),
        "reached": Band(0.5, 1.0, "most of their model flies arrive in a plume; share assumed"),
    }

    def start(self, body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Turn the fly to a heading drawn from `rng`, uniform over the circle."""
        body.turn(data, float(rng.uniform(-np.pi, np.pi)))

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Those of walking, and how it goes upwind.

        Returns:
            `upwind_mm_s`: mean velocity against the wind. `ground_mm_s`: length of the path over time. `upwind_index`:
            displacement against the wind over length of the path, 1 straight upwind, 0 by chance, left out for paths
            shorter than `LEAST_PATH_MM`. `reached`: 1 or 0; `reached_s`, left out where not. `distance_least_mm`: to
            the source. `odour_share`: of the time in which an antenna smells anything, and `upwind_in_odour_mm_s` in
            that time, left out where there is none.
        """
        time_s = series["time_s"]
        path = moving_average(series["centreline_mm"].mean(axis=1)[:, :2], round(SMOOTH_S / (time_s[1] - time_s[0])))
        plume = self.arena.fields[0]
        assert isinstance(plume, PlumeField)
        away = np.hypot(path[:, 0] - plume.x_mm, path[:, 1] - plume.y_mm)
        near = away <= REACHED_MM
        end = int(near.argmax()) + 1 if near.any() else len(time_s)
        kept = slice(min(int(np.searchsorted(time_s, time_s[0] + SETTLE_S)), max(end - 2, 0)), end)
        velocity = np.gradient(path, time_s, axis=0)[kept]
        upwind = -velocity @ np.asarray(self.arena.wind_mm_s) / plume.speed_mm_s
        smelt = series["field"][kept, :2].max(axis=1) >= SMELT
        ground = float(np.linalg.norm(velocity, axis=1).mean())
        found = {
            "upwind_mm_s": float(upwind.mean()),
            "ground_mm_s": ground,
            "reached": float(near.any()),
            "distance_least_mm": float(away.min()),
            "odour_share": float(smelt.mean()),
        }
        if ground * (time_s[kept][-1] - time_s[kept][0]) >= LEAST_PATH_MM:
            found["upwind_index"] = found["upwind_mm_s"] / ground
        if near.any():
            found["reached_s"] = float(time_s[end - 1])
        if smelt.any():
            found["upwind_in_odour_mm_s"] = float(upwind[smelt].mean())
        return {**super().measures(series, names), **found}
