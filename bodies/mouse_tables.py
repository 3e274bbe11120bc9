"""The mouse's measured, published and assumed numbers, read from the tables in bodies/data."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Row = dict[str, str]

DATA = Path(__file__).parent / "data"
LEGS = ("LH", "RH", "LF", "RF")  # left and right hind, left and right fore
LIMBS = {"H": "hind", "F": "fore"}
N_MM = 1e6  # uN mm in a N mm (which is a mN m)


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of bodies/data/mouse_`name`.csv."""
    with (DATA / f"mouse_{name}.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))


def place(part: str) -> Floats:
    """Where a part is in the standing trunk's frame, mm, shape (3,); of a pair the left one."""
    row = next(row for row in table("attachments") if row["part"] == part)
    return np.array([float(row[f"{axis}_mm"]) for axis in "xyz"])


def trunk(part: str) -> tuple[Floats, float]:
    """Half axes, mm, shape (3,), and mass, g, of a part that is no leg."""
    row = next(row for row in table("trunk") if row["part"] == part)
    half = np.array([float(row[f"half_{side}_mm"]) for side in ("length", "width", "height")])
    return half, float(row["mass_g"])


def segments(limb: str) -> tuple[str, ...]:
    """The segments of a "hind" or "fore" limb, from the trunk to the toes."""
    return tuple(row["segment"] for row in table("segments") if row["limb"] == limb)


def segment(limb: str, name: str) -> tuple[float, float, float]:
    """Length, mm, radius, mm, and mass, g, of a segment of a limb."""
    row = next(row for row in table("segments") if (row["limb"], row["segment"]) == (limb, name))
    return float(row["length_mm"]), float(row["radius_mm"]), float(row["mass_g"])


def joints(limb: str) -> tuple[str, ...]:
    """The joints of a "hind" or "fore" limb or of the "midline"."""
    return tuple(row["joint"] for row in table("joints") if row["limb"] == limb)


def joint_row(joint: str) -> Row:
    """Standing angle, range, stiffness and damping of a joint."""
    return next(row for row in table("joints") if row["joint"] == joint)


def standing(joint: str) -> float:
    """Angle of a joint in the standing pose, rad."""
    return float(np.deg2rad(float(joint_row(joint)["standing_deg"])))


def leg_joints(leg: str) -> tuple[str, ...]:
    """The joints of a leg by their full names: "LH_hip", ..."""
    return tuple(f"{leg}_{joint}" for joint in joints(LIMBS[leg[1]]))


def leg_muscles(leg: str) -> tuple[str, ...]:
    """The muscles of a leg by their full names: "LH_hip_flexor", ..."""
    return tuple(f"{leg}_{row['muscle']}" for row in table("muscles") if row["limb"] == LIMBS[leg[1]])


def midline_muscles() -> tuple[str, ...]:
    """The muscles of spine and neck."""
    return tuple(row["muscle"] for row in table("muscles") if row["limb"] == "midline")
