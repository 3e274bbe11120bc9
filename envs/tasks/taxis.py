"""Taxis: a plate with a goal on one side and a control place on the other, and the animal half-way between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ..steering import steering
from .worm_task import WormTask

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Taxis(WormTask):
    """The animal starts at the origin with a random heading, as far from the goal as from the control place.

    The index of a plate is (worms at the goal - worms at the control place) / all worms, counted once (Ward 1973;
    Bargmann & Horvitz 1991). One worm has two forms of it here. `index_at_end` is 1, -1 or 0, and its mean over
    episodes is the plate's index. `taxis_index` is time at the goal less time at the control place over all time: the
    mean of the plate's index over the moments at which it might have been counted, so that a few episodes say as much
    as many worms. A worm that ignores the field has a mean of 0 in both, because the two places are alike to it.
    """

    distance_mm: float = 5.0  # mm, from the start to the goal, along x; the control place is as far the other way
    region_mm: float = 2.5  # mm, how far the goal and the control place reach; assumed
    attraction: float = 1.0  # 1 where more of the field is the goal, -1 where less is

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.region_mm <= self.distance_mm:
            raise ValueError(
                f"task {self.name!r}: region_mm ({self.region_mm} mm) must be above 0 and at most distance_mm"
                f" ({self.distance_mm} mm), or the goal and the control place overlap"
            )
        if not self.arena.fields:
            raise ValueError(f"task {self.name!r}: the arena has no field to steer by")

    def start(self, body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Turn the animal to a heading drawn from `rng`, uniform over the circle."""
        body.turn(data, float(rng.uniform(-np.pi, np.pi)))

    def away(self, places_mm: Floats, side: float) -> Floats:
        """Distance to the goal (side 1) or the control place (side -1), mm, shape (...)."""
        raise NotImplementedError

    def track_measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Distance, index and steering; the field of the arena that comes first is what is steered by."""
        centroid = centreline_mm.mean(axis=1)
        goal = self.away(centroid, 1.0)
        inside = (goal <= self.region_mm).astype(np.float64) - (self.away(centroid, -1.0) <= self.region_mm)
        return {
            "taxis_index": float(inside.mean()),
            "index_at_end": float(inside[-1]),
            "distance_start_mm": float(goal[0]),
            "distance_end_mm": float(goal[-1]),
            "distance_least_mm": float(goal.min()),
            **steering(time_s, centreline_mm, self.arena.fields[0], self.attraction),
        }
