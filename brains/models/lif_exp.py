"""Leaky integrate-and-fire neuron with exponential synapses: the whole-brain model of Shiu et al. 2024.

Both equations are linear, so a neuron left alone for any time is known in closed form. The event-driven engine uses
that: it touches a neuron only when something happens to it.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """Propagators of one step."""

    v_rest: float
    v_threshold: float
    v_reset: float
    keep_v: float
    keep_g: float
    gain: float


@dataclass(frozen=True, kw_only=True)
class LifExp:
    """Parameters of all neurons of a `SpikingNetwork`.

    Source: Shiu et al. 2024, Nature 634:210 (doi:10.1038/s41586-024-07763-9), Methods; membrane and synapse after
    Kakaria and de Bivort 2017 (doi:10.3389/fnbeh.2017.00008).
    """

    tau_m_ms: float = 20.0  # ms, membrane time constant
    tau_synapse_ms: float = 5.0  # ms, decay of synaptic input
    v_rest_mv: float = -52.0  # mV, leak reversal
    v_threshold_mv: float = -45.0  # mV, a spike where the voltage exceeds it
    v_reset_mv: float = -52.0  # mV, voltage after a spike
    t_refractory_ms: float = 2.2  # ms, voltage and synaptic input stand still
    delay_ms: float = 1.8  # ms, from a spike to its arrival at every target

    EQUATIONS: ClassVar[str] = """
        dv/dt = (v_rest - v + drive + g)/tau_m : 1 (unless refractory)   # mV
        dg/dt = -g/tau_synapse : 1 (unless refractory)                   # mV
    """
    THRESHOLD: ClassVar[str] = "v > v_threshold"
    RESET: ClassVar[str] = "v = v_reset; g = 0"
    METHOD: ClassVar[str] = "exact"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("g",)  # lost where the target is refractory: brian2 does not write then
    WEIGHT_UNIT: ClassVar[str] = "mV"
    UNSIGNED: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("tau_m_ms", "tau_synapse_ms", "delay_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"LifExp: {name} ({getattr(self, name)} ms) must be above 0")
        if self.tau_m_ms == self.tau_synapse_ms:
            raise ValueError(f"LifExp: tau_m_ms and tau_synapse_ms must differ, both are {self.tau_m_ms} ms")
        if self.t_refractory_ms < 0:
            raise ValueError(f"LifExp: t_refractory_ms ({self.t_refractory_ms} ms) must not be negative")
        if self.v_threshold_mv <= self.v_reset_mv:
            raise ValueError(
                f"LifExp: v_threshold_mv ({self.v_threshold_mv} mV) must exceed v_reset_mv ({self.v_reset_mv} mV)"
            )

    def steady_rate(self, drive_mv: ArrayLike) -> Floats:
        """Closed-form firing rate (Hz) under a constant drive (mV), without synapses; zero where it never fires."""
        target = self.v_rest_mv + np.asarray(drive_mv, dtype=np.float64)
        fires = target > self.v_threshold_mv
        above = np.where(fires, target - self.v_threshold_mv, 1.0)
        climb_ms = self.tau_m_ms * np.log1p((self.v_threshold_mv - self.v_reset_mv) / above)
        return np.asarray(np.where(fires, 1e3 / (self.t_refractory_ms + climb_ms), 0.0), dtype=np.float64)

    def decays(self, steps: ArrayLike, dt_ms: float) -> tuple[Floats, Floats, Floats]:
        """What is left after some steps: of the voltage, of the synaptic input, and how much input became voltage."""
        time_ms = np.asarray(steps, dtype=np.float64) * dt_ms
        of_voltage, of_input = np.exp(-time_ms / self.tau_m_ms), np.exp(-time_ms / self.tau_synapse_ms)
        ratio = self.tau_synapse_ms / (self.tau_m_ms - self.tau_synapse_ms)
        return of_voltage, of_input, ratio * (of_voltage - of_input)

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest."""
        return {"v": self.v_rest_mv}

    def constants(self, dt_ms: float) -> Constants:
        """Propagators of a step of `dt_ms`, ms, for the dense engine."""
        keep_v, keep_g, gain = (float(share) for share in self.decays(1, dt_ms))
        return Constants(self.v_rest_mv, self.v_threshold_mv, self.v_reset_mv, keep_v, keep_g, gain)

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        if active:
            settled = c.v_rest + drive
            x[0, i] = settled + (x[0, i] - settled) * c.keep_v + x[1, i] * c.gain
            x[1, i] *= c.keep_g

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] > c.v_threshold)

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = c.v_reset
        x[1, i] = 0.0


def peak_time(v: float, g: float, tau_m: float, tau_synapse: float) -> float:
    """Time (in the unit of the time constants) at which the voltage turns, negative where it never does.

    Args:
        v: voltage above where it would settle, mV.
        g: synaptic input, mV.
        tau_m: membrane time constant.
        tau_synapse: synaptic time constant.
    """
    share = tau_synapse / (tau_m - tau_synapse) * g
    below = (v + share) * tau_synapse
    if below == 0.0 or share * tau_m / below <= 0.0:
        return -1.0
    return tau_m * tau_synapse / (tau_m - tau_synapse) * math.log(share * tau_m / below)
