from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from animat.envs.statistics import contrast, hedges_g, mean

NUMBERS = arrays(np.float64, st.integers(3, 12), elements=st.floats(-1e3, 1e3, width=32))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@settings(max_examples=40, deadline=None)
@given(values=NUMBERS)
def test_the_interval_lies_within_the_values_and_round_their_mean(values):
    found = mean(values, rng())
    slack = 1e-9 * (1 + np.abs(values).max())
    assert values.min() - slack <= found.low <= found.mean + slack
    assert found.mean - slack <= found.high <= values.max() + slack


@settings(max_examples=40, deadline=None)
@given(values=NUMBERS, shift=st.floats(-100, 100))
def test_a_shift_of_every_value_shifts_the_interval(values, shift):
    before, after = mean(values, rng()), mean(values + shift, rng())
    assert np.subtract(after[1:], before[1:]) == pytest.approx(shift, abs=1e-6)


def test_the_interval_covers_the_true_mean_in_about_95_of_100_experiments():
    draws = np.random.default_rng(1).normal(2.0, 1.0, size=(300, 20))
    covered = [found.low <= 2.0 <= found.high for found in (mean(row, rng()) for row in draws)]
    assert 0.89 <= np.mean(covered) <= 0.98  # the percentile interval of 20 values is a little narrow


def test_what_is_not_a_number_is_left_out_and_counted():
    found = mean(np.array([1.0, np.nan, 3.0, np.nan, 2.0]), rng())
    assert (found.n, found.mean) == (3, 2.0)
    assert mean(np.array([np.nan, np.nan]), rng()).n == 0


def test_two_values_have_a_mean_and_no_interval():
    found = mean(np.array([1.0, 3.0]), rng())
    assert found.mean == 2.0
    assert np.isnan([found.low, found.high]).all()


def test_hedges_g_of_a_hand_worked_example():
    control, live = np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0])
    assert hedges_g(control, live) == pytest.approx(2.0 * (1 - 3 / 15))  # pooled deviation 1, n1 + n2 = 6


@settings(max_examples=40, deadline=None)
@given(control=NUMBERS, live=NUMBERS)
def test_hedges_g_changes_sign_when_the_groups_are_exchanged(control, live):
    there, back = hedges_g(control, live), hedges_g(live, control)
    assert there == pytest.approx(-back, rel=1e-9) or (np.isinf(there) and np.isinf(back))


def test_groups_that_do_not_vary_differ_infinitely_or_not_at_all():
    assert hedges_g(np.full(4, 0.1), np.full(4, 0.3)) == -np.inf
    assert hedges_g(np.full(4, 0.3), np.full(4, 0.3)) == 0.0
    assert np.isnan(hedges_g(np.array([1.0]), np.array([2.0])))


def test_a_contrast_pairs_the_seeds():
    live = np.array([0.0, 10.0, 20.0, 30.0])
    found = contrast(live + 1.0, live, rng())
    assert (found.difference.low, found.difference.high) == (1.0, 1.0)  # the spread between seeds is not in it
    with pytest.raises(ValueError, match=r"shape \(3,\), the live animal \(4,\)"):
        contrast(live[:3], live, rng())
