"""A real column in place of the drawn one: exports of a CAVE database (MICrONS, V1DD) that the user has.

    part = read_cave("synapses.csv", "cells.csv")          # pre_root_id, post_root_id, size; root_id, cell_type
    v1 = V1(part.radius_um, rng, sides=("L",), columns=(part,))

Ids are 64-bit whole numbers and never pass through a float, which would round them. Synapses of a pair are summed,
those of a cell onto itself and those of cells without a known type are left out, and how many is in the source.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.compact import CompactConnectome
from ...brains.connectome import ConnectomeError, Source
from ...registry import nearest
from .column import TRANSMITTER, Column
from .v1_tables import tables

Ints = NDArray[np.int64]

ENDS = {
    "pre": ("pre_root_id", "pre_pt_root_id", "pre_root", "pre"),
    "post": ("post_root_id", "post_pt_root_id", "post_root", "post"),
}
ID = ("root_id", "pt_root_id", "id")
TYPE = ("cell_type", "type")
PLACE = {"x_um": ("x_um", "pt_x_um"), "y_um": ("y_um", "pt_y_um"), "z_um": ("z_um", "pt_z_um")}
MOST_COUNT = 30_000  # of a pair, 16 bits


def read_cave(
    synapses: str | PathLike[str],
    cells: str | PathLike[str],
    rng: np.random.Generator | None = None,
    citation: str = "",
) -> Column:
    """A column from two CSV files.

    Args:
        synapses: one row a synapse (or a pair): id before, id after, and `size` (of the cleft, any unit) if there is
            one. The count of a pair is its number of rows, or with sizes their sum over the median size, 1 or more.
        cells: one row a cell: id, cell type (a name of `tables().names`) and, where known, x_um, y_um, z_um.
        rng: of preferred directions, which no export has; None draws them from seed 0.
        citation: of the data.

    Raises:
        FileNotFoundError: no such file.
        ConnectomeError: a column is missing, an id is no whole number or listed twice, or nothing is left.
    """
    kinds, left = _cells(Path(cells))
    pre, post, size = _synapses(Path(synapses))
    ids = kinds["id"].to_numpy(np.uint64)
    order = np.argsort(ids, kind="stable")
    rows = [_rows(ids[order], order, ends) for ends in (pre, post)]
    known = (rows[0] >= 0) & (rows[1] >= 0)
    kept = known & (rows[0] != rows[1])
    if not kept.any():
        _fail(Path(synapses), "no synapse joins two cells of the cell table")
    start, target, count = _summed(rows[0][kept], rows[1][kept], None if size is None else size[kept], len(kinds))
    kind = kinds["kind"].to_numpy(np.uint8)
    source = Source(citation or f"CAVE export {Path(synapses).name} with {Path(cells).name}, given by the user")
    made = CompactConnectome(
        neurons=_neurons(kinds),
        start=start,
        target=target,
        count=count,
        sign=np.repeat(tables().sign[kind], np.diff(start)),
        source=source.changed(
            f"left out {int((~known).sum())} synapses of cells without a known type, {int((known & ~kept).sum())} of"
            f" cells onto themselves and {left} cells of other types"
        ),
        provenance="measured",
        sign_provenance="derived",
    )
    rng = np.random.default_rng(0) if rng is None else rng
    away = np.hypot(*(made.neurons[name].to_numpy() for name in ("x_um", "y_um")))
    return Column(
        connectome=made,
        kind=kind,
        angle=rng.uniform(0.0, 2.0 * np.pi, kind.size),
        radius_um=max(float(away.max()), 1.0),
    )


def _cells(path: Path) -> tuple[pd.DataFrame, int]:
    """Cells of known types, sorted by type and id, and how many were of others."""
    table = _read(path)
    names = {"id": _named(table, ID, path), "type": _named(table, TYPE, path)}
    found = pd.DataFrame({"id": _ids(table[names["id"]], path), "type": table[names["type"]].astype(str)})
    for axis, choices in PLACE.items():
        name = next((choice for choice in choices if choice in table), None)
        found[axis] = 0.0 if name is None else pd.to_numeric(table[name]).to_numpy(np.float64)
    if found["id"].duplicated().any():
        _fail(path, f"cell {found.loc[found['id'].duplicated(), 'id'].iloc[0]} is listed twice")
    known = tables().names
    wanted = found["type"].isin(known)
    if not wanted.any():
        first = str(found["type"].iloc[0]) if len(found) else ""
        _fail(path, f"no cell has a known type; {nearest(first, known)}")
    kept = found[wanted].assign(kind=found["type"][wanted].map(known.index))
    kept = kept.sort_values(["kind", "id"]).reset_index(drop=True)
    for axis in ("x_um", "y_um"):
        kept[axis] -= kept[axis].mean()
    return kept, int((~wanted).sum())


def _synapses(path: Path) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.float64] | None]:
    table = _read(path)
    pre, post = (_ids(table[_named(table, choices, path)], path) for choices in ENDS.values())
    if "size" not in table:
        return pre, post, None
    size = pd.to_numeric(table["size"], errors="coerce").to_numpy(np.float64)
    if not (size > 0).all():
        row = int((~(size > 0)).argmax())
        _fail(path, f"line {row + 2}: size must be above 0, got {table['size'].iloc[row]!r}")
    return pre, post, size


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _named(table: pd.DataFrame, choices: tuple[str, ...], path: Path) -> str:
    for name in choices:
        if name in table:
            return name
    _fail(path, f"no column {choices[0]!r} (or {', '.join(choices[1:])}); it has {', '.join(table.columns)}")


def _ids(values: pd.Series, path: Path) -> NDArray[np.uint64]:
    """Ids as 64-bit whole numbers, from text."""
    text = values.str.strip()
    bad = ~text.str.fullmatch(r"\d{1,20}")
    if bad.any():
        row = int(bad.to_numpy().argmax())
        _fail(path, f"line {row + 2}: {values.name} must be a whole number, got {values.iloc[row]!r}")
    try:
        return np.array([int(value) for value in text], dtype=np.uint64)
    except OverflowError:
        _fail(path, f"{values.name}: an id has more than 64 bits")


def _rows(sorted_ids: NDArray[np.uint64], order: Ints, wanted: NDArray[np.uint64]) -> Ints:
    """Row of each id, -1 where it is not a cell's."""
    place = np.minimum(np.searchsorted(sorted_ids, wanted), sorted_ids.size - 1)
    return np.where(sorted_ids[place] == wanted, order[place], -1).astype(np.int64)


def _summed(
    pre: Ints, post: Ints, size: NDArray[np.float64] | None, n: int
) -> tuple[Ints, NDArray[np.int32], NDArray[np.int16]]:
    """Pairs by source, each once."""
    key, which = np.unique(pre * n + post, return_inverse=True)
    weight = np.bincount(which) if size is None else np.bincount(which, weights=size) / np.median(size)
    count = np.clip(np.rint(weight), 1, MOST_COUNT).astype(np.int16)
    start = np.searchsorted(key // n, np.arange(n + 1)).astype(np.int64)
    return start, (key % n).astype(np.int32), count


def _neurons(kinds: pd.DataFrame) -> pd.DataFrame:
    signs = tables().sign[kinds["kind"].to_numpy()]
    return pd.DataFrame(
        {
            "name": kinds["id"].astype(str).to_numpy(dtype=object),
            "type": kinds["type"].to_numpy(dtype=object),
            "role": "inter",
            "transmitter": [TRANSMITTER[int(sign)] for sign in signs],
            "side": "",
            **{axis: kinds[axis].to_numpy(np.float64) for axis in PLACE},
        }
    )


def _fail(path: Path, problem: str) -> NoReturn:
    raise ConnectomeError(f"read_cave: {path}: {problem}")
