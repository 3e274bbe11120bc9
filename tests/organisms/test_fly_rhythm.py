"""The leg rhythm comes of the wiring: at the published rate in nearly every draw, and not without any of its cells."""

import numpy as np
import pytest

from animat.organisms.fly.rhythm import (
    CORE,
    PER_SYNAPSE,
    RHYTHMIC,
    Spiking,
    leg_phases,
    links,
    rate_leg,
    rate_legs,
    rhythm,
    sizes,
    spiking_leg,
    trace,
)

E1, E2, I1 = CORE[1:]
TRIPOD = np.array([0.0, 0.5, 0.0, 0.5, 0.0, 0.5])


def drawn(n, drive=400.0, **options):
    runs = [rhythm(trace(rate_leg(np.random.default_rng(seed), **options), E1, drive)) for seed in range(n)]
    return np.array([hz if score > RHYTHMIC else 0.0 for hz, score in runs])


def test_nine_draws_of_ten_or_more_step_at_10_to_15_hz():
    hz = drawn(50)
    assert ((hz >= 10) & (hz <= 15)).mean() >= 0.9
    assert np.median(hz) == pytest.approx(13.1, abs=0.3)


@pytest.mark.parametrize("lost", [E1, E2, I1])
def test_no_rhythm_without_any_one_of_the_three_cells(lost):
    assert (drawn(10, silenced=(lost,)) == 0).all()


def test_no_rhythm_without_the_command_and_no_faster_one_with_more_of_it():
    assert (drawn(5, drive=0.0) == 0).all()
    medians = [np.median(drawn(10, drive=drive)) for drive in (400.0, 600.0, 800.0)]
    assert np.ptp(medians) < 1.0
    sizes_of_swing = [np.ptp(trace(rate_leg(np.random.default_rng(0)), E1, drive)[500:]) for drive in (400.0, 800.0)]
    assert sizes_of_swing[1] > 1.5 * sizes_of_swing[0]


def test_the_measured_links_that_the_minimal_circuit_leaves_out_make_it_faster_than_the_published_range():
    more = {(I1, E2): -210.2, (E2, E1): 14.8, (E1, I1): 7.2}  # means over the six leg neuropils, as the others
    hz = drawn(20, extra=more)
    assert (hz > 0).mean() >= 0.9
    assert np.median(hz) == pytest.approx(16.0, abs=0.7)


def test_with_the_published_drive_for_manc_fewer_than_half_of_the_draws_step():
    assert 0.2 < (drawn(40, drive=250.0) > 0).mean() < 0.6


def test_the_circuit_follows_the_published_equation_to_rounding():
    rng = np.random.default_rng(3)
    brain = rate_leg(rng)
    cells, weights = brain.network.cells, brain.network.chemical.toarray() / brain.network.cells.rate_full_hz
    rate = brain.step(np.zeros(4), 1e-3).voltage
    drive = np.array([400.0, 0.0, 0.0, 0.0])
    for _ in range(300):
        above = (drive + weights @ np.maximum(rate, 0.0) - cells.v_half_mv) / cells.slope_mv
        rate = rate + (np.maximum(cells.rate_full_hz * np.tanh(above), 0.0) - rate) / cells.tau_m_ms
    np.testing.assert_allclose(brain.step(drive, 0.3).voltage, rate, rtol=1e-9)


def test_weights_are_synapse_counts():
    brain = rate_leg(np.random.default_rng(0))
    weights = brain.network.chemical.toarray() / brain.network.cells.rate_full_hz
    assert weights[CORE.index(E2), CORE.index(E1)] == pytest.approx(PER_SYNAPSE * links()[E1, E2])
    assert sizes()[E1] == pytest.approx(3939072421 / 666270409, rel=1e-3)


def test_coupled_legs_fall_into_a_tripod_and_uncoupled_ones_do_not():
    def error(coupled, seed):
        lag = leg_phases(rate_legs(np.random.default_rng(seed), coupled=coupled))
        return np.abs((lag - TRIPOD + 0.5) % 1.0 - 0.5).max()

    assert np.mean([error(True, seed) < 0.2 for seed in range(20)]) >= 0.9
    assert np.mean([error(False, seed) < 0.2 for seed in range(10)]) <= 0.2


def test_spiking_populations_step_at_10_to_15_hz():
    runs = [rhythm(trace(spiking_leg(np.random.default_rng(seed)), E2)) for seed in range(5)]
    assert all(10 <= hz <= 15 and score > RHYTHMIC for hz, score in runs), runs


def test_slower_synapses_make_a_slower_spiking_rhythm():
    hz = [
        rhythm(trace(spiking_leg(np.random.default_rng(0), spiking=Spiking(tau_release_ms=tau)), E2))[0]
        for tau in (5, 20)
    ]
    assert hz[0] > 15 > 10 > hz[1] > 7


@pytest.mark.parametrize("lost", [E1, E2, I1])
def test_no_spiking_rhythm_without_any_one_of_the_three_populations(lost):
    hz, score = rhythm(trace(spiking_leg(np.random.default_rng(0), silenced=(lost,)), E1 if lost != E1 else E2))
    assert score <= RHYTHMIC or hz == 0.0
