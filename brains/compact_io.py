"""Compact connectomes as folders.

A saved one is a folder of plain files, none of them pickled:

* compact.json: format ("animat compact connectome"), version (1), fingerprint, source (citation, doi, licence,
  changes), provenance, sign_provenance, and the kind of every column of the neuron table.
* neurons.csv: one neuron a line.
* start.npy, target.npy, count.npy, sign.npy: the arrays, memory-mapped: opened without being read, and never
  written back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .compact_table import ARRAYS, csv_text
from .connectome import Source
from .connectome_tables import ConnectomeError

FORMAT = "animat compact connectome"
VERSION = 1
HEADER = "compact.json"


@dataclass(frozen=True, kw_only=True)
class SavedArrays:
    """What a folder holds."""

    neurons: pd.DataFrame
    source: Source
    fields: dict[str, Any]  # the arrays and provenances by name
    fingerprint: str


def write_folder(
    folder: str | os.PathLike[str],
    neurons: pd.DataFrame,
    arrays: Mapping[str, NDArray[np.generic]],
    source: Source,
    header: Mapping[str, str],
    fingerprint: str,
) -> None:
    """Write the files, each under a temporary name first; the header goes first and comes last.

    A save that is interrupted leaves a folder that `read_folder` refuses, never a half-new one.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER).unlink(missing_ok=True)
    for name, values in arrays.items():
        temporary = folder / f".{name}.npy.tmp"
        with temporary.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        temporary.replace(folder / f"{name}.npy")
    _write_text(folder / "neurons.csv", csv_text(neurons))
    kinds = {str(name): _kind(neurons[name]) for name in neurons.columns}
    whole = {"format": FORMAT, "version": VERSION, "fingerprint": fingerprint, "source": dict(source.__dict__)}
    _write_text(folder / HEADER, json.dumps(whole | {"columns": kinds} | dict(header), indent=2) + "\n")


def read_folder(folder: str | os.PathLike[str]) -> SavedArrays:
    """Open the files.

    Raises:
        ConnectomeError: a file is missing or is not what its name says.
    """
    folder = Path(folder)
    header = _read_header(folder / HEADER)
    try:
        source = Source(**header["source"] | {"changes": tuple(header["source"]["changes"])})
        kept = {name: str(header[name]) for name in ("provenance", "sign_provenance")}
        neurons = _read_neurons(folder / "neurons.csv", dict(header["columns"]))
        fingerprint = str(header["fingerprint"])
    except (KeyError, TypeError) as error:
        raise ConnectomeError(f"{folder / HEADER}: is not a whole header: {error}") from None
    arrays: dict[str, Any] = {name: _open(folder / f"{name}.npy") for name in ARRAYS}
    return SavedArrays(neurons=neurons, source=source, fields=arrays | kept, fingerprint=fingerprint)


def changed(folder: str | os.PathLike[str], saved: str, found: str) -> NoReturn:
    """Refuse a folder whose fingerprint is not that of its files."""
    raise ConnectomeError(
        f"{Path(folder) / HEADER}: its fingerprint {saved[:12]}... is not that of the files beside it, {found[:12]}...;"
        " a file was changed after it was saved"
    )


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    return str(column.dtype) if column.dtype.kind in "iufb" else "text"


def _read_header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ConnectomeError(f"{path}: no such file; a saved compact connectome has one") from None
    except ValueError as error:
        raise ConnectomeError(f"{path}: is not JSON: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ConnectomeError(f"{path}: is not the header of a compact connectome (its format is not {FORMAT!r})")
    if header.get("version") != VERSION:
        raise ConnectomeError(f"{path}: version is {header.get('version')!r}; this animat reads version {VERSION}")
    return header


def _read_neurons(path: Path, kinds: dict[str, str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except FileNotFoundError:
        raise ConnectomeError(f"{path}: no such file; a saved compact connectome has one") from None
    except ValueError as error:
        raise ConnectomeError(f"{path}: is not a CSV table: {error}") from None
    if list(table.columns) != list(kinds):
        raise ConnectomeError(f"{path}: columns must be {', '.join(kinds)}; got {', '.join(table.columns)}")
    for name, kind in kinds.items():
        try:
            table[name] = _column(table[name], kind)
        except (ValueError, TypeError) as error:
            raise ConnectomeError(f"{path}, column {name!r}: must hold {kind}: {error}") from None
    return table


def _column(text: pd.Series, kind: str) -> pd.Series:
    """A column of text as what it was; numbers are read exactly."""
    if kind == "text":
        return text
    if kind == "category":
        return text.astype("category")
    exact = [float(value or "nan") for value in text] if kind.startswith("float") else list(map(int, text))
    return pd.Series(np.array(exact, dtype=kind), index=text.index)


def _open(path: Path) -> NDArray[np.generic]:
    try:
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    except FileNotFoundError:
        raise ConnectomeError(f"{path}: no such file; a saved compact connectome has one") from None
    except (ValueError, EOFError) as error:
        raise ConnectomeError(f"{path}: is not an array of numbers: {error}") from None


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
