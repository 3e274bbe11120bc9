"""Rate neuron: a firing rate that follows a thresholded, saturating function of its input.

The form is that of the published code of Pugliese et al. 2025 (bioRxiv 10.1101/2025.09.12.675944), who run the ventral
nerve cord of the fly with it: tau dr/dt = max(r_max tanh(a/r_max (I - threshold)), 0) - r. Here `slope_mv` is r_max/a,
and the input I is called a drive like that of every other model; its unit is the model's own, not a voltage. The cell's
"voltage" in `Activity` and in checkpoints is the rate, Hz.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Parameters of one rate neuron; the defaults are the published ones of a cell of median size.

    Pugliese et al. 2025, code: tau 20 ms, r_max 200 Hz, threshold 7.5, a 1 per second; threshold and r_max/a grow with
    the volume of the cell over the median volume.
    """

    tau_m_ms: float = 20.0  # ms, time constant of the rate
    v_half_mv: float = 7.5  # input at threshold (named as in the other models, so that one table serves all)
    slope_mv: float = 200.0  # input above threshold at which the rate is tanh(1) = 0.76 of the full one
    rate_full_hz: float = 200.0  # Hz, highest rate and that of full release
    v_rest_mv: float = 0.0  # Hz, rate without input
    tonic_mv: float = 0.0  # constant input; none unless a table asks for it
    plateau_mv: float = 0.0  # input at full release from the cell itself; none unless a table asks for it

    EQUATIONS: ClassVar[str] = """
        dv/dt = (rate_full*second*clip(tanh((x - v_half)/slope), 0, 1) - v)/tau_m : 1   # Hz
        x = tonic + drive + i_chemical + i_electrical + plateau*s : 1
        s = clip(v/(rate_full*second), 0, 1) : 1   # release, 0 to 1
        u = v : 1
    """
    THRESHOLD: ClassVar[str | None] = None
    RESET: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for name in ("tau_m_ms", "slope_mv", "rate_full_hz"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Rate: {name} ({getattr(self, name)}) must be above 0")
        if self.v_rest_mv != 0.0:
            raise ValueError(f"Rate: v_rest_mv ({self.v_rest_mv} Hz) must be 0: without input the rate decays to 0")

    def steady_rate(self, drive_mv: ArrayLike) -> Floats:
        """Closed-form rate (Hz) under a constant drive, without synapses.

        Args:
            drive_mv: constant input, any shape.

        Raises:
            ValueError: with a plateau the rate feeds back on the cell and there is no closed form.
        """
        if self.plateau_mv != 0.0:
            raise ValueError(f"Rate: no closed-form rate with plateau_mv = {self.plateau_mv}")
        above = (self.tonic_mv + np.asarray(drive_mv, dtype=np.float64) - self.v_half_mv) / self.slope_mv
        return np.asarray(self.rate_full_hz * np.clip(np.tanh(above), 0.0, 1.0), dtype=np.float64)


def step(v: float, current: float, v_half: float, slope: float, rate_full: float, dt_over_tau: float) -> float:
    """One explicit Euler step of the rate (Hz) under a total input. Compiled by the numba engine."""
    target = rate_full * max(math.tanh((current - v_half) / slope), 0.0)
    return v + dt_over_tau * (target - v)


def release(v: float, rate_full: float) -> float:
    """Release, 0 to 1, at a rate (Hz). Compiled by the numba engine."""
    return min(max(v / rate_full, 0.0), 1.0)
