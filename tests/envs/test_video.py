"""Pictures: the body where it is, the panel in time with it, and a plain message where nothing can be drawn."""

import os
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest

from animat.envs.panels import TimePanel, watched
from animat.envs.rendering import BodyCamera
from animat.envs.video import render_video
from animat.organisms.organism import make


def test_the_video_is_1280x720_and_lasts_as_long_as_the_episode(short, tmp_path):
    path = render_video(short, tmp_path / "video.mp4", fps=25)
    frames = iio.imread(path)
    assert frames.shape == (25, 720, 1280, 3)
    assert not list(tmp_path.glob(".*part*"))
    assert np.abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 0.1


def test_the_body_is_drawn_where_the_camera_looks():
    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    with BodyCamera(body, 320, 240) as camera:
        here = camera.frame(data, body.centreline(data).mean(axis=0))
        elsewhere = camera.frame(data, np.array([5.0, 5.0, 0.0]))
    brown = [(frame[..., 0].astype(int) - frame[..., 2] > 40).sum() for frame in (here, elsewhere)]
    assert brown[0] > 500 > 5 * brown[1]


def test_the_cursor_runs_from_the_left_to_the_right_edge_of_the_plots(short):
    panel = TimePanel(short, 640, 600)
    columns = []
    for time_s in (short.series["time_s"][0], short.series["time_s"][-1]):
        changed = (panel.at(float(time_s)) != panel.picture).any(axis=(0, 2))
        columns.append(int(np.flatnonzero(changed).mean()))
    assert columns == [pytest.approx(panel.left, abs=3), pytest.approx(panel.right, abs=3)]


def test_the_panel_shows_the_organisms_own_selection_by_name(short):
    groups = dict(watched(short))
    names = short.episode["names"]["neurons"]
    assert [names[i] for i in groups["DB"]] == [f"DB{k}" for k in range(1, 8)]
    assert sorted(names[i] for i in groups["AVA"]) == ["AVAL", "AVAR"]


def test_a_recording_without_a_brain_can_be_filmed(tmp_path):
    from animat.envs.organism_env import OrganismEnv
    from animat.envs.recorder import run_episode

    recording = run_episode(OrganismEnv(brain=None, duration_s=0.2), seed=0)
    assert render_video(recording, tmp_path / "v.mp4").stat().st_size > 1000


def test_an_episode_without_opengl_still_runs_and_saves(tmp_path):
    env = {**os.environ, "PYOPENGL_PLATFORM": "glx"}  # mujoco refuses egl and osmesa beside another platform
    command = [sys.executable, "-m", "animat", "run", "worm", "--seconds", "0.3", "--out", str(tmp_path / "run")]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "animat: no video: no OpenGL without a screen" in run.stderr
    assert "apt install libegl1 libegl-mesa0" in run.stderr
    assert (tmp_path / "run" / "series.npz").is_file()
