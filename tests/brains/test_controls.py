"""What each control keeps of the live brain and what it takes away."""

import numpy as np
import pandas as pd
import pytest

from animat.brains.brain import Brain
from animat.brains.controls import CONTROLS
from animat.brains.network import SynapseGains, build_network, cells_from_table
from animat.organisms.worm.wiring import connectome as worm
from animat.registry import UnknownNameError


def build(connectome) -> Brain:
    cells = cells_from_table(connectome, pd.DataFrame([{"selector": "*", "tau_m_ms": 20.0, "v_half_mv": -33.0}]))
    return Brain(build_network(connectome, cells, SynapseGains(chemical_mv=20.0, electrical=1.0)))


def control(name: str, seed: int = 0):
    return CONTROLS[name](worm(), build, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def live() -> Brain:
    return build(worm())


@pytest.fixture
def drive() -> np.ndarray:
    return np.random.default_rng(3).uniform(-5.0, 15.0, 302)


def test_the_controls_are_these():
    assert list(CONTROLS) == ["label_shuffled", "random", "shuffled", "silent"]
    with pytest.raises(UnknownNameError, match="no control 'silemt'; did you mean 'silent'"):
        CONTROLS["silemt"]


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_every_control_is_deterministic_and_restores_to_the_last_bit(name, drive):
    one, other = control(name), control(name)
    assert one.names == worm().names
    assert one.dt_ms == 1.0
    one.step(drive, 0.02)
    other.step(drive, 0.02)
    checkpoint = one.state
    first = one.step(drive, 0.03)
    np.testing.assert_array_equal(other.step(drive, 0.03).release, first.release)
    other.reset(seed=8)
    other.step(drive, 0.01)
    other.restore(checkpoint)
    np.testing.assert_array_equal(other.step(drive, 0.03).release, first.release)
    assert {key: value.tolist() for key, value in other.state.items()} == {
        key: value.tolist() for key, value in one.state.items()
    }


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_every_control_starts_again_on_reset(name, drive):
    brain = control(name)
    brain.reset(seed=5)
    first = brain.step(drive, 0.05).release
    brain.reset()
    np.testing.assert_array_equal(brain.step(drive, 0.05).release, first)


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_every_control_refuses_a_bad_drive(name, drive):
    drive[5] = np.nan
    with pytest.raises(ValueError, match=rf"{worm().names[5]} = nan mV"):
        control(name).step(drive, 0.01)
    with pytest.raises(ValueError, match="whole number of steps"):
        control(name).step(np.zeros(302), 0.0105)


@pytest.mark.parametrize("value", [0.0, 1e3, -1e3])
def test_a_silent_brain_releases_nothing_whatever_drives_it(value):
    activity = control("silent").step(np.full(302, value), 0.5)
    assert not activity.release.any()
    assert not activity.spikes.any()
    assert (activity.voltage == -35.0).all()


def test_a_random_brain_has_the_live_release_on_other_neurons_at_every_step(live, drive):
    brain = control("random")
    live.reset()
    deals = []
    for _ in range(5):
        dealt, true = brain.step(drive, 0.01).release, live.step(drive, 0.01).release
        np.testing.assert_array_equal(np.sort(dealt), np.sort(true))
        assert (dealt != true).mean() > 0.9
        deals.append(dealt)
    correlation = np.corrcoef(deals)
    assert np.abs(correlation[np.triu_indices(5, 1)]).max() < 0.3  # nothing of one deal is left in the next


def chemical_degrees(brain: Brain) -> tuple[np.ndarray, np.ndarray]:
    entries = brain.network.chemical != 0
    return np.asarray(entries.sum(axis=0)).ravel(), np.asarray(entries.sum(axis=1)).ravel()


def test_a_shuffled_brain_keeps_every_neurons_degree_and_loses_the_wiring(live):
    shuffled = control("shuffled")
    for kept, original in zip(chemical_degrees(shuffled), chemical_degrees(live), strict=True):
        np.testing.assert_array_equal(kept, original)
    same = (shuffled.network.chemical != 0).multiply(live.network.chemical != 0).nnz
    assert same < 0.2 * live.network.chemical.nnz


def test_a_label_shuffled_brain_keeps_the_graph_and_moves_the_neurons(live):
    shuffled = control("label_shuffled")
    for kept, original in zip(chemical_degrees(shuffled), chemical_degrees(live), strict=True):
        np.testing.assert_array_equal(np.sort(kept), np.sort(original))
        assert (kept != original).any()


@pytest.mark.parametrize("name", ["shuffled", "label_shuffled", "random"])
def test_another_generator_makes_another_control(name, drive):
    releases = [control(name, seed).step(drive, 0.1).release for seed in (0, 1)]
    assert not np.array_equal(*releases)
