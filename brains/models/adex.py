"""Adaptive exponential integrate-and-fire neuron (AdEx) with exponential synaptic conductances.

Integrated by explicit Euler: the exponential is not linear in the voltage, and an Euler step from below the peak stays
finite where the stages of a Runge-Kutta step would not.
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
    step: float  # ms over pF
    g_leak: float
    e_leak: float
    v_exponential: float
    slope: float
    a: float
    b: float
    v_peak: float
    v_reset: float
    e_e: float
    e_i: float
    tau_w: float
    tau_e: float
    tau_i: float


@dataclass(frozen=True, kw_only=True)
class AdEx:
    """Parameters: Brette and Gerstner 2005 (doi:10.1152/jn.00686.2005), the regular-spiking cell.

    The synapses are theirs in form; their time constants and reversals are those of Brette et al. 2007
    (doi:10.1007/s10827-007-0038-6). A weight is a step in conductance, in nS; its sign chooses the receptor. `drive` is
    in mV, current over leak conductance.
    """

    c_m_pf: float = 281.0  # pF
    g_leak_ns: float = 30.0  # nS
    e_leak_mv: float = -70.6  # mV
    v_exponential_mv: float = -50.4  # mV, where the exponential takes off
    slope_mv: float = 2.0  # mV, its sharpness
    tau_w_ms: float = 144.0  # ms, time constant of adaptation
    a_ns: float = 4.0  # nS, adaptation to voltage
    b_pa: float = 80.5  # pA, adaptation to a spike
    v_peak_mv: float = 20.0  # mV, a spike where the voltage exceeds it
    v_reset_mv: float = -70.6  # mV
    tau_e_ms: float = 5.0  # ms, decay of the excitatory conductance
    tau_i_ms: float = 10.0  # ms, decay of the inhibitory conductance
    e_e_mv: float = 0.0  # mV, reversal of the excitatory conductance
    e_i_mv: float = -80.0  # mV, reversal of the inhibitory conductance
    t_refractory_ms: float = 0.0  # ms, the model has none
    delay_ms: float = 1.5  # ms, assumed; the paper is of single cells

    EQUATIONS: ClassVar[str] = """
        dv/dt = (i_leak + i_spike + i_synaptic - w)/c_m/ms : 1 (unless refractory)   # mV
        dw/dt = (a*(v - e_leak) - w)/tau_w : 1                                       # pA
        dg_e/dt = -g_e/tau_e : 1                                                     # nS
        dg_i/dt = -g_i/tau_i : 1                                                     # nS
        i_leak = g_leak*(e_leak + drive - v) : 1                                     # pA
        i_spike = g_leak*slope*exp((v - v_exponential)/slope) : 1                    # pA
        i_synaptic = g_e*(e_e - v) + g_i*(e_i - v) : 1                               # pA
    """
    THRESHOLD: ClassVar[str] = "v > v_peak"
    RESET: ClassVar[str] = "v = v_reset; w += b"
    METHOD: ClassVar[str] = "euler"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("g_e", "g_i")
    WEIGHT_UNIT: ClassVar[str] = "nS"
    UNSIGNED: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_positive(self, "c_m_pf", "g_leak_ns", "slope_mv", "tau_w_ms", "tau_e_ms", "tau_i_ms", "delay_ms")
        if self.v_peak_mv <= max(self.v_reset_mv, self.v_exponential_mv):
            raise ValueError(
                f"AdEx: v_peak_mv ({self.v_peak_mv} mV) must exceed v_reset_mv ({self.v_reset_mv} mV) and"
                f" v_exponential_mv ({self.v_exponential_mv} mV)"
            )

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest, which lies a hair above the leak reversal: the exponential is never zero."""
        v = self.e_leak_mv
        for _ in range(50):  # contracts by exp((v - v_exponential)/slope) < 1 each time
            spiking = self.g_leak_ns * self.slope_mv * math.exp((v - self.v_exponential_mv) / self.slope_mv)
            v = self.e_leak_mv + spiking / (self.g_leak_ns + self.a_ns)
        return {"v": v, "w": self.a_ns * (v - self.e_leak_mv)}

    def rheobase_mv(self) -> float:
        """Closed-form drive (mV) at which the resting state is lost, reached slowly.

        By a saddle-node where a/g_leak < tau_m/tau_w, else by an Andronov-Hopf bifurcation: Touboul and Brette 2008
        (doi:10.1007/s00422-008-0267-4), Naud et al. 2008 (doi:10.1007/s00422-008-0264-7).
        """
        a, speed = self.a_ns / self.g_leak_ns, self.c_m_pf / self.g_leak_ns / self.tau_w_ms
        steepness = 1.0 + min(a, speed)  # of the exponential, over the leak, where the state is lost
        v = self.v_exponential_mv + self.slope_mv * math.log(steepness)
        return (1.0 + a) * (v - self.e_leak_mv) - self.slope_mv * steepness

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(
            dt=dt_ms,
            step=dt_ms / self.c_m_pf,
            g_leak=self.g_leak_ns,
            e_leak=self.e_leak_mv,
            v_exponential=self.v_exponential_mv,
            slope=self.slope_mv,
            a=self.a_ns,
            b=self.b_pa,
            v_peak=self.v_peak_mv,
            v_reset=self.v_reset_mv,
            e_e=self.e_e_mv,
            e_i=self.e_i_mv,
            tau_w=self.tau_w_ms,
            tau_e=self.tau_e_ms,
            tau_i=self.tau_i_ms,
        )

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        v, w, g_e, g_i = x[0, i], x[1, i], x[2, i], x[3, i]
        if active:
            current = c.g_leak * (c.e_leak + drive - v) + c.g_leak * c.slope * math.exp((v - c.v_exponential) / c.slope)
            x[0, i] = v + c.step * (current + g_e * (c.e_e - v) + g_i * (c.e_i - v) - w)
        x[1, i] = w + c.dt * (c.a * (v - c.e_leak) - w) / c.tau_w
        x[2, i] = g_e - c.dt * g_e / c.tau_e
        x[3, i] = g_i - c.dt * g_i / c.tau_i

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] > c.v_peak)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.v_reset
        x[1, i] += c.b
