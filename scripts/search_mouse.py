"""Search the gains of the mouse's afferents and reflexes: a calibration on the free body.

Usage: python -m animat.scripts.search_mouse --trials 60 --out runs/search_mouse --write (needs cma; 15 minutes)

The published rhythm and the learned pattern (`learn_mouse.py`) are not touched. Targets are the measured mouse's
numbers at the walking drive, no falls, a straight course and more speed at more drive, averaged over `SEEDS`; the best
set is then run on `HELD_OUT`. Starts from the shipped tables. The folder `--out` is a `Calibration`: every evaluation
is written as it ends, and the same command again continues an interrupted search. `--write` puts the best set into the
tables of organisms/mouse.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ..brains.calibration import Calibration, Parameter, Target, calibrate
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import run_episode
from ..organisms.maps import SensoryMap
from ..organisms.mouse import spinal
from ..organisms.organism import Organism
from .learn_mouse import organism, write

SEEDS = (0, 1)
HELD_OUT = tuple(range(100, 110))
CASES = {"walk": 0.12, "fast": 0.16}  # command
SECONDS = 3.0  # s, of an episode
FORE = ("Mn-shoulder-protractor", "Mn-elbow-extensor")


class Free(NamedTuple):
    """A free factor on shipped numbers: gains of senses.csv or weights of spinal_synapses.csv, and its range."""

    low: float
    high: float
    channels: tuple[str, ...] = ()  # the end of a channel's name
    neuron: str = ""  # type of the neuron that it drives
    sources: tuple[str, ...] = ()  # of synapses, by type
    fore: bool | None = None  # only those onto fore or hind pools


FREE = {
    "tilt": Free(0.2, 8.0, ("roll",), "vestibular-roll"),
    "tilt_rate": Free(0.4, 2.5, ("roll_rate",), "vestibular-roll"),
    "righting_hind": Free(0.4, 2.5, sources=("VS-E", "VS-I"), fore=False),
    "righting_fore": Free(0.3, 3.0, sources=("VS-E", "VS-I"), fore=True),
    "lateral": Free(0.1, 6.0, sources=("lateral-stretch",)),
    "load": Free(0.2, 6.0, ("load",), "load"),
    "stretch": Free(0.2, 6.0, ("length",), "limb-stretch"),
}


def band(measure: str, low: float, high: float, scale: float) -> Target:
    """Zero inside the band, growing by one for every `scale` outside it."""
    units = {"_mm_s": "mm/s", "_hz": "Hz", "_deg": "deg", "_deg_s": "deg/s"}
    unit = next((unit for end, unit in units.items() if measure.endswith(end)), "1")
    return Target(measure=measure, low=low, high=high, scale=scale, unit=unit)


TARGETS = (
    *(band(f"{case}.upright", 0.999, 9.0, 0.1) for case in CASES),
    *(band(f"{case}.turn_deg_s", -2.0, 2.0, 10.0) for case in CASES),
    *(band(f"{case}.tilt_deg", 0.0, 4.0, 4.0) for case in CASES),
    band("walk.speed_mm_s", 130.0, 220.0, 30.0),
    band("fast.speed_mm_s", 160.0, 300.0, 30.0),
    band("walk.step_frequency_hz", 2.9, 3.4, 0.5),
    band("walk.duty_factor", 0.64, 0.70, 0.07),
    *(band(f"walk.{joint}_r", 0.8, 1.0, 0.3) for joint in ("hip", "knee", "ankle")),
    *(
        band(f"walk.emg_{muscle}_r", 0.6, 1.0, 0.6)
        for muscle in ("hip_flexor", "ankle_flexor", "knee_extensor", "ankle_extensor")
    ),
)


def tables(values: dict[str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Synapses and senses with the factors of a trial."""
    synapses, senses = spinal.table("spinal_synapses"), SensoryMap.from_csv(spinal.DATA / "senses.csv").table
    for name, factor in values.items():
        free = FREE[name]
        rows = synapses["pre"].isin(free.sources) & synapses["post"].str.startswith("Mn-")
        if free.fore is not None:
            rows &= synapses["post"].isin(FORE) == free.fore
        scaled = synapses.loc[rows, "weight"].astype(float) * factor
        synapses.loc[rows, "weight"] = [f"{weight:.4g}" for weight in scaled]
        ends = senses["channel"].str.endswith(free.channels or ("nothing",))
        felt = ends & senses["neuron"].str.startswith(free.neuron or "nothing")
        senses.loc[felt, "gain"] = [float(f"{gain:.4g}") for gain in senses.loc[felt, "gain"] * factor]
    return synapses, senses


def mouse_with(values: dict[str, float]) -> Organism:
    """The mouse of a trial."""
    synapses, senses = tables(values)
    return replace(organism(spinal.table("spinal_populations"), synapses), sensory=SensoryMap(table=senses))


def evaluate(values: dict[str, float], seed: int) -> dict[str, float]:
    """Measures of every case on one seed, as case.measure."""
    mouse = mouse_with(values)
    flat: dict[str, float] = {}
    for case, drive in CASES.items():
        measures = run_episode(OrganismEnv(mouse, "walk", drive={"command": drive}, duration_s=SECONDS), seed=seed)
        flat |= {f"{case}.{name}": value for name, value in measures.measures.items()}
    return flat


def search(step: float, trials: int, seed: int, processes: int, out: Path) -> Calibration:
    """Run or continue the search; every evaluation is in the folder as it ends."""
    return calibrate(
        [Parameter(name=name, low=free.low, high=free.high, unit="1", scale="log") for name, free in FREE.items()],
        evaluate,
        TARGETS,
        train_seeds=SEEDS,
        held_out_seeds=HELD_OUT,
        start=dict.fromkeys(FREE, 1.0),
        step=step,
        population=8,
        trials=trials,
        finalists=1,
        seed=seed,
        processes=processes,
        out=out,
        context={name: version(name) for name in ("mujoco", "numba")},
        report=lambda trial, score: print(f"trial {trial}: {score:.3f}", flush=True),
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--step", type=float, default=0.12, help="first step, as a share of each range")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/search_mouse"), help="a folder")
    parser.add_argument("--write", action="store_true", help="put the best set into the tables of organisms/mouse")
    options = parser.parse_args()
    found = search(options.step, options.trials, options.seed, options.processes, options.out)
    print(f"trial {found.best_trial}: {found.train_score:.3f} in training, {found.held_out_score:.3f} held out")
    print(" ".join(f"{name}={value:.6g}" for name, value in found.best.items()))
    if options.write:
        synapses, senses = tables(dict(found.best))
        write(spinal.table("spinal_populations"), synapses)
        senses.to_csv(spinal.DATA / "senses.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
