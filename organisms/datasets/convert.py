"""From the files of a dataset to a connectome, kept beside them in the compact form once it was made."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.compact import CompactConnectome
from ...brains.compact_table import smallest
from ...brains.connectome import Source
from ...brains.connectome_tables import ConnectomeError
from .edges import Edges
from .registry import Dataset, dataset
from .store import data_folder, missing

MADE_BY = 1  # of the converters; a change of what they give makes what is kept stale
NOTE = "made_of.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class Converted:
    """What a converter hands over."""

    neurons: pd.DataFrame
    edges: Edges
    sign: NDArray[np.int8]  # (n,) of the synapses of each neuron
    sign_provenance: str
    changes: tuple[str, ...]


def connectome(
    name: str, min_count: int = 1, base: str | os.PathLike[str] | None = None, keep: bool = True
) -> CompactConnectome:
    """A dataset that was pulled, as a connectome; `to_connectome` gives small ones the form with named ends.

    Args:
        name: of the dataset.
        min_count: fewest synapses of a pair, after its rows were summed.
        base: folder of all datasets, see `store.data_folder`.
        keep: keep the compact form beside the files, and use it if it is there.

    Raises:
        UnknownNameError: there is no such dataset.
        FileNotFoundError: it was not pulled, with the command that does.
        ConnectomeError: a file is not what it should be.
    """
    known, folder = dataset(name), data_folder(name, base)
    if absent := missing(known, folder):
        raise FileNotFoundError(
            f"dataset {name!r} is not in {folder}: {', '.join(absent)} missing. Fetch it with: animat data pull {name}"
        )
    if not keep:
        return convert(known, folder, min_count)
    kept, made_of = folder / f"compact-{min_count}", _made_of(known, folder)
    try:
        if json.loads((kept / NOTE).read_text(encoding="utf-8")) == made_of:
            return CompactConnectome.load(kept)
    except (OSError, ValueError):
        pass  # not made yet, by another version, or damaged: made again
    made = convert(known, folder, min_count)
    (kept / NOTE).unlink(missing_ok=True)
    made.save(kept)
    (kept / NOTE).write_text(json.dumps(made_of, indent=2) + "\n", encoding="utf-8")
    return made


def convert(known: Dataset, folder: Path, min_count: int = 1) -> CompactConnectome:
    """Read the files of a dataset.

    Raises:
        ConnectomeError: a file is not what it should be.
    """
    converter = import_module(f".{known.converter}", __package__)
    try:
        made: Converted = converter.convert(known, folder, min_count)
    except ValueError as error:
        if isinstance(error, ConnectomeError):
            raise
        raise ConnectomeError(f"{known.name} in {folder}: {error}") from None
    return assemble(made, Source(known.citation, known.doi, known.licence), min_count)


def assemble(made: Converted, source: Source, min_count: int) -> CompactConnectome:
    """The connectome of what a converter handed over."""
    edges = made.edges
    changes = (*made.changes, *edges.changes(min_count))
    return CompactConnectome(
        neurons=made.neurons,
        start=edges.start,
        target=edges.target,
        count=smallest(edges.count),
        sign=np.repeat(made.sign, np.diff(edges.start)),
        source=Source(source.citation, source.doi, source.licence, (*source.changes, *changes)),
        provenance="measured",
        sign_provenance=made.sign_provenance,
    )


def _made_of(known: Dataset, folder: Path) -> dict[str, object]:
    """What the compact form depends on: the files by size and date, and this code."""
    stats = {file.name: (folder / file.name).stat() for file in known.files if (folder / file.name).exists()}
    return {"made_by": MADE_BY, "files": {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}}
