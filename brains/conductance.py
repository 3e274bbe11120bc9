"""The published conductance-based model of the worm's network, as a network of ours for small signals.

Kunert, Shlizerman & Kutz 2014 (Phys Rev E 89:052805), after Wicks, Roehrig & Rankin 1996 (J Neurosci 16:4017):

    C V_i' = -G (V_i - E_leak) - sum_j g_gap N_ij (V_i - V_j) - sum_j g_syn M_ij s_j (V_i - E_j) + I_i
    s'     = a_r phi(V) (1 - s) - a_d s,    phi = sigmoid(beta (V - V_th)),    V_th = the voltage at equilibrium

Our synapses are currents and do not shunt. About the equilibrium both are linear, and there the two can be made one:
divided by each cell's whole conductance at equilibrium, the model above becomes leak, current synapses and gap
junctions of ours with the same steady voltages and the same steady response to a small drive. Larger signals differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .cells import Cells, cells_from_table
from .connectome import Connectome
from .network import Network
from .response import gain_matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Conductances:
    """Parameters of the published model; Kunert et al. 2014, as in the file params.json of leiferlab/kunertPRE2014.

    The numbers of contacts are counts of the connectome: serial sections where its source counts those.
    """

    leak_ps: float = 10.0  # pS
    synapse_ps: float = 100.0  # pS per contact at full activation
    gap_ps: float = 100.0  # pS per contact
    capacitance_pf: float = 1.0  # pF
    leak_mv: float = -35.0  # mV, leak reversal
    excitatory_mv: float = 0.0  # mV, reversal
    inhibitory_mv: float = -45.0  # mV, reversal
    rise_hz: float = 1.0  # 1/s, a_r
    decay_hz: float = 5.0  # 1/s, a_d
    slope_mv: float = 8.0  # mV, 1/beta

    def __post_init__(self) -> None:
        for name in ("leak_ps", "capacitance_pf", "rise_hz", "decay_hz", "slope_mv"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Conductances: {name} ({getattr(self, name)}) must be above 0")
        for name in ("synapse_ps", "gap_ps"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Conductances: {name} ({getattr(self, name)} pS) must be 0 or more")

    @property
    def activation(self) -> float:
        """Steady activation s at phi = 1/2."""
        return 0.5 * self.rise_hz / (0.5 * self.rise_hz + self.decay_hz)

    @property
    def activation_slope(self) -> float:
        """Slope ds/dV of the steady activation at phi = 1/2, 1/mV."""
        return self.rise_hz * self.decay_hz / (0.5 * self.rise_hz + self.decay_hz) ** 2 / (4.0 * self.slope_mv)


def conductance_network(connectome: Connectome, model: Conductances | None = None) -> tuple[Network, Floats]:
    """The small-signal equivalent of the published model on a connectome.

    Chemical synapses of unknown sign are excitatory, as everything but GABA is in the published model.

    Returns:
        The network and its fixed point, mV, shape (n,): the equilibrium of the published model.
    """
    model = Conductances() if model is None else model
    count = connectome.matrix("chemical", signed=False).toarray()
    inhibits = connectome.matrix("chemical").toarray() < 0
    gap = connectome.matrix("electrical", signed=False).toarray() * (model.gap_ps / model.leak_ps)
    np.fill_diagonal(gap, 0.0)
    synapse = count * (model.synapse_ps / model.leak_ps)  # relative to the leak, at full activation
    reversal = np.where(inhibits, model.inhibitory_mv, model.excitatory_mv)
    rest = _equilibrium(model, synapse, reversal, gap)
    shunt = 1.0 + model.activation * synapse.sum(axis=1)  # leak and synapses, relative to the leak
    # our release has slope 1/(4 slope) at its half; the factor gives the synapse the slope of the published activation
    factor = model.activation_slope * 4.0 * model.slope_mv
    chemical = synapse * (reversal - rest[:, None]) * factor / shunt[:, None]
    electrical = gap / shunt[:, None]
    load = electrical.sum(axis=1)
    inward = 0.5 * chemical.sum(axis=1) + electrical @ rest - load * rest
    cells = _cells(
        connectome, model.slope_mv, tau_ms=1e3 * model.capacitance_pf / model.leak_ps / shunt, rest=rest, inward=inward
    )
    step_ms = 0.5 * float((cells.tau_m_ms / (1.0 + load)).min())
    return Network(cells=cells, chemical=csr_array(chemical), electrical=csr_array(electrical), dt_ms=step_ms), rest


def conductance_gain(connectome: Connectome, model: Conductances | None = None) -> Floats:
    """Steady voltage change of every neuron for the same small current into every other; shape (n, n).

    mV per mV that the current would make across the leak alone, so that cells with many synapses, which shunt it, are
    driven less, as in the published model.
    """
    model = Conductances() if model is None else model
    network, rest = conductance_network(connectome, model)
    shunt = 1e3 * model.capacitance_pf / model.leak_ps / network.cells.tau_m_ms
    return gain_matrix(network, rest) / shunt


def _equilibrium(model: Conductances, synapse: Floats, reversal: Floats, gap: Floats) -> Floats:
    """Voltages (mV) at which every current cancels with all synapses half on; linear, since V_th follows V."""
    held = model.activation * synapse
    balance = np.diag(1.0 + held.sum(axis=1) + gap.sum(axis=1)) - gap
    return np.asarray(np.linalg.solve(balance, model.leak_mv + (held * reversal).sum(axis=1)))


def _cells(connectome: Connectome, slope_mv: float, tau_ms: Floats, rest: Floats, inward: Floats) -> Cells:
    """Graded cells with half release at `rest` and a leak that holds them there against `inward` (both mV)."""
    table = pd.DataFrame({"selector": connectome.names, "tau_m_ms": tau_ms, "v_rest_mv": rest - inward})
    return cells_from_table(connectome, table.assign(v_half_mv=rest, slope_mv=slope_mv), "graded")
