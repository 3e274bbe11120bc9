"""The synthetic network has the size it says, and the Poisson trains the statistics of Poisson trains."""

import numpy as np
import pytest
from scipy import stats

from animat.brains.engines.poisson_trains import take_events, trains
from animat.brains.synthetic import fly_sized


def test_a_synthetic_network_has_its_size_its_signs_and_no_pair_twice():
    network = fly_sized(np.random.default_rng(0), neurons=3000, edges=100_000)
    assert network.n == 3000
    assert network.edges == pytest.approx(100_000, rel=0.01)
    rows = np.repeat(np.arange(3000), np.diff(network.start))
    assert len(np.unique(rows * 3000 + network.target)) == network.edges
    assert (np.diff(network.target)[np.diff(rows) == 0] > 0).all()
    assert (np.bincount(rows[network.weight > 0], minlength=3000) > 0).mean() == pytest.approx(0.62, abs=0.05)
    assert np.abs(network.weight).sum() / 0.275 / network.edges == pytest.approx(54.49 / 15.09, rel=0.02)


def test_the_same_generator_gives_the_same_network():
    first, second = (fly_sized(np.random.default_rng(3), neurons=500, edges=5000) for _ in range(2))
    assert first.target.tobytes() == second.target.tobytes()
    assert first.weight.tobytes() == second.weight.tobytes()


def test_the_events_of_a_train_are_geometric_and_independent_of_its_neighbours():
    made = trains(seed=5, neurons=np.arange(50), rate_hz=200.0, dt_ms=0.1)
    steps, neurons = take_events(made, 100_000)
    gaps = np.diff(steps[neurons == 7])
    assert stats.kstest(gaps - 0.5, stats.geom(0.02).cdf).pvalue > 0.001  # between the steps of a discrete law
    counts = np.array([np.bincount(steps[neurons == k] // 1000, minlength=100) for k in range(50)])
    between = np.corrcoef(counts)[np.triu_indices(50, 1)]
    assert np.abs(between.mean()) < 4 * 0.1 / np.sqrt(between.size)
    # binomial counts: variance is the mean times 1 - p
    assert counts.var() / counts.mean() == pytest.approx(0.98, abs=0.06)


def test_events_taken_in_parts_are_the_events_taken_at_once():
    whole = take_events(trains(1, [3, 1], [50.0, 80.0]), 20_000)
    made = trains(1, [3, 1], [50.0, 80.0])
    parts = [take_events(made, step) for step in (1, 7_000, 7_001, 20_000)]
    for k in (0, 1):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), whole[k])


def test_a_silent_train_has_no_events():
    steps, _ = take_events(trains(0, [0], 0.0), 1_000_000)
    assert steps.size == 0
