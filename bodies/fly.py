"""The body of *Drosophila melanogaster*: six legs of 7 driven joints, wings, head, proboscis, antennae; 1 mg, 2.5 mm.

Units: mm, g, s; so force is uN (g mm/s^2 = 1e-6 N) and torque uN mm. Gravity is 9810 mm/s^2.
Axes: the fly starts along +x with its left at +y and its feet on the floor at height 0.

Every driven joint has two antagonist muscles (excitation in [0, 1]). With all muscles off, springs hold the legs in the
neutral pose: the joints' own tissue, which in a fly is a linear spring but about 70 times too soft to carry it (Wang et
al., eLife RP107390), and on top of it a resting tone, which is assumed and stands for the tonic activity of the muscles
of a standing fly. `tone=0` is the fly of that study whose motor neurons are silenced: it falls. A muscle shifts the
balance of the springs, so its activation is a place as much as a force.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry import UnknownNameError, nearest
from .body import Body, Floats, Indices, Posture, Senses
from .eyes import CompoundEye, hexagonal_eye
from .fly_medium import Fluid, as_fluid
from .fly_senses import MODALITIES, fly_channels, fly_reader, organ_sites
from .fly_spec import FOOT_RADIUS, PARTS, FlySpec
from .fly_tables import LEG_JOINTS, LEGS
from .free_root import turn_free_root
from .retina import Retina

if TYPE_CHECKING:
    import mujoco

TIMESTEP_S = 5e-4  # s, largest physics step whose walk agrees with 0.1 ms (tests/bodies/test_fly.py)
LENGTH_MM = 2.5  # mm, of the head and thorax and abdomen here; a female measures 2.5 to 3
PERTURBATION_RAD = 0.03  # rad, standard deviation of the leg joints of a fly that was just put down, assumed
SETTLING_S = 0.1  # s, then for the feet to find the floor: twenty time constants of a joint
STANDING_S = 0.4  # s, until the neutral pose has sagged under the weight
FALLEN = 0.26  # cosine of 75 degrees, assumed
CENTRELINE = ("nose", "neck", "waist", "abdomen_tip")


def fly(
    *,
    medium: str | Mapping[str, Any] | Fluid = "air",
    parts: Collection[str] = PARTS,
    floor: bool = True,
    tone: float = 1.0,
    timestep_s: float | None = None,
) -> FlyBody:
    """Build a fly.

    Args:
        medium: "air", "water", "vacuum" or a Fluid of your own, also as the fields that `options` keeps.
        parts: which parts besides the legs have joints and muscles: any of PARTS; the rest is stiff but weighs.
        floor: put a level floor at height 0, which feet and trunk touch.
        tone: resting tone of the leg joints, as a share of the assumed; 0 leaves the passive tissue alone.
        timestep_s: physics step, s.

    Raises:
        ValueError: unknown medium or part, a tone that is not in [0, 3], a step that is not in (0, 0.001] s.
    """
    medium, timestep_s = as_fluid(medium), TIMESTEP_S if timestep_s is None else timestep_s
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"fly: no part {part!r}; {nearest(part, PARTS)}")
    if not 0 < timestep_s <= 1e-3:
        raise ValueError(f"fly: timestep_s ({timestep_s} s) must be in (0, 0.001]")
    if not 0 <= tone <= 3:
        raise ValueError(f"fly: tone ({tone}) must be in [0, 3]")
    model, effectors = FlySpec(medium, parts, floor, tone, timestep_s).compile()
    options = {"medium": asdict(medium), "parts": sorted(parts), "floor": floor, "tone": tone}
    return FlyBody(
        name="fly",
        model=model,
        options={**options, "timestep_s": timestep_s},
        effectors=effectors,
        channels=fly_channels(),
        bounds={name: (low, high) for name, (low, high, _) in MODALITIES.items()},
        units={name: unit for name, (_, _, unit) in MODALITIES.items()},
        length_mm=LENGTH_MM,
        legs=LEGS,
    )


class FlyBody(Body):
    """A fly: six legs, and the senses and organs that a world needs to know of."""

    @cached_property
    def _tips(self) -> Indices:
        return self._site_ids([f"{leg}_tip" for leg in LEGS])

    @cached_property
    def _line(self) -> Indices:
        return self._site_ids(CENTRELINE)

    @cached_property
    def _organs(self) -> dict[str, int]:
        return {channel: self.model.site(site).id for channel, site in organ_sites().items()}

    @cached_property
    def _leg_angles(self) -> Indices:
        names = (f"{leg}_{joint}" for leg in LEGS for joint in LEG_JOINTS)
        return np.array([self.model.joint(name).qposadr[0] for name in names], dtype=np.int64)

    @cached_property
    def _thorax(self) -> int:
        return int(self.model.body("thorax").id)

    def _site_ids(self, names: Collection[str]) -> Indices:
        return np.array([self.model.site(name).id for name in names], dtype=np.int64)

    def feet(self, data: mujoco.MjData) -> Floats:
        """Where the claws are, mm, shape (6, 3), in the order of LEGS."""
        tips: Floats = data.site_xpos.take(self._tips, axis=0)
        return tips

    def contacts(self, data: mujoco.MjData) -> Floats:
        """Force with which each foot presses on the floor, uN, shape (6,), in the order of LEGS."""
        forces: Floats = data.sensordata[: len(LEGS)].copy()
        return forces

    def organ(self, data: mujoco.MjData, channel: str) -> Floats:
        """Where a channel of taste or smell meets the world, mm, shape (3,).

        Raises:
            UnknownNameError: the channel belongs to no such organ.
        """
        if channel not in self._organs:
            raise UnknownNameError(f"the fly has no organ for {channel!r}; {nearest(channel, self._organs)}")
        place: Floats = data.site_xpos[self._organs[channel]].copy()
        return place

    def reader(self, data: mujoco.MjData) -> Callable[[Senses], Posture]:
        """Joint angles and velocities, touch and load of the feet, spins, antennae: see fly_senses."""
        return fly_reader(self.model, data)

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Nose, neck, waist and tip of the abdomen, mm, shape (4, 3)."""
        points: Floats = data.site_xpos.take(self._line, axis=0)
        return points

    def retina(self) -> Retina[CompoundEye]:
        """Two regular eyes of 721 facets, which look through the floor: it carries no pattern."""
        eyes = (hexagonal_eye("left"), hexagonal_eye("right"))
        return Retina(self.model, eyes, unseen=("floor",) if self.options["floor"] else ())

    def nose(self, data: mujoco.MjData) -> Floats:
        """The front of the head between the antennae."""
        place: Floats = data.site_xpos[self._line[0]].copy()
        return place

    def turn(self, data: mujoco.MjData, heading_rad: float) -> None:
        """Turn a fly that was just reset about the vertical at the origin."""
        turn_free_root(self.model, data, heading_rad)

    def fallen(self, data: mujoco.MjData) -> bool:
        """Whether it lies on its side or back: its vertical is more than 75 degrees off the world's."""
        return bool(data.xmat[self._thorax, 8] < FALLEN)

    def extras(self, data: mujoco.MjData) -> dict[str, Floats]:
        """Places of the feet, mm, (6, 3), their forces on the floor, uN, (6,), and the thorax's vertical, (3,)."""
        up: Floats = data.xmat[self._thorax, 2::3].copy()
        return {"feet_mm": self.feet(data), "contacts_un": self.contacts(data), "up": up}

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """A standing fly whose leg joints were moved by 0.03 rad (standard deviation) before it found its footing."""
        import mujoco

        mujoco.mj_resetData(self.model, data)
        data.qpos[:] = self._standing
        data.qpos[self._leg_angles] += rng.normal(0.0, PERTURBATION_RAD, size=self._leg_angles.size)
        if self.options["floor"]:
            self._settle(data, SETTLING_S)
            data.qpos[:2] = 0.0
        data.qvel[:], data.time = 0.0, 0.0
        mujoco.mj_forward(self.model, data)

    @cached_property
    def _standing(self) -> Floats:
        """The neutral pose as it sags under the fly's own weight; without a floor the neutral pose itself."""
        import mujoco

        data = self.new_data()
        mujoco.mj_resetData(self.model, data)
        if self.options["floor"]:
            self._settle(data, STANDING_S)
        pose: Floats = data.qpos.copy()
        pose[:2] = 0.0
        return pose

    def _settle(self, data: mujoco.MjData, seconds: float) -> None:
        """Put the lowest foot on the floor and let the body come to rest with all muscles off."""
        import mujoco

        mujoco.mj_kinematics(self.model, data)
        data.qpos[2] -= self.feet(data)[:, 2].min() - FOOT_RADIUS
        mujoco.mj_step(self.model, data, round(seconds / self.model.opt.timestep))
