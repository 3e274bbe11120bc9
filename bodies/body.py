"""A body: a compiled MuJoCo model with named senses and named effectors, and no idea of neurons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import mujoco

    from .retina import Retina

Floats = npt.NDArray[np.float64]
Senses = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

Posture = tuple[float, float, float, float, float, float, float]
"""Centroid (x, y, z), mm; unit vector along the body towards the head (x, y, z); and the sum of squares of all
positions, which is not finite, or huge, once the physics has failed."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What every animal's body offers the closed loop.

    Units are the body's own and are declared by its module; for the worm mm, mg, s, so force is nN and torque nN mm.

    Attributes:
        name: the animal.
        model: the compiled model.
        options: what the builder was called with, JSON-able, enough to build the same body again.
        effectors: names of the actuators a brain or policy drives, in action order.
        channels: names of the senses by modality, in the order of the vectors that `sense` returns.
        bounds: lowest and highest value of each modality.
        units: unit of each modality.
        length_mm: length along the body axis at rest, mm.
        legs: their names; a body that has some records `contacts_un` and `feet_mm` among its extras, in this order.
    """

    name: str
    model: mujoco.MjModel
    options: Mapping[str, Any]
    effectors: tuple[str, ...]
    channels: Mapping[str, tuple[str, ...]]
    bounds: Mapping[str, tuple[float, float]]
    units: Mapping[str, str]
    length_mm: float
    legs: tuple[str, ...] = ()

    @cached_property
    def effector_ids(self) -> Indices:
        """Where the effectors are in `data.ctrl`, in action order."""
        return np.array([self.model.actuator(name).id for name in self.effectors], dtype=np.int64)

    @cached_property
    def activation_ids(self) -> Indices:
        """Where the effectors' activations are in `data.act`, in action order."""
        return np.array([self.model.actuator(name).actadr[0] for name in self.effectors], dtype=np.int64)

    def new_data(self) -> mujoco.MjData:
        """A fresh state of this body."""
        import mujoco

        return mujoco.MjData(self.model)

    def reader(self, data: mujoco.MjData) -> Callable[[Senses], Posture]:
        """A function to call once a control step: it writes what the body feels into a vector of all channels.

        The vector is in the order of `channels` and the values are within `bounds`; channels of the world alone are
        left as they are for the arena to fill. Sensing and posture are one function because crossing from Python to
        compiled code and back costs more than either.
        """
        raise NotImplementedError

    def retina(self) -> Retina[Any] | None:
        """What its eyes see the world with; None for an animal without."""
        return None

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Points along the body axis, nose first, mm, shape (n_points, 3)."""
        raise NotImplementedError

    def nose(self, data: mujoco.MjData) -> Floats:
        """Where the animal's foremost sense organs are, mm, shape (3,)."""
        raise NotImplementedError

    def organ(self, data: mujoco.MjData, channel: str) -> Floats:
        """Where the sense organ of a channel of the world is, mm, shape (3,); by default at the nose."""
        return self.nose(data)

    def extras(self, data: mujoco.MjData) -> Mapping[str, Floats]:
        """What a recording keeps of this body besides joints and centreline, by name; the same shapes at every call."""
        return {}

    def fallen(self, data: mujoco.MjData) -> bool:
        """Whether the animal lies where it cannot get up from, which ends an episode; never by default."""
        return False

    def turn(self, data: mujoco.MjData, heading_rad: float) -> None:
        """Turn an animal that was just reset about the vertical at its origin, counted from +x towards +y."""
        raise NotImplementedError

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Put `data` into the resting posture with a small random perturbation drawn from `rng`."""
        raise NotImplementedError
