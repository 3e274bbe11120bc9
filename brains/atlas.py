"""Atlas: measured responses of every neuron to the stimulation of every other, and where they come from.

Two forms are read. The original file of the wormneuroatlas package, funatlas.h5 (HDF5: neuron_ids, and for each strain
dFF, q and occ1, rows responding, columns stimulated), needs h5py, which animat does not install. A saved atlas, which
needs nothing, is a folder of two plain files:

* pairs.csv: one observed pair a line, columns stimulated,responding,response,q,observations; an empty field is unknown.
* atlas.json: format ("animat atlas"), version (1), names, strain, citation and doi.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..registry import UnknownNameError, nearest
from .connectome_tables import csv_text

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FORMAT = "animat atlas"
VERSION = 1
COLUMNS = ("stimulated", "responding", "response", "q", "observations")
STRAINS = ("wt", "unc31")
DATASETS = ("dFF", "q", "occ1")
CITATION = "Randi, Sharma, Dvali & Leifer 2023, Nature 623:406, as compiled in the Python package wormneuroatlas"
DOI = "10.1038/s41586-023-06683-4"
HEADER_KEYS = ("format", "version", "names", "strain", "citation", "doi")
# Which AWC is on and which is off is decided at random in each animal (Troemel, Sagasti & Bargmann 1999, Cell 99:387),
# so AWCON and AWCOFF have no side; ON to the right is our convention. The original file cuts one name to AWCOF.
SYNONYMS = {"AWCOF": "AWCL", "AWCOFF": "AWCL", "AWCON": "AWCR"}


class AtlasError(ValueError):
    """A file that is no atlas, or an atlas that does not hold together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """Responses to single-neuron stimulation. Rows of every matrix respond, columns are stimulated, shape (n, n)."""

    names: tuple[str, ...]
    response: Floats  # dF/F, mean over the time after the stimulus and over trials; NaN where not observed
    q: Floats  # false discovery rate of the response; NaN where not observed
    observations: Ints  # trials
    strain: str = "wt"
    citation: str = CITATION
    doi: str = DOI

    def __post_init__(self) -> None:
        n = len(self.names)
        if len(set(self.names)) != n:
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise AtlasError(f"Atlas: neuron {twice!r} is named twice")
        for name in ("response", "q", "observations"):
            if getattr(self, name).shape != (n, n):
                raise AtlasError(
                    f"Atlas: {name} must have shape ({n}, {n}) for {n} names, got {getattr(self, name).shape}"
                )
        if np.isinf(self.response).any():
            raise AtlasError("Atlas: response (dF/F) has an infinite value")
        if ((self.q < 0) | (self.q > 1)).any():
            raise AtlasError(f"Atlas: q must be between 0 and 1, got {np.nanmin(self.q)} to {np.nanmax(self.q)}")
        if (self.observations < 0).any():
            raise AtlasError(f"Atlas: observations must be 0 or more, got {self.observations.min()}")

    def index_in(self, names: Iterable[str]) -> Ints:
        """Place of each neuron of the atlas in another list of names.

        Raises:
            UnknownNameError: a neuron that was stimulated or responded is not there.
        """
        place = {name: i for i, name in enumerate(names)}
        observed = ~np.isnan(self.response)
        for i in np.flatnonzero(observed.any(axis=0) | observed.any(axis=1)):
            if self.names[i] not in place:
                raise UnknownNameError(f"atlas neuron {self.names[i]!r} is not there; {nearest(self.names[i], place)}")
        return np.array([place.get(name, -1) for name in self.names], dtype=np.int64)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write atlas.json and pairs.csv, each under a temporary name first."""
        seen = (self.observations > 0) | ~np.isnan(self.response) | ~np.isnan(self.q)
        stimulated, responding = np.nonzero(seen.T)
        at = (responding, stimulated)
        names = np.array(self.names, dtype=object)
        columns = (names[stimulated], names[responding], self.response[at], self.q[at], self.observations[at])
        header = {"format": FORMAT, "version": VERSION, "names": self.names, "strain": self.strain}
        header |= {"citation": self.citation, "doi": self.doi}
        texts = {
            "pairs.csv": csv_text(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))),
            "atlas.json": json.dumps(header, indent=1, ensure_ascii=False) + "\n",
        }
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary = folder / f".{name}.tmp"
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(folder / name)

    @classmethod
    def load(cls, path: str | os.PathLike[str], strain: str = "wt") -> Atlas:
        """Read a copy of the atlas: the original funatlas.h5, or a folder written by `save`.

        Args:
            path: file or folder.
            strain: "wt" or "unc31" (animals without dense-core-vesicle release); a folder holds only one.

        Raises:
            FileNotFoundError: nothing is there.
            AtlasError: it is something else, or a dataset is missing or has the wrong shape.
            ModuleNotFoundError: the original file, without h5py.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"no atlas at {str(path)!r}; funatlas.h5 is inside the wormneuroatlas wheel")
        if strain not in STRAINS:
            raise UnknownNameError(f"no strain {strain!r}; {nearest(strain, STRAINS)}")
        atlas = _read_folder(path) if path.is_dir() else _read_original(path, strain)
        if atlas.strain != strain:
            raise AtlasError(f"{path}: holds strain {atlas.strain!r}, not {strain!r}")
        return atlas


