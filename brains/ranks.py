"""Rank statistics with weights: what a resample with repetitions would give, without building it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def midranks(values: Floats, weights: Floats) -> Floats:
    """Weight below each value plus half the weight tied with it; with unit weights, the usual midrank less a half."""
    _, group = np.unique(values, return_inverse=True)
    return group_midranks(group, weights)


def group_midranks(group: Ints, weights: Floats) -> Floats:
    """`midranks` of values given by their place among the distinct ones, which need not be sorted out again."""
    mass = np.bincount(group, weights)
    return np.asarray((np.cumsum(mass) - 0.5 * mass)[group])


def auc(strength: Floats, positive: Bools) -> float:
    """Chance that a positive has the larger strength, ties counting half (Mann-Whitney); both of shape (k,)."""
    return rank_auc(midranks(strength, np.ones(strength.size)), positive, np.ones(strength.size))


def rank_auc(ranks: Floats, positive: Bools, weights: Floats) -> float:
    """From weighted midranks; NaN where there is only one kind."""
    of_positive = float(weights[positive].sum())
    others = float(weights.sum()) - of_positive
    if of_positive == 0.0 or others == 0.0:
        return float("nan")
    won = float(weights[positive] @ ranks[positive]) - 0.5 * of_positive**2
    return won / (of_positive * others)


def stratified_auc(groups: list[Ints], members: list[Ints], positive: Bools, weights: Floats) -> float:
    """Chance that a positive has the larger strength than another of its own stratum; NaN where no stratum has both.

    Args:
        groups: of each stratum, the place of its members' strengths among their distinct ones.
        members: of each stratum, which of the pairs are in it.
        positive: shape (k,).
        weights: shape (k,).
    """
    won, compared = 0.0, 0.0
    for group, rows in zip(groups, members, strict=True):
        own, kind = weights[rows], positive[rows]
        size = float(own[kind].sum() * own[~kind].sum())
        if size > 0.0:
            won += size * rank_auc(group_midranks(group, own), kind, own)
            compared += size
    return won / compared if compared > 0.0 else float("nan")


def roc(strength: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """False and true positive rates as the threshold falls, from (0, 0) to (1, 1); ties move together."""
    _, group = np.unique(-strength, return_inverse=True)
    rates = []
    for kind in (~positive, positive):
        counted = np.bincount(group, kind)
        rates.append(np.concatenate([[0.0], np.cumsum(counted) / counted.sum()]))
    return rates[0], rates[1]


def sign_accuracy(predicted: Floats, response: Floats, weights: Floats, balanced: bool) -> float:
    """Share of signs that are right, a predicted zero counting half; NaN where nothing, or one sign, is there."""
    right = np.where(predicted == 0.0, 0.5, np.sign(predicted) == np.sign(response))
    kinds = (response > 0, response < 0) if balanced else (response != 0,)
    totals = [weights[kind].sum() for kind in kinds]
    if min(totals) == 0.0:
        return float("nan")
    return float(np.mean([weights[kind] @ right[kind] / total for kind, total in zip(kinds, totals, strict=True)]))


def correlation(x: Floats, y: Floats, weights: Floats) -> float:
    """Weighted Pearson correlation; of weighted midranks it is Spearman's. NaN where one does not vary."""
    share = weights / weights.sum()
    dx, dy = x - share @ x, y - share @ y
    spread = float(share @ dx**2) * float(share @ dy**2)
    return float(share @ (dx * dy)) / spread**0.5 if spread > 0.0 else float("nan")


def spearman(one: Floats, other: Floats) -> float:
    """Rank correlation with midranks for ties; both of shape (k,)."""
    weights = np.ones(one.size)
    return correlation(midranks(one, weights), midranks(other, weights), weights)
