"""Panoramas: how drums turn, how balls grow, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.envs.panorama import Ball, Drum, SkyAndGround, looming_ball

HERE = np.zeros(3)
angle = st.floats(-180, 180)


def toward(azimuth_deg, elevation_deg=0.0):
    az, el = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array([[np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)]])


@settings(deadline=None)  # the first call compiles
@given(azimuth=angle, turned=angle)
def test_a_drum_that_turns_left_shows_what_was_to_the_right(azimuth, turned):
    drum = Drum(period_deg=40.0, speed_deg_s=turned)
    now = drum.luminance(toward(azimuth), HERE, 1.0)
    assert now == pytest.approx(drum.luminance(toward(azimuth - turned), HERE, 0.0), abs=1e-9)


@settings(deadline=None)
@given(azimuth=angle, stripes=st.integers(1, 72))
def test_a_drums_stripes_are_a_sine_of_the_azimuth(azimuth, stripes):
    seen = Drum(period_deg=360.0 / stripes, contrast=0.8, phase_deg=5.0).luminance(toward(azimuth), HERE, 0.0)
    assert seen == pytest.approx(0.5 + 0.4 * np.sin(stripes * np.radians(azimuth - 5.0)), abs=1e-9)


@pytest.mark.parametrize("wave", ["sine", "square"])
@settings(deadline=None)
@given(azimuth=angle, contrast=st.floats(0, 1))
def test_a_drum_stays_within_its_contrast_about_its_mean(wave, azimuth, contrast):
    seen = Drum(period_deg=30.0, contrast=contrast, mean=0.4, wave=wave).luminance(toward(azimuth), HERE, 0.3)
    assert abs(seen[0] / 0.4 - 1.0) <= contrast + 1e-12


def test_a_drum_about_the_y_axis_moves_down_in_front():
    drum = Drum(period_deg=60.0, speed_deg_s=10.0, axis=(0.0, 1.0, 0.0))
    assert drum.luminance(toward(0, -10), HERE, 1.0) == pytest.approx(drum.luminance(toward(0, 0), HERE, 0.0))


def test_beyond_its_height_a_drum_is_grey():
    assert Drum(period_deg=30.0, height_deg=40.0).luminance(toward(17.0, 50.0), HERE, 0.0) == pytest.approx(0.5)


def test_temporal_frequency_is_stripes_per_second():
    assert Drum(period_deg=30.0, speed_deg_s=-60.0).temporal_frequency_hz == -2.0


@given(l_over_v=st.floats(0.005, 0.08), before=st.floats(0.1, 0.9))
def test_a_looming_ball_fills_the_angle_of_its_size_over_speed(l_over_v, before):
    ball = looming_ball(azimuth_deg=30.0, l_over_v_s=l_over_v, contact_s=1.0)
    assert ball.angular_radius_deg(HERE, 1.0 - before) == pytest.approx(
        np.degrees(np.arcsin(min(l_over_v / before, 1)))
    )


def test_a_looming_ball_touches_one_radius_before_its_centre_arrives_and_is_seen_where_it_comes_from():
    ball = looming_ball(azimuth_deg=50.0, elevation_deg=20.0, l_over_v_s=0.02, contact_s=0.5)
    assert ball.angular_radius_deg(HERE, 0.479) < 90.0
    assert ball.angular_radius_deg(HERE, 0.481) == 180.0
    assert ball.luminance(toward(50.0, 20.0), HERE, 0.4) == 0.0
    assert ball.luminance(toward(-50.0, 20.0), HERE, 0.4) > 0.5


def test_a_receding_ball_shrinks_and_a_ball_seen_from_elsewhere_is_elsewhere():
    ball = looming_ball(azimuth_deg=0.0, l_over_v_s=0.02, recede=True)
    sizes = [ball.angular_radius_deg(HERE, t) for t in (0.01, 0.1, 0.5)]
    assert sizes[0] > sizes[1] > sizes[2]
    still = Ball(start_mm=(10.0, 0.0, 0.0), radius_mm=1.0)
    assert still.luminance(toward(90.0), np.array([10.0, -10.0, 0.0]), 0.0) == 0.0


def test_the_sky_is_above_the_ground():
    scene = SkyAndGround(sky=0.9, ground=0.1)
    up, level, down = (scene.luminance(toward(0.0, e), HERE, 0.0)[0] for e in (80.0, 0.0, -80.0))
    assert (up, level, down) == pytest.approx((0.9, 0.5, 0.1), abs=0.01)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drum(period_deg=50.0), "divide 360"),
        (lambda: Drum(period_deg=30.0, contrast=1.5), "contrast"),
        (lambda: Drum(period_deg=30.0, axis=(0.0, 0.0, 0.0)), "axis"),
        (lambda: Drum(period_deg=30.0, wave="saw"), "'sine' or 'square'"),
        (lambda: Ball(start_mm=(1.0, 0.0, 0.0), radius_mm=0.0), "radius_mm"),
        (lambda: SkyAndGround(horizon_deg=0.0), "horizon_deg"),
        (lambda: looming_ball(azimuth_deg=0.0, l_over_v_s=0.0), "l_over_v_s"),
    ],
)
def test_a_scene_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
