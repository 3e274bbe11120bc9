"""Dorsal against ventral: the muscles of a recording by their anatomical names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MUSCLE = re.compile(r"M(?P<side>[DV])[LR](?P<row>\d+)")
SETTLE_SHARE = 0.2  # of the run, left out of the co-contraction: the wave has to build up first


def muscle_sides(effectors: Sequence[str], activation: npt.NDArray[Any]) -> tuple[Floats, Floats] | None:
    """Dorsal and ventral activation along the body, head first, each shape (T, rows); left and right are averaged.

    Muscles are grouped by their names: M, D or V, L or R, row. None for a body whose effectors are named otherwise.
    """
    parts = [MUSCLE.fullmatch(name) for name in effectors]
    rows = sorted({part["row"] for part in parts if part})
    sides = {
        side: [
            [k for k, part in enumerate(parts) if part and part["side"] == side and part["row"] == row] for row in rows
        ]
        for side in "DV"
    }
    if not rows or not all(parts) or not all(members for side in sides.values() for members in side):
        return None
    dorsal, ventral = (
        np.stack([activation[:, members].mean(axis=1, dtype=np.float64) for members in side], axis=1)
        for side in sides.values()
    )
    return dorsal, ventral


def co_contraction(
    effectors: Sequence[str], activation: npt.NDArray[Any], settle: float = SETTLE_SHARE
) -> dict[str, float]:
    """Mean over time and body of the smaller of dorsal and ventral activation, after the first `settle` of the run.

    Zero means that one side always rests. Empty for a body without dorsal and ventral muscles.
    """
    sides = muscle_sides(effectors, activation[int(settle * len(activation)) :])
    return {} if sides is None else {"co_contraction": float(np.minimum(*sides).mean())}
