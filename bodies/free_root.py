"""Animals whose trunk moves freely: what all of them do with their first joint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import mujoco


def turn_free_root(model: mujoco.MjModel, data: mujoco.MjData, heading_rad: float, address: int = 0) -> None:
    """Turn a free animal about the vertical at the origin, from +x towards +y.

    Args:
        model: its model.
        data: its state, brought up to date.
        heading_rad: how far, rad.
        address: where the free joint's position begins in `qpos`.
    """
    import mujoco

    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    root, turned = data.qpos[address : address + 7], np.empty(4)
    root[:2] = cos * root[0] - sin * root[1], sin * root[0] + cos * root[1]
    mujoco.mju_mulQuat(turned, np.array([np.cos(heading_rad / 2), 0, 0, np.sin(heading_rad / 2)]), root[3:])
    root[3:] = turned
    mujoco.mj_forward(model, data)
