"""Offscreen pictures of a body, without a screen and without settings."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from .opengl import RenderingError, open_context

if TYPE_CHECKING:
    import mujoco

__all__ = ["BodyCamera", "RenderingError", "Tube"]

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

GROUND = (0.953, 0.941, 0.914)
GRID = (0.886, 0.865, 0.820)
GRID_BODIES = 0.25  # body lengths between lines of the background
DEPTH_BODIES = 0.08  # body lengths that the background lies below the body
SLICES, STACKS, QUADS = 16, 6, 1  # facets of a round geom, of its ends, of a flat one: all a body a picture high needs


@dataclass(frozen=True, eq=False, kw_only=True)
class Tube:
    """A smooth tube drawn in a picture: points (k, 3) in mm, radii (k,) in mm, red-green-blue (k, 3) in [0, 1]."""

    points: Floats
    radii: Floats
    colours: Floats


class BodyCamera:
    """Looks straight down on a body, without perspective.

    Use it as a context manager, or call `close`: it owns an OpenGL context.

    Args:
        body: what to look at; its model's picture quality settings are set here.
        width: of the picture, pixels.
        height: of the picture, pixels.
        view_mm: what the picture's height shows, mm; 1.5 body lengths by default.
        samples: samples a pixel; 0 is four times as fast as 4 in software and leaves edges rough.

    Raises:
        RenderingError: there is no OpenGL here.
    """

    def __init__(
        self, body: Body, width: int = 640, height: int = 480, view_mm: float | None = None, samples: int = 0
    ) -> None:
        import mujoco

        self._context = open_context(width, height)
        self._mujoco = mujoco
        self.body, self.width, self.height = body, width, height
        self.view_mm = view_mm or 1.5 * body.length_mm
        self.pixels_per_mm = height / self.view_mm
        self._grid_mm, self.depth_mm = GRID_BODIES * body.length_mm, DEPTH_BODIES * body.length_mm
        _set_quality(body.model, width, height, self.view_mm, samples)
        self._draw = mujoco.MjrContext(body.model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._draw)
        self._release = weakref.finalize(self, _free, self._draw, self._context)
        atexit.register(self._release)  # an open camera must be freed before MuJoCo ends EGL at exit
        self._prepare_view()

    def _prepare_view(self) -> None:
        mujoco = self._mujoco
        self._window = mujoco.MjrRect(0, 0, self.width, self.height)
        self._pixels: Frame = np.empty((self.height, self.width, 3), dtype=np.uint8)
        self._scene = mujoco.MjvScene(self.body.model, maxgeom=4000)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_HAZE):
            self._scene.flags[flag] = 0
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._option.sitegroup[:] = 0
        self._groups = self._option.geomgroup.copy()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._camera.azimuth, self._camera.elevation = 90.0, -90.0
        self._camera.distance = self.body.length_mm

    def __enter__(self) -> BodyCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the OpenGL context; closing twice is once."""
        atexit.unregister(self._release)
        self._release()

    def frame(
        self, data: mujoco.MjData, centre_mm: Floats, tubes: Sequence[Tube] = (), trails: Sequence[Tube] = ()
    ) -> Frame:
        """A picture of the state.

        Args:
            data: state with up-to-date kinematics.
            centre_mm: what the camera looks at, mm, shape (3,).
            tubes: drawn instead of the body's own geoms, if there are any.
            trails: drawn besides, flat.

        Returns:
            Shape (height, width, 3).
        """
        # a whole number of pixels, or the lines of the background would change their width from frame to frame
        centre_mm = np.round(centre_mm * self.pixels_per_mm) / self.pixels_per_mm
        self._camera.lookat[:] = centre_mm
        self._option.geomgroup[:] = 0 if tubes else self._groups
        self._context.make_current()  # another camera of this process may have drawn meanwhile
        categories = self._mujoco.mjtCatBit.mjCAT_ALL
        self._mujoco.mjv_updateScene(self.body.model, data, self._option, None, self._camera, categories, self._scene)
        self._ground(centre_mm)
        for kind, drawn in ((self._mujoco.mjtGeom.mjGEOM_CAPSULE, tubes), (self._mujoco.mjtGeom.mjGEOM_LINE, trails)):
            for tube in drawn:
                self._tube(tube, kind)
        self._mujoco.mjr_render(self._window, self._scene, self._draw)
        self._mujoco.mjr_readPixels(self._pixels, None, self._window, self._draw)
        return self._pixels[::-1].copy()

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

    def _tube(self, tube: Tube, kind: Any) -> None:
        line = kind == self._mujoco.mjtGeom.mjGEOM_LINE
        widths = (tube.radii[:-1] + tube.radii[1:]) / 2 * (2 * self.pixels_per_mm if line else 1.0)
        for k, width in enumerate(widths.tolist()):
            geom = self._geom(kind, _ZEROS, _ZEROS, tube.colours[k])
            if geom is not None:
                self._mujoco.mjv_connector(geom, kind, width, tube.points[k], tube.points[k + 1])

    def _box(self, place: Floats, size: Floats, colour: Sequence[float]) -> None:
        geom = self._geom(self._mujoco.mjtGeom.mjGEOM_BOX, size, place, colour)
        if geom is not None:
            geom.specular = 0.0

    def _geom(self, kind: Any, size: Floats, place: Floats, colour: Sequence[float] | Floats) -> Any:
        """A new geom of the scene, or None when the scene is full: a picture may lack a detail, never fail."""
        if self._scene.ngeom >= self._scene.maxgeom:
            return None
        geom = self._scene.geoms[self._scene.ngeom]
        self._mujoco.mjv_initGeom(geom, kind, size, place, _UPRIGHT, np.array([*colour, 1.0], dtype=np.float32))
        self._scene.ngeom += 1
        return geom


_UPRIGHT, _ZEROS = np.eye(3).ravel(), np.zeros(3)


def _set_quality(model: Any, width: int, height: int, view_mm: float, samples: int) -> None:
    visual = model.vis
    visual.global_.offwidth, visual.global_.offheight = width, height
    visual.global_.orthographic, visual.global_.fovy = 1, view_mm  # lengths are true everywhere in the picture
    visual.headlight.ambient[:], visual.headlight.diffuse[:], visual.headlight.specular[:] = 0.5, 0.5, 0.1
    quality = visual.quality
    quality.offsamples, quality.numslices, quality.numstacks, quality.numquads = samples, SLICES, STACKS, QUADS


def _free(drawing: Any, context: Any) -> None:
    context.make_current()
    drawing.free()
    context.free()
