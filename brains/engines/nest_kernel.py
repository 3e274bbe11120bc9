"""A spiking network in NEST's kernel, stepped from stop to stop.

NEST has one kernel a process, and it takes nothing from outside within a run. The kernel is therefore stopped at the
end of every step at which something must be done by hand: a Poisson train moves a voltage, or a neuron forgets what
reached it while it was refractory.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..spiking import SpikingNetwork
from .dense_engine import NEVER
from .nest_import import nest
from .nest_models import Counterpart, nest_weights
from .poisson_trains import Trains, take_events, trains

Shorts = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

KEPT = 2_000  # spikes in NEST's recorder, which is read as a whole, until it is emptied
SEEDS = 2**32 - 1  # NEST takes seeds of 1 to this


class NestKernel:
    """NEST's kernel with one network in it; making one throws out what the kernel held before.

    Args:
        network: what to run.
        made: NEST's model of its neurons.
        seed: of NEST's own generators, which make the background.
        threads: of NEST.
        background: whether there will ever be any, which makes NEST exchange spikes at every step.
    """

    current: ClassVar[NestKernel | None] = None

    def __init__(self, network: SpikingNetwork, made: Counterpart, seed: int, threads: int, background: bool) -> None:
        NestKernel.current = self
        self.network, self.takes_background, self.step = network, background, 0
        self._made, self._nest = made, nest()
        self._trains = trains(seed)
        self._sources: Any = None  # of the background
        self._last = np.full(network.n, NEVER, np.int64)
        self._due: dict[int, Ints] = {}
        nest().ResetKernel()
        nest().set(resolution=network.dt_ms, local_num_threads=threads, rng_seed=1 + seed % SEEDS)
        if background:
            nest().set(min_delay=network.dt_ms, max_delay=max(network.longest_delay, 1) * network.dt_ms)
        self._neurons = nest().Create(made.name, network.n, made.parameters)
        self._connect()
        self._recorder = nest().Create("spike_recorder", params={"time_in_steps": True})
        nest().Connect(self._neurons, self._recorder, syn_spec={"delay": network.dt_ms * self._shortest()})
        self._read_until = 0
        nest().Prepare()
        self.refractory(np.full(network.n, round(network.model.t_refractory_ms / network.dt_ms)))

    def _shortest(self) -> int:
        """Steps of the shortest delay in the network."""
        steps = self.network.delay_steps
        return self.network.longest_delay if steps is None or not steps.size else int(steps.min())

    def _connect(self) -> None:
        net = self.network
        if not net.edges:
            return
        steps = np.full(net.edges, net.longest_delay) if net.delay_steps is None else net.delay_steps
        self._nest.Connect(
            np.repeat(np.arange(1, net.n + 1), np.diff(net.start)),  # a fresh kernel counts its nodes from 1
            net.target.astype(np.int64) + 1,
            "one_to_one",
            {
                "synapse_model": "static_synapse",
                "weight": nest_weights(net.model, net.weight, net.edge_receptors),
                "delay": steps * net.dt_ms,
            },
        )

    def refractory(self, steps: Ints) -> None:
        """Set the refractory period of every neuron in steps as ours count them, shape (n,)."""
        self._refractory = np.maximum(steps, 1)
        self._ahead = int(self._refractory.min()) if self._made.forgets else 1 << 30
        if self._made.refracts:
            self._nest.Cleanup()  # NEST counts the steps of t_ref when it prepares
            self._neurons.set({"t_ref": ((self._refractory - 1) * self.network.dt_ms).tolist()})
            self._nest.Prepare()

    def drive(self, neurons: Ints, drive: Floats) -> None:
        """Set the constant drive of some neurons."""
        self._neurons[neurons.tolist()].set({"I_e": (drive * self._made.current).tolist()})

    def trains(self, made: Trains) -> None:
        """Replace all Poisson trains."""
        self._trains = made

    def background(self, rate_hz: Floats, weight: Floats, receptor: int) -> None:
        """Replace the background, both of shape (n,); it begins one step later, for NEST has no shorter delay."""
        self._nest.Cleanup()
        if self._sources is not None:
            self._sources.set({"stop": self.step * self.network.dt_ms})
        rates, source = np.unique(rate_hz, return_inverse=True)
        self._sources = self._nest.Create("poisson_generator", rates.size, {"rate": rates.tolist()})
        first = int(np.min(self._sources.global_id))
        self._nest.Connect(
            first + source,
            np.arange(1, self.network.n + 1),
            "one_to_one",
            {
                "weight": nest_weights(self.network.model, weight, np.full(weight.shape, receptor)),
                "delay": np.full(weight.shape, self.network.dt_ms),
            },
        )
        self._nest.Prepare()

    def run(self, end: int) -> tuple[Shorts, Shorts]:
        """Advance to a step; returns the step and the neuron of every spike, in the order of steps and of neurons."""
        when, who = take_events(self._trains, end)
        edge = np.flatnonzero(np.diff(when, prepend=-1, append=-1))  # places where another step begins
        jumps = {int(when[a]): who[a:b] for a, b in pairwise(edge)}
        found = [np.zeros((2, 0), np.int32)]
        for stop in [*(step + 1 for step in jumps), end]:
            while self.step < stop:
                found.append(self._advance(stop))
            if stop - 1 in jumps:
                self._jump(jumps.pop(stop - 1), stop - 1)
        steps, neurons = np.concatenate(found, axis=1)
        return steps, neurons

    def _advance(self, stop: int) -> Shorts:
        """Run to a step or to the first before it at which neurons forget; returns the spikes."""
        until = min(stop, self.step + self._ahead, min(self._due, default=stop) + 1)
        self._nest.Run((until - self.step) * self.network.dt_ms)
        self.step = until
        spikes = self._read()
        if self._made.forgets:
            ends = spikes[0] + self._refractory[spikes[1]] - 1
            for step in np.unique(ends):
                self._due[int(step)] = np.append(
                    self._due.get(int(step), np.zeros(0, np.int64)), spikes[1][ends == step]
                )
            if until - 1 in self._due:
                forgetting = np.unique(self._due.pop(until - 1)).tolist()
                self._neurons[forgetting].set(dict.fromkeys(self._made.forgets, 0.0))
        return spikes

    def _read(self) -> Shorts:
        """The spikes since the last reading, shape (2, spikes): their steps, their neurons."""
        events = self._recorder.get("events")
        times, senders = (np.asarray(events[name], dtype=np.int64) for name in ("times", "senders"))
        new = times > self._read_until
        steps, neurons = times[new] - 1, senders[new] - 1  # NEST stamps a spike at the end of its step
        self._read_until = self.step
        if times.size > KEPT:
            self._nest.Cleanup()
            self._recorder.n_events = 0
            self._nest.Prepare()
        self._last[neurons] = steps
        order = np.lexsort((neurons, steps))
        return np.stack([steps[order], neurons[order]]).astype(np.int32)

    def _jump(self, neurons: Shorts, step: int) -> None:
        """Add the events of trains at the end of a step to the voltages; who stands still or is reset loses them."""
        if self.network.model.RESET:
            neurons = neurons[step - self._last[neurons] >= self._refractory[neurons]]
        if not neurons.size:
            return
        nodes = self._neurons[neurons.tolist()]
        weight = self._trains.weight[np.searchsorted(self._trains.neuron, neurons)]
        nodes.set({"V_m": (np.atleast_1d(nodes.get("V_m")) + weight).tolist()})

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, shape (n,)."""
        return np.array(np.atleast_1d(self._neurons.get("V_m")), dtype=np.float64)
