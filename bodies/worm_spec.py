"""The worm as a MuJoCo specification: segments, tissue and muscles, rooted in the middle of the body.

Units: mm, mg, s; so force is nN (mg mm/s^2 = 1e-9 N) and torque nN mm. Gravity is off: the medium carries the worm.
Axes: the worm starts along x with its nose at +x. Bending is positive towards the dorsal side (+y at rest).

The middle segment is the root of two chains because a kinematic tree of half the depth has half the non-zero entries in
its Jacobians: a physics step takes two thirds of the time of a worm rooted at its head, and moves the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .drag import Medium, add_drag
from .muscles import ActiveMuscle

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]

ROWS = {"MDL": (1, 1), "MDR": (1, -1), "MVL": (-1, 1), "MVR": (-1, -1)}  # row: (dorsal, left) sign
MISSING_MUSCLES = ("MVL24",)  # the ventral left row has 23 cells (Sulston & Horvitz 1977)


@dataclass(frozen=True, kw_only=True)
class WormShape:
    """Geometry, mass and tissue of an adult hermaphrodite.

    Mechanics: Boyle, Berri & Cohen 2012, Front. Comput. Neurosci. 6:10, doi:10.3389/fncom.2012.00010 (its lateral
    springs, written for 48 segments, are turned into the same rigidity per unit length here). Mass: ElegansBot 1.0.2
    (Chung et al. 2024, doi:10.7554/eLife.92562).
    """

    segments: int = 25
    length: float = 1.0  # mm
    radius: float = 0.04  # mm, at mid-body
    mass: float = 2e-3  # mg
    passive_rigidity: float = 416.7  # nN, lateral spring k_PE times its rest length (0.02 N/m * 1/48 mm)
    passive_damping_s: float = 0.025  # s, D_PE / k_PE
    active_ratio: float = 20.0  # k_AE / k_PE
    active_damping_s: float = 0.125  # s, D_AE / k_AE
    contraction: float = 0.65  # fraction of its length a fully active muscle at mid-body would lose unloaded
    muscle_tau_s: float = 0.1  # s, activation lag

    def __post_init__(self) -> None:
        if self.segments < 3:
            raise ValueError(f"WormShape: segments ({self.segments}) must be at least 3")
        for field in ("length", "radius", "mass", "passive_rigidity"):
            if not getattr(self, field) > 0:
                raise ValueError(f"WormShape: {field} ({getattr(self, field)}) must be positive")

    @property
    def segment_length(self) -> float:
        """Length of one segment, mm."""
        return self.length / self.segments

    def radius_at(self, position: Floats) -> Floats:
        """Body radius, mm, at `position` in segments from the nose (0 .. segments), the published prolate profile."""
        half = self.segments / 2
        profile: Floats = self.radius * np.abs(np.sin(np.arccos((position - half) / (half + 0.2))))
        return profile


class WormSpec:
    """Puts a worm together; one method a tissue.

    Args:
        medium: what it lies in.
        planar: one dorsoventral hinge a joint in the plane; otherwise a free body with two hinges a joint.
        shape: geometry and tissue.
        timestep_s: physics step, s.
    """

    def __init__(self, medium: Medium, planar: bool, shape: WormShape, timestep_s: float) -> None:
        self.medium, self.planar, self.shape, self.timestep_s = medium, planar, shape, timestep_s
        n = shape.segments
        self.segment_radius = shape.radius_at(np.arange(n, dtype=np.float64) + 0.5)
        self.joint_radius = shape.radius_at(np.arange(1, n, dtype=np.float64))

    def compile(self) -> tuple[mujoco.MjModel, tuple[str, ...]]:
        """The model and the names of its muscles."""
        import mujoco

        spec = mujoco.MjSpec()
        spec.modelname = "worm"
        self._options(spec)
        self._segments(spec)
        names = self._muscles(spec)
        sites = [f"segment_{k:02d}" for k in range(1, self.shape.segments + 1)]
        add_drag(spec, sites, self.medium.c_par, self.medium.c_perp, self.planar)
        return spec.compile(), names

    def _options(self, spec: mujoco.MjSpec) -> None:
        import mujoco

        option = spec.option
        option.timestep = self.timestep_s
        option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        option.gravity = [0, 0, 0]
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONTACT | mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
        # a diverged state stays as it is, for the environment to report, instead of jumping back to the start
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_SENSOR | mujoco.mjtDisableBit.mjDSBL_AUTORESET
        spec.compiler.boundmass = 0
        spec.compiler.boundinertia = 0
        spec.stat.extent = self.shape.length
        spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 720

    def _segments(self, spec: mujoco.MjSpec) -> None:
        """Segments are numbered from 1 at the nose; joint k is between segments k and k + 1."""
        length, n = self.shape.segment_length, self.shape.segments
        middle = (n + 1) // 2
        root = self._segment(spec.worldbody, middle, self.shape.length / 2 - (middle - 0.5) * length)
        self._root(root)
        body = root
        for k in range(middle - 1, 0, -1):
            body = self._segment(body, k, length)
            self._joint(body, k, towards_nose=True)
        body = root
        for k in range(middle + 1, n + 1):
            body = self._segment(body, k, -length)
            self._joint(body, k - 1, towards_nose=False)

    def _segment(self, parent: Any, k: int, along_mm: float) -> Any:
        import mujoco

        name = f"segment_{k:02d}"
        body = parent.add_body(name=name, pos=[along_mm, 0, 0])
        self._inertia(body)
        body.add_site(name=name, size=[0.001] * 3)
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            size=[self.segment_radius[k - 1], self.shape.segment_length / 2, 0],
            quat=[np.sqrt(0.5), 0, np.sqrt(0.5), 0],
            contype=0,
            conaffinity=0,
            mass=0,
            rgba=[0.80, 0.68, 0.52, 1],
        )
        return body

    def _inertia(self, body: Any) -> None:
        mass, length = self.shape.mass / self.shape.segments, self.shape.segment_length
        transverse = mass * (3 * self.shape.radius**2 + length**2) / 12  # solid cylinder
        body.mass = mass
        body.explicitinertial = True
        body.inertia = [mass * self.shape.radius**2 / 2, transverse, transverse]

    def _root(self, body: Any) -> None:
        import mujoco

        if not self.planar:
            body.add_freejoint(name="root")
            return
        body.add_joint(name="root_x", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
        body.add_joint(name="root_y", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, 1, 0])
        body.add_joint(name="root_yaw", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1])

    def _joint(self, body: Any, k: int, *, towards_nose: bool) -> None:
        """Joint k carries segment k if that is the child (towards the nose), otherwise segment k + 1."""
        import mujoco

        # two lateral springs act on each hinge with the local radius as moment arm
        stiffness = 2 * self.shape.passive_rigidity / self.shape.segment_length * self.joint_radius[k - 1] ** 2
        hinges = [("bend", [0, 0, -1])] if self.planar else [("bend", [0, 0, -1]), ("side", [0, 1, 0])]
        # the same turn of the rear segment against the front one, seen from the rear one
        sign = -1 if towards_nose else 1
        for name, axis in hinges[::sign]:
            joint = body.add_joint(name=f"{name}_{k:02d}", type=mujoco.mjtJoint.mjJNT_HINGE)
            joint.axis = [sign * component for component in axis]
            joint.pos = [sign * self.shape.segment_length / 2, 0, 0]
            joint.stiffness[0] = stiffness
            joint.damping[0] = stiffness * self.shape.passive_damping_s

    def _muscles(self, spec: mujoco.MjSpec) -> tuple[str, ...]:
        names = []
        for row, (dorsal, left) in ROWS.items():
            for k in range(1, self.shape.segments):
                name = f"{row}{k:02d}"
                if name not in MISSING_MUSCLES:
                    self._muscle(spec, name, k, dorsal, left)
                    names.append(name)
        return tuple(names)

    def _muscle(self, spec: mujoco.MjSpec, name: str, k: int, dorsal: int, left: int) -> None:
        arm = float(self.joint_radius[k - 1])
        muscle = self._tissue(arm)
        if self.planar:
            muscle.add(spec, name, f"bend_{k:02d}", -dorsal * arm)
            return
        tendon = spec.add_tendon(name=name)
        tendon.wrap_joint(f"bend_{k:02d}", -dorsal * arm)
        tendon.wrap_joint(f"side_{k:02d}", -left * arm)
        muscle.add(spec, name, name, 1.0, tendon=True)

    def _tissue(self, arm: float) -> ActiveMuscle:
        shape = self.shape
        stiffness = (
            shape.active_ratio * shape.passive_rigidity / shape.segment_length / 2
        )  # left and right share a side
        return ActiveMuscle(
            force=stiffness * shape.contraction * shape.segment_length * arm / shape.radius,
            stiffness=stiffness,
            damping=stiffness * shape.active_damping_s,
            tau_s=shape.muscle_tau_s,
        )
