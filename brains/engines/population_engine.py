"""Runs a `PopulationNetwork`: every sub-step of one call inside one compiled loop, by explicit Euler.

All nodes advance at once from the values of the step before, summed in a fixed order, so that a run is the same bit for
bit however it is cut into calls.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..models import population
from ..population import PopulationNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.uint32]
PopulationState = dict[str, Floats | NDArray[np.int64]]

BLOCK = 500  # steps whose noise is drawn together

sodium = njit(population.sodium)
slope_h = njit(population.slope_h)
output = njit(population.output)


class Nodes(NamedTuple):
    """Parameters of every node, each of shape (n,), as the compiled loop wants them."""

    dt_over_c: Floats
    g_leak: Floats
    e_leak: Floats
    g_syn: Floats
    e_excite: Floats
    e_inhibit: Floats
    v_threshold: Floats
    v_full: Floats
    noise_keep: Floats
    noise_gain: Floats


class Sodium(NamedTuple):
    """Parameters of the nodes that have persistent sodium, each of shape (k,)."""

    node: Places
    g_nap: Floats
    e_na: Floats
    v_m: Floats
    k_m: Floats
    v_h: Floats
    k_h: Floats
    tau_least: Floats
    tau_most: Floats
    v_tau: Floats
    k_tau: Floats


class Synapses(NamedTuple):
    """Synapses of one sign in the order they are summed, each of shape (k,); the weight without its sign."""

    target: Places
    source: Places
    weight: Floats


class Wiring(NamedTuple):
    """Who acts on whom. Places are unsigned, since numba tests every signed one for being negative."""

    inputs: Places  # nodes whose output is what they are driven with
    excitatory: Synapses
    inhibitory: Synapses


class _State(NamedTuple):
    """What changes, each of shape (n,)."""

    voltage: Floats
    h: Floats
    noise: Floats
    output: Floats


@njit
def _refresh(nodes: Nodes, inputs: Places, bias: Floats, s: _State) -> None:
    for i in range(bias.size):
        s.output[i] = output(s.voltage[i], nodes.v_threshold[i], nodes.v_full[i])
    for i in inputs:
        s.output[i] = max(bias[i], 0.0)


@njit
def add(synapses: Synapses, sent: Floats, total: Floats) -> None:
    """Add to the total of every node what its synapses give, (n,)."""
    for k in range(synapses.target.size):
        total[synapses.target[k]] += synapses.weight[k] * sent[synapses.source[k]]


@njit
def _add_sodium(dt: float, na: Sodium, s: _State, current: Floats) -> None:
    for k in range(na.node.size):
        i = na.node[k]
        v, h = s.voltage[i], s.h[i]
        current[i] += sodium(v, h, na.g_nap[k], na.e_na[k], na.v_m[k], na.k_m[k])
        s.h[i] += dt * slope_h(v, h, na.v_h[k], na.k_h[k], na.tau_least[k], na.tau_most[k], na.v_tau[k], na.k_tau[k])


def _compile(model_source: str) -> Callable[..., None]:
    """Build the compiled loop. Its disk cache must know the source of the model, which numba does not track."""

    def run(dt: float, nodes: Nodes, na: Sodium, wiring: Wiring, bias: Floats, kicks: Floats, s: _State) -> None:
        assert model_source  # as a closure variable it is part of the cache key
        n = bias.size
        excited, inhibited, current = np.empty(n), np.empty(n), np.empty(n)
        _refresh(nodes, wiring.inputs, bias, s)
        for step in range(kicks.shape[0]):
            for i in range(n):
                excited[i], inhibited[i] = max(bias[i], 0.0), max(-bias[i], 0.0)
            add(wiring.excitatory, s.output, excited)
            add(wiring.inhibitory, s.output, inhibited)
            for i in range(n):
                v = s.voltage[i]
                synaptic = excited[i] * (v - nodes.e_excite[i]) + inhibited[i] * (v - nodes.e_inhibit[i])
                current[i] = nodes.g_syn[i] * synaptic + nodes.g_leak[i] * (v - nodes.e_leak[i]) + s.noise[i]
            _add_sodium(dt, na, s, current)
            for i in range(n):
                s.voltage[i] -= nodes.dt_over_c[i] * current[i]
                s.noise[i] = nodes.noise_keep[i] * s.noise[i] + nodes.noise_gain[i] * kicks[step, i]
            _refresh(nodes, wiring.inputs, bias, s)
        for i in wiring.inputs:
            s.voltage[i], s.noise[i] = s.output[i], 0.0

    compiled: Callable[..., None] = njit(cache=True)(run)
    return compiled


_run = _compile(hashlib.sha256(inspect.getsource(population).encode()).hexdigest())


class PopulationEngine:
    """Runs one network.

    Noise of step k is drawn from a generator seeded with the seed and the number of its block of `BLOCK` steps, so that
    a checkpoint needs no generator state.
    """

    def __init__(self, network: PopulationNetwork) -> None:
        self._network = network
        self._tonic = network.parameter("tonic")
        self._compiled = compiled_nodes(network), sodium_of(network), compiled_wiring(network)
        zeros = np.zeros(network.n)
        self._state = _State(zeros, zeros.copy(), zeros.copy(), zeros.copy())
        self._noise = Noise(network.n)

    def start(self, rng: np.random.Generator, spread_mv: float) -> PopulationState:
        """A state to start from: voltages about rest, sodium channels inactivated to any degree."""
        rest, n = self._network.parameter("e_leak_mv"), self._network.n
        voltage = np.where(self._network.inputs, 0.0, rest + spread_mv * rng.standard_normal(n))
        return {"voltage": voltage, "h": rng.random(n), "noise": np.zeros(n), "output": np.zeros(n)}

    def run(self, drive: Floats, first: int, steps: int, seed: int) -> Ints:
        """Advance by `steps`, of which the first is number `first` since the reset, under a constant drive.

        Returns:
            Spikes of each population: none.
        """
        bias = self._tonic + drive
        for kicks in self._noise.blocks(seed, first, steps):
            _run(self._network.dt_ms, *self._compiled, bias, kicks, self._state)
        return np.zeros(self._network.n, dtype=np.int64)

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, of inputs their output; shape (n,), a copy."""
        return self._state.voltage.copy()

    @property
    def output(self) -> Floats:
        """Output now, 0 to 1, of inputs 0 and above; shape (n,), a copy."""
        return self._state.output.copy()

    @property
    def state(self) -> PopulationState:
        """Copies of the state variables."""
        return {name: value.copy() for name, value in self._state._asdict().items()}

    def load(self, state: PopulationState) -> None:
        """Continue from a state."""
        for name, value in self._state._asdict().items():
            value[:] = state[name]


