"""The microcircuit: what its scaling rules keep."""

import numpy as np
import pytest

from animat.brains.models.lif_psc import LifPsc
from animat.scripts.bench_potjans import EXTERNAL_HZ, FULL_RATES, POPULATIONS, Microcircuit, microcircuit, rules
from animat.scripts.bench_potjans import population_rates as rates

SCALE = 0.03


def drawn(rule: str, scale: float = SCALE) -> Microcircuit:
    return microcircuit(np.random.default_rng(0), scale, rule)


def moments(circuit: Microcircuit, power: int) -> np.ndarray:
    """Mean over each population of the summed weights to a power times the rates of their sources, pA^power Hz."""
    network, sizes = circuit.network, np.diff(circuit.first)
    rate = np.repeat(np.repeat(FULL_RATES, sizes), np.diff(network.start))
    terms = rate * network.weight.astype(np.float64) ** power
    each = np.bincount(network.target, terms, network.n) + circuit.external_hz * circuit.external_pa**power
    return np.add.reduceat(each, circuit.first[:-1]) / sizes


def mean_mv(circuit: Microcircuit) -> np.ndarray:
    """Mean depolarisation of each population by all its input, mV."""
    model = LifPsc()
    mv_per_hz_pa = model.tau_e_ms * 1e-3 * model.tau_m_ms / model.c_m_pf
    return moments(circuit, 1) * mv_per_hz_pa + circuit.drive_mv[circuit.first[:-1]]


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
    assert len({(rule.recurrent, rule.weight, rule.external) for rule in rules(1.0).values()}) == 1


@pytest.mark.slow
def test_a_small_microcircuit_has_the_published_order_of_rates():
    found = rates(scale=0.02, duration_s=1.0)
    order = [POPULATIONS[i] for i in np.argsort(found)]
    assert order[:2] == ["L23E", "L6E"]
    assert set(order[-3:]) == {"L5E", "L5I", "L6I"}
