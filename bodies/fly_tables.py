"""The fly's published and assumed numbers, read from the tables in bodies/data."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Row = dict[str, str]

DATA = Path(__file__).parent / "data"
PAIRS = ("F", "M", "H")  # fore, middle, hind
LEGS = ("LF", "LM", "LH", "RF", "RM", "RH")
SEGMENTS = ("coxa", "femur", "tibia", "tarsus", "claw")
ANGLES = ("yaw", "pitch", "roll", "trochanter", "femur_roll", "tibia", "tarsus")
LEG_JOINTS = (
    "coxa_promotion",
    "coxa_abduction",
    "coxa_rotation",
    "trochanter_extension",
    "femur_reduction",
    "tibia_extension",
    "tarsus_depression",
)


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of bodies/data/fly_`name`.csv."""
    with (DATA / f"fly_{name}.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))


def attachment(part: str) -> Floats:
    """Where a part sits in its parent at the neutral pose, mm, shape (3,); of a pair the left one."""
    row = next(row for row in table("attachments") if row["part"] == part)
    return np.array([float(row[f"{axis}_mm"]) for axis in "xyz"])


def trunk(part: str) -> tuple[Floats, float]:
    """Half axes, mm, shape (3,), and mass, g, of a part that is no leg."""
    row = next(row for row in table("trunk") if row["part"] == part)
    half = np.array([float(row[f"half_{side}_mm"]) for side in ("length", "width", "height")])
    return half, float(row["mass_mg"]) * 1e-3


def leg_segment(pair: str, segment: str) -> tuple[float, float, float]:
    """Length, mm, radius, mm, and mass, g, of a segment of the fore (F), middle (M) or hind (H) leg."""
    row = next(row for row in table("leg_segments") if (row["pair"], row["segment"]) == (pair, segment))
    return float(row["length_mm"]), float(row["radius_mm"]), float(row["mass_mg"]) * 1e-3


def neutral_angles(pair: str) -> dict[str, float]:
    """Joint angles of the neutral pose in NeuroMechFly's convention, rad, by the names in ANGLES."""
    row = next(row for row in table("pose") if row["pair"] == pair)
    return {name: float(np.deg2rad(float(row[f"{name}_deg"]))) for name in ANGLES}


def joint_row(joint: str) -> Row:
    """Range, stiffness, tone and damping of a joint."""
    return next(row for row in table("joints") if row["joint"] == joint)


def joint_stiffness(joint: str, tone: float = 1.0) -> float:
    """Stiffness of a joint towards the neutral pose with all muscles off, uN mm/rad: its tissue's and its tone's."""
    row = joint_row(joint)
    return float(row["stiffness_uN_mm_rad"]) + tone * float(row["tone_uN_mm_rad"])
