"""Background input of high rate: a Poisson number of events a neuron and step, drawn from a counter.

A draw depends on the seed, the neuron and the step and on nothing else, so that the input is the same for every engine,
number of threads and length of chunk, and a checkpoint holds nothing of it but what was asked for.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from .poisson_trains import uniform

Floats = NDArray[np.float64]

MOST = 500.0  # expected events a step; exp(-MOST) is still a number
STREAM = 0x5851F42D4C957F2D  # keeps the draws apart from those of the trains of the same seed


class Background(NamedTuple):
    """What reaches every neuron from outside."""

    miss: Floats  # (n,) probability of no event in a step, 1 for none; (0,) where no neuron has any
    weight: Floats  # (n,) of an event
    seed: np.uint64


@njit
def count_events(background: Background, i: int, step: int) -> int:
    """Events of neuron i at a step, by inversion of the distribution function."""
    p = background.miss[i]
    if p == 1.0:
        return 0
    left = uniform(background.seed, i, np.uint64(step)) - p
    if left <= 0.0:
        return 0
    mean, count = -np.log(p), 0
    while left > 0.0 and p > 0.0:
        count += 1
        p *= mean / count
        left -= p
    return count


@njit(cache=True)
def background_input(background: Background, step: int) -> Floats:
    """What all neurons receive at a step, for engines that want it as an array."""
    return np.array([background.weight[i] * count_events(background, i, step) for i in range(background.miss.size)])


def background(seed: int, n: int, rate_hz: ArrayLike = 0.0, weight: ArrayLike = 0.0, dt_ms: float = 0.1) -> Background:
    """Background input of n neurons.

    Args:
        seed: of all draws.
        n: number of neurons.
        rate_hz: events a second that each neuron receives, Hz, shape () or (n,).
        weight: of an event, in the unit of the model's weights, shape () or (n,).
        dt_ms: length of a step, ms.

    Raises:
        ValueError: a rate below 0 or of too many events a step, a weight that is not finite, or a wrong shape.
    """
    for name, values in (("rate_hz", rate_hz), ("weight", weight)):
        if np.shape(values) not in ((), (n,)):
            raise ValueError(f"background: {name} must have shape () or ({n},), got {np.shape(values)}")
    rates = np.asarray(rate_hz, dtype=np.float64)
    mean = rates * dt_ms * 1e-3
    bad = ~((mean >= 0) & (mean <= MOST))
    if bad.any():
        raise ValueError(f"background: rate_hz must be 0 to {MOST / dt_ms * 1e3:g} Hz, got {rates[bad].flat[0]} Hz")
    if not np.isfinite(weight).all():
        raise ValueError("background: weight is not finite")
    size = n if mean.any() else 0
    return Background(
        miss=np.broadcast_to(np.exp(-mean), (size,) if mean.ndim == 0 else mean.shape)[:size].copy(),
        weight=np.broadcast_to(np.asarray(weight, dtype=np.float64), n)[:size].copy(),
        seed=np.uint64(seed) ^ np.uint64(STREAM),
    )
