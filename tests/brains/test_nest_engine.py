"""The NEST engine: what it refuses, checkpoints, chunks, threads, and engines that take turns in the one kernel."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from animat.brains.connectome import Connectome
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.engines.nest_engine import NestEngine
from animat.brains.engines.nest_kernel import KEPT
from animat.brains.gap_junctions import GapJunctions
from animat.brains.models import SPIKING, Izhikevich, LifAlpha, LifExp, LifPsc
from animat.brains.models.pair_stdp import PairStdp
from animat.brains.spiking import Plastic, SpikingNetwork, spiking_network
from animat.brains.spiking_brain import SpikingBrain

needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="NEST, the optional extra `nest`, is not installed")
MISSING = """
import sys
{block}
import numpy as np
from animat.brains.spiking import SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain
nothing = np.zeros(0, np.int32)
net = SpikingNetwork(start=np.zeros(2, np.int64), target=nothing, weight=nothing.astype("f4"))
SpikingBrain(net, engine="nest")
"""


class Unheard(LifAlpha):
    """A model that NEST does not know."""


def network(model=None, n: int = 60, degree: int = 10, **more) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    model = model or LifPsc()
    size = {"pA": 200.0, "mV": 1.5, "nS": 5.0}[model.WEIGHT_UNIT]
    return SpikingNetwork(
        start=np.arange(n + 1) * degree,
        target=np.sort([rng.choice(n, degree, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel(),
        weight=(rng.choice([1.0, 1.0, 1.0, -1.0], n).repeat(degree) * rng.uniform(0, size, n * degree)).astype("f4"),
        model=model,
        delay_steps=rng.integers(1, 60, n * degree).astype(np.uint8),
        **more,
    )


def excited(engine: NestEngine, background: bool = True) -> NestEngine:
    engine.drive(np.linspace(0.0, 20.0, engine._network.n))
    engine.poisson(np.arange(0, engine._network.n, 7), 80.0, 8.0, 0.0)
    if background:
        strength = np.abs(engine._network.weight).max()
        engine.background(np.linspace(0.0, 900.0, engine._network.n).round(-2), strength)
    return engine


def lists(*spikes) -> list[list[int]]:
    return [np.concatenate(parts).tolist() for parts in zip(*spikes, strict=True)]


@pytest.mark.parametrize(
    ("block", "found"),
    [("sys.modules['nest'] = None", ""), ("sys.path.insert(0, r'{folder}')", "is not it")],
)
def test_without_nest_the_error_says_what_to_install(tmp_path, block, found):
    (tmp_path / "nest.py").write_text("")  # PyPI has another package of this name
    code = MISSING.format(block=block.format(folder=tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    message = done.stderr.strip().splitlines()[-1]
    assert "ModuleNotFoundError" in message
    assert "pip install 'animat[nest]'" in message
    assert found in message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(Unheard()), "no counterpart of Unheard; it runs lif_exp, lif_psc, lif_alpha, lif_cond"),
        (
            lambda: network(plastic=Plastic(edges=np.array([3, 4]), rule=PairStdp())),
            "no plastic edges, got 2 of PairStdp",
        ),
        (
            lambda: network(gap=GapJunctions(pre=np.array([0]), post=np.array([1]), conductance=np.array([0.1]))),
            "no gap junctions, got 1 of them; engine='dense' does",
        ),
        (lambda: network(Izhikevich(t_refractory_ms=2.0)), "izhikevich has no refractory period, got 2.0 ms"),
        (
            lambda: network(LifPsc(tau_i_ms=2.0), receptor=np.zeros(600, np.uint8)),
            "tau_e_ms .0.5 ms. is not tau_i_ms .2.0 ms.; engine='dense'",
        ),
    ],
)
def test_a_network_that_nest_cannot_run_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        NestEngine(make())


def test_threads_below_one_are_refused():
    with pytest.raises(ValueError, match="threads must be 1 or more, got 0"):
        NestEngine(network(), threads=0)


@needs_nest
def test_input_that_nest_cannot_give_is_refused():
    with pytest.raises(ValueError, match=r"izhikevich has no refractory period, got 1\.0 ms"):
        NestEngine(network(Izhikevich())).poisson([0], 10.0, 5.0, 1.0)
    with pytest.raises(ValueError, match=r"got -5\.0 pA at the other"):
        NestEngine(network(LifPsc(tau_i_ms=2.0))).background(100.0, -5.0, receptor=0)
    with pytest.raises(ValueError, match="rate_hz must be 0 to 10000 Hz"):
        NestEngine(network()).poisson([0], 10_001.0, 5.0, 1.0)
    with pytest.raises(ValueError, match="receptor must be 0 to 1"):
        NestEngine(network()).background(100.0, 5.0, receptor=2)


@needs_nest
@pytest.mark.parametrize("key", SPIKING)
def test_a_restored_engine_continues_bit_for_bit(key):
    net = network(SPIKING[key]())
    engine = excited(NestEngine(net, seed=3))
    engine.run(300)
    engine.drive(np.linspace(20.0, 0.0, net.n))
    engine.run(137)
    state = engine.state
    after, voltage = lists(engine.run(300)), engine.voltage
    other = NestEngine(net)
    other.run(20)
    other.load(state)
    assert len(after[0]) > 5
    assert lists(other.run(300)) == after
    np.testing.assert_array_equal(other.voltage, voltage)


@needs_nest
@pytest.mark.parametrize("key", SPIKING)
def test_chunks_change_nothing(key):
    net = network(SPIKING[key]())
    once = lists(excited(NestEngine(net)).run(500))
    engine = excited(NestEngine(net))
    assert lists(*(engine.run(length) for length in (1, 2, 60, 37, 400))) == once


@needs_nest
def test_two_threads_give_the_same_bytes_twice():
    runs = []
    for _ in range(2):
        engine = excited(NestEngine(network(), seed=1, threads=2))
        runs.append((lists(engine.run(1000)), engine.voltage.tobytes()))
    assert len(runs[0][0][0]) > 50
    assert runs[0] == runs[1]


@needs_nest
@pytest.mark.parametrize("model", [LifPsc(), LifExp()])
def test_without_background_the_number_of_threads_changes_nothing(model):
    runs = [lists(excited(NestEngine(network(model), threads=k), background=False).run(1000)) for k in (1, 2)]
    assert len(runs[0][0]) > 50
    assert runs[0] == runs[1]


@needs_nest
def test_engines_that_take_turns_do_not_disturb_each_other():
    alone = lists(excited(NestEngine(network(), seed=5)).run(400))
    one, two = excited(NestEngine(network(), seed=5)), excited(NestEngine(network(LifExp()), seed=6))
    parts = []
    for _ in range(4):
        parts.append(one.run(100))
        two.run(50)
    assert lists(*parts) == alone


@needs_nest
def test_background_may_begin_late_and_change():
    once = excited(NestEngine(network()), background=False)
    quiet = once.run(1000)[0].size
    once.background(np.full(60, 4000.0), 87.8)
    loud = once.run(1000)[0].size
    once.background(np.full(60, 4000.0), -300.0, receptor=1)
    calm = once.run(1000)[0].size
    assert calm < 0.5 * quiet < quiet < 0.5 * loud


@needs_nest
def test_no_spike_is_lost_or_told_twice_where_the_recorder_is_emptied():
    nothing = np.zeros(0, np.int32)
    net = SpikingNetwork(
        start=np.zeros(101, np.int64), target=nothing, weight=nothing.astype("f4"), model=LifPsc(), dt_ms=0.1
    )
    runs = []
    for engine in (NestEngine(net, threads=2), DenseEngine(net)):
        engine.drive(np.linspace(200.0, 300.0, 100))
        runs.append(lists(*(engine.run(500) for _ in range(16))))
    assert len(runs[0][0]) > KEPT
    assert runs[0] == runs[1]


@needs_nest
def test_an_input_that_lifts_izhikevichs_neuron_over_its_peak_acts_one_step_earlier():
    net = SpikingNetwork(
        start=np.array([0, 1, 1]),
        target=np.array([1], np.int32),
        weight=np.array([120.0], np.float32),
        model=Izhikevich(),
    )
    first = []
    for engine in (NestEngine(net), DenseEngine(net)):
        engine.drive([20.0, 0.0])
        steps, neurons = engine.run(300)
        first.append([int(steps[neurons == i][0]) for i in (0, 1)])
    assert first[0][1] - first[0][0] == 10  # the delay
    assert first[1] == [first[0][0], first[0][1] + 1]


@needs_nest
def test_a_connectome_runs_in_nest_through_a_brain(little_worm: Connectome):
    net = spiking_network(little_worm, mv_per_synapse=4.0)
    activities = []
    for engine in ("nest", "event"):
        brain = SpikingBrain(net, engine=engine)
        brain.poisson(net.index(["ALM"]), 100.0)
        activities.append(brain.step(np.where(np.arange(net.n) == 2, 9.0, 0.0), 0.3))
    assert activities[0].spikes.sum() > 20
    np.testing.assert_array_equal(activities[0].spikes, activities[1].spikes)
    state = brain.state
    with pytest.raises(ValueError, match=r"no 'log\.step' in the state; NEST continues only what it has run"):
        SpikingBrain(net, engine="nest").restore(state)


@needs_nest
def test_the_state_of_another_network_is_refused():
    with pytest.raises(ValueError, match="the state is of 60 neurons, not of 30"):
        NestEngine(network(n=30)).load(NestEngine(network()).state)


@needs_nest
def test_input_that_a_refractory_neuron_gets_is_lost_in_lif_exp_and_kept_in_lif_psc():
    alike = LifPsc(c_m_pf=20.0, tau_m_ms=20.0, tau_e_ms=5.0, tau_i_ms=5.0, v_rest_mv=-52.0, v_threshold_mv=-45.0)
    alike = replace(alike, v_reset_mv=-52.0, t_refractory_ms=2.2, delay_ms=1.8)
    counts = []
    for model in (LifExp(), alike):
        net = SpikingNetwork(
            start=np.array([0, 1, 1]),
            target=np.array([1], np.int32),
            weight=np.array([200.0], np.float32),
            model=model,
        )
        for engine in (NestEngine(net), DenseEngine(net)):
            engine.drive([20.0, 0.0])
            counts.append(np.bincount(engine.run(5000)[1], minlength=2).tolist())
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]
    assert counts[2][1] > 1.2 * counts[0][1]
