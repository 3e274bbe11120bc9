"""Leaky integrate-and-fire neuron whose spikes feed a decaying release trace.

For the worm this is an approximation, offered because spiking models are the common language of the field: its cells
are mostly graded. Each spike adds 1/(tau_release * rate_full) to a trace that decays with tau_release, so that a steady
train at `rate_full_hz` gives a mean release of 1; the trace is clipped to 1 where it is used. Gap junctions see the
membrane plus `spikelet_mv` times the release: an integrate-and-fire voltage leaves out the spike, and with it most of
what a firing cell passes on.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lif:
    """Parameters of one integrate-and-fire neuron.

    Membrane, threshold, reset and refractory period: Shiu et al. 2024 (Nature 634:210), Methods. The release trace is
    ours (assumed): slow enough to be smooth at the full rate, as graded release is.
    """

    tau_m_ms: float = 20.0  # ms, membrane time constant
    v_rest_mv: float = -52.0  # mV, leak reversal
    v_half_mv: float = -45.0  # mV, spike threshold (named as in the graded model, so that one table serves both)
    v_reset_mv: float = -52.0  # mV, voltage after a spike, held for the refractory period
    t_refractory_ms: float = 2.2  # ms, rounded to whole steps by the engines
    tau_release_ms: float = 50.0  # ms, decay of the release trace; assumed
    rate_full_hz: float = 100.0  # Hz, rate of full release; assumed
    spikelet_mv: float = 0.0  # mV at full release, what gap junctions see above the membrane; Lewis & Rinzel 2003
    plateau_mv: float = 0.0  # mV at full release, persistent inward current; none unless a table asks for it
    tonic_mv: float = 0.0  # mV, constant bias; none unless a table asks for it

    EQUATIONS: ClassVar[str] = """
        dv/dt = int(held < dt/2)*(v_rest - v + tonic + drive + i_chemical + i_electrical + plateau*s)/tau_m : 1   # mV
        dtrace/dt = -trace/tau_release : 1
        dheld/dt = -1.0*int(held > dt/2) : second                     # refractory time that is left
        s = clip(trace, 0, 1) : 1   # release, 0 to 1
        u = v + spikelet*s : 1      # what gap junctions see, mV
    """
    THRESHOLD: ClassVar[str | None] = "v >= v_half"
    RESET: ClassVar[str | None] = "v = v_reset; trace += 1/(tau_release*rate_full); held = t_refractory"

    def __post_init__(self) -> None:
        for name in ("tau_m_ms", "tau_release_ms", "rate_full_hz"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Lif: {name} ({getattr(self, name)}) must be above 0")
        if self.t_refractory_ms < 0:
            raise ValueError(f"Lif: t_refractory_ms ({self.t_refractory_ms} ms) must not be negative")
        if self.v_half_mv <= self.v_reset_mv:
            raise ValueError(
                f"Lif: v_half_mv, the threshold ({self.v_half_mv} mV), must exceed v_reset_mv ({self.v_reset_mv} mV)"
            )

    def steady_rate(self, drive_mv: ArrayLike) -> Floats:
        """Closed-form firing rate (Hz) under a constant drive (mV), without synapses; zero where it never fires.

        Args:
            drive_mv: constant drive in mV, any shape.

        Raises:
            ValueError: with a plateau current the release feeds back on the cell and there is no closed form.
        """
        if self.plateau_mv != 0.0:
            raise ValueError(f"Lif: no closed-form rate with plateau_mv = {self.plateau_mv} mV")
        target = self.v_rest_mv + self.tonic_mv + np.asarray(drive_mv, dtype=np.float64)
        fires = target > self.v_half_mv
        above = np.where(fires, target - self.v_half_mv, 1.0)
        interval_ms = self.t_refractory_ms + self.tau_m_ms * np.log1p((self.v_half_mv - self.v_reset_mv) / above)
        return np.asarray(np.where(fires, 1e3 / interval_ms, 0.0), dtype=np.float64)


def step(
    v: float,
    held: int,
    current: float,
    v_rest: float,
    v_half: float,
    v_reset: float,
    t_held: int,
    dt_over_tau: float,
) -> tuple[float, int, bool]:
    """One explicit Euler step: (voltage mV, refractory steps left, spiked). Compiled by the numba engine."""
    if held > 0:
        return v, held - 1, False
    v_next = v + dt_over_tau * (v_rest - v + current)
    if v_next >= v_half:
        return v_reset, t_held, True
    return v_next, 0, False


def advance_trace(trace: float, spiked: bool, dt_over_tau: float, jump: float) -> float:
    """Release trace after one explicit Euler step; each spike adds `jump`. Compiled by the numba engine."""
    decayed = trace - dt_over_tau * trace
    return decayed + jump if spiked else decayed
