"""Plasticity: every rule against its closed form and against brian2, on named synapses and on no others."""

from functools import cache

import numpy as np
import pytest

from animat.brains.engines.brian2_spiking import Brian2Spiking
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.models import PLASTICITY, Homeostasis, LifCond, LifExp, LifPsc, PairStdp, RewardStdp, ShortTerm
from animat.brains.spiking import Plastic, SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain

RULES = {
    "short_term": ShortTerm(tau_facilitation_ms=50.0),
    "pair_stdp": PairStdp(gain=0.05, loss=0.06, w_max=4.0),
    "reward_stdp": RewardStdp(),
    "homeostasis": Homeostasis(speed=0.5),
}
N, DEGREE = 30, 8


def network(rule=None, model=None) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(N, DEGREE, replace=False) for _ in range(N)], axis=1).astype(np.int32).ravel()
    weight = rng.uniform(0.5, 3.0, N * DEGREE) * np.where(rng.random(N * DEGREE) < 0.2, -1, 1)
    some = np.flatnonzero(weight > 0)[::2]
    return SpikingNetwork(
        start=np.arange(N + 1) * DEGREE,
        target=target,
        weight=weight.astype(np.float32),
        model=model or LifExp(),
        delay_steps=rng.integers(1, 30, N * DEGREE).astype(np.uint8),
        plastic=None if rule is None else Plastic(edges=some, rule=rule),
    )


def pair(rule, weight: float = 1.0, model=None) -> SpikingNetwork:
    """Neuron 0 reaches neuron 1 after 1 ms."""
    return SpikingNetwork(
        start=np.array([0, 1, 1]),
        target=np.array([1], np.int32),
        weight=np.array([weight], np.float32),
        model=model or LifExp(delay_ms=1.0),
        plastic=Plastic(edges=np.array([0]), rule=rule),
    )


def fire(engine: DenseEngine, neuron: int) -> None:
    """Make a neuron spike at the next step."""
    state = engine.state
    state["v"][neuron] = 0.0
    engine.load(state)


def excited(engine):
    engine.drive(np.linspace(5.0, 14.0, N))
    engine.poisson(np.arange(0, N, 3), 50.0, 20.0, 1.0)
    return engine


@cache
def two_parts(key: str, kind: type) -> tuple:
    engine = excited(kind(network(RULES[key])))
    first = engine.run(1000)
    if key == "reward_stdp":
        engine.reward(2.0)
    state = engine.state
    second = engine.run(700)
    return [part.tolist() for part in first], [part.tolist() for part in second], state, engine.synapses


def test_every_registered_rule_is_tested():
    assert {key: type(rule) for key, rule in RULES.items()} == PLASTICITY


@pytest.mark.parametrize("key", RULES)
def test_brian2_changes_the_same_synapses_by_the_same_amounts(key):
    dense, reference = (two_parts(key, kind) for kind in (DenseEngine, Brian2Spiking))
    assert len(dense[0][0]) > 100
    assert dense[:2] == reference[:2]
    before = DenseEngine(network(RULES[key])).synapses
    assert any(not np.array_equal(before[name], values) for name, values in dense[3].items())
    for name, values in dense[3].items():
        np.testing.assert_allclose(values, reference[3][name], atol=1e-9)


@pytest.mark.parametrize("key", RULES)
def test_a_checkpoint_of_plastic_synapses_is_exact_and_passes_between_engines(key):
    for kind, other in ((DenseEngine, DenseEngine), (DenseEngine, Brian2Spiking), (Brian2Spiking, DenseEngine)):
        _, second, state, synapses = two_parts(key, kind)
        engine = other(network(RULES[key]))
        engine.load(state)
        assert [part.tolist() for part in engine.run(700)] == second
        for name, values in synapses.items():
            np.testing.assert_allclose(engine.synapses[name], values, atol=0 if kind is other else 1e-9)


@pytest.mark.parametrize("model", [LifExp(), LifCond()], ids=lambda model: type(model).__name__)
def test_a_rule_that_changes_nothing_leaves_every_spike_where_it_was(model):
    idle = PairStdp(gain=0.0, loss=0.0, w_max=1e3)
    runs = [excited(DenseEngine(network(rule, model))).run(2000) for rule in (None, idle)]
    assert len(runs[0][0]) > 50
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("lag_ms", [-40.0, -10.0, -0.5, 0.5, 10.0, 40.0])
def test_one_pair_of_spikes_changes_the_weight_by_the_window(lag_ms):
    rule = PairStdp()
    engine = DenseEngine(pair(rule, weight=0.5))
    arrival, spike = max(0, round(-lag_ms * 10)), max(0, round(lag_ms * 10))  # steps, the delay of 10 comes first
    for step in range(max(arrival, spike) + 11):
        for neuron, when in ((0, arrival), (1, spike + 10)):
            if step == when:
                fire(engine, neuron)
        engine.run(1)
    change = engine.synapses["weight"][0] - 0.5
    assert change == pytest.approx(rule.window(lag_ms), rel=1e-6)


