"""Izhikevich's simple model of a spiking neuron: two variables, many kinds of firing.

Integrated by explicit Euler in steps of the network, as brian2 does it; the paper takes steps of 1 ms, with two half
steps for the voltage.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .spiking_model import check_positive

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled step needs."""

    dt: float  # ms
    a: float
    b: float
    c: float
    d: float
    v_peak: float


@dataclass(frozen=True, kw_only=True)
class Izhikevich:
    """Parameters: Izhikevich 2003 (doi:10.1109/TNN.2003.820440), the regular-spiking cell, in his own units.

    A weight is a step of the voltage, in mV: in the paper's network a spike is a current of that size for one step of
    1 ms. `drive` is his input I, in mV/ms.
    """

    a: float = 0.02  # 1/ms, speed of recovery
    b: float = 0.2  # 1/ms, recovery to voltage
    c_mv: float = -65.0  # mV, voltage after a spike
    d: float = 8.0  # mV/ms, recovery to a spike
    v_peak_mv: float = 30.0  # mV, a spike where the voltage reaches it
    t_refractory_ms: float = 0.0  # ms, the model has none
    delay_ms: float = 1.0  # ms, the step of the paper's network

    EQUATIONS: ClassVar[str] = """
        dv/dt = (0.04*v**2 + 5*v + 140 - u + drive)/ms : 1   # mV
        du/dt = a*(b*v - u)/ms : 1                           # mV/ms
    """
    THRESHOLD: ClassVar[str] = "v >= v_peak"
    RESET: ClassVar[str] = "v = c; u += d"
    METHOD: ClassVar[str] = "euler"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("v",)
    WEIGHT_UNIT: ClassVar[str] = "mV"
    UNSIGNED: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self, "a", "delay_ms")
        if self.v_peak_mv <= self.c_mv:
            raise ValueError(f"Izhikevich: v_peak_mv ({self.v_peak_mv} mV) must exceed c_mv ({self.c_mv} mV)")

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest: the lower root of 0.04 v^2 + (5 - b) v + 140; c where there is no rest."""
        discriminant = (5.0 - self.b) ** 2 - 4.0 * 0.04 * 140.0
        v = (self.b - 5.0 - math.sqrt(discriminant)) / 0.08 if discriminant >= 0 else self.c_mv
        return {"v": v, "u": self.b * v}

    def rheobase(self) -> float:
        """Closed-form drive (mV/ms) at which the resting state is lost, reached slowly.

        By a saddle-node where b < a, else by an Andronov-Hopf bifurcation (Izhikevich 2007, Dynamical Systems in
        Neuroscience, MIT Press, chapter 4): where the trace or the determinant of the Jacobian is zero.
        """
        v = (min(self.a, self.b) - 5.0) / 0.08
        return -(0.04 * v**2 + (5.0 - self.b) * v + 140.0)

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(dt_ms, self.a, self.b, self.c_mv, self.d, self.v_peak_mv)

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        v, u = x[0, i], x[1, i]
        x[0, i] = v + c.dt * (0.04 * v**2 + 5.0 * v + 140.0 - u + drive)
        x[1, i] = u + c.dt * c.a * (c.b * v - u)

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] >= c.v_peak)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.c
        x[1, i] += c.d
