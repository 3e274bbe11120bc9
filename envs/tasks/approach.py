"""Approach: a dark pillar stands ahead to the left or to the right of a mouse that walks; it may walk to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ...bodies.pillars import Pillar
from ..arenas import Arena
from ..measures import body_axis
from ..panorama import SkyAndGround
from .mouse_walk import MouseWalk
from .task import Band, Names, Series

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]

AWAY_MM = 400.0  # mm, from the start to the axis of the target: four body lengths; assumed
ASIDE_DEG = 60.0  # deg, of the target from the nose at the start: one eye sees it; assumed
TARGET = Pillar(x_mm=AWAY_MM, y_mm=0.0, radius_mm=30.0, height_mm=250.0, shade=0.05)
REACHED_MM = 20.0  # mm from the target's surface to the nose: whiskers touch it
BRIGHT = SkyAndGround(sky=0.7, ground=0.7)  # walls, sky and floor of one brightness: nothing but the target stands out
EXPLORE = 0.4  # what makes the mouse walk: `TectumSettings.explore`


def with_target(target: Pillar = TARGET) -> Arena:
    """A bright arena in which one pillar stands."""
    return Arena(medium="air", temperature_c=22.0, panorama=BRIGHT, pillars=(target,))


@dataclass(frozen=True, kw_only=True)
class Approach(MouseWalk):
    """The drive to explore makes the mouse walk; where to is left to what it sees.

    The target is straight along x; the mouse starts turned from it by `aside_deg`, to a side drawn from the seed.
    """

    name: str = "approach"
    arena: Arena = field(default_factory=with_target)
    duration_s: float = 5.5  # s, about what the way takes at a walk
    drive: Mapping[str, float] = field(default_factory=lambda: {"explore": EXPLORE})
    aside_deg: float = ASIDE_DEG

    BANDS: ClassVar = {
        "approach_index": Band(0.5, 1.0, "1 is at the target, 0 never nearer than at the start; how near is assumed"),
        "heading_error_deg": Band(0.0, 30.0, "60 is the start; how near counts is assumed"),
    }

    def start(self, body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Turn the mouse from the target, to the left or to the right."""
        body.turn(data, float(np.radians(self.aside_deg) * rng.choice((-1.0, 1.0))))

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Those of walking, and how near it comes to the target and how well it looks at it.

        Returns:
            `approach_index`: share of the distance between nose and target at the start that is gone where they are
            nearest, 0 to 1; `approach_end`: the same at the end, below 0 for farther. `reached`: 1 or 0.
            `heading_error_deg`: mean over time of the angle between body axis and the way to the target, and
            `heading_error_end_deg`. `turn_to_target_deg`: by how much the body has turned to the side of the target.
            `steering`: mean over time of the command on the side away from the target less that on its side, which
            turns the mouse to it (drive of the cord; only with a brain inside).
        """
        target = self.arena.pillars[0]
        way = np.array([target.x_mm, target.y_mm]) - series["centreline_mm"][:, 0, :2]
        gap = np.maximum(np.linalg.norm(way, axis=1) - target.radius_mm, 0.0)
        axis = body_axis(series["centreline_mm"])[:, :2]
        error = wrapped(np.arctan2(way[:, 1], way[:, 0]) - np.arctan2(axis[:, 1], axis[:, 0]))
        heading = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
        side = 1.0 if error[0] > 0 else -1.0  # 1: the target is on the left
        found = {
            "approach_index": float((gap[0] - gap.min()) / gap[0]),
            "approach_end": float((gap[0] - gap[-1]) / gap[0]),
            "reached": float(gap.min() <= REACHED_MM),
            "heading_error_deg": float(np.degrees(np.abs(error).mean())),
            "heading_error_end_deg": float(np.degrees(abs(error[-1]))),
            "turn_to_target_deg": float(np.degrees(side * (heading[-1] - heading[0]))),
        }
        left, right = commands(series, names)
        if left.size:
            found["steering"] = float(side * (right - left).mean())
        return {**super().measures(series, names), **found}


def commands(series: Series, names: Names) -> tuple[Floats, Floats]:
    """Drive of the left and the right half of the cord, shape (T,) each; empty without the mouse's brain inside."""
    neurons = list(names["neurons"])
    if "release" not in series or "command_L" not in neurons:
        return np.zeros(0), np.zeros(0)
    left, right = (series["release"][:, neurons.index(f"command_{side}")].astype(np.float64) for side in "LR")
    return left, right


def wrapped(angle_rad: Floats) -> Floats:
    """Angles from -pi to pi."""
    around: Floats = (angle_rad + np.pi) % (2 * np.pi) - np.pi
    return around
