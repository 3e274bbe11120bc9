"""Gait against footfall patterns that were made with a known frequency, duty and phases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.envs.gait import footfalls, gait_measures, mean_phase, phase_distance, phases, stances

DT_S = 0.002
LEGS = ("LF", "LM", "LH", "RF", "RM", "RH")
TRIPOD = (0.0, 0.5, 0.0, 0.5, 0.0, 0.5)


def walk(hz, duty, shifts, seconds=2.0, speed=10.0, force=3.0, dt_s=DT_S):
    """Times, forces and feet of an animal going along x; a leg of shift 0.25 touches down a quarter step late."""
    time_s = np.arange(1, round(seconds / dt_s) + 1) * dt_s
    cycle = (time_s[:, None] * hz - np.array(shifts)) % 1.0
    standing = cycle < duty
    stride = speed / hz
    # a foot that stands stays where it landed; one that swings is on its way there
    landed = (np.floor(time_s[:, None] * hz - np.array(shifts)) + np.array(shifts)) * stride
    feet = np.zeros((len(time_s), len(shifts), 3))
    feet[..., 0] = landed + np.where(standing, 0.0, (cycle - duty) / (1 - duty) * stride)
    return time_s, np.where(standing, force, 0.0), feet


@settings(deadline=None, max_examples=60)
@given(
    hz=st.floats(4, 16),
    duty=st.floats(0.35, 0.8),
    shifts=st.lists(st.floats(0, 0.999), min_size=5, max_size=5),
)
def test_frequency_duty_swing_and_phases_come_back_from_the_pattern_they_made(hz, duty, shifts):
    shifts = (0.0, *shifts)
    measures = gait_measures(*walk(hz, duty, shifts), LEGS, shifts)
    sample = DT_S * hz
    assert measures["stepping_legs"] == 6
    assert measures["step_frequency_hz"] == pytest.approx(hz, rel=0.02)
    assert measures["duty_factor"] == pytest.approx(duty, abs=sample)
    assert measures["swing_ms"] == pytest.approx(1e3 * (1 - duty) / hz, abs=1e3 * DT_S)
    assert measures["stride_mm"] == pytest.approx(10.0 / hz, rel=0.05)
    assert measures["coordination"] == pytest.approx(1.0, abs=0.01)
    assert measures["phase_error"] < 2 * sample
    for name, shift in zip(LEGS[1:], shifts[1:], strict=True):
        assert phase_distance(measures[f"phase_{name}"], shift) < 2 * sample


@settings(deadline=None, max_examples=30)
@given(real=st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_the_phase_error_is_the_largest_distance_from_the_real_phases(real):
    measures = gait_measures(*walk(10.0, 0.6, TRIPOD), LEGS, real)
    expected = max(phase_distance(shift, r - real[0]) for shift, r in zip(TRIPOD[1:], real[1:], strict=True))
    assert measures["phase_error"] == pytest.approx(expected, abs=0.03)


@given(a=st.floats(-3, 3), b=st.floats(-3, 3), turns=st.integers(-3, 3))
def test_the_distance_of_phases_is_symmetric_at_most_half_and_blind_to_whole_turns(a, b, turns):
    assert 0 <= phase_distance(a, b) <= 0.5
    assert phase_distance(a, b) == pytest.approx(phase_distance(b, a), abs=1e-9)
    assert phase_distance(a + turns, b) == pytest.approx(phase_distance(a, b), abs=1e-9)


def test_phases_on_both_sides_of_zero_have_their_mean_at_zero():
    phase, closeness = mean_phase(np.array([0.95, 0.05]))
    assert phase_distance(phase, 0.0) < 1e-9
    assert closeness == pytest.approx(np.cos(0.1 * np.pi))


def test_legs_without_an_order_are_not_coordinated():
    rng = np.random.default_rng(0)
    time_s = np.arange(1, 5001) * DT_S
    forces = np.zeros((5000, 6))
    for leg in range(6):
        at = 0
        while at < 5000:
            stance, swing = rng.integers(20, 80, 2)
            forces[at : at + stance, leg] = 3.0
            at += stance + swing
    measures = gait_measures(time_s, forces, np.zeros((5000, 6, 3)), LEGS, TRIPOD)
    assert measures["coordination"] < 0.35


def test_a_standing_animal_has_no_gait():
    time_s, forces, feet = walk(10.0, 0.6, TRIPOD)
    assert gait_measures(time_s, np.full_like(forces, 2.0), feet, LEGS, TRIPOD) == {"stepping_legs": 0.0}


def test_a_leg_that_is_held_up_does_not_count_and_leaves_the_error_out():
    time_s, forces, feet = walk(10.0, 0.6, TRIPOD)
    forces[:, 3] = 0.0
    measures = gait_measures(time_s, forces, feet, LEGS, TRIPOD)
    assert measures["stepping_legs"] == 5
    assert not {"phase_RF", "phase_error"} & set(measures)
    forces[:, 0] = 0.0  # nor can phases be counted without the leg they are counted from
    assert "coordination" not in gait_measures(time_s, forces, feet, LEGS, TRIPOD)


def test_a_foot_that_trembles_between_the_thresholds_or_bounces_for_a_moment_makes_no_steps():
    time_s, forces, _ = walk(5.0, 0.6, TRIPOD)
    clean = stances(time_s, forces)
    rng = np.random.default_rng(1)
    trembling = forces + np.where(forces > 0, rng.uniform(-2.8, 0, forces.shape), rng.uniform(0, 0.4, forces.shape))
    changes = [np.abs(np.diff(found.astype(int), axis=0)).sum() for found in (stances(time_s, trembling), clean)]
    assert changes[0] == changes[1]
    bouncing = forces.copy()
    landings = np.argwhere(np.diff((forces > 0).astype(int), axis=0) > 0)
    for row, leg in landings:
        bouncing[row + 3 : row + 5, leg] = 0.0  # off for 4 ms, 4 ms after it landed
    assert np.array_equal(stances(time_s, bouncing), clean)


def test_a_step_runs_from_touchdown_to_touchdown_and_the_ends_of_the_record_are_no_steps():
    time_s = np.arange(10) * 0.1
    leg = footfalls(time_s, np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 1], bool))
    assert leg.touchdowns == pytest.approx([0.2, 0.6, 0.8])
    assert leg.liftoffs == pytest.approx([0.4, 0.7])
    assert (leg.steps, leg.frequency_hz, leg.duty) == (2, pytest.approx(2 / 0.6), pytest.approx(0.5))
    assert phases(leg, leg) == pytest.approx([0.0, 0.0])
