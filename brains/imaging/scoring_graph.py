"""How well a reconstructed graph agrees with the true one: neurons matched, edges, synapses, expected run length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from ..connectome import Connectome
from .scoring import contingency, harmonic

__all__ = ["Detection", "EdgeScore", "expected_run_length", "match_labels", "score_edges", "score_synapses"]

Labels = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
NM = 100.0  # nm; assumed: about the radius of a small synapse's cleft, so that a neighbour is not taken for it


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Things found against things there; counts, or weights of edges."""

    hits: float  # found and there
    found: float
    truth: float

    @property
    def precision(self) -> float:
        """Share of what was found that is there; 1 where nothing was found."""
        return self.hits / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 1 where nothing is there."""
        return self.hits / self.truth if self.truth else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic(self.precision, self.recall)

    def __str__(self) -> str:
        return f"F1 {self.f1:.3f} (precision {self.precision:.3f}, recall {self.recall:.3f})"


@dataclass(frozen=True, kw_only=True)
class EdgeScore:
    """Directed edges of one kind: there or not, and their counts."""

    plain: Detection  # an edge is found if both neurons are matched and an edge of any count joins them
    weighted: Detection  # the smaller of both counts is what was found of an edge


def match_labels(found: Labels, truth: Labels) -> dict[int, int]:
    """Which true neuron each found label stands for: one to one, sharing as many voxels as possible.

    A neuron in pieces is its best piece; the other pieces stand for none, and their synapses count as wrong. Anything
    more generous (each piece its own neuron's) would score a graph of crumbs as perfect.

    Args:
        found: labels, any shape; 0 is nothing.
        truth: labels, same shape; 0 is nothing.

    Returns:
        Truth label by found label; labels without a partner are left out.
    """
    counts, truth_names, found_names = contingency(found, truth)
    counts = counts[:, found_names != 0]
    found_names = found_names[found_names != 0]
    best = np.unique(counts.tocoo().col[counts.tocoo().data > 0])  # a dense matrix of these alone
    shared = counts[:, best].toarray()
    rows, columns = linear_sum_assignment(shared, maximize=True)
    good = shared[rows, columns] > 0
    pairs = zip(found_names[best[columns[good]]].tolist(), truth_names[rows[good]].tolist(), strict=True)
    return dict(pairs)


def score_edges(
    found: Connectome, truth: Connectome, match: Mapping[str, str] | None = None, kind: str = "chemical"
) -> EdgeScore:
    """Compare the edges of two connectomes.

    Args:
        found: the reconstruction.
        truth: what was there.
        match: name in `truth` by name in `found`, one to one; None where the names are the same. Edges of neurons
            without a partner are wrong.
        kind: of the synapses compared.

    Raises:
        ValueError: two found neurons are matched to one.
    """
    names = match if match is not None else {name: name for name in set(found.names) & set(truth.names)}
    if len(set(names.values())) < len(names):
        raise ValueError("score_edges: `match` gives two found neurons to one neuron of the truth")
    mine, theirs = _edges(found, kind), _edges(truth, kind)
    named = {(names[pre], names[post]): n for (pre, post), n in mine.items() if pre in names and post in names}
    shared = named.keys() & theirs.keys()
    return EdgeScore(
        plain=Detection(hits=len(shared), found=len(mine), truth=len(theirs)),
        weighted=Detection(
            hits=sum(min(named[edge], theirs[edge]) for edge in shared),
            found=sum(mine.values()),
            truth=sum(theirs.values()),
        ),
    )


def _edges(connectome: Connectome, kind: str) -> dict[tuple[str, str], float]:
    """Count of every edge of a kind."""
    matrix = connectome.matrix(kind, signed=False).tocoo()
    names = connectome.names
    rows, columns, values = matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist()
    return {(names[pre], names[post]): n for post, pre, n in zip(rows, columns, values, strict=True)}


def score_synapses(
    found_nm: ArrayLike,
    truth_nm: ArrayLike,
    within_nm: float = NM,
    found_partners: ArrayLike | None = None,
    truth_partners: ArrayLike | None = None,
) -> Detection:
    """Pair found with true synapses, as many as can be, each once.

    Args:
        found_nm: shape (n, 3), place of each, nm.
        truth_nm: shape (m, 3).
        within_nm: a pair lies at most this far apart, nm.
        found_partners: shape (n, 2), label of the true neuron before and after it; None judges the place alone.
        truth_partners: shape (m, 2).
    """
    found = np.asarray(found_nm, dtype=np.float64).reshape(-1, 3)
    truth = np.asarray(truth_nm, dtype=np.float64).reshape(-1, 3)
    if not len(found) or not len(truth):
        return Detection(hits=0, found=len(found), truth=len(truth))
    near = cKDTree(found).sparse_distance_matrix(cKDTree(truth), within_nm, output_type="coo_matrix")
    rows, columns = near.row, near.col
    if found_partners is not None and truth_partners is not None:
        same = (np.asarray(found_partners)[rows] == np.asarray(truth_partners)[columns]).all(axis=1)
        rows, columns = rows[same], columns[same]
    graph = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(found), len(truth)))
    hits = int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())
    return Detection(hits=hits, found=len(found), truth=len(truth))


def expected_run_length(nodes: ArrayLike, edges: ArrayLike, neuron: ArrayLike, lengths: ArrayLike) -> float:
    """Length a tracer walks without an error from a random point of the true skeletons, in the unit of `lengths`.

    A found label on two neurons is a merge: its whole length counts as 0. Source: Januszewski et al. 2018, Nat Methods
    15:605.

    Args:
        nodes: shape (n,), found label at each node of the skeletons; 0 is nothing.
        edges: shape (m, 2), nodes each edge joins.
        neuron: shape (n,), the true neuron of each node.
        lengths: shape (m,), of the edges.
    """
    label, neuron_of = np.asarray(nodes), np.asarray(neuron)
    ends, length = np.asarray(edges).reshape(-1, 2), np.asarray(lengths, dtype=np.float64)
    pairs = np.unique(np.stack([label[label != 0], neuron_of[label != 0]], axis=1), axis=0)
    names, times = np.unique(pairs[:, 0], return_counts=True)
    merged = names[times > 1]
    whole = (label[ends[:, 0]] == label[ends[:, 1]]) & (label[ends[:, 0]] != 0) & ~np.isin(label[ends[:, 0]], merged)
    good = ends[whole]
    graph = sparse.coo_array((np.ones(len(good)), (good[:, 0], good[:, 1])), shape=(len(label),) * 2)
    _, piece = sparse.csgraph.connected_components(graph, directed=False)
    runs = np.bincount(piece[good[:, 0]], weights=length[whole], minlength=len(label))
    total = float(length.sum())
    return float(np.square(runs).sum() / total) if total > 0 else 0.0
