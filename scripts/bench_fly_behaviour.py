"""What the fly does against what is published of flies, each beside what takes it away; the rhythm by itself first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from .bench import Bar

SEEDS = (0, 1, 2)
UNSEEN = tuple(range(100, 108))  # seeds of the odour task, whose parameters were chosen on 0 to 3
DRAWS = 50
COMMAND = "animat bench fly"
Measures = dict[str, float]


def fly_bars() -> Iterator[Bar]:
    """Every figure of the fly's rhythm and behaviour with its bar."""
    yield from _rhythm()
    yield from _walking()
    yield from _commands()
    yield from _seeing()
    yield from _smelling()


def _rhythm() -> Iterator[Bar]:
    from ..organisms.fly.rhythm import CORE, RHYTHMIC, rate_leg, rhythm, spiking_leg, trace

    def steps(make: object, cell: str, draws: int, **options: Sequence[str]) -> np.ndarray:
        runs = [rhythm(trace(make(np.random.default_rng(k), **options), cell)) for k in range(draws)]  # type: ignore[operator]
        return np.array([hz if score > RHYTHMIC else 0.0 for hz, score in runs])

    hz = steps(rate_leg, CORE[1], DRAWS)
    share = float(((hz >= 10) & (hz <= 15)).mean())
    text = f"{100 * share:.0f} %, median {np.median(hz):.1f} Hz"
    yield _bar(f"leg rhythm of rates, {DRAWS} published draws", "10 to 15 Hz in 90 %", text, share >= 0.9)
    hz = steps(spiking_leg, CORE[2], 10)
    share = float(((hz >= 10) & (hz <= 15)).mean())
    text = f"{100 * share:.0f} %, median {np.median(hz):.1f} Hz"
    yield _bar("leg rhythm of spiking populations, 10 draws", "10 to 15 Hz in 90 %", text, share >= 0.9)
    for name, lost in zip(("E1", "E2", "I1"), CORE[1:], strict=True):
        left = float((steps(rate_leg, CORE[1], 10, silenced=(lost,)) > 0).mean())
        yield _bar(f"leg rhythm without {name}", "none", f"in {100 * left:.0f} % of draws", left == 0)


def _walking() -> Iterator[Bar]:
    runs = [_run("walk", seed) for seed in SEEDS]
    command = "animat run fly --task walk"
    yield _range("walking 10 s: speed", runs, "speed_mm_s", 5, 30, "mm/s", command)
    yield _range("... without falling: share of the time upright", runs, "upright", 0.999, 1.001, "", command)
    yield _range("... step frequency", runs, "step_frequency_hz", 10, 15, "Hz", command)
    yield _range("... duty factor", runs, "duty_factor", 0.6, 0.7, "", command)
    yield _range("... largest error of a leg's phase", runs, "phase_error", 0.0, 0.2, "cycles", command)
    yield _range("... swing", runs, "swing_ms", 30, 51, "ms", command)
    for lost in ("IN17A001", "INXXX466", "IN16B036"):
        lame = [_run("walk", SEEDS[0], duration_s=3.0, ablate=(lost,))]
        yield _range(f"walking without {lost}", lame, "speed_mm_s", -1.0, 1.0, "mm/s", f"{command} --ablate {lost}")


def _commands() -> Iterator[Bar]:
    turns = [
        _run("walk", 0, duration_s=3.0, drive={"DNa02_R": drive})["turn_deg_s"] for drive in (0.0, 20.0, 50.0, 100.0)
    ]
    text = ", ".join(f"{turn:.0f}" for turn in turns) + " deg/s"
    met = bool((np.diff(turns) < 0).all())
    yield _bar(
        "turning by DNa02_R at 0, 20, 50, 100",
        "more and more to the right",
        text,
        met,
        "animat run fly --drive DNa02_R=50",
    )
    speeds = [
        _run("walk", 0, duration_s=3.0, drive={"DNg100": drive})["speed_mm_s"] for drive in (250.0, 300.0, 400.0, 500.0)
    ]
    text = ", ".join(f"{speed:.1f}" for speed in speeds) + " mm/s"
    met = bool((np.diff(speeds) > 0).all())
    yield _bar(
        "speed by DNg100 at 250, 300, 400, 500", "faster and faster", text, met, "animat run fly --drive DNg100=300"
    )
    back = [_run("walk", seed, duration_s=3.0, drive={"DNg100": 0.0, "MDN": 400.0}) for seed in SEEDS]
    yield _range(
        "MDN instead of DNg100", back, "speed_mm_s", -30, -1, "mm/s", "animat run fly --drive DNg100=0,MDN=400"
    )


