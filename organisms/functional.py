"""The networks whose responses are compared with a functional atlas, by name.

Their settings were written down before any of them was scored. Nothing in them is fitted to an atlas, and `default` is
the one that the bar speaks of.

* default: every neuron as `Graded()` (membrane and sigmoid of Kunert et al. 2014). All chemical input of a neuron
  together, at full release, is worth the 35 mV between the leak (-35 mV) and the excitatory reversal (0 mV) of that
  model; all its gap junctions together conduct as much as its leak (assumed); no other gain; unknown signs excitatory.
* default, known signs only: the same without the synapses whose sign is unknown.
* conductance: the published conductance-based model per contact, see `brains.conductance`; unknown signs excitatory.
* locomotion: the organism's own parameters, which were searched for locomotion and have plateaus.
* locomotion without plateaus: the same with every plateau current removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..brains.cells import cells_from_table
from ..brains.conductance import conductance_gain
from ..brains.connectome import Connectome
from ..brains.network import Network, SynapseGains, build_network
from ..brains.response import gain_matrix
from .organism import Organism

Floats = NDArray[np.float64]

DEFAULT_GAINS = SynapseGains(chemical_mv=35.0, electrical=1.0)


def default_network(connectome: Connectome, unknown_sign: float = 1.0) -> Network:
    """The un-fitted graded network of a connectome."""
    cells = cells_from_table(connectome, pd.DataFrame({"selector": ["*"]}))
    return build_network(connectome, cells, replace(DEFAULT_GAINS, unknown_sign=unknown_sign))


def locomotion_network(organism: Organism, connectome: Connectome, plateaus: bool = True) -> Network:
    """The organism's own graded network on a connectome, which becomes the reference of its input shares."""
    dynamics = organism.dynamics if plateaus else organism.dynamics.assign(plateau_mv="")
    return replace(organism, dynamics=dynamics).with_connectome(connectome).brain().network


NETWORKS = MappingProxyType[str, Callable[[Organism, Connectome], Network]](
    {
        "default": lambda organism, connectome: default_network(connectome),
        "default, known signs only": lambda organism, connectome: default_network(connectome, unknown_sign=0.0),
        "locomotion": locomotion_network,
        "locomotion without plateaus": lambda organism, connectome: locomotion_network(organism, connectome, False),
    }
)
"""name -> function(organism, connectome) -> Network, for what can be simulated."""

SIMULATED = ("default", "locomotion", "locomotion without plateaus")


def closed_form(organism: Organism, name: str) -> Callable[[Connectome], Floats]:
    """The function that gives the gain matrix of one of the networks on any connectome of the organism's neurons."""
    if name == "conductance":
        return conductance_gain
    build = NETWORKS[name]
    return lambda connectome: gain_matrix(build(organism, connectome))


CLOSED_FORMS = (*NETWORKS, "conductance")
