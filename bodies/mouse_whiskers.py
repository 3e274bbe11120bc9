"""Whiskers: where they stand on the snout, and how far each is from what it touches.

A whisker bends so easily that it feels the world without pushing the animal: it is a ray from the pad, and what it
feels is how much of its length is beyond the thing it meets. The rows A (top) to E (bottom) of each pad are stood for by
one whisker each.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from .mouse_tables import Floats, place
from .rays import cast

if TYPE_CHECKING:
    import mujoco

ROWS = "ABCDE"
FELT_GROUPS = np.array([1, 1, 0, 1, 1, 1], dtype=np.uint8)  # all geoms but the animal's own, see mouse_looks.GROUP
LENGTHS = (24.0, 26.0, 26.0, 24.0, 20.0)  # mm, by row, assumed: the caudal macrovibrissae
AZIMUTHS = (55.0, 50.0, 45.0, 40.0, 35.0)  # deg from straight ahead outwards, protracted; assumed
ELEVATIONS = (45.0, 28.0, 12.0, 0.0, -12.0)  # deg above the horizontal; assumed, clear of the floor while standing


@cache
def whiskers() -> tuple[Floats, Floats, Floats]:
    """Roots in the standing trunk's frame, mm, (10, 3), unit directions (10, 3) and lengths, mm, (10,); left first."""
    azimuth, elevation = np.deg2rad(AZIMUTHS), np.deg2rad(ELEVATIONS)
    across = np.cos(elevation)
    left = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], axis=1)
    roots, mirror = np.tile(place("whiskers"), (len(ROWS), 1)), np.array([1.0, -1.0, 1.0])
    return np.concatenate([roots, roots * mirror]), np.concatenate([left, left * mirror]), np.array(LENGTHS * 2)


class Whiskers:
    """The whiskers of one animal in one compiled model, which feel every geom but the animal's own.

    Args:
        model: the compiled model.
        data: its state, which is read at every call.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._head = int(model.body("head").id)
        roots, self._directions, self._lengths = whiskers()
        self._pads = (roots - place("head"))[:: len(ROWS)]

    def touch(self) -> Floats:
        """How much of each whisker's length is beyond what it touches, 0 to 1, shape (10,), left first."""
        rotation = self._data.xmat[self._head].reshape(3, 3)
        rays = self._directions @ rotation.T
        felt = np.empty(len(rays))
        for side, pad in enumerate(self._pads):
            mine = slice(side * len(ROWS), (side + 1) * len(ROWS))
            place = self._data.xpos[self._head] + rotation @ pad
            geoms, distances = cast(self._model, self._data, place, rays[mine], FELT_GROUPS, reach=max(LENGTHS))
            free = np.where(geoms >= 0, distances, np.inf)
            felt[mine] = np.clip(1.0 - free / self._lengths[mine], 0.0, 1.0)
        return felt
