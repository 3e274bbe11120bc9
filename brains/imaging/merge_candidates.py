"""False merges: a region that falls into two sides which are not likely one neuron.

Fragments of a region hang together by their likeliest contacts (a spanning tree). Taking one link of the tree away
leaves two sides; all that is known of the contact between them, not of the link alone, decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from .candidates import Candidate, Chance, made
from .pair_features import contacts
from .pieces import Pieces

__all__ = ["Cut", "cut_apart", "weakest_cuts"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TRIED = 32  # links of a region, the least likely ones, that are tried; assumed
ROUNDS = 100  # of cuts


@dataclass(frozen=True, eq=False)
class Cut:
    """The least likely way in which a region is one.

    Args:
        region: its number.
        side: fragments of the side that would leave, the smaller one.
        edges: between fragments of both sides.
        chance: that both sides are one neuron.
    """

    region: int
    side: Ints
    edges: Ints
    chance: float


def weakest_cuts(pieces: Pieces, regions: Ints, chance: Chance, only: Ints | None = None) -> list[Cut]:
    """The least likely cut of every region of two or more fragments.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment.
        chance: that both sides of a contact are one neuron.
        only: regions to look at; None for all.
    """
    single = np.arange(len(regions))
    found = contacts(pieces, single)
    chances = chance(single, found)
    inside = regions[found.regions[:, 0]] == regions[found.regions[:, 1]]
    if only is not None:
        inside &= np.isin(regions[found.regions[:, 0]], only)
    links, costs = found.regions[inside], 1.0 - chances[inside] + 1e-9
    tried = _tried(links, costs, regions)
    best: dict[int, Cut] = {}
    for turn in range(max(map(len, tried.values()), default=0)):
        sides = {region: cuts[turn] for region, cuts in tried.items() if turn < len(cuts)}
        for cut in _judged(pieces, regions, sides, chance):
            if cut.region not in best or cut.chance < best[cut.region].chance:
                best[cut.region] = cut
    return [best[region] for region in sorted(best)]


def _tried(links: Ints, costs: Floats, regions: Ints) -> dict[int, list[Ints]]:
    """For every region the sides that the least likely links of its tree cut off."""
    n = len(regions)
    tree = minimum_spanning_tree(sparse.coo_array((costs, (links[:, 0], links[:, 1])), shape=(n, n)).tocsr()).tocoo()
    ends, weights = np.stack([tree.row, tree.col], axis=1).astype(np.int64), tree.data
    by_region = np.argsort(regions[ends[:, 0]], kind="stable")
    groups = np.split(by_region, np.flatnonzero(np.diff(regions[ends[by_region, 0]])) + 1) if len(ends) else []
    cuts: dict[int, list[Ints]] = {}
    for group in groups:
        order = group[np.lexsort((group, -weights[group]))][:TRIED]
        members, local = np.unique(ends[group], return_inverse=True)
        local = local.reshape(-1, 2)
        place = {int(link): at for at, link in enumerate(group)}
        cuts[int(regions[members[0]])] = [_side(members, local, place[int(link)]) for link in order]
    return cuts


def _side(members: Ints, links: Ints, gone: int) -> Ints:
    """Fragments of the smaller side when one link of a tree is taken away."""
    rest = np.delete(links, gone, axis=0)
    n = len(members)
    graph = sparse.coo_array((np.ones(len(rest)), (rest[:, 0], rest[:, 1])), shape=(n, n)).tocsr()
    reached = breadth_first_order(graph, int(links[gone, 0]), directed=False, return_predecessors=False)
    if 2 * len(reached) > n:
        return np.delete(members, reached)
    return np.sort(members[reached])


def _judged(pieces: Pieces, regions: Ints, sides: dict[int, Ints], chance: Chance) -> list[Cut]:
    """One cut of each region, all judged at once."""
    cut, top = regions.copy(), int(regions.max()) + 1
    for region, side in sides.items():
        cut[side] = top + region
    found = contacts(pieces, cut)
    chances = chance(cut, found)
    own = np.flatnonzero(found.regions[:, 1] == found.regions[:, 0] + top)
    return [
        Cut(int(found.regions[at, 0]), sides[int(found.regions[at, 0])], found.edges(at), float(chances[at]))
        for at in own
    ]


def cut_apart(pieces: Pieces, regions: Ints, chance: Chance, most: float) -> tuple[Ints, list[Candidate], list[Cut]]:
    """Cut regions until every one is likely enough one neuron.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment.
        chance: that both sides of a contact are one neuron.
        most: chance below which a region is cut.

    Returns:
        Regions after it, the splits in their order, and the weakest cuts of what is left.
    """
    regions, done = regions.copy(), []
    left: dict[int, Cut] = {}
    only: Ints | None = None
    for _ in range(ROUNDS):
        cuts = weakest_cuts(pieces, regions, chance, only)
        left.update({cut.region: cut for cut in cuts})
        made_now = [cut for cut in cuts if cut.chance < most]
        if not made_now:
            break
        changed = []
        for cut in made_now:
            new = int(regions.max()) + 1
            done.append(made(pieces, "split", cut.edges, 1 - cut.chance, "two sides with a boundary between them"))
            regions[cut.side] = new
            left.pop(cut.region)
            changed += [cut.region, new]
        only = np.array(changed)
    return regions, done, [left[region] for region in sorted(left)]
