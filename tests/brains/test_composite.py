"""Composite brains: parts with models of their own that act on each other, and what makes them of one connectome."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from animat.brains.brain import Brain
from animat.brains.cells import cells_from_table
from animat.brains.composite import CompositeBrain, Projection, composed
from animat.brains.connectome import Connectome, Source
from animat.brains.controls import CONTROLS, SilentBrain
from animat.brains.network import SynapseGains, build_network
from animat.brains.population import population_network
from animat.brains.population_brain import PopulationBrain

PARTS = {"brainstem": ("b1", "b2"), "cord": ("c1", "c2")}
GAINS = {("brainstem", "cord"): 0.2, ("cord", "brainstem"): 5.0}


def wiring() -> Connectome:
    names = [name for part in PARTS.values() for name in part]
    neurons = pd.DataFrame({"name": names, "type": "", "role": "inter", "transmitter": "", "side": ""})
    edges = [("b1", "b2", 1.0, 1), ("b2", "c1", 2.0, 1), ("b1", "c2", 1.0, -1), ("c1", "c2", 0.3, 1)]
    table = pd.DataFrame(edges, columns=["pre", "post", "count", "sign"]).assign(kind="chemical", provenance="assumed")
    return Connectome(neurons.assign(x_um=0.0, y_um=0.0, z_um=0.0), table, Source("made up"))


def graded(part: Connectome) -> Brain:
    cells = cells_from_table(part, pd.DataFrame({"selector": []}), "graded")
    return Brain(build_network(part, cells, SynapseGains(chemical_mv=10.0, electrical=0.0)))


def populations(part: Connectome) -> PopulationBrain:
    return PopulationBrain(population_network(part, pd.DataFrame({"selector": []})))


BUILD = {"brainstem": graded, "cord": populations}


def whole(connectome: Connectome | None = None, **more) -> CompositeBrain:
    return composed(connectome or wiring(), PARTS, BUILD, GAINS, **more)


def test_names_and_rest_are_those_of_the_parts_in_order():
    brain = whole()
    assert brain.names == ("b1", "b2", "c1", "c2")
    np.testing.assert_array_equal(brain.rest_mv, [-35.0, -35.0, -60.0, -60.0])


def test_a_projection_drives_its_target_by_release_times_count_times_gain():
    brain = whole()
    drive = np.array([0.0, 20.0, 0.0, 0.0])
    activity = brain.step(drive, 2.0)
    b2, b1 = activity.release[1], activity.release[0]
    alone = populations(wiring().subset(PARTS["cord"]))
    expected = alone.step(np.array([0.2 * 2.0 * b2, -0.2 * b1]), 1.0)
    np.testing.assert_allclose(activity.release[2:], expected.release, atol=1e-3)
    assert activity.release[2] > 0.1


def test_parts_without_projections_run_as_they_would_alone():
    brain = CompositeBrain({"one": populations(wiring().subset(PARTS["cord"]))}, seed=3)
    alone = populations(wiring().subset(PARTS["cord"]))
    alone.reset(brain.parts["one"].seed)
    drive = np.array([0.1, -0.1])
    np.testing.assert_array_equal(brain.step(drive, 0.05).voltage, alone.step(drive, 0.05).voltage)


@pytest.mark.parametrize("delay_ms", [0.0, 3.0])
def test_a_projection_arrives_after_its_delay_and_one_exchange(delay_ms):
    parts = {name: populations(wiring().subset(PARTS["cord"]).ablate("c2")) for name in ("a",)}
    target = populations(wiring().subset(PARTS["cord"]).ablate("c1"))
    projection = Projection(source="a", target="b", weights=csr_array([[1.0]]), delay_ms=delay_ms)
    brain = CompositeBrain({**parts, "b": target}, [projection])
    calm = CompositeBrain({**parts, "b": populations(wiring().subset(PARTS["cord"]).ablate("c1"))})
    drive, seen = np.array([2.0, 0.0]), []
    for _ in range(12):
        seen.append(brain.step(drive, 1e-3))
    parts["a"].reset()
    quiet = [calm.step(drive, 1e-3) for _ in range(12)]
    first_release = next(k for k, activity in enumerate(seen) if activity.release[0] > 0)
    first_effect = next(k for k in range(12) if abs(seen[k].voltage[1] - quiet[k].voltage[1]) > 0.5)
    assert first_effect == first_release + 1 + round(delay_ms)


def test_one_seed_is_one_trajectory_and_parts_do_not_share_it():
    drive = np.array([5.0, 5.0, 0.1, 0.1])
    ends = [whole(seed=seed).step(drive, 0.1).voltage for seed in (1, 1, 2)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).all()
    seeds = [part.seed for part in whole(seed=1).parts.values()]
    assert seeds[0] != seeds[1]


def test_a_restored_composite_continues_bit_for_bit():
    brain, other = whole(seed=1), whole(seed=2)
    drive = np.array([15.0, 0.0, 0.1, 0.0])
    brain.step(drive, 0.05)
    other.restore(brain.state)
    np.testing.assert_array_equal(brain.step(drive, 0.05).voltage, other.step(drive, 0.05).voltage)
    assert other.time_s == pytest.approx(0.1)
    with pytest.raises(ValueError, match="the state needs 'past'"):
        other.restore({})


def test_ablation_and_silence_work_on_the_whole_by_name():
    drive = np.array([0.0, 20.0, 0.0, 0.0])
    assert whole().step(drive, 1.0).release[2] > 0.1
    without = whole(wiring().ablate("b2"))
    assert without.names == ("b1", "c1", "c2")
    assert without.step(np.zeros(3), 1.0).release[1] == 0.0
    assert SilentBrain(whole()).step(drive, 0.1).release.sum() == 0.0
    assert set(whole(wiring().ablate(("b1", "b2"))).parts) == {"cord"}


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_can_be_made_of_a_composite(control):
    drive = np.array([15.0, 0.0, 0.1, 0.0])
    made = CONTROLS[control](wiring(), whole, np.random.default_rng(0))
    made.step(drive, 0.02)
    state = made.state
    ends = [made.step(drive, 0.02).release]
    made.restore(state)
    ends.append(made.step(drive, 0.02).release)
    np.testing.assert_array_equal(*ends)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="'c2' is in none of the parts"):
        composed(wiring(), {**PARTS, "cord": ("c1",)}, BUILD, GAINS)
    with pytest.raises(ValueError, match="'c1' is in two parts"):
        composed(wiring(), {**PARTS, "brainstem": ("b1", "b2", "c1")}, BUILD, GAINS)
    with pytest.raises(ValueError, match="no gain for the synapses from 'brainstem' to 'cord'"):
        composed(wiring(), PARTS, BUILD, {})
    with pytest.raises(ValueError, match=r"sync_ms \(0.25 ms\) is no whole number of the steps of 'brainstem'"):
        whole(sync_ms=0.25)
    cord = populations(wiring().subset(PARTS["cord"]))
    with pytest.raises(ValueError, match="two parts have a neuron 'c1'"):
        CompositeBrain({"a": cord, "b": cord})
    with pytest.raises(KeyError, match="no part 'chord' in the brain; did you mean 'cord'"):
        CompositeBrain({"cord": cord}, [Projection(source="chord", target="cord", weights=csr_array((2, 2)))])
    with pytest.raises(ValueError, match=r"weights must be finite and of shape \(2, 2\)"):
        CompositeBrain({"cord": cord}, [Projection(source="cord", target="cord", weights=csr_array((1, 2)))])
