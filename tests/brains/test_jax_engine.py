"""The jax engine: checkpoints, chunks, what it refuses, and its differentiable form."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.gap_junctions import GapJunctions
from animat.brains.models import Izhikevich, LifExp, LifPsc, PairStdp
from animat.brains.spiking import Plastic, SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="no jax; pip install 'animat[gpu]' installs it")


def random_network(model=None, n: int = 60, degree: int = 10, **extras) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(n, degree, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel()
    weight = rng.choice([1.0, 1.0, 1.0, -2.0], n).repeat(degree) * rng.uniform(0.5, 3.0, n * degree)
    return SpikingNetwork(
        start=np.arange(n + 1) * degree,
        target=target,
        weight=weight.astype(np.float32),
        model=model or LifExp(),
        **extras,
    )


def chain(weight: float = 20.0, steps: int = 5) -> SpikingNetwork:
    """Neuron 0 reaches neuron 1."""
    return SpikingNetwork(
        start=np.array([0, 1, 1]),
        target=np.array([1], np.int32),
        weight=np.array([weight], np.float32),
        delay_steps=np.array([steps], np.uint8),
    )


def excited(engine):
    engine.drive(np.linspace(0.0, 20.0, 60))
    engine.poisson(np.arange(0, 60, 7), 100.0, 5.0, 2.0)
    engine.background(2000.0, 0.5)
    return engine


@needs_jax
def test_chunks_change_nothing_and_a_restored_engine_continues_bit_for_bit():
    from animat.brains.engines.jax_engine import JaxEngine

    once, parts = (excited(JaxEngine(random_network())) for _ in range(2))
    whole = once.run(1000)
    pieces = [parts.run(length) for length in (1, 63, 36, 400)]
    state = parts.state
    other = JaxEngine(random_network(), seed=9)
    other.run(70)
    other.load(state)
    assert whole[0].size > 300
    for rest, engine in ((parts.run(500), parts), (other.run(500), other)):
        np.testing.assert_array_equal(np.concatenate([*pieces, rest], axis=1), whole)
        np.testing.assert_array_equal(engine.voltage, once.voltage)
        for name, value in once.state.items():
            np.testing.assert_array_equal(engine.state[name], value, err_msg=name)


@needs_jax
def test_a_checkpoint_passes_between_jax_and_the_dense_engine():
    from animat.brains.engines.jax_engine import JaxEngine

    net = random_network(delay_steps=np.random.default_rng(1).integers(1, 60, 600).astype(np.uint8))
    for kind, other in ((DenseEngine, JaxEngine), (JaxEngine, DenseEngine)):
        engine, second = excited(kind(net)), other(net)
        engine.run(333)
        second.load(engine.state)
        spikes = engine.run(300)
        assert spikes[0].size > 50
        np.testing.assert_array_equal(spikes, second.run(300))


@needs_jax
def test_a_reset_engine_starts_again_and_another_seed_differs():
    brain = SpikingBrain(random_network(), engine="jax")

    def run():
        brain.poisson(np.arange(60), 100.0)
        return brain.step(np.zeros(60), 0.05)

    first = run()
    brain.reset()
    again = run()
    brain.reset(seed=1)
    other = run()
    assert first.neurons.size > 50
    np.testing.assert_array_equal([first.steps, first.neurons], [again.steps, again.neurons])
    assert first.neurons.tolist() != other.neurons.tolist()


@needs_jax
def test_a_running_sum_of_whole_numbers_is_exact():
    from animat.brains.engines.jax_loop import running_sum

    for size in (31, 33, 5000):
        values = np.random.default_rng(size).integers(0, 300, size)
        np.testing.assert_array_equal(running_sum(values.astype(np.float32)), np.cumsum(values))


class Branching(LifExp):
    """A model that branches on its state."""

    @staticmethod
    def advance(x, i, active, drive, c):
        if x[0, i] > 0.0:
            x[0, i] = drive


@needs_jax
def test_what_jax_cannot_run_is_refused():
    from animat.brains.engines.jax_engine import JaxEngine

    with pytest.raises(ValueError, match=r"cannot trace Branching.advance.*LifExp, LifPsc, .* work"):
        JaxEngine(random_network(Branching()))
    with pytest.raises(ValueError, match="no plastic edges; engine 'dense' does"):
        JaxEngine(random_network(plastic=Plastic(edges=np.array([0]), rule=PairStdp())))
    junction = GapJunctions(pre=np.array([0]), post=np.array([1]), conductance=np.array([0.1]))
    with pytest.raises(ValueError, match="no gap junctions; engine 'dense' does"):
        JaxEngine(random_network(gap=junction))
    with pytest.raises(ValueError, match="precision must be one of single, double, got 'half'"):
        JaxEngine(chain(), precision="half")
    with pytest.raises(OverflowError, match="reset the brain"):
        JaxEngine(chain()).run(2**30)


def test_without_jax_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "import numpy as np\n"
        "from animat.brains.spiking import SpikingNetwork\n"
        "from animat.brains.spiking_brain import SpikingBrain\n"
        "one, nothing = np.zeros(2, np.int64), np.zeros(0, np.int32)\n"
        "SpikingBrain(SpikingNetwork(start=one, target=nothing, weight=nothing.astype('f4')), engine='jax')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: engine 'jax' needs jax: pip install 'animat[gpu]'" in done.stderr


@needs_jax
@pytest.mark.parametrize("model", [LifPsc(), Izhikevich()])
def test_the_differentiable_form_fires_the_spikes_of_the_engine(model):
    from animat.brains.engines.jax_engine import JaxEngine
    from animat.brains.engines.jax_rollout import differentiable

    net = random_network(model, delay_steps=np.random.default_rng(1).integers(1, 30, 600).astype(np.uint8))
    engine, drive = JaxEngine(net), np.linspace(0.0, 30.0, 60)
    engine.drive(drive)
    steps, neurons = engine.run(500)
    spikes, voltage = differentiable(net)(net.weight, drive, 500)
    assert steps.size > 50
    np.testing.assert_array_equal(np.nonzero(spikes), [steps, neurons])
    np.testing.assert_allclose(voltage[-1], engine.voltage, atol=1e-3)


@needs_jax
def test_a_spike_has_the_derivative_of_a_fast_sigmoid():
    import jax

    from animat.brains.engines.jax_rollout import surrogate

    distance = np.array([-3.0, -0.5, 0.0, 1.0], np.float32)
    fired = (distance > 0).astype(np.float32)
    value, slope = jax.jvp(lambda d: surrogate(fired, d, 2.0), (distance,), (np.ones(4, np.float32),))
    np.testing.assert_array_equal(value, fired)
    np.testing.assert_allclose(slope, 1.0 / (1.0 + 2.0 * np.abs(distance)) ** 2, rtol=1e-6)


def two_layers(n: int = 10) -> SpikingNetwork:
    """Every one of the first n neurons reaches every one of the other n."""
    return SpikingNetwork(
        start=np.concatenate([np.arange(n + 1) * n, np.full(n, n * n)]),
        target=np.tile(np.arange(n, 2 * n), n).astype(np.int32),
        weight=np.random.default_rng(0).uniform(0.5, 2.0, n * n).astype(np.float32),
    )


@needs_jax
@pytest.mark.parametrize("what", ["drive", "weights"])
def test_gradient_descent_reaches_a_target_rate(what):
    import jax

    from animat.brains.engines.jax_rollout import differentiable

    net, target_hz = two_layers(), 40.0
    rollout = differentiable(net)
    start = {"drive": np.append(np.linspace(9.0, 15.0, 10), np.zeros(10)).astype(np.float32), "weights": net.weight}

    def error(value):
        spikes = rollout(**(start | {what: value}), steps=2000).spikes[:, 10:]
        return spikes.mean() / (net.dt_ms * 1e-3) - target_hz

    slope = jax.jit(jax.value_and_grad(lambda value: error(value) ** 2))
    value, errors = start[what], [float(error(start[what]))]
    while abs(errors[-1]) > 2.0 and len(errors) < 100:
        direction = slope(value)[1]
        length = np.clip(abs(errors[-1]) / 20.0, 0.5, 2.0)
        value = value - length * direction / np.linalg.norm(direction)
        errors.append(float(error(value)))
    assert errors[0] < -30.0
    assert abs(errors[-1]) <= 2.0


@needs_jax
def test_the_gradient_passes_through_a_synapse_and_its_delay():
    import jax

    from animat.brains.engines.jax_rollout import differentiable

    rollout, drive = differentiable(chain()), np.array([12.0, 0.0], np.float32)
    weights = np.array([20.0], np.float32)
    of_weight = jax.grad(lambda w: rollout(w, drive, 300).spikes[:, 1].sum())(weights)
    of_drive = jax.grad(lambda d: rollout(weights, d, 300).spikes[:, 1].sum())(drive)
    assert of_weight[0] > 0
    assert of_drive[0] > 0
    assert of_drive[1] > 0


@needs_jax
def test_vmap_runs_many_drives_at_once():
    import jax

    from animat.brains.engines.jax_rollout import differentiable

    net = random_network()
    rollout, drives = differentiable(net), np.linspace(5.0, 25.0, 3)[:, None] * np.ones(60)
    together = jax.vmap(lambda drive: rollout(net.weight, drive, 200).spikes)(drives)
    assert together.sum() > 50
    for k, drive in enumerate(drives):
        np.testing.assert_array_equal(together[k], rollout(net.weight, drive, 200).spikes)
