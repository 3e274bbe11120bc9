"""Runs a `PopulationNetwork` with spiking cells in each population in place of its mean.

Every cell has the membrane of its population, with a resting voltage of its own, as the compartment that integrates.
A second, the spike generator, sums `rate_full_hz` times what the population's output would be at that voltage, and
fires and starts again at 1: a perfect integrate-and-fire neuron. A spike does not reset the membrane, so that in the
limit of many equal cells and short synapses the populations are those of `PopulationEngine`. What a population sends is
the trace of its spikes.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtri

from ..models import population
from ..population import PopulationNetwork
from .population_engine import (
    Nodes,
    PopulationState,
    Sodium,
    Wiring,
    add,
    compiled_nodes,
    compiled_wiring,
    output,
    slope_h,
    sodium,
    sodium_of,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of every population; all of it assumed."""

    number: int = 50
    rate_full_hz: float = 200.0  # Hz, of a cell of a population at full output
    tau_ms: float = 5.0  # ms, decay of the trace that a spike leaves
    spread_mv: float = 0.1  # mV, standard deviation of the leak reversal over the cells

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"Cells: number ({self.number}) must be 1 or more")
        for name in ("rate_full_hz", "tau_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Cells: {name} ({getattr(self, name)}) must be above 0")
        if not self.spread_mv >= 0:
            raise ValueError(f"Cells: spread_mv ({self.spread_mv} mV) must be 0 or more")


def _compile(model_source: str) -> Callable[..., None]:
    def run(
        dt: float,
        steps: int,
        nodes: Nodes,
        na: Sodium,
        wiring: Wiring,
        bias: Floats,
        e_leak: Floats,
        advance: float,
        keep: float,
        jump: float,
        voltage: Floats,
        h: Floats,
        phase: Floats,
        sent: Floats,
        spikes: Ints,
    ) -> None:
        assert model_source  # as a closure variable it is part of the cache key
        n, cells = voltage.shape
        excited, inhibited, channels = np.empty(n), np.empty(n), np.full(n, -1)
        for k in range(na.node.size):
            channels[na.node[k]] = k
        given = np.zeros(n, dtype=np.bool_)
        for i in wiring.inputs:
            given[i] = True
            sent[i] = max(bias[i], 0.0)
        for _ in range(steps):
            for i in range(n):
                excited[i], inhibited[i] = max(bias[i], 0.0), max(-bias[i], 0.0)
            add(wiring.excitatory, sent, excited)
            add(wiring.inhibitory, sent, inhibited)
            for i in range(n):
                if given[i]:
                    continue
                fired, k = 0, channels[i]
                conductance = nodes.g_syn[i] * (excited[i] + inhibited[i])
                pull = nodes.g_syn[i] * (excited[i] * nodes.e_excite[i] + inhibited[i] * nodes.e_inhibit[i])
                for j in range(cells):
                    v = voltage[i, j]
                    current = conductance * v - pull + nodes.g_leak[i] * (v - e_leak[i, j])
                    if k >= 0:
                        gate = h[i, j]
                        current += sodium(v, gate, na.g_nap[k], na.e_na[k], na.v_m[k], na.k_m[k])
                        h[i, j] += dt * slope_h(
                            v, gate, na.v_h[k], na.k_h[k], na.tau_least[k], na.tau_most[k], na.v_tau[k], na.k_tau[k]
                        )
                    voltage[i, j] = v - nodes.dt_over_c[i] * current
                    summed = phase[i, j] + advance * output(v, nodes.v_threshold[i], nodes.v_full[i])
                    if summed >= 1.0:
                        summed -= 1.0
                        fired += 1
                    phase[i, j] = summed
                sent[i] = keep * sent[i] + jump * fired
                spikes[i] += fired

    compiled: Callable[..., None] = njit(cache=True)(run)
    return compiled


_run = _compile(hashlib.sha256(inspect.getsource(population).encode()).hexdigest())


class SpikingPopulations:
    """Runs one network; the same methods as `PopulationEngine`.

    Nothing is random but the start.
    """

    def __init__(self, network: PopulationNetwork, cells: Cells) -> None:
        self._network, self._cells = network, cells
        self._tonic = network.parameter("tonic")
        self._compiled = compiled_nodes(network), sodium_of(network), compiled_wiring(network)
        offset = ndtri((np.arange(cells.number) + 0.5) / cells.number)  # normal, the same in every population
        self._e_leak = network.parameter("e_leak_mv")[:, None] + cells.spread_mv * offset
        shape = (network.n, cells.number)
        self._state: dict[str, Floats] = {name: np.zeros(shape) for name in ("voltage", "h", "phase")}
        self._state["output"] = np.zeros(network.n)

    def start(self, rng: np.random.Generator, spread_mv: float) -> PopulationState:
        """A state to start from: voltages about rest, sodium channels as one in all cells, generators at any phase."""
        shape, n = self._e_leak.shape, self._network.n
        voltage = self._e_leak + spread_mv * rng.standard_normal((n, 1))
        h = np.repeat(rng.random((n, 1)), shape[1], axis=1)
        return {"voltage": voltage, "h": h, "phase": rng.random(shape), "output": np.zeros(n)}

    def run(self, drive: Floats, first: int, steps: int, seed: int) -> Ints:
        """Advance by `steps`, of which the first is number `first`; returns the spikes of each population."""
        spikes, dt, cells = np.zeros(self._network.n, dtype=np.int64), self._network.dt_ms, self._cells
        advance, keep = 1e-3 * dt * cells.rate_full_hz, 1.0 - dt / cells.tau_ms
        jump = 1e3 / (cells.tau_ms * cells.rate_full_hz * cells.number)
        bias, arrays = self._tonic + drive, self._state.values()
        _run(dt, steps, *self._compiled, bias, self._e_leak, advance, keep, jump, *arrays, spikes)
        return spikes

    @property
    def voltage(self) -> Floats:
        """Mean voltage of the cells now, mV, of inputs their output; shape (n,)."""
        return np.where(self._network.inputs, self._state["output"], self._state["voltage"].mean(axis=1))

    @property
    def output(self) -> Floats:
        """Trace of the spikes now, about 0 to 1, of inputs 0 and above; shape (n,), a copy."""
        return self._state["output"].copy()

    @property
    def state(self) -> PopulationState:
        """Copies of the state variables: voltage, h and phase (n, cells), output (n,)."""
        return {name: value.copy() for name, value in self._state.items()}

    def load(self, state: PopulationState) -> None:
        """Continue from a state."""
        for name, value in self._state.items():
            value[:] = state[name]
