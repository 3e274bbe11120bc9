"""Pictures of a body: true to scale, fast, and a plain message where nothing can be drawn."""

import os
import subprocess
import sys
import time

import mujoco
import numpy as np
import pytest

from animat.envs import opengl
from animat.envs.camera import Tube
from animat.envs.opengl import RenderingError
from animat.envs.rendering import BodyCamera
from animat.organisms.organism import make

FAR = np.array([5.0, 5.0, 0.0])


@pytest.fixture(scope="module")
def worm():
    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    return body, data, body.centreline(data).mean(axis=0)


def brown(frame):
    """Pixels of the worm's own colour: much more red than blue."""
    return (frame[..., 0].astype(int) - frame[..., 2]) > 30


def test_the_body_is_drawn_where_the_camera_looks(worm):
    body, data, centre = worm
    with BodyCamera(body, 320, 240) as camera:
        here = camera.frame(data, centre)
        elsewhere = camera.frame(data, centre + FAR)
    assert brown(here).sum() > 500
    assert brown(elsewhere).sum() == 0


def test_a_worm_of_one_millimetre_is_as_long_as_the_scale_says(worm):
    body, data, _ = worm
    data.qpos[3:] = 0.0
    mujoco.mj_kinematics(body.model, data)
    with BodyCamera(body, 640, 480) as camera:
        frame = camera.frame(data, body.centreline(data).mean(axis=0))
        columns = np.flatnonzero(brown(frame).any(axis=0))
        assert (columns[-1] - columns[0] + 1) / camera.pixels_per_mm == pytest.approx(1.0, abs=0.05)
    body.reset(data, np.random.default_rng(0))


def test_x_runs_to_the_right_and_y_up(worm):
    body, data, centre = worm
    with BodyCamera(body, 320, 240) as camera:
        marks = [
            Tube(
                points=centre + np.array([at, at]) * [[0.95], [1.05]],
                radii=np.full(2, 0.03),
                colours=np.tile(rgb, (2, 1)),
            )
            for at, rgb in (((0.4, 0, 0), (1.0, 0, 0)), ((0, 0.4, 0), (0, 0, 1.0)))
        ]
        frame = camera.frame(data, centre, marks).astype(int)
    red = np.argwhere(frame[..., 0] - frame[..., 1] > 100).mean(axis=0)
    blue = np.argwhere(frame[..., 2] - frame[..., 1] > 100).mean(axis=0)
    assert red[1] > 160 + 40
    assert blue[0] < 120 - 40


def test_two_cameras_do_not_disturb_each_other(worm):
    body, data, centre = worm
    with BodyCamera(body, 320, 240) as first:
        alone = first.frame(data, centre)
        with BodyCamera(make("worm").body(), 160, 120) as second:
            second.frame(data, centre + FAR)
            assert np.array_equal(first.frame(data, centre), alone)
        assert np.array_equal(first.frame(data, centre), alone)


def test_a_camera_that_nobody_closes_is_freed_quietly():
    code = (
        "import numpy; from animat.envs.rendering import BodyCamera; from animat.organisms.organism import make; "
        "body = make('worm').body(); camera = BodyCamera(body); camera.frame(body.new_data(), numpy.zeros(3))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.bench
def test_rendering_640x480_reaches_60_frames_a_second(worm):
    body, data, centre = worm
    with BodyCamera(body, 640, 480) as camera:
        camera.frame(data, centre)
        times = []
        for _ in range(60):
            start = time.perf_counter()
            camera.frame(data, centre)
            times.append(time.perf_counter() - start)
    assert 1 / np.median(times) > 60


def test_a_backend_that_fails_leaves_the_next_one_usable(monkeypatch):
    opengl.failure.cache_clear()
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(opengl, "BACKENDS", ("osmesa_of_another_world", "egl"))
    assert opengl.choose() == "egl"


def test_a_driver_that_crashes_is_a_reason_and_not_a_crash(monkeypatch):
    opengl.failure.cache_clear()
    monkeypatch.setattr(opengl, "PROBE", "import os; os.abort()")
    with pytest.raises(RenderingError, match=r"egl: its driver crashed \(signal 6\).*apt install libegl1 libegl-mesa0"):
        opengl.choose()
    opengl.failure.cache_clear()


def test_the_users_own_setting_is_respected(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "off")
    with pytest.raises(RenderingError, match=r"MUJOCO_GL \(off\) turns drawing off"):
        opengl.choose()
    monkeypatch.setenv("MUJOCO_GL", "egl")
    assert opengl.choose() == "egl"
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    assert opengl.choose() == "glfw"


@pytest.mark.parametrize("setting", ["", "osmesa"])
def test_an_episode_without_opengl_still_runs_and_saves(tmp_path, setting):
    # mujoco refuses egl and osmesa beside another platform; with MUJOCO_GL=osmesa it does not even import
    env = {**os.environ, "PYOPENGL_PLATFORM": "glx", "MUJOCO_GL": setting}
    command = [sys.executable, "-m", "animat", "run", "worm", "--seconds", "0.3", "--out", str(tmp_path / "run")]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("animat: no video: no OpenGL without a screen")
    assert "apt install libegl1 libegl-mesa0" in run.stderr
    assert (tmp_path / "run" / "series.npz").is_file()
    assert not (tmp_path / "run" / "video.mp4").exists()
