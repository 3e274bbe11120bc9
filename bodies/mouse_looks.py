"""How the mouse looks: colours, and shapes that are drawn but neither weigh nor touch anything.

Their half axes, mm, are assumed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .mouse_tables import Floats, place

Colour = tuple[float, float, float, float]

FUR, SKIN = (0.43, 0.34, 0.27, 1.0), (0.87, 0.68, 0.63, 1.0)
COLOURS: dict[str, Colour] = {
    "floor": (0.90, 0.90, 0.88, 1),
    "fur": FUR,
    "belly": (0.60, 0.52, 0.45, 1),
    "skin": SKIN,
    "nose": (0.80, 0.50, 0.50, 1),
    "eye": (0.03, 0.03, 0.04, 1),
    "glint": (0.95, 0.95, 0.97, 1),
    "whisker": (0.25, 0.22, 0.20, 1),
    "tail": (0.72, 0.55, 0.50, 1),
}
GROUP = 2  # of all the animal's geoms: drawn by default, and left out of the rays of its whiskers


def decorate_head(head: Any, origin: Floats) -> None:
    """Eyes, ears and nose on the head, whose frame is at `origin`."""
    _ball(head, "fur", np.array([44.0, 0, 2.4]) - origin, [8.5, 6.2, 5.6])
    _ball(head, "nose", place("nose") - origin - [0.6, 0, 0], [1.1, 1.3, 1.0])
    for side in (1.0, -1.0):
        mirror = np.array([1.0, side, 1.0])
        eye, ear = place("eye") * mirror - origin, place("ear") * mirror - origin
        _ball(head, "eye", eye, [1.7, 1.3, 1.7])
        _ball(head, "glint", eye + np.array([0.7, 0.9 * side, 0.9]), [0.35, 0.35, 0.35])
        tilt = [0.955, -0.17 * side, 0.0, 0.35 * side]
        _ball(head, "fur", ear, [2.0, 5.0, 5.8], tilt)
        _ball(head, "skin", ear + np.array([0.9, 0.2 * side, -0.2]), [1.4, 4.0, 4.8], tilt)


def decorate_trunk(thorax: Any, pelvis: Any, thorax_origin: Floats, pelvis_origin: Floats) -> None:
    """A thick neck, one arched back over the joint of the spine, a paler belly, and a round rump."""
    _ball(thorax, "fur", np.array([24.5, 0, 2.8]) - thorax_origin, [13.5, 8.9, 8.7])
    _ball(thorax, "fur", np.array([-7.0, 0, 3.0]) - thorax_origin, [27.0, 11.9, 12.6])
    _ball(thorax, "belly", np.array([-4.0, 0, -2.2]) - thorax_origin, [25.0, 9.8, 9.2])
    _ball(pelvis, "fur", np.array([-22.0, 0, 1.2]) - pelvis_origin, [16.5, 12.8, 12.6])


def decorate_leg(body: Any, segment: str, middle: Floats, side: float) -> None:
    """The muscles of a thigh or an upper arm, which hide its bone."""
    shapes = {
        "thigh": ([9.5, 4.2, 7.4], 0.35, [-1.5, 2.6, 1.5]),
        "upper_arm": ([6.8, 2.9, 4.9], -0.39, [0.5, 0.3, 1.0]),
    }
    if segment in shapes:
        half, tilt, shift = shapes[segment]
        where = middle + np.array(shift) * [1.0, side, 1.0]
        _ball(body, "fur", where, half, [np.cos(tilt), 0.0, np.sin(tilt), 0.0])


def draw_whisker(head: Any, start: Floats, end: Floats) -> None:
    """A whisker as a thin line."""
    import mujoco

    _drawn(head, mujoco.mjtGeom.mjGEOM_CAPSULE, "whisker", fromto=[*start, *end], size=[0.07, 0, 0])


def _ball(body: Any, colour: str, where: Floats, half: list[float], quat: list[float] | None = None) -> None:
    import mujoco

    turned = {} if quat is None else {"quat": quat}
    _drawn(body, mujoco.mjtGeom.mjGEOM_ELLIPSOID, colour, pos=where, size=half, **turned)


def _drawn(body: Any, kind: Any, colour: str, **shape: Any) -> None:
    geom = body.add_geom(type=kind, contype=0, conaffinity=0, mass=0, group=GROUP, **shape)
    geom.rgba = COLOURS[colour]
