"""Three-factor plasticity: pairs of spikes mark a synapse, dopamine turns the mark into a change of its weight."""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Constants(NamedTuple):
    """What the compiled functions need."""

    gain: float
    loss: float
    w_min: float
    w_max: float
    rate_pre: float  # per step
    rate_post: float  # per step
    rate_mark: float  # per step
    rate_dopamine: float  # per step
    dt: float  # s


@dataclass(frozen=True, kw_only=True)
class RewardStdp:
    """Parameters: the form and the two slow time constants of Izhikevich 2007 (doi:10.1093/cercor/bhl152).

    The weight changes by mark * dopamine a second. Gain and loss are assumed, in the proportion of `PairStdp`. The
    bounds are kept at every spike, so that a weight may pass them until the next one.
    """

    gain: float = 0.1  # in the unit of the weights, on the mark, of a target's spike right after an arriving one
    loss: float = 0.105  # in the unit of the weights, on the mark, of an arriving spike right after one of the target
    tau_pre_ms: float = 20.0  # ms
    tau_post_ms: float = 20.0  # ms
    tau_mark_ms: float = 1000.0  # ms, how long a synapse stays eligible
    tau_dopamine_ms: float = 200.0  # ms
    w_min: float = 0.0  # in the unit of the weights
    w_max: float = 4.0  # in the unit of the weights

    EQUATIONS: ClassVar[str] = """
        dweight/dt = change/second : 1 (clock-driven)
        dbefore/dt = -before/tau_pre : 1 (clock-driven)
        dafter/dt = -after/tau_post : 1 (clock-driven)
        dmark/dt = -mark/tau_mark : 1 (clock-driven)                                 # eligibility
        ddopamine/dt = -dopamine/tau_dopamine : 1 (clock-driven)                     # the same at every synapse
        dchange/dt = -change*(1/tau_mark + 1/tau_dopamine) : 1 (clock-driven)        # mark * dopamine
    """
    METHOD: ClassVar[str] = "rk4"  # brian2's exact scheme wants a fixed point; the error is below 1e-12 a step
    ON_PRE: ClassVar[str] = """
        weight = clip(weight, w_min, w_max)
        {receptor}_post += weight
        before += gain
        mark -= after
        change -= after*dopamine
    """
    ON_POST: ClassVar[str] = """
        weight = clip(weight, w_min, w_max)
        after += loss
        mark += before
        change += before*dopamine
    """

    def __post_init__(self) -> None:
        for name in ("tau_pre_ms", "tau_post_ms", "tau_mark_ms", "tau_dopamine_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"RewardStdp: {name} ({getattr(self, name)} ms) must be above 0")
        if self.w_max <= self.w_min:
            raise ValueError(f"RewardStdp: w_max ({self.w_max}) must exceed w_min ({self.w_min})")

    def learned(self, mark: float, amount: float) -> float:
        """Closed-form change of the weight that a mark and an amount of dopamine, both now, will bring in the end."""
        return mark * amount / (1e3 / self.tau_mark_ms + 1e3 / self.tau_dopamine_ms)

    def constants(self, dt_ms: float) -> Constants:
        """Numbers of a step of `dt_ms`, ms."""
        taus = self.tau_pre_ms, self.tau_post_ms, self.tau_mark_ms, self.tau_dopamine_ms
        pre, post, mark, dopamine = (dt_ms / tau for tau in taus)
        return Constants(self.gain, self.loss, self.w_min, self.w_max, pre, post, mark, dopamine, dt_ms * 1e-3)

    def initial(self) -> dict[str, float]:
        """No traces, no dopamine."""
        return {}

    @staticmethod
    def bring(y: Floats, k: int, steps: int, c: Constants) -> None:
        """Move synapse k forward."""
        rate = c.rate_mark + c.rate_dopamine
        left = math.exp(-steps * rate)
        y[0, k] += y[5, k] * c.dt * (1.0 - left) / rate
        y[1, k] *= math.exp(-steps * c.rate_pre)
        y[2, k] *= math.exp(-steps * c.rate_post)
        y[3, k] *= math.exp(-steps * c.rate_mark)
        y[4, k] *= math.exp(-steps * c.rate_dopamine)
        y[5, k] *= left

    @staticmethod
    def on_pre(y: Floats, k: int, c: Constants) -> float:
        """A spike arrives."""
        y[0, k] = min(max(y[0, k], c.w_min), c.w_max)
        y[1, k] += c.gain
        y[3, k] -= y[2, k]
        y[5, k] -= y[2, k] * y[4, k]
        return float(y[0, k])

    @staticmethod
    def on_post(y: Floats, k: int, c: Constants) -> None:
        """The target spikes."""
        y[0, k] = min(max(y[0, k], c.w_min), c.w_max)
        y[2, k] += c.loss
        y[3, k] += y[1, k]
        y[5, k] += y[1, k] * y[4, k]
