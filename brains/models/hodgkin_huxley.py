"""Hodgkin-Huxley point neuron with exponential synaptic conductances: the COBAHH benchmark, after Traub and Miles.

Integrated by exponential Euler, as brian2 runs that benchmark: each variable exactly, the others as they were.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .spiking_model import check_positive

Floats = NDArray[np.float64]

TINY = 1e-12  # stands for zero in x/expm1(x), whose limit there is 1; without a branch, so that jax can trace the step


class Constants(NamedTuple):
    """What the compiled step needs."""

    dt: float  # ms
    step: float  # ms over pF
    g_leak: float
    g_na: float
    g_k: float
    e_leak: float
    e_na: float
    e_k: float
    v_offset: float
    v_spike: float
    e_e: float
    e_i: float
    keep_e: float
    keep_i: float


@dataclass(frozen=True, kw_only=True)
class HodgkinHuxley:
    """Parameters: benchmark 3 of Brette et al. 2007 (doi:10.1007/s10827-007-0038-6), a cell of 20,000 um2.

    The kinetics are those of Traub and Miles 1991 (Neuronal Networks of the Hippocampus, Cambridge University Press),
    simplified in its appendix B. Its weights are 6 nS (excitatory) and 67 nS (inhibitory) and it has no delay. A weight
    is a step in conductance, in nS; its sign chooses the receptor. `drive` is in mV, current over leak conductance.
    """

    c_m_pf: float = 200.0  # pF, 1 uF/cm2
    g_leak_ns: float = 10.0  # nS, 5e-5 S/cm2
    g_na_ns: float = 20_000.0  # nS, 100 mS/cm2
    g_k_ns: float = 6_000.0  # nS, 30 mS/cm2
    e_leak_mv: float = -60.0  # mV
    e_na_mv: float = 50.0  # mV
    e_k_mv: float = -90.0  # mV
    v_offset_mv: float = -63.0  # mV, shifts the kinetics
    v_spike_mv: float = -20.0  # mV, a spike where the voltage exceeds it
    t_refractory_ms: float = 3.0  # ms, no other spike is counted; nothing stands still
    tau_e_ms: float = 5.0  # ms, decay of the excitatory conductance
    tau_i_ms: float = 10.0  # ms, decay of the inhibitory conductance
    e_e_mv: float = 0.0  # mV, reversal of the excitatory conductance
    e_i_mv: float = -80.0  # mV, reversal of the inhibitory conductance
    delay_ms: float = 0.1  # ms, one step: assumed, the benchmark has none

    EQUATIONS: ClassVar[str] = """
        dv/dt = (i_leak + g_na*m**3*h*(e_na - v) + g_k*n**4*(e_k - v) + g_e*(e_e - v) + g_i*(e_i - v))/c_m/ms : 1   # mV
        dm/dt = (a_m*(1 - m) - b_m*m)/ms : 1
        dh/dt = (a_h*(1 - h) - b_h*h)/ms : 1
        dn/dt = (a_n*(1 - n) - b_n*n)/ms : 1
        dg_e/dt = -g_e/tau_e : 1                       # nS
        dg_i/dt = -g_i/tau_i : 1                       # nS
        i_leak = g_leak*(e_leak + drive - v) : 1       # pA
        a_m = 1.28/exprel((v_offset + 13 - v)/4) : 1   # per ms, as all rates
        b_m = 1.4/exprel((v - v_offset - 40)/5) : 1
        a_h = 0.128*exp((v_offset + 17 - v)/18) : 1
        b_h = 4/(1 + exp((v_offset + 40 - v)/5)) : 1
        a_n = 0.16/exprel((v_offset + 15 - v)/5) : 1
        b_n = 0.5*exp((v_offset + 10 - v)/40) : 1
    """
    THRESHOLD: ClassVar[str] = "v > v_spike"
    RESET: ClassVar[str] = ""
    METHOD: ClassVar[str] = "exponential_euler"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("g_e", "g_i")
    WEIGHT_UNIT: ClassVar[str] = "nS"
    UNSIGNED: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "c_m_pf", "g_leak_ns", "g_na_ns", "g_k_ns", "tau_e_ms", "tau_i_ms", "delay_ms")

    def rates(self, v_mv: float) -> tuple[float, float, float, float, float, float]:
        """Opening and closing rates (1/ms) of m, h and n at a voltage (mV)."""
        u = v_mv - self.v_offset_mv
        return (
            1.28 / _exprel((13.0 - u) / 4.0),
            1.4 / _exprel((u - 40.0) / 5.0),
            0.128 * math.exp((17.0 - u) / 18.0),
            4.0 / (1.0 + math.exp((40.0 - u) / 5.0)),
            0.16 / _exprel((15.0 - u) / 5.0),
            0.5 * math.exp((10.0 - u) / 40.0),
        )

    def steady_drive(self, v_mv: float) -> float:
        """Closed-form drive (mV) under which a voltage (mV) is a fixed point, all gates settled."""
        m, h, n = self._gates(v_mv)
        ionic = self.g_na_ns * m**3 * h * (v_mv - self.e_na_mv) + self.g_k_ns * n**4 * (v_mv - self.e_k_mv)
        return ionic / self.g_leak_ns + v_mv - self.e_leak_mv

    def resting_voltage(self, drive_mv: float = 0.0) -> float | None:
        """Voltage (mV) of the resting state under a constant drive (mV), None where there is none.

        The drive that holds a voltage rises with it up to a summit, beyond which sodium runs away; rest lies below.
        """
        low = self.e_k_mv
        while self.steady_drive(low + 0.1) < drive_mv:
            if self.steady_drive(low + 0.1) < self.steady_drive(low):
                return None
            low += 0.1
        high = low + 0.1
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.steady_drive(middle) < drive_mv else (low, middle)
        return high

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest, or at the leak reversal where there is no rest.

        The benchmark's own cell has none: its leak reversal alone is enough to make it fire now and then.
        """
        rest = self.resting_voltage()
        v = self.e_leak_mv if rest is None else rest
        m, h, n = self._gates(v)
        return {"v": v, "m": m, "h": h, "n": n}

    def _gates(self, v_mv: float) -> tuple[float, float, float]:
        a_m, b_m, a_h, b_h, a_n, b_n = self.rates(v_mv)
        return a_m / (a_m + b_m), a_h / (a_h + b_h), a_n / (a_n + b_n)

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(
            dt=dt_ms,
            step=dt_ms / self.c_m_pf,
            g_leak=self.g_leak_ns,
            g_na=self.g_na_ns,
            g_k=self.g_k_ns,
            e_leak=self.e_leak_mv,
            e_na=self.e_na_mv,
            e_k=self.e_k_mv,
            v_offset=self.v_offset_mv,
            v_spike=self.v_spike_mv,
            e_e=self.e_e_mv,
            e_i=self.e_i_mv,
            keep_e=math.exp(-dt_ms / self.tau_e_ms),
            keep_i=math.exp(-dt_ms / self.tau_i_ms),
        )

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        v, m, h, n, g_e, g_i = x[0, i], x[1, i], x[2, i], x[3, i], x[4, i], x[5, i]
        u = v - c.v_offset
        p, q, r = (13.0 - u) / 4.0, (u - 40.0) / 5.0, (15.0 - u) / 5.0
        p, q, r = p + TINY * (p == 0.0), q + TINY * (q == 0.0), r + TINY * (r == 0.0)
        a_m, b_m, a_n = 1.28 * p / math.expm1(p), 1.4 * q / math.expm1(q), 0.16 * r / math.expm1(r)
        a_h, b_h = 0.128 * math.exp((17.0 - u) / 18.0), 4.0 / (1.0 + math.exp((40.0 - u) / 5.0))
        b_n = 0.5 * math.exp((10.0 - u) / 40.0)
        na, k = c.g_na * m**3 * h, c.g_k * n**4
        total = c.g_leak + na + k + g_e + g_i
        settled = (c.g_leak * (c.e_leak + drive) + na * c.e_na + k * c.e_k + g_e * c.e_e + g_i * c.e_i) / total
        x[0, i] = settled + (v - settled) * math.exp(-total * c.step)
        x[1, i] = a_m / (a_m + b_m) + (m - a_m / (a_m + b_m)) * math.exp(-(a_m + b_m) * c.dt)
        x[2, i] = a_h / (a_h + b_h) + (h - a_h / (a_h + b_h)) * math.exp(-(a_h + b_h) * c.dt)
        x[3, i] = a_n / (a_n + b_n) + (n - a_n / (a_n + b_n)) * math.exp(-(a_n + b_n) * c.dt)
        x[4, i] = g_e * c.keep_e
        x[5, i] = g_i * c.keep_i

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] > c.v_spike)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i: nothing, the currents bring it back."""


def _exprel(x: float) -> float:
    """(exp(x) - 1)/x, and its limit at 0."""
    return math.expm1(x) / x if x != 0.0 else 1.0
