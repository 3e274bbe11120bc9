"""Speed: figures of this machine, each the best of several runs because machines are shared and noisy."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np

from .bench import Bar

COMMAND = "animat bench speed"
IMPORT = "import time; t = time.perf_counter(); import animat; print(time.perf_counter() - t)"
FIRST_EPISODE = """
import time; t = time.perf_counter()
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
run_episode(OrganismEnv(duration_s=1.0)); print(time.perf_counter() - t)
"""


def speed_bars() -> Iterator[Bar]:
    """Every speed figure with its bar."""
    factor = real_time_factor()
    yield _bar(
        "closed loop, 302 neurons, planar, no video, one core", "at least 20x real time", f"{factor:.1f}x", factor >= 20
    )
    overhead = env_overhead()
    yield _bar("environment over raw mj_step, brain=None", "at most 10 %", f"{100 * overhead:.1f} %", overhead <= 0.10)
    fps = render_fps()
    yield _bar("rendering 640x480 in software", "at least 60 frames/s", f"{fps:.0f} frames/s", fps >= 60)
    seconds = min(_subprocess_s(IMPORT) for _ in range(5))
    yield _bar("import animat", "under 0.3 s", f"{seconds:.2f} s", seconds < 0.3)
    with tempfile.TemporaryDirectory() as cache:
        seconds = _subprocess_s(FIRST_EPISODE, NUMBA_CACHE_DIR=cache)
    yield _bar("first episode of 1 s with a cold JIT", "under 10 s", f"{seconds:.1f} s", seconds < 10)
    steps = brain_steps_per_s()
    yield _bar(
        "brain alone, 302 graded neurons, dt 1 ms", "at least 30,000 steps/s", f"{steps:,.0f} steps/s", steps >= 30_000
    )


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def real_time_factor(seconds: float = 4.0, repeats: int = 5) -> float:
    """Simulated over wall time of the closed loop with the worm's brain, best of `repeats`."""
    from ..envs.organism_env import OrganismEnv

    env = OrganismEnv(duration_s=1e6)
    env.reset(seed=0)
    action = np.zeros(env.action_space.shape or (), np.float32)
    steps = round(seconds / env.control_s)
    return seconds / _best(lambda: _repeat(lambda: env.step(action), steps), repeats)


def env_overhead(rounds: int = 60, steps: int = 100) -> float:
    """Time of `env.step` with brain=None over that of the `mj_step` inside it, minus 1.

    Two environments are taken through the same states in short turns, one by `env.step`, one by `mj_step` alone, and
    the median ratio of the turns counts: on a shared machine both sides of a turn are disturbed alike.
    """
    import mujoco

    from ..envs.organism_env import OrganismEnv

    env, raw = (OrganismEnv(brain=None, duration_s=1e6) for _ in range(2))
    model, substeps = raw.body.model, round(raw.control_s / raw.body.model.opt.timestep)
    action = np.random.default_rng(0).uniform(0, 1, len(raw.body.effectors)).astype(np.float32)
    env.reset(seed=0)
    raw.reset(seed=0)
    raw.data.ctrl[raw.body.effector_ids] = action
    ratios = []
    for _ in range(rounds):
        with_env = _best(lambda: _repeat(lambda: env.step(action), steps), 1)
        ratios.append(with_env / _best(lambda: _repeat(lambda: mujoco.mj_step(model, raw.data, substeps), steps), 1))
    return float(np.median(ratios)) - 1


def render_fps(frames: int = 60) -> float:
    """Pictures of the body a second, 640 x 480, with the background, without panel or encoding."""
    from ..envs.rendering import BodyCamera
    from ..organisms.organism import make

    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    centre = body.centreline(data).mean(axis=0)
    with BodyCamera(body, 640, 480) as camera:
        camera.frame(data, centre)
        return frames / _best(lambda: _repeat(lambda: camera.frame(data, centre), frames), 3)


def brain_steps_per_s(seconds: float = 5.0) -> float:
    """Steps of 1 ms a second of the worm's graded brain in one call."""
    from ..organisms.organism import make

    brain = make("worm").brain()
    drive = np.zeros(brain.n)
    brain.step(drive, 0.1)
    return seconds * 1e3 / _best(lambda: brain.step(drive, seconds), 3)


def _repeat(action: Callable[[], object], times: int) -> None:
    for _ in range(times):
        action()


def _best(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def _subprocess_s(code: str, **environment: str) -> float:
    env = {**os.environ, **environment}
    return float(subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True).stdout)
