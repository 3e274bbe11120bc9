"""Search the worm's assumed numbers: CMA-ES on the real environment.

Usage: python -m animat.scripts.search_worm [--model lif] --trials 500 --seed 0 --out trials.csv (needs cma; hours)

The objective asks for both gaits, a head that bends, dorsal and ventral muscles that alternate, backward motion under
AVA drive, both touch responses and none without AVA, AVD and AVE, each as a hinge, averaged over `SEEDS`. The D-, B-
and A-class ablations, the frozen senses and the shuffles are not in it. With `--model lif` only the rows of the spiking
model are free, and only the gaits are asked for. Starts from the shipped values, or those given by `--start
name=value`; every trial is written as it ends.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..envs.measures import bend_angles
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import Recording, run_episode
from ..organisms.maps import SensoryMap
from ..organisms.organism import Organism, make
from ..organisms.worm import FOLDER, gain_table
from .build_worm_maps import proprioception

REST_MV = -35.0
SEEDS = (20, 21, 22, 23, 24, 25)  # none of the benchmark's
STEADY = 4  # of them for what hardly depends on the seed
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


def hinge(value: float, low: float, high: float, scale: float) -> float:
    """Zero inside the band, growing by one for every `scale` outside it; a number that is not one counts as ten."""
    return max(0.0, (low - value) / scale, (value - high) / scale) if np.isfinite(value) else 10.0


def score(measures: dict[str, dict[str, float]]) -> float:
    """Sum of hinges; zero when every behaviour is inside its band."""
    crawl, swim = measures["crawl"], measures["swim"]
    gaits = (
        hinge(crawl["speed_mm_s"], 0.13, 0.25, 0.1)
        + hinge(crawl["undulation_hz"], 0.36, 0.75, 0.2)
        + hinge(crawl["wavelength_body_lengths"], 0.55, 0.75, 0.2)
        + hinge(swim["undulation_hz"], max(1.35, 3.15 * crawl["undulation_hz"]), 2.5, 0.5)
        + hinge(swim["wavelength_body_lengths"], 1.2, 2.4, 1.0)
        + hinge(swim["rms_bend_rad"], 0.07, 9.0, 0.05)
        + hinge(swim["speed_mm_s"], 0.04, 9.0, 0.06)
    )
    return gaits + (head_and_commands(measures) if "touch" in measures else 0.0)


def head_and_commands(measures: dict[str, dict[str, float]]) -> float:
    """The part of the score that is about a head that bends, muscles that alternate and changes of direction."""
    touch, without, crawl = measures["touch"], measures["no_command"], measures["crawl"]
    faster = touch["speed_posterior_mm_s"] - touch["speed_before_posterior_mm_s"]
    return (
        hinge(crawl["head_over_mid_bend"], 0.6, 2.0, 0.5)
        + hinge(measures["swim"]["head_over_mid_bend"], 0.3, 2.0, 0.5)
        + hinge(crawl["co_contraction"], 0.0, 0.03, 0.05)
        + hinge(-measures["backward"]["speed_mm_s"], 0.075, 9.0, 0.05)
        + hinge(-touch["speed_anterior_mm_s"], 0.075, 9.0, 0.05)
        + hinge(faster, 0.03, 9.0, 0.06)
        + hinge(without["speed_anterior_mm_s"], 0.0, 9.0, 0.05)
        + hinge(without["speed_before_anterior_mm_s"], 0.06, 9.0, 0.05)
    )


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


def trial(job: tuple[str, dict[str, float]]) -> tuple[float, dict[str, float]]:
    """Mean score over the seeds, and the measures of every case and seed."""
    model, values = job
    worm, cases = worm_with(FREE[model], values), CASES[model]
    measures = {
        (name, seed): measured(run_episode(OrganismEnv(worm, model=model, **case), seed=seed))
        for name, case in cases.items()
        for seed in SEEDS[: None if case.get("task") == "touch" else STEADY]
    }
    scores = [
        score({name: measures.get((name, seed), measures[name, SEEDS[k % STEADY]]) for name in cases})
        for k, seed in enumerate(SEEDS)
    ]
    flat = {f"{name}.{key}.{seed}": value for (name, seed), row in measures.items() for key, value in row.items()}
    return float(np.mean(scores)), flat


def decode(free: dict[str, Free], point: np.ndarray) -> dict[str, float]:
    """Values of a point of the unit cube."""
    pairs = zip(free.items(), np.clip(point, 0, 1), strict=True)
    return {
        name: float(f.low * (f.high / f.low) ** u if f.log else f.low + u * (f.high - f.low)) for (name, f), u in pairs
    }


def encode(free: dict[str, Free], values: dict[str, float]) -> list[float]:
    """The point of the unit cube of some values."""
    return [
        float(
            np.log(values[name] / f.low) / np.log(f.high / f.low)
            if f.log
            else (values[name] - f.low) / (f.high - f.low)
        )
        for name, f in free.items()
    ]


def shipped(model: str) -> dict[str, float]:
    """The values of the worm's own tables."""
    worm, gains = make("worm"), gain_table()
    cells, values = worm.brain(model).network.cells, {}
    for name, f in FREE[model].items():
        # the median: '*' stands for what most neurons have
        neurons = [cells.names.index(n) for s in f.selectors for n in worm.connectome.select(s)]
        values[name] = float(np.median(getattr(cells, f.column)[neurons])) - f.offset if f.column else gains[name]
    return values


def search(model: str, start: dict[str, float], step: float, trials: int, seed: int, processes: int, out: Path) -> None:
    """Run the search and write every trial."""
    import cma

    free = FREE[model]
    settings = {"seed": seed + 1, "bounds": [0, 1], "popsize": 12, "verbose": -9}
    strategy = cma.CMAEvolutionStrategy(encode(free, shipped(model) | start), step, settings)
    done = 0
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool, out.open("w") as file:
        writer = csv.writer(file)
        while done < trials:
            points = strategy.ask()
            values = [decode(free, point) for point in points]
            results = list(pool.map(trial, [(model, v) for v in values]))
            strategy.tell(points, [result for result, _ in results])
            for value, (result, flat) in zip(values, results, strict=True):
                if done == 0:
                    writer.writerow(["trial", "score", *value, *flat])
                writer.writerow([done, result, *value.values(), *flat.values()])
                done += 1
            file.flush()
            print(
                f"{done} trials, best of the last {len(points)}: {min(result for result, _ in results):.3f}", flush=True
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
    parser.add_argument("--out", type=Path, default=Path("trials.csv"))
    options = parser.parse_args()
    start = {name: float(value) for name, value in (item.split("=") for item in options.start)}
    search(options.model, start, options.step, options.trials, options.seed, options.processes, options.out)


if __name__ == "__main__":
    main()
