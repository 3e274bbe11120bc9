"""The registry of public connectomes: the tables datasets.csv and files.csv as objects.

Addresses, sizes and SHA-256 are facts of the two tables, each with where it comes from. A hash that nobody published is
left empty; `animat data pull` then records the one it saw, and `animat data verify` holds the file to that.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ...registry import UnknownNameError, nearest

USES = ("needed", "optional", "full")  # optional: adds annotations; full: the larger alternative to a needed file


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a dataset."""

    name: str
    address: str
    bytes: int | None  # None where not published
    sha256: str  # "" where not published
    hash_source: str
    use: str  # one of USES
    holds: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One public connectome."""

    name: str
    title: str
    version: str
    converter: str  # module of this package
    neurons: int
    edges: int | None
    synapses: int | None
    holds: str
    licence: str
    citation: str
    doi: str
    homepage: str
    source: str
    next: str  # what to do with it once it is here
    files: tuple[RemoteFile, ...]

    def chosen(self, full: bool = False) -> tuple[RemoteFile, ...]:
        """The files to fetch: the needed and optional ones, and with `full` the larger alternatives too."""
        return tuple(file for file in self.files if full or file.use != "full")

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self.__dict__, "files": [dict(file.__dict__) for file in self.files]}


@cache
def datasets() -> dict[str, Dataset]:
    """All datasets by name, in the order of the table."""
    remote = _rows("files.csv")
    return {row["name"]: _dataset(row, [file for file in remote if file["dataset"] == row["name"]])
            for row in _rows("datasets.csv")}  # fmt: skip


def dataset(name: str) -> Dataset:
    """The dataset of a name.

    Raises:
        UnknownNameError: there is none.
    """
    known = datasets()
    if name not in known:
        raise UnknownNameError(f"no dataset {name!r}; {nearest(name, known)}")
    return known[name]


def table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV table of this package."""
    return _rows(name)


def _rows(name: str) -> list[dict[str, str]]:
    with files(__package__).joinpath(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _dataset(row: dict[str, str], remote: list[dict[str, str]]) -> Dataset:
    text = {name: row[name] for name in Dataset.__dataclass_fields__ if name in row}
    counts = {name: _whole(row[name]) for name in ("neurons", "edges", "synapses")}
    return Dataset(**(text | counts), files=tuple(map(_file, remote)))  # type: ignore[arg-type]


def _file(row: dict[str, str]) -> RemoteFile:
    return RemoteFile(
        name=row["file"],
        address=row["address"],
        bytes=_whole(row["bytes"]),
        sha256=row["sha256"],
        hash_source=row["hash_source"],
        use=row["use"],
        holds=row["holds"],
    )


def _whole(text: str) -> int | None:
    return int(text) if text else None
