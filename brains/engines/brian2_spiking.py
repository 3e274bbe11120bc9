"""The reference engine of spiking networks: the model's equations as written, run by brian2.

Its Poisson trains are the default engine's own events, so that the two can be compared spike by spike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..spiking import SpikingNetwork
from .brian2_import import brian2, quiet
from .poisson_trains import Trains, take_events, trains

Shorts = NDArray[np.int32]
Singles = NDArray[np.float32]
SpikingState = dict[str, NDArray[np.generic]]

PARAMETERS = """
    drive : 1 (constant)               # mV
    jump : 1 (constant)                # mV, of an event of the neuron's Poisson train
    t_refractory : second (constant)
"""
TARGETS = {"numpy": "numpy_rt.NumpyCodeObject", "cython": "cython_rt.CythonCodeObject"}


def _code_object(target: str) -> Any:
    if target not in TARGETS:
        raise ValueError(f"Brian2Spiking: target must be one of {', '.join(TARGETS)}, got {target!r}")
    module, name = TARGETS[target].split(".")
    return getattr(getattr(brian2.codegen.runtime, module), name)


class Brian2Spiking:
    """Runs one `SpikingNetwork`; the same contract as `EventEngine`.

    Args:
        network: what to run.
        seed: of the Poisson trains.
        target: "numpy", or "cython" (faster; needs a C++ compiler).
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0, target: str = "numpy") -> None:
        self._network, self._code = network, _code_object(target)
        self._dt = network.dt_ms * brian2.ms
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains."""
        model = self._network.model
        self._seed, self._step = seed, 0
        self._trains = trains(seed)
        with quiet():
            self._neurons = self._group()
            self._synapses = self._connect()
            self._events = brian2.SpikeGeneratorGroup(self.n, [], [] * brian2.second, dt=self._dt)
            self._inputs = self._wire(self._events, self._neurons, "v_post += jump_post")
            self._inputs.connect(j="i")
            self._spikes = brian2.SpikeMonitor(self._neurons, codeobj_class=self._code)
            self._run = brian2.Network(self._neurons, self._synapses, self._events, self._inputs, self._spikes)
        self._neurons.v = model.v_rest_mv
        self._neurons.t_refractory = model.t_refractory_ms * brian2.ms

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self._network.n

    def _group(self) -> Any:
        model = self._network.model
        return brian2.NeuronGroup(
            self.n,
            model.EQUATIONS + PARAMETERS,
            threshold=model.THRESHOLD,
            reset=model.RESET,
            refractory="t_refractory",
            method="exact",
            dt=self._dt,
            namespace={
                "v_rest": model.v_rest_mv,
                "v_threshold": model.v_threshold_mv,
                "v_reset": model.v_reset_mv,
                "tau_m": model.tau_m_ms * brian2.ms,
                "tau_synapse": model.tau_synapse_ms * brian2.ms,
            },
            codeobj_class=self._code,
        )

    def _wire(self, pre: Any, post: Any, on_pre: str, **more: Any) -> Any:
        return brian2.Synapses(pre, post, on_pre=on_pre, dt=self._dt, namespace={}, codeobj_class=self._code, **more)

    def _connect(self) -> Any:
        network, on_spike = self._network, self._network.model.ON_SPIKE
        delay = network.model.delay_ms * brian2.ms
        synapses = self._wire(self._neurons, self._neurons, on_spike, model="weight : 1 (constant)", delay=delay)
        if network.edges == 0:
            synapses.active = False
            return synapses
        synapses.connect(i=np.repeat(np.arange(self.n), np.diff(network.start)), j=network.target)
        synapses.weight = network.weight
        return synapses

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, mV, shape (n,), from now on."""
        self._neurons.drive = np.asarray(drive_mv, dtype=np.float64)

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        network = self._network
        self._use(trains(self._seed, neurons, rate_hz, weight_mv, network.dt_ms, self._step - 1, self.n))
        refractory_ms = np.full(self.n, network.model.t_refractory_ms)
        refractory_ms[self._trains.neuron] = t_refractory_ms
        self._neurons.t_refractory = refractory_ms * brian2.ms

    def _use(self, made: Trains) -> None:
        self._trains = made
        jump = np.zeros(self.n)
        jump[made.neuron] = made.weight
        self._neurons.jump = jump

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons."""
        when, who = take_events(self._trains, self._step + steps)
        begin = self._now()
        with quiet():
            self._events.set_spikes(who, (when - self._step + begin) * self._dt)
            before = self._spikes.num_spikes
            self._run.run(steps * self._dt, namespace={})
        times = np.rint(self._spikes.t[before:] / self._dt).astype(np.int32) - begin + self._step
        neurons = np.asarray(self._spikes.i[before:], dtype=np.int32)
        self._step += steps
        order = np.lexsort((neurons, times))
        return times[order].astype(np.int32), neurons[order]

    def _now(self) -> int:
        """Steps since brian2's own start."""
        return round(float(self._run.t / self._dt))

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (n,)."""
        return np.asarray(self._neurons.v_[:], dtype=np.float32)
