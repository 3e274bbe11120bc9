"""Places along contacts that may be synapses: where the dark goes deeper than an ordinary membrane's.

Greys are told in contrasts of the membrane: 0 is the cytoplasm around, 1 an ordinary membrane of the same block. A
place is the best of its pair of segments within a distance; every place that could be one is kept, a classifier judges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .contacts import Contacts

__all__ = ["Clefts", "Tone", "clefts", "tone"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PATCH_NM = 45.0  # nm, radius over which darkness is averaged; assumed: a little less than a small synapse's
APART_NM = 70.0  # nm, least distance between two synapses of one pair; assumed
REACH_NM = PATCH_NM + APART_NM  # nm around a place that decide on it


@dataclass(frozen=True, kw_only=True)
class Tone:
    """What grey means in a block."""

    cytoplasm: float  # grey value
    membrane: float  # grey value, of the ordinary one

    def dark(self, grey: Floats) -> Floats:
        """0 at the cytoplasm's grey, 1 at an ordinary membrane's."""
        return np.asarray((self.cytoplasm - grey) / max(self.cytoplasm - self.membrane, 1.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Clefts:
    """Places that may be synapses; k of them.

    Args:
        patch: shape (k,), row of the contacts each stands at.
        score: shape (k,), mean darkness around, the sum of that beside the membrane and deep on both sides.
        rival: shape (k,), the best score of another pair within PATCH_NM.
        place_nm: shape (k, 3), middle of the dark patches around.
    """

    patch: Ints
    score: Floats
    rival: Floats
    place_nm: Floats


def tone(image: NDArray[np.uint8], found: Contacts) -> Tone:
    """The greys of a block: most voxels are cytoplasm, most contacts ordinary membranes."""
    cytoplasm = float(np.median(image[::2, ::2, ::2]))
    return Tone(cytoplasm=cytoplasm, membrane=float(np.median(found.grey[:, 0])) if len(found.grey) else cytoplasm - 1)


def clefts(found: Contacts, tones: Tone, least: float) -> Clefts:
    """Find the places.

    Args:
        found: patches of contact.
        tones: greys of the block.
        least: score below which no place is kept.
    """
    dark = tones.dark(found.grey).sum(axis=1)
    score, best = _scores(found.place_nm, found.area_nm2, dark, found.starts, PATCH_NM, APART_NM, least)
    patch = np.flatnonzero(best)
    weight = found.area_nm2 * np.maximum(dark, 0.0) ** 2
    place = _middles(found.place_nm, weight, found.starts, patch, PATCH_NM)
    return Clefts(
        patch=patch, score=score[patch], rival=_rivals(place, score[patch], found.pair[patch]), place_nm=place
    )


def _rivals(place: Floats, score: Floats, pair: NDArray[np.uint64]) -> Floats:
    """Best score of another pair near each place; 0 where there is none."""
    from scipy.spatial import cKDTree

    rival = np.zeros(len(place))
    if len(place) < 2:
        return rival
    close = cKDTree(place).query_pairs(PATCH_NM, output_type="ndarray")
    close = close[(pair[close[:, 0]] != pair[close[:, 1]]).any(axis=1)]
    np.maximum.at(rival, close[:, 0], score[close[:, 1]])
    np.maximum.at(rival, close[:, 1], score[close[:, 0]])
    return rival


@njit(cache=True)
def _near(place: Floats, i: int, j: int, radius: float) -> bool:
    z, y, x = place[i, 0] - place[j, 0], place[i, 1] - place[j, 1], place[i, 2] - place[j, 2]
    return z * z + y * y + x * x <= radius * radius


@njit(cache=True)
def _scores(
    place: Floats, area: Floats, dark: Floats, starts: Ints, patch: float, apart: float, least: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean darkness of the pair around every patch, and whether it is the pair's best within `apart`."""
    score, best = np.zeros(len(place)), np.zeros(len(place), np.bool_)
    for k in range(len(starts) - 1):
        first, last = starts[k], starts[k + 1]
        for i in range(first, last):
            total, weight = 0.0, 0.0
            for j in range(first, last):
                if _near(place, i, j, patch):
                    total += area[j] * dark[j]
                    weight += area[j]
            score[i] = total / weight
        for i in range(first, last):
            best[i] = score[i] >= least
            for j in range(first, last):
                if best[i] and (score[j] > score[i] or (score[j] == score[i] and j < i)) and _near(place, i, j, apart):
                    best[i] = False
    return score, best


@njit(cache=True)
def _middles(place: Floats, weight: Floats, starts: Ints, patch: Ints, radius: float) -> Floats:
    """Weighted middle of the pair's patches around each of some patches."""
    out = place[patch].copy()
    for n in range(len(patch)):
        i = patch[n]
        k = np.searchsorted(starts, i, side="right") - 1
        total, middle = 0.0, np.zeros(3)
        for j in range(starts[k], starts[k + 1]):
            if _near(place, i, j, radius):
                total += weight[j]
                middle += weight[j] * place[j]
        if total > 0:
            out[n] = middle / total
    return out
