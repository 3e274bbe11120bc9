"""What every camera of a body shares: an OpenGL context, a scene, and things drawn into it besides the body."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from .opengl import open_context

if TYPE_CHECKING:
    import mujoco

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SLICES, STACKS, QUADS = 16, 6, 1  # facets of a round geom, of its ends, of a flat one: all a body a picture high needs
MOST_GEOMS = 4000  # in a scene; a picture may lack a detail, never fail


@dataclass(frozen=True, eq=False, kw_only=True)
class Tube:
    """A smooth tube drawn in a picture: points (k, 3) in mm, radii (k,) in mm, red-green-blue (k, 3) in [0, 1]."""

    points: Floats
    radii: Floats
    colours: Floats


class Camera:
    """Offscreen pictures of a body, without a screen and without settings.

    Use it as a context manager, or call `close`: it owns an OpenGL context. A subclass says from where it looks.

    Args:
        body: what to look at; its model's picture quality settings are set here.
        width: of the picture, pixels.
        height: of the picture, pixels.
        samples: samples a pixel; 0 is four times as fast as 4 in software and leaves edges rough.

    Raises:
        RenderingError: there is no OpenGL here.
    """

    def __init__(self, body: Body, width: int, height: int, samples: int) -> None:
        import mujoco

        self._context = open_context(width, height)
        self._mujoco = mujoco
        self.body, self.width, self.height = body, width, height
        visual = body.model.vis
        visual.global_.offwidth, visual.global_.offheight = width, height
        quality = visual.quality
        quality.offsamples, quality.numslices, quality.numstacks, quality.numquads = samples, SLICES, STACKS, QUADS
        self._set_lens(visual)
        self._draw = mujoco.MjrContext(body.model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._draw)
        self._release = weakref.finalize(self, _free, self._draw, self._context)
        atexit.register(self._release)  # an open camera must be freed before MuJoCo ends EGL at exit
        self._window = mujoco.MjrRect(0, 0, width, height)
        self._pixels: Frame = np.empty((height, width, 3), dtype=np.uint8)
        self._scene = mujoco.MjvScene(body.model, maxgeom=MOST_GEOMS)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_HAZE):
            self._scene.flags[flag] = 0
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._option.sitegroup[:] = 0
        self._groups = self._option.geomgroup.copy()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FREE

    def _set_lens(self, visual: Any) -> None:
        """Projection and light, in the model's visual settings."""
        raise NotImplementedError

    def _ground(self, centre: Floats) -> None:
        """Draw what lies under the body."""
        raise NotImplementedError

    def aim(self, heading_rad: float) -> None:
        """Stand as suits an animal that looks there, rad from +x towards +y; by default wherever it looks."""

    def __enter__(self) -> Self:
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

    def _tube(self, tube: Tube, kind: Any) -> None:
        widths = (tube.radii[:-1] + tube.radii[1:]) / 2 * self._width_unit(kind)
        for k, width in enumerate(widths.tolist()):
            geom = self._geom(kind, _ZEROS, _ZEROS, tube.colours[k])
            if geom is not None:
                self._mujoco.mjv_connector(geom, kind, width, tube.points[k], tube.points[k + 1])

    def _width_unit(self, kind: Any) -> float:
        """What a radius of 1 mm is in the unit of a geom's width."""
        return 1.0

    def _box(self, place: Floats, size: Floats, colour: Sequence[float]) -> None:
        geom = self._geom(self._mujoco.mjtGeom.mjGEOM_BOX, size, place, colour)
        if geom is not None:
            geom.specular = 0.0

    def _geom(self, kind: Any, size: Floats, place: Floats, colour: Sequence[float] | Floats) -> Any:
        """A new geom of the scene, or None when the scene is full."""
        if self._scene.ngeom >= self._scene.maxgeom:
            return None
        geom = self._scene.geoms[self._scene.ngeom]
        rgba = np.array([*colour, 1.0][:4], dtype=np.float32)
        self._mujoco.mjv_initGeom(geom, kind, size, place, _UPRIGHT, rgba)
        self._scene.ngeom += 1
        return geom


_UPRIGHT, _ZEROS = np.eye(3).ravel(), np.zeros(3)


def _free(drawing: Any, context: Any) -> None:
    context.make_current()
    drawing.free()
    context.free()
