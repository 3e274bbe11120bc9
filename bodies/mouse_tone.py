"""The tone of a standing mouse: constant activations that carry it in the pose of the tables.

Each pair of antagonists starts with the same activation, which makes the joint stiff. The difference between the two
then grows with the joint's error until every joint is at its standing angle. This happens once, when the body is built;
nothing of it acts while the animal lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .body import Floats, Indices
    from .mouse import MouseBody

STIFFENING = 0.25  # activation of both antagonists, assumed
GAIN = 3.0  # activation per rad and s
LEAST = 0.02  # activation of a muscle that has nothing to carry, assumed
STEP_S = 0.005  # s, between corrections
SECONDS = 2.0  # s, long against every lag


def standing_tone(body: MouseBody) -> Floats:
    """Activations of all effectors that hold the standing pose, shape (effectors,); without a floor, all the same."""
    import mujoco

    model, data, partners = body.model, body.new_data(), _partners(body.effectors)
    address = model.jnt_qposadr[model.actuator_trnid[body.effector_ids, 0]]
    sign = -np.sign(model.actuator_gear[body.effector_ids, 0])  # of the angle's change as the muscle shortens
    tone = np.full(len(body.effectors), STIFFENING)
    if not body.options["floor"]:
        return tone
    body.pose(data)
    body.put_down(data)
    data.act[body.activation_ids] = tone
    for _ in range(round(SECONDS / STEP_S)):
        data.ctrl[body.effector_ids] = tone
        mujoco.mj_step(model, data, max(1, round(STEP_S / model.opt.timestep)))
        wanted = tone + GAIN * STEP_S * sign * (model.qpos0[address] - data.qpos[address])
        tone = np.clip((wanted + wanted[partners]) / 2, LEAST, 1.0)
    return tone


def _partners(muscles: Sequence[str]) -> Indices:
    """Index of each muscle's counterpart on the other side; of one in the middle, its own."""
    swap = {"L": "R", "R": "L", "left": "right", "right": "left"}
    return np.array([muscles.index(_other(name, swap)) for name in muscles], dtype=np.int64)


def _other(name: str, swap: Mapping[str, str]) -> str:
    if name.endswith(("_left", "_right")):
        stem, side = name.rsplit("_", 1)
        return f"{stem}_{swap[side]}"
    return swap[name[0]] + name[1:] if name[0] in swap else name
