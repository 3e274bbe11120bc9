"""Neuron models, one a file: parameters with sources, equations in brian2's notation, the step that is compiled.

The equations are the readable definition and what the brian2 engine runs; the step functions are what the numba engine
compiles. The parity tests hold the two to each other.
"""

from .adex import AdEx
from .graded import Graded
from .hodgkin_huxley import HodgkinHuxley
from .homeostasis import Homeostasis
from .izhikevich import Izhikevich
from .lif import Lif
from .lif_alpha import LifAlpha
from .lif_cond import LifCond
from .lif_exp import LifExp
from .lif_psc import LifPsc
from .pair_stdp import PairStdp
from .plasticity_rule import PlasticityRule
from .rate import Rate
from .reward_stdp import RewardStdp
from .short_term import ShortTerm
from .spiking_model import SpikingModel

Parameters = Graded | Lif | Rate

MODELS: dict[str, type[Graded] | type[Lif] | type[Rate]] = {"graded": Graded, "lif": Lif, "rate": Rate}

# of a `SpikingNetwork`; the parity suite runs every one of them on every engine
SPIKING: dict[str, type[SpikingModel]] = {
    "lif_exp": LifExp,
    "lif_psc": LifPsc,
    "lif_alpha": LifAlpha,
    "lif_cond": LifCond,
    "adex": AdEx,
    "izhikevich": Izhikevich,
    "hodgkin_huxley": HodgkinHuxley,
}

# of a named set of the synapses of a `SpikingNetwork`
PLASTICITY: dict[str, type[PlasticityRule]] = {
    "short_term": ShortTerm,
    "pair_stdp": PairStdp,
    "reward_stdp": RewardStdp,
    "homeostasis": Homeostasis,
}

__all__ = ["MODELS", "PLASTICITY", "SPIKING", "Graded", "Lif", "Parameters", "Rate", "SpikingModel"]
