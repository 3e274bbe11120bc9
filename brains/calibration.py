"""Calibration: tune a few declared parameters to targets on training seeds, and judge the result on held-out ones.

    calibration = calibrate(
        [Parameter(name="gain_mv", low=1, high=100, unit="mV", scale="log")],
        evaluate,                        # module-level: evaluate({"gain_mv": 12.3}, seed) -> {"rate_hz": 28.0}
        [Target(measure="rate_hz", low=25, high=35, scale=10, unit="Hz")],
        train_seeds=(0, 1), held_out_seeds=(2, 3), trials=100, out="runs/gain",
    )
    calibration.best, calibration.train_score, calibration.held_out_score

What `evaluate` runs is its own affair: a neuron, a network, a plasticity rule, a whole animal. A seed is whatever it
makes of it, so it may also number stimuli, and the split then holds out stimuli.

The folder `out` has calibration.json (what was declared, versions, and the result once there is one) and trials.csv
(one row an evaluation: trial, split, seed, score, parameters, measures). Calling `calibrate` again with the same
declaration continues a search that was interrupted, to the same bytes as if it had not been.
"""

from __future__ import annotations

import json
import operator
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..registry import UnknownNameError, nearest
from .calibration_ledger import HELD_OUT, TRAIN, Evaluate, Job, Ledger
from .calibration_result import HEADER, TABLE, Calibration, header_text, mean, open_folder, write_text
from .calibration_search import OPTIMIZERS, Floats, cma_version
from .calibration_targets import Parameter, Target, named, trace_correlation, trace_rmse

__all__ = ["Calibration", "Parameter", "Target", "calibrate", "trace_correlation", "trace_rmse"]


class _Spent(Exception):
    """The trials are used up; ends the optimiser, which knows no such number."""


