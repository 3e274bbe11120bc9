"""The mouse as an organism: its maps, its reflexes, and what goes from its senses to its muscles."""

import numpy as np
import pandas as pd
import pytest

from animat.organisms.audit import audit
from animat.organisms.mouse import CONTROL_S, build, spinal
from animat.scripts.mouse_pattern import LIMBS, Stride, activity, antagonists, excitation, held, joint_angles


@pytest.fixture(scope="module")
def mouse():
    return build().for_task("walk")


def test_the_mouse_is_registered_and_its_maps_name_only_what_exists(mouse):
    found = audit(mouse)
    assert found.unknown_neurons == ()
    assert found.unreached == ()
    assert found.effectors_without_neuron == ()  # every muscle has a pool
    assert found.neurons == spinal.connectome().n
    assert mouse.tasks[0] == "walk"


def test_every_row_of_the_maps_says_where_it_is_from(mouse):
    for table in (mouse.sensory.table, mouse.effectors.table, mouse.dynamics):
        assert (table["source"].str.len() > 0).all()
        assert set(table["provenance"]) <= {"measured", "derived", "published", "assumed"}


def test_sensory_and_effector_maps_mirror_left_and_right(mouse):
    swap = {"L": "R", "R": "L"}

    def mirrored(name):
        if name.endswith(("_left", "_right")):
            return name.replace("_left", "_RIGHT").replace("_right", "_left").replace("_RIGHT", "_right")
        if name[:2] in ("LH", "RH", "LF", "RF"):
            return swap[name[0]] + name[1:]
        stem, _, place = name.rpartition("_")
        return f"{stem}_{swap[place[0]]}{place[1:]}" if place[:1] in swap and stem else name

    rows = {(r.effector, r.neuron) for r in mouse.effectors.table.itertuples()}
    assert {(mirrored(a), mirrored(b)) for a, b in rows} == rows
    senses = {(r.channel, r.neuron): r.gain for r in mouse.sensory.table.itertuples()}
    for (channel, neuron), gain in senses.items():
        odd = channel in ("roll", "roll_rate")
        assert senses[mirrored(channel), mirrored(neuron)] == pytest.approx(-gain if odd else gain)


def held_still(mouse, tilt: float = 0.0, seconds: float = 0.1) -> dict[str, float]:
    """Mean excitation over a step of a mouse whose head tilts to the right at that rate, rad/s."""
    body, brain = mouse.body(), mouse.brain(seed=1)
    channels = mouse.channels(body)
    senses = mouse.sensory.compile(brain.names, channels, CONTROL_S, mouse.reference)
    effectors = mouse.effectors.compile(brain.names, body.effectors, mouse.reference)
    vector = np.zeros(len(channels), np.float32)
    vector[channels.index("roll_rate")] = tilt
    drive = senses(vector) + spinal.command(brain.names, 0.12)
    steps = [effectors(brain.step(drive, CONTROL_S).release) for _ in range(round(seconds / CONTROL_S))]
    return dict(zip(body.effectors, np.mean(steps, axis=0).tolist(), strict=True))


def test_a_roll_to_the_right_extends_the_right_limbs_and_bends_the_left_ones(mouse):
    level, rolling = held_still(mouse, seconds=0.64), held_still(mouse, tilt=2.0, seconds=0.64)
    for muscle in ("H_knee_extensor", "H_ankle_extensor", "F_elbow_extensor"):
        assert rolling[f"R{muscle}"] > level[f"R{muscle}"] + 0.01
        assert rolling[f"L{muscle}"] < level[f"L{muscle}"] - 0.01
    assert rolling["RH_hip_flexor"] == pytest.approx(level["RH_hip_flexor"], abs=0.01)


def test_vestibular_axons_do_not_reach_the_pools_of_a_swinging_limb():
    wiring = spinal.connectome()
    names = [f"{kind}_{limb}" for kind in ("VS-E", "VS-I") for limb in spinal.LIMBS]
    matrix = wiring.matrix("chemical")
    for name in names:
        limb = name[-2:]
        assert matrix[*wiring.index([name, f"In-F_{limb}"])] < -1  # silenced while the flexor half is active


def test_an_episode_begins_with_a_cord_in_its_rhythm(mouse):
    brain = mouse.brain(seed=3)
    rows = [brain.names.index(f"RG-F_{limb}") for limb in spinal.LIMBS]
    drive = spinal.command(brain.names, 0.12)
    active = np.array([brain.step(drive, 0.002).release[rows] for _ in range(160)]) > 0.1
    assert active.mean(axis=0) == pytest.approx(0.34, abs=0.06)
    assert not (active[:, 0] & active[:, 1]).any()  # never both hind limbs


def test_the_brain_takes_no_other_model_or_engine(mouse):
    with pytest.raises(ValueError, match="runs model 'population'"):
        mouse.brain("graded")
    with pytest.raises(ValueError, match="engine 'numba'"):
        mouse.brain(engine="jax")


def test_afferents_reach_no_published_population_but_the_rhythms_half_centres_and_in_e():
    rows = spinal.table("spinal_synapses")
    populations = spinal.table("spinal_populations").set_index("type")
    afferents = rows[rows["pre"].isin(["load", "limb-stretch", "vestibular-roll", "lateral-stretch"])]
    published = [post for post in afferents["post"] if populations.loc[post, "provenance"] == "published"]
    assert set(published) <= {"RG-E", "RG-F", "In-E"}


@pytest.mark.parametrize("pair", ["H", "F"])
def test_pools_of_the_pattern_hold_the_angles_of_a_stride(pair):
    joints = list(held(Stride(), pair, joint_angles(Stride(), pair)))
    sources = activity()[pair]
    for joint in joints[:2]:
        found = antagonists(joint, sources)
        both = [excitation(weights, sources) for weights in found]
        assert np.corrcoef(both[0] - both[1], joint.wanted[0] - joint.wanted[1])[0, 1] > 0.9
        assert all((weights >= 0).all() for weights in found)


def test_the_wanted_angles_of_a_hind_limb_are_near_those_of_real_mice():
    angles = joint_angles(Stride(), "H")
    measured = spinal.table("hindlimb_angles")
    phase, bins = np.arange(len(angles)) / len(angles), (np.arange(20) + 0.5) / 20
    for k, joint in enumerate(LIMBS["H"][1]):
        real = np.interp(phase, bins, measured[f"{joint}_deg"].astype(float), period=1)
        assert np.corrcoef(angles[:, k], real)[0, 1] > 0.6


def test_a_table_with_a_changed_weight_makes_another_organism(mouse):
    synapses = spinal.table("spinal_synapses")
    synapses.loc[synapses["pre"] == "VS-E", "weight"] = "0.001"
    other = spinal.assembled(spinal.table("spinal_populations"), synapses)
    assert other.fingerprint != mouse.connectome.fingerprint
    assert isinstance(mouse.dynamics, pd.DataFrame)
