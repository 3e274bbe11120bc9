"""The edges of a network for jax, and what is still on its way along them."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..spiking import SpikingNetwork
from .jax_import import jnp
from .jax_loop import Wiring

Shorts = NDArray[np.int32]
Ints = NDArray[np.int64]


def sent(network: SpikingNetwork) -> NDArray[np.float32]:
    """What each edge adds to its receptor, shape (edges,)."""
    return np.abs(network.weight) if network.model.UNSIGNED else network.weight


def slots_of(network: SpikingNetwork) -> int:
    """Places of the ring: one a step from the one that is over to the last arrival of a spike of now."""
    return network.longest_delay + 1


def delays(network: SpikingNetwork) -> Ints:
    """Steps from a spike to its arrival along each edge, shape (edges,)."""
    uniform = network.delay_steps is None
    own = network.longest_delay if uniform else network.delay_steps
    return np.broadcast_to(np.asarray(own, dtype=np.int64), network.edges)


def wiring(network: SpikingNetwork, copies: int, kind: DTypeLike) -> Wiring:
    """The edges on jax's device, once for all copies.

    Raises:
        ValueError: plastic edges, gap junctions, or more places than 32-bit numbers have.
    """
    if network.plastic is not None:
        raise ValueError("engine 'jax': runs no plastic edges; engine 'dense' does")
    if network.gap is not None:
        raise ValueError("engine 'jax': runs no gap junctions; engine 'dense' does")
    slots, neurons = slots_of(network), copies * network.n
    places = len(network.model.RECEPTORS) * slots * neurons
    if places >= 2**31 or network.edges >= 2**31 or neurons >= 2**24:
        raise ValueError(
            f"engine 'jax': {copies} copies of {network.n} neurons and delays of up to {network.longest_delay} steps"
            " are more than 32-bit places (2^24 neurons, 2^31 places in the ring); take fewer copies"
        )
    short = (network.start[:-1], np.diff(network.start), network.target, network.edge_receptors * np.int32(slots))
    start, degree, target, row = (jnp.asarray(x.astype(np.int32)) for x in short)
    weight, delay = jnp.asarray(sent(network).astype(kind)), jnp.asarray(delays(network).astype(np.int32))
    return Wiring(start, degree, target, weight, row, delay)


def on_their_way(
    network: SpikingNetwork, recent: list[Shorts], began: Ints, now: int, kind: DTypeLike
) -> NDArray[np.floating]:
    """The ring of sums from the spikes of each copy, added up in the order in which they were sent.

    Args:
        network: whose edges.
        recent: steps and neurons of the spikes of each copy by its own clock, each of shape (2, spikes).
        began: the step at which the clock of each copy was zero, shape (copies,).
        now: the next step.
        kind: of the numbers.

    Returns:
        Shape (receptors * slots * copies * n,).
    """
    slots, n = slots_of(network), network.n
    ring = np.zeros((len(network.model.RECEPTORS), slots, len(recent), n), kind)
    weight, delay, receptor = sent(network).astype(kind), delays(network), network.edge_receptors
    for b, (steps, neurons) in enumerate(recent):
        for step, i in zip(steps + began[b], neurons, strict=True):
            edges = np.arange(network.start[i], network.start[i + 1])
            edges = edges[step + delay[edges] >= now]
            place = receptor[edges], (step + delay[edges]) % slots, b, network.target[edges]
            np.add.at(ring, place, weight[edges])
    return ring.ravel()
