"""The dense engine: delays, receptors, background, chunks, and which engine a brain picks."""

import numpy as np
import pytest

from animat.brains.engines.brian2_spiking import Brian2Spiking
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.engines.event_engine import EventEngine
from animat.brains.engines.poisson_background import background, background_input
from animat.brains.models import LifCond, LifExp, LifPsc
from animat.brains.spiking import SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain


def fan(model=None, delays=(3, 17, 1), receptor=None, weight=(1.0, 1.0, 1.0)) -> SpikingNetwork:
    """Neuron 0 reaches 1, 2 and 3."""
    return SpikingNetwork(
        start=np.array([0, 3, 3, 3, 3]),
        target=np.array([1, 2, 3], np.int32),
        weight=np.array(weight, np.float32),
        model=model or LifPsc(),
        delay_steps=None if delays is None else np.array(delays, np.uint8),
        receptor=None if receptor is None else np.array(receptor, np.uint8),
    )


def random_network(n: int = 300, degree: int = 30) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(n, degree, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel()
    sign = rng.choice([1.0, 1.0, 1.0, -4.0], n).repeat(degree)
    return SpikingNetwork(
        start=np.arange(n + 1) * degree,
        target=target,
        weight=(sign * rng.uniform(20, 80, n * degree)).astype(np.float32),
        model=LifPsc(),
        delay_steps=rng.integers(1, 300, n * degree).astype(np.int16),
    )


def excited(engine: DenseEngine) -> DenseEngine:
    engine.background(9000.0, 87.8)
    engine.poisson(np.arange(0, 300, 7), 40.0, 5.0, 2.0)
    return engine


def test_a_spike_arrives_after_the_delay_of_its_edge():
    engine = DenseEngine(fan())
    engine.load(engine.state | {"v": np.array([0.0, -65.0, -65.0, -65.0])})
    arrived = {}
    for step in range(25):
        engine.run(1)
        for i in np.flatnonzero(engine.state["i_e"]):
            arrived.setdefault(int(i), step)
    assert arrived == {1: 3, 2: 17, 3: 1}


@pytest.mark.parametrize(
    ("model", "receptor", "weight", "first", "second"),
    [
        (LifPsc(), None, (5.0, -7.0, 2.0), (5.0, 0.0, 2.0), (0.0, -7.0, 0.0)),
        (LifCond(), None, (5.0, -7.0, 2.0), (5.0, 0.0, 2.0), (0.0, 7.0, 0.0)),
        (LifCond(), (1, 0, 1), (5.0, 7.0, 2.0), (0.0, 7.0, 0.0), (5.0, 0.0, 2.0)),
        (LifPsc(), (1, 1, 0), (5.0, 7.0, 2.0), (0.0, 0.0, 2.0), (5.0, 7.0, 0.0)),
    ],
)
def test_a_weight_reaches_its_receptor(model, receptor, weight, first, second):
    engine = DenseEngine(fan(model, (2, 2, 2), receptor, weight))
    engine.load(engine.state | {"v": np.array([0.0, -65.0, -65.0, -65.0])})
    engine.run(3)
    for name, expected in zip(model.RECEPTORS, (first, second), strict=True):
        np.testing.assert_array_equal(engine.state[name][1:], expected)


def test_chunks_change_nothing():
    net = random_network()
    once = excited(DenseEngine(net)).run(3000)
    engine = excited(DenseEngine(net))
    parts = [engine.run(length) for length in (1, 31, 400, 68, 2000, 500)]
    assert len(once[0]) > 1000
    for k in (0, 1):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), once[k])


def test_a_reset_engine_starts_again_and_another_seed_differs():
    engine = excited(DenseEngine(random_network()))
    first = engine.run(1000)
    engine.reset(0)
    again = excited(engine).run(1000)
    engine.reset(1)
    other = excited(engine).run(1000)
    np.testing.assert_array_equal(first, again)
    assert first[0].size != other[0].size or (first[1] != other[1]).any()


def test_the_background_has_the_mean_and_the_variance_of_poisson_input():
    rate_hz, steps = 30_000.0, 2000
    outside = background(3, 50, rate_hz, 2.0)
    counts = np.array([background_input(outside, step) for step in range(steps)]) / 2.0
    mean = rate_hz * 1e-4
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / counts.size))
    assert counts.var() == pytest.approx(mean, rel=0.03)
    assert abs(np.corrcoef(counts[:-1].ravel(), counts[1:].ravel())[0, 1]) < 4 / np.sqrt(counts.size)
    assert abs(np.corrcoef(counts[:, 0], counts[:, 1])[0, 1]) < 4 / np.sqrt(steps)


def test_a_brain_picks_the_engine_that_can_run_its_network():
    quick = SpikingNetwork(start=np.zeros(2, np.int64), target=np.zeros(0, np.int32), weight=np.zeros(0, np.float32))
    assert isinstance(SpikingBrain(quick)._engine, EventEngine)
    assert isinstance(SpikingBrain(quick, engine="dense")._engine, DenseEngine)
    assert isinstance(SpikingBrain(quick, engine="brian2")._engine, Brian2Spiking)
    assert isinstance(SpikingBrain(fan())._engine, DenseEngine)
    assert isinstance(SpikingBrain(fan(LifExp()))._engine, DenseEngine)


def test_a_brain_on_the_dense_engine_has_background_and_checkpoints():
    brain = SpikingBrain(random_network(), seed=5)
    brain.background(9000.0, 87.8)
    brain.step(None, 0.1)
    kept = brain.state
    first = brain.step(None, 0.1)
    other = SpikingBrain(random_network())
    other.restore(kept)
    second = other.step(None, 0.1)
    assert first.neurons.size > 50
    np.testing.assert_array_equal(first.neurons, second.neurons)
    np.testing.assert_array_equal(first.voltage, second.voltage)
    assert other.time_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fan(delays=(0, 1, 2)), "delay_steps must be 1 or more, got 0"),
        (lambda: fan(receptor=(0, 1, 2)), r"receptor must be 0 to 1 \(i_e, i_i\), got 2"),
        (lambda: fan(LifCond(), receptor=(0, 1, 1), weight=(1, -1, 1)), "a conductance must not be negative"),
        (lambda: fan(delays=(1, 2)), "3 edges but 2 of delay_steps"),
        (lambda: EventEngine(fan()), "runs LifExp with one delay"),
        (lambda: SpikingBrain(fan(), threads=2), "only engines event and nest have threads, got 2 for dense"),
        (
            lambda: SpikingBrain(fan(), engine="nets"),
            "engine must be one of auto, event, dense, brian2, nest, jax, got 'nets'",
        ),
        (lambda: DenseEngine(fan()).background(-1.0, 1.0), "rate_hz must be 0 to 5e.06 Hz, got -1.0 Hz"),
        (lambda: DenseEngine(fan()).background(1.0, np.nan), "weight is not finite"),
        (lambda: DenseEngine(fan()).background(1.0, np.ones(3)), r"weight must have shape \(\) or \(4,\)"),
        (lambda: DenseEngine(fan()).background(1.0, 1.0, receptor=2), "receptor must be 0 to 1"),
        (lambda: DenseEngine(fan()).load({}), "no 'v' in the state"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
