"""`animat bench worm-ablations`: what is lost without a cell, against what was found in animals.

The tests are the rows of organisms/worm/ablations.csv. Every test runs intact and ablated worms on the same seeds. A
change counts as one if the 95 % bootstrap interval of the paired difference leaves out zero and the difference is at
least `LEAST` of the intact mean; otherwise the observed sign is 0. A row of the published table may have several tests
and comes out as expected if all of them do.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from ..envs.statistics import Mean, contrast
from ..organisms.worm import FOLDER
from .bench import Bar
from .bench_behaviour import Measures, episode

Case = tuple[str, str, str]  # task, drive, ablate

SEEDS = tuple(range(10))
SECONDS = {"crawl": 20.0}  # s; the other tasks have their own length
LEAST = 0.2  # of the intact mean: a smaller change is none
NEEDED = 9  # rows of the published table as expected
OUTCOMES = {"falls": (-1,), "rises": (1,), "stays": (0,), "kept": (0, 1)}  # word -> signs that count as expected
WORDS = {-1: "falls", 0: "stays", 1: "rises"}
DERIVED = {  # measure -> (what is added, what is taken away) of the measures of a recording
    "reversal_mm_s": ((), ("speed_anterior_mm_s",)),
    "acceleration_mm_s": (("speed_posterior_mm_s",), ("speed_before_posterior_mm_s",)),
    "backward_mm_s": ((), ("speed_mm_s",)),
}


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """One test: a row of the table may have several."""

    row: int
    ablate: str  # selectors separated by blanks
    task: str
    drive: str  # NAME=MILLIVOLTS or nothing
    measure: str
    expected: str  # a key of `OUTCOMES`
    what: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a test came to."""

    test: Ablation
    intact: float  # mean, in the unit that ends the measure's name
    change: Mean  # of the pairs, ablated less intact
    g: float  # Hedges' g

    @property
    def observed(self) -> int:
        """Sign of the change."""
        clear = self.change.low > 0 or self.change.high < 0
        large = abs(self.change.mean) >= LEAST * abs(self.intact)
        return int(np.sign(self.change.mean)) if clear and large else 0

    @property
    def as_expected(self) -> bool:
        """Whether it is what was found in animals."""
        return self.observed in OUTCOMES[self.test.expected]


def table() -> list[Ablation]:
    """The published tests, in order."""
    rows = pd.read_csv(FOLDER / "ablations.csv", keep_default_na=False).to_dict("records")
    return [Ablation(**{str(key): value for key, value in row.items()}) for row in rows]


def options_of(case: Case) -> dict[str, Any]:
    """What `OrganismEnv` is made with for a case."""
    task, drive, ablate = case
    name, _, millivolts = drive.partition("=")
    return {
        "task": task,
        "ablate": tuple(ablate.split()),
        "drive": {name: float(millivolts)} if drive else {},
        "duration_s": SECONDS.get(task),
    }


def measured(cases: list[Case], seeds: tuple[int, ...] = SEEDS) -> dict[Case, list[Measures]]:
    """Measures of every case and seed, on two processes."""
    jobs = [(options_of(case), seed) for case in cases for seed in seeds]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(episode, jobs))
    return {case: results[k * len(seeds) : (k + 1) * len(seeds)] for k, case in enumerate(cases)}


def value_of(measures: Measures, name: str) -> float:
    """A measure by name, those of `DERIVED` from others."""
    plus, minus = DERIVED.get(name, ((name,), ()))
    return sum(measures[part] for part in plus) - sum(measures[part] for part in minus)


def outcome(test: Ablation, intact: list[Measures], ablated: list[Measures]) -> Outcome:
    """Compare the two, whose runs are of the same seeds in the same order."""
    before, after = (np.array([value_of(m, test.measure) for m in runs]) for runs in (intact, ablated))
    found = contrast(after, before, np.random.default_rng(0))
    return Outcome(test=test, intact=float(before.mean()), change=found.difference, g=found.g)


def outcomes() -> list[Outcome]:
    """Every test of the table."""
    tests = table()
    cases = list(dict.fromkeys((t.task, t.drive, ablate) for t in tests for ablate in ("", t.ablate)))
    runs = measured(cases)
    return [outcome(t, runs[t.task, t.drive, ""], runs[t.task, t.drive, t.ablate]) for t in tests]


def ablation_bars() -> Iterator[Bar]:
    """Every test with its signs and effect size, then how many rows of the published table came out as expected."""
    found = outcomes()
    for one in found:
        yield _bar(one)
    rows = {one.test.row for one in found}
    wrong = {one.test.row for one in found if not one.as_expected}
    yield Bar(
        what="published ablations with every sign as expected",
        bar=f"{NEEDED} of {len(rows)}",
        measured=f"{len(rows - wrong)} of {len(rows)}; not row {', '.join(map(str, sorted(wrong))) or 'any'}",
        met=len(rows - wrong) >= NEEDED,
        command="animat bench worm-ablations",
    )


def _bar(one: Outcome) -> Bar:
    test, change = one.test, one.change
    drive = f" --drive {test.drive}" if test.drive else ""
    return Bar(
        what=f"{test.row}. without {test.ablate.replace(' ', ', ')}: {test.what}",
        bar=f"{test.measure} {test.expected} ({test.source})",
        measured=f"{WORDS[one.observed]}: {one.intact:.3f} to {one.intact + change.mean:.3f}, difference"
        f" [{change.low:.3f}, {change.high:.3f}], g {one.g:.1f}",
        met=one.as_expected,
        command=f"animat run worm --task {test.task} --ablate {test.ablate.replace(' ', ',')}{drive}",
    )
