"""Speed and stability of the mouse's body alone, without a brain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from ..bodies.body import Floats
from ..bodies.mouse import mouse
from .bench import Bar
from .bench_mouse_walk import ClockWalk, walk

COMMAND = "animat bench mouse-body"
CONTROL_S = 0.005  # s, between new excitations
EYES_HZ = 50.0  # pictures a second


def mouse_body_bars() -> Iterator[Bar]:
    """Every figure of the mouse's body with its bar."""
    rate = standing_rate()
    yield _bar("mouse standing, one core, mj_step", "at least 30,000 steps/s", f"{rate:,.0f} steps/s", rate >= 30_000)
    height, drift = standing()
    met = 22.7 <= height <= 25.3 and drift < 1
    yield _bar("standing 10 s on constant tone", "hips 22.7 to 25.3 mm high", f"{height:.1f} mm, {drift:.2f} off", met)
    steps, fastest, highest = random_actions(10_000)
    met = steps == 10_000 and fastest < 1000 and highest < 60
    figures = f"{steps}, {fastest:.0f}, {highest:.0f} mm"
    yield _bar("10,000 random full-range actions", "finite, below 1000 mm/s or rad/s, 60 mm", figures, met)
    for speed in (80.0, 155.0):
        track = walk(mouse(), 10.0, ClockWalk(speed_mm_s=speed), seed=1)
        figures = f"{track.seconds:.0f} s, {track.speed_mm_s:.0f} mm/s"
        met = track.seconds >= 9.99 and track.speed_mm_s >= 0.5 * speed
        yield _bar(f"muscles walk it by a clock at {speed:.0f} mm/s, 10 s", "upright, at least half", figures, met)
    track = walk(mouse(), 10.0, ClockWalk(), seed=1, reflexes=False)
    yield _bar("... without reflexes", "falls", f"after {track.seconds:.1f} s", track.seconds < 9.99)
    share = reader_share()
    yield _bar("reading all senses over 5 ms of mj_step", "at most 10 %", f"{100 * share:.2f} %", share <= 0.10)
    factor = seeing_factor()
    yield _bar("standing, both eyes at 50 Hz", "at least 4x real time", f"{factor:.1f}x", factor >= 4)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def standing_rate(steps: int = 1000, repeats: int = 9) -> float:
    """Physics steps a second of processor time of a mouse that stands on its tone, best of `repeats`."""
    import mujoco

    body = mouse()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    return steps / _best(lambda: mujoco.mj_step(body.model, data, steps), repeats)


def standing(seconds: float = 10.0) -> tuple[float, float]:
    """Height of the hips after standing, mm, and how far the trunk went sideways and ahead, mm."""
    import mujoco

    body = mouse()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    start = data.qpos[:2].copy()
    mujoco.mj_step(body.model, data, round(seconds / body.model.opt.timestep))
    return body.hip_height(data), float(np.abs(data.qpos[:2] - start).max())


def random_actions(actions: int, seed: int = 0) -> tuple[int, float, float]:
    """Draw every excitation anew from [0, 1] or from {0, 1} each control step.

    Returns:
        How many control steps stayed finite, the greatest speed of any degree of freedom, mm/s or rad/s, and the
        greatest height of the trunk, mm.
    """
    import mujoco

    body, rng, fastest, highest = mouse(), np.random.default_rng(seed), 0.0, 0.0
    data, n = body.new_data(), len(body.effectors)
    body.reset(data, rng)
    for k in range(actions):
        data.ctrl[body.effector_ids] = rng.random(n) if k % 2 else rng.integers(0, 2, n)
        mujoco.mj_step(body.model, data, round(CONTROL_S / body.model.opt.timestep))
        if not np.isfinite(data.qpos).all():
            return k, np.inf, np.inf
        fastest, highest = max(fastest, float(np.abs(data.qvel).max())), max(highest, float(data.qpos[2]))
    return actions, fastest, highest


def reader_share(repeats: int = 5, calls: int = 2000) -> float:
    """Time to read all senses but vision once over that of the physics of one control step."""
    import mujoco

    body = mouse()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    vector = np.zeros(sum(map(len, body.channels.values())), np.float32)
    read, steps = body.reader(data), round(CONTROL_S / body.model.opt.timestep)
    read(vector)
    reading = _best(lambda: [read(vector) for _ in range(calls)], repeats) / calls
    return reading / (_best(lambda: mujoco.mj_step(body.model, data, 20 * steps), repeats) / 20)


class Grey:
    """A panorama that is the same in every direction."""

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness, shape (m,)."""
        return np.full(len(directions), 0.5)


def seeing_factor(seconds: float = 0.2, repeats: int = 5) -> float:
    """Simulated over processor time of a standing mouse that looks at a pillar with both eyes 50 times a second."""
    import mujoco

    body = mouse(pillars=[{"x_mm": 150.0, "y_mm": 30.0}])
    data, retina, grey = body.new_data(), body.retina(), Grey()
    body.reset(data, np.random.default_rng(0))
    steps = round(1 / EYES_HZ / body.model.opt.timestep)

    def see() -> None:
        for _ in range(round(seconds * EYES_HZ)):
            mujoco.mj_step(body.model, data, steps)
            retina.look(data, grey, data.time)

    return seconds / _best(see, repeats)


def _best(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)
