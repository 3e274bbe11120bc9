"""BrainBatch: every copy is a SpikingBrain of its own, on the compiled engines and on jax."""

from importlib.util import find_spec

import numpy as np
import pytest

from animat.brains.batch import BrainBatch
from animat.brains.models import LifExp, LifPsc
from animat.brains.spiking import SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="no jax; pip install 'animat[gpu]' installs it")
ENGINES = ["event", "dense", pytest.param("jax", marks=needs_jax)]
SIZE, N = 5, 50


def random_network(model=None, scale: float = 1.0) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(N, 10, replace=False) for _ in range(N)], axis=1).astype(np.int32).ravel()
    weight = rng.choice([1.0, 1.0, -2.0], N).repeat(10) * rng.uniform(0.5, 3.0, 10 * N) * scale
    return SpikingNetwork(
        start=np.arange(N + 1) * 10, target=target, weight=weight.astype(np.float32), model=model or LifExp()
    )


DRIVE = np.random.default_rng(1).uniform(0.0, 20.0, (SIZE, N))
RATES = np.linspace(20.0, 300.0, SIZE)[:, None] * np.ones(10)


def excited(engine: str, **values) -> BrainBatch:
    batch = BrainBatch(random_network(), SIZE, seeds=range(3, 3 + SIZE), engine=engine, **values)
    batch.poisson(np.arange(10), RATES, 20.0, 1.0)
    return batch


@pytest.mark.parametrize("engine", ENGINES)
def test_a_copy_does_what_a_brain_of_its_seed_and_drive_does(engine):
    batch = excited(engine)
    parts = [batch.step(DRIVE, 0.03), batch.step(None, 0.02)]
    assert len({tuple(row) for row in parts[0].spikes}) == SIZE
    for b in range(SIZE):
        brain = SpikingBrain(random_network(), seed=3 + b, engine=engine)
        brain.poisson(np.arange(10), RATES[b], 20.0, 1.0)
        for part, alone in zip(parts, (brain.step(DRIVE[b], 0.03), brain.step(None, 0.02)), strict=True):
            np.testing.assert_array_equal(part.spikes[b], alone.spikes)
        np.testing.assert_array_equal(parts[1].voltage[b], alone.voltage)


@needs_jax
def test_a_batch_fires_the_same_spikes_on_jax_and_on_the_compiled_engines():
    loop, jax = (excited(engine).step(DRIVE, 0.05) for engine in ("dense", "jax"))
    assert loop.spikes.sum() > 300
    np.testing.assert_array_equal(loop.spikes, jax.spikes)
    np.testing.assert_allclose(loop.voltage, jax.voltage, atol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_restored_batch_continues_bit_for_bit_and_so_does_a_brain_taken_out_of_it(engine):
    batch = excited(engine)
    batch.step(DRIVE, 0.0213)
    states = batch.state
    expected = batch.step(None, 0.03)
    other = BrainBatch(random_network(), SIZE, engine=engine)
    other.step(DRIVE[::-1], 0.0044)
    other.restore(states)
    found = other.step(None, 0.03)
    np.testing.assert_array_equal(found.spikes, expected.spikes)
    np.testing.assert_array_equal(found.voltage, expected.voltage)
    np.testing.assert_array_equal(other.time_s, batch.time_s)
    assert other.seeds == batch.seeds
    alone = SpikingBrain(random_network(), engine=engine)
    alone.restore(states[2])
    np.testing.assert_array_equal(alone.step(None, 0.03).spikes, expected.spikes[2])


@pytest.mark.parametrize("engine", ENGINES)
def test_one_copy_can_start_again_while_the_others_go_on(engine):
    batch, undisturbed = excited(engine), excited(engine)
    batch.step(DRIVE, 0.0107)
    undisturbed.step(DRIVE, 0.0107)
    batch.reset(seeds=[40], which=[1])
    drive = DRIVE.copy()
    found, expected = batch.step(drive, 0.03), undisturbed.step(drive, 0.03)
    others = [0, 2, 3, 4]
    np.testing.assert_array_equal(found.spikes[others], expected.spikes[others])
    fresh = SpikingBrain(random_network(), seed=40, engine=engine)
    np.testing.assert_array_equal(found.spikes[1], fresh.step(drive[1], 0.03).spikes)
    assert found.spikes[1].sum() > 10
    np.testing.assert_allclose(batch.time_s, [0.0407, 0.03, 0.0407, 0.0407, 0.0407])


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_copy_that_starts_again_gets_the_input_of_its_own_clock(engine):
    batch = BrainBatch(random_network(LifPsc(), 30.0), 2, engine=engine)
    batch.step(None, 0.0033)
    batch.reset(which=[1])
    batch.poisson([0, 1, 2], 200.0, 20.0)
    batch.background(9000.0, [np.full(N, 50.0), np.full(N, 80.0)])
    found = batch.step(None, 0.05)
    fresh = SpikingBrain(random_network(LifPsc(), 30.0), seed=1, engine=engine)
    fresh.poisson([0, 1, 2], 200.0, 20.0)
    fresh.background(9000.0, 80.0)
    expected = fresh.step(None, 0.05).spikes
    assert expected.sum() > 10
    np.testing.assert_array_equal(found.spikes[1], expected)


def test_threads_change_nothing():
    one, two = (excited("dense", threads=threads).step(DRIVE, 0.05) for threads in (1, 2))
    np.testing.assert_array_equal(one.spikes, two.spikes)
    np.testing.assert_array_equal(one.voltage, two.voltage)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: BrainBatch(net, 0), "size must be 1 or more, got 0"),
        (lambda net: BrainBatch(net, 2, seeds=[1]), "2 copies but 1 seeds"),
        (lambda net: BrainBatch(net, 2, engine="gpu"), "one of auto, event, dense, brian2, nest, jax, got 'gpu'"),
        (lambda net: BrainBatch(net, 2, engine="nest"), "NEST holds one network a process"),
        (lambda net: BrainBatch(net, 2, engine="jax", threads=2), "jax has threads of its own, got 2"),
        (lambda net: BrainBatch(net, 2, threads=0), "threads must be 1 or more, got 0"),
        (lambda net: BrainBatch(net, 2).step(np.zeros(N), 0.01), r"must have shape \(2, 50\), got \(50,\)"),
        (lambda net: BrainBatch(net, 2).step(np.full((2, N), np.nan), 0.01), "neuron 0 of copy 0 is nan mV"),
        (lambda net: BrainBatch(net, 2).reset(which=[2]), r"different ones of 0 to 1, got \[2\]"),
        (lambda net: BrainBatch(net, 2).restore([]), "2 copies but 0 states"),
        (lambda net: BrainBatch(net, 2).background(10.0, 1.0), "event-driven engine has no background"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_network())
