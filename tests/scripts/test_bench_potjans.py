"""The microcircuit: what its scaling rules keep."""

import numpy as np
import pytest

from animat.brains.spiking_brain import SpikingActivity
from animat.scripts.bench_potjans import population_rates
from animat.scripts.match_potjans import shared_input_mv
from animat.scripts.potjans import (
    EXTERNAL_HZ,
    FULL_RATES,
    POPULATIONS,
    Microcircuit,
    full_in_degrees,
    full_weights,
    microcircuit,
    mv_per_hz_pa,
    rules,
)

SCALE = 0.03


def drawn(rule: str, scale: float = SCALE) -> Microcircuit:
    return microcircuit(np.random.default_rng(0), rules(scale)[rule], scale)


def moments(circuit: Microcircuit, power: int) -> np.ndarray:
    """Mean over each population of the summed weights to a power times the rates of their sources, pA^power Hz."""
    network, sizes = circuit.network, np.diff(circuit.first)
    rate = np.repeat(np.repeat(FULL_RATES, sizes), np.diff(network.start))
    terms = rate * network.weight.astype(np.float64) ** power
    each = np.bincount(network.target, terms, network.n) + circuit.external_hz * circuit.external_pa**power
    return np.add.reduceat(each, circuit.first[:-1]) / sizes


def mean_mv(circuit: Microcircuit) -> np.ndarray:
    """Mean depolarisation of each population by all its input, mV."""
    return moments(circuit, 1) * mv_per_hz_pa() + circuit.drive_mv[circuit.first[:-1]]


@pytest.mark.parametrize("rule", [name for name in rules(SCALE) if name != "in-degrees-kept"])
def test_every_rule_keeps_the_mean_and_the_variance_of_the_input(rule):
    kept, made = drawn("in-degrees-kept"), drawn(rule)
    assert mean_mv(made) == pytest.approx(mean_mv(kept), abs=0.2)  # mV, of 15 to threshold
    assert moments(made, 2) == pytest.approx(moments(kept, 2), rel=0.02)


def test_the_rule_that_keeps_all_input_needs_no_rates():
    circuit = drawn("in-degrees-kept")
    assert not circuit.drive_mv.any()
    assert set(circuit.external_hz / EXTERNAL_HZ) == {1500, 1600, 1900, 2000, 2100, 2900}
    assert circuit.external_pa == pytest.approx(87.8, abs=0.05)  # Potjans and Diesmann 2014, table 5


def test_at_full_size_all_rules_are_the_same():
    assert len({(*rule.recurrent, rule.weight, rule.external) for rule in rules(1.0).values()}) == 1


@pytest.mark.slow
def test_a_small_microcircuit_has_the_published_order_of_rates():
    found = population_rates(scale=0.02, rule="root-in-degrees", duration_s=1.0)
    order = [POPULATIONS[i] for i in np.argsort(found)]
    assert order[:2] == ["L23E", "L6E"]
    assert set(order[-3:]) == {"L5E", "L5I", "L6I"}


def test_what_a_population_shares_is_the_noise_of_its_independent_sources():
    circuit, rng = drawn("root-in-degrees"), np.random.default_rng(1)
    sizes, kept, seconds = np.diff(circuit.first), rules(SCALE)["root-in-degrees"], 20.0
    source = slice(circuit.first[2], circuit.first[3])  # L4E alone fires, at 5 Hz
    count = rng.poisson(5.0 * seconds * sizes[2])
    steps = np.sort(rng.integers(5000, 5000 + round(seconds * 1e4), count))
    spikes = SpikingActivity(steps.astype(np.int32), rng.integers(source.start, source.stop, count), None, 0)
    found = shared_input_mv(circuit, kept, spikes, seconds)
    pa = full_in_degrees()[:, 2] * full_weights()[:, 2] * kept.recurrent
    expected = pa * mv_per_hz_pa() * np.sqrt(5.0 / sizes[2] / (2 * 10e-3))  # Poisson noise through 10 ms
    assert found == pytest.approx(expected, rel=0.1)
