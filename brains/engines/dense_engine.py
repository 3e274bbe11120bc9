"""The engine of any spiking model: every neuron at every step, edges with delays and receptors of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models.plasticity_rule import plastic_variables
from ..models.spiking_model import held, resting_state, variables
from ..spiking import SpikingNetwork
from .dense_loop import Edges, Machine, compiled, send_again
from .gap_loop import couplings
from .plastic_loop import plastic_edges, remember
from .poisson_background import Background, background
from .poisson_trains import Trains, trains

Shorts = NDArray[np.int32]
Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
SpikingState = dict[str, NDArray[np.generic]]

NEVER = -(1 << 30)  # step of the last spike of a neuron that had none
LAST_STEP = 2**31 - 2**16  # steps are 32-bit numbers
TRAIN_FIELDS = tuple(name for name in Trains._fields if name not in ("seed", "soon"))


class DenseEngine:
    """Runs one `SpikingNetwork` of any registered model; the same contract as `EventEngine`.

    Args:
        network: what to run.
        seed: of all Poisson input.
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0) -> None:
        self._network = network
        self._compiled = compiled(type(network.model), type(network.plastic.rule) if network.plastic else None)
        self._constants = network.model.constants(network.dt_ms)
        self._refractory = round(network.model.t_refractory_ms / network.dt_ms)
        self._edges = _edges(network)
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains, no background."""
        network = self._network
        model, n = network.model, network.n
        receptors, slots = len(model.RECEPTORS), network.longest_delay + 1
        rows = [variables(model).index(name) for name in model.RECEPTORS]
        self._seed, self._step = seed, 0
        self._recent = np.zeros((2, 0), np.int32)
        drive = np.zeros(n)
        self._m = Machine(
            x=resting_state(model, n),
            last=np.full(n, NEVER, np.int32),
            refractory=np.full(n, max(self._refractory, 1), np.int32),
            drive=drive,
            felt=drive if network.gap is None else np.zeros(n),
            gap=couplings(network),
            arriving=np.zeros((receptors, slots, n)),
            busy=np.zeros((receptors, slots), np.bool_),
            row=np.array(rows, np.int64),
            lost=np.array([name in held(model) for name in model.RECEPTORS]),
            v_lost="v" in held(model),
            edges=self._edges,
            trains=trains(seed),
            background=background(seed, n),
            background_receptor=0,
            plastic=plastic_edges(network),
        )

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, shape (n,), from now on; mV but for what the model says."""
        self._m.drive[:] = np.asarray(drive_mv, dtype=np.float64)

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        network = self._network
        made = trains(self._seed, neurons, rate_hz, weight_mv, network.dt_ms, self._step - 1, network.n)
        self._m.refractory[:] = max(self._refractory, 1)
        self._m.refractory[made.neuron] = max(round(t_refractory_ms / network.dt_ms), 1)
        self._m = self._m._replace(trains=made)

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background: Poisson input of any rate to every neuron.

        Args:
            rate_hz: Hz, shape () or (n,).
            weight: of an event, in the unit of the model's weights, shape () or (n,).
            receptor: which one it reaches.

        Raises:
            ValueError: a rate, a weight or a receptor that cannot be.
        """
        network = self._network
        network.check_receptor(receptor)
        made = background(self._seed, network.n, rate_hz, weight, network.dt_ms)
        self._m = self._m._replace(background=made, background_receptor=receptor)

    def reward(self, amount: float) -> None:
        """Release dopamine at every synapse of a `RewardStdp`.

        Raises:
            ValueError: the network has no such synapses.
        """
        names = reward_rows(self._network)
        plastic = self._m.plastic
        self._compiled.bring_all(plastic, self._step)
        plastic.y[names["change"]] += plastic.y[names["mark"]] * amount
        plastic.y[names["dopamine"]] += amount

    @property
    def synapses(self) -> dict[str, Floats]:
        """Variables of the plastic edges now, each of shape (k,), in the order of `Plastic.edges`."""
        plastic = self._m.plastic._replace(y=self._m.plastic.y.copy(), updated=self._m.plastic.updated.copy())
        self._compiled.bring_all(plastic, self._step)
        return named_synapses(self._network, plastic.y[:, np.argsort(plastic.edge)])

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons.

        Raises:
            OverflowError: the network would run past `LAST_STEP`.
        """
        if self._step + steps > LAST_STEP:
            raise OverflowError(f"DenseEngine: cannot run past step {LAST_STEP}; reset the brain")
        spikes = self._compiled.run(self._m, self._constants, self._step, self._step + steps)
        self._step += steps
        self._recent = recent(self._recent, spikes, self._step - self._network.longest_delay)
        return spikes

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (n,)."""
        return np.asarray(self._m.x[0], dtype=np.float32)

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies; `Brian2Spiking` has the same, so that one continues where the other stopped."""
        return {name: value.copy() for name, value in self._changing().items()} | {
            "recent": self._recent.copy(),
            "seed": np.array(self._seed, np.uint64),
            "step": np.array(self._step),
            "background.receptor": np.array(self._m.background_receptor),
            **{f"trains.{name}": getattr(self._m.trains, name).copy() for name in TRAIN_FIELDS},
            "background.miss": self._m.background.miss.copy(),
            "background.weight": self._m.background.weight.copy(),
        }

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken, by an engine of the same network.

        Raises:
            ValueError: an array is missing or has another shape than this engine's.
        """
        check_state("DenseEngine", state, self.state)
        self._seed, self._step = int(state["seed"]), int(state["step"])
        self._recent = state["recent"].astype(np.int32)
        made, outside, receptor = stored_input(state, self._seed)
        self._m = self._m._replace(trains=made, background=outside, background_receptor=receptor)
        for name, value in self._changing().items():
            value[...] = state[name]
        send_again(self._m, self._recent[0], self._recent[1], self._step)
        if self._m.plastic.edge.size:
            remember(self._m.plastic, self._recent[0], self._recent[1])

    def _changing(self) -> dict[str, NDArray[np.generic]]:
        """The arrays of fixed shape that a checkpoint holds, themselves."""
        rows: dict[str, NDArray[np.generic]] = dict(zip(variables(self._network.model), self._m.x, strict=True))
        rows |= {"last_spike": self._m.last, "refractory": self._m.refractory, "drive": self._m.drive}
        plastic = self._m.plastic
        return rows | ({"plastic.y": plastic.y, "plastic.updated": plastic.updated} if plastic.edge.size else {})


def _edges(network: SpikingNetwork) -> Edges:
    model = network.model
    uniform = np.array([network.longest_delay], np.uint8 if network.longest_delay < 256 else np.int16)
    delay: NDArray[Any] = uniform if network.delay_steps is None else network.delay_steps
    receptor = np.zeros(1) if network.receptor is None else network.receptor
    weight = network.weight
    if network.plastic is not None:  # the static loop sends nothing through them
        weight = weight.copy()
        weight[network.plastic.edges] = 0.0
    return Edges(
        start=network.start,
        target=network.target,
        weight=weight,
        delay=delay,
        receptor=receptor.astype(np.uint8, copy=False),
        each_delay=int(network.delay_steps is not None),
        each_receptor=int(network.receptor is not None),
        by_sign=network.receptor is None and len(model.RECEPTORS) > 1,
        unsigned=model.UNSIGNED,
    )


def named_synapses(network: SpikingNetwork, y: Floats) -> dict[str, Floats]:
    """Rows of the variables of plastic edges by their names."""
    names = () if network.plastic is None else plastic_variables(network.plastic.rule)
    return dict(zip(names, y, strict=False))


def reward_rows(network: SpikingNetwork) -> dict[str, int]:
    """Rows of what a reward changes; raises where the network has nothing that dopamine acts on."""
    names = () if network.plastic is None else plastic_variables(network.plastic.rule)
    if "dopamine" not in names:
        raise ValueError("reward: the network has no synapses of a rule with dopamine, see RewardStdp")
    return {name: names.index(name) for name in ("change", "mark", "dopamine")}


def recent(before: Shorts, spikes: tuple[Shorts, Shorts], since: int) -> Shorts:
    """The spikes from a step on, shape (2, spikes): their steps, their neurons."""
    both = np.concatenate([before, np.stack(spikes)], axis=1)
    return np.asarray(both[:, np.searchsorted(both[0], since) :], dtype=np.int32)


def stored_input(state: SpikingState, seed: int) -> tuple[Trains, Background, int]:
    """The Poisson input of a checkpoint."""
    stored = {name: state[f"trains.{name}"].copy() for name in TRAIN_FIELDS}
    made = Trains(**stored, seed=np.uint64(seed), soon=np.zeros_like(stored["neuron"]))  # type: ignore[arg-type]
    outside = background(seed, 0)._replace(
        miss=np.array(state["background.miss"], np.float64), weight=np.array(state["background.weight"], np.float64)
    )
    return made, outside, int(state["background.receptor"])


def check_state(who: str, state: SpikingState, own: SpikingState) -> None:
    """Refuse a state that lacks an array or is of another network."""
    for name, value in own.items():
        if name not in state:
            raise ValueError(f"{who}.load: no {name!r} in the state")
        free = name == "recent" or name.startswith(("trains.", "background."))
        if not free and np.shape(state[name]) != value.shape:
            raise ValueError(f"{who}.load: {name!r} must have shape {value.shape}, got {np.shape(state[name])}")
