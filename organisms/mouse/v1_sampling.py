"""Drawing the connections of a column: every pair of cells independently, but only likely ones are looked at.

Cells are sorted by type and, within a type, by square tiles of the cortical surface. For a cell and a tile the
probability is bounded by that at the nearest point of the tile. Candidates come at the events of a Poisson process that
runs over all cells of a type, one after the other, with the hazard of the bound; each is kept with its own probability
over the bound. So each pair is connected with exactly its probability, and with none beyond `REACH` sigma, where it is
below 1e-5 of the greatest.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

REACH = 4.8  # sigma
TILE_UM = 80.0
BINS = 512
RANKS = 1024


class Cells(NamedTuple):
    """Sorted cells: those of type t in tile b are `first[t, b]` to `first[t, b + 1]`."""

    x: Floats  # (n,) um
    y: Floats
    cos: Floats  # (n,) of twice the preferred direction
    sin: Floats
    kind: NDArray[np.uint8]
    first: Ints  # (types, tiles + 1)
    low_x: Floats  # (tiles,) um, lower corner
    low_y: Floats


class Rule(NamedTuple):
    """Probability of a connection, (pre, post): pmax exp(-r^2 / 2 sigma^2) (1 + like cos 2 delta)."""

    pmax: Floats
    sigma: Floats
    like: Floats


class _Bounds(NamedTuple):
    hazard: Floats  # (pre, post, BINS) of a candidate, by the square of the distance to its tile
    scale: Floats  # (pre, post) 1/um2
    limit: Floats  # (pre, post) um2
    like: Floats


def _bounds(rule: Rule) -> _Bounds:
    limit = (REACH * rule.sigma) ** 2
    nearest = limit[:, :, None] * np.arange(BINS) / BINS
    scale = 0.5 / rule.sigma**2
    top = rule.pmax * (1.0 + rule.like)
    bound = top[:, :, None] * np.exp(-nearest * scale[:, :, None])
    return _Bounds(-np.log1p(-np.minimum(bound, 0.999)), scale, limit, rule.like)


def connect(cells: Cells, rule: Rule, rng: np.random.Generator, room: int) -> tuple[Ints, Shorts]:
    """Connect all cells; returns `start` and `target` as in a `CompactConnectome`.

    Args:
        cells: who there is.
        rule: how likely pairs are.
        rng: of everything.
        room: edges to make room for at first; it grows where that is too few.
    """
    start = np.zeros(cells.kind.size + 1, np.int64)
    return start, _connect(cells, _bounds(rule), rng, start, room)


@njit(cache=True)
def _connect(cells: Cells, bounds: _Bounds, rng: np.random.Generator, start: Ints, room: int) -> Shorts:
    n, types, tiles = cells.kind.size, bounds.scale.shape[0], cells.low_x.size
    target, near, end = np.empty(room, np.int32), np.empty(tiles), 0
    for i in range(n):
        for b in range(tiles):
            near[b] = _beyond(cells.x[i], cells.low_x[b]) ** 2 + _beyond(cells.y[i], cells.low_y[b]) ** 2
        for post in range(types):
            size = cells.first[post, tiles] - cells.first[post, 0]
            if end + size > target.size:
                target = _grown(target, int(1.3 * target.size) + size)
            end = _to_type(cells, bounds, rng, i, post, near, target, end)
        start[i + 1] = end
    return target[:end]


@njit
def _to_type(
    cells: Cells, bounds: _Bounds, rng: np.random.Generator, i: int, post: int, near: Floats, target: Shorts, end: int
) -> int:
    """Append the targets of cell i among the cells of a type; returns where they end now."""
    pre = cells.kind[i]
    scale, limit, like = bounds.scale[pre, post], bounds.limit[pre, post], bounds.like[pre, post]
    left = rng.standard_exponential()
    for b in range(near.size):
        if near[b] >= limit:
            continue
        place = int(near[b] / limit * BINS)
        hazard = bounds.hazard[pre, post, place]
        j, high = cells.first[post, b], cells.first[post, b + 1]
        while left < (high - j) * hazard:
            j = min(j + int(left / hazard), high - 1)
            apart = (cells.x[i] - cells.x[j]) ** 2 + (cells.y[i] - cells.y[j]) ** 2
            if j != i and rng.standard_exponential() > (apart - limit * place / BINS) * scale:
                alike = cells.cos[i] * cells.cos[j] + cells.sin[i] * cells.sin[j]
                if like == 0.0 or rng.random() * (1.0 + like) < 1.0 + like * alike:
                    target[end] = j
                    end += 1
            j += 1
            left = rng.standard_exponential()
        left -= (high - j) * hazard
    return end


@njit
def _beyond(x: float, low: float) -> float:
    """Distance (um) from x to the interval of a tile that begins at `low`."""
    return max(low - x, x - low - TILE_UM, 0.0)


@njit
def _grown(values: Shorts, size: int) -> Shorts:
    room = np.empty(size, np.int32)
    room[: values.size] = values
    return room


class Strength(NamedTuple):
    """Weights of a synapse: log-normal, and greater between cells of like direction; matrices are (pre, post)."""

    mean: Floats  # signed
    spread: Floats  # standard deviation of the logarithm
    ordered: Floats  # correlation of the logarithm with the rank of how alike the preferred directions are
    rank: Floats  # (RANKS,) standard normal of every rank, the most alike first


def ranks() -> Floats:
    """Standard normal numbers of evenly spaced ranks, falling."""
    return np.asarray(ndtri(1.0 - (np.arange(RANKS) + 0.5) / RANKS))


@njit(cache=True)
def draw_weights(
    start: Ints, target: Shorts, count: NDArray[np.int16], kind: NDArray[np.uint8], angle: Floats, strength: Strength,
    rng: np.random.Generator,
) -> NDArray[np.float32]:  # fmt: skip
    """A weight an edge, shape (edges,): drawn for its pair of types, times the number of synapses.

    Args:
        start: as in a `CompactConnectome`.
        target: the same.
        count: synapses of each edge.
        kind: type of each neuron.
        angle: preferred direction of each, rad, 0 to 2 pi.
        strength: of a synapse.
        rng: of the weights.
    """
    weight = np.empty(target.size, np.float32)
    for i in range(start.size - 1):
        pre = kind[i]
        for e in range(start[i], start[i + 1]):
            j = target[e]
            s, order = strength.spread[pre, kind[j]], strength.ordered[pre, kind[j]]
            z = rng.standard_normal() if s > 0.0 else 0.0
            if order > 0.0:
                apart = abs(angle[i] - angle[j])
                apart = min(apart, 2.0 * math.pi - apart) / math.pi
                z = order * strength.rank[min(int(apart * RANKS), RANKS - 1)] + math.sqrt(1.0 - order * order) * z
            weight[e] = strength.mean[pre, kind[j]] * math.exp(s * z - 0.5 * s * s) * count[e]
    return weight


@njit(cache=True)
def draw_delays(start: Ints, target: Shorts, kind: NDArray[np.uint8], steps: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Delay of each edge, steps, from that of its pair of types, `steps` of (pre, post)."""
    delay = np.empty(target.size, np.uint8)
    for i in range(start.size - 1):
        for e in range(start[i], start[i + 1]):
            delay[e] = steps[kind[i], kind[target[e]]]
    return delay


@njit(cache=True)
def count_groups(start: Ints, target: Shorts, kind: NDArray[np.uint8], types: int) -> Ints:
    """Edges of each pair of types, (pre, post)."""
    groups = np.zeros((types, types), np.int64)
    for i in range(start.size - 1):
        for e in range(start[i], start[i + 1]):
            groups[kind[i], kind[target[e]]] += 1
    return groups
