"""Places along contacts that may be synapses: where the dark goes deeper than an ordinary membrane's.

Darkness is told against the ordinary membranes of the same block, in their robust standard deviations. A place is the
darkest of its pair of segments within a distance; every place that could be one is kept, a classifier judges.
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
PATCH_NM = 110.0  # nm, radius over which darkness is averaged; of 60 to 140 the best on seeds 1000 to 1007
APART_NM = 150.0  # nm, least distance between two synapses of one pair; the same
LEAST_SPREAD = 8.0  # grey values; assumed: keeps noise of a membrane that is the same everywhere from standing out
REACH_NM = PATCH_NM + APART_NM  # nm around a place that decide on it


@dataclass(frozen=True, kw_only=True)
class Tone:
    """What grey means in a block."""

    membrane: float  # grey value, median beside all contacts
    spread: float  # standard deviation there, robust

    def dark(self, grey: Floats) -> Floats:
        """Above 0 where it is darker than an ordinary membrane."""
        return np.asarray((self.membrane - grey) / self.spread)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clefts:
    """Places that may be synapses; k of them.

    Args:
        patch: shape (k,), row of the contacts each stands at.
        score: shape (k,), darkness around, beside the membrane and deep on both sides together, against all contacts.
        rival: shape (k,), the best score of another pair within PATCH_NM.
        place_nm: shape (k, 3), middle of the dark patches around.
    """

    patch: Ints
    score: Floats
    rival: Floats
    place_nm: Floats


def tone(found: Contacts) -> Tone:
    """The greys of a block, most of whose contacts are ordinary membranes."""
    membrane, spread = _robust(found.grey[:, 0])
    return Tone(membrane=membrane, spread=spread)


def _robust(values: Floats) -> tuple[float, float]:
    """Median and standard deviation as it follows from the median deviation, at least LEAST_SPREAD."""
    if not len(values):
        return 0.0, LEAST_SPREAD
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), LEAST_SPREAD)


def clefts(found: Contacts, tones: Tone, least: float) -> Clefts:
    """Find the places.

    Args:
        found: patches of contact.
        tones: greys of the block.
        least: score below which no place is kept.
    """
    around = _smooth(found.place_nm, found.area_nm2, found.grey.sum(axis=1), found.starts, PATCH_NM)
    middle, spread = _robust(around)
    score = (middle - around) / spread
    patch = np.flatnonzero(_best(found.place_nm, score, found.starts, APART_NM, least))
    weight = found.area_nm2 * np.maximum(tones.dark(found.grey).mean(axis=1) + 1.0, 0.0) ** 2
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
    return bool(z * z + y * y + x * x <= radius * radius)


@njit(cache=True)
def _smooth(place: Floats, area: Floats, grey: Floats, starts: Ints, radius: float) -> Floats:
    """Mean of the pair's patches around every patch."""
    out = np.zeros(len(place))
    for k in range(len(starts) - 1):
        for i in range(starts[k], starts[k + 1]):
            total, weight = 0.0, 0.0
            for j in range(starts[k], starts[k + 1]):
                if _near(place, i, j, radius):
                    total += area[j] * grey[j]
                    weight += area[j]
            out[i] = total / weight
    return out


@njit(cache=True)
def _best(place: Floats, score: Floats, starts: Ints, apart: float, least: float) -> NDArray[np.bool_]:
    """Whether every patch has the best score of its pair within a distance, and one high enough."""
    best = score >= least
    for k in range(len(starts) - 1):
        for i in range(starts[k], starts[k + 1]):
            j = starts[k]
            while best[i] and j < starts[k + 1]:
                better = score[j] > score[i] or (score[j] == score[i] and j < i)
                best[i] = not (better and _near(place, i, j, apart))
                j += 1
    return best


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