@pytest.mark.parametrize("rate_hz", [5.0, 20.0, 50.0])
def test_a_regular_train_is_released_as_the_closed_form_says(rate_hz):
    rule = ShortTerm(use=0.3, tau_recovery_ms=300.0, tau_facilitation_ms=100.0)
    engine = DenseEngine(pair(rule, 1.0, LifPsc(delay_ms=1.0)))
    interval, received = round(1e4 / rate_hz), 0.0
    for _ in range(60):
        fire(engine, 0)
        engine.run(11)
        received = engine.state["i_e"][1]
        engine.run(interval - 11)
    assert received == pytest.approx(rule.steady_release(rate_hz), rel=1e-5)


def test_the_depressing_synapse_of_the_paper_gives_less_and_less():
    engine, received = DenseEngine(pair(ShortTerm(), 1.0, LifPsc(delay_ms=1.0))), []
    for _ in range(5):
        fire(engine, 0)
        engine.run(11)
        received.append(engine.state["i_e"][1])
        engine.run(489)  # 20 Hz
    assert received[0] == pytest.approx(0.5)
    assert (np.diff(received) < 0).all()


def test_dopamine_turns_a_mark_into_the_closed_form_change_and_nothing_else_does():
    rule = RewardStdp()
    engine = DenseEngine(pair(rule))
    fire(engine, 0)
    engine.run(30)
    fire(engine, 1)
    engine.run(5000)
    assert engine.synapses["weight"][0] == 1.0  # marked half a second ago, no reward yet
    mark = engine.synapses["mark"][0]
    assert mark > 0
    engine.reward(3.0)
    engine.run(50_000)
    assert engine.synapses["weight"][0] - 1.0 == pytest.approx(rule.learned(mark, 3.0), rel=1e-6)


def test_homeostasis_brings_a_neuron_to_its_goal():
    rule = Homeostasis(goal_hz=20.0, speed=0.02)
    rates = {}
    for rate_hz in (30.0, 120.0):
        brain = SpikingBrain(pair(rule, 12.0))
        brain.poisson([0], rate_hz)
        brain.step(None, 60.0)
        rates[rate_hz] = brain.step(None, 30.0).spikes[1] / 30.0
    assert all(rate == pytest.approx(rule.goal_hz, rel=0.1) for rate in rates.values())


def test_edges_are_found_by_their_ends():
    net = network()
    found = net.edges_between(np.array([3, 5]), np.arange(10))
    sources = np.repeat(np.arange(N), DEGREE)[found]
    assert found.size > 0
    assert set(sources) <= {3, 5}
    assert (net.target[found] < 10).all()
    assert (
        found.size
        == (net.target[3 * DEGREE : 4 * DEGREE] < 10).sum() + (net.target[5 * DEGREE : 6 * DEGREE] < 10).sum()
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SpikingBrain(network()).reward(1.0), "no synapses of a rule with dopamine"),
        (lambda: SpikingBrain(network(PairStdp())).reward(1.0), "no synapses of a rule with dopamine"),
        (lambda: PairStdp(tau_pre_ms=0.0), "tau_pre_ms .0.0 ms. must be above 0"),
        (lambda: RewardStdp(w_max=-1.0), "w_max .-1.0. must exceed w_min .0.0."),
        (lambda: ShortTerm(use=1.5), "use must be above 0 and at most 1, got 1.5"),
        (lambda: Homeostasis(speed=0.0), "speed .0.0. must be above 0"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("edges", [[], [3, 2], [5, 240], [-1, 4]])
def test_edges_that_are_not_there_are_refused(edges):
    net = network()
    with pytest.raises(ValueError, match="plastic edges must be some of 0 to 239, ascending"):
        SpikingNetwork(
            start=net.start,
            target=net.target,
            weight=net.weight,
            plastic=Plastic(edges=np.array(edges, np.int64), rule=PairStdp()),
        )
