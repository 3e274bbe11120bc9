"""Geometry of a leg in the standing pose: where its joints are and about which axes they turn.

A leg is drawn in a sagittal plane through its first joint (x forward, z up) and tilted outwards by its abduction.
Angles between neighbouring segments are those a camera at the side measures (iliac crest, hip, knee, ankle), so that a
joint angle of the model compares with a recorded one as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fly_leg import MIRRORED_AXIS, MIRRORED_POINT, turn
from .mouse_tables import LIMBS, Floats, place, segment, segments, standing

FORWARD, OUTWARD = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
UPPER_ARM = np.deg2rad(-135.0)  # direction of the standing upper arm, from forwards upwards; assumed
PAW = np.deg2rad(-30.0)  # direction of the standing carpus and metacarpus; assumed


@dataclass(frozen=True, eq=False, kw_only=True)
class LegGeometry:
    """A leg in the trunk's frame.

    Attributes:
        points: its joints from the trunk to the tip of the toes, mm, shape (5, 3).
        axes: unit axis of every joint by name, shape (3,); the angle grows in the sense of the joint's name.
    """

    points: Floats
    axes: dict[str, Floats]


def leg_geometry(leg: str) -> LegGeometry:
    """The standing leg "LH", "RH", "LF" or "RF"; right legs mirror left ones."""
    limb = LIMBS[leg[1]]
    directions, axes = _hind() if limb == "hind" else _fore()
    lengths = [segment(limb, name)[0] for name in segments(limb)]
    steps = [length * np.array([np.cos(at), 0.0, np.sin(at)]) for length, at in zip(lengths, directions, strict=True)]
    root, abduction = ("hip", "hip_abduction") if limb == "hind" else ("shoulder", "shoulder_abduction")
    tilt = turn(0, standing(abduction))
    points = place(root) + np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)]) @ tilt.T
    axes = {name: tilt @ axis for name, axis in axes.items()} | {abduction: FORWARD}
    if leg[0] == "L":
        return LegGeometry(points=points, axes=axes)
    return LegGeometry(points=points * MIRRORED_POINT, axes={name: axis * MIRRORED_AXIS for name, axis in axes.items()})


def _hind() -> tuple[list[float], dict[str, Floats]]:
    """Directions of thigh, shank, foot and toes, rad from forwards upwards, and the axes across the leg's plane."""
    along = place("crest") - place("hip")
    thigh = np.arctan2(along[2], along[0]) - standing("hip")
    shank = thigh + np.pi + standing("knee")
    foot = shank - np.pi - standing("ankle")
    axes = {"hip": OUTWARD, "knee": -OUTWARD, "ankle": OUTWARD, "toe": OUTWARD}
    return [thigh, shank, foot, 0.0], axes


def _fore() -> tuple[list[float], dict[str, Floats]]:
    """Directions of upper arm, forearm, paw and digits, rad from forwards upwards, and the axes."""
    forearm = UPPER_ARM + np.pi - standing("elbow")
    return [UPPER_ARM, forearm, PAW, 0.0], {"shoulder": -OUTWARD, "elbow": OUTWARD, "wrist": OUTWARD}
