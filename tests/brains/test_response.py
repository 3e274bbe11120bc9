"""The closed-form response against the simulated one."""

import numpy as np
import pytest
from scipy.optimize import fsolve

from animat.brains.brain import Brain
from animat.brains.conductance import Conductances, conductance_gain, conductance_network
from animat.brains.controls import SilentBrain
from animat.brains.response import (
    NotSettledError,
    Pulse,
    gain_matrix,
    imbalance,
    jacobian,
    operating_point,
    pulse_responses,
)
from animat.organisms.organism import make
from animat.registry import UnknownNameError


def finite_difference(network, neuron: int, step_mv: float = 0.01, settle_s: float = 30.0) -> np.ndarray:
    """Steady change per mV of drive, from really stimulating the simulated brain both ways."""
    ends = []
    for sign in (1.0, -1.0):
        brain, drive = Brain(network), np.zeros(network.n)
        brain.step(drive, settle_s)
        drive[neuron] = sign * step_mv
        ends.append(brain.step(drive, settle_s).voltage)
    return (ends[0] - ends[1]) / (2.0 * step_mv)


@pytest.mark.parametrize("seed", range(4))
def test_gain_is_what_stimulating_the_simulated_brain_gives(random_network, seed):
    network = random_network("graded", seed=seed)  # excitation, inhibition, gap junctions, plateaus
    gain = gain_matrix(network)
    found = np.stack([finite_difference(network, j) for j in range(network.n)], axis=1)
    np.testing.assert_allclose(gain, found, atol=1e-6)
    assert (gain[~np.eye(network.n, dtype=bool)] < -1e-3).any()  # inhibition is in it
    assert (gain[~np.eye(network.n, dtype=bool)] > 1e-3).any()


@pytest.mark.parametrize("name", ["AVAL", "DB3"])
def test_gain_of_the_shipped_worm_is_what_stimulating_it_gives(name):
    network = make("worm").brain().network
    j = network.names.index(name)
    gain = gain_matrix(network)[:, j]
    np.testing.assert_allclose(gain, finite_difference(network, j, step_mv=1e-3), atol=1e-4 * np.abs(gain).max())


@pytest.mark.parametrize("seed", range(3))
def test_jacobian_is_the_derivative_of_the_imbalance(random_network, seed):
    network = random_network("graded", seed=seed)
    voltage = np.random.default_rng(seed).uniform(-60.0, 0.0, network.n)
    step = 1e-4 * np.eye(network.n)
    found = [(imbalance(network, voltage + e) - imbalance(network, voltage - e)) / 2e-4 for e in step]
    np.testing.assert_allclose(jacobian(network, voltage), np.transpose(found), atol=1e-6)


def test_a_lone_cell_has_unit_gain_and_a_plateau_raises_it(make_network):
    assert gain_matrix(make_network("graded")) == pytest.approx(1.0)
    network = make_network("graded", plateau_mv=16.0, v_half_mv=-27.0)  # fixed point at half release: slope 1/32 per mV
    np.testing.assert_allclose(operating_point(network), -27.0, atol=1e-8)
    assert gain_matrix(network) == pytest.approx(1.0 / (1.0 - 16.0 / 32.0))


def test_a_gap_junction_divides_a_stimulus_between_two_cells(make_network):
    coupling = np.array([[0.0, 3.0], [3.0, 0.0]])
    expected = np.linalg.inv([[4.0, -3.0], [-3.0, 4.0]])
    np.testing.assert_allclose(gain_matrix(make_network(["graded"] * 2, electrical=coupling)), expected, rtol=1e-9)


def test_a_network_that_oscillates_has_no_gain(make_network):
    ring = -80.0 * np.roll(np.eye(3), 1, axis=0)  # each cell inhibits the next: a ring of three never settles
    network = make_network(["graded"] * 3, ring, v_half_mv=-55.0, slope_mv=2.0)
    with pytest.raises(NotSettledError, match=r"no steady state after 20\.0 s: neuron 'N\d' is still moving"):
        gain_matrix(network)
    fixed = np.full(3, fsolve(lambda v: imbalance(network, np.full(3, v[0]))[0], -55.0)[0])
    with pytest.raises(NotSettledError, match="unstable: a deviation grows at"):
        gain_matrix(network, fixed)


def test_closed_forms_refuse_spiking_cells_and_voltages_that_do_not_stand_still(make_network):
    with pytest.raises(ValueError, match="neuron 'N1' is not graded; simulate it with pulse_responses"):
        gain_matrix(make_network(["graded", "lif"]))
    with pytest.raises(NotSettledError, match="neuron 'N0' is out of balance by 5 mV"):
        gain_matrix(make_network("graded"), np.array([-30.0]))


