"""Geometry of a leg in its neutral pose: where its joints are and about which axes they turn.

The pose is given in NeuroMechFly's convention (Wang-Chen et al. 2024, doi:10.1038/s41592-024-02497-y): at zero every
segment hangs along -z; yaw turns about x, pitch about y and roll about z, each in the frame the one before has made.
All frames of our legs are parallel to the thorax in the neutral pose and all our angles are zero there, so a joint
angle reads as the distance from rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fly_tables import SEGMENTS, Floats, attachment, leg_segment, neutral_angles

DOWN = np.array([0.0, 0.0, -1.0])
MIRRORED_POINT, MIRRORED_AXIS = np.array([1.0, -1.0, 1.0]), np.array([-1.0, 1.0, -1.0])


@dataclass(frozen=True, eq=False, kw_only=True)
class LegGeometry:
    """A leg in the thorax frame.

    Attributes:
        points: joints from the hip to the tip of the claw, mm, shape (6, 3).
        axes: unit axis of every joint by name, shape (3,); the angle grows in the sense of the joint's name.
    """

    points: Floats
    axes: dict[str, Floats]


def leg_geometry(leg: str) -> LegGeometry:
    """The neutral leg "LF", "LM", "LH", "RF", "RM" or "RH"; right legs mirror left ones."""
    side, pair = leg[0], leg[1]
    angle = neutral_angles(pair)
    yawed = turn(0, angle["yaw"])
    pitched = yawed @ turn(1, angle["pitch"])
    coxa = pitched @ turn(2, angle["roll"])
    flexed = coxa @ turn(1, angle["trochanter"])
    femur = flexed @ turn(2, angle["femur_roll"])
    tibia = femur @ turn(1, angle["tibia"])
    tarsus = tibia @ turn(1, angle["tarsus"])
    axes = {
        "coxa_promotion": -yawed[:, 1],  # the foot goes forward
        "coxa_abduction": np.array([1.0, 0.0, 0.0]),  # the leg goes up and out
        "coxa_rotation": coxa @ DOWN,  # about the long axis of the coxa, the knee goes forward
        "trochanter_extension": coxa[:, 1],  # the femur is pressed down
        "femur_reduction": femur @ DOWN,  # about the long axis of the femur
        "tibia_extension": -femur[:, 1],  # the knee opens
        "tarsus_depression": tibia[:, 1],  # the tarsus is pressed down
        "claw_depression": tarsus[:, 1],
    }
    points = [attachment(f"coxa_{pair}")]
    for segment, frame in zip(SEGMENTS, (coxa, femur, tibia, tarsus, tarsus), strict=True):
        points.append(points[-1] + leg_segment(pair, segment)[0] * (frame @ DOWN))
    return _sided(side, np.array(points), axes)


def _sided(side: str, points: Floats, axes: dict[str, Floats]) -> LegGeometry:
    if side == "L":
        return LegGeometry(points=points, axes=axes)
    return LegGeometry(points=points * MIRRORED_POINT, axes={name: axis * MIRRORED_AXIS for name, axis in axes.items()})


def turn(axis: int, angle_rad: float) -> Floats:
    """Rotation matrix about the x (0), y (1) or z (2) axis, shape (3, 3)."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle_rad)
    matrix[first, second], matrix[second, first] = -np.sin(angle_rad), np.sin(angle_rad)
    return matrix
