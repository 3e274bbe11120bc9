"""How the fly looks: colours, and shapes that are drawn but neither weigh nor touch anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Colour = tuple[float, float, float, float]

COLOURS: dict[str, Colour] = {
    "floor": (0.93, 0.92, 0.89, 1),
    "thorax": (0.63, 0.45, 0.24, 1),
    "head": (0.72, 0.54, 0.30, 1),
    "abdomen": (0.80, 0.64, 0.34, 1),
    "band": (0.24, 0.16, 0.10, 1),
    "eye": (0.66, 0.09, 0.06, 1),
    "antenna": (0.78, 0.60, 0.34, 1),
    "rostrum": (0.74, 0.58, 0.36, 1),
    "haustellum": (0.62, 0.44, 0.26, 1),
    "wing": (0.82, 0.86, 0.90, 0.35),
    "vein": (0.38, 0.30, 0.20, 0.8),
    "haltere": (0.92, 0.86, 0.66, 1),
    "coxa": (0.76, 0.57, 0.31, 1),
    "femur": (0.74, 0.55, 0.29, 1),
    "tibia": (0.70, 0.51, 0.27, 1),
    "tarsus": (0.58, 0.42, 0.23, 1),
    "claw": (0.40, 0.29, 0.17, 1),
}


def decorate(body: Any, part: str, place: Floats, half: Floats, name: str) -> None:
    """Draw what belongs to an ellipsoid part: eyes on the head, bands on the abdomen, veins on a wing."""


def _drawn(body: Any, kind: Any, colour: str, **shape: Any) -> None:
    geom = body.add_geom(type=kind, mass=0, contype=0, conaffinity=0, **shape)
    geom.rgba = COLOURS[colour]
