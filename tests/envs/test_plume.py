"""A plume: puffs that the wind carries, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.envs.fieldmap import FieldMap
from animat.envs.fields import GaussianField, described, from_description
from animat.envs.plume import PlumeField

COMMON = {"modality": "olfaction", "channel": "odour_*", "unit": "", "peak": 1.0, "x_mm": 60.0, "y_mm": 0.0}
PLUME = PlumeField(**COMMON, speed_mm_s=100.0)
SIDE = np.linspace(-60.0, 60.0, 241)
GRID = np.stack(np.meshgrid(SIDE, SIDE), axis=-1)


def lone(**settings):
    """One puff in the air at a time, without meandering; the first leaves within a second."""
    return PlumeField(**{**COMMON, "x_mm": 0.0, **settings}, speed_mm_s=50.0, puffs_hz=1.0, meander=0.0, reach_mm=49.0)


def centre(values):
    return (GRID * values[..., None]).sum(axis=(0, 1)) / values.sum()


@settings(deadline=None)  # the first call compiles
@given(st.floats(-100, 100), st.floats(-50, 50), st.floats(0, 130), st.integers(0, 2**32 - 1))
def test_one_place_and_many_places_agree_and_no_value_is_negative(x, y, time_s, seed):
    plume = PlumeField(**COMMON, speed_mm_s=100.0, seed=seed)
    assert plume.at(x, y, 0.3, time_s) == pytest.approx(plume.values(np.array([[x, y]]), time_s)[0], abs=1e-12)
    assert plume.at(x, y, 0.3, time_s) >= 0


@pytest.mark.parametrize("towards", [np.pi, 0.4])
def test_a_puff_goes_with_the_wind_and_keeps_its_mass(towards):
    plume = lone(towards_rad=towards)
    left_s = float(plume._puffs[0][plume._puffs[0] > 0][0])
    early, late = (plume.values(GRID, left_s + age) for age in (0.2, 0.6))
    assert centre(late) - centre(early) == pytest.approx(20.0 * np.array([np.cos(towards), np.sin(towards)]), abs=0.1)
    assert late.sum() == pytest.approx(early.sum(), rel=0.01)
    assert late.max() < early.max() < 1.0


def test_there_is_odour_downwind_of_the_source_and_none_upwind():
    mean = np.mean([PLUME.values(np.array([[0.0, 0.0], [90.0, 0.0], [0.0, 60.0]]), t) for t in range(50)], axis=0)
    assert mean[0] > 0.2
    assert mean[1] < 1e-3
    assert mean[2] < 1e-3


def test_an_episode_draws_its_puffs_and_a_recording_keeps_them():
    first, same, other = (PLUME.begun(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == same
    assert first.at(0.0, 0.0, 0.0, 2.0) != other.at(0.0, 0.0, 0.0, 2.0)
    kept = from_description(described(first))
    assert kept.at(0.0, 0.0, 0.0, 2.0) == first.at(0.0, 0.0, 0.0, 2.0)


def test_a_field_without_chance_in_it_leaves_the_generator_alone():
    field, rng = (
        GaussianField(modality="x", channel="y", unit="", peak=1.0, sigma_mm=1.0, x_mm=0.0),
        np.random.default_rng(0),
    )
    assert field.begun(rng) is field
    assert rng.random() == np.random.default_rng(0).random()
    assert field.at(0.5, 0.0, 0.0, 9.0) == field.at(0.5, 0.0)


def test_the_plume_is_there_from_the_start_and_repeats_after_its_time():
    assert PLUME.values(GRID, 0.0).max() > 0.3
    assert PLUME.at(0.0, 1.0, 0.0, 3.0) == pytest.approx(PLUME.at(0.0, 1.0, 0.0, 63.0), rel=1e-6)


def test_the_gradient_is_the_slope_of_the_values():
    places, step = np.array([[0.0, 3.0], [20.0, -4.0], [41.0, 2.0]]), 1e-4
    for towards in (np.pi, 2.6):
        plume = PlumeField(**COMMON, speed_mm_s=100.0, towards_rad=towards)
        for axis in (0, 1):
            shift = step * np.eye(2)[axis]
            slope = (plume.values(places + shift) - plume.values(places - shift)) / (2 * step)
            assert plume.gradient(places)[:, axis] == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_a_plume_that_cannot_be_says_why():
    with pytest.raises(ValueError, match=r"'odour_\*': speed_mm_s \(0\) must be above 0"):
        PlumeField(**COMMON, speed_mm_s=0)
    with pytest.raises(ValueError, match=r"lasts_s \(1.0 s\) must be above the 2 s that a puff is there"):
        PlumeField(**COMMON, speed_mm_s=100.0, lasts_s=1.0)


def test_a_map_of_a_plume_shows_it_move_and_a_map_of_a_steady_field_stays():
    path = np.zeros((10, 2))
    drawn = FieldMap(PLUME, path, pixels=64)
    first, later = drawn.at(9, 0.0)[0], drawn.at(9, 0.4)[0]
    assert first.shape == (64, 64, 3)
    assert (first != later).any()
    assert np.array_equal(drawn.at(9, 0.0)[0], first)
    steady = FieldMap(GaussianField(modality="x", channel="y", unit="", peak=1.0, sigma_mm=5.0, x_mm=9.0), path)
    assert np.array_equal(steady.at(9, 0.0)[0], steady.at(9, 5.0)[0])
