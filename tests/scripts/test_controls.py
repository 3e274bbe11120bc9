from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio


def animat(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "animat", *words], capture_output=True, text=True, check=False)


def test_a_crawling_worm_stands_beside_its_controls_in_a_table_and_a_picture(tmp_path: Path):
    out = tmp_path / "controls"
    words = ["controls", "worm", "--seconds", "6", "--seeds", "1", "--condition", "frozen senses", "--out", str(out)]
    done = animat(*words)
    assert done.returncode == 0, done.stderr
    assert "speed_mm_s  (real animals 0.1 to 0.3" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("wrote")] == [
        f"wrote {out / name}" for name in ("settings.json", "results.csv", "summary.csv", "controls.png")
    ]
    assert iio.imread(out / "controls.png").std() > 10
    again = animat(*words, "--json")  # from the folder, without running
    assert again.stderr == ""
    report = json.loads(again.stdout)
    speed = {row["condition"]: row["mean"] for row in report["comparison"] if row["measure"] == "speed_mm_s"}
    assert speed["live"] > 0.1 > 0.02 > abs(speed["frozen senses"])
    assert report["seeds"] == [0]
    assert report["fingerprint"] == report["runs"][0]["fingerprint"]


def test_the_tasks_own_ablations_are_run_unless_others_are_named(tmp_path: Path):
    done = animat("controls", "worm", "--task", "chemotaxis", "--seconds", "0.5", "--seeds", "1", "--json",
                  "--condition", "without ASEL,ASER", "--out", str(tmp_path))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["conditions"] == {"live": {}, "without ASEL,ASER": {"ablate": ["ASEL", "ASER"]}}


def test_an_unknown_condition_is_one_line_with_the_nearest(tmp_path: Path):
    done = animat("controls", "worm", "--condition", "frozen", "--out", str(tmp_path / "x"))
    assert done.returncode == 2
    assert done.stderr == "animat: no condition 'frozen'; did you mean 'frozen senses'?\n"
