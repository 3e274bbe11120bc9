"""Null models of a wiring diagram: what would any network with these degrees, or this graph with other names, do?

Shuffled edges are no longer what was measured, so their provenance becomes "derived".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

SWAPS_PER_EDGE = 10  # attempted; as igraph and NetworKit, after Viger & Latapy 2015, doi:10.1093/comnet/cnv013

Ends = list[tuple[str, str]]


def swap_ends(synapses: pd.DataFrame, names: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """Degree-preserving shuffle: pairs of edges of one kind exchange their postsynaptic ends.

    Every neuron keeps its number of outgoing and of incoming edges of each kind. An edge's count and sign stay with its
    presynaptic end, so a neuron keeps its outgoing counts and signs too, but not its incoming ones. Electrical edges
    are swapped as undirected pairs and stay symmetric. Edges of a neuron with itself stay, and no new ones are made.
    """
    del names  # both methods take the same arguments
    shuffled = synapses.copy()
    for kind, rows in synapses.groupby("kind", sort=True):
        ends = list(zip(rows["pre"], rows["post"], strict=True))
        undirected = kind == "electrical"
        if undirected:
            ends = [(pre, post) for pre, post in ends if pre <= post]
        swapped = dict(zip(ends, _swapped(ends, undirected, rng), strict=True))
        if undirected:
            swapped |= {(post, pre): (other, one) for (pre, post), (one, other) in swapped.items()}
        moved = [swapped[edge] for edge in zip(rows["pre"], rows["post"], strict=True)]
        shuffled.loc[rows.index, ["pre", "post"]] = np.array(moved, dtype=object)
    return _derived(shuffled)


def permute_labels(synapses: pd.DataFrame, names: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """Label shuffle: the graph stays as it is, but a random permutation of all neurons decides who sits where.

    Every neuron takes the whole place of another, drawn from all neurons whatever their role, with that one's partners,
    counts and signs. The neuron table keeps its roles, transmitters and positions.
    """
    place = dict(zip(names, rng.permutation(np.array(names, dtype=object)), strict=True))
    return _derived(synapses.assign(pre=synapses["pre"].map(place), post=synapses["post"].map(place)))


METHODS = MappingProxyType[str, Callable[[pd.DataFrame, Sequence[str], np.random.Generator], pd.DataFrame]](
    {"degree": swap_ends, "label": permute_labels}
)


def _swapped(edges: Ends, undirected: bool, rng: np.random.Generator) -> Ends:
    """The edges after SWAPS_PER_EDGE attempted swaps each, in the order of the edges they came from."""
    ends = list(edges)
    present = set(ends)
    movable = np.array([row for row, (pre, post) in enumerate(ends) if pre != post], dtype=np.intp)
    if len(movable) < 2:
        return ends
    attempts = SWAPS_PER_EDGE * len(movable)
    pairs = movable[rng.integers(len(movable), size=(attempts, 2))]
    flips = rng.random(attempts) < 0.5  # an undirected edge has no first end: swap with either
    for (one, other), flip in zip(pairs.tolist(), flips.tolist(), strict=True):
        (a, b), (c, d) = ends[one], ends[other]
        if undirected and flip:
            c, d = d, c
        new = ((a, d), (c, b))
        if undirected:
            new = (_ordered(a, d), _ordered(c, b))
        if a == d or c == b or new[0] == new[1] or not present.isdisjoint(new):
            continue
        present -= {ends[one], ends[other]}
        present.update(new)
        ends[one], ends[other] = new
    return ends


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _derived(synapses: pd.DataFrame) -> pd.DataFrame:
    known = synapses["sign"] != 0
    return synapses.assign(provenance="derived", sign_provenance=np.where(known, "derived", "none"))
