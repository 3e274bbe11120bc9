"""The fly as a MuJoCo specification: trunk, legs, wings and muscles, from primitives.

Units: mm, g, s; so force is uN (g mm/s^2 = 1e-6 N) and torque uN mm. Gravity is 9810 mm/s^2.
Axes: the fly looks along +x, its left is +y. In the neutral pose every body's frame is parallel to the thorax's and
every joint angle is zero, and there the passive springs rest.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from .fly_leg import MIRRORED_AXIS, MIRRORED_POINT, leg_geometry
from .fly_looks import COLOURS, WING_FOLD, decorate
from .fly_medium import Fluid
from .fly_tables import LEGS, SEGMENTS, Floats, attachment, joint_row, joint_stiffness, leg_segment, table, trunk
from .muscles import ActiveMuscle

if TYPE_CHECKING:
    import mujoco

GRAVITY = 9810.0  # mm/s^2
ARMATURE_S = (
    2e-4  # s, armature over damping of a joint. All joints are overdamped, so it delays nothing that matters; but
)
# contact forces are solved before damping is integrated, and without it they are solved for legs far too light
FRICTION = 1.0  # of a foot on the floor, NeuroMechFly
FOOT_RADIUS = 0.03  # mm, assumed
CONTACT_S = 2e-3  # s, time in which a contact gives way: MuJoCo's own 20 ms would let a fly sink in 4 mm
GRIP = 9.85  # uN, pull of one foot's pads at full grip: flybody's claw adhesion, 0.985 dyn
GRIP_TAU_S = 0.01  # s, assumed
THIN = 1e-5  # g/mm^3, density of a fluid below which its drag may be integrated explicitly
SENSE_GROUP = 4  # of sites, which no picture shows
PARTS = ("wings", "head", "proboscis", "antennae", "abdomen", "tarsi")


class FlySpec:
    """Puts a fly together; one method a part.

    Args:
        fluid: what it is in.
        parts: which parts besides the legs move; the others are drawn and weighed but stiff.
        floor: put a level floor at height 0.
        tone: share of the resting tone of the leg joints.
        timestep_s: physics step, s.
    """

    def __init__(self, fluid: Fluid, parts: Collection[str], floor: bool, tone: float, timestep_s: float) -> None:
        self.fluid, self.parts, self.floor, self.tone, self.timestep_s = fluid, parts, floor, tone, timestep_s
        self.joints: list[str] = []

    def compile(self) -> tuple[mujoco.MjModel, tuple[str, ...]]:
        """The model and the names of its muscles and grips."""
        import mujoco

        spec = mujoco.MjSpec()
        spec.modelname = "fly"
        self._options(spec)
        if self.floor:
            self._floor(spec)
        thorax = self._trunk(spec)
        for leg in LEGS:
            self._leg(spec, thorax, leg)
        names = self._muscles(spec)
        return spec.compile(), names

    def _options(self, spec: mujoco.MjSpec) -> None:
        import mujoco

        option = spec.option
        option.timestep = self.timestep_s
        # Euler integrates joint damping implicitly, which in air is all that matters; implicitfast also differentiates
        # the fluid's drag, at five times the cost of a step, which wings in water need
        thin = self.fluid.density < THIN
        option.integrator = mujoco.mjtIntegrator.mjINT_EULER if thin else mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        option.gravity = [0, 0, -GRAVITY]
        option.density, option.viscosity = self.fluid.density, self.fluid.viscosity
        option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
        option.iterations, option.ls_iterations, option.tolerance = 10, 10, 1e-6
        # a diverged state stays as it is, for the environment to report, instead of jumping back to the start
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        option.disableflags |= mujoco.mjtDisableBit.mjDSBL_ISLAND  # all legs are one island; finding that out costs 4 %
        spec.compiler.degree = False
        spec.compiler.boundmass = spec.compiler.boundinertia = 0
        spec.stat.extent, spec.stat.center = 3.0, [-0.3, 0, 1]
        spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 720
        spec.visual.map.znear = 0.01
        spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.35] * 3, [0.35] * 3
        light = spec.worldbody.add_light(pos=[1, 2, 6], dir=[-0.2, -0.3, -1])
        light.type, light.diffuse = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, [0.4] * 3

    def _floor(self, spec: mujoco.MjSpec) -> None:
        import mujoco

        spec.add_material(name="floor", rgba=COLOURS["floor"], specular=0, shininess=0)
        floor = spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
        floor.material, floor.contype, floor.conaffinity = "floor", 1, 0
        floor.friction[0] = FRICTION
        floor.solref = [CONTACT_S, 1.0]
        floor.priority = 1

    def _trunk(self, spec: mujoco.MjSpec) -> Any:
        origin = attachment("thorax")
        thorax = spec.worldbody.add_body(name="thorax", pos=[0, 0, 1.3])
        thorax.add_freejoint(name="root")
        self._ellipsoid(thorax, "thorax", np.zeros(3), touches=True)
        for site, part in (("neck", "head"), ("waist", "abdomen")):
            thorax.add_site(name=site, pos=attachment(part) - origin, size=[0.01] * 3, group=SENSE_GROUP)
        self._head(thorax, attachment("head") - origin)
        abdomen = thorax.add_body(name="abdomen", pos=attachment("abdomen") - origin)
        self._joint(abdomen, "abdomen_pitch", "abdomen_pitch", [0, 1, 0], "abdomen")
        half, _ = trunk("abdomen")
        self._ellipsoid(abdomen, "abdomen", np.array([-0.9 * half[0], 0, 0]), touches=True)
        abdomen.add_site(name="abdomen_tip", pos=[-1.9 * half[0], 0, 0], size=[0.01] * 3, group=SENSE_GROUP)
        for side in "LR":
            self._wing(thorax, side, (attachment("wing") - origin) * _mirror(side))
            self._ellipsoid(thorax, "haltere", (attachment("haltere") - origin) * _mirror(side), name=f"haltere_{side}")
        return thorax

    def _head(self, thorax: Any, place: Floats) -> None:
        half, _ = trunk("head")
        head = thorax.add_body(name="head", pos=place)
        for name, axis in (("head_yaw", [0, 0, 1]), ("head_pitch", [0, -1, 0]), ("head_roll", [-1, 0, 0])):
            self._joint(head, name, name, axis, "head")
        self._ellipsoid(head, "head", np.array([0.9 * half[0], 0, 0]), touches=True)
        head.add_site(name="nose", pos=[1.9 * half[0], 0, 0], size=[0.01] * 3, group=SENSE_GROUP)
        for side in "LR":
            head.add_site(name=f"eye_{side}", pos=attachment("eye") * _mirror(side), size=[0.01] * 3, group=SENSE_GROUP)
            self._antenna(head, side, attachment("antenna") * _mirror(side))
        self._proboscis(head)

    def _antenna(self, head: Any, side: str, place: Floats) -> None:
        half, _ = trunk("antenna")
        antenna = head.add_body(name=f"antenna_{side}", pos=place)
        self._joint(antenna, f"antenna_{side}_deflection", "antenna_deflection", [0, 1, 0], "antennae")
        self._ellipsoid(antenna, "antenna", np.array([0.03, 0, -half[0]]), name=f"antenna_{side}", upright=True)
        antenna.add_site(name=f"antenna_{side}", pos=[0.03, 0, -half[0]], size=[0.01] * 3, group=SENSE_GROUP)

    def _proboscis(self, head: Any) -> None:
        """Folded at rest: the rostrum points back under the head, the haustellum forward again."""
        rostrum_tip = 2 * trunk("rostrum")[0][0] * np.array([-0.98, 0, -0.20])
        haustellum_tip = 2 * trunk("haustellum")[0][0] * np.array([0.95, 0, -0.31])
        rostrum = head.add_body(name="rostrum", pos=attachment("rostrum"))
        self._joint(rostrum, "rostrum_extension", "rostrum_extension", [0, -1, 0], "proboscis")
        self._capsule(rostrum, "rostrum", np.zeros(3), rostrum_tip, *_size("rostrum"))
        haustellum = rostrum.add_body(name="haustellum", pos=rostrum_tip)
        self._joint(haustellum, "haustellum_extension", "haustellum_extension", [0, 1, 0], "proboscis")
        self._capsule(haustellum, "haustellum", np.zeros(3), haustellum_tip, *_size("haustellum"))
        haustellum.add_site(name="proboscis_tip", pos=haustellum_tip, size=[0.01] * 3, group=SENSE_GROUP)
        for side in "LR":
            place = (attachment("palp") - attachment("rostrum")) * _mirror(side)
            rostrum.add_site(name=f"palp_{side}", pos=place, size=[0.01] * 3, group=SENSE_GROUP)

    def _wing(self, thorax: Any, side: str, place: Floats) -> None:
        """Folded at rest: the blades lie back and cross over the abdomen, the leading edge outside."""
        half, _ = trunk("wing")
        wing = thorax.add_body(name=f"wing_{side}", pos=place)
        sign = MIRRORED_AXIS if side == "R" else np.ones(3)
        for name, axis in (("yaw", [0, 0, -1]), ("roll", [0, 1, 0]), ("pitch", [-1, 0, 0])):
            self._joint(wing, f"{side}_wing_{name}", f"wing_{name}", sign * axis, "wings")
        self._ellipsoid(wing, "wing", half[0] * np.array([-0.95, -0.22, 0.10]) * _mirror(side), name=f"wing_{side}")
        wing.geoms[0].quat = [np.cos(WING_FOLD / 2), 0, 0, sign[0] * np.sin(WING_FOLD / 2)]

    def _leg(self, spec: mujoco.MjSpec, thorax: Any, leg: str) -> None:
        geometry, parent = leg_geometry(leg), thorax
        before = attachment("thorax")
        groups = dict(zip(SEGMENTS, _JOINTS_OF_SEGMENTS, strict=True))
        for k, segment in enumerate(SEGMENTS):
            start, end = geometry.points[k], geometry.points[k + 1]
            parent = parent.add_body(name=f"{leg}_{segment}", pos=start - before)
            for joint in groups[segment]:
                part = "tarsi" if joint == "claw_depression" else None
                self._joint(parent, f"{leg}_{joint}", joint, geometry.axes[joint], part)
            _, radius, mass = leg_segment(leg[1], segment)
            self._capsule(parent, f"{leg}_{segment}", np.zeros(3), end - start, radius, mass)
            before = start
        self._foot(spec, parent, leg, end - start)

    def _foot(self, spec: mujoco.MjSpec, claw: Any, leg: str, tip: Floats) -> None:
        import mujoco

        foot = claw.add_geom(name=f"{leg}_foot", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[FOOT_RADIUS, 0, 0], pos=tip)
        foot.mass, foot.rgba, foot.contype, foot.conaffinity = 0, COLOURS["claw"], 0, 1
        foot.friction[0] = FRICTION
        claw.add_site(name=f"{leg}_tip", pos=tip, size=[2 * FOOT_RADIUS] * 3, group=SENSE_GROUP)
        touch = spec.add_sensor(name=f"{leg}_touch", type=mujoco.mjtSensor.mjSENS_TOUCH, objname=f"{leg}_tip")
        touch.objtype = mujoco.mjtObj.mjOBJ_SITE

    def _joint(self, body: Any, name: str, row_name: str, axis: Any, part: str | None) -> None:
        import mujoco

        if part is not None and part not in self.parts:
            return
        row = joint_row(row_name)
        joint = body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=axis)
        joint.range = [float(row["low_rad"]), float(row["high_rad"])]
        joint.limited = mujoco.mjtLimited.mjLIMITED_TRUE
        joint.stiffness[0] = joint_stiffness(row_name, self.tone)
        joint.damping[0] = float(row["damping_uN_mm_s_rad"])
        joint.armature = ARMATURE_S * joint.damping[0]
        self.joints.append(name)

    def _ellipsoid(
        self, body: Any, part: str, place: Floats, *, name: str = "", touches: bool = False, upright: bool = False
    ) -> None:
        import mujoco

        half, mass = trunk(part)
        geom = body.add_geom(name=name or part, type=mujoco.mjtGeom.mjGEOM_ELLIPSOID, pos=place, mass=mass)
        geom.size = half[[1, 2, 0]] if upright else half
        geom.rgba, geom.contype, geom.conaffinity = COLOURS[part], 0, int(touches)
        decorate(body, part, place, half, -1.0 if name.endswith("_R") else 1.0)

    def _capsule(self, body: Any, name: str, start: Floats, end: Floats, radius: float, mass: float) -> None:
        import mujoco

        geom = body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=[*start, *end], mass=mass)
        geom.size[0] = radius
        geom.rgba, geom.contype, geom.conaffinity = COLOURS[name.split("_")[-1]], 0, 0

    def _muscles(self, spec: mujoco.MjSpec) -> tuple[str, ...]:
        names = [name for prefix in _PREFIXES for name in self._group(spec, *prefix)]
        return tuple(names)

    def _group(self, spec: mujoco.MjSpec, group: str, prefix: str) -> list[str]:
        names = []
        for row in table("muscles"):
            if row["group"] == group and prefix + row["joint"] in self.joints:
                muscle = ActiveMuscle(
                    force=float(row["strength_uN_mm"]),
                    stiffness=float(row["stiffness_uN_mm_rad"]),
                    damping=0.0,  # Ekeberg's damping is the joint's, whatever the activation
                    tau_s=float(row["tau_s"]),
                )
                # a muscle that raises the angle shortens as it does
                muscle.add(spec, prefix + row["muscle"], prefix + row["joint"], -float(row["sign"]))
                names.append(prefix + row["muscle"])
        if group == "leg":
            names.append(self._grip(spec, prefix))
        return names

    def _grip(self, spec: mujoco.MjSpec, prefix: str) -> str:
        """The pads' pull on whatever the foot touches, with a muscle's lag."""
        import mujoco

        name = f"{prefix}claw_grip"
        grip = spec.add_actuator(name=name, target=f"{prefix}claw", trntype=mujoco.mjtTrn.mjTRN_BODY)
        grip.dyntype, grip.gaintype = mujoco.mjtDyn.mjDYN_FILTEREXACT, mujoco.mjtGain.mjGAIN_FIXED
        grip.dynprm[0], grip.gainprm[0] = GRIP_TAU_S, GRIP
        grip.ctrllimited = grip.actlimited = mujoco.mjtLimited.mjLIMITED_TRUE
        grip.ctrlrange = grip.actrange = [0.0, 1.0]
        return name


_JOINTS_OF_SEGMENTS = (
    ("coxa_promotion", "coxa_abduction", "coxa_rotation"),
    ("trochanter_extension", "femur_reduction"),
    ("tibia_extension",),
    ("tarsus_depression",),
    ("claw_depression",),
)
_PREFIXES = (*(("leg", f"{leg}_") for leg in LEGS), ("midline", ""), ("side", "L_"), ("side", "R_"))


def _mirror(side: str) -> Floats:
    return MIRRORED_POINT if side == "R" else np.ones(3)


def _size(part: str) -> tuple[float, float]:
    half, mass = trunk(part)
    return float(half[1]), mass
