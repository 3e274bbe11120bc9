"""Search the worm's assumed numbers: a calibration on the real environment.

Usage: python -m animat.scripts.search_worm [--model lif] --trials 500 --seed 0 --out runs/search (needs cma; hours)

The targets ask for both gaits, a head that bends, dorsal and ventral muscles that alternate, backward motion under AVA
drive, both touch responses and none without AVA, AVD and AVE, each as a hinge, averaged over `SEEDS`; the best sets are
then run on `HELD_OUT`. The D-, B- and A-class ablations, the frozen senses and the shuffles are not in it. With
`--model lif` only the rows of the spiking model are free, and only the gaits are asked for. Starts from the shipped
values, which are trial 0, or those given by `--start name=value`. The folder `--out` is a `Calibration`: every
evaluation is written as it ends, and the same command again continues an interrupted search.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..brains.calibration import Calibration, Parameter, Target, calibrate
from ..envs.measures import bend_angles
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import Recording, run_episode
from ..organisms.maps import SensoryMap
from ..organisms.organism import Organism, make
from ..organisms.worm import FOLDER, gain_table
from .build_worm_maps import proprioception

REST_MV = -35.0
SEEDS = (20, 21, 22, 23, 24, 25)  # none of the benchmark's
HELD_OUT = (50, 51, 52)  # none of the benchmark's either, nor of any earlier choice in SOURCES.md
STEADY = 4  # of SEEDS for the cases that hardly depend on the seed: all but touch
B, A, D = ("DB", "VB"), ("DA", "VA"), ("DD", "VD")
HEAD = ("SMDD*", "SMDV*", "RMDD*", "RMDV*")


class Free(NamedTuple):
    """A free number and its range: a row of gains.csv, or a column of dynamics.csv in the rows of some selectors."""

    low: float
    high: float
    log: bool = False
    column: str = ""
    selectors: tuple[str, ...] = ()
    offset: float = 0.0


THRESHOLDS = {
    "avb_tonic_mv": Free(25, 160, True, "tonic_mv", ("AVB",)),
    "b_threshold_mv": Free(5, 20, False, "v_half_mv", B, REST_MV),
    "a_threshold_mv": Free(4, 25, False, "v_half_mv", A, REST_MV),
    "head_threshold_mv": Free(2, 22, False, "v_half_mv", HEAD, REST_MV),
    "d_threshold_mv": Free(2, 12, False, "v_half_mv", D, REST_MV),
}
FREE = {
    "graded": {
        "chemical_mv": Free(5, 80, True),
        "inhibition": Free(1, 25, True),
        "electrical": Free(0.2, 4, True),
        "muscle": Free(4, 24, True),
        "stretch_mv": Free(40, 250, True),
        "stretch_head": Free(0.4, 12, True),
        "stretch_a": Free(0.4, 3, True),
        "plateau_mv": Free(4, 25, False, "plateau_mv", (*B, *A, *HEAD)),
        **THRESHOLDS,
    },
    "lif": {
        "tau_m_ms": Free(15, 120, True, "tau_m_ms", ("*",)),
        "tau_release_ms": Free(20, 400, True, "tau_release_ms", ("*",)),
        "rate_full_hz": Free(5, 300, True, "rate_full_hz", ("*",)),
        "spikelet_mv": Free(5, 120, True, "spikelet_mv", ("*",)),
        "plateau_mv": Free(4, 25, False, "plateau_mv", (*B, *A)),
        **THRESHOLDS,
    },
}
GAITS: dict[str, dict[str, Any]] = {"crawl": {"duration_s": 12.0}, "swim": {"task": "swim", "duration_s": 10.0}}
COMMANDS: dict[str, dict[str, Any]] = {
    "backward": {"drive": {"AVA": 120.0}, "duration_s": 8.0},
    "touch": {"task": "touch", "duration_s": 15.2},
    "no_command": {"task": "touch", "duration_s": 8.2, "ablate": ("AVA", "AVD", "AVE")},
}
CASES = {"graded": GAITS | COMMANDS, "lif": GAITS}
UNITS = {"_mv": "mV", "_ms": "ms", "_hz": "Hz", "_mm_s": "mm/s", "_body_lengths": "body lengths", "_rad": "rad"}


def unit_of(name: str) -> str:
    """The unit that ends a name; '1' where none does."""
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "1")


def hinge(measure: str, low: Any, high: Any, scale: float) -> Target:
    """Zero inside the band, growing by one for every `scale` outside it; a number that is not one counts as ten."""
    return Target(measure=measure, low=low, high=high, scale=scale, unit=unit_of(measure))


def swim_low_hz(measures: Mapping[str, float]) -> float:
    """The least swimming frequency: published, and 3.15 times that of crawling."""
    return max(1.35, 3.15 * measures["crawl.undulation_hz"])


GAIT_TARGETS = (
    hinge("crawl.speed_mm_s", 0.13, 0.25, 0.1),
    hinge("crawl.undulation_hz", 0.36, 0.75, 0.2),
    hinge("crawl.wavelength_body_lengths", 0.55, 0.75, 0.2),
    hinge("swim.undulation_hz", swim_low_hz, 2.5, 0.5),
    hinge("swim.wavelength_body_lengths", 1.2, 2.4, 1.0),
    hinge("swim.rms_bend_rad", 0.07, 9.0, 0.05),
    hinge("swim.speed_mm_s", 0.04, 9.0, 0.06),
)
HEAD_AND_COMMAND_TARGETS = (
    hinge("crawl.head_over_mid_bend", 0.6, 2.0, 0.5),
    hinge("crawl.co_contraction", 0.0, 0.03, 0.05),
    hinge("swim.head_over_mid_bend", 0.3, 2.0, 0.5),
    hinge("backward.speed_mm_s", -9.0, -0.075, 0.05),
    hinge("touch.speed_anterior_mm_s", -9.0, -0.075, 0.05),
    hinge("touch.faster_posterior_mm_s", 0.03, 9.0, 0.06),
    hinge("no_command.speed_anterior_mm_s", 0.0, 9.0, 0.05),
    hinge("no_command.speed_before_anterior_mm_s", 0.06, 9.0, 0.05),
)
TARGETS = {"graded": GAIT_TARGETS + HEAD_AND_COMMAND_TARGETS, "lif": GAIT_TARGETS}


def measured(recording: Recording) -> dict[str, float]:
    """The recording's measures, and how much the head bends against the mid-body (a worm's head leads the wave)."""
    bends = bend_angles(recording.series["centreline_mm"][len(recording.series["time_s"]) // 4 :])
    head, middle = (float(bends[:, part].std(axis=0).mean()) for part in (slice(0, 5), slice(9, 14)))
    return {**recording.measures, "head_over_mid_bend": head / max(middle, 1e-3)}


def worm_with(free: dict[str, Free], values: dict[str, float]) -> Organism:
    """The worm with some of its assumed numbers replaced."""
    worm = make("worm")
    gains: dict[str, Any] = gain_table() | {name: value for name, value in values.items() if not free[name].column}
    rows = [
        {"selector": selector, free[name].column: f"{value + free[name].offset:.6g}"}
        for name, value in values.items()
        for selector in free[name].selectors
    ]
    senses = pd.concat([SensoryMap.from_csv(FOLDER / "senses.csv").table, proprioception(gains)], ignore_index=True)
    return replace(
        worm,
        gains=replace(worm.gains, **{k: gains[k] for k in ("chemical_mv", "inhibition", "electrical")}),
        dynamics=pd.concat([worm.dynamics, pd.DataFrame(rows)], ignore_index=True).fillna(""),
        sensory=SensoryMap(table=senses.astype({"gain": float, "delay_s": float})),
        effectors=replace(worm.effectors, gain=gains["muscle"]),
    )


@lru_cache(maxsize=1)
def worm_of(model: str, values: tuple[tuple[str, float], ...]) -> Organism:
    """The worm of a trial, built once for all its cases."""
    return worm_with(FREE[model], dict(values))


@lru_cache(maxsize=16)
def episode(model: str, values: tuple[tuple[str, float], ...], case: str, seed: int) -> dict[str, float]:
    """Measures of one case; kept, so that training seeds that share a steady case share its run."""
    options = CASES[model][case]
    return measured(run_episode(OrganismEnv(worm_of(model, values), model=model, **options), seed=seed))


def evaluate(values: dict[str, float], seed: int, model: str) -> dict[str, float]:
    """Measures of every case of the model on one seed, as case.measure."""
    steady = SEEDS[SEEDS.index(seed) % STEADY] if seed in SEEDS else seed
    flat: dict[str, float] = {}
    for name, case in CASES[model].items():
        measures = episode(model, tuple(values.items()), name, seed if case.get("task") == "touch" else steady)
        flat |= {f"{name}.{key}": value for key, value in measures.items()}
    after, before = (flat.get(f"touch.speed_{when}posterior_mm_s", np.nan) for when in ("", "before_"))
    return {**flat, "touch.faster_posterior_mm_s": after - before}


def shipped(model: str) -> dict[str, float]:
    """The values of the worm's own tables."""
    worm, gains = make("worm"), gain_table()
    cells, values = worm.brain(model).network.cells, {}
    for name, f in FREE[model].items():
        # the median: '*' stands for what most neurons have
        neurons = [cells.names.index(n) for s in f.selectors for n in worm.connectome.select(s)]
        values[name] = float(np.median(getattr(cells, f.column)[neurons])) - f.offset if f.column else gains[name]
    return values