def _seeing() -> Iterator[Bar]:
    started = time.perf_counter()
    command = "animat run fly --task turn"
    yield _range(
        "turning with a drum: gain", [_run("turn", seed) for seed in SEEDS], "optomotor_gain", 0.3, 1.2, "", command
    )
    factor = len(SEEDS) * 12.0 / (time.perf_counter() - started)
    yield _bar("... closed loop with both optic lobes", "real time", f"{factor:.1f}x", factor >= 1, command)
    frozen = [_run("turn", seed, freeze_senses=True) for seed in SEEDS]
    yield _range("... with frozen senses", frozen, "optomotor_gain", -0.15, 0.15, "", f"{command} --freeze-senses")
    blind = [_run("turn", seed, ablate=("HS", "H2")) for seed in SEEDS]
    yield _range("... without HS and H2", blind, "optomotor_gain", -0.15, 0.15, "", f"{command} --ablate HS,H2")
    command = "animat run fly --task looming"
    yield _range(
        "a ball comes: giant fibre before contact",
        [_run("looming", 0)],
        "alarm_before_contact_ms",
        0,
        500,
        "ms",
        command,
    )
    without = [_run("looming", 0, ablate=("LPLC2",))]
    yield _range("... without LPLC2", without, "alarm", 0, 0, "alarms", f"{command} --ablate LPLC2")


def _smelling() -> Iterator[Bar]:
    command = f"animat controls fly --task odour --seeds {len(UNSEEN)} --seed {UNSEEN[0]}"
    lost: dict[str, tuple[str, ...]] = {"": (), "receptor neurons": ("ORN",), "wind neurons": ("JO-C", "JO-E")}
    runs = {name: [_run("odour", seed, ablate=cells) for seed in UNSEEN] for name, cells in lost.items()}
    upwind = {name: float(np.mean([run["upwind_mm_s"] for run in found])) for name, found in runs.items()}
    ground = {name: float(np.mean([run["ground_mm_s"] for run in found])) for name, found in runs.items()}
    arrived = {name: sum(run["reached"] for run in found) for name, found in runs.items()}
    what = f"odour in the wind, {len(UNSEEN)} headings: upwind, arrivals"
    text = f"{upwind['']:.1f} mm/s, {arrived['']:.0f}"
    met = upwind[""] >= 3 and arrived[""] >= len(UNSEEN) / 2
    yield _bar(what, "3 mm/s, half of them", text, met, command)
    for name in list(lost)[1:]:
        text = f"{upwind[name]:.1f} mm/s, {arrived[name]:.0f}"
        met = upwind[name] < upwind[""] / 2 and arrived[name] < arrived[""] / 2
        yield _bar(f"... without {name}", "under half of both", text, met, command)
    faster = ground[""] / ground["receptor neurons"]
    yield _bar("... speed over that without smell", "1.2 to 1.7", f"{faster:.2f}", 1.2 <= faster <= 1.7, command)


def _run(task: str, seed: int, **options: object) -> Measures:
    from ..envs.organism_env import OrganismEnv
    from ..envs.recorder import run_episode

    return run_episode(OrganismEnv("fly", task, **options), seed=seed).measures  # type: ignore[arg-type]


def _range(what: str, runs: list[Measures], name: str, low: float, high: float, unit: str, command: str) -> Bar:
    values = [run.get(name, float("nan")) for run in runs]
    text = f"{min(values):.3g}" + (f" to {max(values):.3g}" if len(values) > 1 else "") + (f" {unit}" if unit else "")
    met = all(low <= value <= high for value in values)
    return _bar(what, f"{low:g} to {high:g} {unit}".rstrip(), text, met, command)


def _bar(what: str, bar: str, measured: str, met: bool, command: str = COMMAND) -> Bar:
    return Bar(what=f"fly: {what}", bar=bar, measured=measured, met=met, command=command)
