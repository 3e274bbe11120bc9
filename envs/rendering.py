"""A camera that looks straight down on a body, for animals that lie in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bodies.body import Body
from .camera import Camera, Floats, Frame, Tube

if TYPE_CHECKING:
    import mujoco

GROUND = (0.953, 0.941, 0.914)
GRID = (0.886, 0.865, 0.820)
GRID_BODIES = 0.25  # body lengths between lines of the background
DEPTH_BODIES = 0.08  # body lengths that the background lies below the body


class BodyCamera(Camera):
    """Looks straight down, without perspective: lengths are true everywhere in the picture.

    Args:
        body: as of `Camera`.
        width: of the picture, pixels.
        height: of the picture, pixels.
        view_mm: what the picture's height shows, mm; 1.5 body lengths by default.
        samples: as of `Camera`.
    """

    def __init__(
        self, body: Body, width: int = 640, height: int = 480, view_mm: float | None = None, samples: int = 0
    ) -> None:
        self.view_mm = view_mm or 1.5 * body.length_mm
        self.pixels_per_mm = height / self.view_mm
        self._grid_mm, self.depth_mm = GRID_BODIES * body.length_mm, DEPTH_BODIES * body.length_mm
        super().__init__(body, width, height, samples)
        self._camera.azimuth, self._camera.elevation = 90.0, -90.0
        self._camera.distance = body.length_mm

    def frame(
        self, data: mujoco.MjData, centre_mm: Floats, tubes: Sequence[Tube] = (), trails: Sequence[Tube] = ()
    ) -> Frame:
        """A picture of the state; see `Camera.frame`."""
        # a whole number of pixels, or the lines of the background would change their width from frame to frame
        return super().frame(data, np.round(centre_mm * self.pixels_per_mm) / self.pixels_per_mm, tubes, trails)

    def _set_lens(self, visual: Any) -> None:
        visual.global_.orthographic, visual.global_.fovy = 1, self.view_mm
        visual.headlight.ambient[:], visual.headlight.diffuse[:], visual.headlight.specular[:] = 0.5, 0.5, 0.1

    def _ground(self, centre: Floats) -> None:
        reach = 0.6 * self.view_mm * max(1.0, self.width / self.height) + self._grid_mm
        level = centre[2] - self.depth_mm
        thin = 0.001 * reach
        below = np.array([centre[0], centre[1], level - 0.02 * reach])
        self._box(below, np.array([reach, reach, thin]), GROUND)
        line = 0.75 / self.pixels_per_mm  # half the width of a line, mm
        for axis in (0, 1):
            first = np.ceil((centre[axis] - reach) / self._grid_mm) * self._grid_mm
            for at in np.arange(first, centre[axis] + reach, self._grid_mm):
                place, size = np.array([centre[0], centre[1], level]), np.full(3, reach)
                place[axis], size[axis], size[2] = at, line, thin
                self._box(place, size, GRID)

    def _width_unit(self, kind: Any) -> float:
        return 2 * self.pixels_per_mm if kind == self._mujoco.mjtGeom.mjGEOM_LINE else 1.0
