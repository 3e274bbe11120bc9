"""Behaviour: every claim beside its controls, three seeds, nothing changed between them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from .bench import Bar

SEEDS = (0, 1, 2)
SECONDS = 20.0  # s, length of a crawling episode
AVA_MV = 120.0  # mV, drive of AVA for the backward bar
COMMAND_CELLS = ("AVA", "AVD", "AVE")
Measures = dict[str, float]
Job = tuple[dict[str, Any], int]

CASES: dict[str, dict[str, Any]] = {
    "crawl graded": {},
    "crawl lif": {"model": "lif"},
    "swim graded": {"task": "swim"},
    "swim lif": {"task": "swim", "model": "lif"},
    "silent": {"brain": "silent"},
    "frozen": {"freeze_senses": True},
    "no B": {"ablate": ("DB", "VB")},
    "no A": {"ablate": ("DA", "VA")},
    "AVA driven": {"drive": {"AVA": AVA_MV}},
    "touch": {"task": "touch"},
    "touch without AVA AVD AVE": {"task": "touch", "ablate": COMMAND_CELLS},
    "no D": {"ablate": ("DD", "VD")},
    "shuffled": {"brain": "shuffled"},
    "label shuffled": {"brain": "label_shuffled"},
}


def episode(job: Job) -> Measures:
    """Measures of one episode; runs in a process of its own."""
    from ..envs.organism_env import OrganismEnv
    from ..envs.recorder import run_episode

    options, seed = job
    length = {} if options.get("task") == "touch" else {"duration_s": SECONDS}
    env = OrganismEnv(**{**length, **options}, control_seed=seed)
    return run_episode(env, seed=seed).measures


def measured() -> dict[str, list[Measures]]:
    """Measures of every case and seed, on two processes."""
    jobs = [(options, seed) for options in CASES.values() for seed in SEEDS]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(episode, jobs))
    size = len(SEEDS)
    return {name: results[k * size : (k + 1) * size] for k, name in enumerate(CASES)}


def behaviour_bars() -> Iterator[Bar]:
    """Every behaviour with its bar; a bar is met only if every seed meets it."""
    runs = measured()
    for model in ("graded", "lif"):
        yield from _gaits(runs, model)
    for name in ("silent", "frozen", "no B"):
        yield _speeds(f"control: {name}", "under 0.02 mm/s either way", runs[name], low=-0.02, high=0.02)
    yield _speeds("A-class ablated still crawls forward", "above 0.02 mm/s", runs["no A"], low=0.02)
    yield _speeds(f"AVA driven by {AVA_MV:g} mV", "backward at 0.05 mm/s or more", runs["AVA driven"], high=-0.05)
    yield from _touches(runs)
    yield from _d_class(runs)
    for name in ("shuffled", "label shuffled"):
        yield _speeds(
            f"control: {name} wiring", "under half the intact speed", runs[name], high=_mean(runs, "crawl graded") / 2
        )
    yield _determinism()


def _gaits(runs: dict[str, list[Measures]], model: str) -> Iterator[Bar]:
    crawl, swim = runs[f"crawl {model}"], runs[f"swim {model}"]
    yield _speeds(f"crawling, {model}: speed", "0.10 to 0.30 mm/s", crawl, low=0.10, high=0.30)
    yield _within(f"crawling, {model}: undulation", crawl, "undulation_hz", 0.3, 0.8, "Hz")
    yield _within(f"crawling, {model}: wavelength", crawl, "wavelength_body_lengths", 0.5, 0.8, "L")
    yield _within(f"swimming, {model}: undulation", swim, "undulation_hz", 1.2, 2.6, "Hz")
    ratios = [s["undulation_hz"] / c["undulation_hz"] for s, c in zip(swim, crawl, strict=True)]
    yield _bar(
        f"swimming over crawling frequency, {model}",
        "at least 3",
        _listed(ratios),
        min(ratios) >= 3,
        f"--task swim --model {model}",
    )
    yield _within(f"swimming, {model}: wavelength", swim, "wavelength_body_lengths", 1.1, 2.6, "L")
    yield _within(f"swimming, {model}: rms bend", swim, "rms_bend_rad", 0.05, 9.0, "rad")
    yield _speeds(f"swimming, {model}: forward", "above 0.02 mm/s", swim, low=0.02)


def _touches(runs: dict[str, list[Measures]]) -> Iterator[Bar]:
    touch, without = runs["touch"], runs["touch without AVA AVD AVE"]
    front = [m["speed_anterior_mm_s"] for m in touch]
    yield _bar("anterior touch", "backward at 0.05 mm/s or more", _listed(front), max(front) <= -0.05, "--task touch")
    rear = [(m["speed_before_posterior_mm_s"], m["speed_posterior_mm_s"]) for m in touch]
    text = ", ".join(f"{before:.3f} to {after:.3f}" for before, after in rear)
    yield _bar("posterior touch", "faster than before", text + " mm/s", all(b < a for b, a in rear), "--task touch")
    front = [m["speed_anterior_mm_s"] for m in without]
    command = "--task touch --ablate AVA,AVD,AVE"
    yield _bar(
        "anterior touch without AVA, AVD, AVE",
        "no reversal (above -0.02 mm/s)",
        _listed(front),
        min(front) > -0.02,
        command,
    )


def _d_class(runs: dict[str, list[Measures]]) -> Iterator[Bar]:
    intact, without = runs["crawl graded"], runs["no D"]
    ratios = [w["co_contraction"] / i["co_contraction"] for w, i in zip(without, intact, strict=True)]
    yield _bar(
        "D-class ablated: co-contraction over intact",
        "at least 10",
        _listed(ratios),
        min(ratios) >= 10,
        "--ablate DD,VD",
    )
    half = _mean(runs, "crawl graded") / 2
    yield _speeds(
        "D-class ablated: wave lost or slowed", f"under half the intact speed ({half:.3f} mm/s)", without, high=half
    )


def _determinism() -> Bar:
    digests = [_digest() for _ in range(2)]
    code = "from animat.scripts.bench_behaviour import _digest; print(_digest())"
    digests.append(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    )
    same = len(set(digests)) == 1
    text = f"{len(set(digests))} distinct SHA-256 in 3 runs, {digests[0][:12]}"
    return _bar("same seed, one process and two: identical recording", "1 distinct", text, same, "")


def _digest() -> str:
    from ..envs.organism_env import OrganismEnv
    from ..envs.recorder import EPISODE, SERIES, run_episode

    with tempfile.TemporaryDirectory() as folder:
        run_episode(OrganismEnv(duration_s=3.0), seed=0).save(folder)
        content = b"".join((Path(folder) / name).read_bytes() for name in (EPISODE, SERIES))
    return hashlib.sha256(content).hexdigest()


def _mean(runs: dict[str, list[Measures]], name: str) -> float:
    return sum(m["speed_mm_s"] for m in runs[name]) / len(runs[name])


def _speeds(what: str, bar: str, runs: list[Measures], low: float = -9.0, high: float = 9.0) -> Bar:
    values = [m["speed_mm_s"] for m in runs]
    return _bar(what, bar, _listed(values) + " mm/s", low <= min(values) and max(values) <= high, "")


def _within(what: str, runs: list[Measures], name: str, low: float, high: float, unit: str) -> Bar:
    values = [m[name] for m in runs]
    bar = f"{low:g} to {high:g} {unit}" if high < 9 else f"over {low:g} {unit}"
    return _bar(what, bar, f"{_listed(values)} {unit}", low <= min(values) and max(values) <= high, "")


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _bar(what: str, bar: str, text: str, met: bool, command: str) -> Bar:
    options = f" {command}" if command else ""
    return Bar(what=what, bar=bar, measured=text, met=met, command=f"animat bench behaviour (animat run worm{options})")
