"""Search the strengths of a sense's pathway to the neck: a calibration on a taxis task.

Usage: python -m animat.scripts.search_taxis chemotaxis --trials 120 --out runs/search_taxis (needs cma; an hour)

Which cell speaks to which, and with which sign, is in `PATHWAYS`; free is only how strong these synapses are and how
many millivolts the sense gives. The target is the taxis index, averaged over `SEEDS`, and that of a task that shares
the pathway and is to be kept; the best sets are then run on `HELD_OUT`. The ablation of the sense, the shuffles, the
gaits and the touches are not in it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from ..brains.calibration import Calibration, Parameter, Target, calibrate
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import run_episode
from ..organisms.organism import Organism, make

SEEDS = tuple(range(200, 206))
HELD_OUT = tuple(range(300, 320))
TARGET = Target(measure="taxis_index", low=0.8, high=1.0, scale=1.0, unit="1")
Row = tuple[str, str, str, str]  # pre, post, kind, sign ("" leaves the table's)


@dataclass(frozen=True, kw_only=True)
class Pathway:
    """What is free in the search of a task: the gain of a sense and factors of synapses."""

    cells: tuple[str, ...]  # the receptors, as in senses.csv
    gain: tuple[str, float, float, str]  # name, low, high, unit
    rows: dict[str, tuple[Row, ...]]  # name of a factor -> the synapses it strengthens
    start: dict[str, float]
    keeps: dict[str, float] = field(default_factory=dict)  # another task -> its least index

    @property
    def targets(self) -> tuple[Target, ...]:
        """The index of the task itself, and those of the tasks to be kept, as `index_NAME`."""
        kept = (
            Target(measure=f"index_{name}", low=low, high=1.0, scale=0.2, unit="1") for name, low in self.keeps.items()
        )
        return (TARGET, *kept)

    @property
    def parameters(self) -> list[Parameter]:
        """The free numbers as a calibration takes them."""
        name, low, high, unit = self.gain
        factors = [Parameter(name=row, low=1, high=200, unit="1", scale="log") for row in self.rows]
        return [Parameter(name=name, low=low, high=high, unit=unit, scale="log"), *factors]


PATHWAYS = {
    "chemotaxis": Pathway(
        cells=("ASEL", "ASER"),
        gain=("ase_mv_per_mm", 3, 100, "mV/mM"),
        rows={
            "ase_aib": (("ASEL", "AIB", "chemical", "-1"), ("ASER", "AIB", "chemical", "1")),
            "aib_smdd": (("AIB", "SMDD*", "chemical", ""),),
            "aib_smdv": (("AIB", "SMDV*", "chemical", ""),),
            "aib_rim": (("AIB", "RIM", "chemical", "1"),),
            "aib_ava": (("AIB", "AVA", "chemical", ""), ("AIB", "AVE", "chemical", "")),
        },
        start={"ase_mv_per_mm": 20, "ase_aib": 30, "aib_smdd": 30, "aib_smdv": 3, "aib_rim": 3, "aib_ava": 3},
    ),
    "thermotaxis": Pathway(
        cells=("AFD",),
        gain=("afd_mv_per_celsius", 3, 5000, "mV/celsius"),
        rows={
            "afd_aib": (("AFD", "AIB", "electrical", ""),),
            "afd_aiy": (("AFD", "AIY", "chemical", ""),),
            "aiy_aiz": (("AIY", "AIZ", "chemical", ""),),
            "aiz_aib": (("AIZ", "AIB", "chemical", ""),),
        },
        start={"afd_mv_per_celsius": 1000, "afd_aib": 10, "afd_aiy": 2, "aiy_aiz": 2, "aiz_aib": 1},
        keeps={"chemotaxis": 0.6},
    ),
}


@lru_cache(maxsize=1)
def worm_of(task: str, values: tuple[tuple[str, float], ...]) -> Organism:
    """The worm with the strengths of a trial, in place of those of synapse_rules.csv and senses.csv."""
    worm, way, numbers = make("worm"), PATHWAYS[task], dict(values)
    rules = worm.gains.overrides
    assert rules is not None
    replaced = {row[:3] for rows in way.rows.values() for row in rows}
    kept = rules[[row not in replaced for row in zip(rules["pre"], rules["post"], rules["kind"], strict=True)]]
    rows = [
        {"pre": pre, "post": post, "kind": kind, "factor": str(numbers[name]), "sign_override": sign}
        for name, found in way.rows.items()
        for pre, post, kind, sign in found
    ]
    added = pd.concat([kept, pd.DataFrame(rows)], ignore_index=True).fillna("")
    senses = worm.sensory.table.copy()
    senses.loc[senses["neuron"].isin(way.cells), "gain"] = numbers[way.gain[0]]
    return replace(worm, gains=replace(worm.gains, overrides=added), sensory=replace(worm.sensory, table=senses))


def evaluate(values: dict[str, float], seed: int, task: str, seconds: float | None = None) -> dict[str, float]:
    """Measures of one episode of the task, and the indices of the tasks to be kept."""

    def measures(name: str) -> dict[str, float]:
        return run_episode(OrganismEnv(worm, name, duration_s=seconds), seed=seed).measures

    worm = worm_of(task, tuple(values.items()))
    return {**measures(task), **{f"index_{name}": measures(name)["taxis_index"] for name in PATHWAYS[task].keeps}}


def search(
    task: str, trials: int, step: float, seed: int, processes: int, out: Path, seconds: float | None = None
) -> Calibration:
    """Run or continue the search; every evaluation is in the folder as it ends."""
    packages = {name: version(name) for name in ("mujoco", "numba")}
    return calibrate(
        PATHWAYS[task].parameters,
        partial(evaluate, task=task, seconds=seconds),
        PATHWAYS[task].targets,
        train_seeds=SEEDS,
        held_out_seeds=HELD_OUT,
        start=PATHWAYS[task].start,
        step=step,
        population=8,
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
    parser.add_argument("task", choices=sorted(PATHWAYS))
    parser.add_argument("--step", type=float, default=0.15, help="first step, as a share of each range")
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=None, help="a folder; runs/search_taxis-TASK by default")
    options = parser.parse_args()
    out = options.out or Path("runs") / f"search_taxis-{options.task}"
    found = search(options.task, options.trials, options.step, options.seed, options.processes, out)
    print(f"trial {found.best_trial}: {found.train_score:.3f} in training, {found.held_out_score:.3f} held out")
    print(" ".join(f"{name}={value:.6g}" for name, value in found.best.items()))


if __name__ == "__main__":
    main()
