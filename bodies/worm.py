"""The body of *Caenorhabditis elegans*: 25 segments, 24 joints, 95 body-wall muscles, 1 mm and 2 ug.

Units: mm, mg, s; so force is nN (mg mm/s^2 = 1e-9 N) and torque nN mm. Gravity is off: the medium carries the worm.
Axes: the worm starts along x with its nose at +x. Bending is positive towards the dorsal side (+y at rest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .body import Body, Floats, Indices, Posture, Senses
from .drag import Medium, as_medium
from .worm_spec import WormShape, WormSpec

if TYPE_CHECKING:
    import mujoco

MODALITIES = {  # lowest value, highest value, unit
    "proprioception": (-np.pi, np.pi, "1"),
    "touch": (0.0, 1000.0, "uN"),
    "chemosensation": (0.0, 1e6, "mM"),
    "thermosensation": (-20.0, 60.0, "celsius"),
}


def worm(
    *,
    medium: str | Medium = "agar",
    planar: bool = True,
    shape: WormShape | None = None,
    timestep_s: float | None = None,
) -> WormBody:
    """Build a worm.

    Args:
        medium: "agar", "water" or a Medium of your own.
        planar: one dorsoventral hinge a joint in the plane (default); otherwise a free body with two hinges a joint.
        shape: geometry and tissue; the adult hermaphrodite by default.
        timestep_s: physics step, s; the medium's own by default.

    Raises:
        ValueError: unknown medium or impossible shape.
    """
    medium, shape = as_medium(medium), shape or WormShape()
    timestep_s = timestep_s or medium.timestep_s
    model, muscles = WormSpec(medium, planar, shape, timestep_s).compile()
    return WormBody(
        name="worm",
        model=model,
        options={"medium": asdict(medium), "planar": planar, "shape": asdict(shape), "timestep_s": timestep_s},
        effectors=muscles,
        channels=_channels(shape.segments),
        bounds={name: (low, high) for name, (low, high, _) in MODALITIES.items()},
        units={name: unit for name, (_, _, unit) in MODALITIES.items()},
        length_mm=shape.length,
    )


def _channels(segments: int) -> dict[str, tuple[str, ...]]:
    strains = (f"strain_{side}_{k:02d}" for side in ("dorsal", "ventral") for k in range(1, segments))
    return {
        "proprioception": tuple(strains),
        "touch": tuple(f"touch_{k:02d}" for k in range(1, segments + 1)),
        "chemosensation": ("salt", "odour_attractive", "odour_repellent"),
        "thermosensation": ("temperature",),
    }


@njit(cache=True)
def _centroid_and_axis(points: Floats, order: Indices) -> tuple[float, float, float, float, float, float]:
    """Centroid of the points and the unit vector from the centre of their rear half to that of their front half."""
    half = order.size // 2
    total, axis = np.zeros(3), np.zeros(3)
    for i in range(order.size):
        for k in range(3):
            value = points[order[i], k]
            total[k] += value / order.size
            if i < half:
                axis[k] += value / half
            elif i >= order.size - half:
                axis[k] -= value / half
    axis /= max(np.sqrt((axis * axis).sum()), 1e-12)
    return total[0], total[1], total[2], axis[0], axis[1], axis[2]


@njit(cache=True)
def _read(
    qpos: Floats, points: Floats, order: Indices, joints: Indices, per_rad: float, limit: float, vector: Senses
) -> Posture:
    """Dorsal strains, then ventral ones, into the first entries of `vector`, in one compiled call a control step."""
    n = joints.size
    for k in range(n):
        strain = min(max(per_rad * qpos[joints[k]], -limit), limit)
        vector[k] = -strain
        vector[n + k] = strain
    squares = 0.0
    for value in qpos:
        squares += value * value
    return (*_centroid_and_axis(points, order), squares)


class WormBody(Body):
    """A worm: strain senses along both sides and 95 muscles."""

    @property
    def n_joints(self) -> int:
        """Joints between segments."""
        return len(self.channels["touch"]) - 1

    @cached_property
    def _joints(self) -> Indices:
        names = (f"bend_{k:02d}" for k in range(1, self.n_joints + 1))
        return np.array([self.model.joint(name).qposadr[0] for name in names], dtype=np.int64)

    @cached_property
    def _sites(self) -> Indices:
        names = (f"segment_{k:02d}" for k in range(1, self.n_joints + 2))
        return np.array([self.model.site(name).id for name in names], dtype=np.int64)

    def bends(self, data: mujoco.MjData) -> Floats:
        """Dorsoventral bend of each joint, rad, head first, shape (24,); positive is dorsal."""
        bends: Floats = data.qpos[self._joints]
        return bends

    def reader(self, data: mujoco.MjData) -> Callable[[Senses], Posture]:
        """Proprioception: strain of the dorsal and the ventral side at each joint, at the mid-body radius."""
        qpos, points, order, joints = data.qpos, data.site_xpos, self._sites, self._joints
        per_rad, limit = self._strain_per_rad, self.bounds["proprioception"][1]

        def read(vector: Senses) -> Posture:
            posture: Posture = _read(qpos, points, order, joints, per_rad, limit, vector)
            return posture

        return read

    @cached_property
    def _strain_per_rad(self) -> float:
        shape = self.options["shape"]
        return float(shape["radius"] * shape["segments"] / shape["length"])

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Segment centres, nose first, mm, shape (25, 3)."""
        points: Floats = data.site_xpos.take(self._sites, axis=0)
        return points

    def nose(self, data: mujoco.MjData) -> Floats:
        """Tip of the first segment, half a segment ahead of its centre: there the amphids and AFD's cilia end."""
        site = self._sites[0]
        tip: Floats = data.site_xpos[site] + self._half_segment_mm * data.site_xmat[site, ::3]
        return tip

    @cached_property
    def _half_segment_mm(self) -> float:
        shape = self.options["shape"]
        return float(shape["length"] / shape["segments"] / 2)

    def turn(self, data: mujoco.MjData, heading_rad: float) -> None:
        """Turn a worm that was just reset about the vertical through its middle."""
        import mujoco

        yaw = [i for i in range(self.model.njnt) if self.model.joint(i).name == "root_yaw"]
        if yaw:
            data.qpos[self.model.jnt_qposadr[yaw[0]]] = heading_rad
        else:
            data.qpos[3:7] = np.cos(heading_rad / 2), 0.0, 0.0, np.sin(heading_rad / 2)
        mujoco.mj_forward(self.model, data)

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """A worm with random bends of 0.1 rad (standard deviation) drawn from `rng`: no real one lies straight."""
        import mujoco

        mujoco.mj_resetData(self.model, data)
        data.qpos[self._joints] = rng.normal(0.0, 0.1, size=self.n_joints)
        mujoco.mj_forward(self.model, data)
