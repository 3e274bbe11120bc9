"""The command line, run as a user runs it."""

import json
import subprocess
import sys

import pytest

from animat.scripts import cli


def animat(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "animat", *arguments], capture_output=True, text=True)


def test_list_names_what_there_is():
    names = json.loads(animat("list", "--json").stdout)
    assert "worm" in names["organisms"]
    assert set(names["engines"]) >= {"numba", "brian2"}
    assert "animat/WormCrawl-v0" in names["environments"]


def test_run_json_prints_one_object_and_nothing_else(tmp_path):
    run = animat("run", "worm", "--seconds", "1", "--no-video", "--json", "--out", str(tmp_path))
    summary = json.loads(run.stdout)
    assert run.stderr == ""
    assert {"env_id", "seed", "duration_s", "wall_s", "real_time_factor", "fingerprint", "brain", "model"} <= set(
        summary
    )
    wanted = {"speed_mm_s", "undulation_hz", "wavelength_body_lengths", "travel_mm", "reversals"}
    assert wanted <= set(summary["measures"])
    assert summary["env_id"] == "animat/WormCrawl-v0"


def test_run_json_with_a_video_prints_one_object_and_nothing_else(tmp_path):
    run = animat("run", "worm", "--seconds", "0.2", "--json", "--out", str(tmp_path))
    assert json.loads(run.stdout)["out"] == str(tmp_path)
    assert run.stderr == ""
    assert (tmp_path / "video.mp4").stat().st_size > 1000


def test_run_then_render_writes_what_it_says(tmp_path):
    run = animat("run", "worm", "--seconds", "0.4", "--no-video", "--out", str(tmp_path / "run"))
    assert run.returncode == 0, run.stderr
    assert f"wrote {tmp_path / 'run' / 'series.npz'}" in run.stdout
    film = animat("render", str(tmp_path / "run"), "-o", str(tmp_path / "film.mp4"))
    assert film.stdout == f"wrote {tmp_path / 'film.mp4'}\n"
    assert (tmp_path / "film.mp4").stat().st_size > 1000


def test_options_reach_the_episode(tmp_path):
    out = str(tmp_path)
    animat(
        *("run", "worm", "--task", "touch", "--seconds", "0.2", "--no-video", "--model", "lif", "--brain", "shuffled"),
        *("--ablate", "AVAL,DB", "--drive", "AVB=5", "--freeze-senses", "--seed", "3", "--out", out),
        *("--medium", "water", "--engine", "brian2"),
    )
    episode = json.loads((tmp_path / "episode.json").read_text())
    options = episode["options"]
    assert (options["task"], options["model"], options["brain"], episode["seed"]) == ("touch", "lif", "shuffled", 3)
    assert (options["body"]["medium"]["name"], options["engine"]) == ("water", "brian2")
    assert (options["ablate"], options["drive"], options["freeze_senses"]) == (["AVAL", "DB"], {"AVB": 5.0}, True)


def test_show_prints_the_audit_as_text_and_json():
    assert "302 neurons" in animat("show", "worm").stdout
    assert json.loads(animat("show", "worm", "--json").stdout)["neurons"] == 302


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "wrom"), "no organism 'wrom'; did you mean 'worm'?"),
        (("run", "worm", "--task", "crwl"), "organism 'worm' has no task 'crwl'; did you mean 'crawl'?"),
        (("run", "worm", "--medium", "watr"), "no medium 'watr'; did you mean 'water'?"),
        (("run", "worm", "--no-video", "--out", __file__), "File exists"),
        (("run", "worm", "--drive", "AVA"), "'AVA' is not NAME=MILLIVOLTS"),
        (("run", "worm", "--policy", "nowhere.zip"), "nowhere.zip"),
        (("render", "nowhere"), "no recording in 'nowhere'"),
        (("bench", "sped"), "no benchmark 'sped'; did you mean 'speed'?"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error(arguments, message):
    run = animat(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert message in run.stderr or "animat[rl]" in run.stderr


def test_a_command_without_its_extra_says_which_one_to_install(monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'zarr'", name="zarr")

    monkeypatch.setattr(cli, "app", missing)
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert capsys.readouterr().err == (
        "animat: No module named 'zarr'; this command needs the extra 'imaging': pip install 'animat[imaging]'\n"
    )
