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
from scipy.sparse import csr_array

from ..models import population
from ..population import PopulationNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PopulationState = dict[str, NDArray[np.float64] | NDArray[np.int64]]

BLOCK = 100  # steps whose noise is drawn together

_sodium = njit(population.sodium)
_slope_h = njit(population.slope_h)
_output = njit(population.output)


class _Nodes(NamedTuple):
    """Parameters as the compiled loop wants them, each of shape (n,)."""

    inputs: NDArray[np.bool_]
    dt_over_c: Floats
    g_leak: Floats
    e_leak: Floats
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
    g_syn: Floats
    e_excite: Floats
    e_inhibit: Floats
    v_threshold: Floats
    v_full: Floats
    noise_keep: Floats
    noise_gain: Floats


class _Synapses(NamedTuple):
    """Rows of inputs, excitatory and inhibitory apart."""

    start_e: Ints
    source_e: Ints
    weight_e: Floats
    start_i: Ints
    source_i: Ints
    weight_i: Floats


class _State(NamedTuple):
    """What changes, each of shape (n,)."""

    voltage: Floats
    h: Floats
    noise: Floats
    output: Floats


@njit
def _refresh(nodes: _Nodes, bias: Floats, s: _State) -> None:
    for i in range(bias.size):
        if nodes.inputs[i]:
            s.voltage[i] = s.output[i] = max(bias[i], 0.0)
        else:
            s.output[i] = _output(s.voltage[i], nodes.v_threshold[i], nodes.v_full[i])


def _compile(model_source: str) -> Callable[..., None]:
    """Build the compiled loop. Its disk cache must know the source of the model, which numba does not track."""

    def run(dt: float, nodes: _Nodes, syn: _Synapses, bias: Floats, kicks: Floats, s: _State) -> None:
        assert model_source  # as a closure variable it is part of the cache key
        n = bias.size
        for step in range(kicks.shape[0]):
            _refresh(nodes, bias, s)
            for i in range(n):
                if nodes.inputs[i]:
                    continue
                excitation, inhibition = max(bias[i], 0.0), max(-bias[i], 0.0)
                for k in range(syn.start_e[i], syn.start_e[i + 1]):
                    excitation += syn.weight_e[k] * s.output[syn.source_e[k]]
                for k in range(syn.start_i[i], syn.start_i[i + 1]):
                    inhibition += syn.weight_i[k] * s.output[syn.source_i[k]]
                v, h = s.voltage[i], s.h[i]
                current = excitation * (v - nodes.e_excite[i]) + inhibition * (v - nodes.e_inhibit[i])
                current = nodes.g_syn[i] * current + nodes.g_leak[i] * (v - nodes.e_leak[i]) + s.noise[i]
                if nodes.g_nap[i] > 0.0:
                    current += _sodium(v, h, nodes.g_nap[i], nodes.e_na[i], nodes.v_m[i], nodes.k_m[i])
                    s.h[i] += dt * _slope_h(
                        v,
                        h,
                        nodes.v_h[i],
                        nodes.k_h[i],
                        nodes.tau_least[i],
                        nodes.tau_most[i],
                        nodes.v_tau[i],
                        nodes.k_tau[i],
                    )
                s.voltage[i] = v - nodes.dt_over_c[i] * current
                s.noise[i] = nodes.noise_keep[i] * s.noise[i] + nodes.noise_gain[i] * kicks[step, i]
        _refresh(nodes, bias, s)

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
        self._nodes = _nodes(network)
        self._synapses = _synapses(network)
        zeros = np.zeros(network.n)
        self._state = _State(zeros, zeros.copy(), zeros.copy(), zeros.copy())
        self._noise = Noise(network.n)

    def run(self, drive: Floats, first: int, steps: int, seed: int) -> None:
        """Advance by `steps`, of which the first is number `first` since the reset, under a constant drive."""
        bias = self._tonic + drive
        for kicks in self._noise.blocks(seed, first, steps):
            _run(self._network.dt_ms, self._nodes, self._synapses, bias, kicks, self._state)

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
                self._block = np.random.default_rng([seed, number]).standard_normal((BLOCK, self._n))
            start = number * BLOCK
            parts.append(self._block[max(first - start, 0) : min(last - start, BLOCK)])
        return parts


def _nodes(network: PopulationNetwork) -> _Nodes:
    dt, get = network.dt_ms, network.parameter
    follow = dt / get("tau_noise_ms")
    return _Nodes(
        inputs=np.array(network.inputs),
        dt_over_c=dt / get("c_m_pf"),
        g_leak=get("g_leak_ns"),
        e_leak=get("e_leak_mv"),
        g_nap=get("g_nap_ns"),
        e_na=get("e_na_mv"),
        v_m=get("v_m_mv"),
        k_m=get("k_m_mv"),
        v_h=get("v_h_mv"),
        k_h=get("k_h_mv"),
        tau_least=get("tau_h_least_ms"),
        tau_most=get("tau_h_most_ms"),
        v_tau=get("v_tau_mv"),
        k_tau=get("k_tau_mv"),
        g_syn=get("g_syn_ns"),
        e_excite=get("e_excite_mv"),
        e_inhibit=get("e_inhibit_mv"),
        v_threshold=get("v_threshold_mv"),
        v_full=get("v_full_mv"),
        noise_keep=1.0 - follow,
        noise_gain=get("noise_pa") * np.sqrt(2.0 * follow),
    )


def _synapses(network: PopulationNetwork) -> _Synapses:
    excites, inhibits = (_positive(csr_array(network.weights * sign)) for sign in (1.0, -1.0))
    return _Synapses(*_arrays(excites), *_arrays(inhibits))


def _positive(weights: csr_array) -> csr_array:
    chosen = csr_array(weights.maximum(0))
    chosen.eliminate_zeros()
    chosen.sort_indices()
    return chosen


def _arrays(weights: csr_array) -> tuple[Ints, Ints, Floats]:
    return weights.indptr.astype(np.int64), weights.indices.astype(np.int64), weights.data.astype(np.float64)
