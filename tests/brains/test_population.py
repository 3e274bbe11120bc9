"""Population neurons: closed forms, brian2 running the equations as written, checkpoints, errors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from animat.brains.connectome import Connectome, Source
from animat.brains.engines.brian2_population import Brian2Population
from animat.brains.engines.population_engine import PopulationEngine
from animat.brains.engines.spiking_populations import Cells
from animat.brains.models.population import Population
from animat.brains.population import PopulationNetwork, population_network
from animat.brains.population_brain import PopulationBrain

QUIET = Population(noise_pa=0.0)
RHYTHM = Population(g_leak_ns=4.5, e_leak_mv=-62.5, g_nap_ns=4.5)


def network(weights, cells=None, inputs=None, **more) -> PopulationNetwork:
    matrix = csr_array(np.array(weights, dtype=np.float64))
    n = matrix.shape[0]
    given = np.zeros(n, bool) if inputs is None else np.array(inputs, bool)
    return PopulationNetwork(
        names=tuple(f"P{k}" for k in range(n)),
        cells=tuple(cells or [QUIET] * n),
        inputs=given,
        weights=matrix,
        **more,
    )


def mixed(noise_pa: float = 0.3) -> PopulationNetwork:
    """Two rhythm generators that inhibit each other, two relays and an input."""
    weights = np.zeros((5, 5))
    weights[2, 0], weights[1, 2], weights[3, 1], weights[0, 3], weights[0, 4] = 0.4, -1.0, 0.4, -0.08, 0.1
    cells = [RHYTHM, replace(RHYTHM, tonic=0.1), *[Population()] * 3]
    return network(weights, [replace(cell, noise_pa=noise_pa) for cell in cells], [False] * 4 + [True])


def test_the_voltage_settles_at_the_closed_form():
    drive = np.array([-0.5, -0.01, 0.0, 0.02, 0.4])
    activity = PopulationBrain(network(np.zeros((5, 5)))).step(drive, 1.0)
    expected = QUIET.steady_voltage(drive)
    np.testing.assert_allclose(activity.voltage, expected, rtol=1e-12)
    np.testing.assert_allclose(activity.release, np.clip((expected + 50.0) / 50.0, 0, 1), rtol=1e-12)
    assert activity.release[-1] > 0.3
    assert activity.spikes.sum() == 0


def test_a_synapse_at_full_output_is_worth_a_drive_of_its_weight():
    net = network([[0, 0.0, 0], [0.3, 0, 0], [-0.3, 0, 0]], inputs=[True, False, False])
    voltage = PopulationBrain(net).step(np.array([1.0, 0.0, 0.0]), 1.0).voltage
    np.testing.assert_allclose(voltage[1:], QUIET.steady_voltage([0.3, -0.3]), rtol=1e-12)


def test_an_input_sends_what_it_is_driven_with_and_nothing_below_zero():
    net = network(np.zeros((3, 3)), inputs=[True] * 3)
    release = PopulationBrain(net).step(np.array([-1.0, 0.25, 3.0]), 0.1).release
    np.testing.assert_array_equal(release, [0.0, 0.25, 3.0])


def test_the_noise_current_has_the_declared_spread_and_correlation_time():
    cell = replace(Population(), noise_pa=2.0, tau_noise_ms=5.0)
    brain = PopulationBrain(network(np.zeros((400, 400)), [cell] * 400), seed=1)
    brain.step(np.zeros(400), 0.1)
    first = brain.state["noise"]
    brain.step(np.zeros(400), 0.005)
    second = brain.state["noise"]
    assert np.std(first) == pytest.approx(2.0, rel=0.15)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(np.exp(-1.0), abs=0.12)


def test_persistent_sodium_makes_a_population_burst_by_itself():
    brain = PopulationBrain(network([[0.0]], [RHYTHM]), seed=2)
    silent = np.array([brain.step(np.zeros(1), 0.01).release[0] for _ in range(300)])
    bursting = np.array([brain.step(np.array([0.02]), 0.01).release[0] for _ in range(300)])
    assert silent[100:].max() == 0.0
    assert 3 <= np.count_nonzero(np.diff((bursting[100:] > 0.1).astype(int)) > 0) <= 20


@pytest.mark.parametrize("noise_pa", [0.0, 0.3])
def test_brian2_runs_the_equations_to_the_same_trajectory(noise_pa):
    net, drive = mixed(noise_pa), np.array([0.0, 0.0, -0.1, 0.05, 0.4])
    engines = PopulationEngine(net), Brian2Population(net)
    start = PopulationBrain(net, seed=5).state
    for engine in engines:
        engine.load(start)
        engine.run(drive, 0, 700, seed=5)
        engine.run(-drive, 700, 300, seed=5)
    ours, reference = (engine.state for engine in engines)
    ours["h"], reference["h"] = ours["h"][:2], reference["h"][:2]  # the others have no sodium channels
    for name, values in ours.items():
        np.testing.assert_allclose(values, reference[name], rtol=1e-7, atol=1e-9, err_msg=name)
    assert np.ptp(ours["output"]) > 0.05


def test_either_engine_continues_where_the_other_stopped():
    net, drive = mixed(), np.array([0.0, 0.0, 0.0, 0.0, 0.4])
    ends = []
    for kinds in ((PopulationEngine, Brian2Population), (Brian2Population, PopulationEngine)):
        first, second = (kind(net) for kind in kinds)
        first.load(PopulationBrain(net).state)
        first.run(drive, 0, 300, seed=0)
        second.load(first.state)
        second.run(drive, 300, 200, seed=0)
        ends.append(second.voltage)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_a_run_is_the_same_bit_for_bit_however_it_is_cut(cuts, seed):
    drive = np.array([0.0, 0.0, 0.0, 0.0, 0.4])
    whole, cut = PopulationBrain(mixed(), seed), PopulationBrain(mixed(), seed)
    whole.step(drive, sum(cuts) * 1e-4)
    for steps in cuts:
        cut.step(drive, steps * 1e-4)
    for name, values in whole.state.items():
        np.testing.assert_array_equal(values, cut.state[name], err_msg=name)


def test_a_restored_brain_continues_bit_for_bit():
    brain, other = PopulationBrain(mixed(), seed=3), PopulationBrain(mixed(), seed=4)
    drive = np.array([0.0, 0.0, 0.0, 0.0, 0.4])
    brain.step(drive, 0.1234)
    other.restore(brain.state)
    np.testing.assert_array_equal(brain.step(drive, 0.2).voltage, other.step(drive, 0.2).voltage)
    assert other.time_s == pytest.approx(0.3234)


def test_another_seed_is_another_trajectory():
    one, other = (PopulationBrain(mixed(), seed).step(np.zeros(5), 0.1).voltage for seed in (0, 1))
    assert (one[:4] != other[:4]).all()


def test_a_state_that_does_not_fit_is_refused():
    brain = PopulationBrain(mixed())
    with pytest.raises(ValueError, match="no 'h' in the state"):
        brain.restore({name: value for name, value in brain.state.items() if name != "h"})
    with pytest.raises(ValueError, match="'noise' must be finite and of shape"):
        brain.restore({**brain.state, "noise": np.zeros(3)})


def test_a_step_too_long_for_euler_is_refused_by_name():
    with pytest.raises(ValueError, match=r"dt_ms \(3.0 ms\) is too long for 'P1': 12.8 nS"):
        network([[0, 0], [1.0, 0]], dt_ms=3.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v_full_mv": -60.0}, "v_full_mv .* must exceed v_threshold_mv"),
        ({"g_nap_ns": -1.0}, "g_nap_ns .* must be 0 or more"),
        ({"tau_h_most_ms": 10.0}, "tau_h_least_ms .* at most tau_h_most_ms"),
        ({"c_m_pf": 0.0}, "c_m_pf .* must be above 0"),
    ],
)
def test_parameters_that_make_no_population_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(RHYTHM, **change)


def test_there_is_no_closed_form_with_persistent_sodium():
    with pytest.raises(ValueError, match="no closed-form voltage with g_nap_ns"):
        RHYTHM.steady_voltage(0.1)


def two() -> Connectome:
    neurons = pd.DataFrame({"name": ["a", "b"], "type": ["A", "B"], "role": "inter", "transmitter": "", "side": ""})
    edge = {"pre": "a", "post": "b", "kind": "chemical", "count": 0.3, "sign": -1, "provenance": "published"}
    return Connectome(neurons.assign(x_um=0.0, y_um=0.0, z_um=0.0), pd.DataFrame([edge]), Source("made up"))


def test_counts_become_weights_and_table_rows_parameters():
    table = pd.DataFrame({"selector": ["*", "B"], "g_leak_ns": [3.0, ""], "tonic": ["", 0.2], "model": ["", "input"]})
    net = population_network(two(), table)
    np.testing.assert_array_equal(net.weights.toarray(), [[0, 0], [-0.3, 0]])
    assert net.parameter("g_leak_ns").tolist() == [3.0, 3.0]
    assert net.parameter("tonic").tolist() == [0.0, 0.2]
    assert net.inputs.tolist() == [False, True]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"selector": "C"}, "no neuron, type or glob 'C'"),
        ({"selector": "A", "model": "inputs"}, "no population model 'inputs'; did you mean 'input'"),
        ({"selector": "A", "g_leek_ns": 1}, "unknown column 'g_leek_ns'; did you mean 'g_leak_ns'"),
        ({"selector": "A", "g_leak_ns": "x"}, r"row 1 \('A'\), column g_leak_ns: 'x' is not a finite number"),
        ({"selector": "A", "g_leak_ns": -1}, r"row 1 \('A'\): Population: g_leak_ns \(-1.0\) must be above 0"),
    ],
)
def test_a_bad_table_is_refused_where_it_is_bad(row, message):
    with pytest.raises((KeyError, ValueError), match=message):
        population_network(two(), pd.DataFrame([row]))


def test_many_equal_cells_with_short_synapses_are_the_population_they_stand_for():
    net = mixed(noise_pa=0.0)
    drive = np.array([0.0, 0.0, 0.0, 0.0, 0.3])
    cells = Cells(number=200, rate_full_hz=2000.0, tau_ms=1.0, spread_mv=0.0)
    mean, spiking = PopulationBrain(net, seed=1), PopulationBrain(net, seed=1, cells=cells)
    state = spiking.state
    state["voltage"][:], state["h"][:] = mean.state["voltage"][:, None], mean.state["h"][:, None]
    spiking.restore(state)
    pairs = [(mean.step(drive, 0.01).voltage, spiking.step(drive, 0.01).voltage) for _ in range(40)]
    means, of_cells = (np.array([pair[k][:4] for pair in pairs]) for k in range(2))
    assert np.abs(means - of_cells).mean() < 1.0
    assert np.ptp(means) > 20.0


def test_a_cell_fires_at_the_full_rate_times_the_output_of_its_population():
    cells = Cells(number=10, rate_full_hz=80.0, spread_mv=0.0)
    brain = PopulationBrain(network(np.zeros((3, 3))), cells=cells)
    drive = np.array([0.0, 0.2, 1.0])
    brain.step(drive, 0.1)
    rate = brain.step(drive, 2.0).spikes / (2.0 * 10)
    output = np.clip((QUIET.steady_voltage(drive) + 50.0) / 50.0, 0.0, 1.0)
    np.testing.assert_allclose(rate, 80.0 * output, atol=0.5)
    assert rate[0] == 0.0


def test_spiking_populations_run_the_same_however_cut_and_continue_from_a_checkpoint():
    drive = np.array([0.0, 0.0, 0.0, 0.0, 0.4])
    whole, cut, other = (PopulationBrain(mixed(), seed=2, cells=Cells(number=7)) for _ in range(3))
    whole.step(drive, 0.3)
    cut.step(drive, 0.1234)
    other.restore(cut.state)
    for brain in (cut, other):
        brain.step(drive, 0.1766)
        for name, values in whole.state.items():
            np.testing.assert_array_equal(values, brain.state[name], err_msg=name)


def test_cells_that_cannot_be_are_refused():
    for change in ({"number": 0}, {"tau_ms": 0.0}, {"spread_mv": -1.0}):
        with pytest.raises(ValueError, match=f"Cells: {next(iter(change))}"):
            Cells(**change)
