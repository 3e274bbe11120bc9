"""Population neuron: the mean voltage of a population of spinal neurons, and the share of them that is active.

The form is that of Danner, Shevtsova, Frigon & Rybak 2017 (eLife 6:e31050, doi:10.7554/eLife.31050), after Ermentrout
1994: currents are conductances with reversals, output is a clipped line of the voltage, and cells of the rhythm
generators have a slowly inactivating persistent sodium current, by which they burst by themselves. Weights and drives
are numbers without unit, in conductances of `g_syn_ns` at full output of the source.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Population:
    """Parameters of one population; the defaults are the published ones of one without persistent sodium.

    Danner et al. 2017, Methods. Those of the rhythm generators: g_leak 4.5 nS, e_leak -62.5 mV, g_nap 4.5 nS.
    """

    c_m_pf: float = 10.0  # pF
    g_leak_ns: float = 2.8  # nS
    e_leak_mv: float = -60.0  # mV
    g_nap_ns: float = 0.0  # nS, persistent sodium; 0 for none
    e_na_mv: float = 50.0  # mV
    v_m_mv: float = -40.0  # mV, half activation of persistent sodium, instantaneous
    k_m_mv: float = 6.0  # mV, slope of the activation
    v_h_mv: float = -45.0  # mV, half inactivation
    k_h_mv: float = 4.0  # mV, slope of the inactivation
    tau_h_least_ms: float = 80.0  # ms, inactivation, far from `v_tau_mv`
    tau_h_most_ms: float = 160.0  # ms, at `v_tau_mv`
    v_tau_mv: float = -35.0  # mV, where inactivation is slowest
    k_tau_mv: float = 15.0  # mV, width of that
    g_syn_ns: float = 10.0  # nS, conductance of a synapse of weight 1 at full output, and of a drive of 1
    e_excite_mv: float = -10.0  # mV, reversal of excitatory synapses and drives
    e_inhibit_mv: float = -75.0  # mV, reversal of inhibitory synapses and drives
    v_threshold_mv: float = -50.0  # mV, no output below
    v_full_mv: float = 0.0  # mV, full output above
    tonic: float = 0.0  # constant drive, excitatory above 0, inhibitory below
    noise_pa: float = 0.005  # pA, standard deviation of the noise current
    tau_noise_ms: float = 10.0  # ms, its correlation time

    EQUATIONS: ClassVar[str] = """
        dv/dt = -(i_leak + i_nap + i_synaptic + noise)/c_m/ms : 1   # mV
        dh/dt = (h_settled - h)/tau_h : 1                           # share of sodium channels not inactivated
        dnoise/dt = (kick - noise)/tau_noise : 1                    # pA; kick: white
        i_leak = g_leak*(v - e_leak) : 1                            # pA
        i_nap = g_nap*h/(1 + exp(-(v - v_m)/k_m))*(v - e_na) : 1    # pA
        i_synaptic = g_syn*(excitation*(v - e_excite) + inhibition*(v - e_inhibit)) : 1   # pA
        h_settled = 1/(1 + exp((v - v_h)/k_h)) : 1
        tau_h = tau_h_least + (tau_h_most - tau_h_least)/cosh((v - v_tau)/k_tau) : second
        excitation = i_e + clip(bias, 0, inf) : 1
        inhibition = i_i + clip(-bias, 0, inf) : 1
        output = clip((v - v_threshold)/(v_full - v_threshold), 0, 1) : 1
    """

    def __post_init__(self) -> None:
        for name in ("c_m_pf", "g_leak_ns", "k_m_mv", "k_h_mv", "k_tau_mv", "g_syn_ns", "tau_noise_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Population: {name} ({getattr(self, name)}) must be above 0")
        for name in ("g_nap_ns", "noise_pa"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Population: {name} ({getattr(self, name)}) must be 0 or more")
        if not 0 < self.tau_h_least_ms <= self.tau_h_most_ms:
            raise ValueError(
                f"Population: tau_h_least_ms ({self.tau_h_least_ms} ms) must be above 0 and at most tau_h_most_ms"
                f" ({self.tau_h_most_ms} ms)"
            )
        if self.v_full_mv <= self.v_threshold_mv:
            raise ValueError(
                f"Population: v_full_mv ({self.v_full_mv} mV) must exceed v_threshold_mv ({self.v_threshold_mv} mV)"
            )

    def steady_voltage(self, drive: ArrayLike) -> Floats:
        """Closed-form voltage (mV) under a constant drive, without synapses and noise.

        Raises:
            ValueError: with persistent sodium there is no closed form.
        """
        if self.g_nap_ns > 0:
            raise ValueError(f"Population: no closed-form voltage with g_nap_ns = {self.g_nap_ns} nS")
        bias = self.tonic + np.asarray(drive, dtype=np.float64)
        g_e, g_i = self.g_syn_ns * np.maximum(bias, 0.0), self.g_syn_ns * np.maximum(-bias, 0.0)
        inward = self.g_leak_ns * self.e_leak_mv + g_e * self.e_excite_mv + g_i * self.e_inhibit_mv
        return np.asarray(inward / (self.g_leak_ns + g_e + g_i), dtype=np.float64)

    def settled_h(self, v_mv: float) -> float:
        """Share of the sodium channels that is not inactivated after long at a voltage."""
        return 1.0 / (1.0 + math.exp((v_mv - self.v_h_mv) / self.k_h_mv))


def sodium(v: float, h: float, g_nap: float, e_na: float, v_m: float, k_m: float) -> float:
    """Persistent sodium current, pA, outward positive. Compiled by the engine."""
    return g_nap * h / (1.0 + math.exp(-(v - v_m) / k_m)) * (v - e_na)


def slope_h(
    v: float, h: float, v_h: float, k_h: float, tau_least: float, tau_most: float, v_tau: float, k_tau: float
) -> float:
    """Rate of change of h, per ms. Compiled by the engine."""
    settled = 1.0 / (1.0 + math.exp((v - v_h) / k_h))
    return (settled - h) / (tau_least + (tau_most - tau_least) / math.cosh((v - v_tau) / k_tau))


def output(v: float, v_threshold: float, v_full: float) -> float:
    """Share of the population that is active, 0 to 1. Compiled by the engine."""
    return min(max((v - v_threshold) / (v_full - v_threshold), 0.0), 1.0)
