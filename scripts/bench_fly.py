"""Speed and stability of the fly's body alone, without a brain.

The tripod in here exercises the body: a clock moves every foot through a prescribed path, which is turned into muscle
activations beforehand. It shows that the muscles can walk the body. It is not the controller of the fly, whose rhythm
comes from wiring.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..bodies.body import Floats
from ..bodies.fly import FlyBody, fly
from ..bodies.fly_tables import LEG_JOINTS, LEGS, joint_stiffness, table
from .bench import Bar

COMMAND = "animat bench fly-body"
FIRST_TRIPOD = ("LF", "RM", "LH")
CONTROL_S = 0.0025  # s, between new excitations
# how readily each joint of LEG_JOINTS takes part in placing a foot; the tarsus follows passively
SHARES = np.array([1.0, 0.5, 0.5, 1.0, 0.3, 1.0, 0.0])


def fly_body_bars() -> Iterator[Bar]:
    """Every figure of the fly's body with its bar."""
    standing = standing_factor()
    yield _bar("fly standing, one core, mj_step", "at least 6x real time", f"{standing:.1f}x", standing >= 6)
    track = walk(fly(), 1.0, Tripod())
    yield _bar("fly walking by open-loop tripod", "at least 4x real time", f"{track.factor:.1f}x", track.factor >= 4)
    yield _bar("... its speed", "5 to 30 mm/s", f"{track.speed_mm_s:.1f} mm/s", 5 <= track.speed_mm_s <= 30)
    steps, fastest = random_actions(10_000)
    met = steps == 10_000 and fastest < 1000
    yield _bar("10,000 random full-range actions", "finite, below 1000 mm/s or rad/s", f"{steps}, {fastest:.0f}", met)
    share = reader_share()
    yield _bar("reading all senses over mj_step", "at most 10 %", f"{100 * share:.2f} %", share <= 0.10)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def standing_factor(seconds: float = 0.25, repeats: int = 5) -> float:
    """Simulated over processor time of a fly that stands with all muscles off, best of `repeats`."""
    import mujoco

    body = fly()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    steps = round(seconds / body.model.opt.timestep)
    return seconds / _best(lambda: mujoco.mj_step(body.model, data, steps), repeats)


def random_actions(actions: int, seed: int = 0) -> tuple[int, float]:
    """Draw every excitation anew from [0, 1] or from {0, 1} each control step.

    Returns:
        How many control steps stayed finite, and the greatest speed of any degree of freedom, mm/s or rad/s.
    """
    import mujoco

    body, rng, fastest = fly(), np.random.default_rng(seed), 0.0
    data, n = body.new_data(), len(body.effectors)
    body.reset(data, rng)
    for k in range(actions):
        data.ctrl[body.effector_ids] = rng.random(n) if k % 2 else rng.integers(0, 2, n)
        mujoco.mj_step(body.model, data, round(CONTROL_S / body.model.opt.timestep))
        if not np.isfinite(data.qpos).all():
            return k, np.inf
        fastest = max(fastest, float(np.abs(data.qvel).max()))
    return actions, fastest


def reader_share(repeats: int = 5, calls: int = 2000) -> float:
    """Time to read all senses once over that of the physics of one control step."""
    import mujoco

    body = fly()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    vector = np.zeros(sum(map(len, body.channels.values())), np.float32)
    read, steps = body.reader(data), round(CONTROL_S / body.model.opt.timestep)
    read(vector)
    reading = _best(lambda: [read(vector) for _ in range(calls)], repeats) / calls
    return reading / (_best(lambda: mujoco.mj_step(body.model, data, 20 * steps), repeats) / 20)


