"""The mouse that sees, beside its bars: approach against its controls, escape, and the speed of the closed loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..envs.organism_env import OrganismEnv
from ..envs.recorder import run_episode
from ..envs.statistics import contrast, mean
from ..organisms.mouse.sight import RADIUS_UM
from .bench import Bar

COMMAND = "animat bench mouse-sees"
HELD_OUT = tuple(range(100, 108))  # seeds; weights and gains were chosen on 0 to 4
CONTROLS: Mapping[str, Mapping[str, Any]] = {
    "the colliculus": {"ablate": ("SCs", "SCm-*")},
    "the wiring of V1 (rewired)": {"neuropil": "V1 rewired"},
    "senses (frozen)": {"freeze_senses": True},
}
SECONDS = 2.0  # s, of the episodes whose speed is measured
REPEATS = 2


def sight_bars() -> Iterator[Bar]:
    """Every figure of seeing with its bar."""
    yield from approach_bars()
    yield from looming_bars()
    yield from speed_bars()


def approach_bars() -> Iterator[Bar]:
    """How near mice come to a dark pillar, live and with something taken away, on the same seeds."""
    live = [_run("approach", seed) for seed in HELD_OUT]
    own = _values(live, "approach_index")
    upright, error = _values(live, "upright").mean(), _values(live, "heading_error_deg").mean()
    text = f"{_interval(mean(own, _rng()))}, heading error {error:.0f} deg, upright {upright:.2f} of the time"
    yield _bar(f"approach index, {len(HELD_OUT)} seeds", "above 0.5", text, bool(own.mean() > 0.5))
    for what, options in CONTROLS.items():
        lost = _values([_run("approach", seed, **options) for seed in HELD_OUT], "approach_index")
        gap = contrast(own, lost, _rng()).difference
        text = f"{lost.mean():.2f}; live above it by {_interval(gap)}"
        yield _bar(f"... without {what}", "95 % interval of the gain above 0", text, bool(gap.low > 0))


def looming_bars() -> Iterator[Bar]:
    """Whether what comes from above alarms the mouse before it is there, and what that does."""
    runs = [_run("looming", seed) for seed in HELD_OUT[:4]]
    alarms = _values(runs, "alarm").sum()
    before = _values(runs, "alarm_before_contact_ms")
    text = f"{alarms:.0f} of {len(runs)}, {np.nanmin(before):.0f} to {np.nanmax(before):.0f} ms before contact"
    yield _bar("a ball from above alarms the escape cells before contact", "every time", text, alarms == len(runs))
    escapes = _values(runs, "escape_before_contact_ms")
    text = f"{np.isfinite(escapes).sum()} of {len(runs)}, {np.nanmin(escapes, initial=np.inf):.0f} ms or more before"
    yield _bar("... and the command to run rises by half", "every time", text, bool(np.isfinite(escapes).all()))
    turns = _values(runs, "turn_away_deg")
    yield _bar("... and it turns away", "every time", f"{_listed(turns)} deg", bool((turns > 0).all()))
    calm = [_run("looming", seed, ablate=("SCm-escape",)) for seed in HELD_OUT[:2]]
    escapes = np.isfinite(_values(calm, "escape_before_contact_ms")).sum()
    yield _bar("... without the escape cells", "never", f"{escapes} of {len(calm)}", escapes == 0)


def speed_bars() -> Iterator[Bar]:
    """Simulated seconds a second of the processor and of the wall, best of `REPEATS`."""
    env, cpu, wall = OrganismEnv("mouse", "approach", duration_s=SECONDS), [], []
    run_episode(env, seed=0)
    for _ in range(REPEATS):
        clocks = time.process_time(), time.perf_counter()
        found = run_episode(env, seed=0)
        simulated = float(found.series["time_s"][-1])
        cpu.append(simulated / (time.process_time() - clocks[0]))
        wall.append(simulated / (time.perf_counter() - clocks[1]))
    text = f"{max(cpu):.2f}x in processor time, {max(wall):.2f}x by the wall"
    what = f"closed loop with V1 of 4,194 cells (radius {RADIUS_UM:g} um) and vision at 50 Hz, one core"
    yield _bar(what, "at least 1x real time", text, max(cpu) >= 1)


def _run(task: str, seed: int, **options: Any) -> dict[str, float]:
    return run_episode(OrganismEnv("mouse", task, control_seed=seed, **options), seed=seed).measures


def _values(runs: list[dict[str, float]], name: str) -> np.ndarray:
    return np.array([run.get(name, np.nan) for run in runs])


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _interval(found: Any) -> str:
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _listed(values: np.ndarray) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=f"mouse: {what}", bar=bar, measured=measured, met=met, command=COMMAND)
