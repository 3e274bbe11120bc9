"""Rays from one point into a MuJoCo world."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAR = 1e10


def cast(
    model: Any,
    data: Any,
    origin: Floats,
    directions: Floats,
    groups: NDArray[np.uint8] | None = None,
    own_body: int = -1,
    reach: float = 1e3,
) -> tuple[NDArray[np.int32], Floats]:
    """The first geom that each ray meets, -1 for none within reach, and how far it is; both of shape (m,).

    Args:
        model: MjModel.
        data: MjData, with kinematics done.
        origin: of all rays, (3,).
        directions: world unit vectors, (m, 3).
        groups: geom groups that are met, (6,) of 0 and 1; None meets all.
        own_body: a body to leave out, -1 for none.
        reach: beyond this distance nothing is met, in the model's unit of length.
    """
    import mujoco

    count = len(directions)
    geom, distance = np.full(count, -1, dtype=np.int32), np.empty(count)
    late = {"normal": None} if "normal:" in str(mujoco.mj_multiRay.__doc__) else {}  # an argument of newer versions
    mujoco.mj_multiRay(
        m=model,
        d=data,
        pnt=np.ascontiguousarray(origin, dtype=np.float64),
        vec=np.ascontiguousarray(directions, dtype=np.float64).ravel(),
        geomgroup=groups,
        flg_static=True,
        bodyexclude=own_body,
        geomid=geom,
        dist=distance,
        nray=count,
        cutoff=FAR,  # MuJoCo measures it to the origin of an endless plane
        **late,
    )
    geom[distance > reach] = -1
    return geom, distance