def _read_original(path: Path, strain: str) -> Atlas:
    try:
        import h5py
    except ImportError:
        raise ModuleNotFoundError(
            f"{path} is read with h5py: pip install h5py, or convert it: python -m animat.scripts.convert_atlas"
        ) from None
    if not h5py.is_hdf5(path):
        raise AtlasError(f"{path}: is not an HDF5 file and not a folder written by Atlas.save")
    with h5py.File(path, "r") as file:
        found = {key: _dataset(path, file, key) for key in ("neuron_ids", *(f"{strain}/{name}" for name in DATASETS))}
    names = tuple(SYNONYMS.get(name, name) for name in (raw.decode() for raw in found["neuron_ids"]))
    response, q, observations = (found[f"{strain}/{name}"] for name in DATASETS)
    try:
        return Atlas(
            names=names,
            response=np.asarray(response, dtype=np.float64),
            q=np.asarray(q, dtype=np.float64),
            observations=np.asarray(observations, dtype=np.int64),
            strain=strain,
        )
    except AtlasError as error:
        raise AtlasError(f"{path}: {error}") from None


def _dataset(path: Path, file: Any, key: str) -> NDArray[Any]:
    if key not in file:
        known: list[str] = []
        file.visit(known.append)
        raise AtlasError(f"{path}: no dataset {key!r}; {nearest(key, known)}")
    return np.asarray(file[key][:])


def _read_folder(folder: Path) -> Atlas:
    for name in ("atlas.json", "pairs.csv"):
        if not (folder / name).is_file():
            raise AtlasError(f"{folder}: no {name}; a saved atlas has one")
    try:
        header = json.loads((folder / "atlas.json").read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise AtlasError(f"{folder / 'atlas.json'}, row {error.lineno}: is not JSON: {error.msg}") from None
    if not isinstance(header, dict) or (header.get("format"), header.get("version")) != (FORMAT, VERSION):
        raise AtlasError(f"{folder / 'atlas.json'}: is not the header of a saved atlas of version {VERSION}")
    if set(header) != set(HEADER_KEYS):
        raise AtlasError(f"{folder / 'atlas.json'}: must have {', '.join(HEADER_KEYS)}; got {', '.join(header)}")
    table = pd.read_csv(folder / "pairs.csv", dtype=str, keep_default_na=False)  # text: every decimal is read exactly
    if tuple(table.columns) != COLUMNS:
        raise AtlasError(
            f"{folder / 'pairs.csv'}: columns must be {', '.join(COLUMNS)}; got {', '.join(table.columns)}"
        )
    names = tuple(SYNONYMS.get(name, name) for name in header["names"])
    matrices = _matrices(folder / "pairs.csv", table, names)
    return Atlas(names=names, strain=header["strain"], citation=header["citation"], doi=header["doi"], **matrices)


def _matrices(path: Path, table: pd.DataFrame, names: tuple[str, ...]) -> dict[str, Any]:
    """The three matrices of a table of pairs."""
    place = {name: i for i, name in enumerate(names)}
    at = []
    for column in ("responding", "stimulated"):
        called = table[column].map(lambda name: SYNONYMS.get(name, name))
        for row, label in enumerate(called):
            if label not in place:
                raise AtlasError(
                    f"{path}, row {row + 2}, column {column}: no neuron {label!r}; {nearest(label, names)}"
                )
        at.append(called.map(place).to_numpy(np.int64))
    try:
        values = {name: np.array([float(v or "nan") for v in table[name]]) for name in COLUMNS[2:]}
    except ValueError as error:
        raise AtlasError(f"{path}: {error}") from None
    shape = (len(names), len(names))
    filled = {name: np.full(shape, 0.0 if name == "observations" else np.nan) for name in values}
    for name, numbers in values.items():
        filled[name][tuple(at)] = numbers
    return {**filled, "observations": filled["observations"].astype(np.int64)}