class Noise:
    """Standard normal numbers by step and node, the same for one seed however a run is cut into calls."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._key = (-1, -1)
        self._block = np.zeros((BLOCK, n))

    def blocks(self, seed: int, first: int, steps: int) -> list[Floats]:
        """The numbers of `steps` steps from number `first` on, as stretches of shape (up to BLOCK, n)."""
        last, parts = first + steps, []
        for number in range(first // BLOCK, -(-last // BLOCK)):
            if self._key != (seed, number):
                self._key = (seed, number)
                self._block = _normals(seed, number, self._n)
            start = number * BLOCK
            parts.append(self._block[max(first - start, 0) : min(last - start, BLOCK)])
        return parts


def _normals(seed: int, number: int, n: int) -> Floats:
    """The fastest of numpy's generators: at 0.1 ms a step the draws cost as much as the populations."""
    return np.random.Generator(np.random.SFC64([seed, number])).standard_normal((BLOCK, n))


def compiled_nodes(network: PopulationNetwork) -> Nodes:
    """Parameters of every node."""
    dt, get = network.dt_ms, network.parameter
    follow = dt / get("tau_noise_ms")
    return Nodes(
        dt_over_c=dt / get("c_m_pf"),
        g_leak=get("g_leak_ns"),
        e_leak=get("e_leak_mv"),
        g_syn=get("g_syn_ns"),
        e_excite=get("e_excite_mv"),
        e_inhibit=get("e_inhibit_mv"),
        v_threshold=get("v_threshold_mv"),
        v_full=get("v_full_mv"),
        noise_keep=1.0 - follow,
        noise_gain=get("noise_pa") * np.sqrt(2.0 * follow),
    )


def sodium_of(network: PopulationNetwork) -> Sodium:
    """Parameters of the nodes that have persistent sodium."""
    node = np.flatnonzero((network.parameter("g_nap_ns") > 0) & ~network.inputs)
    fast = ("g_nap_ns", "e_na_mv", "v_m_mv", "k_m_mv")
    slow = ("v_h_mv", "k_h_mv", "tau_h_least_ms", "tau_h_most_ms", "v_tau_mv", "k_tau_mv")
    values = (network.parameter(name)[node] for name in fast + slow)
    return Sodium(node.astype(np.uint32), *values)


def compiled_wiring(network: PopulationNetwork) -> Wiring:
    """Synapses on inputs, which a shuffle may make, do nothing."""
    edges = network.weights.tocoo()
    target, source = edges.coords
    kept = ~network.inputs[target]
    parts = [
        Synapses(target[chosen].astype(np.uint32), source[chosen].astype(np.uint32), np.abs(edges.data[chosen]))
        for chosen in (kept & (edges.data > 0), kept & (edges.data < 0))
    ]
    return Wiring(np.flatnonzero(network.inputs).astype(np.uint32), *parts)
