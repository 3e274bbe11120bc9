"""Leaky integrate-and-fire neuron with exponential synaptic currents: the neuron of Potjans and Diesmann 2014.

It is NEST's `iaf_psc_exp`: in the refractory period the voltage is clamped, while the currents go on and gather what
arrives. All of it is linear, so the step is exact.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .spiking_model import check_positive

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """Propagators of one step."""

    v_rest: float
    v_threshold: float
    v_reset: float
    keep_v: float
    keep_e: float
    keep_i: float
    gain_e: float  # mV per pA
    gain_i: float  # mV per pA


@dataclass(frozen=True, kw_only=True)
class LifPsc:
    """Parameters: Potjans and Diesmann 2014 (doi:10.1093/cercor/bhs358), table 5; `drive` is in mV."""

    c_m_pf: float = 250.0  # pF, capacitance
    tau_m_ms: float = 10.0  # ms, membrane time constant
    tau_e_ms: float = 0.5  # ms, decay of excitatory currents
    tau_i_ms: float = 0.5  # ms, decay of inhibitory currents
    v_rest_mv: float = -65.0  # mV
    v_threshold_mv: float = -50.0  # mV, a spike where the voltage reaches it
    v_reset_mv: float = -65.0  # mV, held for the refractory period
    t_refractory_ms: float = 2.0  # ms
    delay_ms: float = 1.5  # ms, mean of their excitatory delays

    EQUATIONS: ClassVar[str] = """
        dv/dt = (v_rest - v + drive)/tau_m + (i_e + i_i)/c_m/ms : 1 (unless refractory)   # mV
        di_e/dt = -i_e/tau_e : 1   # pA
        di_i/dt = -i_i/tau_i : 1   # pA
    """
    THRESHOLD: ClassVar[str] = "v >= v_threshold"
    RESET: ClassVar[str] = "v = v_reset"
    METHOD: ClassVar[str] = "exact"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("i_e", "i_i")
    WEIGHT_UNIT: ClassVar[str] = "pA"
    UNSIGNED: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self, "c_m_pf", "tau_m_ms", "tau_e_ms", "tau_i_ms", "delay_ms")
        if self.tau_m_ms in (self.tau_e_ms, self.tau_i_ms):
            raise ValueError(f"LifPsc: tau_m_ms ({self.tau_m_ms} ms) must differ from tau_e_ms and tau_i_ms")
        if self.v_threshold_mv <= self.v_reset_mv:
            raise ValueError(
                f"LifPsc: v_threshold_mv ({self.v_threshold_mv} mV) must exceed v_reset_mv ({self.v_reset_mv} mV)"
            )

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest."""
        return {"v": self.v_rest_mv}

    def steady_rate(self, drive_mv: ArrayLike) -> Floats:
        """Closed-form firing rate (Hz) under a constant drive (mV), without synapses; zero where it never fires."""
        target = self.v_rest_mv + np.asarray(drive_mv, dtype=np.float64)
        fires = target > self.v_threshold_mv
        above = np.where(fires, target - self.v_threshold_mv, 1.0)
        climb_ms = self.tau_m_ms * np.log1p((self.v_threshold_mv - self.v_reset_mv) / above)
        return np.asarray(np.where(fires, 1e3 / (self.t_refractory_ms + climb_ms), 0.0), dtype=np.float64)

    def weight_pa(self, peak_mv: float) -> float:
        """Weight (pA) of an excitatory synapse whose postsynaptic potential peaks at `peak_mv` (mV)."""
        tau_m, tau_e = self.tau_m_ms, self.tau_e_ms
        peak_ms = tau_m * tau_e / (tau_m - tau_e) * math.log(tau_m / tau_e)
        rise = tau_m * tau_e / (tau_m - tau_e) * (math.exp(-peak_ms / tau_m) - math.exp(-peak_ms / tau_e))
        return peak_mv * self.c_m_pf / rise

    def constants(self, dt_ms: float) -> Constants:
        """Propagators of a step of `dt_ms`, ms."""
        keep_v, keep_e, keep_i = (math.exp(-dt_ms / tau) for tau in (self.tau_m_ms, self.tau_e_ms, self.tau_i_ms))
        gain_e, gain_i = (
            tau * self.tau_m_ms / (self.tau_m_ms - tau) / self.c_m_pf * (keep_v - keep)
            for tau, keep in ((self.tau_e_ms, keep_e), (self.tau_i_ms, keep_i))
        )
        return Constants(self.v_rest_mv, self.v_threshold_mv, self.v_reset_mv, keep_v, keep_e, keep_i, gain_e, gain_i)

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        if active:
            settled = c.v_rest + drive
            x[0, i] = settled + (x[0, i] - settled) * c.keep_v + x[1, i] * c.gain_e + x[2, i] * c.gain_i
        x[1, i] *= c.keep_e
        x[2, i] *= c.keep_i

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] >= c.v_threshold)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.v_reset
