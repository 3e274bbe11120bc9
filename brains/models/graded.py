"""Graded neuron: a leaky, non-spiking cell whose release is a sigmoid of its voltage.

Most neurons of *C. elegans* do not spike; this is the default model of the worm. The form is the continuous-time neuron
with gap junctions of Izquierdo and Beer 2018 (Phil Trans R Soc B 373:20170374), written in millivolts. The optional
plateau is a persistent inward current carried by the cell's own release; when it is large the cell is bistable, which
is the continuous form of the hysteresis of the B-class motor neurons in Boyle, Berri and Cohen 2012 (Front Comput
Neurosci 6:10).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Graded:
    """Parameters of one graded neuron.

    The membrane numbers are those of Kunert, Shlizerman and Kutz 2014 (Phys Rev E 89:052805), after Wicks, Roehrig and
    Rankin 1996 (J Neurosci 16:4017): 1 pF over 10 pS, rest -35 mV, sigmoid 0.125 per mV; half release at rest is their
    choice of half release at equilibrium, here for a cell without input.
    """

    tau_m_ms: float = 100.0  # ms, membrane time constant
    v_rest_mv: float = -35.0  # mV, leak reversal
    v_half_mv: float = -35.0  # mV, voltage of half release
    slope_mv: float = 8.0  # mV, slope of the sigmoid
    plateau_mv: float = 0.0  # mV at full release, persistent inward current; none unless a table asks for it
    tonic_mv: float = 0.0  # mV, constant bias; none unless a table asks for it

    EQUATIONS: ClassVar[str] = """
        dv/dt = (v_rest - v + tonic + drive + i_chemical + i_electrical + plateau*s)/tau_m : 1   # mV
        s = 1/(1 + exp(-(v - v_half)/slope)) : 1   # release, 0 to 1
        u = v : 1                                  # what gap junctions see, mV
    """
    THRESHOLD: ClassVar[str | None] = None
    RESET: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for name in ("tau_m_ms", "slope_mv"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Graded: {name} ({getattr(self, name)}) must be above 0")

    def steady_voltage(self, drive_mv: ArrayLike) -> Floats:
        """Closed-form voltage (mV) under a constant drive (mV), without synapses.

        Args:
            drive_mv: constant drive in mV, any shape.

        Raises:
            ValueError: with a plateau current the voltage has no closed form; `holding_drive` is its exact inverse.
        """
        if self.plateau_mv != 0.0:
            raise ValueError(f"Graded: no closed form with plateau_mv = {self.plateau_mv} mV; use holding_drive")
        return np.asarray(self.v_rest_mv + self.tonic_mv + np.asarray(drive_mv, dtype=np.float64), dtype=np.float64)

    def holding_drive(self, voltage_mv: ArrayLike) -> Floats:
        """Drive (mV) for which `voltage_mv` is a fixed point of the isolated cell, plateau included; any shape."""
        voltage = np.asarray(voltage_mv, dtype=np.float64)
        released = 1.0 / (1.0 + np.exp(-(voltage - self.v_half_mv) / self.slope_mv))
        return np.asarray(voltage - self.v_rest_mv - self.tonic_mv - self.plateau_mv * released, dtype=np.float64)

    def fold_drives(self) -> tuple[float, float] | None:
        """Drives (mV) at which a bistable cell falls down and jumps up, or None where the cell is not bistable.

        A fixed point is lost where plateau * ds/dV = 1. With ds/dV = s(1 - s)/slope this is a quadratic in s, real only
        for plateau > 4 slope. Between the two drives the cell keeps whichever state it is in.
        """
        if self.plateau_mv <= 4.0 * self.slope_mv:
            return None
        half_width = math.sqrt(0.25 - self.slope_mv / self.plateau_mv)
        low, high = 0.5 - half_width, 0.5 + half_width
        voltages = [self.v_half_mv + self.slope_mv * math.log(s / (1.0 - s)) for s in (high, low)]
        down, up = self.holding_drive(voltages)
        return float(down), float(up)


def step(v: float, current: float, v_rest: float, dt_over_tau: float) -> float:
    """One explicit Euler step of the voltage (mV) under a total current (mV). Compiled by the numba engine."""
    return v + dt_over_tau * (v_rest - v + current)


def release(v: float, v_half: float, slope: float) -> float:
    """Release, 0 to 1, at voltage `v` (mV). Compiled by the numba engine."""
    return 1.0 / (1.0 + math.exp(-(v - v_half) / slope))
