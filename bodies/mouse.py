"""The body of a mouse, *Mus musculus*: four legs of 4 or 5 joints, spine, neck, tail; 25 g, 94 mm without the tail.

Units: mm, g, s; so force is uN (g mm/s^2 = 1e-6 N) and torque uN mm. Gravity is 9810 mm/s^2. The channels give forces
in mN and accelerations in m/s^2.
Axes: the mouse starts along +x with its left at +y and its feet on the floor at height 0.

Legs are LH, RH, LF, RF (left and right, hind and fore).

Muscles, activation in [0, 1], each pulls only; prefix `LH_` or another leg:
    hind: hip_flexor, hip_extensor, hip_abductor, hip_adductor, knee_extensor, knee_flexor, ankle_flexor,
        ankle_extensor, toe_flexor
    fore: shoulder_protractor, shoulder_retractor, shoulder_abductor, shoulder_adductor, elbow_extensor, elbow_flexor,
        wrist_flexor, wrist_extensor
    midline, no prefix: spine_flexor, spine_extensor, spine_left, spine_right, neck_extensor, neck_flexor,
        neck_left, neck_right

Joints (angle in rad; what grows): hip, knee, ankle are the angles between neighbouring segments as a camera at the
side measures them, and open in extension; hip_abduction (foot outwards), toe (down); shoulder (elbow forward), elbow
(opens in extension), shoulder_abduction, wrist (down); spine_flexion, spine_bend (left), neck_turn (left),
neck_extension (up).

Channels by modality:
    proprioception: `<joint>_angle` of all joints, then `<joint>_velocity`: LH_hip_angle, LH_hip_abduction_velocity ...
    spindle: `<muscle>_length` (stretch from standing, mm), then `<muscle>_velocity` (mm/s, positive while stretched)
    tendon: `<muscle>_force`, mN
    touch, load: LH_contact (0 or 1), LH_load (mN) ...
    balance, of the head: roll (right side down), pitch (nose up), roll_rate, pitch_rate, yaw_rate (to the left),
        acceleration_x, _y, _z (as an accelerometer: 9.81 upwards at rest)
    whisker: whisker_L_A ... whisker_R_E (share of the length that is bent), whisker_L, whisker_R (the side's strongest)
    vision: vision_L_00_00 ... (line from the top, column from the left), 64 by 48 points an eye, filled by the arena

`body.tone` holds the activations with which it stands (their order is `body.effectors`); with all muscles off it falls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry import nearest
from .body import Body, Floats, Indices, Posture, Senses
from .eyes import PictureEye
from .fly_medium import Fluid, as_fluid
from .free_root import turn_free_root
from .mouse_eyes import FRAME_S, mouse_eye
from .mouse_senses import MODALITIES, mouse_channels, mouse_reader
from .mouse_spec import PARTS, MouseSpec
from .mouse_tables import LEGS, leg_joints, segment
from .mouse_tone import standing_tone
from .pillars import Pillar, as_pillar
from .retina import Retina

if TYPE_CHECKING:
    import mujoco

TIMESTEP_S = 1e-3  # s
LENGTH_MM = 94.0  # mm, nose to tail base
PERTURBATION_RAD = 0.02  # rad, standard deviation of the leg joints of a mouse that was just put down, assumed
SETTLING_S = 0.1  # s, then for the feet to find the floor
FALLEN = 0.5  # cosine of 60 degrees, assumed
CENTRELINE = ("nose", "neck", "waist", "tail_base")


def mouse(
    *,
    medium: str | Mapping[str, Any] | Fluid = "air",
    parts: Collection[str] = PARTS,
    floor: bool = True,
    pillars: Collection[Mapping[str, Any] | Pillar] = (),
    timestep_s: float | None = None,
) -> MouseBody:
    """Build a mouse.

    Args:
        medium: "air", "water", "vacuum" or a Fluid of your own, also as the fields that `options` keeps.
        parts: which parts besides the legs have joints: any of PARTS; the rest is stiff but weighs.
        floor: put a level floor at height 0, which feet and trunk touch.
        pillars: that stand in its world, which eyes see, whiskers feel and feet and trunk bump into.
        timestep_s: physics step, s.

    Raises:
        ValueError: unknown medium or part, or a step that is not in (0, 0.002] s.
    """
    medium, timestep_s = as_fluid(medium, "mouse"), TIMESTEP_S if timestep_s is None else timestep_s
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"mouse: no part {part!r}; {nearest(part, PARTS)}")
    if not 0 < timestep_s <= 2e-3:
        raise ValueError(f"mouse: timestep_s ({timestep_s} s) must be in (0, 0.002]")
    standing = tuple(as_pillar(pillar) for pillar in pillars)
    spec = MouseSpec(medium, parts, floor, standing, timestep_s)
    model, effectors = spec.compile()
    felt = tuple(name for name in spec.joints if not name.startswith("tail"))
    options = {
        "medium": asdict(medium),
        "parts": sorted(parts),
        "floor": floor,
        "pillars": [asdict(pillar) for pillar in standing],
        "timestep_s": timestep_s,
    }
    return MouseBody(
        name="mouse",
        model=model,
        options=options,
        effectors=effectors,
        channels=mouse_channels(felt, effectors),
        bounds={name: (low, high) for name, (low, high, _) in MODALITIES.items()},
        units={name: unit for name, (_, _, unit) in MODALITIES.items()},
        length_mm=LENGTH_MM,
        legs=LEGS,
        joints=felt,
    )


@dataclass(frozen=True, kw_only=True)
class MouseBody(Body):
    """A mouse: four legs, and the senses and organs that a world needs to know of.

    Attributes:
        joints: names of the joints that feel their angle, in the order of the channels.
    """

    joints: tuple[str, ...]

    @cached_property
    def _tips(self) -> Indices:
        return self._site_ids([f"{leg}_tip" for leg in LEGS])

    @cached_property
    def _line(self) -> Indices:
        return self._site_ids(CENTRELINE)

    @cached_property
    def _leg_angles(self) -> Indices:
        names = (joint for leg in LEGS for joint in leg_joints(leg))
        return np.array([self.model.joint(name).qposadr[0] for name in names], dtype=np.int64)

    @cached_property
    def _hind_angles(self) -> Indices:
        joints = [[f"{leg}_{joint}" for joint in ("hip", "knee", "ankle")] for leg in LEGS[:2]]
        return np.array([[self.model.joint(name).qposadr[0] for name in leg] for leg in joints], dtype=np.int64)

    @cached_property
    def _thorax(self) -> int:
        return int(self.model.body("thorax").id)

    def _site_ids(self, names: Collection[str]) -> Indices:
        return np.array([self.model.site(name).id for name in names], dtype=np.int64)

    def feet(self, data: mujoco.MjData) -> Floats:
        """Where the tips of the toes are, mm, shape (4, 3), in the order of LEGS."""
        tips: Floats = data.site_xpos.take(self._tips, axis=0)
        return tips

    def contacts(self, data: mujoco.MjData) -> Floats:
        """Force with which each foot presses on the floor, uN, shape (4,), in the order of LEGS."""
        forces: Floats = data.sensordata[: len(LEGS)].copy()
        return forces

    def hip_height(self, data: mujoco.MjData) -> float:
        """Height of the middle between the hips, mm."""
        return float(data.site("hips").xpos[2])

    def reader(self, data: mujoco.MjData) -> Callable[[Senses], Posture]:
        """Joints, muscles, feet, balance and whiskers: see mouse_senses."""
        return mouse_reader(self.model, data, self.joints, self.effectors)

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Nose, neck, waist and base of the tail, mm, shape (4, 3)."""
        points: Floats = data.site_xpos.take(self._line, axis=0)
        return points

    def retina(self) -> Retina[PictureEye]:
        """Two eyes of 64 by 48 points, which look through the floor: it carries no pattern."""
        eyes = (mouse_eye("left"), mouse_eye("right"))
        return Retina(self.model, eyes, unseen=("floor",) if self.options["floor"] else (), frame_s=FRAME_S)

    def nose(self, data: mujoco.MjData) -> Floats:
        """The tip of the snout."""
        place: Floats = data.site_xpos[self._line[0]].copy()
        return place

    def turn(self, data: mujoco.MjData, heading_rad: float) -> None:
        """Turn a mouse that was just reset about the vertical at the origin."""
        turn_free_root(self.model, data, heading_rad)

    def fallen(self, data: mujoco.MjData) -> bool:
        """Whether it lies on its side or back: its vertical is more than 60 degrees off the world's."""
        return bool(data.xmat[self._thorax, 8] < FALLEN)

    def extras(self, data: mujoco.MjData) -> dict[str, Floats]:
        """What measures need besides the senses.

        Places of the feet, mm, (4, 3), their forces on the floor, uN, (4,), the thorax's vertical, (3,), and hip, knee
        and ankle of the hind legs, rad, (2, 3).
        """
        up: Floats = data.xmat[self._thorax, 2::3].copy()
        hind: Floats = data.qpos[self._hind_angles]
        return {"feet_mm": self.feet(data), "contacts_un": self.contacts(data), "up": up, "hind_rad": hind}

    @cached_property
    def tone(self) -> Floats:
        """Activations that hold the standing pose, constant and the same on both sides, shape (effectors,)."""
        return standing_tone(self)

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """A standing mouse, its muscles at `tone`, whose leg joints were moved a little before it found its footing."""
        import mujoco

        self.pose(data)
        data.qpos[self._leg_angles] += rng.normal(0.0, PERTURBATION_RAD, size=self._leg_angles.size)
        data.ctrl[self.effector_ids] = data.act[self.activation_ids] = self.tone
        if self.options["floor"]:
            self.put_down(data)
            mujoco.mj_step(self.model, data, round(SETTLING_S / self.model.opt.timestep))
            data.qpos[:2] = 0.0
        data.qvel[:], data.time = 0.0, 0.0
        mujoco.mj_forward(self.model, data)

    def pose(self, data: mujoco.MjData) -> None:
        """The standing pose of the tables, muscles off."""
        import mujoco

        mujoco.mj_resetData(self.model, data)

    def put_down(self, data: mujoco.MjData) -> None:
        """Lower the animal until its lowest toe is on the floor."""
        import mujoco

        mujoco.mj_kinematics(self.model, data)
        radii = [segment("hind", "toes")[1]] * 2 + [segment("fore", "digits")[1]] * 2
        data.qpos[2] -= (self.feet(data)[:, 2] - radii).min()
