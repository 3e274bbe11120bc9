"""How the fly looks: colours, and shapes that are drawn but neither weigh nor touch anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Colour = tuple[float, float, float, float]

COLOURS: dict[str, Colour] = {
    "floor": (0.93, 0.92, 0.89, 1),
    "thorax": (0.58, 0.40, 0.20, 1),
    "head": (0.70, 0.52, 0.28, 1),
    "abdomen": (0.80, 0.63, 0.33, 1),
    "band": (0.22, 0.14, 0.09, 1),
    "bristle": (0.12, 0.09, 0.07, 1),
    "eye": (0.66, 0.08, 0.05, 1),
    "antenna": (0.80, 0.62, 0.36, 1),
    "rostrum": (0.74, 0.58, 0.36, 1),
    "haustellum": (0.62, 0.44, 0.26, 1),
    "wing": (0.80, 0.85, 0.90, 0.35),
    "vein": (0.36, 0.28, 0.18, 0.85),
    "haltere": (0.94, 0.88, 0.68, 1),
    "coxa": (0.76, 0.57, 0.31, 1),
    "femur": (0.74, 0.55, 0.29, 1),
    "tibia": (0.70, 0.51, 0.27, 1),
    "tarsus": (0.58, 0.42, 0.23, 1),
    "claw": (0.42, 0.30, 0.18, 1),
}
BANDS = (-0.30, 0.05, 0.38, 0.66, 0.86)  # where the dark hind edges of the tergites are, half lengths behind the middle
WING_FOLD = 0.22  # rad, by which a folded blade turns inwards, assumed
VEINS = ((0.95, 0.55), (0.97, 0.20), (0.95, -0.10), (0.80, -0.45))  # where the long veins end, in half axes
BRISTLES = ((-0.25, 0.55), (0.15, 0.60), (0.55, 0.45))  # of the back, in half axes of the thorax


def decorate(body: Any, part: str, place: Floats, half: Floats, side: float) -> None:
    """Draw what belongs to a part.

    Args:
        body: what it is drawn on.
        part: the part's name in the tables.
        place: its middle in the body's frame, mm, shape (3,).
        half: its half axes, mm, shape (3,).
        side: 1 on the left, -1 on the right.
    """
    draw = {"thorax": _thorax, "head": _head, "abdomen": _abdomen, "wing": _wing, "antenna": _antenna}.get(part)
    if draw is not None:
        draw(body, place, half, side)


def _thorax(body: Any, place: Floats, half: Floats, side: float) -> None:
    _ball(body, "thorax", place + half * [-0.86, 0, 0.50], half * [0.28, 0.45, 0.26])  # the scutellum
    for ahead, out in BRISTLES:
        for left in (1, -1):
            root = place + half * [-ahead, left * out, np.sqrt(1 - ahead**2 - out**2)]
            _hair(body, root, root + np.array([-0.16, 0.02 * left, 0.14]))


def _head(body: Any, place: Floats, half: Floats, side: float) -> None:
    for left in (1, -1):
        _ball(body, "eye", place + half * [0.05, 0.70 * left, 0.14], np.array([0.16, 0.15, 0.25]))
        root = place + half * [0.25, 0.25 * left, 0.90]
        _hair(body, root, root + np.array([0.08, 0.03 * left, 0.14]))
    _ball(body, "band", place + half * [0.0, 0.0, 0.97], np.array([0.05, 0.05, 0.02]))  # the ocelli


def _abdomen(body: Any, place: Floats, half: Floats, side: float) -> None:
    import mujoco

    for at in BANDS:
        radius = 1.012 * np.sqrt(1 - (at + 0.02) ** 2) * (half[1] + half[2]) / 2
        ring = {"pos": place - [at * half[0], 0, 0], "size": [radius, 0.035, 0], "quat": _X_UP}
        _drawn(body, mujoco.mjtGeom.mjGEOM_CYLINDER, "band", **ring)


def _wing(body: Any, place: Floats, half: Floats, side: float) -> None:
    cos, sin = np.cos(WING_FOLD), np.sin(WING_FOLD) * side
    blade = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    root = place + blade @ (half * [0.97, 0.12 * side, 0])
    for along, across in VEINS:
        tip = place + blade @ (half * [-along * np.sqrt(1 - across**2), across * side, 0])
        _hair(body, root, tip, "vein", 0.010)


def _antenna(body: Any, place: Floats, half: Floats, side: float) -> None:
    _hair(body, place, place + np.array([0.16, 0.20 * side, 0.06]), "bristle", 0.006)  # the arista


def _ball(body: Any, colour: str, place: Floats, half: Floats) -> None:
    import mujoco

    _drawn(body, mujoco.mjtGeom.mjGEOM_ELLIPSOID, colour, pos=place, size=half)


def _hair(body: Any, start: Floats, end: Floats, colour: str = "bristle", radius: float = 0.008) -> None:
    import mujoco

    _drawn(body, mujoco.mjtGeom.mjGEOM_CAPSULE, colour, fromto=[*start, *end], size=[radius, 0, 0])


def _drawn(body: Any, kind: Any, colour: str, **shape: Any) -> None:
    geom = body.add_geom(type=kind, contype=0, conaffinity=0, mass=0, **shape)
    geom.rgba = COLOURS[colour]


_X_UP = [np.sqrt(0.5), 0, np.sqrt(0.5), 0]  # a cylinder's axis, z, laid along x
