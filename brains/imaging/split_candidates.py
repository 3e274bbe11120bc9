"""False splits: regions that touch and are likely one neuron, joined the likeliest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .candidates import Candidate, Chance, made
from .pair_features import contacts
from .pieces import Pieces

__all__ = ["false_splits", "joined_up", "merged"]

Ints = NDArray[np.int64]
ROUNDS = 200  # of joins; each joins at least one pair


def joined_up(pieces: Pieces, regions: Ints, chance: Chance, least: float) -> tuple[Ints, list[Candidate]]:
    """Join regions in rounds: in each, those that are each other's likeliest partner.

    After a round the chances are those of the larger regions, so a wrong partner can become unlikely.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment.
        chance: that both sides of a contact are one neuron.
        least: chance from which they are joined.

    Returns:
        Regions after it, and the joins in their order.
    """
    regions, done = regions.copy(), []
    for _ in range(ROUNDS):
        found = contacts(pieces, regions)
        chances = chance(regions, found)
        best = np.zeros(int(regions.max()) + 1)
        for side in (0, 1):
            np.maximum.at(best, found.regions[:, side], chances)
        ok = (chances >= least) & (chances >= best[found.regions].max(axis=1))
        if not ok.any():
            break
        for at in np.flatnonzero(ok):
            done.append(made(pieces, "join", found.edges(at), float(chances[at]), "continues across a weak boundary"))
        regions = _linked(regions, found.regions[ok])
    return regions, done


def merged(regions: Ints, pairs: Ints) -> Ints:
    """Regions after joining those that pairs of fragments, shape (m, 2), lie in."""
    return _linked(regions, regions[pairs.reshape(-1, 2)])


def _linked(regions: Ints, pairs: Ints) -> Ints:
    """Regions joined in pairs, each group under its lowest number."""
    n = int(regions.max()) + 1
    graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    group = connected_components(graph, directed=False)[1]
    lowest = np.full(n, n)
    np.minimum.at(lowest, group, np.arange(n))
    return np.asarray(lowest[group][regions])


def false_splits(pieces: Pieces, regions: Ints, chance: Chance, low: float, high: float) -> list[Candidate]:
    """Contacts whose chance lies between `low` and `high`, the likeliest first: for a person."""
    found = contacts(pieces, regions)
    chances = chance(regions, found)
    order = np.argsort(-chances, kind="stable")
    chosen = order[(chances[order] >= low) & (chances[order] < high)]
    return [made(pieces, "join", found.edges(at), float(chances[at]), "may continue") for at in chosen]
