"""A control of V1: every cell gets the inputs of another of its kind, so that what it says no longer says where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...brains.compact import CompactConnectome


def inputs_dealt(
    wiring: CompactConnectome, group: NDArray[np.integer[Any]], rng: np.random.Generator
) -> CompactConnectome:
    """The wiring in which the inputs of the cells of each group are dealt anew among them, a whole cell's at a time.

    Every cell keeps its outputs, every group its numbers of inputs from every other, and an edge its count and sign.

    Args:
        wiring: of all cells.
        group: of every cell, such as its type, shape (n,).
        rng: of the dealing.
    """
    taker = np.arange(wiring.n, dtype=np.int32)
    for which in np.unique(group):
        members = np.flatnonzero(group == which)
        taker[members] = rng.permutation(members)
    pre = np.repeat(np.arange(wiring.n), np.diff(wiring.start))
    target = taker[wiring.target]
    order = np.lexsort((target, pre))
    return replace(
        wiring,
        target=target[order],
        count=wiring.count[order],
        sign=wiring.sign[order],
        provenance="derived",
        source=wiring.source.changed("inputs dealt anew within types"),
    )
