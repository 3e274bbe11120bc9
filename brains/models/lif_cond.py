"""Leaky integrate-and-fire neuron with exponential synaptic conductances: the COBA benchmark.

Integrated by exponential Euler, as brian2 runs that benchmark: each variable exactly, the others as they were.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .spiking_model import check_positive

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled step needs."""

    step: float  # ms over pF
    g_leak: float
    e_leak: float
    e_e: float
    e_i: float
    v_threshold: float
    v_reset: float
    keep_e: float
    keep_i: float


@dataclass(frozen=True, kw_only=True)
class LifCond:
    """Parameters: benchmark 1 of Brette et al. 2007 (doi:10.1007/s10827-007-0038-6), after Vogels and Abbott 2005.

    Its weights are 6 nS (excitatory) and 67 nS (inhibitory) and it has no delay. A weight is the size of the step in
    conductance, in nS; its sign chooses the receptor. `drive` is in mV, current over leak conductance.
    """

    c_m_pf: float = 200.0  # pF, 1 uF/cm2 over 20,000 um2
    g_leak_ns: float = 10.0  # nS
    tau_e_ms: float = 5.0  # ms, decay of the excitatory conductance
    tau_i_ms: float = 10.0  # ms, decay of the inhibitory conductance
    e_leak_mv: float = -60.0  # mV
    e_e_mv: float = 0.0  # mV, reversal of the excitatory conductance
    e_i_mv: float = -80.0  # mV, reversal of the inhibitory conductance
    v_threshold_mv: float = -50.0  # mV, a spike where the voltage exceeds it
    v_reset_mv: float = -60.0  # mV, held for the refractory period
    t_refractory_ms: float = 5.0  # ms, only the voltage stands still
    delay_ms: float = 0.1  # ms, one step: assumed, the benchmark has none

    EQUATIONS: ClassVar[str] = """
        dv/dt = (g_leak*(e_leak + drive - v) + g_e*(e_e - v) + g_i*(e_i - v))/c_m/ms : 1 (unless refractory)   # mV
        dg_e/dt = -g_e/tau_e : 1   # nS
        dg_i/dt = -g_i/tau_i : 1   # nS
    """
    THRESHOLD: ClassVar[str] = "v > v_threshold"
    RESET: ClassVar[str] = "v = v_reset"
    METHOD: ClassVar[str] = "exponential_euler"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("g_e", "g_i")
    WEIGHT_UNIT: ClassVar[str] = "nS"
    UNSIGNED: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "c_m_pf", "g_leak_ns", "tau_e_ms", "tau_i_ms", "delay_ms")
        if self.v_threshold_mv <= self.v_reset_mv:
            raise ValueError(
                f"LifCond: v_threshold_mv ({self.v_threshold_mv} mV) must exceed v_reset_mv ({self.v_reset_mv} mV)"
            )

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest."""
        return {"v": self.e_leak_mv}

    def steady_rate(self, drive_mv: ArrayLike, g_e_ns: float = 0.0, g_i_ns: float = 0.0) -> Floats:
        """Closed-form firing rate (Hz) under a constant drive (mV) and constant conductances (nS); zero if silent."""
        total = self.g_leak_ns + g_e_ns + g_i_ns
        leak = self.g_leak_ns * (self.e_leak_mv + np.asarray(drive_mv, dtype=np.float64))
        target = (leak + g_e_ns * self.e_e_mv + g_i_ns * self.e_i_mv) / total
        fires = target > self.v_threshold_mv
        above = np.where(fires, target - self.v_threshold_mv, 1.0)
        climb_ms = self.c_m_pf / total * np.log1p((self.v_threshold_mv - self.v_reset_mv) / above)
        return np.asarray(np.where(fires, 1e3 / (self.t_refractory_ms + climb_ms), 0.0), dtype=np.float64)

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(
            step=dt_ms / self.c_m_pf,
            g_leak=self.g_leak_ns,
            e_leak=self.e_leak_mv,
            e_e=self.e_e_mv,
            e_i=self.e_i_mv,
            v_threshold=self.v_threshold_mv,
            v_reset=self.v_reset_mv,
            keep_e=math.exp(-dt_ms / self.tau_e_ms),
            keep_i=math.exp(-dt_ms / self.tau_i_ms),
        )

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        g_e, g_i = x[1, i], x[2, i]
        if active:
            total = c.g_leak + g_e + g_i
            settled = (c.g_leak * (c.e_leak + drive) + g_e * c.e_e + g_i * c.e_i) / total
            x[0, i] = settled + (x[0, i] - settled) * math.exp(-total * c.step)
        x[1, i] = g_e * c.keep_e
        x[2, i] = g_i * c.keep_i

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] > c.v_threshold)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.v_reset
