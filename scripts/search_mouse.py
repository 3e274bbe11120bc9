"""Search the assumed numbers of the mouse's cord below the rhythm: a calibration on the free body.

Usage: python -m animat.scripts.search_mouse --trials 400 --out runs/search_mouse (needs cma)

Free are the stride that the pattern is fitted to (`mouse_pattern.Stride`), the gains of the vestibular and spindle
afferents, and the weights of the reflexes. The published rhythm is not touched. Targets are the measured mouse's
numbers at the walking drive, no falls, and more speed at a higher drive, averaged over `SEEDS`; the best sets are then
run on `HELD_OUT`. The folder `--out` is a `Calibration`: every evaluation is written as it ends, and the same command
again continues an interrupted search. `--write` puts the best set of the folder into the tables of organisms/mouse.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from ..bodies.mouse import MouseBody
from ..brains.calibration import Calibration, Parameter, Target, calibrate
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import run_episode
from ..organisms.maps import SensoryMap
from ..organisms.mouse import build, spinal
from ..organisms.organism import Organism
from .mouse_pattern import Stride, body, patterned

SEEDS = (0, 1, 2, 3, 4)
HELD_OUT = tuple(range(100, 110))
CASES = {"walk": 0.12, "trot": 0.25}
SECONDS = 4.0  # s, of an episode
STRIDE = {
    "sweep_hind_mm": (16.0, 36.0),
    "sweep_fore_mm": (12.0, 32.0),
    "lift_hind_mm": (3.0, 9.0),
    "lift_fore_mm": (3.0, 9.0),
    "behind_hind_mm": (-3.0, 7.0),
    "behind_fore_mm": (-3.0, 7.0),
    "raised_hind_mm": (-4.0, 1.5),
    "raised_fore_mm": (-4.0, 1.5),
    "lead_s": (-0.01, 0.04),
    "stiffening": (0.1, 0.7),
    "carrying": (0.0, 2.0),
    "push": (0.0, 0.6),
}
GAINS = {  # name -> range and start
    "roll_per_rad": (0.03, 1.0, 0.2),
    "roll_rate_per_rad_s": (0.005, 0.2, 0.04),
    "righting": (0.2, 3.0, 0.8),  # factor on the weights of VS-E and VS-I as they were first assumed
    "righting_fore": (0.1, 1.0, 0.4),  # factor on those of the fore limbs
    "lateral": (0.05, 4.0, 0.6),  # weight
    "load": (0.01, 1.0, 0.05),  # factor on the gain of load afferents
    "stretch": (0.01, 1.0, 0.05),  # factor on the gain of stretch afferents
}
LENGTHENING = {  # rad of a joint by which the standing limb grows 1 mm, derived from the body (bench_mouse_walk.py)
    "hip-extensor": 0.02,
    "knee-extensor": 0.068,
    "ankle-extensor": 0.045,
    "shoulder-protractor": 0.09,
    "elbow-extensor": 0.135,
}
RIGHTING = 7.4  # weight a rad and mm, at factor 1


def band(measure: str, low: float, high: float, scale: float) -> Target:
    """Zero inside the band, growing by one for every `scale` outside it."""
    units = {"_mm_s": "mm/s", "_hz": "Hz", "_deg": "deg", "_deg_s": "deg/s"}
    unit = next((unit for end, unit in units.items() if measure.endswith(end)), "1")
    return Target(measure=measure, low=low, high=high, scale=scale, unit=unit)


TARGETS = {
    "walk": (
        band("walk.upright", 0.999, 9.0, 0.1),
        band("walk.speed_mm_s", 150.0, 220.0, 30.0),
        band("walk.step_frequency_hz", 2.9, 3.5, 0.5),
        band("walk.duty_factor", 0.62, 0.72, 0.07),
        band("walk.turn_deg_s", -3.0, 3.0, 10.0),
        band("walk.tilt_deg", 0.0, 4.0, 4.0),
        *(band(f"walk.{joint}_r", 0.75, 1.0, 0.3) for joint in ("hip", "knee", "ankle")),
        *(
            band(f"walk.emg_{muscle}_r", 0.65, 1.0, 0.5)
            for muscle in ("hip_flexor", "ankle_flexor", "knee_extensor", "ankle_extensor")
        ),
    ),
    "trot": (
        band("trot.upright", 0.999, 9.0, 0.1),
        band("trot.speed_mm_s", 230.0, 500.0, 40.0),
        band("trot.turn_deg_s", -3.0, 3.0, 10.0),
        band("trot.tilt_deg", 0.0, 4.0, 6.0),
    ),
}


def cached_body(medium: str = "air") -> MouseBody:
    """The body on a level floor, built once for all trials."""
    return body()


def tables(values: Mapping[str, float]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Populations, synapses and senses with the values of a trial."""
    stride = Stride(**{f.name: values[f.name] for f in fields(Stride) if f.name in values})
    populations, synapses = patterned(stride)
    for pool, radians in LENGTHENING.items():
        fore = pool.startswith(("shoulder", "elbow"))
        righting = values["righting"] * (values["righting_fore"] if fore else 1.0)
        rows = synapses["pre"].isin(("VS-E", "VS-I")) & (synapses["post"] == f"Mn-{pool}")
        synapses.loc[rows, "weight"] = f"{righting * RIGHTING * radians:.3f}"
    synapses.loc[synapses["pre"] == "lateral-stretch", "weight"] = f"{values['lateral']:.3f}"
    senses = SensoryMap.from_csv(spinal.DATA / "senses.csv").table
    for k, row in senses.iterrows():
        kind, sign = str(row["neuron"]).split("_")[0], 1.0 if float(row["gain"]) > 0 else -1.0
        if kind == "vestibular-roll":
            name = "roll_per_rad" if row["channel"] == "roll" else "roll_rate_per_rad_s"
            senses.loc[k, "gain"] = round(sign * values[name], 4)  # type: ignore[index]
        if kind in ("load", "limb-stretch"):
            senses.loc[k, "gain"] = round(values["load" if kind == "load" else "stretch"] * FULL[kind], 5)  # type: ignore[index]
    return populations, synapses, senses


