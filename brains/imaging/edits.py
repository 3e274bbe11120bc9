"""Corrections of a segmentation: a log that only grows, and the labels that come of it.

A segmentation is a graph: its nodes are fragments, an edge says that two of them are one neuron, a label is a
connected part. A join adds edges, a split takes edges away, an undo names an earlier entry that no longer counts. The
same fragments and the same log always give the same labels. One line of `edits.jsonl` is one entry.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ...registry import UnknownNameError, nearest
from .volume import VolumeError

__all__ = ["AUTOMATIC", "KINDS", "Edit", "EditLog", "live", "numbered", "replay"]

AUTOMATIC = "automatic"  # who: the proofreading stage
KINDS = ("join", "split", "undo")
Ints = NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One entry.

    Args:
        id: its place in the log, from 0.
        kind: "join", "split" or "undo".
        pairs: fragments that are joined or held apart, the lower of each pair first; none for an undo.
        place_nm: where to look, (z, y, x) from the corner of the volume, nm.
        confidence: that the edit is right, 0 to 1.
        who: "automatic", or the name of a person.
        reason: in words.
        undoes: id of the entry that an undo takes back.
    """

    id: int
    kind: str
    pairs: tuple[Pair, ...] = ()
    place_nm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    confidence: float = 1.0
    who: str = AUTOMATIC
    reason: str = ""
    undoes: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownNameError(f"no edit {self.kind!r}; {nearest(self.kind, KINDS)}")
        if not (0 <= self.confidence <= 1 and all(map(math.isfinite, self.place_nm)) and len(self.place_nm) == 3):
            raise VolumeError(f"edit {self.id}: confidence {self.confidence} or place {self.place_nm} nm cannot be")
        if (self.kind == "undo") != (self.undoes is not None) or (self.kind == "undo") == bool(self.pairs):
            raise VolumeError(f"edit {self.id}: a join or split needs pairs of fragments, an undo the id of an entry")
        if any(len(pair) != 2 or not 0 < pair[0] < pair[1] for pair in self.pairs):
            raise VolumeError(f"edit {self.id}: a pair is two fragments, the lower first, from 1")

    @property
    def line(self) -> bytes:
        """As it stands in the file."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Edit:
        """From a line of the file.

        Raises:
            ValueError: it is none.
        """
        fields = json.loads(line)
        try:
            fields["pairs"] = tuple((int(a), int(b)) for a, b in fields["pairs"])
            fields["place_nm"] = tuple(map(float, fields["place_nm"]))
            return cls(**fields)
        except (TypeError, KeyError) as error:
            raise ValueError(f"not an edit: {error}") from None


class EditLog:
    """The log in a file.

    An entry is on the disk when `append` returns. A last line that was cut (by a kill, a full disk) never was: it is
    dropped with a warning.

    Args:
        path: of the file; it need not exist.

    Raises:
        VolumeError: a line before the last is no entry.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._edits: list[Edit] = []
        self._whole = 0  # bytes of the file that are whole lines, read or written by this log
        if self.path.exists():
            with self.path.open("rb") as file:
                self._read(file)

    def __repr__(self) -> str:
        return f"<EditLog {self.path}: {len(self._edits)} entries>"

    def __len__(self) -> int:
        return len(self._edits)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All entries, oldest first."""
        return tuple(self._edits)

    def append(self, kind: str, pairs: Sequence[Pair] = (), **fields: Any) -> Edit:
        """Add one entry; what others added to the file since is read first.

        Args:
            kind: "join", "split" or "undo".
            pairs: fragments, in any order.
            fields: other fields of `Edit`, without its id.

        Raises:
            VolumeError: the entry cannot be, or undoes one that does not exist.
        """
        return self.extend([{"kind": kind, "pairs": pairs, **fields}])[0]

    def extend(self, entries: Sequence[Mapping[str, Any]]) -> list[Edit]:
        """Add several entries with one write; arguments of each as of `append`."""
        with self._locked() as file:
            first = len(self._edits)
            edits = [self._made(first + number, dict(entry)) for number, entry in enumerate(entries)]
            file.seek(self._whole)
            file.truncate()
            file.write(b"".join(edit.line for edit in edits))
            file.flush()
            os.fsync(file.fileno())
            self._whole = file.tell()
            self._edits += edits
        return edits

    def _made(self, id: int, fields: dict[str, Any]) -> Edit:
        pairs = tuple(sorted({(min(pair), max(pair)) for pair in fields.pop("pairs", ())}))
        edit = Edit(id=id, pairs=pairs, **fields)
        if edit.undoes is not None and not 0 <= edit.undoes < id:
            raise VolumeError(f"{self.path}: no entry {edit.undoes} to undo; there are {id}")
        return edit

    def undo(self, id: int, who: str, reason: str = "") -> Edit:
        """Take an entry back by a new one; undoing an undo brings the first back."""
        return self.append("undo", undoes=id, who=who, reason=reason)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._read(file)
            yield file

    def _read(self, file: BinaryIO) -> None:
        """Entries after those that are known."""
        file.seek(self._whole)
        *lines, rest = file.read().split(b"\n")
        for line in lines:
            number = len(self._edits)
            try:
                edit = Edit.read(line)
            except ValueError as error:
                raise VolumeError(f"{self.path}: line {number + 1} is no entry ({error})") from None
            if edit.id != number:
                raise VolumeError(f"{self.path}: line {number + 1} is entry {edit.id}; {number} was expected")
            self._edits.append(edit)
            self._whole += len(line) + 1
        if rest:
            warnings.warn(f"{self.path}: the last line was cut and is dropped: {rest[:60]!r}", stacklevel=4)


def live(edits: Sequence[Edit]) -> list[Edit]:
    """Joins and splits that no undo takes back, oldest first."""
    undone: set[int] = set()
    for edit in reversed(edits):
        if edit.undoes is not None and edit.id not in undone:
            undone.add(edit.undoes)
    return [edit for edit in edits if edit.kind != "undo" and edit.id not in undone]


def replay(pairs: Ints, regions: Ints, edits: Sequence[Edit]) -> Ints:
    """Labels of fragments after all edits; what a person entered counts over what was automatic.

    Args:
        pairs: shape (edges, 2), fragments that touch.
        regions: shape (n + 1,), region of every fragment before any edit; those of one region hang together by pairs.
        edits: oldest first.

    Returns:
        Shape (n + 1,), 1 and up in the order of each label's lowest fragment; 0 for fragment 0.

    Raises:
        VolumeError: an edit names a fragment that does not exist.
    """
    changed: dict[Pair, bool] = {}
    counting = live(edits)
    for edit in sorted(counting, key=lambda edit: edit.who != AUTOMATIC):
        if max(map(max, edit.pairs)) >= len(regions):
            raise VolumeError(f"edit {edit.id}: fragment {max(map(max, edit.pairs))} of {len(regions) - 1}")
        changed.update(dict.fromkeys(edit.pairs, edit.kind == "join"))
    kept = pairs[regions[pairs[:, 0]] == regions[pairs[:, 1]]].tolist()
    on = [pair for pair in kept if changed.get((pair[0], pair[1]), True)]
    on += [list(pair) for pair, joined in changed.items() if joined]
    ends = np.array(on, dtype=np.int64).reshape(-1, 2)
    shape = (len(regions), len(regions))
    graph = sparse.coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=shape)
    return numbered(connected_components(graph, directed=False)[1].astype(np.int64))


def numbered(regions: Ints) -> Ints:
    """Regions of fragments 0 to n as labels 1 and up, in the order of their lowest fragments; fragment 0 is 0."""
    _, first, index = np.unique(regions[1:], return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(1, len(first) + 1)
    return np.concatenate([[0], order[index]]).astype(np.int64)
