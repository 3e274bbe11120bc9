"""A spiking network as a differentiable function of its weights and its drive, for training.

Forward it fires the spikes of the jax engine. Backward a spike has the derivative of a fast sigmoid of the distance to
threshold, 1/(1 + sharpness*|v - threshold|)^2: SuperSpike, Zenke & Ganguli 2018 (doi:10.1162/neco_a_01086), where the
sharpness is 1/mV. Nothing flows back through the reset and the refractory period, which are taken as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..models.spiking_model import resting_state
from ..spiking import SpikingNetwork
from .dense_engine import NEVER
from .jax_import import Array, jax, jnp
from .jax_loop import clear, receive
from .jax_model import Rows, Step, check_traceable, step_of
from .jax_wiring import delays, slots_of


class Trace(NamedTuple):
    """What the neurons did."""

    spikes: Array  # (steps, n) 1 where a neuron fired, else 0
    voltage: Array  # (steps, n) mV, at the end of each step


class _Edges(NamedTuple):
    source: Array  # (edges,)
    target: Array
    row: Array  # receptor * slots
    delay: Array


Moving = tuple[Rows, Array, Array]  # state, step of the last spike, ring of sums


@jax.custom_jvp
def surrogate(fired: Array, distance: Array, sharpness: float) -> Array:
    """`fired`, 0 or 1, with the derivative of a fast sigmoid by the distance to threshold, mV."""
    return fired


@surrogate.defjvp
def _surrogate_slope(values: tuple[Array, ...], changes: tuple[Array, ...]) -> tuple[Array, Array]:
    fired, distance, sharpness = values
    return fired, changes[1] / (1.0 + sharpness * jnp.abs(distance)) ** 2


def differentiable(network: SpikingNetwork, sharpness_per_mv: float = 1.0) -> Callable[[Array, Array, int], Trace]:
    """The function `rollout(weights, drive, steps)` of a network, from rest and without Poisson input.

    It is pure: `jax.grad` differentiates it, `jax.vmap` runs many drives or weights at once. `weights` has shape
    (edges,), in the order and unit of `network.weight`; an edge keeps the receptor that the network gives it. `drive`
    has shape (n,), or (steps, n) for one that changes; noise is part of it. Memory grows with steps * n.

    A voltage that stays near threshold counts at every step, so that with short steps the gradient is too large, the
    more so the more synapses it passes; in recurrent networks it grows without bound and its sign means nothing. Scale
    it to a length, and give a recurrent network a higher sharpness.

    Args:
        network: whose edges and model; without plastic edges and gap junctions.
        sharpness_per_mv: of the surrogate, 1/mV.

    Raises:
        ValueError: a sharpness that is not above 0, plastic edges, gap junctions, or a model that jax cannot trace.
    """
    if not sharpness_per_mv > 0:
        raise ValueError(f"differentiable: sharpness_per_mv ({sharpness_per_mv} 1/mV) must be above 0")
    if network.plastic is not None:
        raise ValueError("differentiable: runs no plastic edges; engine 'dense' does")
    if network.gap is not None:
        raise ValueError("differentiable: runs no gap junctions; engine 'dense' does")
    check_traceable(network.model, network.dt_ms)
    step = step_of(type(network.model))
    edges = _edges(network)

    @partial(jax.jit, static_argnums=(3,))
    def run(c: Any, weights: Array, drive: Array, steps: int) -> Trace:
        drives = jnp.broadcast_to(jnp.asarray(drive, jnp.float32), (steps, network.n))
        one = partial(_one, step, network, edges, c, jnp.asarray(weights, jnp.float32), sharpness_per_mv)
        _, trace = jax.lax.scan(one, _at_rest(network, step), (jnp.arange(steps, dtype=jnp.int32), drives))
        return Trace(*trace)

    return partial(
        run, network.model.constants(network.dt_ms)
    )  # given, not built in, as the engine has them: same bits


def _one(
    step: Step,
    network: SpikingNetwork,
    edges: _Edges,
    c: Any,
    weights: Array,
    sharpness: float,
    moving: Moving,
    now: tuple[Array, Array],
) -> tuple[Moving, tuple[Array, Array]]:
    """One step, in the order of `jax_loop.run_block`."""
    (x, last, arriving), (k, drive) = moving, now
    slots = slots_of(network)
    refractory = max(round(network.model.t_refractory_ms / network.dt_ms), 1)
    active = k - last >= refractory
    x = step.advance(x, active, drive, c)
    fired = active & step.above(x, c)
    spikes = surrogate(fired.astype(jnp.float32), step.distance(x, c), sharpness) * active
    last = jnp.where(fired, k, last)
    x = receive(step, x, arriving, k - last >= refractory, k, slots)
    arriving = _send(edges, clear(arriving, k, slots, network.n), spikes, weights, k, slots, network.model.UNSIGNED)
    x = step.reset(x, fired, c)
    return (x, last, arriving), (spikes, x[0])


@partial(jax.checkpoint, static_argnums=(5, 6))
def _send(
    edges: _Edges, arriving: Array, spikes: Array, weights: Array, step: Array, slots: int, unsigned: bool
) -> Array:
    """Add what all edges bring; recomputed on the way back, so that what is kept of a step has n numbers, not edges."""
    brought = spikes[edges.source] * (jnp.abs(weights) if unsigned else weights)
    place = (edges.row + (step + edges.delay) % slots) * spikes.size + edges.target
    return arriving.at[place].add(brought)


def _edges(network: SpikingNetwork) -> _Edges:
    source = np.repeat(np.arange(network.n), np.diff(network.start))
    row = network.edge_receptors * np.int32(slots_of(network))
    return _Edges(*(jnp.asarray(part.astype(np.int32)) for part in (source, network.target, row, delays(network))))


def _at_rest(network: SpikingNetwork, step: Step) -> Moving:
    rows = resting_state(network.model, network.n)
    ring = jnp.zeros(len(step.receptors) * slots_of(network) * network.n, jnp.float32)
    return tuple(jnp.asarray(row, jnp.float32) for row in rows), jnp.full(network.n, NEVER, jnp.int32), ring
