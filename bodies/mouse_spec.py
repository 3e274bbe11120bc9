"""The mouse as a MuJoCo specification: trunk, legs, tail and muscles, from primitives.

Units: mm, g, s; so force is uN (g mm/s^2 = 1e-6 N) and torque uN mm. Gravity is 9810 mm/s^2.
Axes: the mouse looks along +x, its left is +y. In the standing pose every body's frame is parallel to the thorax's.
Joint positions are the angles of mouse_joints.csv in rad, so they are not zero in the standing pose.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .fly_leg import MIRRORED_POINT
from .fly_medium import Fluid
from .mouse_leg import leg_geometry
from .mouse_looks import COLOURS, GROUP, decorate_head, decorate_leg, decorate_trunk, draw_whisker
from .mouse_tables import LEGS, LIMBS, N_MM, Floats, joint_row, place, segment, segments, standing, table, trunk
from .mouse_whiskers import whiskers
from .muscles import ActiveMuscle
from .pillars import Pillar

if TYPE_CHECKING:
    import mujoco

GRAVITY = 9810.0  # mm/s^2
ARMATURE_S = 1e-3  # s, armature over damping of a joint, assumed; against contact forces on legs far too light
FRICTION = 1.2  # of a foot on the floor, assumed: the prototype that walked
CONTACT_S = 4e-3  # s, time in which a contact gives way: MuJoCo's own 20 ms would let a mouse sink in 4 mm
THIN = 1e-5  # g/mm^3, density of a fluid below which its drag is left out: air's on a mouse at 1 m/s is 0.1 % of its
# weight (0.5 * 1.2 kg/m^3 * 1 m^2/s^2 * 4 cm^2), and its derivatives would make a step five times as dear
SENSE_GROUP = 4  # of sites, which no picture shows
PARTS = ("spine", "neck", "tail")
TAIL_SLOPE = 0.12  # rad, downwards, assumed: a walking mouse holds it off the floor
HEIGHT = 23.3  # mm, of the hips over the floor while the model is put together
JOINTS_OF_SEGMENTS = {
    "hind": (("hip_abduction", "hip"), ("knee",), ("ankle",), ("toe",)),
    "fore": (("shoulder_abduction", "shoulder"), ("elbow",), ("wrist",), ()),
}


class MouseSpec:
    """Puts a mouse together; one method a part.

    Args:
        fluid: what it is in.
        parts: which parts besides the legs move; the others are drawn and weighed but stiff.
        floor: put a level floor at height 0.
        pillars: that stand on it.
        timestep_s: physics step, s.
    """

    def __init__(
        self, fluid: Fluid, parts: Collection[str], floor: bool, pillars: Sequence[Pillar], timestep_s: float
    ) -> None:
        self.fluid, self.parts, self.floor, self.pillars, self.timestep_s = fluid, parts, floor, pillars, timestep_s
        self.joints: list[str] = []

    def compile(self) -> tuple[mujoco.MjModel, tuple[str, ...]]:
        """The model and the names of its muscles."""
        import mujoco

        spec = mujoco.MjSpec()
        spec.modelname = "mouse"
        self._options(spec)
        if self.floor:
            self._floor(spec)
        for k, pillar in enumerate(self.pillars):
            pillar.add(spec, f"pillar_{k}")
        thorax, pelvis = self._trunk(spec)
        for leg in LEGS:
            self._leg(spec, *((pelvis, place("pelvis")) if leg[1] == "H" else (thorax, np.zeros(3))), leg)
        sensor = spec.add_sensor(name="acceleration", type=mujoco.mjtSensor.mjSENS_ACCELEROMETER)
        sensor.objtype, sensor.objname = mujoco.mjtObj.mjOBJ_SITE, "ears"
        names = self._muscles(spec)
        return spec.compile(), names

    def _options(self, spec: mujoco.MjSpec) -> None:
        import mujoco

        option = spec.option
        option.timestep = self.timestep_s
        option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        option.gravity = [0, 0, -GRAVITY]
        if self.fluid.density >= THIN:
            option.density, option.viscosity = self.fluid.density, self.fluid.viscosity
        option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
        option.iterations, option.ls_iterations, option.tolerance = 10, 10, 1e-6
        # a diverged state stays as it is, for the environment to report, instead of jumping back to the start
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_ISLAND  # all legs are one island
        spec.compiler.degree = False
        spec.compiler.boundmass = spec.compiler.boundinertia = 0
        spec.stat.extent, spec.stat.center = 100.0, [0, 0, 15]
        spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 720
        spec.visual.map.znear = 0.01
        spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.35] * 3, [0.35] * 3
        light = spec.worldbody.add_light(pos=[50, 100, 300], dir=[-0.2, -0.3, -1])
        light.type, light.diffuse = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, [0.4] * 3

    def _floor(self, spec: mujoco.MjSpec) -> None:
        import mujoco

        spec.add_material(name="floor", rgba=COLOURS["floor"], specular=0, shininess=0)
        floor = spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
        floor.material, floor.contype, floor.conaffinity = "floor", 1, 0
        floor.friction[0] = FRICTION
        floor.solref = [CONTACT_S, 1.0]
        floor.priority = 1

    def _trunk(self, spec: mujoco.MjSpec) -> tuple[Any, Any]:
        thorax = spec.worldbody.add_body(name="thorax", pos=[0, 0, HEIGHT])
        thorax.add_freejoint(name="root")
        self._ellipsoid(thorax, "thorax", place("thorax"))
        pelvis = thorax.add_body(name="pelvis", pos=place("pelvis"))
        self._joint(pelvis, "spine_flexion", [0, -1, 0], "spine")
        self._joint(pelvis, "spine_bend", [0, 0, -1], "spine")
        self._ellipsoid(pelvis, "pelvis", place("pelvis_middle") - place("pelvis"))
        decorate_trunk(thorax, pelvis, np.zeros(3), place("pelvis"))
        pelvis.add_site(name="tail_base", pos=place("tail") - place("pelvis"), size=[0.3] * 3, group=SENSE_GROUP)
        pelvis.add_site(name="hips", pos=place("hip") * [1, 0, 1] - place("pelvis"), size=[0.3] * 3, group=SENSE_GROUP)
        thorax.add_site(name="waist", pos=place("pelvis"), size=[0.3] * 3, group=SENSE_GROUP)
        thorax.add_site(name="neck", pos=place("head"), size=[0.3] * 3, group=SENSE_GROUP)
        self._head(thorax)
        self._tail(pelvis)
        return thorax, pelvis

    def _head(self, thorax: Any) -> None:
        origin = place("head")
        head = thorax.add_body(name="head", pos=origin)
        self._joint(head, "neck_turn", [0, 0, 1], "neck")
        self._joint(head, "neck_extension", [0, -1, 0], "neck")
        self._ellipsoid(head, "head", place("head_middle") - origin)
        self._ellipsoid(head, "snout", place("snout") - origin)
        head.add_site(name="nose", pos=place("nose") - origin, size=[0.3] * 3, group=SENSE_GROUP)
        for side in "LR":
            where = place("eye") * _mirror(side) - origin
            head.add_site(name=f"eye_{side}", pos=where, size=[0.3] * 3, group=SENSE_GROUP)
        head.add_site(name="ears", pos=place("inner_ear") - origin, size=[0.3] * 3, group=SENSE_GROUP)
        decorate_head(head, origin)
        roots, directions, lengths = whiskers()
        for root, direction, length in zip(roots, directions, lengths, strict=True):
            draw_whisker(head, root - origin, root - origin + length * direction)

    def _tail(self, pelvis: Any) -> None:
        half, mass = trunk("tail")
        step = half[0] * np.array([-np.cos(TAIL_SLOPE), 0.0, -np.sin(TAIL_SLOPE)])
        parent, start = pelvis, place("tail") - place("pelvis")
        for part in ("base", "tip"):
            body = parent.add_body(name=f"tail_{part}", pos=start)
            self._joint(body, f"tail_{part}_lift", [0, 1, 0], "tail")
            self._joint(body, f"tail_{part}_bend", [0, 0, -1], "tail")
            radius = half[1] if part == "base" else 0.6 * half[1]
            share = 0.7 if part == "base" else 0.3
            self._capsule(body, f"tail_{part}", np.zeros(3), step, radius, share * mass, "tail", touches=part == "tip")
            parent, start = body, step

    def _leg(self, spec: mujoco.MjSpec, parent: Any, origin: Floats, leg: str) -> None:
        geometry, limb = leg_geometry(leg), LIMBS[leg[1]]
        for k, name in enumerate(segments(limb)):
            start, end = geometry.points[k : k + 2]
            here = JOINTS_OF_SEGMENTS[limb][k]
            if here:
                parent, origin = parent.add_body(name=f"{leg}_{name}", pos=start - origin), start
            for joint in here:
                self._joint(parent, joint, geometry.axes[joint], "legs", f"{leg}_")
            _, radius, mass = segment(limb, name)
            colour = "fur" if k < 2 else "skin"
            self._capsule(
                parent, f"{leg}_{name}", start - origin, end - origin, radius, mass, colour, touches=k in (1, 3)
            )
            if k == 0:
                decorate_leg(parent, name, (start + end) / 2 - origin, 1.0 if leg[0] == "L" else -1.0)
        parent.add_site(name=f"{leg}_foot", pos=(start + end) / 2 - origin, size=[9.0] * 3, group=SENSE_GROUP)
        parent.add_site(name=f"{leg}_ball", pos=start - origin, size=[0.3] * 3, group=SENSE_GROUP)
        parent.add_site(name=f"{leg}_tip", pos=end - origin, size=[0.3] * 3, group=SENSE_GROUP)
        import mujoco

        touch = spec.add_sensor(name=f"{leg}_load", type=mujoco.mjtSensor.mjSENS_TOUCH)
        touch.objtype, touch.objname = mujoco.mjtObj.mjOBJ_SITE, f"{leg}_foot"

    def _joint(self, body: Any, row_name: str, axis: Any, part: str, prefix: str = "") -> None:
        import mujoco

        if part != "legs" and part not in self.parts:
            return
        row = joint_row(row_name)
        joint = body.add_joint(name=prefix + row_name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=axis)
        joint.range = np.deg2rad([float(row["low_deg"]), float(row["high_deg"])])
        joint.ref = joint.springref = standing(row_name)
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        joint.stiffness[0] = N_MM * float(row["stiffness_N_mm_rad"])
        joint.damping[0] = N_MM * float(row["damping_N_mm_s_rad"])
        joint.armature = ARMATURE_S * joint.damping[0]
        self.joints.append(prefix + row_name)

    def _ellipsoid(self, body: Any, part: str, where: Floats) -> None:
        import mujoco

        half, mass = trunk(part)
        geom = body.add_geom(name=part, type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, pos=where, size=half, mass=mass)
        geom.rgba, geom.contype, geom.conaffinity, geom.group = COLOURS["fur"], 0, 1, GROUP

    def _capsule(
        self,
        body: Any,
        name: str,
        start: Floats,
        end: Floats,
        radius: float,
        mass: float,
        colour: str,
        *,
        touches: bool,
    ) -> None:
        import mujoco

        geom = body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=[*start, *end], mass=mass)
        geom.size[0] = radius
        geom.rgba, geom.contype, geom.conaffinity, geom.group = COLOURS[colour], 0, int(touches), GROUP

    def _muscles(self, spec: mujoco.MjSpec) -> tuple[str, ...]:
        names = []
        for prefix, limb in (*((f"{leg}_", LIMBS[leg[1]]) for leg in LEGS), ("", "midline")):
            for row in table("muscles"):
                if row["limb"] == limb and prefix + row["joint"] in self.joints:
                    _add_muscle(spec, prefix, row)
                    names.append(prefix + row["muscle"])
        return tuple(names)


def _add_muscle(spec: mujoco.MjSpec, prefix: str, row: dict[str, str]) -> None:
    """A muscle pulls at its moment arm; one that raises the angle shortens as it does."""
    arm = float(row["arm_mm"])
    muscle = ActiveMuscle(
        force=N_MM * float(row["strength_N_mm"]) / arm,
        stiffness=N_MM * float(row["stiffness_N_mm_rad"]) / arm**2,
        damping=N_MM * float(row["damping_N_mm_s_rad"]) / arm**2,
        tau_s=float(row["tau_s"]),
    )
    gear = -float(row["sign"]) * arm
    muscle.add(
        spec, prefix + row["muscle"], prefix + row["joint"], gear, rest=gear * standing(row["joint"]), pulls=True
    )


def _mirror(side: str) -> Floats:
    return MIRRORED_POINT if side == "R" else np.ones(3)