@dataclass(frozen=True, kw_only=True)
class Tripod:
    """Foot paths of the open-loop test, all assumed."""

    hz: float = 10.0  # steps a second
    duty: float = 0.6  # share of a step on the floor
    stride_mm: float = 1.0  # mm, from the front end to the rear end of the path
    lift_mm: float = 0.4  # mm, height of the swing
    grip: float = 0.0  # excitation of the claws in stance
    phases: int = 20  # points of the path

    def path(self) -> Floats:
        """Displacements of a foot from its neutral place over one step, mm, shape (phases, 3)."""
        phase = np.arange(self.phases) / self.phases
        swing = np.clip((phase - self.duty) / (1 - self.duty), 0, 1)
        forward = np.where(phase < self.duty, 0.5 - phase / self.duty, -0.5 * np.cos(np.pi * swing))
        return np.stack([self.stride_mm * forward, np.zeros(self.phases), self.lift_mm * np.sin(np.pi * swing)], axis=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Track:
    """A walk: root position and attitude (n, 7), foot forces (n, 6), uN, at every control step."""

    poses: Floats
    forces: Floats
    factor: float  # simulated over processor time

    @property
    def speed_mm_s(self) -> float:
        """Mean speed along x after the first 0.2 s, mm/s."""
        first = round(0.2 / CONTROL_S)
        return float((self.poses[-1, 0] - self.poses[first, 0]) / ((len(self.poses) - 1 - first) * CONTROL_S))

    @property
    def upright(self) -> float:
        """Least cosine between the fly's and the world's vertical."""
        return float((1 - 2 * (self.poses[:, 4:6] ** 2).sum(axis=1)).min())


def walk(body: FlyBody, seconds: float, tripod: Tripod, seed: int = 0) -> Track:
    """Walk the body open loop by its muscles."""
    import mujoco

    data, cycle = body.new_data(), excitations(body, tripod)
    body.reset(data, np.random.default_rng(seed))
    poses, forces, substeps = [], [], round(CONTROL_S / body.model.opt.timestep)
    start = time.process_time()
    for _ in range(round(seconds / CONTROL_S)):
        data.ctrl[body.effector_ids] = cycle[int(data.time * tripod.hz % 1 * tripod.phases)]
        mujoco.mj_step(body.model, data, substeps)
        poses.append(data.qpos[:7].copy())
        forces.append(body.contacts(data))
    factor = seconds / (time.process_time() - start)
    return Track(poses=np.array(poses), forces=np.array(forces), factor=factor)


def excitations(body: FlyBody, tripod: Tripod) -> Floats:
    """Excitation of every effector at each phase of a step, shape (phases, effectors)."""
    cycle = np.zeros((tripod.phases, len(body.effectors)))
    for leg in LEGS:
        shift = 0 if leg in FIRST_TRIPOD else tripod.phases // 2
        cycle[:, _of_leg(body, leg)] = np.roll(activations(body, leg, tripod), shift, axis=0)
    return cycle


def activations(body: FlyBody, leg: str, tripod: Tripod) -> Floats:
    """Excitation of each muscle of a leg that holds its unloaded foot at each point of the path, (phases, muscles)."""
    names = [body.effectors[k] for k in _of_leg(body, leg)]
    rows = np.zeros((tripod.phases, len(names)))
    for k, displacement in enumerate(tripod.path()):
        for joint, angle in zip(LEG_JOINTS, foot_angles(body, leg, displacement).tolist(), strict=True):
            muscle, excitation = holding(joint, angle)
            rows[k, names.index(f"{leg}_{muscle}")] = excitation
        rows[k, names.index(f"{leg}_claw_grip")] = tripod.grip * (k < tripod.duty * tripod.phases)
    return rows


def _of_leg(body: FlyBody, leg: str) -> list[int]:
    return [k for k, name in enumerate(body.effectors) if name.startswith(f"{leg}_")]


def holding(joint: str, angle_rad: float) -> tuple[str, float]:
    """The muscle that holds an unloaded joint at an angle, and its activation a: a (F - k angle) = passive k angle."""
    sign = "1" if angle_rad > 0 else "-1"
    row = next(row for row in table("muscles") if (row["joint"], row["sign"]) == (joint, sign))
    force, stiffness = float(row["strength_uN_mm"]), float(row["stiffness_uN_mm_rad"])
    torque = joint_stiffness(joint) * abs(angle_rad)
    return row["muscle"], min(1.0, torque / max(force - stiffness * abs(angle_rad), 1e-9))


def foot_angles(body: FlyBody, leg: str, displacement: Floats, rounds: int = 15) -> Floats:
    """Joint angles of LEG_JOINTS, rad, shape (7,), that move a foot from its neutral place: damped least squares."""
    import mujoco

    model, data = body.model, body.new_data()
    site = model.site(f"{leg}_tip").id
    joints = [model.joint(f"{leg}_{joint}") for joint in LEG_JOINTS]
    angles, columns = [int(joint.qposadr[0]) for joint in joints], [int(joint.dofadr[0]) for joint in joints]
    mujoco.mj_forward(model, data)
    target, jacobian = data.site_xpos[site] + displacement, np.zeros((3, model.nv))
    for _ in range(rounds):
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_jacSite(model, data, jacobian, None, site)
        mine = jacobian[:, columns] * SHARES
        miss = np.linalg.solve(mine @ mine.T + 1e-4 * np.eye(3), target - data.site_xpos[site])
        data.qpos[angles] += np.clip(SHARES * (mine.T @ miss), -0.2, 0.2)
    return np.array(data.qpos[angles])


def _best(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    for bar in fly_body_bars():
        print(f"{bar.what}: {bar.measured} (bar: {bar.bar})")
