"""Neuron models, one a file: parameters with sources, equations in brian2's notation, the step that is compiled.

The equations are the readable definition and what the brian2 engine runs; the step functions are what the numba engine
compiles. The parity tests hold the two to each other.
"""

from .graded import Graded
from .lif import Lif

Parameters = Graded | Lif

MODELS: dict[str, type[Graded] | type[Lif]] = {"graded": Graded, "lif": Lif}

__all__ = ["MODELS", "Graded", "Lif", "Parameters"]
