"""Synthetic networks of the size of a real one, for measuring cost. Their activity says nothing about an animal."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .models.lif_exp import LifExp
from .spiking import SpikingNetwork

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

# FlyWire v783 as used by Shiu et al. 2024, doi:10.1038/s41586-024-07763-9
FLY_NEURONS = 138_639
FLY_EDGES = 15_091_983
FLY_SYNAPSES = 54_492_922
EXCITATORY = 0.62  # share of neurons
MV_PER_SYNAPSE = 0.275


def fly_sized(rng: np.random.Generator, neurons: int = FLY_NEURONS, edges: int = FLY_EDGES) -> SpikingNetwork:
    """A random network with log-normal degrees, geometric synapse counts and the size of the fly's brain.

    Args:
        rng: of everything.
        neurons: how many.
        edges: connected pairs, all different; of their order, since degrees are whole numbers.
    """
    out = rng.lognormal(0.0, 1.0, neurons)
    out = np.clip(np.rint(out * edges / out.sum()), 0, neurons // 4).astype(np.int64)
    popularity = rng.lognormal(0.0, 1.0, neurons)
    tickets = np.maximum(1, np.rint(8 * popularity / popularity.mean())).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(out)])
    target = _draw_targets(rng, start, np.repeat(np.arange(neurons, dtype=np.int32), tickets))
    weight = rng.geometric(FLY_EDGES / FLY_SYNAPSES, size=target.size).astype(np.float32)
    sign = np.where(rng.random(neurons) < EXCITATORY, MV_PER_SYNAPSE, -MV_PER_SYNAPSE)
    weight *= np.repeat(sign.astype(np.float32), out)
    return SpikingNetwork(start=start, target=target, weight=weight, model=LifExp())


@njit(cache=True)
def _draw_targets(rng: np.random.Generator, start: Ints, pool: Shorts) -> Shorts:
    """Different targets for every neuron, each as likely as it is frequent in the pool, in ascending order."""
    target = np.empty(start[-1], np.int32)
    last_source = np.full(start.size - 1, -1, np.int32)
    for i in range(start.size - 1):
        for e in range(start[i], start[i + 1]):
            j = pool[int(rng.random() * pool.size)]
            while last_source[j] == i:
                j = pool[int(rng.random() * pool.size)]
            last_source[j] = i
            target[e] = j
        target[start[i] : start[i + 1]].sort()
    return target
