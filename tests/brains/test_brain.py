"""What a Brain promises whatever runs it: determinism, exact checkpoints, exact time, and errors that help."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.brain import Brain

ENGINES = ["numba", "brian2"]


def assert_same_state(one: Brain, other: Brain) -> None:
    assert one.state.keys() == other.state.keys()
    for name, value in one.state.items():
        np.testing.assert_array_equal(value, other.state[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_same_seed_same_trajectory_to_the_last_bit(random_network, engine):
    network = random_network("mixed")
    drive = np.full(network.n, 11.0)
    one, other = Brain(network, engine, seed=4), Brain(network, engine, seed=4)
    one.step(drive, 0.3)
    other.step(drive, 0.3)
    assert_same_state(one, other)


def test_the_seed_draws_the_starting_voltages_and_reset_draws_them_again(random_network):
    network = random_network("graded")
    brain = Brain(network, seed=4)
    start = brain.state["voltage"]
    assert np.abs(start - network.cells.v_rest_mv).max() < 5.0
    brain.step(np.full(network.n, 11.0), 0.3)
    brain.reset()
    np.testing.assert_array_equal(brain.state["voltage"], start)
    brain.reset(seed=5)
    assert (brain.state["voltage"] != start).all()
    brain.reset()
    np.testing.assert_array_equal(brain.state["voltage"], Brain(network, seed=5).state["voltage"])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["graded", "lif", "rate"])
def test_reset_forgets_everything(random_network, engine, kind):
    network = random_network(kind)
    brain = Brain(network, engine)
    brain.step(np.full(network.n, 20.0), 0.2)
    brain.reset()
    assert_same_state(brain, Brain(network, engine))
    assert brain.time_s == 0.0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_restored_checkpoint_continues_to_the_last_bit(random_network, engine):
    network = random_network("mixed")
    drive = np.full(network.n, 14.0)
    brain = Brain(network, engine)
    brain.step(drive, 0.137)
    checkpoint = brain.state
    assert (checkpoint["held"] > 0).any(), "the checkpoint should fall into a refractory period"
    uninterrupted = brain.step(drive, 0.2)
    other = Brain(network, engine, seed=1)
    other.step(-drive, 0.05)
    other.restore(checkpoint)
    restored = other.step(drive, 0.2)
    for name in ("voltage", "release", "spikes"):
        np.testing.assert_array_equal(getattr(restored, name), getattr(uninterrupted, name))
    assert_same_state(brain, other)


@settings(max_examples=40, deadline=None)
@given(
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    kind=st.sampled_from(["graded", "lif", "rate", "mixed"]),
)
def test_however_a_run_is_cut_it_is_the_same_run(random_network, chunks, kind):
    network = random_network(kind)
    drive = np.full(network.n, 13.0)
    whole, cut = Brain(network), Brain(network)
    spikes = whole.step(drive, sum(chunks) * 1e-3).spikes
    cut_spikes = sum(cut.step(drive, chunk * 1e-3).spikes for chunk in chunks)
    assert_same_state(whole, cut)
    np.testing.assert_array_equal(spikes, cut_spikes)


def test_a_run_cut_in_two_is_the_same_run_on_brian2(random_network):
    network = random_network("mixed")
    drive = np.full(network.n, 13.0)
    whole, cut = Brain(network, "brian2"), Brain(network, "brian2")
    spikes = whole.step(drive, 0.05).spikes
    np.testing.assert_array_equal(spikes, cut.step(drive, 0.02).spikes + cut.step(drive, 0.03).spikes)
    assert_same_state(whole, cut)


def test_a_step_reports_copies_that_later_steps_do_not_change(random_network):
    brain = Brain(random_network("graded"))
    activity, state = brain.step(np.full(brain.n, 5.0), 0.01), brain.state
    before = activity.voltage.copy(), activity.release.copy(), state["voltage"].copy()
    brain.step(np.full(brain.n, 50.0), 0.05)
    for kept, then in zip((activity.voltage, activity.release, state["voltage"]), before, strict=True):
        np.testing.assert_array_equal(kept, then)


def test_time_is_a_whole_number_of_steps_and_does_not_drift(make_network):
    brain = Brain(make_network("graded", dt_ms=0.1))
    for _ in range(10_000):
        brain.step(np.zeros(1), 1e-4)
    assert brain.state["step"] == 10_000
    assert brain.time_s == 1.0


# --- physics of the coupling ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pair_joined_by_a_gap_junction_converges_to_its_mean(make_network, engine):
    brain = Brain(make_network(["graded"] * 2, electrical=[[0, 50], [50, 0]], tau_m_ms=100.0), engine)
    voltage = brain.step(np.array([10.0, -4.0]), 3.0).voltage
    # At rest V1 - V2 = (d1 - d2)/(1 + 2 g) and the mean is that of the drives.
    assert voltage.mean() == pytest.approx(-35.0 + 3.0, abs=1e-9)
    assert voltage[0] - voltage[1] == pytest.approx(14.0 / 101.0, abs=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_symmetric_gap_junctions_move_charge_but_neither_make_nor_lose_it(make_network, seed):
    rng = np.random.default_rng(seed)
    coupling = np.triu(rng.random((6, 6)), 1)
    joined = Brain(make_network(["graded"] * 6, electrical=coupling + coupling.T), seed=seed, initial_spread_mv=10.0)
    apart = Brain(make_network(["graded"] * 6), seed=seed, initial_spread_mv=10.0)
    drive = rng.uniform(-10, 10, 6)
    assert joined.step(drive, 0.05).voltage.mean() == pytest.approx(apart.step(drive, 0.05).voltage.mean(), abs=1e-10)


def test_a_chemical_synapse_adds_its_weight_at_full_release_with_its_sign(make_network):
    network = make_network(["graded"] * 3, chemical=[[0, 0, 0], [7, 0, 0], [-3, 0, 0]], tau_m_ms=10.0)
    voltage = Brain(network).step(np.array([500.0, 0.0, 0.0]), 1.0).voltage
    np.testing.assert_allclose(voltage[1:], [-28.0, -38.0], atol=1e-9)


def test_input_during_the_refractory_period_is_ignored(make_network):
    brain = Brain(make_network("lif", t_refractory_ms=4.0), initial_spread_mv=0.0)
    assert brain.step(np.array([500.0]), 1e-3).spikes[0] == 1
    for _ in range(4):
        activity = brain.step(np.array([500.0]), 1e-3)
        assert (activity.spikes[0], activity.voltage[0]) == (0, -52.0)
    assert brain.step(np.array([500.0]), 1e-3).spikes[0] == 1


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_drive_of_the_wrong_shape_says_both_shapes(random_network):
    brain = Brain(random_network("graded"))
    with pytest.raises(ValueError, match=r"drive \(mV\) must have shape \(12,\), got \(11,\)"):
        brain.step(np.zeros(11), 0.01)
    with pytest.raises(ValueError, match=r"got \(12, 1\)"):
        brain.step(np.zeros((12, 1)), 0.01)


def test_a_drive_that_is_not_finite_names_neurons_and_values_and_changes_nothing(random_network):
    brain = Brain(random_network("graded"))
    before, drive = brain.state, np.zeros(12)
    drive[[2, 7]] = np.nan, -np.inf
    with pytest.raises(ValueError, match=r"not finite: N2 = nan mV, N7 = -inf mV$"):
        brain.step(drive, 0.01)
    with pytest.raises(ValueError, match=r"N4 = nan mV and 7 more$"):
        brain.step(np.full(12, np.nan), 0.01)
    np.testing.assert_array_equal(brain.state["voltage"], before["voltage"])


@pytest.mark.parametrize("duration_s", [0.0, -0.01, 0.0015, 1e-4, float("nan"), float("inf")])
def test_a_duration_must_be_a_whole_number_of_steps(random_network, duration_s):
    brain = Brain(random_network("graded"))
    with pytest.raises(ValueError, match=rf"duration_s \({duration_s} s\) is not a whole number of steps of 1.0 ms"):
        brain.step(np.zeros(12), duration_s)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"voltage": None}, "no 'voltage' in the state, which has: held, step, trace"),
        ({"trace": np.zeros(3)}, r"'trace' must have shape \(12,\), got \(3,\)"),
        ({"voltage": np.full(12, np.nan)}, "'voltage' is not finite"),
    ],
)
def test_a_foreign_checkpoint_is_refused(random_network, change, message):
    brain = Brain(random_network("graded"))
    state = {name: value for name, value in {**brain.state, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        brain.restore(state)


def test_a_negative_spread_is_refused(random_network):
    with pytest.raises(ValueError, match=r"initial_spread_mv \(-1.0 mV\)"):
        Brain(random_network("graded"), initial_spread_mv=-1.0)
