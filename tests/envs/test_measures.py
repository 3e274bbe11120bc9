"""Measures against waves whose speed, frequency and wavelength are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.envs.measures import bend_angles, measure, moving_average, reversals, signed_speed, undulation

DT_S, POINTS = 0.01, 25


def swimmer(hz: float, wavelength: float, speed: float, seconds: float = 12.0, amplitude: float = 0.3):
    """A made-up animal whose bends are a travelling wave while its centroid glides along +x."""
    time_s = np.arange(1, round(seconds / DT_S) + 1) * DT_S
    along = np.arange(POINTS - 2) / POINTS
    bends = amplitude * np.sin(2 * np.pi * (hz * time_s[:, None] - along / wavelength))
    heading = np.concatenate([np.zeros((len(time_s), 1)), np.cumsum(bends, axis=1)], axis=1) + np.pi
    heading -= heading.mean(axis=1, keepdims=True) - np.pi
    steps = np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=-1) / POINTS
    line = np.concatenate([np.zeros((len(time_s), 1, 3)), np.cumsum(steps, axis=1)], axis=1)
    line -= line.mean(axis=1, keepdims=True)
    line[..., 0] += speed * time_s[:, None]
    return time_s, line


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(0.4, 2.5))
def test_frequency_and_wavelength_of_a_known_wave_are_recovered(hz, wavelength):
    time_s, line = swimmer(hz, wavelength, speed=0.0)
    measured_hz, measured_wavelength = undulation(time_s, bend_angles(line))
    assert measured_hz == pytest.approx(hz, rel=0.02)
    assert measured_wavelength == pytest.approx(wavelength, rel=0.02)


@pytest.mark.parametrize("speed", [0.2, -0.1])
def test_speed_is_signed_along_the_body(speed):
    time_s, line = swimmer(0.5, 0.65, speed)
    result = measure(time_s, line)
    assert result["speed_mm_s"] == pytest.approx(speed, rel=0.05)
    assert result["travel_mm"] == pytest.approx(abs(speed) * (time_s[-1] - time_s[0]), rel=1e-6)


def test_measures_do_not_depend_on_where_the_animal_is_or_which_way_it_heads():
    time_s, line = swimmer(0.6, 0.7, 0.15)
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
    moved = measure(time_s, line @ turn.T + [3.0, -2.0, 0.0])
    for name, value in measure(time_s, line).items():
        assert moved[name] == pytest.approx(value, rel=1e-6), name


def test_a_wave_that_runs_from_tail_to_head_has_a_negative_wavelength():
    time_s, line = swimmer(0.5, -0.65, 0.0)
    assert measure(time_s, line)["wavelength_body_lengths"] == pytest.approx(-0.65, rel=0.02)


def test_only_backward_runs_of_half_a_second_are_reversals():
    time_s = np.arange(1000) * DT_S
    speed = np.full(1000, 0.2)
    speed[100:120] = -0.1  # 0.2 s
    speed[400:600] = -0.1  # 2 s
    assert reversals(time_s, speed) == 1


def test_signed_speed_of_an_animal_at_rest_is_zero():
    time_s, line = swimmer(0.5, 0.65, 0.0, amplitude=0.0)
    assert np.abs(signed_speed(time_s, line)).max() < 1e-12


def test_too_short_a_run_is_refused():
    with pytest.raises(ValueError, match="T >= 10"):
        measure(np.arange(5.0), np.zeros((5, 25, 3)))


@given(st.integers(1, 40), st.integers(1, 15))
def test_a_moving_average_keeps_length_and_constants_and_stays_within_the_values(length, samples):
    values = np.random.default_rng(length).normal(size=length)
    smooth = moving_average(values, samples)
    assert smooth.shape == values.shape
    assert values.min() - 1e-9 <= smooth.min() <= smooth.max() <= values.max() + 1e-9
    assert moving_average(np.full(length, 2.5), samples) == pytest.approx(np.full(length, 2.5))
