"""The NEST engine: the network in NEST's own models, for comparison with the standard simulator of the field.

It is the optional extra `nest` (NEST is GPL). What is exact and what is only close is in `nest_models`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..spiking import SpikingNetwork
from .dense_engine import LAST_STEP
from .nest_import import nest
from .nest_kernel import NestKernel
from .nest_models import counterpart, nest_weights
from .poisson_background import background
from .poisson_trains import trains

Shorts = NDArray[np.int32]
Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
SpikingState = dict[str, NDArray[np.generic]]

KINDS = ("drive", "poisson", "background")


class Entry(NamedTuple):
    """What was given to the network, and before which step."""

    step: int
    kind: str  # one of KINDS
    values: Floats  # all arguments, one behind the other


class NestEngine:
    """Runs one `SpikingNetwork`; the same contract as `DenseEngine`, without plasticity and gap junctions.

    NEST lets nobody read its spikes in flight, refractory counts and solver steps, so a checkpoint holds the seed and
    all that was given to the network since the reset, and loading it runs the network again from there: exact, but as
    long as the first run. The same happens where two engines take turns, for NEST has one kernel a process, and when
    background is first given after a run has begun. A simulation of the user's own in the same process is lost.

    Poisson trains are those of the other engines, event by event; background is NEST's own and agrees in its
    statistics. One seed and number of threads give one result bit for bit, whatever the length of the runs.

    Args:
        network: what to run.
        seed: of all Poisson input.
        threads: OpenMP threads of NEST.

    Raises:
        ModuleNotFoundError: NEST is not installed.
        ValueError: a network that NEST cannot run.
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0, threads: int = 1) -> None:
        self._made = counterpart(network.model)
        if network.plastic is not None:
            raise ValueError(
                f"NestEngine: runs no plastic edges, got {network.plastic.edges.size} of"
                f" {type(network.plastic.rule).__name__}; engine='dense' does"
            )
        if network.gap is not None:
            raise ValueError(
                f"NestEngine: runs no gap junctions, got {network.gap.pre.size} of them; engine='dense' does"
            )
        if threads < 1:
            raise ValueError(f"NestEngine: threads must be 1 or more, got {threads}")
        nest_weights(network.model, network.weight, network.edge_receptors)
        self._network, self._threads = network, threads
        self._check_refractory(network.model.t_refractory_ms)
        nest()
        self.reset(seed)

    def _check_refractory(self, t_refractory_ms: float) -> None:
        if not self._made.refracts and round(t_refractory_ms / self._network.dt_ms) > 1:
            raise ValueError(
                f"NestEngine: NEST's {self._made.name} has no refractory period, got {t_refractory_ms} ms;"
                f" one step ({self._network.dt_ms} ms) or less is none"
            )

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains, no background."""
        self._seed, self._step = seed, 0
        self._log: list[Entry] = []
        self._drive = np.zeros(self._network.n)
        self._kernel: NestKernel | None = None

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, shape (n,), from now on; mV but for what the model says."""
        drive = np.broadcast_to(np.asarray(drive_mv, dtype=np.float64), self._drive.shape)
        changed = np.flatnonzero(drive != self._drive)
        if changed.size:
            self._drive = drive.copy()
            self._give("drive", changed, drive[changed])

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        network = self._network
        trains(self._seed, neurons, rate_hz, weight_mv, network.dt_ms, self._step - 1, network.n)
        self._check_refractory(t_refractory_ms)
        where = np.asarray(neurons, dtype=np.int64).reshape(-1)
        rows = [np.broadcast_to(np.asarray(x, dtype=np.float64), where.shape) for x in (rate_hz, weight_mv)]
        self._give("poisson", where, *rows, [t_refractory_ms])

    def background(self, rate_hz: ArrayLike, weight: ArrayLike, receptor: int = 0) -> None:
        """Replace the background, one step late; see `DenseEngine.background`."""
        network = self._network
        network.check_receptor(receptor)
        background(self._seed, network.n, rate_hz, weight, network.dt_ms)
        nest_weights(network.model, weight, np.full(np.shape(weight), receptor))
        rows = [np.broadcast_to(np.asarray(x, dtype=np.float64), (network.n,)) for x in (rate_hz, weight)]
        self._give("background", *rows, [receptor])

    def _give(self, kind: str, *values: ArrayLike) -> None:
        """Note what is given to the network, and give it at once where the network stands in the kernel."""
        parts = [np.asarray(part, dtype=np.float64) for part in values]
        self._log.append(Entry(self._step, kind, np.concatenate(parts)))
        kernel = self._kernel
        if kernel is NestKernel.current and kernel is not None and (kernel.takes_background or kind != "background"):
            self._apply(kernel, self._log[-1])
        else:
            self._kernel = None

    def _apply(self, kernel: NestKernel, entry: Entry) -> None:
        network, values = self._network, entry.values
        if entry.kind == "drive":
            changed, drive = values.reshape(2, -1)
            kernel.drive(changed.astype(np.int64), drive)
        elif entry.kind == "poisson":
            neurons, rate, weight = values[:-1].reshape(3, -1)
            made = trains(self._seed, neurons, rate, weight, network.dt_ms, entry.step - 1, network.n)
            periods = np.full(network.n, network.model.t_refractory_ms)
            periods[made.neuron] = values[-1]
            kernel.refractory(np.rint(periods / network.dt_ms).astype(np.int64))
            kernel.trains(made)
        else:
            rate, weight = values[:-1].reshape(2, -1)
            kernel.background(rate, weight, int(values[-1]))

    def _standing(self) -> NestKernel:
        """The network in the kernel at the step where it is, run there again if it was thrown out."""
        if self._kernel is None or self._kernel is not NestKernel.current:
            takes_background = any(entry.kind == "background" for entry in self._log)
            self._kernel = NestKernel(self._network, self._made, self._seed, self._threads, takes_background)
            for entry in self._log:
                self._kernel.run(entry.step)
                self._apply(self._kernel, entry)
            self._kernel.run(self._step)
        return self._kernel

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons.

        Raises:
            OverflowError: the network would run past `LAST_STEP`.
        """
        if self._step + steps > LAST_STEP:
            raise OverflowError(f"NestEngine: cannot run past step {LAST_STEP}; reset the brain")
        spikes = self._standing().run(self._step + steps)
        self._step += steps
        return spikes

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (n,)."""
        return self._standing().voltage.astype(np.float32)

    @property
    def state(self) -> SpikingState:
        """All that was given to the network since the reset; no other engine can continue from it."""
        return {
            "log.step": np.array([entry.step for entry in self._log], np.int64),
            "log.kind": np.array([KINDS.index(entry.kind) for entry in self._log], np.int8),
            "log.end": np.cumsum([entry.values.size for entry in self._log], dtype=np.int64),
            "log.values": np.concatenate([np.zeros(0), *(entry.values for entry in self._log)]),
            "neurons": np.array(self._network.n),
            "seed": np.array(self._seed, np.uint64),
            "step": np.array(self._step),
        }

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken, by an engine of the same network and number of threads.

        Takes as long as the run that it repeats, when the engine is next asked for anything.

        Raises:
            ValueError: the state of another engine or network.
        """
        missing = [name for name in self.state if name not in state]
        if missing:
            raise ValueError(f"NestEngine.load: no {missing[0]!r} in the state; NEST continues only what it has run")
        if int(state["neurons"]) != self._network.n:
            raise ValueError(f"NestEngine.load: the state is of {state['neurons']} neurons, not of {self._network.n}")
        self.reset(int(state["seed"]))
        self._step = int(state["step"])
        parts = np.split(np.asarray(state["log.values"], np.float64), state["log.end"].astype(np.int64))
        for step, kind, values in zip(state["log.step"], state["log.kind"], parts, strict=False):
            self._log.append(Entry(int(step), KINDS[int(kind)], values))
            if self._log[-1].kind == "drive":
                changed, drive = values.reshape(2, -1)
                self._drive[changed.astype(np.int64)] = drive
