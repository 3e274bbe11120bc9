"""Dorsal against ventral muscles, by their names."""

import numpy as np
import pytest

from animat.envs.muscles import co_contraction, muscle_sides

FOUR = ("MDL01", "MDR01", "MVL01", "MVR01")


def test_left_and_right_of_a_side_are_averaged_whatever_their_order():
    dorsal, ventral = muscle_sides(("MVR02", "MDL01", "MDR01", "MVL01", "MVL02", "MDL02"), np.arange(6.0)[None])
    assert dorsal.tolist() == [[1.5, 5.0]]
    assert ventral.tolist() == [[3.0, 2.0]]


def test_alternating_sides_do_not_co_contract_and_equal_ones_do():
    wave = np.tile([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], (10, 1))
    assert co_contraction(FOUR, wave) == {"co_contraction": 0.0}
    assert co_contraction(FOUR, np.full((20, 4), 0.3)) == {"co_contraction": pytest.approx(0.3)}


def test_the_start_of_a_run_does_not_count_as_co_contraction():
    activation = np.zeros((100, 4))
    activation[:20] = 1.0
    assert co_contraction(FOUR, activation) == {"co_contraction": 0.0}


@pytest.mark.parametrize("names", [("femur", "tibia"), ("MDL01", "MVL02"), ("MDL01", "wing"), ()])
def test_effectors_that_are_not_opposing_pairs_have_no_sides(names):
    assert muscle_sides(names, np.zeros((3, len(names)))) is None
    assert co_contraction(names, np.zeros((3, len(names)))) == {}
