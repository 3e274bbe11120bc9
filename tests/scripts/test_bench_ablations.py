"""The benchmark of published ablations: its table, and what counts as a change."""

import numpy as np
import pytest

from animat.brains.cells import members
from animat.envs.statistics import Mean
from animat.organisms.organism import make
from animat.scripts.bench_ablations import LEAST, OUTCOMES, Ablation, Outcome, measured, outcome, table

TEST = Ablation(row=1, ablate="AVA", task="touch", drive="", measure="m", expected="falls", what="w", source="s")


def changed(change: float, low: float, high: float, expected: str = "falls", intact: float = 1.0) -> Outcome:
    test = Ablation(**{**vars(TEST), "expected": expected})
    return Outcome(test=test, intact=intact, change=Mean(10, change, low, high), g=1.0)


def test_the_table_has_the_eleven_published_rows_and_names_neurons_that_exist():
    tests, worm = table(), make("worm")
    assert {test.row for test in tests} == set(range(1, 12))
    for test in tests:
        assert test.expected in OUTCOMES
        assert test.source
        assert all(members(worm.reference, selector) for selector in test.ablate.split())


@pytest.mark.parametrize(
    ("change", "low", "high", "sign"),
    [(-0.5, -0.6, -0.4, -1), (0.5, 0.4, 0.6, 1), (-0.5, -1.1, 0.1, 0), (-LEAST / 2, -0.11, -0.09, 0)],
)
def test_a_change_counts_if_its_interval_leaves_out_zero_and_it_is_large_enough(change, low, high, sign):
    assert changed(change, low, high).observed == sign


def test_kept_allows_a_rise_and_stays_does_not():
    assert changed(0.5, 0.4, 0.6, "kept").as_expected
    assert changed(0.0, -0.1, 0.1, "kept").as_expected
    assert not changed(-0.5, -0.6, -0.4, "kept").as_expected
    assert not changed(0.5, 0.4, 0.6, "stays").as_expected


def test_the_sign_of_a_reversal_is_that_of_going_backward_faster():
    test = Ablation(**{**vars(TEST), "measure": "reversal_mm_s"})
    intact, ablated = ([{"speed_anterior_mm_s": v + d} for d in (0, 0.01, 0.02)] for v in (-0.12, 0.0))
    found = outcome(test, intact, ablated)
    assert found.observed == -1
    assert found.intact == pytest.approx(0.11)


def test_a_worm_without_motor_neurons_of_the_b_class_stands_still_in_the_benchmark():
    runs = measured([("crawl", "", ""), ("crawl", "", "DB VB")], seeds=(50,))
    intact, ablated = (runs["crawl", "", cells][0]["speed_mm_s"] for cells in ("", "DB VB"))
    assert intact > 0.1 > 0.02 > abs(ablated)
    assert np.isfinite(intact)
