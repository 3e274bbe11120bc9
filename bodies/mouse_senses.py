"""What a mouse feels: names, bounds and units of its channels, and the function that fills them.

Order of the vector of all channels: proprioception, spindle, tendon, touch, load, balance, whisker, then vision, which
the arena fills. A compiled function reads MuJoCo's own arrays in place, once a control step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .body import Floats, Indices, Posture, Senses
from .mouse_eyes import COLUMNS, LINES
from .mouse_tables import LEGS
from .mouse_whiskers import ROWS, Whiskers

if TYPE_CHECKING:
    import mujoco

MODALITIES = {  # lowest value, highest value, unit
    "proprioception": (-500.0, 500.0, "rad; rad/s"),
    "spindle": (-2000.0, 2000.0, "mm; mm/s"),
    "tendon": (0.0, 5e4, "mN"),
    "touch": (0.0, 1.0, "1"),
    "load": (0.0, 1e4, "mN"),
    "balance": (-1000.0, 1000.0, "rad; rad/s; m/s^2"),
    "whisker": (0.0, 1.0, "1"),
    "vision": (0.0, 1.0, "1"),
}
BALANCE = (
    "roll",
    "pitch",
    "roll_rate",
    "pitch_rate",
    "yaw_rate",
    *(f"acceleration_{axis}" for axis in "xyz"),
)


def mouse_channels(joints: Sequence[str], muscles: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of the senses by modality, in the order of the vector.

    Args:
        joints: names of the joints that feel their angle.
        muscles: names of the muscles.
    """
    return {
        "proprioception": (*(f"{joint}_angle" for joint in joints), *(f"{joint}_velocity" for joint in joints)),
        "spindle": (*(f"{muscle}_length" for muscle in muscles), *(f"{muscle}_velocity" for muscle in muscles)),
        "tendon": tuple(f"{muscle}_force" for muscle in muscles),
        "touch": tuple(f"{leg}_contact" for leg in LEGS),
        "load": tuple(f"{leg}_load" for leg in LEGS),
        "balance": BALANCE,
        "whisker": (*(f"whisker_{side}_{row}" for side in "LR" for row in ROWS), "whisker_L", "whisker_R"),
        "vision": tuple(
            f"vision_{side}_{y:02d}_{x:02d}" for side in "LR" for y in range(LINES) for x in range(COLUMNS)
        ),
    }


@njit(cache=True)
def _read(
    qpos: Floats,
    qvel: Floats,
    lengths: Floats,
    speeds: Floats,
    forces: Floats,
    sensed: Floats,
    rotations: Floats,
    spins: Floats,
    centres: Floats,
    positions: Indices,
    velocities: Indices,
    muscles: Indices,
    rests: Floats,
    thorax: int,
    head: int,
    felt: Floats,
    vector: Senses,
) -> Posture:
    """All that the body itself feels into the first entries of `vector`."""
    n, m, legs = positions.size, muscles.size, 4
    for k in range(n):
        vector[k] = qpos[positions[k]]
        vector[n + k] = min(max(qvel[velocities[k]], -500.0), 500.0)
    at = 2 * n
    for k in range(m):
        muscle = muscles[k]
        vector[at + k] = lengths[muscle] - rests[k]
        vector[at + m + k] = min(max(speeds[muscle], -2000.0), 2000.0)
        vector[at + 2 * m + k] = min(max(-1e-3 * forces[muscle], 0.0), 5e4)
    at += 3 * m
    for leg in range(legs):
        vector[at + leg] = 1.0 if sensed[leg] > 0 else 0.0
        vector[at + legs + leg] = min(1e-3 * sensed[leg], 1e4)
    at += 2 * legs
    turned = rotations[head]
    vector[at] = np.arctan2(turned[7], turned[8])
    vector[at + 1] = np.arcsin(min(max(turned[6], -1.0), 1.0))
    for axis in range(3):
        spin = 0.0
        for k in range(3):
            spin += turned[3 * k + axis] * spins[head, k]
        vector[at + 2 + axis] = min(max(-spin if axis == 1 else spin, -1000.0), 1000.0)
        vector[at + 5 + axis] = min(max(1e-3 * sensed[legs + axis], -1000.0), 1000.0)
    at += 8
    rows = felt.size // 2
    for side in range(2):
        strongest = 0.0
        for row in range(rows):
            value = felt[side * rows + row]
            vector[at + side * rows + row] = value
            strongest = max(strongest, value)
        vector[at + 2 * rows + side] = strongest
    squares = 0.0
    for value in qpos:
        squares += value * value
    centre, nose = centres[thorax], rotations[thorax]
    return centre[0], centre[1], centre[2], nose[0], nose[3], nose[6], squares


def mouse_reader(
    model: mujoco.MjModel, data: mujoco.MjData, joints: Sequence[str], muscles: Sequence[str]
) -> Callable[[Senses], Posture]:
    """A function that fills the vector of all channels from `data` and returns the posture."""
    positions = np.array([model.joint(name).qposadr[0] for name in joints], dtype=np.int64)
    velocities = np.array([model.joint(name).dofadr[0] for name in joints], dtype=np.int64)
    actuators = np.array([model.actuator(name).id for name in muscles], dtype=np.int64)
    rests = muscle_rests(model, muscles)
    thorax, head = model.body("thorax").id, model.body("head").id
    motion = (data.qpos, data.qvel, data.actuator_length, data.actuator_velocity, data.actuator_force, data.sensordata)
    places = (data.xmat, data.cvel, data.subtree_com)
    whiskers = Whiskers(model, data)

    def read(vector: Senses) -> Posture:
        felt = whiskers.touch()
        posture: Posture = _read(*motion, *places, positions, velocities, actuators, rests, thorax, head, felt, vector)
        return posture

    return read


def muscle_rests(model: mujoco.MjModel, muscles: Sequence[str]) -> Floats:
    """Length of each muscle in the standing pose as MuJoCo counts it, mm, shape (muscles,)."""
    actuators = [model.actuator(name) for name in muscles]
    return np.array([each.gear[0] * model.qpos0[model.jnt_qposadr[each.trnid[0]]] for each in actuators])
