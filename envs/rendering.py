"""Offscreen pictures of a body, without a screen and without settings."""

from __future__ import annotations

import importlib
import os
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body

if TYPE_CHECKING:
    import mujoco

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

BACKENDS = ("egl", "osmesa")
PACKAGES = "libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6)"
AGAR = (0.93, 0.91, 0.86, 1.0)
GRID = (0.84, 0.81, 0.75, 1.0)
TRAIL = (0.55, 0.51, 0.45, 1.0)
GRID_MM = 0.25  # mm between lines of the background
FIELD_OF_VIEW_DEG = 45.0


class RenderingError(RuntimeError):
    """No OpenGL to draw with; the message names the Debian packages that bring it."""


def open_context(width: int, height: int) -> Any:
    """An offscreen OpenGL context: egl or osmesa if MUJOCO_GL says so, otherwise the first of them that works.

    Raises:
        RenderingError: none of them works here.
    """
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    failures = []
    for backend in (chosen,) if chosen in BACKENDS else BACKENDS:
        try:
            context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
            context.make_current()
        except Exception as error:  # a missing library raises whatever PyOpenGL happens to raise
            failures.append(f"{backend}: {type(error).__name__}: {error}")
        else:
            return context
    raise RenderingError(
        f"no OpenGL without a screen ({'; '.join(failures)}); on Debian and Ubuntu: apt install {PACKAGES}"
    )


class BodyCamera:
    """Looks straight down on a body from a height at which `view_mm` fit into the picture's height.

    Use it as a context manager: it owns an OpenGL context.
    """

    def __init__(self, body: Body, width: int = 640, height: int = 480, view_mm: float = 1.5) -> None:
        import mujoco

        self._context = open_context(width, height)
        self._mujoco = mujoco
        self.body, self.width, self.height = body, width, height
        model = body.model
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = 0.55, 0.45
        model.vis.headlight.specular[:] = 0.1
        self._draw = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._draw)
        self._scene = mujoco.MjvScene(model, maxgeom=2000)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._scene.flags[flag] = 0
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._option.sitegroup[:] = 0
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        self._camera.azimuth, self._camera.elevation = 90.0, -90.0
        model.vis.global_.fovy = FIELD_OF_VIEW_DEG
        self._camera.distance = view_mm / (2 * np.tan(np.deg2rad(FIELD_OF_VIEW_DEG) / 2))
        self.view_mm = view_mm
        self.pixels_per_mm = height / view_mm

    def __enter__(self) -> BodyCamera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the OpenGL context."""
        self._draw.free()
        self._context.free()

    def frame(
        self, data: mujoco.MjData, centre_mm: Floats, colours: Floats | None = None, trail_mm: Floats | None = None
    ) -> Frame:
        """A picture of the state.

        Args:
            data: state with up-to-date kinematics.
            centre_mm: what the camera looks at, mm, shape (3,).
            colours: red, green, blue in [0, 1] of each geom of the body, shape (ngeom, 3); its own by default.
            trail_mm: path to draw under the body, mm, shape (k, 3).

        Returns:
            Shape (height, width, 3).
        """
        self._camera.lookat[:] = centre_mm
        categories = self._mujoco.mjtCatBit.mjCAT_ALL
        self._mujoco.mjv_updateScene(self.body.model, data, self._option, None, self._camera, categories, self._scene)
        if colours is not None:
            for geom in self._scene.geoms[: self._scene.ngeom]:
                geom.rgba[:3] = colours[geom.objid]
        self._ground(centre_mm)
        if trail_mm is not None:
            for start, end in pairwise(trail_mm):
                self._line(start - (0, 0, 0.05), end - (0, 0, 0.05), TRAIL, 2.0)
        picture = np.empty((self.height, self.width, 3), dtype=np.uint8)
        window = self._mujoco.MjrRect(0, 0, self.width, self.height)
        self._mujoco.mjr_render(window, self._scene, self._draw)
        self._mujoco.mjr_readPixels(picture, None, window, self._draw)
        return picture[::-1]

    def _ground(self, centre: Floats) -> None:
        reach = self.view_mm * max(1.0, self.width / self.height) / 2 + GRID_MM
        corner = np.array([reach * 1.2, reach * 1.2, 0.005])
        self._geom(self._mujoco.mjtGeom.mjGEOM_BOX, corner, np.array([centre[0], centre[1], -0.08]), AGAR)
        for axis in (0, 1):
            first = np.ceil((centre[axis] - reach) / GRID_MM) * GRID_MM
            for at in np.arange(first, centre[axis] + reach, GRID_MM):
                start, end = np.array([*centre[:2], -0.07]), np.array([*centre[:2], -0.07])
                start[axis] = end[axis] = at
                start[1 - axis], end[1 - axis] = centre[1 - axis] - reach, centre[1 - axis] + reach
                self._line(start, end, GRID, 1.0)

    def _geom(self, kind: Any, size: Floats, pos: Floats, rgba: tuple[float, ...]) -> None:
        if self._scene.ngeom >= self._scene.maxgeom:
            return
        geom = self._scene.geoms[self._scene.ngeom]
        self._mujoco.mjv_initGeom(geom, kind, size, pos, np.eye(3).ravel(), np.array(rgba, dtype=np.float32))
        geom.emission, geom.specular = 0.5, 0.0
        self._scene.ngeom += 1

    def _line(self, start: Floats, end: Floats, rgba: tuple[float, ...], width: float) -> None:
        if self._scene.ngeom >= self._scene.maxgeom:
            return
        line = self._mujoco.mjtGeom.mjGEOM_LINE
        self._geom(line, np.zeros(3), np.zeros(3), rgba)
        geom = self._scene.geoms[self._scene.ngeom - 1]
        self._mujoco.mjv_connector(geom, line, width, np.asarray(start, np.float64), np.asarray(end, np.float64))
