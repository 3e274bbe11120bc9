"""Gap junctions in the dense engine: what they add to the drive of every cell, from the voltages before each step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking import SpikingNetwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Couplings(NamedTuple):
    """The gap junctions of a network in their order; empty where there are none."""

    pre: Ints  # (k,)
    post: Ints  # (k,)
    per_mv: Floats  # (k,) drive for a difference of 1 mV
    one_way: NDArray[np.bool_]  # (k,) conducts only while pre is above post


def couplings(network: SpikingNetwork) -> Couplings:
    """The gap junctions of a network."""
    gap = network.gap
    if gap is None:
        none = np.zeros(0, np.int64)
        return Couplings(none, none, np.zeros(0), np.zeros(0, np.bool_))
    pre, post = (ends.astype(np.int64) for ends in (gap.pre, gap.post))
    return Couplings(pre, post, gap.drive_per_mv(network.model), gap.one_way.astype(np.bool_))


@njit(cache=True)
def couple(gap: Couplings, v: Floats, drive: Floats, felt: Floats) -> None:
    """Set `felt` to the drive of every cell with what its gap junctions bring and take."""
    felt[:] = drive
    for k in range(gap.pre.size):
        i, j = gap.pre[k], gap.post[k]
        difference = v[i] - v[j]
        if difference > 0.0 or not gap.one_way[k]:
            felt[j] += gap.per_mv[k] * difference
            felt[i] -= gap.per_mv[k] * difference