def test_the_mean_after_a_pulse_is_its_share_of_the_window(make_network):
    brain = Brain(make_network("graded", dt_ms=1.0))
    pulse = Pulse(amplitude_mv=12.0, duration_s=0.5, window_s=4.0, sample_s=1e-3, settle_s=3.0)
    found = pulse_responses(brain, ["N0"], pulse)
    assert found.mean[0, 0] == pytest.approx(12.0 * 0.5 / 4.0, rel=1e-6)
    assert found.peak[0, 0] == pytest.approx(12.0 * (1.0 - 0.99**500), rel=1e-9)  # Euler, 100 ms in steps of 1 ms


def test_a_long_weak_pulse_reaches_the_gain_and_unstimulated_columns_are_empty(random_network):
    network = random_network("graded", seed=1)
    pulse = Pulse(amplitude_mv=0.01, duration_s=20.0, window_s=20.0)
    found = pulse_responses(Brain(network), ["N3", "N7"], pulse)
    columns = [3, 7]
    strong = np.abs(gain_matrix(network)[:, columns]) > 0.05
    np.testing.assert_allclose(
        found.peak[:, columns][strong] / 0.01, gain_matrix(network)[:, columns][strong], rtol=0.25, atol=0.01
    )
    assert np.isnan(np.delete(found.mean, columns, axis=1)).all()


def test_a_spiking_brain_and_a_control_can_be_stimulated_and_repeat_to_the_last_bit(random_network):
    pulse = Pulse(window_s=1.0, settle_s=1.0)
    brain = Brain(random_network("mixed"))
    first, again = (pulse_responses(brain, ["N0"], pulse).mean for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[:, 0]).max() > 0.1
    assert (pulse_responses(SilentBrain(brain), ["N0"], pulse).mean[:, 0] == 0.0).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window_s": 0.2}, r"window_s \(0\.2 s\) must not be below duration_s \(0\.5 s\)"),
        ({"settle_s": 0.0}, r"settle_s \(0\.0 s\) must be above 0"),
        ({"sample_s": 0.3}, r"duration_s \(0\.5 s\) is not a whole number"),
    ],
)
def test_a_pulse_that_cannot_be_given_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Pulse(**fields)


def test_stimulating_an_unknown_neuron_names_the_nearest(make_network):
    with pytest.raises(UnknownNameError, match="no neuron 'M0' to stimulate; known: 'N0'"):
        pulse_responses(Brain(make_network("graded")), ["M0"])


def published_balance(connectome, model, threshold, current, voltage) -> np.ndarray:
    """The right-hand side of Kunert et al. 2014 with synapses at their steady activation, pS mV, written out anew."""
    chemical, sign = (connectome.matrix("chemical", signed=s).toarray() for s in (False, True))
    gap = connectome.matrix("electrical", signed=False).toarray()
    phi = 1.0 / (1.0 + np.exp(-(voltage - threshold) / model.slope_mv))
    active = model.rise_hz * phi / (model.rise_hz * phi + model.decay_hz)
    total = current - model.leak_ps * (voltage - model.leak_mv)
    for i in range(connectome.n):
        for j in range(connectome.n):
            reversal = model.inhibitory_mv if sign[i, j] < 0 else model.excitatory_mv
            total[i] -= model.synapse_ps * chemical[i, j] * active[j] * (voltage[i] - reversal)
            total[i] -= model.gap_ps * gap[i, j] * (voltage[i] - voltage[j])
    return total


def test_conductance_gain_is_the_published_models_own_response(little_worm):
    model = Conductances()
    network, rest = conductance_network(little_worm, model)
    np.testing.assert_allclose(published_balance(little_worm, model, rest, 0.0, rest), 0.0, atol=1e-8)
    np.testing.assert_allclose(imbalance(network, rest), 0.0, atol=1e-9)
    step = 0.1  # mV across the leak
    found = []
    for current in step * model.leak_ps * np.eye(little_worm.n):
        up, down = (
            fsolve(lambda v, c=c: published_balance(little_worm, model, rest, c, v), rest, xtol=1e-10)
            for c in (current, -current)
        )
        found.append((up - down) / (2.0 * step))
    np.testing.assert_allclose(conductance_gain(little_worm, model), np.transpose(found), rtol=1e-4, atol=1e-8)


def test_conductances_that_make_no_cell_are_refused():
    with pytest.raises(ValueError, match=r"leak_ps \(0\.0\) must be above 0"):
        Conductances(leak_ps=0.0)
    with pytest.raises(ValueError, match=r"gap_ps \(-1\.0 pS\) must be 0 or more"):
        Conductances(gap_ps=-1.0)
