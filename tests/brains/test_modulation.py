"""Slow modulation: concentrations against their closed form, on every engine, in chunks of any length."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from animat.brains.connectome import Connectome, Source
from animat.brains.models import LifExp
from animat.brains.modulation import ModulatedBrain, Modulation, modulation
from animat.brains.receptors import receptors
from animat.brains.spiking import SpikingNetwork, spiking_network
from animat.brains.spiking_brain import SpikingBrain
from animat.organisms.worm.wiring import connectome as worm

SENDER_MV = 12.0  # drive of the senders


def bare(n: int) -> SpikingNetwork:
    nothing = np.zeros(0, np.int32)
    return SpikingNetwork(start=np.zeros(n + 1, np.int64), target=nothing, weight=nothing.astype(np.float32))


def pair(mv_per_hz: float, tau_ms: float = 500.0, count: float = 1.0, period_ms: float = 10.0, **options):
    """Neuron 0 modulates neuron 1."""
    reach = csr_array(np.array([[0.0, 0.0], [count, 0.0]]))
    acts = Modulation(receptors=("R",), tau_ms=np.array([tau_ms]), count=(reach,), mv_per_hz=mv_per_hz)
    return ModulatedBrain(SpikingBrain(bare(2), **options), acts, period_ms)


def network(n: int = 60) -> SpikingNetwork:
    rng = np.random.default_rng(0)
    target = np.sort([rng.choice(n, 6, replace=False) for _ in range(n)], axis=1).astype(np.int32).ravel()
    weight = rng.uniform(-1.0, 1.5, 6 * n).astype(np.float32)
    return SpikingNetwork(start=np.arange(n + 1) * 6, target=target, weight=weight)


def modulated(n: int = 60, mv_per_hz: float = 0.02, **options) -> ModulatedBrain:
    """Two receptors between random cells, one that excites and one that inhibits."""
    rng = np.random.default_rng(1)
    count = tuple(csr_array(sign * (rng.random((n, n)) < 0.1).astype(float)) for sign in (1.0, -1.0))
    acts = Modulation(receptors=("E", "I"), tau_ms=np.array([300.0, 2000.0]), count=count, mv_per_hz=mv_per_hz)
    brain = ModulatedBrain(SpikingBrain(network(n), seed=3, **options), acts)
    brain.brain.poisson(np.arange(0, n, 7), 40.0, 20.0, 1.0)
    return brain


def run(brain, chunks_s, drive: bool = True) -> tuple[list[int], list[int]]:
    given = np.linspace(4.0, 9.0, brain.n) if drive else None
    parts = [brain.step(given, length) for length in chunks_s]
    return [np.concatenate([getattr(part, name) for part in parts]).tolist() for name in ("steps", "neurons")]


def test_the_concentration_follows_the_rate_of_its_sources_with_the_time_constant():
    brain = pair(0.0, tau_ms=500.0, count=3.0)
    rate = LifExp().steady_rate(SENDER_MV)
    for time_s in (0.25, 0.5, 1.0, 2.5):
        brain.step([SENDER_MV, 0.0], time_s - brain.time_s)
        expected = 3.0 * rate * (1.0 - np.exp(-time_s / 0.5))
        assert brain.concentration[0, 1] == pytest.approx(expected, rel=0.06)  # one spike of 30 to 300
    assert brain.concentration[0, 0] == 0.0


def test_without_spikes_it_decays_exactly():
    brain = pair(0.0, tau_ms=700.0)
    brain.step([SENDER_MV, 0.0], 0.5)
    brain.step([0.0, 0.0], 0.1)
    before = brain.concentration[0, 1]
    brain.step(None, 1.2345)
    assert before > 10.0
    assert brain.concentration[0, 1] == pytest.approx(before * np.exp(-1.2345 / 0.7), rel=1e-12)


def test_one_spike_adds_one_over_the_time_constant():
    brain = pair(0.0, tau_ms=400.0)
    activity = brain.step([SENDER_MV, 0.0], 0.03)
    assert activity.neurons.tolist() == [0]
    since_s = brain.time_s - activity.steps[0] * 1e-4
    assert brain.concentration[0, 1] == pytest.approx(np.exp(-since_s / 0.4) / 0.4, rel=1e-12)


@pytest.mark.parametrize("count", [1.0, -1.0])
def test_the_target_fires_at_the_closed_form_rate_of_its_drive(count):
    brain = pair(0.05, tau_ms=2000.0, count=count)
    own = 12.0
    brain.step([SENDER_MV, own], 12.0)  # six time constants
    settled = brain.step(None, 10.0)
    drive = own + count * 0.05 * LifExp().steady_rate(SENDER_MV)
    assert settled.spikes[1] / 10.0 == pytest.approx(LifExp().steady_rate(drive), rel=0.02)
    assert (settled.spikes[1] > settled.spikes[0]) == (count > 0)


@pytest.mark.parametrize("options", [{}, {"form": "lazy"}, {"form": "dense"}, {"engine": "dense"}])
def test_the_length_of_the_steps_changes_not_a_bit(options):
    once, parts = modulated(**options), modulated(**options)
    whole = run(once, [0.6])
    lengths = [0.0001, 0.0032, 0.0067, 0.01, 0.0203, 0.1597, 0.005, 0.395]
    assert run(parts, lengths) == whole
    assert len(whole[0]) > 200
    for name, value in once.state.items():
        if name.startswith("modulation") or options == {"engine": "dense"}:
            np.testing.assert_array_equal(value, parts.state[name])


def test_every_engine_gives_the_same_spikes():
    whole = run(modulated(mv_per_hz=0.1), [0.1])
    assert len(whole[0]) > 50
    for options in ({"threads": 2}, {"engine": "dense"}, {"engine": "brian2"}):
        assert run(modulated(mv_per_hz=0.1, **options), [0.1]) == whole


@pytest.mark.parametrize("options", [{}, {"engine": "dense"}])
@pytest.mark.parametrize("stop_s", [0.2, 0.2034])
def test_a_restored_brain_continues_exactly(options, stop_s):
    brain = modulated(**options)
    run(brain, [stop_s])
    kept = brain.state
    first = run(brain, [0.3], drive=False)
    other = modulated(**options)
    run(other, [0.05])
    other.restore(kept)
    assert run(other, [0.3], drive=False) == first
    assert other.time_s == pytest.approx(stop_s + 0.3)
    np.testing.assert_array_equal(other.concentration, brain.concentration)


def test_a_reset_brain_starts_again():
    brain = modulated()
    first = run(brain, [0.2])
    brain.reset()
    assert brain.time_s == 0.0
    assert not brain.concentration.any()
    brain.brain.poisson(np.arange(0, 60, 7), 40.0, 20.0, 1.0)
    assert run(brain, [0.2]) == first


def test_modulation_that_does_nothing_leaves_every_spike_as_it_is():
    brain = SpikingBrain(network(), seed=3)
    brain.poisson(np.arange(0, 60, 7), 40.0, 20.0, 1.0)
    silent, acting = modulated(mv_per_hz=0.0), modulated()
    expected = run(brain, [0.5])
    assert run(silent, [0.5]) == expected
    assert run(acting, [0.5]) != expected


@pytest.mark.parametrize("period_ms", [5.0, 10.0, 50.0])
def test_the_drive_is_late_by_no_more_than_its_period(period_ms):
    brain = pair(1e-9, tau_ms=1000.0, period_ms=period_ms)
    brain.step([SENDER_MV, 0.0], 1.0)
    brain.step([0.0, 0.0], 0.1)
    for _ in range(40):
        brain.step(None, 0.0037)
        late = brain._held[1] / 1e-9 / brain.concentration[0, 1] - 1.0
        assert -1e-12 <= late <= np.expm1(period_ms / 1000.0)


def test_the_worms_monoamines_are_compiled_from_its_modulatory_edges():
    acts = modulation(worm(), receptors("worm"), mv_per_hz=0.01)
    edges = {name: count.nnz for name, count in zip(acts.receptors, acts.count, strict=True)}
    assert edges == {"DOP-3": 1176, "SER-4": 492, "SER-2": 228, "SER-3": 56}  # Bentley et al. 2016
    assert (acts.tau_ms == 5000.0).all()
    signs = {name: set(np.sign(count.data)) for name, count in zip(acts.receptors, acts.count, strict=True)}
    assert signs == {"DOP-3": {-1.0}, "SER-4": {-1.0}, "SER-2": {-1.0}, "SER-3": {1.0}}


def test_dopamine_of_the_worm_reaches_its_targets_and_no_others():
    acts = modulation(worm(), receptors("worm").prefer("DOP-1"), mv_per_hz=0.05)
    brain = ModulatedBrain(SpikingBrain(spiking_network(worm(), 0.0001)), acts)
    senders = worm().index(worm().select("CEP*"))
    drive = np.zeros(302)
    drive[senders] = SENDER_MV
    brain.step(drive, 2.0)
    edges = worm().synapses
    edges = edges[(edges["kind"] == "modulatory") & edges["pre"].isin([worm().names[i] for i in senders])]
    reached = np.flatnonzero(brain.concentration[acts.receptors.index("DOP-1")])
    assert {worm().names[i] for i in reached} == set(edges["post"])
    assert len(reached) > 50


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair(1.0, tau_ms=0.0), "tau_ms must be above 0, got 0.0 ms"),
        (lambda: pair(np.nan), "mv_per_hz .nan mV/Hz. is not finite"),
        (lambda: pair(1.0, period_ms=0.25), "period_ms .0.25 ms. is no whole number of steps of 0.1 ms"),
        (lambda: ModulatedBrain(SpikingBrain(bare(3)), pair(1.0).modulation), "of 2 neurons, the brain of 3"),
        (lambda: pair(1.0).restore({}), "'modulation.trace' must have shape .1, 2."),
        (lambda: pair(1.0).step(None, 0.00005), "not a whole number of steps"),
        (lambda: pair(1.0).step([1.0], 0.1), "must have shape"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_connectome_without_monoamines_has_no_modulation():
    neurons = pd.DataFrame({"name": ["A", "B"], "transmitter": ["GABA", ""], "type": "", "role": "inter", "side": ""})
    edges = pd.DataFrame({"pre": ["A"], "post": ["B"], "kind": "chemical", "count": 1.0, "sign": -1})
    quiet = Connectome(neurons.assign(x_um=0.0, y_um=0.0, z_um=0.0), edges.assign(provenance="measured"), Source("x"))
    acts = modulation(quiet, receptors("worm"), mv_per_hz=1.0)
    assert acts.receptors == ()
    brain = ModulatedBrain(SpikingBrain(spiking_network(quiet)), acts)
    assert brain.step([20.0, 0.0], 0.1).spikes[0] > 0
    assert brain.concentration.shape == (0, 2)
