"""What a spiking neuron model is: parameters, equations in brian2's notation, and the compiled step beside them.

The equations are the definition. Which variables a model has, in which order, and which of them stand still in the
refractory period is read from them, so that no engine has a list of its own to keep in step.
"""

import re
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNITS = ("ms", "mv", "ns", "pf", "pa", "hz")  # endings of field names; the equations use the names without them


class SpikingModel(Protocol):
    """A spiking point neuron; one frozen dataclass a file, one line in `SPIKING`.

    `advance(x, i, active, drive, c)` moves neuron i by one step in `x`, shape (variables, n), in the order of
    `EQUATIONS`; `active` is false in the refractory period, `c` what `constants` returned. `above(x, i, c)` says
    whether it spikes, `reset(x, i, c)` what a spike does to it. They are compiled by numba, and do what brian2 does
    with `METHOD`. The jax engine traces the same functions with whole rows in place of `x[row, i]`; for its sake they
    branch on `active` alone, and call `math` and nothing else.
    """

    EQUATIONS: ClassVar[str]
    THRESHOLD: ClassVar[str]
    RESET: ClassVar[str]
    METHOD: ClassVar[str]  # brian2's name of the integration scheme
    RECEPTORS: ClassVar[tuple[str, ...]]  # the variables that input is added to: one, or excitatory and inhibitory
    WEIGHT_UNIT: ClassVar[str]
    UNSIGNED: ClassVar[bool]  # whether the size of a weight is added, as to a conductance, not its value

    @property
    def t_refractory_ms(self) -> float:
        """Ms, after a spike."""

    @property
    def delay_ms(self) -> float:
        """Ms, from a spike to its arrival, where an edge has no delay of its own."""

    def constants(self, dt_ms: float) -> Any:
        """What the compiled step needs, as a named tuple of numbers."""

    def resting(self) -> dict[str, float]:
        """Values of the variables at rest; zero for those not named."""

    @staticmethod
    def advance(x: Floats, i: int, active: bool, drive: float, c: Any) -> None:
        """One step of neuron i."""

    @staticmethod
    def above(x: Floats, i: int, c: Any) -> bool:
        """Whether neuron i spikes."""

    @staticmethod
    def reset(x: Floats, i: int, c: Any) -> None:
        """What a spike does to neuron i."""


def variables(model: SpikingModel | type[SpikingModel]) -> tuple[str, ...]:
    """Names of the state variables, in the order of the rows of every state array."""
    return tuple(re.findall(r"^\s*d(\w+)/dt", model.EQUATIONS, flags=re.MULTILINE))


def held(model: SpikingModel | type[SpikingModel]) -> tuple[str, ...]:
    """Names of the variables that stand still in the refractory period, and lose what arrives in it."""
    return tuple(re.findall(r"^\s*d(\w+)/dt.*unless refractory", model.EQUATIONS, flags=re.MULTILINE))


def check_positive(model: SpikingModel, *names: str) -> None:
    """Refuse a model that has one of the fields at or below zero, or a negative refractory period."""
    kind = type(model).__name__
    for name in names:
        if not getattr(model, name) > 0:
            raise ValueError(f"{kind}: {name} ({getattr(model, name)} {_unit(name)}) must be above 0")
    if not model.t_refractory_ms >= 0:
        raise ValueError(f"{kind}: t_refractory_ms ({model.t_refractory_ms} ms) must not be negative")


def _unit(name: str) -> str:
    return {"mv": "mV", "ns": "nS", "pf": "pF", "pa": "pA"}.get(name.rpartition("_")[2], name.rpartition("_")[2])


def leak_ns(model: SpikingModel) -> float:
    """Leak conductance, nS: a current (pA) over it is what the model takes as `drive`.

    1 where the model has no leak in nS: a conductance is then a share of the leak (`LifExp`, `LifAlpha`), or 1/ms in
    `Izhikevich`, whose drive is in mV/ms.
    """
    if hasattr(model, "g_leak_ns"):
        return float(model.g_leak_ns)
    return float(model.c_m_pf / model.tau_m_ms) if hasattr(model, "c_m_pf") and hasattr(model, "tau_m_ms") else 1.0


def resting_state(model: SpikingModel, n: int) -> Floats:
    """The state of n neurons at rest, shape (variables, n)."""
    values = model.resting()
    return np.repeat([[values.get(name, 0.0)] for name in variables(model)], n, axis=1)
