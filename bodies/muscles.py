"""Muscles whose stiffness and damping grow with activation (Boyle, Berri & Cohen 2012)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mujoco

STRONGEST = 1.8  # of the force at rest, in an active muscle that is being stretched; assumed


@dataclass(frozen=True, kw_only=True)
class ActiveMuscle:
    """A contractile element: force = -activation * (force + stiffness * stretch + damping * rate of stretch).

    Stretch is the length change from rest, mm. The activation follows its command with a first-order lag.
    """

    force: float  # nN, tension at rest length and full activation
    stiffness: float  # nN/mm at full activation
    damping: float  # nN s/mm at full activation
    tau_s: float = 0.1  # s, Boyle 2012: first-order muscle activation

    def __post_init__(self) -> None:
        if not self.tau_s > 0:
            raise ValueError(f"ActiveMuscle: tau_s ({self.tau_s} s) must be positive")

    def add(
        self,
        spec: mujoco.MjSpec,
        name: str,
        target: str,
        gear: float,
        *,
        tendon: bool = False,
        rest: float = 0.0,
        pulls: bool = False,
    ) -> None:
        """Add the muscle to `spec`, pulling on a joint (moment arm `gear`, mm) or on a fixed tendon.

        Args:
            spec: of the body.
            name: of the muscle.
            target: the joint or tendon.
            gear: moment arm, mm; negative for a muscle that shortens as the joint's angle grows.
            tendon: whether the target is a tendon.
            rest: length from which stretch is counted, mm: of a joint, its angle at rest times `gear`.
            pulls: never push, however short or fast, nor pull beyond `STRONGEST` times its force.
        """
        import mujoco

        actuator = spec.add_actuator(name=name, target=target)
        actuator.trntype = mujoco.mjtTrn.mjTRN_TENDON if tendon else mujoco.mjtTrn.mjTRN_JOINT
        actuator.gear = [gear, 0, 0, 0, 0, 0]
        actuator.dyntype = mujoco.mjtDyn.mjDYN_FILTEREXACT
        actuator.dynprm[0] = self.tau_s
        actuator.gaintype = mujoco.mjtGain.mjGAIN_AFFINE
        actuator.gainprm[:3] = [self.stiffness * rest - self.force, -self.stiffness, -self.damping]
        actuator.biastype = mujoco.mjtBias.mjBIAS_NONE
        actuator.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.ctrlrange = [0.0, 1.0]
        actuator.actlimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.actrange = [0.0, 1.0]
        if pulls:
            actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
            actuator.forcerange = [-STRONGEST * self.force, 0.0]
