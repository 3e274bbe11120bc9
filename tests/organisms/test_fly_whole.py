"""A whole nervous system in the fly's body: planted cells with the columns of MaleCNS drive the muscles they should."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from animat.brains.compact import CompactConnectome
from animat.brains.connectome import Source
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
from animat.organisms.audit import audit
from animat.organisms.fly.whole import GroupBrain, groups, load, whole_fly

CELLS = [  # name, type, role, superclass, subclass, side, nerve
    *[(f"s{k}", "SNpp53", "sensory", "vnc_sensory", "", "L", "ProLN") for k in range(20)],
    *[(f"i{k}", "IN00A001", "inter", "vnc_intrinsic", "", "L", "") for k in range(20)],
    *[(f"m{k}", "Tr extensor MN", "motor", "vnc_motor", "fl", "L", "") for k in range(2)],
    *[(f"n{k}", "Tr extensor MN", "motor", "vnc_motor", "fl", "R", "") for k in range(2)],
    ("dL", "DNg100", "inter", "descending_neuron", "", "L", ""),
    ("dR", "DNg100", "inter", "descending_neuron", "", "R", ""),
]


def planted(**lost) -> CompactConnectome:
    """Campaniform cells of the left front leg to relays, relays to its trochanter extensors; DNg100_R to both."""
    columns = ["name", "type", "role", "superclass", "subclass", "side", "entryNerve"]
    neurons = pd.DataFrame(CELLS, columns=columns).assign(transmitter="acetylcholine", x_um=0.0, y_um=0.0, z_um=0.0)
    place = {name: k for k, name in enumerate(neurons["name"])}
    edges = [(place[f"s{a}"], place[f"i{b}"], 100) for a in range(20) for b in range(20)]
    edges += [(place[f"i{a}"], place[f"m{b}"], 20) for a in range(20) for b in range(2)]
    edges += [(place["dR"], place[f"{kind}{b}"], 300) for kind in "mn" for b in range(2)]
    pre, post, count = (np.array(values) for values in zip(*sorted(edges), strict=True))
    return CompactConnectome(
        neurons=neurons.drop(columns=list(lost)),
        start=np.searchsorted(pre, np.arange(len(neurons) + 1)).astype(np.int64),
        target=post.astype(np.int32),
        count=count.astype(np.int16),
        sign=np.ones(len(edges), dtype=np.int8),
        source=Source("planted"),
    )


def _excitation(env, steps=40) -> np.ndarray:
    env.reset(seed=0)
    still = np.zeros(env.action_space.shape, np.float32)
    return np.array([env.step(still) and env.excitation.copy() for _ in range(steps)])


@pytest.fixture(scope="module")
def fly():
    return whole_fly(planted(), threads=1)


def test_groups_are_the_cells_of_a_type_by_leg_and_side(fly):
    assert {name: rows.size for name, rows in fly.cells.items()} == {
        "SNpp53_LF": 20,
        "Tr extensor MN_LF": 2,
        "Tr extensor MN_RF": 2,
        "DNg100_L": 1,
        "DNg100_R": 1,
    }


def test_the_load_of_a_leg_reaches_the_muscle_of_that_leg_through_the_connectome(fly):
    env = OrganismEnv(fly, "walk", drive={"DNg100": 0.0}, duration_s=0.5)
    env.reset(seed=0)
    used = [env.step(np.zeros(env.action_space.shape, np.float32)) and env.excitation.copy() for _ in range(60)]
    muscle = {name: k for k, name in enumerate(env.body.effectors)}
    mean = np.mean(used[20:], axis=0)
    assert mean[muscle["LF_trochanter_extensor"]] > 0.1
    assert mean[muscle["RF_trochanter_extensor"]] == 0.0
    assert mean[muscle["LF_tibia_extensor"]] == 0.0


def test_a_driven_descending_cell_fires_at_about_its_drive_and_moves_both_sides(fly):
    brain = fly.brain(seed=1)
    drive = np.array([100.0 if name == "DNg100_R" else 0.0 for name in brain.names])
    rates = np.mean([brain.step(drive, 0.005).voltage for _ in range(400)][100:], axis=0)
    found = dict(zip(brain.names, rates, strict=True))
    assert found["DNg100_R"] == pytest.approx(100.0, rel=0.15)
    assert found["DNg100_L"] == 0.0
    assert min(found["Tr extensor MN_LF"], found["Tr extensor MN_RF"]) > 20.0


def test_one_seed_gives_one_episode_and_a_checkpoint_continues_it(fly):
    first, second = (run_episode(OrganismEnv(fly, "walk", duration_s=0.2), seed=5) for _ in range(2))
    assert all(np.array_equal(first.series[name], second.series[name]) for name in first.series)
    brain, drive = fly.brain(seed=2), np.full(len(fly.cells), 50.0)
    brain.step(drive, 0.05)
    other = fly.brain(seed=9)
    other.restore(brain.state)
    np.testing.assert_array_equal(brain.step(drive, 0.05).spikes, other.step(drive, 0.05).spikes)


def test_ablation_takes_out_every_cell_of_a_group_and_silence_moves_nothing(fly):
    lame = fly.ablate(["SNpp53"])
    assert lame.whole.n == fly.whole.n - 20
    assert "SNpp53_LF" not in lame.cells
    assert lame.connectome.fingerprint != fly.connectome.fingerprint
    still = run_episode(OrganismEnv(fly, "walk", ablate=["SNpp53", "DNg100"], duration_s=0.2), seed=0)
    assert not still.series["excitation"].any()


def test_the_audit_of_a_whole_fly_names_what_is_not_there(fly):
    report = audit(fly)
    assert "LF_trochanter_extensor" not in report.effectors_without_neuron
    assert "LM_trochanter_extensor" in report.effectors_without_neuron
    assert report.fingerprint == fly.whole.fingerprint
    assert (report.neurons, report.synapses) == (46, {"chemical": 444})
    assert "SNpp53_RM" in report.unknown_neurons
    assert "SNpp53_LF" not in report.unknown_neurons
    assert report.path_by_type == {"SNpp53": 2}


def test_controls_are_made_of_the_whole_wiring(fly):
    live, shuffled, silent = (OrganismEnv(fly, "walk", brain=name) for name in ("connectome", "shuffled", "silent"))
    assert shuffled.fingerprint != live.fingerprint
    assert shuffled.organism.whole.synapses == fly.whole.synapses
    assert shuffled.organism.cells.keys() == fly.cells.keys()
    without = OrganismEnv(fly, "walk", brain="shuffled", ablate=["SNpp53"]).organism
    assert without.whole.n == fly.whole.n - 20
    assert _excitation(live).any()
    assert not _excitation(silent).any()


def test_a_train_is_never_faster_than_what_was_published(fly):
    brain = fly.brain(seed=1)
    drive = np.array([1e4 if name == "DNg100_R" else 0.0 for name in brain.names])
    rates = [brain.step(drive, 0.005).voltage[brain.names.index("DNg100_R")] for _ in range(400)]
    assert np.mean(rates[100:]) == pytest.approx(200.0, rel=0.15)


def test_types_may_be_globs():
    compact = planted()
    compact.neurons.loc[0, "type"] = "SNta29"
    found = groups(compact)
    assert found["SNta_LF"].tolist() == [0]
    assert found["SNpp53_LF"].size == 19


def test_a_connectome_without_the_columns_of_malecns_is_refused_by_name():
    with pytest.raises(ValueError, match="no column 'subclass', which MaleCNS has"):
        groups(planted(subclass=True))


def test_a_cell_in_two_groups_is_refused(fly):
    with pytest.raises(ValueError, match="group 'two' shares a cell with another"):
        GroupBrain(fly.brain().brain, {"one": np.array([0, 1]), "two": np.array([1, 2])})


def test_a_whole_fly_has_one_model_and_takes_no_wiring_of_another_kind(fly):
    with pytest.raises(ValueError, match="runs model 'lif_exp' on engine 'numba', not 'graded'"):
        fly.brain(model="graded")
    with pytest.raises(ValueError, match="takes a CompactConnectome, not a Connectome"):
        fly.with_connectome(fly.connectome)


def test_the_command_runs_a_saved_connectome_and_says_what_to_pull_where_there_is_none(tmp_path):
    planted().save(tmp_path / "cns")
    command = [sys.executable, "-m", "animat", "run", "fly", "--seconds", "0.2", "--no-video", "--json"]
    done = subprocess.run(
        [*command, "--connectome", str(tmp_path / "cns"), "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fingerprint"] == planted().fingerprint
    show = [sys.executable, "-m", "animat", "show", "fly", "--json", "--connectome", str(tmp_path / "cns")]
    done = subprocess.run(show, capture_output=True, text=True)
    assert json.loads(done.stdout)["neurons"] == 46, done.stderr
    done = subprocess.run([*command, "--connectome", "malecn"], capture_output=True, text=True)
    assert "did you mean 'malecns'?" in done.stderr


def test_a_dataset_that_was_not_pulled_says_what_to_pull(tmp_path, monkeypatch):
    monkeypatch.setenv("ANIMAT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="animat data pull malecns"):
        load("malecns")
