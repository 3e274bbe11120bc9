"""The rank statistics against their definitions, counted out."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from animat.brains.ranks import auc, midranks, roc, sign_accuracy, spearman, stratified_auc

TIED = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40)


def split(pairs) -> tuple[np.ndarray, np.ndarray]:
    strength = np.array([value for value, _ in pairs], dtype=np.float64)
    positive = np.array([kind for _, kind in pairs])
    assume(positive.any() and not positive.all())
    return strength, positive


def counted(strength, positive) -> float:
    wins = [(p > n) + 0.5 * (p == n) for p in strength[positive] for n in strength[~positive]]
    return float(np.mean(wins))


def test_auc_of_a_hand_example():
    # 3 beats 2 and 1, 1 loses to 2 and ties with 1: 2.5 of 4
    assert auc(np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, True, False, False])) == 0.625


@given(TIED)
def test_auc_is_the_share_of_pairs_won_with_ties_counting_half(pairs):
    strength, positive = split(pairs)
    assert auc(strength, positive) == pytest.approx(counted(strength, positive), abs=1e-12)


@given(TIED)
def test_auc_ignores_monotone_transforms_and_reversing_gives_one_minus_it(pairs):
    strength, positive = split(pairs)
    assert auc(np.exp(strength) - 7.0, positive) == auc(strength, positive)
    assert auc(-strength, positive) == pytest.approx(1.0 - auc(strength, positive), abs=1e-12)


@given(TIED)
def test_the_area_under_the_roc_curve_is_the_auc(pairs):
    strength, positive = split(pairs)
    false, true = roc(strength, positive)
    assert (false[0], true[0], false[-1], true[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert np.trapezoid(true, false) == pytest.approx(auc(strength, positive), abs=1e-12)


def test_minus_infinity_is_the_weakest_strength():
    assert auc(np.array([-np.inf, -3.0, -np.inf]), np.array([False, True, True])) == 0.75


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 4)), min_size=1, max_size=20))
def test_a_weight_is_that_many_copies(pairs):
    values, weights = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    copies = np.repeat(values, weights.astype(int))
    ranks = dict(zip(copies, rankdata(copies) - 0.5, strict=True))
    np.testing.assert_allclose(midranks(values, weights), [ranks[value] for value in values])


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=30))
def test_spearman_is_scipys(pairs):
    one, other = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    assume(np.ptp(one) > 0 and np.ptp(other) > 0)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_stratified_auc_compares_only_within_a_stratum(rows):
    stratum = np.array([row[0] for row in rows])
    strength, positive = split([row[1:] for row in rows])
    members = [np.flatnonzero(stratum == k) for k in np.unique(stratum)]
    groups = [np.unique(strength[m], return_inverse=True)[1] for m in members]
    wins = [
        (strength[i] > strength[j]) + 0.5 * (strength[i] == strength[j])
        for i in np.flatnonzero(positive)
        for j in np.flatnonzero(~positive)
        if stratum[i] == stratum[j]
    ]
    found = stratified_auc(groups, members, positive, np.ones(stratum.size))
    assert np.isnan(found) if not wins else found == pytest.approx(np.mean(wins), abs=1e-12)


def test_balanced_sign_accuracy_gives_always_positive_one_half():
    response = np.array([1.0, 2.0, 3.0, -1.0])
    weights = np.ones(4)
    assert sign_accuracy(np.ones(4), response, weights, balanced=False) == 0.75
    assert sign_accuracy(np.ones(4), response, weights, balanced=True) == 0.5
    assert sign_accuracy(np.zeros(4), response, weights, balanced=False) == 0.5  # a zero is half right
    assert sign_accuracy(response, response, weights, balanced=True) == 1.0
    assert np.isnan(sign_accuracy(np.ones(3), np.ones(3), np.ones(3), balanced=True))
