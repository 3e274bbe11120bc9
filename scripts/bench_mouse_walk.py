"""A walk that exercises the mouse's body: it shows that the muscles can walk it.

A clock moves every foot along a prescribed path, two reflexes keep the trunk level, and the path is turned into muscle
activations beforehand. It is not the controller of the mouse, whose rhythm comes from a spinal circuit. Its settings
are the best of 35 random ones, of which 6 stayed upright for 3 s at 155 mm/s, and of 22 more around the best of these,
all from the start of seed 0 and scored by speed along x less 0.5 mm/s for each degree of turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..bodies.body import Floats
from ..bodies.mouse import MouseBody
from ..bodies.mouse_tables import LEGS, table

CONTROL_S = 0.002  # s, between new excitations
PHASES = 24  # points of a foot's path
LEG_MM = 22.0  # mm, height of hips and shoulders over the feet, about
PROBE_MM = 1.5  # mm, by which a leg is lengthened to find out how
STARTS = {"LH": 0.0, "RH": 0.5, "LF": 0.35, "RF": 0.85}  # phases of Danner et al. 2017 at drive 0.12
# how readily hip, knee and ankle, or shoulder, elbow and wrist, take part in placing a foot
SHARES = {"H": np.array([1.0, 1.0, 0.6]), "F": np.array([1.0, 1.0, 0.4])}


@dataclass(frozen=True, kw_only=True)
class ClockWalk:
    """Settings of the walk; what has no source was found by search for speed and straightness."""

    hz: float = 3.2  # strides a second: 3.18 measured by dannerlab
    duty: float = 0.67  # share of a stride on the floor: 0.670 measured
    speed_mm_s: float = 155.0  # mm/s at which the feet are drawn back: measured
    stiffening: float = 0.522  # activation of both antagonists at a joint's standing angle
    lift_mm: float = 6.25  # mm, height of the swing
    behind_hind_mm: float = 2.33  # mm, middle of the path behind the standing foot
    behind_fore_mm: float = 2.45  # mm
    raised_mm: float = -1.8  # mm, of the trunk over its height in the tables' pose
    roll_mm_rad: float = 1.2  # mm, by which a leg in stance grows for each rad that the trunk leans on it
    roll_rate_mm_s_rad: float = 0.66  # mm s, the same for each rad/s
    placing: float = 0.56  # of the drift in half a stride by which a foot in swing is put out sideways

    def path(self, pair: str) -> Floats:
        """Displacement of a hind (H) or fore (F) foot from its standing place, mm, ahead and up, (PHASES, 2)."""
        phase = np.arange(PHASES) / PHASES
        swing = np.clip((phase - self.duty) / (1 - self.duty), 0, 1)
        sweep = self.speed_mm_s * self.duty / self.hz
        ahead = np.where(phase < self.duty, 0.5 - phase / self.duty, -0.5 * np.cos(np.pi * swing))
        behind = self.behind_hind_mm if pair == "H" else self.behind_fore_mm
        return np.stack([sweep * ahead - behind, self.lift_mm * np.sin(np.pi * swing) - self.raised_mm], axis=1)


class ClockWalker:
    """A body's muscles, moved by the clock."""

    def __init__(self, body: MouseBody, settings: ClockWalk) -> None:
        self.body, self.settings = body, settings
        self.angles = {pair: foot_angles(body, f"L{pair}", settings.path(pair)) for pair in "HF"}
        longer = {pair: foot_angles(body, f"L{pair}", settings.path(pair) - [0, PROBE_MM]) for pair in "HF"}
        self.lengthening = {pair: (longer[pair] - self.angles[pair]) / PROBE_MM for pair in "HF"}

    @cached_property
    def _joints(self) -> dict[str, list[tuple[int, int, float, float]]]:
        """Of every driven joint of a leg: its raising and lowering muscle among the effectors, and their torques."""
        return {leg: [self._pair(leg, joint) for joint in (*_placing(leg), _spreading(leg))] for leg in LEGS}

    def _pair(self, leg: str, joint: str) -> tuple[int, int, float, float]:
        rows = {row["sign"]: row for row in table("muscles") if row["joint"] == joint}
        up, down = (self.body.effectors.index(f"{leg}_{rows[sign]['muscle']}") for sign in ("1", "-1"))
        return up, down, float(rows["1"]["strength_N_mm"]), float(rows["-1"]["strength_N_mm"])

    def excitations(self, time_s: float, roll: float, roll_rate: float, drift_mm_s: float) -> Floats:
        """Excitation of every effector, given the trunk's roll, rad, its rate, rad/s, and its speed to the left."""
        s, excitations = self.settings, self.body.tone.copy()
        leaning = s.roll_mm_rad * roll + s.roll_rate_mm_s_rad * roll_rate
        for leg in LEGS:
            left, pair = (1.0 if leg[0] == "L" else -1.0), leg[1]
            phase = (time_s * s.hz + STARTS[leg]) % 1
            stands, angles = phase < s.duty, _at(self.angles[pair], phase)
            if stands:
                angles = angles - left * leaning * _at(self.lengthening[pair], phase)
            outwards = 0.0 if stands else left * s.placing * drift_mm_s / (2 * s.hz) / LEG_MM
            for joint, angle in zip(self._joints[leg], (*angles.tolist(), outwards), strict=True):
                self._hold(excitations, joint, angle, stands)
        return np.clip(excitations, 0.0, 1.0)

    def _hold(self, excitations: Floats, joint: tuple[int, int, float, float], angle_rad: float, stands: bool) -> None:
        """Stiffen a joint about an angle counted from standing; in stance with the torque that carries the weight.

        Antagonists of torque a F (1 - 2 x) and b G (1 + 2 x) at the angle x, rad, balance there if a F : b G is as
        1 + 2 x to 1 - 2 x.
        """
        up, down, raising, lowering = joint
        tone = self.body.tone
        carrying = (tone[up] * raising - tone[down] * lowering) / 2 if stands else 0.0
        torque = self.settings.stiffening * np.sqrt(raising * lowering)
        excitations[up] = (torque * (1 + 2 * angle_rad) + carrying) / raising
        excitations[down] = (torque * (1 - 2 * angle_rad) - carrying) / lowering


