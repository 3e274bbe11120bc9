"""Functional validation: does a network respond where the animal does?

A prediction is a matrix: how strongly (and with which sign) neuron i answers to the stimulation of neuron j. It is
scored on every pair that was observed, against three questions: which pairs respond significantly (AUC), with which
sign, and how strongly (Spearman). Pairs of one stimulated neuron share that neuron, so intervals come from a bootstrap
over stimulated neurons. A score is to be read beside its controls: shuffled wiring, direct contacts, distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .atlas import Atlas
from .connectome import Connectome
from .ranks import correlation, group_midranks, rank_auc, sign_accuracy, stratified_auc
from .response import NotSettledError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Q_SIGNIFICANT = 0.05  # false discovery rate of a significant pair; Randi et al. 2023
RESAMPLES = 1000
STRATA = 10  # of soma distance, equally many pairs in each
MEASURES = ("auc", "auc_at_distance", "spearman", "balanced_sign", "sign")


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """The observed pairs of an atlas, as places in a list of neurons; every array has shape (pairs,)."""

    responding: Ints
    stimulated: Ints
    response: Floats  # dF/F
    significant: Bools
    stratum: Ints  # tenth of the soma distance, 0 nearest; the last also has pairs of unknown distance

    @property
    def at(self) -> tuple[Ints, Ints]:
        """Index into a prediction: row responds, column is stimulated."""
        return self.responding, self.stimulated


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A measured value and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Score:
    """How a prediction does; the two sign measures are None for a prediction without sign."""

    auc: Interval  # of the strength, for significant against other pairs
    auc_at_distance: Interval  # the same among pairs whose somata are about equally far apart
    spearman: Interval  # of the strength with |dF/F|, over all pairs
    balanced_sign: Interval | None = None  # over significant pairs: mean of the accuracies on positive and on negative
    sign: Interval | None = None  # over significant pairs, as they come

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """Scores of many shuffles of the wiring under one prediction."""

    method: str  # of Connectome.shuffle
    scores: dict[str, Floats]  # measure -> one value a draw that settled
    unsettled: int  # draws without a steady state, left out

    def compared(self, measure: str, real: float) -> dict[str, float]:
        """Mean, 2.5 % and 97.5 % quantile of the draws, and p: the share, the real one counted in, as good as it."""
        drawn = self.scores[measure]
        low, high = np.quantile(drawn, (0.025, 0.975)) if drawn.size else (np.nan, np.nan)
        p = (1 + int((drawn >= real).sum())) / (1 + drawn.size)
        return {
            "mean": float(drawn.mean()) if drawn.size else float("nan"),
            "low": float(low),
            "high": float(high),
            "p": p,
            "draws": int(drawn.size),
            "unsettled": self.unsettled,
        }


def observed_pairs(atlas: Atlas, connectome: Connectome, q: float = Q_SIGNIFICANT) -> Pairs:
    """The off-diagonal pairs of which the atlas has both a response and a q value.

    Raises:
        UnknownNameError: an observed neuron is not in the connectome.
        ValueError: the pairs are all significant, or none is.
    """
    place = atlas.index_in(connectome.names)
    seen = np.isfinite(atlas.response) & np.isfinite(atlas.q) & ~np.eye(len(atlas.names), dtype=bool)
    responding, stimulated = np.nonzero(seen)
    significant = atlas.q[seen] < q
    if significant.all() or not significant.any():
        raise ValueError(
            f"atlas: {significant.sum()} of {significant.size} pairs have q below {q}; AUC needs both kinds"
        )
    at = (place[responding], place[stimulated])
    return Pairs(
        responding=at[0],
        stimulated=at[1],
        response=atlas.response[seen],
        significant=significant,
        stratum=_tenths(soma_distance(connectome)[at]),
    )


def soma_distance(connectome: Connectome) -> Floats:
    """Distance between somata, um, shape (n, n); infinite where a position is unknown."""
    somata = connectome.neurons[["x_um", "y_um", "z_um"]].to_numpy(np.float64)
    return np.asarray(np.nan_to_num(np.linalg.norm(somata[:, None] - somata[None, :], axis=2), nan=np.inf))


def _tenths(distance: Floats) -> Ints:
    known = distance[np.isfinite(distance)]
    edges = np.quantile(known, np.arange(1, STRATA) / STRATA) if known.size else np.zeros(0)
    return np.searchsorted(edges, distance).astype(np.int64)


def measures(prediction: Floats, pairs: Pairs, signed: bool = True) -> dict[str, float]:
    """All measures of a prediction, without intervals; NaN for the sign of one that has none.

    Args:
        prediction: shape (n, n), rows respond, columns are stimulated; only observed pairs are read.
        pairs: the observed ones.
        signed: whether the prediction's size is its strength and its sign the predicted sign; otherwise the value
            itself is the strength (minus infinity for no path, say).

    Raises:
        ValueError: an observed pair has no prediction.
    """
    return _Sample(prediction, pairs, signed).measured(np.ones(pairs.response.size))


class _Sample:
    """A prediction on its pairs, with everything that does not change from one resample to the next."""

    def __init__(self, prediction: Floats, pairs: Pairs, signed: bool) -> None:
        values = prediction[pairs.at]
        if np.isnan(values).any():
            k = int(np.isnan(values).argmax())
            raise ValueError(
                f"no prediction for an observed pair: neuron {pairs.stimulated[k]} to neuron {pairs.responding[k]}"
            )
        strength = np.abs(values) if signed else values
        _, self._strength = np.unique(strength, return_inverse=True)
        _, self._size = np.unique(np.abs(pairs.response), return_inverse=True)
        self._members = [np.flatnonzero(pairs.stratum == k) for k in np.unique(pairs.stratum)]
        self._within = [np.unique(strength[rows], return_inverse=True)[1] for rows in self._members]
        self._significant, self._signed = pairs.significant, signed
        self._predicted, self._response = values[pairs.significant], pairs.response[pairs.significant]

    def measured(self, weights: Floats) -> dict[str, float]:
        ranks = group_midranks(self._strength, weights)
        found = dict.fromkeys(MEASURES, float("nan"))
        found["auc"] = rank_auc(ranks, self._significant, weights)
        found["auc_at_distance"] = stratified_auc(self._within, self._members, self._significant, weights)
        found["spearman"] = correlation(ranks, group_midranks(self._size, weights), weights)
        if self._signed:
            of_significant = weights[self._significant]
            for name, balanced in {"balanced_sign": True, "sign": False}.items():
                found[name] = sign_accuracy(self._predicted, self._response, of_significant, balanced)
        return found


def score(
    prediction: Floats, pairs: Pairs, rng: np.random.Generator, signed: bool = True, resamples: int = RESAMPLES
) -> Score:
    """All measures with 95 % intervals, from a bootstrap that draws stimulated neurons with all their pairs.

    Args:
        prediction: see `measures`.
        pairs: the observed ones.
        rng: of the bootstrap.
        signed: see `measures`.
        resamples: how many.
    """
    sample = _Sample(prediction, pairs, signed)
    real = sample.measured(np.ones(pairs.response.size))
    _, cluster = np.unique(pairs.stimulated, return_inverse=True)
    k = int(cluster.max()) + 1
    draws = rng.multinomial(k, np.full(k, 1.0 / k), size=resamples).astype(np.float64)
    drawn = [sample.measured(counts[cluster]) for counts in draws]
    intervals = {}
    for name in MEASURES if signed else MEASURES[:3]:
        values = np.array([measured[name] for measured in drawn])
        known = values[np.isfinite(values)]  # a resample without one of the kinds has no score
        low, high = np.quantile(known, (0.025, 0.975)) if known.size else (float("nan"), float("nan"))
        intervals[name] = Interval(value=real[name], low=float(low), high=float(high))
    return Score(**intervals)


def control(
    connectome: Connectome,
    predict: Callable[[Connectome], Floats],
    pairs: Pairs,
    method: Literal["degree", "label"],
    draws: int,
    rng: np.random.Generator,
) -> Control:
    """The same prediction from shuffled wirings.

    Args:
        connectome: the real one.
        predict: connectome -> prediction.
        pairs: the observed ones.
        method: of `Connectome.shuffle`.
        draws: how many shuffles.
        rng: of the shuffles.
    """
    found: list[dict[str, float]] = []
    unsettled = 0
    for _ in range(draws):
        try:
            found.append(measures(predict(connectome.shuffle(rng, method)), pairs))
        except NotSettledError:
            unsettled += 1
    scores = {name: np.array([one[name] for one in found]) for name in MEASURES}
    return Control(method=method, scores=scores, unsettled=unsettled)


def baselines(connectome: Connectome, atlas: Atlas) -> dict[str, Floats]:
    """Predictions without dynamics, by name, each of strength only and shape (n, n); none has a parameter.

    Direct contacts, the shortest path along chemical synapses and gap junctions, closeness of the somata, and two that
    know no pair at all: the product of the degrees (contacts given times contacts received), and how often the atlas
    observed the pair, since more trials make a smaller q.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import shortest_path

    chemical, gap = (connectome.matrix(kind, signed=False).toarray() for kind in ("chemical", "electrical"))
    both = chemical + gap
    np.fill_diagonal(both, 0.0)
    place = atlas.index_in(connectome.names)
    known = np.flatnonzero(place >= 0)
    trials = np.zeros(both.shape)
    trials[np.ix_(place[known], place[known])] = atlas.observations[np.ix_(known, known)]
    # Dijkstra by name: the method picked for dense graphs fails silently on a transposed matrix
    hops = shortest_path(sparse.csr_array(both.T), method="D", unweighted=True)
    return {
        "chemical contacts": chemical,
        "gap contacts": gap,
        "chemical + gap contacts": both,
        "shortest path": -hops.T,
        "soma distance": -soma_distance(connectome),
        "degree product": both.sum(axis=1)[:, None] * both.sum(axis=0)[None, :],
        "number of trials": trials,
    }
