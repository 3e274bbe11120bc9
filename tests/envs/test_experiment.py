from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from animat.brains.controls import CONTROLS
from animat.envs.experiment import LIVE, Experiment, compare, conditions
from animat.envs.experiment_folder import RESULTS, SETTINGS, SUMMARY

SHORT = {"duration_s": 0.5}


def small(**changes) -> Experiment:
    settings = {"seeds": (0, 1), "chosen": ("shuffled", "without DB,VB"), "ablations": ("DB,VB",), "options": SHORT}
    return Experiment(**{**settings, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return folder, small().run(folder, workers=2)


def test_every_registered_control_is_a_condition_beside_live_and_frozen_senses():
    assert list(conditions(["AVA, AVD"])) == ["live", "frozen senses", *CONTROLS, "without AVA, AVD"]
    assert conditions(["AVA, AVD"])["without AVA, AVD"] == {"ablate": ["AVA", "AVD"]}


def test_an_interrupted_experiment_ends_with_the_bytes_of_one_that_was_not(finished, tmp_path: Path):
    whole, _ = finished
    lines = (whole / RESULTS).read_text().splitlines(keepends=True)
    for name in (SETTINGS, SUMMARY):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    (tmp_path / RESULTS).write_text(
        "".join([lines[0], lines[2], lines[5]])
    )  # two runs of six, the way a stop leaves it
    small().run(tmp_path, workers=1)
    for name in (SETTINGS, RESULTS, SUMMARY):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_a_run_that_is_there_is_not_run_again(finished):
    whole, _ = finished
    before = (whole / RESULTS).stat().st_mtime_ns
    small().run(whole)
    assert (whole / RESULTS).stat().st_mtime_ns == before


def test_each_seed_has_a_shuffle_of_its_own_and_the_live_wiring_is_one(finished):
    prints = finished[1].groupby("condition")["fingerprint"].nunique()
    assert (prints["shuffled"], prints[LIVE]) == (2, 1)


def test_more_seeds_extend_a_folder_and_keep_what_is_there(finished, tmp_path: Path):
    whole, runs = finished
    for name in (SETTINGS, RESULTS):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    more = small(seeds=(0, 1, 2)).run(tmp_path, workers=1)
    kept = more[more["seed"] < 2].reset_index(drop=True)
    assert kept["speed_mm_s"].tolist() == runs["speed_mm_s"].tolist()
    assert sorted(more["seed"].unique()) == [0, 1, 2]


def test_a_folder_of_other_settings_is_refused_by_name(finished):
    with pytest.raises(ValueError, match=r"with another options: .*0\.5.*choose another folder"):
        small(options={"duration_s": 0.7}).run(finished[0])
    with pytest.raises(ValueError, match="with another task: 'crawl', asked for 'swim'"):
        small(task="swim").run(finished[0])


def test_a_foreign_folder_is_refused(tmp_path: Path):
    (tmp_path / SETTINGS).write_text("no json")
    with pytest.raises(ValueError, match=r"settings.json: not an experiment's settings"):
        small().run(tmp_path)
    (tmp_path / SETTINGS).write_text(json.dumps(small().settings()))
    (tmp_path / RESULTS).write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"results.csv: no column 'condition'"):
        small().run(tmp_path)
    (tmp_path / RESULTS).write_text("condition,seed,fingerprint,reason,speed_mm_s\nlive,0,x,,fast\n")
    with pytest.raises(ValueError, match=r"results.csv, line 2: speed_mm_s is 'fast', not a number"):
        small().run(tmp_path)


def test_a_failing_run_is_named_and_the_others_are_kept(tmp_path: Path):
    experiment = small(seeds=(0,), ablations=("AVQ",), chosen=("without AVQ",))
    with pytest.raises(RuntimeError, match=r"1 of 2 runs failed: without AVQ, seed 0: .*AVQ.*did you mean"):
        experiment.run(tmp_path, workers=1)
    assert LIVE in (tmp_path / RESULTS).read_text()


def test_unknown_conditions_and_repeated_seeds_are_refused():
    with pytest.raises(KeyError, match="no condition 'shufled'; did you mean 'shuffled'"):
        small(chosen=("shufled",))
    with pytest.raises(ValueError, match="must be at least one and all different"):
        small(seeds=(1, 1))


def test_the_comparison_is_of_pairs_and_the_live_animal_differs_from_itself_by_nothing(finished):
    runs = finished[1]
    table = compare(runs).set_index(["measure", "condition"])
    assert (table.xs(LIVE, level="condition")["difference"].dropna() == 0).all()
    speeds = runs.pivot_table(index="seed", columns="condition", values="speed_mm_s")
    expected = float((speeds["shuffled"] - speeds[LIVE]).mean())
    assert table.loc[("speed_mm_s", "shuffled"), "difference"] == pytest.approx(expected)
    assert np.isnan(table.loc[("speed_mm_s", "shuffled"), "low"])  # two seeds have no interval
