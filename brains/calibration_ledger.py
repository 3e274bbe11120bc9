"""The ledger of a calibration: every evaluation is a row, written as it ends and replayed when the search is resumed.

Rows stand in the order in which they were asked for, whatever the number of processes, so that an interrupted file is
a beginning of the whole one. A resumed search asks the same questions in the same order; the ledger answers from its
rows as long as it has any, after checking that question and score are the same.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple

import pandas as pd

from ..registry import UnknownNameError, nearest
from .calibration_targets import KEYS, Parameter, Target, check_name, total_score

Evaluate = Callable[[dict[str, float], int], Mapping[str, float]]
Row = tuple[Any, ...]
TRAIN, HELD_OUT = "train", "held_out"


class Job(NamedTuple):
    """One question: the values of a trial on one seed."""

    trial: int
    split: str  # TRAIN or HELD_OUT
    seed: int
    values: dict[str, float]  # each in the unit of its parameter


class Ledger:
    """Answers jobs with scores, from the rows it has or by evaluating; a context manager.

    Args:
        parameters: what is free; their names are columns.
        evaluate: function of values and seed that gives the measures.
        targets: what scores them.
        processes: how many evaluate at the same time; 1 evaluates in this one.
        path: trials.csv, which is continued if it is there; None keeps the rows in memory alone.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        evaluate: Evaluate,
        targets: Sequence[Target],
        processes: int,
        path: Path | None,
    ) -> None:
        self.rows: list[Row] = []
        self._parameters = parameters
        self._evaluate = evaluate
        self._targets = targets
        self._processes = processes
        self._path = path
        self._head = (*KEYS, *(parameter.name for parameter in parameters))
        self._measures: tuple[str, ...] = ()
        self._logged: list[Row] = []
        self._file: io.TextIOBase | None = None
        self._pool: Executor | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Ledger:
        with ExitStack() as stack:
            if self._path is not None:
                self._file = stack.enter_context(self._path.open("a", encoding="utf-8", newline=""))
                self._continue(self._path, self._file.fileno())
            if self._processes > 1:
                self._pool = ProcessPoolExecutor(self._processes, get_context("spawn"), _follow_parent)
                stack.callback(partial(self._pool.shutdown, cancel_futures=True))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def run(self, jobs: Sequence[Job]) -> Iterator[float]:
        """Score every job, in order; each is in the file before its score is given.

        Raises:
            ValueError: a row of the file is not what is asked now, or an evaluation gave what is no measure.
            KeyError: a target's measure is not among those of the first evaluation.
        """
        left = max(0, len(self._logged) - len(self.rows))
        yield from map(self._replay, jobs[:left])
        fresh = jobs[left:]
        for job, measures in zip(fresh, self._answers(fresh), strict=True):
            yield self._record(job, measures)

    def finish(self) -> None:
        """Raise if the file has more rows than the search asked for."""
        if len(self.rows) < len(self._logged):
            raise ValueError(f"{self._path}, row {len(self.rows) + 2}: the search ended before this row; not its file")

    def table(self) -> pd.DataFrame:
        """The rows as a frame: trial, split, seed, score, the parameters, the measures."""
        return pd.DataFrame(self.rows, columns=pd.Index([*self._head, *self._measures]))

    def _continue(self, path: Path, descriptor: int) -> None:
        """Take the file for this process alone, cut an unfinished last line off and read the rest."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"{path}: another process is writing this calibration") from None
        columns, rows = read_rows(path)
        os.truncate(path, len(_whole_lines(path)))
        if columns and columns[: len(self._head)] != self._head:
            raise ValueError(
                f"{path}: its columns begin {', '.join(columns[:9])}; expected {', '.join(self._head[:9])}"
            )
        self._measures, self._logged = columns[len(self._head) :], rows

    def _answers(self, jobs: Sequence[Job]) -> Iterator[Mapping[str, float]]:
        answer = partial(_answer, self._evaluate)
        if self._pool is None:
            return map(answer, jobs)
        # A trial's seeds go to one process where there are trials enough: evaluate may then reuse what it has built.
        trials = len({job.trial for job in jobs})
        chunk = max(1, len(jobs) // trials) if trials >= self._processes else 1
        return self._pool.map(answer, jobs, chunksize=chunk)

    def _record(self, job: Job, measures: Mapping[str, float]) -> float:
        """Score an evaluation and write it; the first decides the columns, and what a later one lacks is NaN."""
        where = f"evaluate, trial {job.trial}, seed {job.seed}"
        given = {name: _number(where, name, value) for name, value in measures.items()}
        if not self.rows:
            self._begin(given)
        for name in given:
            if name not in self._measures:
                raise UnknownNameError(f"{where}: measure {name!r} is new; {nearest(name, self._measures)}")
        filled = {name: given.get(name, float("nan")) for name in self._measures}
        score = total_score(self._targets, filled)
        self.rows.append((job.trial, job.split, job.seed, score, *job.values.values(), *filled.values()))
        self._write(csv_text([self.rows[-1]]))
        return score

    def _begin(self, measures: Mapping[str, float]) -> None:
        for name in measures:
            check_name("evaluate: measure", name)
            if name in self._head:
                raise ValueError(f"evaluate: the measure {name!r} is also the name of a parameter; rename one")
        total_score(self._targets, measures)  # a misspelt target raises before anything is written
        if not self._measures:
            self._measures = tuple(measures)
            self._write(csv_text([(*self._head, *measures)]))
        elif self._measures != tuple(measures):  # the header that a run killed before its first row has left
            raise ValueError(f"{self._path}: has the measures {self._measures}, evaluate gave {tuple(measures)}")

    def _write(self, text: str) -> None:
        if self._file is not None:
            self._file.write(text)
            self._file.flush()

    def _replay(self, job: Job) -> float:
        """The score of the next row of the file, after checking that it is an answer to this job."""
        row = self._logged[len(self.rows)]
        given = dict(zip(self._measures, row[len(self._head) :], strict=True))
        score = total_score(self._targets, given)
        asked = (job.trial, job.split, job.seed, score, *job.values.values())
        for name, was, now in zip(self._head, row, asked, strict=False):
            if was != now:
                raise ValueError(
                    f"{self._path}, row {len(self.rows) + 2}: {name} is {was}, this search has {now}. A search "
                    "continues only with the same targets, versions and kind of machine; otherwise use a new folder"
                )
        self.rows.append(row)
        return score


def _follow_parent() -> None:
    """End this worker when the search is killed; it would wait for work for ever."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _answer(evaluate: Evaluate, job: Job) -> Mapping[str, float]:
    """Evaluate a job; an error says which it was."""
    try:
        return evaluate(dict(job.values), job.seed)
    except Exception as error:
        error.add_note(f"in trial {job.trial} of a calibration, seed {job.seed}, values {job.values}")
        raise


def _number(where: str, name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{where}: measure {name!r} is a {type(value).__name__}, not a number; trace_rmse and trace_correlation "
            "make one of a trace"
        ) from None


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as CSV, floats in their shortest exact form."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    """Columns and rows of a trials.csv; an unfinished last line, left by a killed run, is not read.

    Raises:
        ValueError: a row of the wrong length or a field that is no number.
    """
    lines = list(csv.reader(io.StringIO(_whole_lines(path).decode(), newline="")))
    columns = tuple(lines[0]) if lines else ()
    kinds: list[Callable[[str], Any]] = [int, str, int, *[float] * (len(columns) - 3)]
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            rows.append(tuple(kind(field) for kind, field in zip(kinds, line, strict=True)))
        except ValueError as error:
            raise ValueError(f"{path}, row {number}: is not a row of a calibration: {error}") from None
    return columns, rows


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]
