"""The folder of an experiment: its settings and the table of its runs, which only ever grows by whole runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd

SETTINGS, RESULTS, SUMMARY = "settings.json", "results.csv", "summary.csv"
KEYS = ("condition", "seed", "fingerprint", "reason")  # columns of results.csv that are no measures
Job = tuple[str, int]  # condition, seed
Row = dict[str, Any]  # KEYS and measures by name


def claim(folder: Path, settings: dict[str, Any]) -> None:
    """Write the settings of a new folder, or check that those that are there are the same.

    Raises:
        ValueError: other settings, naming the first that differs, or no settings at all.
    """
    path = folder / SETTINGS
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(path, json.dumps(settings, indent=1, sort_keys=True) + "\n")
        return
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not an experiment's settings: {error}") from None
    wanted = json.loads(json.dumps(settings))
    for name in sorted({*wanted, *found} if isinstance(found, dict) else ["format"]):
        has = found.get(name) if isinstance(found, dict) else None
        if has != wanted.get(name):
            raise ValueError(
                f"{folder} holds an experiment with another {name}: {has!r}, asked for {wanted.get(name)!r};"
                " choose another folder"
            )


def read(path: Path) -> dict[Job, Row]:
    """The rows of results.csv by condition and seed; none where there is no file yet.

    Raises:
        ValueError: not such a table, or a number that is not one, naming line and column.
    """
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in KEYS if name not in (reader.fieldnames or ())]
        if lacking:
            raise ValueError(f"{path}: no column {lacking[0]!r}; not the results of an experiment")
        rows = [_row(path, number, texts) for number, texts in enumerate(reader, start=2)]
    return {(row["condition"], row["seed"]): row for row in rows}


def _row(path: Path, number: int, texts: dict[str, str]) -> dict[str, Any]:
    """A line of results.csv. By hand, because not every version of pandas reads a decimal to the last bit."""
    row: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            row[name] = text if name in ("condition", "fingerprint", "reason") else _number(text)
        except (TypeError, ValueError):
            raise ValueError(f"{path}, line {number}: {name} is {text!r}, not a number") from None
    return row


def _number(text: str) -> float:
    if not text:
        return float("nan")
    return int(text) if text.lstrip("-").isdigit() else float(text)


def as_csv(rows: list[Row]) -> str:
    """Rows as text; a measure that a run lacks is left empty."""
    text: str = as_table(rows).to_csv(index=False, lineterminator="\n")
    return text


def as_table(rows: list[Row]) -> pd.DataFrame:
    """Rows as a table, the measures in alphabetical order."""
    measures = sorted({name for row in rows for name in row} - set(KEYS))
    return pd.DataFrame(rows, columns=[*KEYS, *measures])


def write(path: Path, text: str) -> None:
    """Write under a temporary name first, so that the file is never half there."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