FULL = {"load": 0.00408, "limb-stretch": 0.6}  # gain at which 1 is all of the weight, or the limb fully behind


@cache
def mouse_with(values: tuple[tuple[str, float], ...]) -> Organism:
    """The mouse of a trial, built once for its episodes."""
    populations, synapses, senses = tables(dict(values))
    wiring = spinal.assembled(populations, synapses)
    return replace(
        build(),
        connectome=wiring,
        reference=wiring,
        dynamics=spinal.dynamics(populations),
        sensory=SensoryMap(table=senses),
        body=cached_body,
    )


def evaluate(values: dict[str, float], seed: int, cases: tuple[str, ...], seconds: float) -> dict[str, float]:
    """Measures of every case on one seed, as case.measure."""
    flat: dict[str, float] = {}
    for case in cases:
        env = OrganismEnv(mouse_with(tuple(values.items())), drive={"command": CASES[case]}, duration_s=seconds)
        measures = run_episode(env, seed=seed).measures
        flat |= {f"{case}.{name}": value for name, value in measures.items()}
    mouse_with.cache_clear()
    return flat


def parameters() -> list[Parameter]:
    """The free numbers as a calibration takes them."""
    stride = [
        Parameter(
            name=name, low=low, high=high, unit="mm" if name.endswith("_mm") else "s" if name[-2:] == "_s" else "1"
        )
        for name, (low, high) in STRIDE.items()
    ]
    return stride + [
        Parameter(name=name, low=low, high=high, unit="1", scale="log") for name, (low, high, _) in GAINS.items()
    ]


def search(
    start: dict[str, float],
    step: float,
    trials: int,
    seed: int,
    seeds: tuple[int, ...],
    cases: tuple[str, ...],
    seconds: float,
    processes: int,
    out: Path,
) -> Calibration:
    """Run or continue the search; every evaluation is in the folder as it ends."""
    shipped = {name: getattr(Stride(), name) for name in STRIDE} | {name: row[2] for name, row in GAINS.items()}
    return calibrate(
        parameters(),
        partial(evaluate, cases=cases, seconds=seconds),
        [target for case in cases for target in TARGETS[case]],
        train_seeds=seeds,
        held_out_seeds=HELD_OUT,
        start=shipped | start,
        step=step,
        population=12,
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
    parser.add_argument("--start", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--step", type=float, default=0.15, help="first step, as a share of each range")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--cases", nargs="*", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of an episode")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/search_mouse"), help="a folder")
    options = parser.parse_args()
    start = {name: float(value) for name, value in (item.split("=") for item in options.start)}
    settings = (options.step, options.trials, options.seed, tuple(options.seeds), tuple(options.cases))
    found = search(start, *settings, options.seconds, options.processes, options.out)
    print(f"trial {found.best_trial}: {found.train_score:.3f} in training, {found.held_out_score:.3f} held out")
    print(" ".join(f"{name}={value:.6g}" for name, value in found.best.items()))


if __name__ == "__main__":
    main()
