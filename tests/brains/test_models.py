"""Each model against its own closed form, on every engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.brains.brain import Brain
from animat.brains.models import Graded, Lif, Rate

ENGINES = ["numba", "brian2"]


@pytest.mark.parametrize("engine", ENGINES)
def test_graded_voltage_settles_at_the_closed_form(make_network, engine):
    brain = Brain(make_network(["graded"] * 3, tau_m_ms=20.0, tonic_mv=1.5), engine)
    drive = np.array([-12.0, 0.0, 30.0])
    voltage = brain.step(drive, 1.0).voltage  # 50 time constants
    np.testing.assert_allclose(voltage, Graded(tau_m_ms=20.0, tonic_mv=1.5).steady_voltage(drive), rtol=1e-12)


def test_graded_voltage_approaches_by_one_euler_factor_a_step(make_network):
    brain = Brain(make_network("graded", tau_m_ms=40.0, v_rest_mv=-35.0), initial_spread_mv=0.0)
    voltages = [brain.step(np.array([8.0]), 1e-3).voltage[0] for _ in range(100)]
    expected = -27.0 - 8.0 * (1.0 - 1.0 / 40.0) ** np.arange(1, 101)
    np.testing.assert_allclose(voltages, expected, rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_release_is_half_at_half_voltage_and_bounded_everywhere(make_network, engine):
    brain = Brain(make_network(["graded"] * 3, v_half_mv=-30.0), engine, initial_spread_mv=0.0)
    release = brain.step(np.array([5.0, 1e5, -1e5]), 5.0).release
    np.testing.assert_allclose(release, [0.5, 1.0, 0.0], atol=1e-12)


@given(st.floats(-80.0, 20.0), st.floats(0.0, 100.0))
def test_holding_drive_is_a_fixed_point_of_the_equation(voltage, plateau):
    cell = Graded(plateau_mv=plateau)
    release = 1.0 / (1.0 + np.exp(-(voltage - cell.v_half_mv) / cell.slope_mv))
    slope = cell.v_rest_mv - voltage + cell.holding_drive(voltage) + plateau * release
    assert abs(slope) < 1e-9


def test_a_cell_is_bistable_only_above_four_slopes_of_plateau():
    assert Graded(plateau_mv=32.0, slope_mv=8.0).fold_drives() is None
    down, up = Graded(plateau_mv=33.0, slope_mv=8.0).fold_drives()
    assert down < up


def swept_release(brain: Brain, drives: np.ndarray) -> np.ndarray:
    return np.array([brain.step(np.array([drive]), 1.0).release[0] for drive in drives])


def test_plateau_cell_jumps_up_and_down_at_the_predicted_drives(make_network):
    cell = Graded(tau_m_ms=10.0, plateau_mv=20.0, slope_mv=2.0, v_half_mv=-25.0)
    down, up = cell.fold_drives()
    brain = Brain(make_network("graded", tau_m_ms=10.0, plateau_mv=20.0, slope_mv=2.0, v_half_mv=-25.0))
    step_mv = 0.05
    rising = np.arange(down - 2.0, up + 2.0, step_mv)
    released = swept_release(brain, rising)
    falling = rising[::-1]
    held = swept_release(brain, falling)
    # Near a fold the cell is slow: it may pass it by a few sweep steps, and never jumps before it.
    assert -step_mv <= rising[(released > 0.5).argmax()] - up <= 6 * step_mv
    assert -step_mv <= down - falling[(held < 0.5).argmax()] <= 6 * step_mv


@pytest.mark.parametrize("engine", ENGINES)
def test_spiking_rate_matches_closed_form(make_network, engine):
    drive = np.array([0.0, 6.9, 7.5, 10.0, 25.0])
    brain = Brain(make_network(["lif"] * 5, dt_ms=0.1), engine, initial_spread_mv=0.0)
    brain.step(drive, 0.1)
    rate = brain.step(drive, 2.0).spikes / 2.0
    # 2 s resolve 0.5 Hz; a step of 0.1 ms lengthens an interval of 10 ms by at most 1 %.
    np.testing.assert_allclose(rate, Lif().steady_rate(drive), atol=0.5, rtol=0.01)
    assert (rate[:2] == 0.0).all()
    assert (rate[2:] > 0.0).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_rate_settles_at_the_closed_form_and_is_silent_below_threshold(make_network, engine):
    drive = np.array([0.0, 7.4, 8.0, 100.0, 1e4])
    brain = Brain(make_network(["rate"] * 5), engine, initial_spread_mv=0.0)
    activity = brain.step(drive, 1.0)
    np.testing.assert_allclose(activity.voltage, Rate().steady_rate(drive), rtol=1e-9)
    np.testing.assert_allclose(activity.release, Rate().steady_rate(drive) / 200.0, rtol=1e-9)
    assert (activity.voltage[:2] == 0.0).all()
    assert activity.voltage[4] == pytest.approx(200.0)


def test_a_rate_cell_cannot_have_gap_junctions(make_network):
    with pytest.raises(ValueError, match="'N1' is a rate cell and cannot have gap junctions"):
        make_network(["graded", "rate"], electrical=[[0, 1], [1, 0]])


def test_spike_interval_is_refractory_steps_plus_the_euler_steps_to_threshold(make_network):
    network = make_network(
        "lif", tau_m_ms=20.0, t_refractory_ms=3.0, v_rest_mv=-52.0, v_reset_mv=-52.0, v_half_mv=-45.0
    )
    brain = Brain(network, initial_spread_mv=0.0)
    spikes = [brain.step(np.array([10.0]), 1e-3).spikes[0] for _ in range(500)]
    to_threshold = int(np.ceil(np.log(1.0 - 7.0 / 10.0) / np.log(1.0 - 1.0 / 20.0)))
    assert set(np.diff(np.flatnonzero(spikes))) == {to_threshold + 3}


def test_release_of_a_train_at_the_full_rate_averages_one(make_network):
    rate = float(Lif(t_refractory_ms=2.0).steady_rate(15.0))
    network = make_network("lif", t_refractory_ms=2.0, rate_full_hz=4.0 * rate, tau_release_ms=100.0, dt_ms=0.1)
    brain = Brain(network, initial_spread_mv=0.0)
    brain.step(np.array([15.0]), 1.0)
    release = [brain.step(np.array([15.0]), 1e-3).release[0] for _ in range(1000)]
    assert np.mean(release) == pytest.approx(0.25, rel=0.02)  # a quarter of the full rate


def test_release_never_exceeds_one_however_fast_the_train(make_network):
    brain = Brain(make_network("lif", rate_full_hz=5.0))
    assert max(brain.step(np.array([60.0]), 1e-3).release[0] for _ in range(500)) == 1.0


def test_closed_forms_refuse_a_plateau_they_do_not_cover():
    with pytest.raises(ValueError, match=r"plateau_mv = 10\.0 mV; use holding_drive"):
        Graded(plateau_mv=10.0).steady_voltage(0.0)
    with pytest.raises(ValueError, match=r"plateau_mv = 10\.0 mV"):
        Lif(plateau_mv=10.0).steady_rate(0.0)
    with pytest.raises(ValueError, match=r"plateau_mv = 10\.0"):
        Rate(plateau_mv=10.0).steady_rate(0.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Graded(slope_mv=0.0), r"slope_mv \(0.0\) must be above 0"),
        (lambda: Graded(tau_m_ms=float("nan")), r"tau_m_ms \(nan\)"),
        (lambda: Lif(v_reset_mv=-45.0), r"threshold \(-45.0 mV\), must exceed v_reset_mv \(-45.0 mV\)"),
        (lambda: Lif(t_refractory_ms=-1.0), r"t_refractory_ms \(-1.0 ms\)"),
        (lambda: Lif(rate_full_hz=0.0), r"rate_full_hz \(0.0\)"),
        (lambda: Rate(slope_mv=0.0), r"Rate: slope_mv \(0.0\)"),
        (lambda: Rate(v_rest_mv=-5.0), r"Rate: v_rest_mv \(-5.0 Hz\) must be 0"),
    ],
)
def test_parameters_that_make_no_cell_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
