"""How a limbless body is drawn: one smooth tube, its dorsal and ventral muscles as bands that colour as they pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from .camera import Tube

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]

SKIN = np.array([0.80, 0.70, 0.55])
DORSAL = np.array([0.80, 0.16, 0.14])
VENTRAL = np.array([0.13, 0.36, 0.75])
UP = np.array([0.0, 0.0, 1.0])
HEAD = np.array([0.20, 0.17, 0.14])
FULL = 0.6  # activation at which a muscle has its full colour; the muscle panel saturates there too
PER_SEGMENT = 3  # pieces of tube a segment of the body
NOSE, TAIL = 0.62, 0.3  # radius of the tips as a share of the first and the last segment's: blunt nose, pointed tail
BAND_OFFSET, BAND_RADIUS, BAND_LIFT = 0.52, 0.44, 0.62  # of a muscle band, in body radii: aside, thick, above the axis


class BodyTubes:
    """Tubes for a body that is a chain of capsules along its centreline, their names in order from nose to tail.

    A capsule's own y axis is taken as dorsal, as `bodies.worm` builds it. In a picture from above dorsal and ventral
    are the two edges of the body.
    """

    def __init__(self, body: Body) -> None:
        model = body.model
        self.geoms = np.array(sorted(range(model.ngeom), key=lambda i: str(model.geom(i).name)))
        self.radius = model.geom_size[self.geoms, 0].astype(np.float64)
        self.half_length = model.geom_size[self.geoms, 1].astype(np.float64)
        count = len(self.radius)
        self.knots = np.array([-0.5, *range(count), count - 0.5])
        self.fine = np.linspace(-0.5, count - 0.5, count * PER_SEGMENT + 1)
        radii = np.array([NOSE * self.radius[0], *self.radius, TAIL * self.radius[-1]])
        self.radii = np.interp(self.fine, self.knots, radii)
        self.banded = (self.fine >= 0.5) & (self.fine <= count - 1.5)

    @staticmethod
    def fit(body: Body) -> bool:
        """Whether this body is a chain of capsules, one a point of its centreline."""
        import mujoco

        chain = len(body.centreline(body.new_data())) == body.model.ngeom
        return chain and bool((body.model.geom_type == mujoco.mjtGeom.mjGEOM_CAPSULE).all())

    def at(self, data: mujoco.MjData, dorsal: Floats, ventral: Floats) -> list[Tube]:
        """The body in this state.

        Args:
            data: with up-to-date kinematics.
            dorsal: activation of the dorsal muscles from head to tail, shape (rows,).
            ventral: activation of the ventral muscles, shape (rows,).
        """
        line, side = self._spline(data)
        skin = np.broadcast_to(SKIN, line.shape)
        tubes = [Tube(points=line, radii=self.radii, colours=skin)]
        radii = self.radii[self.banded]
        for sign, activation, colour in ((1.0, dorsal, DORSAL), (-1.0, ventral, VENTRAL)):
            aside = line[self.banded] + radii[:, None] * (sign * BAND_OFFSET * side[self.banded] + BAND_LIFT * UP)
            rows = np.linspace(0.5, len(self.radius) - 1.5, len(activation))
            strength = np.clip(np.interp(self.fine[self.banded], rows, activation) / FULL, 0.0, 1.0)[:, None]
            shade = SKIN * (1 - strength) + colour * strength
            tubes.append(Tube(points=aside, radii=BAND_RADIUS * radii, colours=shade))
        tip = line[:2] + self.radii[1] * UP
        return [*tubes, Tube(points=tip, radii=0.75 * self.radii[:2], colours=np.broadcast_to(HEAD, tip.shape))]

    def _spline(self, data: mujoco.MjData) -> tuple[Floats, Floats]:
        """Points along the body and the dorsal direction there, both (k, 3)."""
        from scipy.interpolate import CubicSpline

        frames = data.geom_xmat[self.geoms].reshape(-1, 3, 3)
        forward, dorsal, centre = frames[:, :, 2], frames[:, :, 1], data.geom_xpos[self.geoms]
        ends = centre[[0, -1]] + forward[[0, -1]] * (self.half_length[[0, -1]] * (1, -1))[:, None]
        line: Floats = CubicSpline(self.knots, np.vstack([ends[:1], centre, ends[1:]]))(self.fine)
        side: Floats = CubicSpline(np.arange(len(dorsal)), dorsal)(self.fine)
        return line, side / np.linalg.norm(side, axis=1, keepdims=True)


def trail(path_mm: Floats, below_mm: float, radius_mm: float, colour: Floats, ground: Floats) -> Tube:
    """A path under the body, fading into the ground towards its start; path (k, 3), all lengths mm."""
    age = np.linspace(0.1, 1.0, len(path_mm))[:, None]
    points = path_mm - below_mm * UP
    return Tube(points=points, radii=np.full(len(path_mm), radius_mm), colours=ground * (1 - age) + colour * age)
