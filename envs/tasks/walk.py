"""Walk on flat ground: six legs, driven by a constant command to walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...bodies.fly_tables import LEGS
from ..arenas import Arena
from ..gait import gait_measures
from ..measures import body_axis, signed_speed
from .task import Band, Names, Series, Task

GROUND = Arena(medium="air", temperature_c=25.0)
SETTLE_S = 0.5  # s, start of the episode that steady measures leave out: a few steps
CLIP_PHASES = {"LF": 0.0, "LM": 0.42, "LH": 0.84, "RF": 0.47, "RM": 0.92, "RH": 0.29}
"""Phases in a clip of 2 s of a real fly (spotlight_behavior_clip.npz of flygym 2.1.1; Wang-Chen et al. 2024)."""


@dataclass(frozen=True, kw_only=True)
class Walk(Task):
    """Forward walking. Both DNg100 (BDN2), which make flies walk (Pugliese et al. 2025), are driven at one strength.

    Nothing else in the task moves a leg.
    """

    name: str = "walk"
    arena: Arena = GROUND
    drive: Mapping[str, float] = field(default_factory=lambda: {"DNg100": 400.0})  # as in Pugliese et al. 2025, code

    ANIMALS: ClassVar = ("fly",)
    BANDS: ClassVar = {
        "speed_mm_s": Band(
            5, 35, "from memory: DeAngelis et al. 2019 eLife, Mendes et al. 2013 eLife; mostly 10 to 25"
        ),
        "step_frequency_hz": Band(5, 15, "10 to 11 in a 2 s clip of a real fly (flygym 2.1.1); range assumed"),
        "duty_factor": Band(0.6, 0.7, "0.65: period 135 ms, swing 42 to 51 ms, single steps of flygym; range assumed"),
        "swing_ms": Band(30, 51, "42 to 51 in the single steps of flygym; 30 to 40 in fast walking from memory"),
        "phase_error": Band(0.0, 0.2, "against the same clip; how near counts is assumed"),
        "upright": Band(0.99, 1.01, "a walking fly does not fall"),
    }

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Speed, turning and stepping after the first half second, and whether it stayed on its feet.

        Returns:
            `speed_mm_s` along the body, `travel_mm`, `turn_deg_s` (positive to the left), `upright` (share of the
            task's duration before a fall), `tilt_deg` (mean of the thorax's vertical from the world's) and
            `gait.gait_measures`.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        kept = time_s - time_s[0] >= (SETTLE_S if time_s[-1] - time_s[0] >= 2 * SETTLE_S else 0.0)
        axis = body_axis(line[kept])
        heading = np.degrees(np.unwrap(np.arctan2(axis[:, 1], axis[:, 0])))
        tilt = np.degrees(np.arccos(np.clip(series["up"][kept, 2].astype(np.float64), -1.0, 1.0)))
        return {
            **super().measures(series, names),
            "speed_mm_s": float(signed_speed(time_s[kept], line[kept]).mean()),
            "turn_deg_s": float((heading[-1] - heading[0]) / (time_s[kept][-1] - time_s[kept][0])),
            "upright": float(time_s[-1] / self.duration_s),
            "tilt_deg": float(tilt.mean()),
            **gait_measures(
                time_s[kept], series["contacts_un"][kept], series["feet_mm"][kept], LEGS, tuple(CLIP_PHASES.values())
            ),
        }
