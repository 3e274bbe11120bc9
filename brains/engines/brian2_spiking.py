"""The reference engine of spiking networks: the model's equations as written, run by brian2.

Its Poisson input is the default engines' own, event by event, so that they can be compared spike by spike.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models.spiking_model import resting_state, variables
from ..spiking import SpikingNetwork
from .brian2_import import brian2, quiet
from .brian2_synapses import change, changing, gap_wire, namespace, put, wires
from .dense_engine import NEVER, TRAIN_FIELDS, check_state, named_synapses, recent, reward_rows, stored_input
from .plastic_loop import plastic_edges
from .poisson_background import background, background_input
from .poisson_trains import Trains, take_events, trains

Shorts = NDArray[np.int32]
Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
SpikingState = dict[str, NDArray[np.generic]]

PARAMETERS = """
    drive : 1 (constant)               # mV
    jump : 1 (constant)                # mV, of an event of the neuron's Poisson train
    t_refractory : second (constant)
"""
GAP = """
    gap : 1   # mV, what the gap junctions add to the drive
"""
TARGETS = {"numpy": "numpy_rt.NumpyCodeObject", "cython": "cython_rt.CythonCodeObject"}


def _code_object(target: str) -> Any:
    if target not in TARGETS:
        raise ValueError(f"Brian2Spiking: target must be one of {', '.join(TARGETS)}, got {target!r}")
    module, name = TARGETS[target].split(".")
    return getattr(getattr(brian2.codegen.runtime, module), name)


class Brian2Spiking:
    """Runs one `SpikingNetwork`; the same contract as `EventEngine`, the same state as `DenseEngine`.

    Args:
        network: what to run.
        seed: of all Poisson input.
        target: "numpy", or "cython" (faster; needs a C++ compiler).
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0, target: str = "numpy") -> None:
        self._network, self._code = network, _code_object(target)
        self._dt = network.dt_ms * brian2.ms
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains, no background."""
        model = self._network.model
        self._seed, self._step = seed, 0
        self._recent = np.zeros((2, 0), np.int32)
        self._trains = trains(seed)
        self._background, self._receptor = background(seed, self.n), 0
        with quiet():
            self._neurons = self._group()
            self._wires = wires(self._network, self._neurons, self._dt, self._code)
            self._events = brian2.SpikeGeneratorGroup(self.n, [], [] * brian2.second, dt=self._dt)
            self._inputs = brian2.Synapses(
                self._events, self._neurons, on_pre="v_post += jump_post", dt=self._dt, codeobj_class=self._code
            )
            self._inputs.connect(j="i")
            self._spikes = brian2.SpikeMonitor(self._neurons, codeobj_class=self._code)
            outside = brian2.NetworkOperation(self._receive, dt=self._dt, when="synapses")
            synapses = [wire.synapses for wire in self._wires]
            if self._network.gap is not None:
                synapses.append(gap_wire(self._network, self._neurons, self._dt, self._code))
            self._run = brian2.Network(self._neurons, synapses, self._events, self._inputs, self._spikes, outside)
            self._began = 0
            self._run.run(0 * brian2.second, namespace={})  # makes the queues of spikes on their way
        for name, values in zip(variables(model), resting_state(model, self.n), strict=True):
            setattr(self._neurons, name, values)
        self._neurons.t_refractory = model.t_refractory_ms * brian2.ms

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self._network.n

    def _group(self) -> Any:
        model = self._network.model
        equations = model.EQUATIONS + PARAMETERS
        if self._network.gap is not None:
            equations = re.sub(r"\bdrive\b", "(drive + gap)", model.EQUATIONS) + PARAMETERS + GAP
        return brian2.NeuronGroup(
            self.n,
            equations,
            threshold=model.THRESHOLD,
            reset=model.RESET or None,
            refractory="t_refractory",
            method=model.METHOD,
            dt=self._dt,
            namespace=namespace(model),
            codeobj_class=self._code,
        )

    def _receive(self) -> None:
        """Add the background of this step, as the compiled loop does."""
        if self._background.miss.size:
            name = self._network.model.RECEPTORS[self._receptor]
            amount = background_input(self._background, self._now() - self._began + self._step)
            if self._neurons.variables[name].conditional_write is not None:
                amount = amount * self._neurons.variables["not_refractory"].get_value()
            self._neurons.variables[name].get_value()[:] += amount

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, shape (n,), from now on; mV but for what the model says."""
        self._neurons.drive = np.asarray(drive_mv, dtype=np.float64)

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        network = self._network
        self._use(trains(self._seed, neurons, rate_hz, weight_mv, network.dt_ms, self._step - 1, self.n))
        refractory_ms = np.full(self.n, network.model.t_refractory_ms)
        refractory_ms[self._trains.neuron] = t_refractory_ms
        self._neurons.t_refractory = refractory_ms * brian2.ms

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background; see `DenseEngine.background`."""
        self._network.check_receptor(receptor)
        self._background = background(self._seed, self.n, rate_hz, weight, self._network.dt_ms)
        self._receptor = receptor

    def reward(self, amount: float) -> None:
        """Release dopamine at every synapse of a `RewardStdp`; see `DenseEngine.reward`."""
        reward_rows(self._network)
        for wire in (wire for wire in self._wires if wire.plastic):
            change(wire, amount)

    @property
    def synapses(self) -> dict[str, Floats]:
        """Variables of the plastic edges now, each of shape (k,), in the order of `Plastic.edges`."""
        if self._network.plastic is None:
            return {}
        edges = plastic_edges(self._network)
        y = np.asarray(changing(self._wires, self._network, self._step)["plastic.y"], dtype=np.float64)
        return named_synapses(self._network, y[:, np.argsort(edges.edge)])

    def _use(self, made: Trains) -> None:
        self._trains = made
        jump = np.zeros(self.n)
        jump[made.neuron] = made.weight
        self._neurons.jump = jump

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons."""
        when, who = take_events(self._trains, self._step + steps)
        self._began = begin = self._now()
        with quiet():
            self._events.set_spikes(who, (when - self._step + begin) * self._dt)
            before = self._spikes.num_spikes
            self._run.run(steps * self._dt, namespace={})
        times = np.rint(self._spikes.t[before:] / self._dt).astype(np.int32) - begin + self._step
        neurons = np.asarray(self._spikes.i[before:], dtype=np.int32)
        self._step += steps
        order = np.lexsort((neurons, times))
        spikes = times[order].astype(np.int32), neurons[order]
        self._recent = recent(self._recent, spikes, self._step - self._network.longest_delay)
        return spikes

    def _now(self) -> int:
        """Steps since brian2's own start."""
        return round(float(self._run.t / self._dt))

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (n,)."""
        return np.asarray(self._neurons.v_[:], dtype=np.float32)

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies; `DenseEngine` has the same, so that one continues where the other stopped."""
        neurons = self._neurons
        last = np.rint(neurons.lastspike / self._dt) - self._now() + self._step
        refractory = np.maximum(np.rint(neurons.t_refractory / self._dt), 1)
        plastic = {} if self._network.plastic is None else changing(self._wires, self._network, self._step)
        return {
            **plastic,
            **{name: np.array(getattr(neurons, f"{name}_")[:]) for name in variables(self._network.model)},
            "last_spike": np.where(last < 0, NEVER, last).astype(np.int32),
            "refractory": refractory.astype(np.int32),
            "drive": np.array(neurons.drive_[:]),
            "recent": self._recent.copy(),
            "seed": np.array(self._seed, np.uint64),
            "step": np.array(self._step),
            "background.receptor": np.array(self._receptor),
            **{f"trains.{name}": getattr(self._trains, name).copy() for name in TRAIN_FIELDS},
            "background.miss": self._background.miss.copy(),
            "background.weight": self._background.weight.copy(),
        }

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken; in brian2 the clock starts again at zero.

        Raises:
            ValueError: an array is missing or has another shape than this engine's.
        """
        check_state("Brian2Spiking", state, self.state)
        self._seed = int(state["seed"])
        if self._now() > 0:  # brian2's clock and queues cannot be turned back
            self.reset(self._seed)
        self._step, self._recent = int(state["step"]), state["recent"].astype(np.int32)
        made, self._background, self._receptor = stored_input(state, self._seed)
        self._use(made)
        for name in (*variables(self._network.model), "drive"):
            setattr(self._neurons, name, state[name])
        self._neurons.t_refractory = state["refractory"] * self._dt
        self._neurons.lastspike = (state["last_spike"] - self._step) * self._dt
        if self._network.plastic is not None:
            put(self._wires, self._network, state, self._step)
        self._push_recent()

    def _push_recent(self) -> None:
        """Put the spikes that are still on their way into brian2's queues, as if they had just been fired there."""
        longest = self._network.longest_delay
        for step in range(self._step - longest, self._step):
            for queue in (wire.synapses.pre.queue for wire in self._wires):
                queue.push(np.ascontiguousarray(self._recent[1][self._recent[0] == step]))
                queue.advance()
