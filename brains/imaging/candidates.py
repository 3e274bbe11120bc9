"""What a proofreader is asked: are these two sides one neuron?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pair_features import HOLE, Contacts
from .pieces import Pieces

__all__ = ["Candidate", "Chance", "made"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Chance = Callable[[Ints, Contacts], Floats]  # of regions and their contacts: that both sides are one neuron, 0 to 1


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A possible edit.

    Args:
        kind: "join" or "split".
        pairs: fragments to be joined or held apart.
        place_nm: where to look, (z, y, x), nm.
        confidence: that the edit is right, 0 to 1.
        reason: in words.
    """

    kind: str
    pairs: tuple[tuple[int, int], ...]
    place_nm: tuple[float, float, float]
    confidence: float
    reason: str

    @property
    def entry(self) -> dict[str, Any]:
        """Arguments of `EditLog.append`."""
        return {
            "kind": self.kind,
            "pairs": self.pairs,
            "place_nm": self.place_nm,
            "confidence": self.confidence,
            "reason": self.reason,
        }


def made(pieces: Pieces, kind: str, edges: Ints, confidence: float, reason: str) -> Candidate:
    """A candidate at the weakest boundary of some edges between fragments.

    A join needs only the one pair of fragments with the most faces without boundary; a split takes them all.
    """
    weakest = edges[np.lexsort((edges, -pieces.contact[edges, 0], -pieces.counts[edges, :HOLE].sum(axis=1)))[0]]
    chosen = edges if kind == "split" else np.array([weakest])
    pairs = tuple((int(a), int(b)) for a, b in pieces.pairs[np.sort(chosen)])
    place = pieces.place_nm(np.array([weakest]))
    return Candidate(
        kind=kind, pairs=pairs, place_nm=place, confidence=round(min(max(confidence, 0.0), 1.0), 4), reason=reason
    )
