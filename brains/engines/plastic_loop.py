"""Plastic edges in the dense engine: brought forward in closed form when a spike reaches them from either side."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..models.plasticity_rule import plastic_variables
from ..spiking import SpikingNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]


class PlasticEdges(NamedTuple):
    """The plastic edges in the order of their delays, then sources, then targets; empty where there are none."""

    edge: Ints  # (k,) places in the arrays of the network
    y: Floats  # (variables, k)
    updated: Shorts  # (k,) the step that y belongs to: the first one that has not changed it yet
    target: Shorts  # (k,)
    receptor: NDArray[np.uint8]  # (k,)
    delay: Ints  # (delays,) the different ones, ascending
    start: Ints  # (delays, n + 1) where the edges of each delay and source begin
    incoming: Ints  # (k,) edges by target
    incoming_start: Ints  # (n + 1,)
    fired: Shorts  # (slots, n) neurons that spiked at each of the last steps
    fired_count: Ints  # (slots,) how many
    constants: Any


def plastic_edges(network: SpikingNetwork) -> PlasticEdges:
    """The plastic edges of a network as they are at the start."""
    n, plastic = network.n, network.plastic
    chosen = np.zeros(0, np.int64) if plastic is None else plastic.edges
    source = np.repeat(np.arange(n), np.diff(network.start))[chosen] if chosen.size else chosen
    model = network.model
    uniform = round(model.delay_ms / network.dt_ms)
    delay = np.full(chosen.size, uniform) if network.delay_steps is None else network.delay_steps[chosen].astype(int)
    order = np.lexsort((network.target[chosen], source, delay))
    chosen, source, delay = chosen[order], source[order], delay[order]
    different, first = np.unique(delay, return_index=True)
    bounds = np.append(first, delay.size)
    start = [a + np.searchsorted(source[a:b], np.arange(n + 1)) for a, b in pairwise(bounds)]
    target = network.target[chosen]
    return PlasticEdges(
        edge=chosen,
        y=_initial(network, chosen),
        updated=np.zeros(chosen.size, np.int32),
        target=target,
        receptor=network.edge_receptors[chosen] if chosen.size else np.zeros(0, np.uint8),
        delay=different.astype(np.int64),
        start=np.array(start, np.int64).reshape(different.size, n + 1),
        incoming=np.argsort(target, kind="stable").astype(np.int64),
        incoming_start=np.searchsorted(np.sort(target), np.arange(n + 1)).astype(np.int64),
        fired=np.zeros((network.longest_delay + 1 if chosen.size else 1, n if chosen.size else 0), np.int32),
        fired_count=np.zeros(network.longest_delay + 1 if chosen.size else 1, np.int64),
        constants=0 if plastic is None else plastic.rule.constants(network.dt_ms),
    )


def _initial(network: SpikingNetwork, chosen: Ints) -> Floats:
    if network.plastic is None:
        return np.zeros((1, 0))
    rule, names = network.plastic.rule, plastic_variables(network.plastic.rule)
    y = np.repeat([[rule.initial().get(name, 0.0)] for name in names], chosen.size, axis=1)
    y[0] = np.abs(network.weight[chosen]) if network.model.UNSIGNED else network.weight[chosen]
    return y


def bring(y: Floats, k: int, steps: int, c: Any) -> None:
    """Stand-in for the rule's own, which `compiled` puts in its place, as the two below."""


def on_pre(y: Floats, k: int, c: Any) -> float:
    """Stand-in, as `bring`."""
    return 0.0


def on_post(y: Floats, k: int, c: Any) -> None:
    """Stand-in, as `bring`."""


def arrive(p: PlasticEdges, m: Any, step: int) -> None:
    """Spikes that reach plastic edges at a step, with what they deliver."""
    for q in range(p.delay.size):
        slot = (step - p.delay[q]) % p.fired_count.size
        for a in range(p.fired_count[slot]):
            source = p.fired[slot, a]
            for k in range(p.start[q, source], p.start[q, source + 1]):
                bring(p.y, k, step + 1 - p.updated[k], p.constants)
                p.updated[k] = step + 1
                amount, r, j = on_pre(p.y, k, p.constants), p.receptor[k], p.target[k]
                if not m.lost[r] or step - m.last[j] >= m.refractory[j]:
                    m.x[m.row[r], j] += amount


def answer(p: PlasticEdges, step: int, spikes: Shorts, count: int) -> None:
    """Spikes of the targets of plastic edges at a step."""
    slot = step % p.fired_count.size
    p.fired_count[slot] = count
    for a in range(count):
        p.fired[slot, a] = spikes[a]
        for b in range(p.incoming_start[spikes[a]], p.incoming_start[spikes[a] + 1]):
            k = p.incoming[b]
            bring(p.y, k, step + 1 - p.updated[k], p.constants)
            p.updated[k] = step + 1
            on_post(p.y, k, p.constants)


def bring_all(p: PlasticEdges, step: int) -> None:
    """Bring every plastic edge to the start of a step."""
    for k in range(p.updated.size):
        bring(p.y, k, step - p.updated[k], p.constants)
        p.updated[k] = step


@njit(cache=True)
def remember(p: PlasticEdges, steps: Shorts, neurons: Shorts) -> None:
    """Fill the ring of the last spikes."""
    p.fired_count[:] = 0
    for a in range(steps.size):
        slot = steps[a] % p.fired_count.size
        p.fired[slot, p.fired_count[slot]] = neurons[a]
        p.fired_count[slot] += 1
