"""Homeostatic scaling: the synapses onto a neuron grow or shrink together until it fires at its goal."""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled functions need."""

    jump: float  # Hz, of the sensor at a spike
    goal: float  # Hz
    speed: float  # per step and Hz
    rate_sensor: float  # per step


@dataclass(frozen=True, kw_only=True)
class Homeostasis:
    """Parameters of the proportional part of van Rossum, Bi and Turrigiano 2000.

    The paper is doi:10.1523/JNEUROSCI.20-23-08812.2000. There dw/dt = speed * w * (goal - sensed rate); here the
    logarithm of the scale of each weight is followed, which is the same and linear. Speed and goal are assumed: the
    speed is far above the hours that scaling takes in a culture.
    """

    goal_hz: float = 5.0  # Hz
    tau_sensor_ms: float = 1000.0  # ms, over which the target's rate is sensed
    speed: float = 0.02  # a second and Hz

    EQUATIONS: ClassVar[str] = """
        weight : 1
        dscale/dt = speed*(goal - sensed)/second : 1 (clock-driven)   # logarithm of the scale
        dsensed/dt = -sensed/tau_sensor : 1 (clock-driven)            # Hz
    """
    METHOD: ClassVar[str] = "rk4"  # brian2's exact scheme wants a fixed point; the error is below 1e-12 a step
    ON_PRE: ClassVar[str] = "{receptor}_post += weight*exp(scale)"
    ON_POST: ClassVar[str] = "sensed += second/tau_sensor"

    def __post_init__(self) -> None:
        for name in ("goal_hz", "tau_sensor_ms", "speed"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Homeostasis: {name} ({getattr(self, name)}) must be above 0")

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(1e3 / self.tau_sensor_ms, self.goal_hz, self.speed * dt_ms * 1e-3, dt_ms / self.tau_sensor_ms)

    def initial(self) -> dict[str, float]:
        """The weights as they are, the rate as it should be."""
        return {"sensed": self.goal_hz}

    @staticmethod
    def bring(y: Floats, k: int, steps: int, c: Constants) -> None:
        """Move synapse k forward."""
        left = math.exp(-steps * c.rate_sensor)
        y[1, k] += c.speed * (c.goal * steps - y[2, k] * (1.0 - left) / c.rate_sensor)
        y[2, k] *= left

    @staticmethod
    def on_pre(y: Floats, k: int, c: Constants) -> float:
        """A spike arrives."""
        return float(y[0, k] * math.exp(y[1, k]))

    @staticmethod
    def on_post(y: Floats, k: int, c: Constants) -> None:
        """The target spikes."""
        y[2, k] += c.jump
