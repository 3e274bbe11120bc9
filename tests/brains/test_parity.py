"""Parity: every spiking model on every engine, spike for spike, from rest and from each other's checkpoints."""

import shutil
from dataclasses import replace
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from animat.brains.engines.brian2_spiking import Brian2Spiking
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.engines.event_engine import EventEngine
from animat.brains.engines.nest_engine import NestEngine
from animat.brains.models import SPIKING, LifExp
from animat.brains.models.spiking_model import SpikingModel
from animat.brains.spiking import SpikingNetwork

N, DEGREE = 40, 8
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="no jax; pip install 'animat[gpu]' installs it")

STRENGTH = {"mV": (2.0, 2.0), "pA": (300.0, 300.0), "nS": (10.0, 40.0)}  # strongest excitation and inhibition


def network(model: SpikingModel, delays: bool = False, n: int = N, degree: int = DEGREE, scale: float = 1.0):
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(n, degree, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel()
    excites = rng.choice([True, True, True, False], n).repeat(degree)
    size = np.where(excites, *STRENGTH[model.WEIGHT_UNIT]) * rng.uniform(0.1, 1.0, n * degree) * scale
    extras = {"delay_steps": rng.integers(1, 40, n * degree).astype(np.uint8)} if delays else {}
    if delays and len(model.RECEPTORS) > 1:
        extras["receptor"] = (~excites).astype(np.uint8)
        size = size if model.UNSIGNED else np.where(excites, size, -size)
    else:
        size = np.where(excites, size, -size)
    return SpikingNetwork(
        start=np.arange(n + 1) * degree, target=target, weight=size.astype(np.float32), model=model, **extras
    )


def stimulate(engine, background: bool = False) -> None:
    engine.drive(np.where(np.arange(N) % 3 == 0, np.linspace(5.0, 40.0, N), 0.0))
    engine.poisson(np.arange(0, N, 5), 50.0, 20.0, 1.0)
    if background:
        weight = STRENGTH[engine._network.model.WEIGHT_UNIT][0]
        engine.background(np.linspace(0.0, 2000.0, N), 0.1 * weight)


@cache
def two_parts(key: str, kind: type, delays: bool) -> tuple:
    """Both halves of a run as lists of spikes, the state between them, and the voltage at the end."""
    engine = kind(network(SPIKING[key](), delays))
    stimulate(engine)
    first = engine.run(1000)
    if delays:
        stimulate(engine, background=True)
    state = engine.state if kind is not EventEngine else {}
    second = engine.run(500)
    return (*([part.tolist() for part in half] for half in (first, second)), state, engine.voltage)


CASES = [pytest.param(key, True, id=key) for key in SPIKING]
CASES += [pytest.param(key, False, id=f"{key}, one delay") for key in ("lif_exp", "lif_cond", "izhikevich")]


@pytest.mark.parametrize(("key", "delays"), CASES)
def test_brian2_fires_the_same_spikes_at_the_same_steps(key, delays):
    first, second, _, voltage = two_parts(key, DenseEngine, delays)
    assert len(first[0]) + len(second[0]) > 50
    reference = two_parts(key, Brian2Spiking, delays)
    assert (first, second) == reference[:2]
    np.testing.assert_allclose(voltage, reference[3], atol=1e-3)


@pytest.mark.parametrize("key", SPIKING)
def test_either_engine_continues_where_the_other_stopped(key):
    for kind, other in ((DenseEngine, Brian2Spiking), (Brian2Spiking, DenseEngine)):
        _, second, state, _ = two_parts(key, kind, delays=True)
        engine = other(network(SPIKING[key](), delays=True))
        engine.load(state)
        assert [part.tolist() for part in engine.run(500)] == second


@pytest.mark.parametrize(("key", "kind"), [*((key, DenseEngine) for key in SPIKING), ("lif_psc", Brian2Spiking)])
def test_a_restored_engine_continues_bit_for_bit(key, kind):
    _, second, state, voltage = two_parts(key, kind, delays=True)
    engine = kind(network(SPIKING[key](), delays=True), seed=7)
    engine.run(3)
    engine.load(state)
    assert [part.tolist() for part in engine.run(500)] == second
    np.testing.assert_array_equal(engine.voltage, voltage)


def test_the_event_driven_engine_fires_the_same_spikes_too():
    dense, event = (two_parts("lif_exp", kind, delays=False) for kind in (DenseEngine, EventEngine))
    assert dense[:2] == event[:2]
    np.testing.assert_allclose(dense[3], event[3], atol=1e-3)


def _on_jax(net: SpikingNetwork, precision: str = "single"):
    from animat.brains.engines.jax_engine import JaxEngine

    return JaxEngine(net, precision=precision)


@needs_jax
@pytest.mark.parametrize("key", SPIKING)
def test_jax_fires_the_same_spikes_in_32_bits_on_a_small_network(key):
    net = network(SPIKING[key](), delays=True)
    engines = DenseEngine(net), _on_jax(net)
    for engine in engines:
        stimulate(engine, background=True)
    dense, jax = ([part.tolist() for part in engine.run(1000)] for engine in engines)
    assert len(dense[0]) > 50
    assert dense == jax
    np.testing.assert_allclose(engines[0].voltage, engines[1].voltage, atol=0.1)


def _busy(engine):
    engine.drive(np.linspace(0.0, 12.0, engine._network.n))
    engine.poisson(np.arange(engine._network.n), 40.0, 10.0, 1.0)
    return engine


@needs_jax
def test_jax_fires_every_spike_of_a_stochastic_network_in_64_bits():
    net = network(LifExp(), delays=True, n=300, degree=50, scale=0.3)
    dense, jax = (_busy(engine).run(3000) for engine in (DenseEngine(net), _on_jax(net, "double")))
    assert dense[0].size > 1000
    np.testing.assert_array_equal(dense, jax)


@needs_jax
def test_rates_of_jax_agree_in_32_bits_on_a_stochastic_network():
    net = network(LifExp(), delays=True, n=300, degree=50, scale=0.3)
    dense, jax = (_rates(_busy(engine), 20_000) for engine in (DenseEngine(net), _on_jax(net)))
    assert dense.mean() > 5.0
    assert np.corrcoef(dense, jax)[0, 1] > 0.99
    assert jax.mean() == pytest.approx(dense.mean(), rel=0.02)


@pytest.mark.reference
@pytest.mark.skipif(shutil.which("c++") is None, reason="brian2's cython target compiles C++, and there is no compiler")
@pytest.mark.parametrize("key", SPIKING)
def test_brian2_compiled_by_cython_fires_them_too(key):
    net = network(SPIKING[key](), delays=True)
    dense, reference = DenseEngine(net), Brian2Spiking(net, target="cython")
    for engine in (dense, reference):
        stimulate(engine, background=True)
    assert [part.tolist() for part in dense.run(500)] == [part.tolist() for part in reference.run(500)]


needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="NEST, the optional extra `nest`, is not installed")


