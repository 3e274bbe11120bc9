"""Search the worm's assumed gains: CMA-ES on the real environment, with the objective that fixed the shipped values.

Usage: python scripts/search_worm.py --trials 500 --seed 0 --out trials.csv   (pip install cma; hours, two processes)

The objective asks for both gaits, both neuron models, backward motion under AVA drive and both touch responses, each as
a hinge on its published band. The D-class, B-class and A-class ablations, the frozen senses and the shuffles are not in
it. Starts from the shipped values with a step of 5 % of each range; every trial is written as it ends.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
from animat.organisms.organism import Organism, make
from animat.organisms.worm import gain_table

# name: (lowest, highest, logarithmic); gains.csv and dynamics.csv have units and sources
RANGES: dict[str, tuple[float, float, bool]] = {
    "chemical_mv": (8, 80, True),
    "inhibition": (1, 16, True),
    "electrical": (0.3, 4, True),
    "muscle": (4, 24, True),
    "avb_tonic_mv": (25, 120, True),
    "b_threshold_mv": (5, 20, False),
    "a_threshold_mv": (4, 25, False),
    "head_threshold_mv": (2, 22, False),
    "d_threshold_mv": (2, 12, False),
    "plateau_mv": (4, 18, False),
}
CASES: dict[str, dict[str, Any]] = {
    "crawl": {"duration_s": 15.0},
    "crawl_lif": {"duration_s": 15.0, "model": "lif"},
    "swim": {"task": "swim"},
    "backward": {"drive": {"AVA": 120.0}, "duration_s": 12.0},
    "touch": {"task": "touch"},
}


def hinge(value: float, low: float, high: float, scale: float) -> float:
    """Zero inside the band, growing by one for every `scale` outside it."""
    return max(0.0, (low - value) / scale, (value - high) / scale)


def score(measures: dict[str, dict[str, float]]) -> float:
    """Sum of hinges; zero when every behaviour is inside its band."""
    crawl, swim, touch = measures["crawl"], measures["swim"], measures["touch"]
    total = sum(gait(measures[name]) for name in ("crawl", "crawl_lif"))
    total += hinge(swim["undulation_hz"], max(1.35, 3.3 * crawl["undulation_hz"]), 2.45, 0.5)
    total += hinge(swim["wavelength_body_lengths"], 1.25, 2.3, 1.0) + hinge(swim["rms_bend_rad"], 0.07, 9.0, 0.05)
    total += hinge(swim["speed_mm_s"], 0.04, 9.0, 0.06) + hinge(-measures["backward"]["speed_mm_s"], 0.075, 9.0, 0.05)
    total += hinge(-touch["speed_anterior_mm_s"], 0.075, 9.0, 0.05)
    faster = touch["speed_posterior_mm_s"] - touch["speed_before_posterior_mm_s"]
    return total + hinge(faster, 0.03, 9.0, 0.06)


def gait(crawl: dict[str, float]) -> float:
    """Hinges of a crawling gait."""
    return (
        hinge(crawl["speed_mm_s"], 0.13, 0.25, 0.1)
        + hinge(crawl["undulation_hz"], 0.36, 0.7, 0.2)
        + hinge(crawl["wavelength_body_lengths"], 0.55, 0.75, 0.2)
    )


def worm_with(values: dict[str, float]) -> Organism:
    """The worm with some of its assumed gains replaced."""
    worm = make("worm")
    gains = replace(
        worm.gains,
        chemical_mv=values["chemical_mv"],
        inhibition=values["inhibition"],
        electrical=values["electrical"],
    )
    rest = -35.0
    rows = {
        "AVB": {"tonic_mv": values["avb_tonic_mv"]},
        **{t: {"v_half_mv": rest + values["b_threshold_mv"]} for t in ("DB", "VB")},
        **{t: {"v_half_mv": rest + values["a_threshold_mv"]} for t in ("DA", "VA")},
        **{t: {"v_half_mv": rest + values["head_threshold_mv"]} for t in ("SMDD*", "SMDV*", "RMDD*", "RMDV*")},
        **{t: {"v_half_mv": rest + values["d_threshold_mv"]} for t in ("DD", "VD")},
    }
    extra = pd.DataFrame([{"selector": t, **{k: f"{v:.6g}" for k, v in row.items()}} for t, row in rows.items()])
    plateau = pd.DataFrame(
        [{"selector": t, "plateau_mv": f"{values['plateau_mv']:.6g}"} for t in ("DB", "VB", "DA", "VA")]
    )
    dynamics = pd.concat([worm.dynamics, extra, plateau], ignore_index=True).fillna("")
    return replace(worm, gains=gains, dynamics=dynamics, effectors=replace(worm.effectors, gain=values["muscle"]))


def trial(job: tuple[dict[str, float], int]) -> tuple[float, dict[str, float]]:
    """Score and flattened measures of one set of values."""
    values, seed = job
    worm = worm_with(values)
    measures = {name: run_episode(OrganismEnv(worm, **case), seed=seed).measures for name, case in CASES.items()}
    flat = {f"{name}.{key}": value for name, row in measures.items() for key, value in row.items()}
    return score(measures), flat


def decode(x: np.ndarray) -> dict[str, float]:
    """Values of a point of the unit cube."""
    unit = np.clip(x, 0, 1)
    return {
        name: float(low * (high / low) ** u if log else low + u * (high - low))
        for u, (name, (low, high, log)) in zip(unit, RANGES.items(), strict=True)
    }


def encode(values: dict[str, float]) -> list[float]:
    """The point of the unit cube of some values."""
    return [
        float(np.log(values[name] / low) / np.log(high / low) if log else (values[name] - low) / (high - low))
        for name, (low, high, log) in RANGES.items()
    ]


def shipped() -> dict[str, float]:
    """The values of the worm's own tables."""
    gains, dynamics = gain_table(), make("worm").dynamics.set_index("selector")
    above_rest = {
        "b_threshold_mv": "DB",
        "a_threshold_mv": "DA",
        "head_threshold_mv": "SMDD*",
        "d_threshold_mv": "DD",
    }
    values = {name: gains[name] for name in ("chemical_mv", "inhibition", "electrical", "muscle")}
    values |= {name: float(str(dynamics.loc[row, "v_half_mv"])) + 35.0 for name, row in above_rest.items()}
    values["avb_tonic_mv"] = float(str(dynamics.loc["AVB", "tonic_mv"]))
    values["plateau_mv"] = float(str(dynamics.loc["DB", "plateau_mv"]))
    return values


def main() -> None:
    """Run the search and write every trial."""
    import cma

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("trials.csv"))
    options = parser.parse_args()
    strategy = cma.CMAEvolutionStrategy(
        encode(shipped()), 0.05, {"seed": options.seed + 1, "bounds": [0, 1], "popsize": 16, "verbose": -9}
    )
    done = 0
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool, options.out.open("w") as file:
        writer = csv.writer(file)
        while done < options.trials:
            points = strategy.ask()
            values = [decode(point) for point in points]
            results = list(pool.map(trial, [(v, options.seed) for v in values]))
            strategy.tell(points, [result for result, _ in results])
            for value, (result, flat) in zip(values, results, strict=True):
                if done == 0:
                    writer.writerow(["trial", "score", *value, *flat])
                writer.writerow([done, result, *value.values(), *flat.values()])
                done += 1
            file.flush()
            print(f"{done} trials, best {min(result for result, _ in results):.3f} of the last {len(points)}")


if __name__ == "__main__":
    main()
