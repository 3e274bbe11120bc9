"""SpikingBrain: a spiking network with its state, run by the engine that suits its model."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .brain import checked_drive, whole_steps
from .spiking import SpikingNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
SpikingState = dict[str, NDArray[np.generic]]

ENGINES = {  # name -> module in `engines` and class; none is imported before it is asked for
    "event": ("event_engine", "EventEngine"),
    "dense": ("dense_engine", "DenseEngine"),
    "brian2": ("brian2_spiking", "Brian2Spiking"),
    "nest": ("nest_engine", "NestEngine"),
    "jax": ("jax_engine", "JaxEngine"),
}
THREADED = ("event", "nest")


class SpikingEngine(Protocol):
    """What runs a `SpikingNetwork`."""

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no Poisson input."""

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, mV, shape (n,), from now on."""

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons."""

    @property
    def voltage(self) -> NDArray[np.float32]:
        """Voltage now, mV, shape (n,)."""

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies."""

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken."""


def spiking_engine(network: SpikingNetwork, name: str, seed: int, threads: int, form: str) -> SpikingEngine:
    """The engine of a name, or with "auto" the one that suits the network; each is imported when it is asked for.

    Raises:
        ValueError: an unknown name, a network that the engine cannot run, or threads for one that has none.
        ModuleNotFoundError: an engine that is not installed, with what installs it.
    """
    if name == "auto":
        name = "event" if network.event_driven else "dense"
    if name not in ENGINES:
        raise ValueError(f"SpikingBrain: engine must be one of auto, {', '.join(ENGINES)}, got {name!r}")
    if threads != 1 and name not in THREADED:
        raise ValueError(f"SpikingBrain: only engines {' and '.join(THREADED)} have threads, got {threads} for {name}")
    options: dict[str, Any] = {"threads": threads} if name in THREADED else {}
    if name == "event":
        options["form"] = form
    module, kind = ENGINES[name]
    engine: SpikingEngine = getattr(import_module(f".engines.{module}", __package__), kind)(network, seed, **options)
    return engine


class SpikingActivity:
    """What the neurons did during one `SpikingBrain.step`; arrays over all neurons are made when they are asked for.

    Attributes:
        steps: when, counted in steps since the reset, shape (spikes,), ascending.
        neurons: who, shape (spikes,), ascending within a step.
    """

    def __init__(self, steps: NDArray[np.int32], neurons: NDArray[np.int32], engine: SpikingEngine, n: int) -> None:
        self.steps, self.neurons = steps, neurons
        self._engine, self._n = engine, n

    @classmethod
    def joined(cls, parts: Sequence["SpikingActivity"]) -> "SpikingActivity":
        """Those of steps that followed each other, as one."""
        steps, neurons = (np.concatenate([getattr(part, name) for part in parts]) for name in ("steps", "neurons"))
        return cls(steps, neurons, parts[-1]._engine, parts[-1]._n)

    @cached_property
    def spikes(self) -> Ints:
        """Spikes of each neuron within the step, shape (n,)."""
        return np.bincount(self.neurons, minlength=self._n).astype(np.int64)

    @cached_property
    def voltage(self) -> Floats:
        """Voltage now, mV, shape (n,); ask before the next step."""
        return self._engine.voltage.astype(np.float64)


class SpikingBrain:
    """A spiking network and its state.

    Nothing is random but its Poisson input; one seed gives one result bit for bit, whatever the number of threads and
    the length of the steps.

    Args:
        network: what to run.
        seed: of the Poisson input.
        threads: how many to use; one but for the event-driven engine and "nest".
        form: "auto", "lazy" or "dense", see `EventEngine`.
        engine: "event" (`LifExp` with one delay for all and no gap junctions), "dense" (every model), "brian2" (the
            slow reference), "nest" (the optional simulator, see `NestEngine`), "jax" (on a GPU, with the extra `gpu`),
            or "auto": the first of them that can run the network.
    """

    def __init__(
        self, network: SpikingNetwork, seed: int = 0, threads: int = 1, form: str = "auto", engine: str = "auto"
    ) -> None:
        self.network = network
        self.seed = seed
        self._engine = spiking_engine(network, engine, seed, threads, form)
        self._step_count = 0

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.network.n

    @property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in the order of every array; their numbers where the network has no names."""
        return self.network.names or tuple(map(str, range(self.n)))

    @property
    def dt_ms(self) -> float:
        """Step of the network, ms."""
        return self.network.dt_ms

    @property
    def time_s(self) -> float:
        """Simulated time since the reset, s."""
        return self._step_count * self.dt_ms * 1e-3

    def reset(self, seed: int | None = None) -> None:
        """Start again at rest, without trains and drive; `seed` replaces the seed, None keeps the one before."""
        self.seed = self.seed if seed is None else seed
        self._engine.reset(self.seed)
        self._step_count = 0

    def poisson(
        self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike = 68.75, t_refractory_ms: float = 0.0
    ) -> None:
        """Give neurons Poisson trains of their own, straight onto the voltage, in place of those they had.

        The defaults are how Shiu et al. 2024 activate neurons: 250 synapses of 0.275 mV, without refractory period.

        Args:
            neurons: indices, each once, shape (k,).
            rate_hz: Hz, shape () or (k,).
            weight_mv: jump at each event, mV, shape () or (k,).
            t_refractory_ms: refractory period of these neurons while they have a train, ms.

        Raises:
            ValueError: an index, a rate or a weight that cannot be, with its value.
        """
        self._engine.poisson(neurons, rate_hz, weight_mv, t_refractory_ms)

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Give every neuron Poisson input of any rate through one of its receptors, in place of what it had.

        Args:
            rate_hz: Hz, shape () or (n,).
            weight: of an event, in the unit of the model's weights, shape () or (n,).
            receptor: place in the model's `RECEPTORS`.

        Raises:
            ValueError: a value that cannot be, or the event-driven engine, which has no background.
        """
        give = getattr(self._engine, "background", None)
        if give is None:
            raise ValueError("SpikingBrain: the event-driven engine has no background; ask for engine='dense'")
        give(rate_hz, weight, receptor)

    def reward(self, amount: float) -> None:
        """Release dopamine at every synapse that learns by `RewardStdp`, on top of what is left there.

        Raises:
            ValueError: the network has no such synapses.
        """
        give = getattr(self._engine, "reward", None)
        if give is None:
            raise ValueError("SpikingBrain: the network has no synapses of a rule with dopamine, see RewardStdp")
        give(amount)

    @property
    def synapses(self) -> dict[str, Floats]:
        """Variables of the plastic edges now, each of shape (k,), in the order of `network.plastic.edges`."""
        return dict(getattr(self._engine, "synapses", {}))

    def step(self, drive: ArrayLike | None, duration_s: float) -> SpikingActivity:
        """Advance under a constant drive.

        Args:
            drive: depolarisation of each neuron, mV but for what the model says, shape (n,); None leaves it as it was.
            duration_s: a whole number of `dt_ms`, s.

        Raises:
            ValueError: a drive of the wrong shape or not finite, or a duration that is no whole number of steps.
        """
        count = whole_steps(duration_s, self.dt_ms)
        if drive is not None:
            self._engine.drive(checked_drive(self.names, drive))
        steps, neurons = self._engine.run(count)
        self._step_count += count
        return SpikingActivity(steps, neurons, self._engine, self.n)

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies, for an exact checkpoint."""
        return self._engine.state

    def restore(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken.

        Raises:
            ValueError: an array is missing or of another network or number of threads.
        """
        self._engine.load(state)
        self.seed, self._step_count = int(state["seed"]), int(state["step"])
