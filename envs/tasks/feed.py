"""Feeding: a walking fly comes upon a patch of sugar, stops and puts its proboscis out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...bodies.fly_tables import LEGS
from ..arenas import Arena
from ..fields import PatchField
from ..measures import signed_speed
from .task import Band, Names, Series, Task

# 100 mM sucrose is what feeding assays offer. Size and place are assumed: a walk begins with a jerk that may turn it
# by 40 degrees, and the patch is wide enough for that.
SUGAR = PatchField(modality="taste", channel="taste_*_sugar", unit="mM", value=100.0, radius_mm=10.0, x_mm=13.0)
PATCH = Arena(medium="air", temperature_c=25.0, fields=(SUGAR,))
OUT = 0.3  # activation of the rostrum's extensor above which the proboscis is on its way out; assumed
LATE_S = 2.0  # s, end of the episode in which it should stand and feed


@dataclass(frozen=True, kw_only=True)
class Feed(Task):
    """Walking is commanded; what the feet taste stops it, and moves the proboscis."""

    name: str = "feed"
    arena: Arena = PATCH
    duration_s: float = 5.0  # s
    drive: Mapping[str, float] = field(default_factory=lambda: {"DNg100": 400.0})

    ANIMALS: ClassVar = ("fly",)
    BANDS: ClassVar = {
        "feeding_share": Band(0.5, 1.0, "hungry flies extend the proboscis to sugar on the feet; share assumed"),
        "late_speed_mm_s": Band(-1.0, 1.0, "and stand while they eat; range assumed"),
    }

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Where the fly ends and what its proboscis does.

        Returns:
            `feeding_share`: share of the last `LATE_S` in which a foot is on sugar and the extensor of the rostrum is
            active; `late_speed_mm_s`: mean speed then; `first_taste_s`: when a foot first touched the sugar,
            left out where none did.
        """
        time_s = series["time_s"]
        feet = series["feet_mm"]
        taste = np.array([[SUGAR.at(*foot) > 0 for foot in moment] for moment in feet.astype(np.float64)])
        assert taste.shape[1] == len(LEGS)
        muscle = list(names["effectors"]).index("rostrum_extensor")
        eating = taste.any(axis=1) & (series["activation"][:, muscle] > OUT)
        late = time_s > time_s[-1] - LATE_S
        speed = signed_speed(time_s, series["centreline_mm"])
        found = {"feeding_share": float(eating[late].mean()), "late_speed_mm_s": float(speed[late].mean())}
        if taste.any():
            found["first_taste_s"] = float(time_s[int(taste.any(axis=1).argmax())])
        return {**super().measures(series, names), **found}