@dataclass(frozen=True, eq=False, kw_only=True)
class Track:
    """A walk: root position and attitude (n, 7) and foot forces, uN, (n, 4), at every control step."""

    poses: Floats
    forces: Floats

    @property
    def speed_mm_s(self) -> float:
        """Mean speed along x after the first second, mm/s; 0 if it fell before."""
        first = round(1.0 / CONTROL_S)
        if len(self.poses) <= first + 1:
            return 0.0
        return float((self.poses[-1, 0] - self.poses[first, 0]) / ((len(self.poses) - 1 - first) * CONTROL_S))

    @property
    def seconds(self) -> float:
        """How long it walked before it fell, s."""
        return len(self.poses) * CONTROL_S

    @property
    def upright(self) -> float:
        """Least cosine between the mouse's and the world's vertical."""
        return float((1 - 2 * (self.poses[:, 4:6] ** 2).sum(axis=1)).min())

    @property
    def duty(self) -> Floats:
        """Share of the time that each foot presses on the floor, shape (4,)."""
        shares: Floats = (self.forces > 1000).mean(axis=0)
        return shares


def walk(body: MouseBody, seconds: float, settings: ClockWalk, seed: int = 0, reflexes: bool = True) -> Track:
    """Walk the body by its muscles until it falls, at most `seconds`."""
    import mujoco

    data, walker = body.new_data(), ClockWalker(body, settings)
    body.reset(data, np.random.default_rng(seed))
    poses, forces, substeps = [], [], round(CONTROL_S / body.model.opt.timestep)
    for _ in range(round(seconds / CONTROL_S)):
        turned, moving = data.xmat[1], data.qvel if reflexes else np.zeros(6)
        roll = np.arctan2(turned[7], turned[8]) if reflexes else 0.0
        drift = turned[1] * moving[0] + turned[4] * moving[1] + turned[7] * moving[2]
        data.ctrl[body.effector_ids] = walker.excitations(data.time, roll, moving[3], drift)
        mujoco.mj_step(body.model, data, substeps)
        poses.append(data.qpos[:7].copy())
        forces.append(body.contacts(data))
        if body.fallen(data):
            break
    return Track(poses=np.array(poses), forces=np.array(forces))


def foot_angles(body: MouseBody, leg: str, path: Floats, rounds: int = 25) -> Floats:
    """Angles of a leg's placing joints that lead the ball of its foot along a path, damped least squares.

    Args:
        body: the mouse.
        leg: its name.
        path: displacements from the standing place, mm, ahead and up, (n, 2).
        rounds: of the search, at each point from the one before.

    Returns:
        Angles from standing, rad, (n, 3).
    """
    import mujoco

    model, data = body.model, body.new_data()
    joints = [model.joint(f"{leg}_{joint}") for joint in _placing(leg)]
    angles, columns = [int(joint.qposadr[0]) for joint in joints], [int(joint.dofadr[0]) for joint in joints]
    site, jacobian, found = model.site(f"{leg}_ball").id, np.zeros((3, model.nv)), []
    mujoco.mj_forward(model, data)
    start = data.site_xpos[site, [0, 2]]
    for step in path:
        for _ in range(rounds):
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_jacSite(model, data, jacobian, None, site)
            mine = jacobian[np.ix_([0, 2], columns)] * SHARES[leg[1]]
            miss = np.linalg.solve(mine @ mine.T + 1e-2 * np.eye(2), start + step - data.site_xpos[site, [0, 2]])
            data.qpos[angles] += np.clip(SHARES[leg[1]] * (mine.T @ miss), -0.2, 0.2)
        found.append(data.qpos[angles] - model.qpos0[angles])
    return np.array(found)


def _placing(leg: str) -> tuple[str, ...]:
    return ("hip", "knee", "ankle") if leg[1] == "H" else ("shoulder", "elbow", "wrist")


def _spreading(leg: str) -> str:
    return "hip_abduction" if leg[1] == "H" else "shoulder_abduction"


def _at(rows: Floats, phase: float) -> Floats:
    """Rows of a cycle (n, m) interpolated at a phase, shape (m,)."""
    k, rest = divmod(phase * len(rows), 1)
    here: Floats = (1 - rest) * rows[int(k) % len(rows)] + rest * rows[(int(k) + 1) % len(rows)]
    return here
