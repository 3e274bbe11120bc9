"""The reference for populations: the model's own equations, as written, run by brian2 on its numpy target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.population import Population
from ..population import PARAMETERS, PopulationNetwork
from .brian2_import import brian2, numpy_target, quiet
from .population_engine import Noise, PopulationState

Floats = NDArray[np.float64]

UNITS = {"mv": "1", "pf": "1", "ns": "1", "pa": "1", "ms": "second"}
EXTRAS = """
    given : boolean (constant)   # an input
    bias : 1                     # tonic and drive
    started : second (shared)
    kick = kicks(t - started, i) : 1
    i_e : 1
    i_i : 1
    sent = output*(1 - int(given)) + clip(bias, 0, inf)*int(given) : 1
"""
VARIABLES = ("voltage", "h", "noise")


class Brian2Population:
    """Runs one network; the same methods and the same state as `PopulationEngine`."""

    def __init__(self, network: PopulationNetwork) -> None:
        self._network = network
        self._noise = Noise(network.n)
        self._dt = network.dt_ms * brian2.ms
        with quiet():
            self._group = self._populations()
            self._runner = brian2.Network(self._group, *(self._synapses(sign) for sign in (1, -1)))

    def _populations(self) -> brian2.NeuronGroup:
        names = [name for name in PARAMETERS if name not in ("tonic", "noise_pa")]  # in `bias` and `kicks`
        constants = "\n".join(f"{_symbol(name)} : {UNITS[name.rpartition('_')[2]]} (constant)" for name in names)
        group = brian2.NeuronGroup(
            self._network.n,
            Population.EQUATIONS + EXTRAS + constants,
            method="euler",
            dt=self._dt,
            namespace={},
            codeobj_class=numpy_target,
        )
        for name in names:
            unit = brian2.ms if name.endswith("_ms") else 1
            setattr(group, _symbol(name), self._network.parameter(name) * unit)
        group.given = self._network.inputs
        return group

    def _synapses(self, sign: int) -> brian2.Synapses:
        kind = "e" if sign > 0 else "i"
        edges = self._network.weights.tocoo()
        chosen = edges.data * sign > 0
        synapses = brian2.Synapses(
            self._group,
            self._group,
            f"weight : 1 (constant)\ni_{kind}_post = weight*sent_pre : 1 (summed)",
            dt=self._dt,
            namespace={},
            codeobj_class=numpy_target,
        )
        target, source = edges.coords
        synapses.connect(i=source[chosen], j=target[chosen])
        synapses.weight = np.abs(edges.data[chosen])
        return synapses

    def run(self, drive: Floats, first: int, steps: int, seed: int) -> None:
        """Advance by `steps`, of which the first is number `first` since the reset, under a constant drive."""
        tau, get = self._network.parameter("tau_noise_ms"), self._network.parameter
        white = np.concatenate(self._noise.blocks(seed, first, steps))
        white = white * get("noise_pa") * np.sqrt(2.0 * tau / self._network.dt_ms)
        self._group.bias = get("tonic") + drive
        self._group.started = self._runner.t
        with quiet():
            kicks = brian2.TimedArray(white, dt=self._dt)
            self._runner.run(steps * self._dt, namespace={"kicks": kicks})

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, of inputs their output; shape (n,), a copy."""
        return np.where(self._network.inputs, self.output, np.array(self._group.v_[:]))

    @property
    def output(self) -> Floats:
        """Output now, 0 to 1, of inputs 0 and above; shape (n,), a copy."""
        with quiet():
            return np.array(self._group.sent_[:])

    @property
    def state(self) -> PopulationState:
        """Copies of the state variables."""
        noise = np.where(self._network.inputs, 0.0, np.array(self._group.noise_[:]))
        return {"voltage": self.voltage, "h": np.array(self._group.h_[:]), "noise": noise, "output": self.output}

    def load(self, state: PopulationState) -> None:
        """Continue from a state."""
        self._group.v, self._group.h, self._group.noise = (state[name] for name in VARIABLES)


def _symbol(name: str) -> str:
    """Name of a parameter in the equations."""
    return name.rpartition("_")[0]
