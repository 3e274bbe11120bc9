"""Settings of fragments and agglomeration for a boundary map, chosen on tissue whose truth is known.

They are chosen on the volume a predictor was trained on and travel with its weights; never on one that judges it.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .agglomerate import Agglomeration, agglomerate
from .fragments import Fragments, fragments
from .region_graph import RegionGraph, region_graph
from .scoring import Labels, contingency, relabel_components
from .volume import Voxel

__all__ = ["Choice", "choose"]

BOUNDARIES = (0.3, 0.5, 0.7, 0.9)
SMOOTH_NM = (10.0, 20.0)
QUANTILES = (0.0, 0.03, 0.1, 0.25, 0.5)
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(2, 20))
Choice = tuple[float, Fragments, Agglomeration]


def choose(boundary: NDArray[np.uint8], truth: Labels, voxel_nm: Voxel) -> Choice:
    """The settings with the lowest adapted Rand error on a grid.

    Args:
        boundary: shape (z, y, x), 255 for a certain boundary.
        truth: labels, the same shape; 0 does not count.
        voxel_nm: size of a voxel along (z, y, x), nm.

    Returns:
        The error and the settings.
    """
    pieces = relabel_components(truth)
    found = []
    for level, smooth in product(BOUNDARIES, SMOOTH_NM):
        how = Fragments(boundary=level, smooth_nm=smooth)
        labels = fragments(boundary, voxel_nm, how)
        graph, sizes = region_graph(labels, boundary), np.bincount(labels.ravel())
        counts, _, names = contingency(labels, pieces)
        error, rule = _best(graph, sizes, counts, names)
        found.append((error, how, rule))
    return min(found, key=lambda choice: choice[0])


def _best(
    graph: RegionGraph, sizes: NDArray[np.int64], counts: sparse.csr_array, names: Labels
) -> tuple[float, Agglomeration]:
    rules = [Agglomeration(quantile=q, threshold=t) for q, t in product(QUANTILES, THRESHOLDS)]
    errors = [_error(counts, agglomerate(graph, sizes, rule)[0][names]) for rule in rules]
    best = int(np.argmin(errors))
    return errors[best], rules[best]


def _error(counts: sparse.csr_array, regions: NDArray[np.int64]) -> float:
    """Adapted Rand error when the columns of a table (truth, fragment) are added up by region."""
    _, columns = np.unique(regions, return_inverse=True)
    ones = np.ones(len(columns))
    joined = counts @ sparse.coo_array((ones, (np.arange(len(columns)), columns))).tocsr()
    together = float((joined.data**2).sum())
    rows, sums = joined.sum(axis=1), joined.sum(axis=0)
    return 1 - 2 * together / float((rows**2).sum() + (sums**2).sum())
