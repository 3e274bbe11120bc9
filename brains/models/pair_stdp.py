"""Spike-timing-dependent plasticity of all pairs of spikes: before strengthens, after weakens."""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled functions need."""

    gain: float
    loss: float
    w_min: float
    w_max: float
    rate_pre: float  # per step
    rate_post: float  # per step


@dataclass(frozen=True, kw_only=True)
class PairStdp:
    """Parameters: Song, Miller and Abbott 2000 (doi:10.1038/78829); theirs are shares of the greatest weight.

    A pair counts when the first spike has arrived at the synapse, after the delay of the edge.
    """

    gain: float = 0.005  # in the unit of the weights, of a target's spike right after an arriving one
    loss: float = 0.00525  # in the unit of the weights, of an arriving spike right after one of the target
    tau_pre_ms: float = 20.0  # ms
    tau_post_ms: float = 20.0  # ms
    w_min: float = 0.0  # in the unit of the weights
    w_max: float = 1.0  # in the unit of the weights

    EQUATIONS: ClassVar[str] = """
        weight : 1
        dbefore/dt = -before/tau_pre : 1 (clock-driven)      # what a spike of the target would add now
        dafter/dt = -after/tau_post : 1 (clock-driven)   # what an arriving spike would take away now
    """
    METHOD: ClassVar[str] = "exact"
    ON_PRE: ClassVar[str] = "{receptor}_post += weight; before += gain; weight = clip(weight - after, w_min, w_max)"
    ON_POST: ClassVar[str] = "after += loss; weight = clip(weight + before, w_min, w_max)"

    def __post_init__(self) -> None:
        for name in ("tau_pre_ms", "tau_post_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"PairStdp: {name} ({getattr(self, name)} ms) must be above 0")
        if self.w_max <= self.w_min:
            raise ValueError(f"PairStdp: w_max ({self.w_max}) must exceed w_min ({self.w_min})")

    def window(self, lag_ms: ArrayLike) -> Floats:
        """Closed-form change of the weight by one pair; the lag (ms) from arrival to the target's spike, any shape."""
        lag = np.asarray(lag_ms, dtype=np.float64)
        after = self.gain * np.exp(-np.abs(lag) / self.tau_pre_ms)
        return np.asarray(np.where(lag >= 0, after, -self.loss * np.exp(-np.abs(lag) / self.tau_post_ms)))

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        rates = dt_ms / self.tau_pre_ms, dt_ms / self.tau_post_ms
        return Constants(self.gain, self.loss, self.w_min, self.w_max, *rates)

    def initial(self) -> dict[str, float]:
        """No traces."""
        return {}

    @staticmethod
    def bring(y: Floats, k: int, steps: int, c: Constants) -> None:
        """Move synapse k forward."""
        y[1, k] *= math.exp(-steps * c.rate_pre)
        y[2, k] *= math.exp(-steps * c.rate_post)

    @staticmethod
    def on_pre(y: Floats, k: int, c: Constants) -> float:
        """A spike arrives."""
        delivered = y[0, k]
        y[1, k] += c.gain
        y[0, k] = min(max(y[0, k] - y[2, k], c.w_min), c.w_max)
        return float(delivered)

    @staticmethod
    def on_post(y: Floats, k: int, c: Constants) -> None:
        """The target spikes."""
        y[2, k] += c.loss
        y[0, k] = min(max(y[0, k] + y[1, k], c.w_min), c.w_max)
