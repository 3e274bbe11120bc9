"""Short-term plasticity of Tsodyks and Markram: release is used up and recovers, and may first grow with use."""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled functions need."""

    use: float
    rate_facilitation: float  # per step
    rate_recovery: float  # per step


@dataclass(frozen=True, kw_only=True)
class ShortTerm:
    """Parameters: Markram, Wang and Tsodyks 1998 (doi:10.1073/pnas.95.9.5323), their depressing pyramidal synapse.

    A spike first raises u by use * (1 - u), then releases the share u of what is there, x. The first spike from rest
    delivers use times the weight.
    """

    use: float = 0.5  # share released by the first spike
    tau_recovery_ms: float = 800.0  # ms
    tau_facilitation_ms: float = 1e-3  # ms; next to none: the synapse only depresses

    EQUATIONS: ClassVar[str] = """
        weight : 1
        du/dt = -u/tau_facilitation : 1 (clock-driven)    # share that the next spike finds ready
        dx/dt = (1 - x)/tau_recovery : 1 (clock-driven)   # share that is there
    """
    METHOD: ClassVar[str] = "exact"
    ON_PRE: ClassVar[str] = "u += use*(1 - u); {receptor}_post += weight*u*x; x -= u*x"
    ON_POST: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if not 0 < self.use <= 1:
            raise ValueError(f"ShortTerm: use must be above 0 and at most 1, got {self.use}")
        for name in ("tau_recovery_ms", "tau_facilitation_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"ShortTerm: {name} ({getattr(self, name)} ms) must be above 0")

    def steady_release(self, rate_hz: float) -> float:
        """Closed-form share of the weight that each spike of an endless regular train (Hz) delivers."""
        kept, left = (math.exp(-1e3 / rate_hz / tau) for tau in (self.tau_facilitation_ms, self.tau_recovery_ms))
        u = self.use / (1.0 - (1.0 - self.use) * kept)
        return u * (1.0 - left) / (1.0 - (1.0 - u) * left)

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        return Constants(self.use, dt_ms / self.tau_facilitation_ms, dt_ms / self.tau_recovery_ms)

    def initial(self) -> dict[str, float]:
        """Nothing ready, everything there."""
        return {"x": 1.0}

    @staticmethod
    def bring(y: Floats, k: int, steps: int, c: Constants) -> None:
        """Move synapse k forward."""
        y[1, k] *= math.exp(-steps * c.rate_facilitation)
        y[2, k] = 1.0 + (y[2, k] - 1.0) * math.exp(-steps * c.rate_recovery)

    @staticmethod
    def on_pre(y: Floats, k: int, c: Constants) -> float:
        """A spike arrives."""
        y[1, k] += c.use * (1.0 - y[1, k])
        released = y[1, k] * y[2, k]
        y[2, k] -= released
        return float(y[0, k] * released)

    @staticmethod
    def on_post(y: Floats, k: int, c: Constants) -> None:
        """The target spikes: nothing happens."""
