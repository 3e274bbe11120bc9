"""Leaky integrate-and-fire neurons of several types in one network: `LifPsc` with constants of their own for each type.

Voltages are counted from rest, and currents are given as the depolarisation that they would settle at, so that a type
needs no capacitance. In the refractory period the voltage is clamped, while the currents go on and gather what arrives.
All of it is linear, so the step is exact. Only the dense engine runs it: the equations of the others have one set of
constants for all neurons.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """Propagators of one step by type, and the type of each neuron."""

    kind: NDArray[np.uint8]  # (n,)
    gap: Floats  # (types,) mV
    keep_v: Floats  # (types,)
    keep_e: Floats
    keep_i: Floats
    gain_e: Floats  # mV of voltage per mV of current
    gain_i: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class LifTypes:
    """Types are rows of the arrays; `drive` is in mV.

    Raises:
        ValueError: a constant that is not above 0, a membrane as fast as a synapse, or a kind without a row.
    """

    kind: NDArray[np.uint8]  # (n,) type of each neuron
    tau_m_ms: Floats  # (types,) ms, membrane time constant
    tau_e_ms: Floats  # (types,) ms, decay of excitatory currents
    tau_i_ms: Floats  # (types,) ms, decay of inhibitory currents
    gap_mv: Floats  # (types,) mV, threshold above rest; the reset is at rest
    t_refractory_ms: float = 2.0  # ms, of all
    delay_ms: float = 1.0  # ms, where an edge has none of its own

    EQUATIONS: ClassVar[str] = """
        dv/dt = (drive - v + i_e + i_i)/tau_m : 1 (unless refractory)   # mV above rest
        di_e/dt = -i_e/tau_e : 1   # mV
        di_i/dt = -i_i/tau_i : 1   # mV
    """
    THRESHOLD: ClassVar[str] = "v >= gap"
    RESET: ClassVar[str] = "v = 0"
    METHOD: ClassVar[str] = "exact"
    RECEPTORS: ClassVar[tuple[str, ...]] = ("i_e", "i_i")
    WEIGHT_UNIT: ClassVar[str] = "mV"
    UNSIGNED: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("tau_m_ms", "tau_e_ms", "tau_i_ms", "gap_mv"):
            values = getattr(self, name)
            if values.shape != self.gap_mv.shape or not (values > 0).all():
                raise ValueError(f"LifTypes: {name} must be above 0 for every type, got {values}")
        if (self.tau_m_ms == self.tau_e_ms).any() or (self.tau_m_ms == self.tau_i_ms).any():
            raise ValueError("LifTypes: tau_m_ms must differ from tau_e_ms and tau_i_ms of its type")
        if self.kind.size and int(self.kind.max()) >= self.gap_mv.size:
            raise ValueError(f"LifTypes: kind {self.kind.max()} but {self.gap_mv.size} types")

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest."""
        return {}

    def current_per_psp(self, tau_s_ms: Floats) -> Floats:
        """Weight (mV) whose potential peaks at 1 mV, for the time constants of one receptor, shape (types,)."""
        tau_m = self.tau_m_ms
        at = tau_m * tau_s_ms / (tau_m - tau_s_ms) * np.log(tau_m / tau_s_ms)
        peak = tau_s_ms / (tau_m - tau_s_ms) * (np.exp(-at / tau_m) - np.exp(-at / tau_s_ms))
        return np.asarray(1.0 / peak)

    def constants(self, dt_ms: float) -> Constants:
        """Propagators of a step of `dt_ms`, ms."""
        keep_v, keep_e, keep_i = (np.exp(-dt_ms / tau) for tau in (self.tau_m_ms, self.tau_e_ms, self.tau_i_ms))
        gain_e, gain_i = (
            tau / (self.tau_m_ms - tau) * (keep_v - keep)
            for tau, keep in ((self.tau_e_ms, keep_e), (self.tau_i_ms, keep_i))
        )
        return Constants(self.kind, self.gap_mv, keep_v, keep_e, keep_i, gain_e, gain_i)

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Constants) -> None:
        """One step of neuron i."""
        k = c.kind[i]
        i_e, i_i = x[1, i], x[2, i]
        if active:
            x[0, i] = drive + (x[0, i] - drive) * c.keep_v[k] + i_e * c.gain_e[k] + i_i * c.gain_i[k]
        x[1, i] = i_e * c.keep_e[k]
        x[2, i] = i_i * c.keep_i[k]

    @staticmethod
    def above(x: Floats, i: int, c: Constants) -> bool:
        """Whether neuron i spikes."""
        return bool(x[0, i] >= c.gap[c.kind[i]])

    @staticmethod
    def reset(x: Floats, i: int, c: Constants) -> None:
        """What a spike does to neuron i."""
        x[0, i] = 0.0
