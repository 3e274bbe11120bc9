"""Whiskers: where they stand on the snout, and how far each is from what it touches.

A whisker bends so easily that it feels the world without pushing the animal: it is a ray from the pad, and what it
feels is how much of its length is beyond the thing it meets. One whisker stands for each of the rows A (top) to E
(bottom) of a pad.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numba import njit

from .mouse_tables import Floats, place
from .rays import cast

if TYPE_CHECKING:
    import mujoco

Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

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
        self._roots = roots - place("head")
        self._things = np.flatnonzero(model.body_rootid[model.geom_bodyid] != model.body_rootid[self._head])
        self._flat = model.geom_type[self._things] == 0  # a plane is near all along, its bounding radius is 0
        self._nothing = np.zeros(len(roots))

    def touch(self) -> Floats:
        """How much of each whisker's length is beyond what it touches, 0 to 1, shape (10,), left first."""
        data, head, things = self._data, self._head, self._things
        place, rotation = data.xpos[head], data.xmat[head]
        world = (data.geom_xpos, data.geom_xmat, self._model.geom_rbound, things, self._flat)
        if not _near(place, rotation, self._roots, self._directions, self._lengths, *world):
            return self._nothing
        return self._bent(place, rotation.reshape(3, 3))

    def _bent(self, place: Floats, rotation: Floats) -> Floats:
        felt, rays, roots = np.empty(len(self._lengths)), self._directions @ rotation.T, self._roots @ rotation.T
        for first in (0, len(ROWS)):
            mine = slice(first, first + len(ROWS))
            geoms, distances = cast(
                self._model, self._data, place + roots[first], rays[mine], FELT_GROUPS, reach=max(LENGTHS)
            )
            free = np.where(geoms >= 0, distances, np.inf)
            felt[mine] = np.clip(1.0 - free / self._lengths[mine], 0.0, 1.0)
        return felt


@njit(cache=True)
def _near(
    place: Floats,
    rotation: Floats,
    roots: Floats,
    directions: Floats,
    lengths: Floats,
    centres: Floats,
    frames: Floats,
    radii: Floats,
    things: Indices,
    flat: Flags,
) -> bool:
    """Whether a whisker may touch something: its tip is below a plane, or the bounding sphere of a thing meets its own.

    It spares the rays, which cost more than a step of the physics, an animal that has nothing before its nose.
    """
    middle, tip = np.empty(3), np.empty(3)
    for k in range(lengths.size):
        for i in range(3):
            root = ray = 0.0
            for j in range(3):
                root += rotation[3 * i + j] * roots[k, j]
                ray += rotation[3 * i + j] * directions[k, j]
            middle[i] = place[i] + root + 0.5 * lengths[k] * ray
            tip[i] = place[i] + root + lengths[k] * ray
        for n in range(things.size):
            thing = things[n]
            height = square = 0.0
            for i in range(3):
                height += (tip[i] - centres[thing, i]) * frames[thing, 3 * i + 2]
                square += (middle[i] - centres[thing, i]) ** 2
            if height < 0 if flat[n] else square < (radii[thing] + 0.5 * lengths[k]) ** 2:
                return True
    return False
