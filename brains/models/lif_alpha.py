"""Leaky integrate-and-fire neuron with alpha-shaped synaptic input: it rises as t exp(-t/tau) and does not jump.

All of it is linear, so the step is exact. Input is in mV, current times membrane resistance, as in `LifExp`.
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
    keep: float
    gain_y: float  # share of the rising variable that became input
    v_of_g: float  # share of the input that became voltage
    v_of_y: float  # share of the rising variable that became voltage


@dataclass(frozen=True, kw_only=True)
class LifAlpha:
    """Parameters of all neurons of a `SpikingNetwork`.

    The form is that of Rall 1967 (doi:10.1152/jn.1967.30.5.1138); the numbers are those of `LifExp` (Shiu et al. 2024,
    doi:10.1038/s41586-024-07763-9), so that the two differ in the shape of the input alone. A weight is the peak of the
    input, in mV.
    """

    tau_m_ms: float = 20.0  # ms, membrane time constant
    tau_synapse_ms: float = 5.0  # ms, time from arrival to the peak of the input
    v_rest_mv: float = -52.0  # mV, leak reversal
    v_threshold_mv: float = -45.0  # mV, a spike where the voltage exceeds it
    v_reset_mv: float = -52.0  # mV, held for the refractory period
    t_refractory_ms: float = 2.2  # ms, only the voltage stands still
    delay_ms: float = 1.8  # ms, from a spike to its arrival

    EQUATIONS: ClassVar[str] = """
        dv/dt = (v_rest - v + drive + g)/tau_m : 1 (unless refractory)   # mV
        dg/dt = (e*y - g)/tau_synapse : 1                                # mV
        dy/dt = -y/tau_synapse : 1                                       # mV
    """
    THRESHOLD: ClassVar[str] = "v > v_threshold"
    RESET: ClassVar[str] = "v = v_reset"
    METHOD: ClassVar[str] = "exact"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("y",)
    WEIGHT_UNIT: ClassVar[str] = "mV"
    UNSIGNED: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self, "tau_m_ms", "tau_synapse_ms", "delay_ms")
        if self.tau_m_ms == self.tau_synapse_ms:
            raise ValueError(f"LifAlpha: tau_m_ms and tau_synapse_ms must differ, both are {self.tau_m_ms} ms")
        if self.v_threshold_mv <= self.v_reset_mv:
            raise ValueError(
                f"LifAlpha: v_threshold_mv ({self.v_threshold_mv} mV) must exceed v_reset_mv ({self.v_reset_mv} mV)"
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

    def response(self, time_ms: ArrayLike) -> Floats:
        """Closed-form voltage above rest (mV) at times (ms) after a lone input of weight 1 mV; any shape."""
        t = np.asarray(time_ms, dtype=np.float64)
        tau_m, tau = self.tau_m_ms, self.tau_synapse_ms
        slower = 1.0 / tau - 1.0 / tau_m
        share = math.e / (tau_m * tau * slower**2)
        return np.asarray(share * (np.exp(-t / tau_m) - (1.0 + slower * t) * np.exp(-t / tau)), dtype=np.float64)

    def constants(self, dt_ms: float) -> Constants:
        """Propagators of a step of `dt_ms`, ms."""
        keep_v, keep = math.exp(-dt_ms / self.tau_m_ms), math.exp(-dt_ms / self.tau_synapse_ms)
        return Constants(
            self.v_rest_mv,
            self.v_threshold_mv,
            self.v_reset_mv,
            keep_v,
            keep,
            gain_y=math.e * dt_ms / self.tau_synapse_ms * keep,
            v_of_g=self.tau_synapse_ms / (self.tau_m_ms - self.tau_synapse_ms) * (keep_v - keep),
            v_of_y=float(self.response(dt_ms)),
        )

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        if active:
            settled = c.v_rest + drive
            x[0, i] = settled + (x[0, i] - settled) * c.keep_v + x[1, i] * c.v_of_g + x[2, i] * c.v_of_y
        x[1, i] = x[1, i] * c.keep + x[2, i] * c.gain_y
        x[2, i] *= c.keep

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] > c.v_threshold)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.v_reset
