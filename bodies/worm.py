"""The body of *Caenorhabditis elegans*: 25 segments, 24 joints, 95 body-wall muscles, 1 mm and 2 ug.

Units: mm, mg, s; so force is nN (mg mm/s^2 = 1e-9 N) and torque nN mm. Gravity is off: the medium carries the worm.
Axes: the worm starts along x with its nose at +x. Bending is positive towards the dorsal side (+y at rest).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .body import Body, Floats, Indices, Selection, as_selection
from .drag import Medium, add_drag, as_medium
from .muscles import ActiveMuscle

if TYPE_CHECKING:
    import mujoco

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
    return _Builder(as_medium(medium), planar, shape or WormShape(), timestep_s).build()


def _strain(
    qpos: Floats, joints: Indices, per_rad: float, low: float, high: float, vector: npt.NDArray[np.float32]
) -> None:
    """Dorsal strains, then ventral ones, into the first entries of `vector`: a compiled loop, called every step."""
    n = joints.size
    for k in range(n):
        strain = min(max(per_rad * qpos[joints[k]], low), high)
        vector[k] = -strain
        vector[n + k] = strain


_strain = njit(cache=True)(_strain)


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
    def _sites(self) -> Selection:
        names = (f"segment_{k:02d}" for k in range(1, self.n_joints + 2))
        return as_selection([self.model.site(name).id for name in names])

    def bends(self, data: mujoco.MjData) -> Floats:
        """Dorsoventral bend of each joint, rad, head first, shape (24,); positive is dorsal."""
        bends: Floats = data.qpos[self._joints]
        return bends

    def sense(self, data: mujoco.MjData, vector: npt.NDArray[np.float32]) -> None:
        """Proprioception: strain of the dorsal and the ventral side at each joint, at the mid-body radius."""
        low, high = self.bounds["proprioception"]
        _strain(data.qpos, self._joints, self._strain_per_rad, low, high, vector)

    @cached_property
    def _strain_per_rad(self) -> float:
        shape = self.options["shape"]
        return float(shape["radius"] * shape["segments"] / shape["length"])

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Segment centres, nose first, mm, shape (25, 3)."""
        points: Floats = data.site_xpos[self._sites].copy()
        return points

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """A worm with random bends of 0.1 rad (standard deviation) drawn from `rng`: no real one lies straight."""
        import mujoco

        mujoco.mj_resetData(self.model, data)
        data.qpos[self._joints] = rng.normal(0.0, 0.1, size=self.n_joints)
        mujoco.mj_forward(self.model, data)


class _Builder:
    """Puts a worm together; one method a tissue."""

    def __init__(self, medium: Medium, planar: bool, shape: WormShape, timestep_s: float | None) -> None:
        self.medium, self.planar, self.shape = medium, planar, shape
        self.timestep_s = timestep_s or medium.timestep_s
        n = shape.segments
        self.segment_radius = shape.radius_at(np.arange(n, dtype=np.float64) + 0.5)
        self.joint_radius = shape.radius_at(np.arange(1, n, dtype=np.float64))

    def build(self) -> WormBody:
        import mujoco

        spec = mujoco.MjSpec()
        spec.modelname = "worm"
        self._options(spec)
        self._segments(spec)
        names = self._muscles(spec)
        sites = [f"segment_{k:02d}" for k in range(1, self.shape.segments + 1)]
        add_drag(spec, sites, self.medium.c_par, self.medium.c_perp, self.planar)
        return self._body(spec.compile(), names)

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
        import mujoco

        length, n = self.shape.segment_length, self.shape.segments
        parent = spec.worldbody
        for k in range(n):
            pos = [self.shape.length / 2 - length / 2, 0, 0] if k == 0 else [-length, 0, 0]
            body = parent.add_body(name=f"segment_{k + 1:02d}", pos=pos)
            self._inertia(body, length)
            body.add_site(name=f"segment_{k + 1:02d}", size=[0.001] * 3)
            radius = self.segment_radius[k]
            body.add_geom(
                name=f"segment_{k + 1:02d}",
                type=mujoco.mjtGeom.mjGEOM_CAPSULE,
                size=[radius, length / 2, 0],
                quat=[np.sqrt(0.5), 0, np.sqrt(0.5), 0],
                contype=0,
                conaffinity=0,
                mass=0,
                rgba=[0.80, 0.68, 0.52, 1],
            )
            if k == 0:
                self._root(body)
            else:
                self._joint(body, k)
            parent = body

    def _inertia(self, body: Any, length: float) -> None:
        mass = self.shape.mass / self.shape.segments
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

    def _joint(self, body: Any, k: int) -> None:
        import mujoco

        # two lateral springs act on each hinge with the local radius as moment arm
        stiffness = 2 * self.shape.passive_rigidity / self.shape.segment_length * self.joint_radius[k - 1] ** 2
        axes = {"bend": [0, 0, -1]} if self.planar else {"bend": [0, 0, -1], "side": [0, 1, 0]}
        for name, axis in axes.items():
            joint = body.add_joint(name=f"{name}_{k:02d}", type=mujoco.mjtJoint.mjJNT_HINGE, axis=axis)
            joint.pos = [self.shape.segment_length / 2, 0, 0]
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

    def _body(self, model: mujoco.MjModel, muscles: tuple[str, ...]) -> WormBody:
        n = self.shape.segments
        sides = ("dorsal", "ventral")
        channels = {
            "proprioception": tuple(f"strain_{side}_{k:02d}" for side in sides for k in range(1, n)),
            "touch": tuple(f"touch_{k:02d}" for k in range(1, n + 1)),
            "chemosensation": ("salt", "odour_attractive", "odour_repellent"),
            "thermosensation": ("temperature",),
        }
        return WormBody(
            name="worm",
            model=model,
            options={
                "medium": asdict(self.medium),
                "planar": self.planar,
                "shape": asdict(self.shape),
                "timestep_s": self.timestep_s,
            },
            effectors=muscles,
            channels=channels,
            bounds={
                "proprioception": (-np.pi, np.pi),
                "touch": (0.0, 1000.0),
                "chemosensation": (0.0, 1e6),
                "thermosensation": (-20.0, 60.0),
            },
            units={"proprioception": "1", "touch": "uN", "chemosensation": "mM", "thermosensation": "celsius"},
            length_mm=self.shape.length,
        )
