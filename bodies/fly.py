"""The body of *Drosophila melanogaster*: six legs of 7 driven joints, wings, head, proboscis, antennae; 1 mg, 2.5 mm.

Units: mm, g, s; so force is uN (g mm/s^2 = 1e-6 N) and torque uN mm. Gravity is 9810 mm/s^2.
Axes: the fly starts along +x with its left at +y and its feet on the floor at height 0.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .body import Body, Floats, Indices
from .fly_medium import Fluid, as_fluid
from .fly_spec import PARTS, FlySpec
from .fly_tables import LEGS

if TYPE_CHECKING:
    import mujoco


def fly(
    *,
    medium: str | Fluid = "air",
    parts: Collection[str] = PARTS,
    floor: bool = True,
    timestep_s: float | None = None,
) -> "FlyBody":
    medium = as_fluid(medium)
    timestep_s = timestep_s or 5e-4
    model, effectors = FlySpec(medium, parts, floor, timestep_s).compile()
    return FlyBody(name="fly", model=model, options={"medium": asdict(medium), "parts": list(parts), "floor": floor, "timestep_s": timestep_s},
        effectors=effectors, channels={}, bounds={}, units={}, length_mm=2.5)


class FlyBody(Body):
    @cached_property
    def _tips(self) -> Indices:
        return np.array([self.model.site(f"{leg}_tip").id for leg in LEGS], dtype=np.int64)

    def feet(self, data: mujoco.MjData) -> Floats:
        return data.site_xpos.take(self._tips, axis=0)

    def contacts(self, data) -> Floats:
        return data.sensordata[:6].copy()

    def reset(self, data, rng) -> None:
        import mujoco
        mujoco.mj_resetData(self.model, data)
        mujoco.mj_forward(self.model, data)
        data.qpos[2] -= self.feet(data)[:, 2].min() - 0.03
        mujoco.mj_step(self.model, data, round(0.1 / self.model.opt.timestep))