def parameters(model: str) -> list[Parameter]:
    """The free numbers of a model as a calibration takes them."""
    scales = ("linear", "log")
    return [
        Parameter(name=name, low=f.low, high=f.high, unit=unit_of(name), scale=scales[f.log])
        for name, f in FREE[model].items()
    ]


def search(
    model: str, start: dict[str, float], step: float, trials: int, seed: int, processes: int, out: Path
) -> Calibration:
    """Run or continue the search; every evaluation is in the folder as it ends."""
    packages = {name: version(name) for name in ("mujoco", "numba")}
    return calibrate(
        parameters(model),
        partial(evaluate, model=model),
        TARGETS[model],
        train_seeds=SEEDS,
        held_out_seeds=HELD_OUT,
        start=shipped(model) | start,
        step=step,
        population=12,
        trials=trials,
        seed=seed,
        processes=processes,
        out=out,
        context={**packages, "fingerprint": make("worm").connectome.fingerprint},
        report=lambda trial, score: print(f"trial {trial}: {score:.3f}", flush=True),
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=sorted(FREE), default="graded")
    parser.add_argument("--start", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--step", type=float, default=0.05, help="first step, as a share of each range")
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/search_worm"), help="a folder")
    options = parser.parse_args()
    start = {name: float(value) for name, value in (item.split("=") for item in options.start)}
    found = search(options.model, start, options.step, options.trials, options.seed, options.processes, options.out)
    print(f"trial {found.best_trial}: {found.train_score:.3f} in training, {found.held_out_score:.3f} held out")
    print(" ".join(f"{name}={value:.6g}" for name, value in found.best.items()))


if __name__ == "__main__":
    main()
