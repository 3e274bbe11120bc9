"""What a plasticity rule is: how a synapse changes with the spikes on its two sides.

As with neurons, the equations in brian2's notation are the definition, and the compiled functions stand beside them.
All equations of a rule are linear between two spikes, so that a synapse is brought forward in closed form only when a
spike reaches it.
"""

import re
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class PlasticityRule(Protocol):
    """A rule for a set of synapses; one frozen dataclass a file, one line in `PLASTICITY`.

    `bring(y, k, steps, c)` moves synapse k forward by some steps in `y`, shape (variables, synapses), in the order of
    `plastic_variables`: the weight comes first. `on_pre(y, k, c)` is an arriving spike and returns what it delivers,
    `on_post(y, k, c)` a spike of the target. They are compiled by numba.
    """

    EQUATIONS: ClassVar[str]
    METHOD: ClassVar[str]  # brian2's name of the integration scheme
    ON_PRE: ClassVar[str]  # with {receptor} in the place of the variable that input is added to
    ON_POST: ClassVar[str]  # empty for none

    def constants(self, dt_ms: float) -> Any:
        """What the compiled functions need, as a named tuple of numbers."""

    def initial(self) -> dict[str, float]:
        """Values of the variables at the start; zero for those not named."""

    @staticmethod
    def bring(y: Floats, k: int, steps: int, c: Any) -> None:
        """Move synapse k forward."""

    @staticmethod
    def on_pre(y: Floats, k: int, c: Any) -> float:
        """A spike arrives."""

    @staticmethod
    def on_post(y: Floats, k: int, c: Any) -> None:
        """The target spikes."""


def plastic_variables(rule: PlasticityRule | type[PlasticityRule]) -> tuple[str, ...]:
    """Names of the variables of a synapse: its weight, then the others in the order of the equations."""
    found = re.findall(r"^\s*d(\w+)/dt", rule.EQUATIONS, flags=re.MULTILINE)
    return ("weight", *(name for name in found if name != "weight"))
