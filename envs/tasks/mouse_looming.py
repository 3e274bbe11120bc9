"""Escape of a mouse: a dark ball comes down on it from above, to the left or to the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ..arenas import Arena
from ..measures import body_axis, moving_average, signed_speed
from ..panorama import looming_ball
from .approach import BRIGHT, EXPLORE
from .mouse_walk import MouseWalk
from .task import Band, Names, Series

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]

CONTACT_S = 1.5  # s, when the ball's centre would arrive where the mouse began
L_OVER_V_S = 0.1  # s, radius over speed; the disc of Yilmaz & Meister 2013 grows from 2 to 20 deg in 0.25 s
RADIUS_MM = 150.0  # mm, so large that a mouse that walks on is still under it at contact; assumed
AZIMUTH_DEG, ELEVATION_DEG = 60.0, 50.0  # deg to the side of the nose and above the horizon: one eye sees it; assumed
ALARM = 0.5  # of the full output of the escape cells of the colliculus; assumed
RUNNING = 1.5  # times the command before the ball has grown, from which the mouse is told to run; assumed
STILL_MM_S = 10.0  # mm/s, slower is standing still; assumed
STILL_S = 0.2  # s, that freezing lasts at least; assumed
SMOOTH_S = 0.1  # s, that the speed is averaged over
BEFORE_S = (0.3, 0.7)  # s, of an episode: the steady state before the ball has grown


def overhead() -> Arena:
    """A bright arena with a ball on a collision course."""
    ball = looming_ball(
        azimuth_deg=AZIMUTH_DEG,
        l_over_v_s=L_OVER_V_S,
        radius_mm=RADIUS_MM,
        contact_s=CONTACT_S,
        elevation_deg=ELEVATION_DEG,
        behind=BRIGHT,
    )
    return Arena(medium="air", temperature_c=22.0, panorama=ball)


@dataclass(frozen=True, kw_only=True)
class MouseLooming(MouseWalk):
    """The drive to explore makes the mouse walk; the ball may make it run, turn away or stand still.

    The ball comes from one side of the world; the mouse starts so that it is on its left or its right, by the seed.
    """

    name: str = "looming"
    arena: Arena = field(default_factory=overhead)
    duration_s: float = 2.0  # s
    drive: Mapping[str, float] = field(default_factory=lambda: {"explore": EXPLORE})

    BANDS: ClassVar = {
        "alarm": Band(0.5, 1.0, "mice react to what looms overhead: Yilmaz & Meister 2013 10.1016/j.cub.2013.08.015"),
    }

    def start(self, body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Leave the mouse as it is, the ball on its left, or turn it so that it is as far to its right."""
        body.turn(data, float(np.radians(AZIMUTH_DEG) * rng.choice((0.0, 2.0))))

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Those of walking, and what the ball makes of it before the moment of contact.

        Returns:
            `alarm`: 1 if an escape cell of the colliculus passes `ALARM` of its output before contact, else 0;
            `alarm_before_contact_ms`, `escape_before_contact_ms` (the mean command passes `RUNNING` times what it was)
            and `freeze_before_contact_ms` (the beginning of `STILL_S` below `STILL_MM_S`), each left out where it does
            not come before contact. `escape_speed_mm_s`: greatest speed until the end. `turn_away_deg`: from where the
            nose pointed when the ball began to grow to where it points at the end, away from the ball's side.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        axis = body_axis(line)
        heading = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
        speed = moving_average(signed_speed(time_s, line), round(SMOOTH_S / float(time_s[1] - time_s[0])))
        side = 1.0 if heading[0] < np.radians(AZIMUTH_DEG) else -1.0  # 1: the ball is on the left
        early = int(np.searchsorted(time_s, min(BEFORE_S[1], time_s[-1])))
        found = {
            "turn_away_deg": float(np.degrees(-side * (heading[-1] - heading[early]))),
            "escape_speed_mm_s": float(speed[early:].max()),
        }
        still = np.abs(speed) < STILL_MM_S
        width = max(1, round(STILL_S / float(time_s[1] - time_s[0])))
        lasting = np.convolve(still, np.ones(width))[width - 1 :] >= width
        found |= before("freeze_before_contact_ms", time_s, lasting & (time_s > BEFORE_S[1]))
        return {**super().measures(series, names), **found, **_brain(series, names)}


def before(name: str, time_s: Floats, true: Any) -> dict[str, float]:
    """How long before contact something is first true, ms; nothing where it is not."""
    first = np.flatnonzero(true & (time_s < CONTACT_S))
    return {name: 1e3 * (CONTACT_S - float(time_s[first[0]]))} if first.size else {}


def _brain(series: Series, names: Names) -> dict[str, float]:
    cells = [k for k, kind in enumerate(names["types"]) if kind == "SCm-escape"]
    commanded = [k for k, name in enumerate(names["neurons"]) if name in ("command_L", "command_R")]
    if "release" not in series or not commanded:
        return {}
    time_s, release = series["time_s"], series["release"]
    alarm = before("alarm_before_contact_ms", time_s, (release[:, cells] > ALARM).any(axis=1))
    told = release[:, commanded].mean(axis=1)
    calm = (time_s >= BEFORE_S[0]) & (time_s < BEFORE_S[1])
    usual = float(told[calm].mean()) if calm.any() else float("inf")
    run = (told > RUNNING * usual) & (time_s >= BEFORE_S[1])
    return {"alarm": float(bool(alarm)), **alarm, **before("escape_before_contact_ms", time_s, run)}
