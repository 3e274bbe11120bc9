"""An experiment: one organism and task, live and beside its controls, on the same seeds.

    experiment = Experiment(organism="worm", task="crawl", seeds=(0, 1, 2))
    runs = experiment.run("runs/controls", workers=2)      # a table, one row a run
    compared = compare(runs)                               # a table, one row a condition and measure

The folder holds settings.json (all that decides a result), results.csv (one row a run) and, once everything has run,
summary.csv. results.csv is rewritten under a temporary name after every run, in the order of conditions and seeds, so
an interrupted experiment continues where it was and ends with the same bytes as one that was not interrupted.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing import get_context
from os import PathLike, cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..brains.controls import CONTROLS
from ..organisms.organism import make
from ..registry import UnknownNameError, nearest
from .experiment_folder import KEYS, RESULTS, SUMMARY, Job, Row, as_csv, as_table, claim, read, write
from .organism_env import OrganismEnv
from .recorder import run_episode
from .statistics import contrast, mean

FORMAT = 1
LIVE, FROZEN = "live", "frozen senses"
Progress = Callable[[int, int], None]


def conditions(ablations: Iterable[str] = (), neuropils: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Name -> options of `OrganismEnv` that set the condition apart from the live animal.

    Args:
        ablations: each the selectors of one ablation, separated by commas: "ASEL,ASER".
        neuropils: names of controls of the organism's neuropil.
    """
    lost = {f"without {text}": {"ablate": [part.strip() for part in text.split(",")]} for text in ablations}
    other = {name: {"neuropil": name} for name in neuropils}
    return {LIVE: {}, FROZEN: {"freeze_senses": True}, **{name: {"brain": name} for name in CONTROLS}, **other, **lost}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is run: every condition on every seed.

    A seed sets posture, heading and starting voltages, and which shuffle a shuffled brain is.

    Raises:
        KeyError: an unknown condition, with the nearest; the organism and the task are looked up when they are run.
        ValueError: no seed, or the same one twice.
    """

    organism: str = "worm"
    task: str | None = None  # the first of the organism's by default
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    ablations: tuple[str, ...] = ()  # each the selectors of one ablation, separated by commas
    neuropils: tuple[str, ...] = ()  # controls of the organism's neuropil, such as "V1 rewired" of the mouse
    chosen: tuple[str, ...] = ()  # names of conditions; none for all
    options: Mapping[str, Any] = field(default_factory=dict)  # of `OrganismEnv`, the same in every condition

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"Experiment: seeds {self.seeds} must be at least one and all different")
        known = conditions(self.ablations, self.neuropils)
        for name in self.chosen:
            if name not in known:
                raise UnknownNameError(f"no condition {name!r}; {nearest(name, known)}")

    @property
    def conditions(self) -> dict[str, dict[str, Any]]:
        """Those that are run; the live animal always is."""
        known = conditions(self.ablations, self.neuropils)
        return {name: known[name] for name in known if not self.chosen or name in {LIVE, *self.chosen}}

    @property
    def jobs(self) -> list[Job]:
        """Every run, in the order of results.csv."""
        return [(name, seed) for name in self.conditions for seed in self.seeds]

    def settings(self) -> dict[str, Any]:
        """All that decides the result of a run but its condition and seed."""
        organism = make(self.organism)
        return {
            "format": FORMAT,
            "versions": {name: version(name) for name in ("animat", "mujoco", "numpy", "numba")},
            "organism": self.organism,
            "task": self.task or organism.tasks[0],
            "fingerprint": organism.connectome.fingerprint,
            "digest": organism.digest,
            "options": {**self.options, "model": self.options.get("model") or organism.model},
        }

    def run(
        self, out: str | PathLike[str], workers: int | None = None, progress: Progress | None = None
    ) -> pd.DataFrame:
        """Run what is missing in the folder `out`.

        Args:
            out: folder of this experiment; more seeds or conditions may be added to it later.
            workers: processes; as many as there are cores by default.
            progress: called with runs done and runs in all.

        Returns:
            One row a run of this experiment: condition, seed, fingerprint of the wiring that ran, reason of an early
            end ("" for none), and the measures (NaN where a run had nothing to measure).

        Raises:
            ValueError: the folder holds an experiment with other settings, or a damaged table.
            RuntimeError: a run failed; the others are kept.
        """
        folder = Path(out)
        claim(folder, self.settings())
        rows = read(folder / RESULTS)
        missing = [job for job in self.jobs if job not in rows]
        order = {job: k for k, job in enumerate(dict.fromkeys([*self.jobs, *rows]))}
        failed: list[str] = []
        for job, row in _finished(self, missing, workers):
            if isinstance(row, BaseException):
                failed.append(f"{job[0]}, seed {job[1]}: {type(row).__name__}: {row}")
                continue
            rows[job] = row
            write(folder / RESULTS, as_csv([rows[key] for key in sorted(rows, key=order.__getitem__)]))
            if progress is not None:
                progress(sum(key in rows for key in self.jobs), len(self.jobs))
        if failed:
            raise RuntimeError(f"Experiment: {len(failed)} of {len(missing)} runs failed: {'; '.join(failed[:3])}")
        table = as_table([rows[job] for job in self.jobs])
        write(folder / SUMMARY, compare(table).to_csv(index=False, lineterminator="\n"))
        return table


def compare(runs: pd.DataFrame) -> pd.DataFrame:
    """One row a condition and measure: n, mean, low, high, and against the live animal difference, its interval and g.

    Args:
        runs: what `Experiment.run` returns.
    """
    measures = [name for name in runs.columns if name not in KEYS]
    values = {name: runs.pivot_table(index="seed", columns="condition", values=name, dropna=False) for name in measures}
    rows = []
    for name in measures:
        for condition in dict.fromkeys(runs["condition"]):
            rng = np.random.default_rng(0)  # the same resampling for every row, so that a row depends on its data alone
            own, live = (values[name][which].to_numpy(np.float64) for which in (condition, LIVE))
            alone, against = mean(own, rng), contrast(own, live, rng)
            gap = against.difference
            rows.append(
                {
                    "measure": name,
                    "condition": condition,
                    **alone._asdict(),
                    "difference": gap.mean,
                    "difference_low": gap.low,
                    "difference_high": gap.high,
                    "g": against.g,
                }
            )
    return pd.DataFrame(rows)


def _one(experiment: Experiment, job: Job) -> Row:
    """A run, in a process of its own."""
    condition, seed = job
    options = {**experiment.options, **experiment.conditions[condition]}
    env = OrganismEnv(experiment.organism, experiment.task, **options, control_seed=seed)
    recording = run_episode(env, seed=seed)
    keys = dict(zip(KEYS, (condition, seed, env.fingerprint, recording.episode["reason"]), strict=True))
    return keys | recording.measures


def _finished(
    experiment: Experiment, jobs: list[Job], workers: int | None
) -> Iterable[tuple[Job, Row | BaseException]]:
    """Each job with its row, or what it raised, as it ends; an interrupt waits for the runs that have begun."""
    if not jobs:
        return
    count = min(workers or cpu_count() or 1, len(jobs))
    # an interrupt reaches the whole group of processes; the parent alone answers it
    pool = ProcessPoolExecutor(count, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        futures: dict[Future[Row], Job] = {pool.submit(_one, experiment, job): job for job in jobs}
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future], future.result() if error is None else error
    finally:
        pool.shutdown(cancel_futures=True)
