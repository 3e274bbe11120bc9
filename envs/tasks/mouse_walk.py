"""Walk on flat ground: four legs, driven by a constant command to the spinal cord."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...bodies.mouse_tables import LEGS
from ..arenas import Arena
from ..gait import gait_measures
from ..hindlimb import hindlimb_measures
from ..measures import body_axis, signed_speed
from .task import Band, Names, Series, Task

GROUND = Arena(medium="air", temperature_c=22.0)
WEIGHT_UN = 25.0 * 9810.0  # uN, of a mouse of 25 g
SETTLE_S = 1.0  # s, start of the episode that steady measures leave out: three steps
LEAST_S = 0.03  # s, shorter stances and swings are chatter: a swing lasts 107 +- 37 ms on the treadmill
CORD_PHASES = (0.0, 0.5, 0.35, 0.85)  # of LH, RH, LF, RF: the cord of Danner et al. 2017 at drive 0.12
WALKING = 0.12  # drive alpha at which that cord steps as often as the measured mice
TREADMILL = "dannerlab/locomotion-analysis (MIT): 266 strides of wild-type mice on a level treadmill at 0.155 m/s"


@dataclass(frozen=True, kw_only=True)
class MouseWalk(Task):
    """Forward walking. Both sides of the cord get one command; nothing else in the task moves a leg.

    The drive is alpha of the published cord: `--drive command=0.2`, or `command_L=0.12,command_R=0.1` to turn.
    """

    name: str = "walk"
    arena: Arena = GROUND
    drive: Mapping[str, float] = field(default_factory=lambda: {"command": WALKING})

    ANIMALS: ClassVar = ("mouse",)
    BANDS: ClassVar = {
        "speed_mm_s": Band(100, 220, "155 on the treadmill, 90 +- 50 in Bellardita & Kiehn 2015; range assumed"),
        "step_frequency_hz": Band(2.58, 3.78, f"3.18 +- 0.6: {TREADMILL}"),
        "duty_factor": Band(0.57, 0.77, f"0.670 +- 0.1: {TREADMILL}"),
        "upright": Band(0.999, 1.001, "a walking mouse does not fall"),
        "hip_r": Band(0.6, 1.0, f"mean cycle of {TREADMILL}; how close counts is assumed"),
        "knee_r": Band(0.6, 1.0, "as the hip"),
        "ankle_r": Band(0.6, 1.0, "as the hip"),
    }

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Speed, heading and stepping after the first second, and whether it stayed on its feet.

        Returns:
            `speed_mm_s` along the body, `travel_mm`, `turn_deg_s` (positive to the left), `heading_deg` (how far its
            way went off where it started to look), `upright` (share of the task's duration before a fall), `tilt_deg`
            (mean of the thorax's vertical from the world's), `gait.gait_measures` and `hindlimb.hindlimb_measures`.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        kept = time_s - time_s[0] >= (SETTLE_S if time_s[-1] - time_s[0] >= 2 * SETTLE_S else 0.0)
        axis = body_axis(line[kept])
        heading = np.degrees(np.unwrap(np.arctan2(axis[:, 1], axis[:, 0])))
        tilt = np.degrees(np.arccos(np.clip(series["up"][kept, 2].astype(np.float64), -1.0, 1.0)))
        contacts = series["contacts_un"][kept]
        return {
            **super().measures(series, names),
            "speed_mm_s": float(signed_speed(time_s[kept], line[kept]).mean()),
            "turn_deg_s": float((heading[-1] - heading[0]) / (time_s[kept][-1] - time_s[kept][0])),
            "heading_deg": float(heading[-1]),
            "upright": float(time_s[-1] / self.duration_s),
            "tilt_deg": float(tilt.mean()),
            **gait_measures(time_s[kept], contacts, series["feet_mm"][kept], LEGS, CORD_PHASES, WEIGHT_UN, LEAST_S),
            **hindlimb_measures({name: values[kept] for name, values in series.items()}, names, WEIGHT_UN, LEAST_S),
        }
