"""Recordings: complete, the same for the same seed, and honest about damage."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import EPISODE, SERIES, Recording, run_episode


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in (EPISODE, SERIES))).hexdigest()


def change(folder: Path, **arrays) -> None:
    with np.load(folder / SERIES) as archive:
        series = {**archive, **arrays}
    np.savez(folder / SERIES, **{name: values for name, values in series.items() if values is not None})


def alter(folder: Path, field: str, value) -> None:
    (folder / EPISODE).write_text(json.dumps({**json.loads((folder / EPISODE).read_text()), field: value}))


def test_a_saved_recording_loads_as_it_was(short, tmp_path):
    loaded = Recording.load(short.save(tmp_path))
    assert loaded.episode == json.loads(json.dumps(short.episode))
    assert loaded.series.keys() == short.series.keys()
    assert all(np.array_equal(loaded.series[name], values) for name, values in short.series.items())


def test_the_same_seed_writes_the_same_bytes_in_this_process_and_in_another(short, tmp_path):
    short.save(tmp_path / "first")
    run_episode(OrganismEnv(duration_s=1.0), seed=0, out=tmp_path / "second")
    code = (
        "import sys; from animat.envs.organism_env import OrganismEnv; from animat.envs.recorder import run_episode; "
        "run_episode(OrganismEnv(duration_s=1.0), seed=0).save(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "third"], check=True)
    assert len({digest(tmp_path / name) for name in ("first", "second", "third")}) == 1


def test_another_seed_writes_other_bytes(short, tmp_path):
    short.save(tmp_path / "first")
    run_episode(OrganismEnv(duration_s=1.0), seed=1).save(tmp_path / "second")
    assert digest(tmp_path / "first") != digest(tmp_path / "second")


def test_series_have_one_row_a_control_step_and_name_every_column(short):
    names, series = short.episode["names"], short.series
    assert {len(values) for values in series.values()} == {100}
    assert series["release"].shape[1] == len(names["neurons"]) == len(names["types"]) == 302
    assert series["activation"].shape[1] == len(names["effectors"]) == 95
    assert series["time_s"][-1] == pytest.approx(1.0)
    assert short.episode["fingerprint"] == OrganismEnv().fingerprint


def test_without_a_brain_there_are_no_neurons_in_the_recording():
    recording = run_episode(OrganismEnv(brain=None, duration_s=0.2), seed=0)
    assert "release" not in recording.series
    assert recording.episode["names"]["neurons"] == []


def test_progress_counts_to_the_end():
    seen = []
    run_episode(OrganismEnv(duration_s=0.2), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 20) for k in range(1, 21)]


def test_failing_physics_is_recorded_up_to_the_failure():
    env = OrganismEnv(brain=None, duration_s=0.5)

    class Saboteur:
        def __init__(self):
            self.steps = 0

        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            self.steps += 1
            if self.steps == 20:
                env.data.qpos[3] = np.nan
            return np.zeros(95, np.float32), None

    recording = run_episode(env, Saboteur(), seed=0)
    assert len(recording.series["time_s"]) == 19
    assert "physics failed" in recording.episode["reason"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / EPISODE).write_text("{"), "episode.json: not a recording"),
        (lambda f: (f / EPISODE).write_text('{"format": 1}'), "episode.json: not a recording of animat: no field"),
        (
            lambda f: (f / EPISODE).write_text((f / EPISODE).read_text().replace('"format": 1', '"format": 9')),
            "'format' is 9",
        ),
        (lambda f: (f / SERIES).write_bytes((f / SERIES).read_bytes()[:500]), "series.npz: damaged"),
        (lambda f: np.savez(f / SERIES, time_s=np.zeros(3)), "no array 'qpos'"),
        (
            lambda f: change(f, activation=np.zeros((100, 94))),
            "'activation' has shape (100, 94), episode.json names 95",
        ),
        (lambda f: change(f, release=None), "no array 'release', though episode.json names 302 neurons"),
        (lambda f: change(f, reward=np.zeros(99)), "arrays of different length"),
        (lambda f: alter(f, "measures", []), "field 'measures' is missing or of the wrong kind"),
        (lambda f: alter(f, "names", {"neurons": []}), "field 'names.types' is missing or of the wrong kind"),
    ],
)
def test_a_damaged_recording_names_file_and_field(short, tmp_path, damage, message):
    damage(short.save(tmp_path))
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the message is checked below
        Recording.load(tmp_path)
    assert message in str(caught.value)


def test_an_empty_folder_is_no_recording(tmp_path):
    with pytest.raises(FileNotFoundError, match="no recording"):
        Recording.load(tmp_path)


def test_saving_leaves_no_temporary_file_and_replaces_what_was_there(short, tmp_path):
    short.save(tmp_path)
    short.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [EPISODE, SERIES]


def test_nothing_in_a_recording_depends_on_the_clock_of_the_wall(short):
    assert "wall" not in json.dumps(short.episode)
    assert set(short.episode["versions"]) == {"animat", "mujoco", "numpy", "numba", "gymnasium", "python"}