@needs_nest
@pytest.mark.parametrize("delays", [False, True])
@pytest.mark.parametrize("key", ["lif_exp", "lif_psc", "lif_alpha", "izhikevich"])
def test_nest_fires_the_same_spikes_at_the_same_steps(key, delays):
    runs, engines = [], [kind(network(SPIKING[key](), delays)) for kind in (DenseEngine, NestEngine)]
    for engine in engines:
        engine.drive(np.where(np.arange(N) % 3 == 0, np.linspace(5.0, 40.0, N), 0.0))
        engine.poisson(np.arange(0, N, 5), 50.0, 20.0, 0.0 if key == "izhikevich" else 1.0)
        runs.append([[part.tolist() for part in engine.run(steps)] for steps in (1000, 7, 493)])
    assert len(runs[0][0][0]) > 50
    assert runs[0] == runs[1]
    np.testing.assert_allclose(engines[0].voltage, engines[1].voltage, atol=1e-3)


# NEST integrates these to 1e-6; our exponential Euler makes Hodgkin-Huxley 8 % slow at 0.1 ms, hence shorter steps
@needs_nest
@pytest.mark.parametrize(("key", "dt_ms"), [("lif_cond", 0.1), ("adex", 0.05), ("hodgkin_huxley", 0.01)])
def test_rates_agree_with_nest_where_the_integration_differs(key, dt_ms):
    net = replace(network(SPIKING[key](), n=100, scale=0.2), dt_ms=dt_ms)
    rates = []
    for engine in (DenseEngine(net), NestEngine(net)):
        engine.drive(np.linspace(0.0, 40.0, net.n))
        engine.poisson(np.arange(0, net.n, 2), 50.0, 10.0, net.model.t_refractory_ms)
        rates.append(_rates(engine, round(300.0 / dt_ms)))
    assert rates[0].mean() > 5.0
    assert np.corrcoef(rates)[0, 1] > 0.99
    assert rates[1].mean() == pytest.approx(rates[0].mean(), rel=0.02)


@needs_nest
def test_rates_agree_with_nest_under_its_own_background():
    net = network(SPIKING["lif_psc"](), delays=True, n=300, scale=0.3)
    rates = []
    for engine in (DenseEngine(net), NestEngine(net)):
        engine.background(np.linspace(6000.0, 16_000.0, net.n).round(-2), 87.8)
        rates.append(_rates(engine, 20_000))
    assert rates[0].mean() > 5.0
    assert np.corrcoef(rates)[0, 1] > 0.99
    assert rates[1].mean() == pytest.approx(rates[0].mean(), rel=0.02)


def _rates(engine, steps: int) -> np.ndarray:
    duration_s = steps * engine._network.dt_ms * 1e-3
    return np.bincount(engine.run(steps)[1], minlength=engine._network.n) / duration_s


@pytest.mark.reference
@pytest.mark.parametrize("key", SPIKING)
def test_rates_agree_on_ten_thousand_neurons_under_random_input(key):
    net = network(SPIKING[key](), n=10_000, degree=50, scale=0.05)
    engines = [DenseEngine(net), Brian2Spiking(net)]
    if isinstance(net.model, LifExp):
        engines.append(EventEngine(net))
    rates = []
    for engine in engines:
        engine.drive(np.linspace(0.0, 30.0, net.n))
        engine.poisson(np.arange(net.n), 20.0, 10.0, 1.0)
        rates.append(_rates(engine, 5000))
    assert rates[0].mean() > 1.0
    for other in rates[1:]:
        assert np.corrcoef(rates[0], other)[0, 1] > 0.99
        assert other.mean() == pytest.approx(rates[0].mean(), rel=0.02)
