"""Which geniculate cells reach which cortical cells: the published rule of elongated, displaced subfields.

A cell that prefers motion in a direction takes sustained cells from behind and transient cells from before the middle
of its receptive field, both from a field elongated across the direction, and only ON or only OFF ones of the sustained
(`select_lgn_sources_powerlaw` of AllenInstitute/biorealistic-v1-model). How many synapses a cell has is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .lgn import LgnCells

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = {"sON": (1, 2, 4, 8), "sOFF": (1, 2, 4, 8, 15), "tOFF": (4, 8, 15)}  # best temporal frequencies, Hz
MOST_TF = 16


@dataclass(frozen=True, kw_only=True)
class LgnRule:
    """Numbers of the rule; all but the last are those of the published model."""

    shift_deg: float = 2.5  # deg, of the subfields from the middle
    radius_deg: float = 5.0  # deg, sigma of the field of geniculate axons
    aspect: float = 1.5  # length over width
    oblique_deg: float = 15.0  # deg, cells with two subfields join cells of nearly their own axis only
    synapses: float = 464.0  # on an excitatory cell of layer 4: a fifth of its 2,322, as published
    inhibitory: float = 0.6  # of the published share of inhibitory cells: assumed, or PV cells of layer 4 fire too much

    def __post_init__(self) -> None:
        for name in ("radius_deg", "aspect", "synapses"):
            if not getattr(self, name) > 0:
                raise ValueError(f"LgnRule: {name} ({getattr(self, name)}) must be above 0")


class Targets(NamedTuple):
    """Cortical cells; arrays of shape (n,)."""

    azimuth: Floats  # deg
    elevation: Floats
    angle: Floats  # rad
    on: NDArray[np.bool_]  # takes sustained ON cells, else sustained OFF cells
    tf: Ints  # Hz
    synapses: Ints


class _Sources(NamedTuple):
    azimuth: Floats
    elevation: Floats
    angle: Floats  # NaN but for cells with two subfields
    kind: Ints  # 0 sON, 1 sOFF, 2 tOFF, 3 two subfields
    rank: Ints  # place of the best frequency among those of the kind


def lgn_edges(
    cells: LgnCells, targets: Targets, rule: LgnRule, rng: np.random.Generator
) -> tuple[Ints, Ints, NDArray[np.int16]]:
    """Geniculate cell, cortical cell and number of synapses of every connection, sorted by both.

    Args:
        cells: behind the eye.
        targets: that take from them.
        rule: see `LgnRule`.
        rng: of the connections.
    """
    kinds = list(KINDS)
    kind = np.array([kinds.index(name.split("_")[0]) if name.split("_")[0] in kinds else 3 for name in cells.name])
    rank = np.array(
        [
            0 if k == 3 else KINDS[kinds[k]].index(int(name.split("TF")[1]))
            for k, name in zip(kind, cells.name, strict=True)
        ]
    )
    sources = _Sources(cells.azimuth, cells.elevation, cells.angle, kind, rank)
    preference = _preferences()
    ends = np.concatenate([[0], np.cumsum(targets.synapses)])
    drawn = np.empty(ends[-1], np.int64)
    shape = np.array([rule.shift_deg, rule.radius_deg, rule.aspect, np.radians(rule.oblique_deg)])
    found = _draw(sources, targets, shape, preference, rng, ends, drawn)
    post = np.repeat(np.arange(targets.synapses.size), targets.synapses)[found]
    key, count = np.unique(drawn[found] * targets.synapses.size + post, return_counts=True)
    return key // targets.synapses.size, key % targets.synapses.size, count.astype(np.int16)


def _preferences() -> Floats:
    """Relative probability of every class for a cell's best frequency, (kinds, frequencies in Hz, rank)."""
    table = np.zeros((4, MOST_TF, 5))
    for k, frequencies in enumerate(KINDS.values()):
        for tf in range(MOST_TF):
            away = np.abs(tf - np.array(frequencies, dtype=np.float64))
            table[k, tf, : len(frequencies)] = (1.0 - away / away.sum()) / (len(frequencies) - 1)
    table[3] = 1.0
    return table


@njit(cache=True)
def _draw(
    sources: _Sources, targets: Targets, shape: Floats, preference: Floats, rng: np.random.Generator, ends: Ints,
    drawn: Ints,
) -> NDArray[np.bool_]:  # fmt: skip
    """Draw the synapses of every target with replacement; says which were found."""
    shift, radius, aspect, oblique = shape
    stretch, reach = np.sqrt(aspect), 3.5 * radius * np.sqrt(aspect) + shift
    n = sources.azimuth.size
    found = np.zeros(drawn.size, np.bool_)
    who, total = np.empty(n, np.int64), np.empty(n)
    for i in range(targets.synapses.size):
        if targets.synapses[i] == 0:
            continue
        along_x, along_y = np.cos(targets.angle[i]), np.sin(targets.angle[i])
        if not targets.on[i]:
            along_x, along_y = -along_x, -along_y
        size, sum_p = 0, 0.0
        for j in range(n):
            x, y = sources.azimuth[j] - targets.azimuth[i], sources.elevation[j] - targets.elevation[i]
            if abs(x) > reach or abs(y) > reach:
                continue
            kind, share = sources.kind[j], 0.0
            if kind == 3:
                apart = abs((sources.angle[j] - targets.angle[i] + np.pi / 2) % np.pi - np.pi / 2)
                share = 1.0 if apart < oblique else 0.0
            elif kind != (1 if targets.on[i] else 0):
                share = preference[kind, targets.tf[i], sources.rank[j]]
            if share <= 0.0:
                continue
            moved = shift if kind == 2 else (0.0 if kind == 3 else -shift)
            x, y = x + moved * along_x, y + moved * along_y
            front, across = (x * along_x + y * along_y) * stretch, (y * along_x - x * along_y) / stretch
            sum_p += share * np.exp(-0.5 * (front * front + across * across) / (radius * radius))
            who[size], total[size] = j, sum_p
            size += 1
        if sum_p > 0.0:
            for e in range(ends[i], ends[i + 1]):
                place = np.searchsorted(total[:size], rng.random() * sum_p, side="right")
                drawn[e] = who[place] if place < size else who[size - 1]
                found[e] = True
    return found
