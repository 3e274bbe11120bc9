"""What a fly feels: names, bounds and units of its channels, and the compiled function that fills them.

Order of the vector of all channels: proprioception, touch, load, balance, antenna, then what the arena fills: taste,
olfaction, vision. The compiled function reads MuJoCo's own arrays in place, once a control step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .body import Floats, Indices, Posture, Senses
from .fly_tables import LEG_JOINTS, LEGS

if TYPE_CHECKING:
    import mujoco

FACETS = 721  # of one eye: NeuroMechFly v2 (Wang-Chen et al. 2024, doi:10.1038/s41592-024-02497-y)
TASTES = ("sugar", "water", "bitter")
ORGANS = (*(f"{leg}_tip" for leg in LEGS), "proboscis_tip", "antenna_L", "antenna_R", "palp_L", "palp_R")
MODALITIES = {  # lowest value, highest value, unit
    "proprioception": (-500.0, 500.0, "rad; rad/s"),
    "touch": (0.0, 1.0, "1"),
    "load": (-1000.0, 1000.0, "uN"),
    "balance": (-1000.0, 1000.0, "rad/s"),
    "antenna": (-1e4, 1e4, "rad; mm/s"),
    "taste": (0.0, 1e6, "mM"),
    "olfaction": (0.0, 1e6, "1"),
    "vision": (0.0, 1.0, "1"),
}
WIND_FROM = np.sqrt(0.5)  # each antenna counts air that comes from 45 degrees to its own side of the nose


def fly_channels() -> dict[str, tuple[str, ...]]:
    """Names of the senses by modality, in the order of the vector."""
    joints = [f"{leg}_{joint}" for leg in LEGS for joint in LEG_JOINTS]
    tongues = (*LEGS, "proboscis")
    return {
        "proprioception": (*(f"{joint}_angle" for joint in joints), *(f"{joint}_velocity" for joint in joints)),
        "touch": tuple(f"{leg}_touch" for leg in LEGS),
        "load": tuple(f"{leg}_load" for leg in LEGS),
        "balance": tuple(f"{part}_spin_{axis}" for part in ("thorax", "head") for axis in "xyz"),
        "antenna": ("antenna_L_deflection", "antenna_R_deflection", "antenna_L_wind", "antenna_R_wind"),
        "taste": tuple(f"taste_{tongue}_{taste}" for tongue in tongues for taste in TASTES),
        "olfaction": ("odour_antenna_L", "odour_antenna_R", "odour_palp_L", "odour_palp_R"),
        "vision": tuple(f"vision_{side}_{k:03d}" for side in "LR" for k in range(FACETS)),
    }


def organ_sites() -> dict[str, str]:
    """The site at which each channel of taste and smell touches the world."""
    channels = fly_channels()
    sites = {name: name.removeprefix("odour_") for name in channels["olfaction"]}
    for name in channels["taste"]:
        _, tongue, _ = name.split("_")
        sites[name] = f"{tongue}_tip"
    return sites


@njit(cache=True)
def _read(
    qpos: Floats,
    qvel: Floats,
    touches: Floats,
    forces: Floats,
    rotations: Floats,
    spins: Floats,
    places: Floats,
    centres: Floats,
    wind: Floats,
    positions: Indices,
    velocities: Indices,
    grips: Indices,
    antennae: Indices,
    thorax: int,
    head: int,
    vector: Senses,
) -> Posture:
    """All that the body itself feels into the first entries of `vector`, in one compiled call a control step."""
    n, legs = positions.size, grips.size
    for k in range(n):
        vector[k] = qpos[positions[k]]
        vector[n + k] = min(max(qvel[velocities[k]], -500.0), 500.0)
    at = 2 * n
    for leg in range(legs):
        force = touches[leg]
        pull = forces[grips[leg]] if force > 0 else 0.0
        vector[at + leg] = 1.0 if force > 0 else 0.0
        vector[at + legs + leg] = min(max(force - pull, -1000.0), 1000.0)
    at += 2 * legs
    for part in range(2):
        body = head if part else thorax
        for axis in range(3):
            spin = 0.0
            for k in range(3):
                spin += rotations[body, 3 * k + axis] * spins[body, k]
            vector[at + 3 * part + axis] = min(max(spin, -1000.0), 1000.0)
    at += 6
    for side in range(2):
        vector[at + side] = qpos[antennae[side]] if antennae[side] >= 0 else 0.0
    ahead, left = _air(rotations[head], spins[head], places[head], centres[thorax], wind)
    vector[at + 2] = min(max(WIND_FROM * (ahead + left), -1e4), 1e4)
    vector[at + 3] = min(max(WIND_FROM * (ahead - left), -1e4), 1e4)
    squares = 0.0
    for value in qpos:
        squares += value * value
    centre, nose = centres[thorax], rotations[thorax]
    return centre[0], centre[1], centre[2], nose[0], nose[3], nose[6], squares


@njit(cache=True)
def _air(rotation: Floats, velocity: Floats, place: Floats, centre: Floats, wind: Floats) -> tuple[float, float]:
    """Air that comes towards the head from ahead and from the left, mm/s.

    MuJoCo gives the velocity of a body as the spin and the velocity of that point of it which is at the animal's
    centre of mass.
    """
    ahead = left = 0.0
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        lever = velocity[i] * (place[j] - centre[j]) - velocity[j] * (place[i] - centre[i])
        flow = velocity[3 + k] + lever - wind[k]
        ahead += rotation[3 * k] * flow
        left += rotation[3 * k + 1] * flow
    return ahead, left


def fly_reader(model: mujoco.MjModel, data: mujoco.MjData) -> Callable[[Senses], Posture]:
    """A function that fills the vector of all channels from `data` and returns the posture."""
    joints = [model.joint(f"{leg}_{joint}") for leg in LEGS for joint in LEG_JOINTS]
    positions = np.array([joint.qposadr[0] for joint in joints], dtype=np.int64)
    velocities = np.array([joint.dofadr[0] for joint in joints], dtype=np.int64)
    grips = np.array([model.actuator(f"{leg}_claw_grip").id for leg in LEGS], dtype=np.int64)
    antennae = np.array([_address(model, f"antenna_{side}_deflection") for side in "LR"], dtype=np.int64)
    thorax, head = model.body("thorax").id, model.body("head").id
    motion = (data.qpos, data.qvel, data.sensordata, data.actuator_force)
    places = (data.xmat, data.cvel, data.xpos, data.subtree_com, model.opt.wind)

    def read(vector: Senses) -> Posture:
        posture: Posture = _read(*motion, *places, positions, velocities, grips, antennae, thorax, head, vector)
        return posture

    return read


def _address(model: mujoco.MjModel, joint: str) -> int:
    """Where a joint's angle is in `qpos`; -1 for a part that does not move."""
    names = [model.joint(k).name for k in range(model.njnt)]
    return int(model.joint(joint).qposadr[0]) if joint in names else -1
