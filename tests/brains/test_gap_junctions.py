"""Gap junctions between spiking cells: the physics of two cells, both engines, and what a network without them is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.engines.brian2_spiking import Brian2Spiking
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.engines.event_engine import EventEngine
from animat.brains.engines.gap_loop import Couplings, couple
from animat.brains.gap_junctions import GapJunctions, gap_junctions
from animat.brains.models import SPIKING, LifExp, LifPsc
from animat.brains.models.spiking_model import leak_ns
from animat.brains.spiking import SpikingNetwork, spiking_network
from animat.brains.spiking_brain import SpikingBrain

PASSIVE = {"lif_exp": 1.0, "lif_alpha": 1.0, "lif_psc": 25.0, "lif_cond": 10.0}  # leak, nS, or 1 where it is the unit


def joined(pairs, conductance, n: int = 2, model=None, one_way=False, dt_ms: float = 0.1) -> SpikingNetwork:
    """Cells that meet through nothing but gap junctions."""
    pre, post = np.array(pairs).T
    gap = GapJunctions(
        pre=pre,
        post=post,
        conductance=np.broadcast_to(np.asarray(conductance, dtype=float), pre.shape).copy(),
        rectified=np.full(pre.size, one_way),
    )
    nothing = np.zeros(0, np.int32)
    return SpikingNetwork(
        start=np.zeros(n + 1, np.int64),
        target=nothing,
        weight=nothing.astype(np.float32),
        model=model or LifExp(),
        dt_ms=dt_ms,
        gap=gap,
    )


def random_network(key: str, coupled: bool = True, strength: float = 0.3) -> SpikingNetwork:
    """Thirty cells with chemical synapses, ordinary gap junctions and rectifying ones."""
    rng, n, model = np.random.default_rng(0), 30, SPIKING[key]()
    unit = {"mV": 2.0, "pA": 300.0, "nS": 10.0}[model.WEIGHT_UNIT]
    target = np.sort([rng.choice(n, 4, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel()
    pairs = np.array([(i, j) for i in range(n) for j in range(i + 1, n) if rng.random() < 0.1])
    share = strength * (0.2 if key == "izhikevich" else 1.0)
    gap = GapJunctions(
        pre=pairs[:, 0],
        post=pairs[:, 1],
        conductance=rng.uniform(0.1, 1.0, len(pairs)) * share * leak_ns(model),
        rectified=rng.random(len(pairs)) < 0.4,
    )
    return SpikingNetwork(
        start=np.arange(n + 1) * 4,
        target=target,
        weight=(unit * rng.uniform(-1.0, 1.0, 4 * n)).astype(np.float32),
        model=model,
        gap=gap if coupled else None,
    )


def stimulated(engine):
    engine.drive(np.where(np.arange(30) % 3 == 0, np.linspace(5.0, 40.0, 30), 0.0))
    engine.poisson(np.arange(0, 30, 5), 50.0, 20.0, 1.0)
    return engine


def apart(network: SpikingNetwork, *above_mv: float) -> DenseEngine:
    """An engine whose cells are displaced from rest."""
    engine = DenseEngine(network)
    engine.load(engine.state | {"v": engine.state["v"] + np.array(above_mv)})
    return engine


def differences(engine: DenseEngine, steps: int) -> np.ndarray:
    values = []
    for _ in range(steps):
        engine.run(1)
        values.append(np.diff(engine.state["v"])[0])
    return np.array(values)


@pytest.mark.parametrize(("key", "leak"), PASSIVE.items())
def test_two_equal_cells_joined_by_a_gap_junction_converge(key, leak):
    engine = apart(joined([(0, 1)], 2.0 * leak, model=SPIKING[key]()), -4.0, 4.0)
    gone = differences(engine, 1500)
    assert (np.diff(gone[gone > 1e-9]) < 0).all()
    assert abs(gone[-1]) < 1e-6
    alone = apart(joined([(0, 1)], 0.0, model=SPIKING[key]()), -4.0, 4.0)
    assert gone[100] < 0.5 * differences(alone, 101)[100]


def test_they_converge_at_the_closed_form_and_the_error_falls_with_the_step():
    model, conductance = LifExp(), 1.5
    errors = []
    for dt_ms in (0.2, 0.1, 0.05):
        engine = apart(joined([(0, 1)], conductance, model=model, dt_ms=dt_ms), 0.0, 4.0)
        simulated = differences(engine, round(10.0 / dt_ms))[-1]
        expected = 4.0 * np.exp(-10.0 * (1.0 + 2.0 * conductance) / model.tau_m_ms)
        errors.append(abs(simulated / expected - 1.0))
    assert errors[0] < 0.05
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(("key", "leak"), PASSIVE.items())
@pytest.mark.parametrize("conductance", [0.5, 5.0, 20.0])
def test_the_coupling_coefficient_of_two_passive_cells_is_the_share_of_the_junction(key, leak, conductance):
    model = SPIKING[key]()
    assert leak_ns(model) == leak
    engine = DenseEngine(joined([(0, 1)], conductance, model=model))
    engine.drive([5.0, 0.0])
    assert engine.run(10_000)[0].size == 0
    first, second = engine.state["v"] - model.resting()["v"]
    assert second / first == pytest.approx(conductance / (conductance + leak), rel=1e-9)
    assert first + second == pytest.approx(5.0, rel=1e-9)  # what is injected leaves through the two leaks


def test_a_rectifying_junction_passes_only_one_way():
    onward, back = DenseEngine(joined([(0, 1)], 1.0, one_way=True)), DenseEngine(joined([(0, 1)], 1.0, one_way=True))
    onward.drive([5.0, 0.0])
    back.drive([0.0, 5.0])
    for engine in (onward, back):
        engine.run(10_000)
    above = [engine.state["v"] - LifExp().v_rest_mv for engine in (onward, back)]
    np.testing.assert_allclose(above[0], [10.0 / 3.0, 5.0 / 3.0], rtol=1e-9)
    np.testing.assert_allclose(above[1], [0.0, 5.0], rtol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_one_cell_loses_the_other_gains(seed, one_way):
    rng = np.random.default_rng(seed)
    pre, post = np.array([(0, 1), (2, 1), (3, 0), (1, 3)]).T
    drive, felt = rng.normal(0.0, 5.0, 5), np.zeros(5)
    voltage = rng.normal(-60.0, 10.0, 5)
    couple(Couplings(pre, post, rng.uniform(0.0, 2.0, 4), np.full(4, one_way)), voltage, drive, felt)
    assert felt.sum() == pytest.approx(drive.sum(), abs=1e-9)
    assert felt[4] == drive[4]
    assert ((felt - drive) * (voltage - voltage.mean())).sum() <= 1e-9  # and the currents level the voltages


def test_a_refractory_cell_takes_no_current_but_is_felt():
    model = LifPsc()
    engine = apart(joined([(0, 1)], 25.0, model=model), 20.0, 5.0)
    assert engine.run(1)[1].tolist() == [0]
    engine.run(10)
    held, other = engine.state["v"]
    assert held == model.v_reset_mv
    lonely = apart(joined([(0, 1)], 0.0, model=model), 20.0, 5.0)
    lonely.run(11)
    assert other < lonely.state["v"][1]


@pytest.mark.parametrize("key", SPIKING)
def test_brian2_fires_the_same_spikes_with_gap_junctions(key):
    dense, reference = (stimulated(kind(random_network(key))) for kind in (DenseEngine, Brian2Spiking))
    spikes = dense.run(700)
    assert spikes[0].size > 12
    assert [part.tolist() for part in spikes] == [part.tolist() for part in reference.run(700)]
    np.testing.assert_allclose(dense.voltage, reference.voltage, atol=1e-3)
    without = stimulated(DenseEngine(random_network(key, coupled=False)))
    without.run(700)
    assert np.abs(without.voltage - dense.voltage).max() > 0.1  # so that the comparison is about something


@pytest.mark.parametrize(("kind", "other"), [(DenseEngine, Brian2Spiking), (Brian2Spiking, DenseEngine)])
def test_either_engine_continues_where_the_other_stopped(kind, other):
    first = stimulated(kind(random_network("lif_cond")))
    first.run(300)
    second = other(random_network("lif_cond"))
    second.load(first.state)
    assert [part.tolist() for part in first.run(300)] == [part.tolist() for part in second.run(300)]


def test_chunks_change_nothing():
    whole, parts = (stimulated(DenseEngine(random_network("adex"))) for _ in range(2))
    once = whole.run(1000)
    pieces = [parts.run(length) for length in (1, 17, 382, 600)]
    for k in (0, 1):
        np.testing.assert_array_equal(np.concatenate([piece[k] for piece in pieces]), once[k])
    np.testing.assert_array_equal(whole.state["v"], parts.state["v"])


@pytest.mark.parametrize("key", SPIKING)
def test_junctions_that_conduct_nothing_leave_every_bit_as_it_is_without(key):
    closed = stimulated(DenseEngine(random_network(key, strength=0.0)))
    without = stimulated(DenseEngine(random_network(key, coupled=False)))
    for one, other in zip(closed.run(1000), without.run(1000), strict=True):
        np.testing.assert_array_equal(one, other)
    for name, values in without.state.items():
        np.testing.assert_array_equal(closed.state[name], values)


def test_the_event_driven_engine_refuses_them_and_auto_picks_the_dense_one():
    network = joined([(0, 1)], 1.0)
    with pytest.raises(ValueError, match="no gap junctions"):
        EventEngine(network)
    with pytest.raises(ValueError, match="no gap junctions"):
        SpikingBrain(network, engine="event")
    assert isinstance(SpikingBrain(network)._engine, DenseEngine)


def test_electrical_synapses_of_a_connectome_become_one_junction_a_pair(little_worm):
    gap = gap_junctions(little_worm, per_junction=0.1)
    pairs = {(little_worm.names[i], little_worm.names[j]) for i, j in zip(gap.pre, gap.post, strict=True)}
    assert pairs == {("AL", "AR"), ("AL", "DB1")}  # those of DD1 with itself carry nothing
    np.testing.assert_allclose(gap.conductance, [0.3, 0.1])
    network = spiking_network(little_worm, per_gap_junction=0.1)
    np.testing.assert_allclose(network.gap.load(6), [0.4, 0.3, 0.1, 0.0, 0.0, 0.0])
    assert spiking_network(little_worm).gap is None
    assert gap_junctions(little_worm.subset(["PVT", "ALM"]), 0.1) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: joined([(0, 0)], 1.0), "neuron 0 is joined to itself"),
        (lambda: joined([(0, 2)], 1.0), "ends at none of the 2 neurons"),
        (lambda: joined([(0, 1)], -1.0), "negative or not finite"),
        (lambda: joined([(0, 1)], 150.0), "those of neuron 0 carry 0.748 of a difference in one step of 0.1 ms"),
        (lambda: GapJunctions(pre=np.array([0]), post=np.array([1, 2]), conductance=np.ones(1)), "1 of pre but 2 of"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
