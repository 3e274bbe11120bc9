"""A camera that walks along with an animal on the ground and sees it in perspective, from ahead and above."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..bodies.body import Body
from .camera import Camera, Floats
from .rendering import BodyCamera

FIELD_DEG = 30.0  # deg, height of the picture
DISTANCE_BODIES = 3.6  # body lengths from the animal
ELEVATION_DEG = -22.0  # deg, looking down
FROM_DEG = 148.0  # deg from the heading of the animal to the line of sight: it comes towards us, to the right
GRIDS_MM = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # mm between lines on the ground; what follows is in this unit
GRID_BODIES = 0.3  # body lengths between lines, about
REACH = 12.0  # how far lines are drawn from the animal, ever fainter
PIECE = 2.0  # of a line in one shade
LINE, LINE_PIXELS = (0.55, 0.52, 0.46), 1.0
LEVEL = 0.003  # over the ground, of lines and shadows
FLAT = 0.004  # how thick a shadow is, as a share of what throws it: enough for its upper face to hide its lower one
SHADOW = (0.72, 0.70, 0.66)
PRINT, PRINT_SIZE = (0.30, 0.24, 0.18), 0.05  # colour of a footprint, and its radius
PATCH, PATCH_SHARE = (0.93, 0.78, 0.36), 0.55  # colour of a patch on the ground, and how opaque it is
LEAST = 0.012  # thinner geoms throw none


class Print(NamedTuple):
    """A footprint on the ground."""

    x_mm: float
    y_mm: float
    share: float  # how much of it is left, 0 to 1


class Patch(NamedTuple):
    """A round patch on the ground, such as food."""

    x_mm: float
    y_mm: float
    radius_mm: float


class FollowCamera(Camera):
    """Perspective on an animal on level ground at height 0, with a grid of `grid_mm` and the animal's shadow.

    Args:
        body: as of `Camera`.
        width: of the picture, pixels.
        height: of the picture, pixels.
        samples: as of `Camera`.

    Attributes:
        grid_mm: between the lines, to the size of the animal.
        prints: footprints to be drawn on the ground.
        patches: under them.
    """

    def __init__(self, body: Body, width: int = 640, height: int = 480, samples: int = 0) -> None:
        super().__init__(body, width, height, samples)
        self._camera.elevation, self._camera.distance = ELEVATION_DEG, DISTANCE_BODIES * body.length_mm
        self.grid_mm = min(GRIDS_MM, key=lambda grid: abs(grid - GRID_BODIES * body.length_mm))
        down = body.model.light_dir[0] if body.model.nlight else np.array([0.0, 0.0, -1.0])
        self._flatten = np.eye(3)  # along the light onto the ground
        self._flatten[:, 2] = -down / down[2]
        self._flatten[2, 2] = FLAT
        self.prints: list[Print] = []
        self.patches: list[Patch] = []
        self.aim(0.0)

    def aim(self, heading_rad: float) -> None:
        """Stand ahead of an animal that looks there, rad from +x towards +y."""
        self._camera.azimuth = np.degrees(heading_rad) + FROM_DEG

    def _set_lens(self, visual: Any) -> None:
        visual.global_.orthographic, visual.global_.fovy = 0, FIELD_DEG

    def _ground(self, centre: Floats) -> None:
        self._shadows()
        unit, level = self.grid_mm, self.grid_mm * LEVEL
        round_, disc = self._mujoco.mjtGeom.mjGEOM_CYLINDER, np.array([unit * PRINT_SIZE, level, 0.0])
        for x, y, radius in self.patches:
            size = np.array([radius, level / 2, 0.0])
            self._geom(round_, size, np.array([x, y, level / 4]), (*PATCH, PATCH_SHARE))
        for x, y, share in self.prints:
            self._geom(round_, disc, np.array([x, y, level]), (*PRINT, share))
        kind = self._mujoco.mjtGeom.mjGEOM_LINE
        ends = unit * _PIECES + np.append(np.round(centre[:2] / unit) * unit, level)
        shares = 1.0 - np.linalg.norm(ends.mean(axis=1)[:, :2] - centre[:2], axis=1) / (unit * REACH)
        for k in np.flatnonzero(shares > 0):
            geom = self._geom(kind, np.zeros(3), np.zeros(3), (*LINE, shares[k]))
            if geom is not None:
                self._mujoco.mjv_connector(geom, kind, LINE_PIXELS, ends[k, 0], ends[k, 1])

    def _shadows(self) -> None:
        """A dark copy of every solid geom of the body, flattened along the light."""
        plane = self._mujoco.mjtGeom.mjGEOM_PLANE
        for thing in [self._scene.geoms[k] for k in range(self._scene.ngeom)]:
            if thing.type == plane or thing.rgba[3] < 1 or thing.size[0] < self.grid_mm * LEAST:
                continue
            place = self._flatten @ thing.pos + np.array([0.0, 0.0, self.grid_mm * LEVEL])
            geom = self._geom(thing.type, thing.size, place, SHADOW)
            if geom is not None:
                geom.size, geom.mat, geom.specular = thing.size, self._flatten @ thing.mat, 0.0


def _pieces() -> Floats:
    """Ends of the pieces of the grid about its middle, in lines, shape (pieces, 2, 3)."""
    across, along = np.arange(-REACH, REACH + 1.0), np.arange(-REACH, REACH, PIECE)
    ends = np.zeros((2, len(across), len(along), 2, 3))
    for axis in (0, 1):
        ends[axis, ..., axis] = along[:, None] + np.array([0.0, PIECE])
        ends[axis, ..., 1 - axis] = across[:, None, None]
    return ends.reshape(-1, 2, 3)


_PIECES = _pieces()


def camera_of(body: Body, width: int = 640, height: int = 480) -> Camera:
    """The camera that suits a body: from above where nothing pulls it down, and else in perspective."""
    return FollowCamera(body, width, height) if body.model.opt.gravity.any() else BodyCamera(body, width, height)