def calibrate(
    parameters: Sequence[Parameter],
    evaluate: Evaluate,
    targets: Sequence[Target],
    *,
    train_seeds: Sequence[int],
    held_out_seeds: Sequence[int],
    start: Mapping[str, float] | None = None,
    step: float = 0.2,
    optimizer: str = "cma",
    population: int | None = None,
    trials: int = 200,
    finalists: int = 5,
    seed: int = 0,
    processes: int = 1,
    out: str | PathLike[str] | None = None,
    context: Mapping[str, str] | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Calibration:
    """Search the parameters for the lowest mean score over the training seeds, then score the best on held-out seeds.

    The optimiser sees training scores alone. The best trial is chosen by them; its held-out score, and those of the
    other finalists, are looked at once the search is over and change nothing. Same declaration, same machine: same
    trials to the last bit, whatever the number of processes.

    Args:
        parameters: what is free.
        evaluate: function at the top of a module, of values by name (each in its unit) and a seed, that gives measures
            by name. The first evaluation decides which there are; what a later one leaves out counts as NaN.
        targets: what the measures should be; a score is the sum of theirs.
        train_seeds: seeds that every trial is run on.
        held_out_seeds: seeds that the search never sees; none of the training seeds.
        start: where the search begins, by name; the middle of the range for those not given. Trial 0, to rounding
            (cma moves it a little inside where it stands on a bound).
        step: first step of cma and nelder-mead, as a share of each range.
        optimizer: "cma" (extra `calibration`), "differential_evolution" or "nelder-mead".
        population: trials between two decisions of cma or differential_evolution; None for their own choice.
        trials: how many at most; fewer when the optimiser has converged.
        finalists: how many of the best are run on the held-out seeds.
        seed: of the optimiser's draws.
        processes: how many evaluate at the same time; 1 evaluates in this process.
        out: folder that every evaluation is written to as it ends, and that an interrupted search is continued from.
        context: whatever else decides the result (a fingerprint, a version), by name; kept and compared on resuming.
        report: called with the number and training score of every trial, also of those read from `out`.

    Raises:
        ValueError: a declaration that makes no search, or a folder that holds another one.
        KeyError: an unknown optimiser, parameter of `start` or measure, with the nearest that is known.
        ImportError: cma is not installed.
        RuntimeError: another process is writing the folder.
    """
    asked: dict[str, Any] = {
        "parameters": [asdict(parameter) for parameter in parameters],
        "targets": [target.describe() for target in targets],
        "evaluate": named(evaluate),
        "train_seeds": [operator.index(number) for number in train_seeds],
        "held_out_seeds": [operator.index(number) for number in held_out_seeds],
        "start": _full_start(parameters, start or {}),
        "step": step,
        "optimizer": optimizer,
        "population": population,
        "trials": trials,
        "finalists": finalists,
        "seed": seed,
        "context": dict(context or {}),
        "versions": _versions(optimizer),
    }
    _check(asked, processes)
    declared: dict[str, Any] = json.loads(json.dumps(asked, default=np.generic.item))
    folder = None if out is None else Path(out)
    if folder is not None:
        open_folder(folder, declared)
    with Ledger(parameters, evaluate, targets, processes, folder and folder / TABLE) as ledger:
        search = _Search(ledger, parameters, declared, report)
        ended = search.run()
        search.hold_out(Calibration(declared=declared, rows=ledger.table(), ended="").trials)
        ledger.finish()
    calibration = Calibration(declared=declared, rows=ledger.table(), ended=ended)
    if folder is not None:
        write_text(folder / HEADER, header_text(declared, calibration.result))
    return calibration


class _Search:
    """The trials of one declaration, from the optimiser's points to rows of the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        parameters: Sequence[Parameter],
        declared: Mapping[str, Any],
        report: Callable[[int, float], None] | None,
    ) -> None:
        self._ledger = ledger
        self._parameters = parameters
        self._declared = declared
        self._report = report
        self._done = 0

    def run(self) -> str:
        """Let the optimiser ask until it stops or the trials are spent; says which."""
        start = np.array([parameter.encode(self._declared["start"][parameter.name]) for parameter in self._parameters])
        step, population, seed = (self._declared[name] for name in ("step", "population", "seed"))
        try:
            return OPTIMIZERS[self._declared["optimizer"]](
                self._scores, start, step, population, np.random.default_rng(seed)
            )
        except _Spent:
            return "trials spent"

    def _scores(self, points: Floats) -> Floats:
        """Training scores of points of the unit cube; raises when the trials do not suffice for all of them."""
        first, seeds = self._done, self._declared["train_seeds"]
        points = points[: self._declared["trials"] - first]
        values = [{p.name: p.decode(u) for p, u in zip(self._parameters, point, strict=True)} for point in points]
        jobs = [Job(first + k, TRAIN, seed, given) for k, given in enumerate(values) for seed in seeds]
        scores: list[float] = []
        for score in self._ledger.run(jobs):
            scores.append(score)
            if len(scores) % len(seeds) == 0:
                self._end_trial(mean(scores[-len(seeds) :]))
        if self._done == self._declared["trials"]:
            raise _Spent
        return np.array([mean(scores[k : k + len(seeds)]) for k in range(0, len(scores), len(seeds))])

    def _end_trial(self, score: float) -> None:
        if self._report is not None:
            self._report(self._done, score)
        self._done += 1

    def hold_out(self, trials: pd.DataFrame) -> None:
        """Run the best trials by training score on the held-out seeds."""
        best = trials.sort_values("train_score", kind="stable").head(self._declared["finalists"])
        names = [parameter.name for parameter in self._parameters]
        jobs = [
            Job(int(row["trial"]), HELD_OUT, seed, {name: float(row[name]) for name in names})
            for row in best.to_dict("records")
            for seed in self._declared["held_out_seeds"]
        ]
        for _ in self._ledger.run(jobs):
            pass


def _full_start(parameters: Sequence[Parameter], start: Mapping[str, float]) -> dict[str, float]:
    """A start for every parameter, all checked."""
    known = [parameter.name for parameter in parameters]
    for name in start:
        if name not in known:
            raise UnknownNameError(f"calibrate: start has no parameter {name!r}; {nearest(name, known)}")
    full = {parameter.name: float(start.get(parameter.name, parameter.decode(0.5))) for parameter in parameters}
    for parameter in parameters:
        parameter.encode(full[parameter.name])
    return full


def _versions(optimizer: str) -> dict[str, str]:
    import scipy

    versions = {"animat": version("animat"), "numpy": np.__version__, "scipy": scipy.__version__}
    versions["python"] = platform.python_version()
    return versions | ({"cma": cma_version()} if optimizer == "cma" else {})


def _check(declared: Mapping[str, Any], processes: int) -> None:
    """Raise for a declaration that makes no search."""
    OPTIMIZERS[declared["optimizer"]]
    _check_split(declared["train_seeds"], declared["held_out_seeds"])
    names = [fields["name"] for fields in declared["parameters"]]
    if not names or not declared["targets"]:
        raise ValueError("calibrate: needs at least one parameter and one target")
    if len(set(names)) < len(names):
        raise ValueError(f"calibrate: a parameter is there twice among {', '.join(names)}")
    for name, value in {**declared, "processes": processes}.items():
        if name in ("trials", "finalists", "processes") and value < 1:
            raise ValueError(f"calibrate: {name} ({value}) must be 1 or more")
    if not 0 < declared["step"] <= 0.5:
        raise ValueError(f"calibrate: step ({declared['step']} of each range) must be above 0 and at most 0.5")
    population = declared["population"]
    if population is not None and (population < 5 or declared["optimizer"] == "nelder-mead"):
        raise ValueError(f"calibrate: population ({population}) must be 5 or more, and nelder-mead has none")


def _check_split(train: Sequence[int], held_out: Sequence[int]) -> None:
    for name, seeds in {"train_seeds": train, "held_out_seeds": held_out}.items():
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError(f"calibrate: {name} ({seeds}) must be one or more different seeds")
    both = sorted(set(train) & set(held_out))
    if both:
        raise ValueError(
            f"calibrate: seeds {both} are in train_seeds and in held_out_seeds; a held-out score on a seed that was "
            "tuned on shows nothing"
        )
