"""The reference engine: the models' own equations, as written, run by brian2 (Stimberg et al. 2019, eLife 8:e47314).

It is slow and meant to be right. Everything runs on brian2's numpy target, so no compiler is needed, in a `Network` of
its own, so that several brains live in one process; brian2's global preferences are not touched.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models import MODELS
from ..network import Network
from . import State
from .brian2_import import brian2, numpy_target, quiet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARAMETERS = """
    drive : 1                   # mV
    fired : integer             # spikes since the start of the run
    tau_m : second (constant)
    v_rest : 1 (constant)       # mV
    v_half : 1 (constant)       # mV
    slope : 1 (constant)        # mV
    plateau : 1 (constant)      # mV
    tonic : 1 (constant)        # mV
    v_reset : 1 (constant)      # mV
    t_refractory : second (constant)
    tau_release : second (constant)
    rate_full : hertz (constant)
    spikelet : 1 (constant)     # mV
"""
CURRENTS = {
    "chemical": "weight*s_pre",
    "electrical": "weight*(u_pre - u_post)",
}  # mV, summed over the synapses of a cell


class Brian2Engine:
    """Runs one network, a NeuronGroup a model, in mV and seconds; see `Engine` for the contract of every method."""

    def __init__(self, network: Network) -> None:
        self._n = network.n
        self._dt = network.dt_ms * brian2.ms
        self._rows = {key: np.flatnonzero(network.cells.model == key) for key in MODELS}
        self._rows = {key: rows for key, rows in self._rows.items() if rows.size}
        with quiet():
            self._groups = {key: self._group(network, key) for key in self._rows}
            self._network = brian2.Network(self._groups.values())
            for kind, pre, post in product(CURRENTS, self._rows, self._rows):
                self._connect(network, kind, pre, post)

    def _group(self, network: Network, key: str) -> Any:
        model, cells, rows = MODELS[key], network.cells, self._rows[key]
        sums = {kind: [f"i_{kind}_{pre}" for pre in self._rows] for kind in CURRENTS}
        currents = [f"i_{kind} = {' + '.join(parts)} : 1" for kind, parts in sums.items()]
        currents += [f"{part} : 1" for parts in sums.values() for part in parts]
        group = brian2.NeuronGroup(
            rows.size,
            model.EQUATIONS + PARAMETERS + "\n".join(currents),
            threshold=model.THRESHOLD,
            reset=f"{model.RESET}; fired += 1" if model.RESET else None,
            method="euler",
            dt=self._dt,
            namespace={},
            codeobj_class=numpy_target,
        )
        group.v = cells.v_rest_mv[rows]
        for name in ("v_rest", "v_half", "slope", "plateau", "tonic", "v_reset", "spikelet"):
            setattr(group, name, getattr(cells, f"{name}_mv")[rows])
        group.tau_m = cells.tau_m_ms[rows] * brian2.ms
        group.t_refractory = np.rint(cells.t_refractory_ms[rows] / network.dt_ms) * self._dt
        group.tau_release = cells.tau_release_ms[rows] * brian2.ms
        group.rate_full = cells.rate_full_hz[rows] * brian2.Hz
        return group

    def _connect(self, network: Network, kind: str, pre: str, post: str) -> None:
        block = getattr(network, kind)[self._rows[post]][:, self._rows[pre]].tocoo()
        if block.nnz == 0:
            return
        synapses = brian2.Synapses(
            self._groups[pre],
            self._groups[post],
            f"weight : 1 (constant)\ni_{kind}_{pre}_post = {CURRENTS[kind]} : 1 (summed)",
            dt=self._dt,
            namespace={},
            codeobj_class=numpy_target,
        )
        target, source = block.coords
        synapses.connect(i=source, j=target)
        synapses.weight = block.data
        self._network.add(synapses)

    def run(self, drive: Floats, steps: int) -> Ints:
        """Advance by `steps` under a constant drive (mV, shape (n,)); returns the spikes of each neuron."""
        for key, group in self._groups.items():
            group.drive = drive[self._rows[key]]
            group.fired = 0
        with quiet():
            self._network.run(steps * self._dt, namespace={})
        return self._collect("fired").astype(np.int64)

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, shape (n,), a copy."""
        return self._collect("v")

    @property
    def release(self) -> Floats:
        """Release now, 0 to 1, shape (n,), a copy."""
        return self._collect("s")

    @property
    def state(self) -> State:
        """Copies of the state variables; release follows from them."""
        held = np.rint(self._collect("held") / float(self._dt)).astype(np.int64)
        return {"voltage": self.voltage, "trace": self._collect("trace"), "held": held}

    def load(self, state: State) -> None:
        """Continue from a state."""
        for key, group in self._groups.items():
            rows = self._rows[key]
            group.v = state["voltage"][rows]
            if "trace" in group.variables:
                group.trace = state["trace"][rows]
                group.held = state["held"][rows] * self._dt

    def _collect(self, name: str) -> Floats:
        """One array over all neurons from the groups that have the variable; zero for the others."""
        values = np.zeros(self._n)
        for key, group in self._groups.items():
            if name in group.variables:
                with quiet():
                    values[self._rows[key]] = getattr(group, f"{name}_")[:]
        return values
