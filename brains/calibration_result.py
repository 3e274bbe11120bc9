"""Calibration: a search and its result as a folder of two plain files.

* calibration.json: format ("animat calibration"), version (1), declared (parameters, targets, seeds, optimiser,
  context, versions) and result (null while the search has not ended).
* trials.csv: one evaluation a line, columns trial, split, seed, score, the parameters, the measures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from .calibration_ledger import HELD_OUT, TRAIN, csv_text, read_rows
from .calibration_targets import KEYS, Parameter

FORMAT = "animat calibration"
VERSION = 1
HEADER, TABLE = "calibration.json", "trials.csv"


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """A search and its result, finished or not.

    Attributes:
        declared: what was asked for, as calibration.json holds it: parameters, targets, seeds, optimiser, versions.
        rows: one row an evaluation, in order; columns trial, split ("train" or "held_out"), seed, score, the
            parameters in their units, the measures.
        ended: why the search ended; empty while it has not.
    """

    declared: Mapping[str, Any]
    rows: pd.DataFrame
    ended: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What was free."""
        return tuple(Parameter(**fields) for fields in self.declared["parameters"])

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial that ran on all its training seeds, in order.

        Columns trial, train_score, held_out_score (means over the seeds; NaN where it was not run on all held-out
        seeds) and the parameters.
        """
        return self._trials.copy()

    @cached_property
    def _trials(self) -> pd.DataFrame:
        names = [parameter.name for parameter in self.parameters]
        frame = self.rows.groupby("trial", sort=True)[names].first()
        for position, (split, column) in enumerate({TRAIN: "train_score", HELD_OUT: "held_out_score"}.items()):
            scores = self.rows[self.rows["split"] == split].groupby("trial")["score"].apply(list)
            whole = scores[scores.map(len) == len(self.declared[f"{split}_seeds"])]
            frame.insert(position, column, whole.map(mean).astype(float))
        return frame[frame["train_score"].notna()].reset_index()

    @property
    def best_trial(self) -> int:
        """The trial of the lowest training score, the first of equals; held-out scores have no say.

        Raises:
            ValueError: no trial has run on all training seeds yet.
        """
        trials = self._trials
        if trials.empty:
            raise ValueError("Calibration: no trial has run on all its training seeds yet")
        return int(trials["trial"].iloc[int(trials["train_score"].to_numpy().argmin())])

    @property
    def best(self) -> dict[str, float]:
        """Values of the best trial, each in the unit of its parameter."""
        return {parameter.name: self._of_best(parameter.name) for parameter in self.parameters}

    @property
    def train_score(self) -> float:
        """Mean score of the best trial over the training seeds."""
        return self._of_best("train_score")

    @property
    def held_out_score(self) -> float:
        """Mean score of the best trial over the held-out seeds; NaN while the search has not ended."""
        return self._of_best("held_out_score")

    def _of_best(self, column: str) -> float:
        trials = self._trials
        return float(trials[column][trials["trial"] == self.best_trial].iloc[0])

    @property
    def result(self) -> dict[str, Any] | None:
        """What calibration.json says of the result; None while the search has not ended."""
        if not self.ended:
            return None
        seen = self._trials[self._trials["held_out_score"].notna()].sort_values("train_score", kind="stable")
        columns = ["trial", "train_score", "held_out_score"]
        return {
            "ended": self.ended,
            "trials": len(self._trials),
            "best_trial": self.best_trial,
            "best": self.best,
            "train_score": self.train_score,
            "held_out_score": self.held_out_score,
            "finalists": seen[columns].to_dict("records"),
        }

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write calibration.json and trials.csv into `folder`, each under a temporary name first."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        lines = [tuple(self.rows.columns), *self.rows.itertuples(index=False, name=None)]
        write_text(path / TABLE, csv_text(lines if len(self.rows) else []))
        write_text(path / HEADER, header_text(self.declared, self.result))
        return path

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Calibration:
        """Read what `save` wrote, or what `calibrate` has written so far.

        Raises:
            FileNotFoundError: no calibration in that folder.
            ValueError: a damaged or foreign file, or a result that is not that of the rows.
        """
        path = Path(folder)
        for name in (HEADER, TABLE):
            if not (path / name).is_file():
                raise FileNotFoundError(f"no calibration in {str(path)!r}: it has no {name}")
        header = _read_header(path / HEADER)
        declared, result = header["declared"], header["result"]
        columns, rows = read_rows(path / TABLE)
        expected = (*KEYS, *(fields["name"] for fields in declared["parameters"]))
        if columns and columns[: len(expected)] != expected:
            raise ValueError(f"{path / TABLE}: its columns do not begin with {', '.join(expected)}")
        table = pd.DataFrame(rows, columns=pd.Index(columns or expected))
        calibration = cls(declared=declared, rows=table, ended=result["ended"] if result else "")
        if calibration.result != result:
            raise ValueError(f"{path / HEADER}: its result is not that of the rows of {TABLE}")
        return calibration


def mean(scores: Sequence[float]) -> float:
    """Mean without rounding on the way, so that it is the same however the scores were gathered."""
    return math.fsum(scores) / len(scores)


def open_folder(folder: Path, declared: Mapping[str, Any]) -> None:
    """Begin a folder, or make sure that it holds the same search."""
    header = folder / HEADER
    if header.is_file():
        saved = _flat(_read_header(header)["declared"])
        asked = _flat(declared)
        changed = [name for name in {**saved, **asked} if saved.get(name) != asked.get(name)]
        if changed:
            said = "; ".join(f"{name} is {saved.get(name)}, now {asked.get(name)}" for name in changed[:5])
            raise ValueError(f"{header}: holds another search: {said}; give a new folder")
    elif (folder / TABLE).exists():
        raise ValueError(f"{folder / TABLE}: stands there without a {HEADER}; give a new folder")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(header, header_text(declared, None))


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Leaves of nested JSON by dotted name, so that a difference can be pointed at."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        return {name: value}
    return {leaf: end for key, child in inner for leaf, end in _flat(child, f"{name}.{key}".lstrip(".")).items()}


def header_text(declared: Mapping[str, Any], result: Mapping[str, Any] | None) -> str:
    """calibration.json; a declaration is plain JSON."""
    header = {"format": FORMAT, "version": VERSION, "declared": declared, "result": result}
    return json.dumps(header, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is not JSON: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise ValueError(f"{path}: is not the header of a calibration (format {FORMAT!r}, version {VERSION})")
    wrong = [field for field in ("declared", "result") if not isinstance(header.get(field, ""), dict | None)]
    if wrong or header["declared"] is None:
        raise ValueError(f"{path}: field {(wrong or ['declared'])[0]!r} is missing or of the wrong kind")
    return header


def write_text(path: Path, text: str) -> None:
    """Write under a temporary name first, so that the file is never half there."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
