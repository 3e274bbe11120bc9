"""Wiring and cells of the optic lobe: the published tables, the part a network runs, and a control.

The columns are the two reconstructions FIB-19 and FIB-25 as joined by Lappalainen et al. 2024: every column of the eye
has one cell of each type, and the wiring between two types is the mean synapse count at each column offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import numpy as np
import pandas as pd

from ...registry import UnknownNameError, nearest

FOLDER = files(__package__)
MERGED = {"R1": "R1-6", "R2": "R1-6", "R3": "R1-6", "R4": "R1-6", "R5": "R1-6", "R6": "R1-6"}  # same light, same column
RECEPTOR = "R1-6"
TABLE_COLUMNS = ("source", "target", "dp", "dq", "synapses", "sign")
CELL_COLUMNS = ("type", "tau_ms", "highpass_ms", "release")
RELEASES = ("graded", "rectified")


def published_columns() -> pd.DataFrame:
    """The whole published table: 605 type pairs of 65 types, 2,140 offsets; dp, dq are target minus source."""
    with FOLDER.joinpath("optic_columns.csv.gz").open("rb") as file:
        table: pd.DataFrame = pd.read_csv(file, compression="gzip")
    return table


def published_cells() -> pd.DataFrame:
    """Time constants and release of the 26 types of the motion pathway, `optic_cells.csv`."""
    with FOLDER.joinpath("optic_cells.csv").open() as file:
        return pd.read_csv(file)


def whole_lobe_cells() -> pd.DataFrame:
    """Those of `published_cells` and every other type of the graph but the colour receptors R7 and R8, 58 types.

    No filter is at hand for the others: graded, 10 ms, assumed.
    """
    cells, table = published_cells(), published_columns()
    others = (set(table["source"]) | set(table["target"])) - set(cells["type"]) - set(MERGED) - {"R7", "R8"}
    rows = pd.DataFrame({"type": sorted(others), "tau_ms": 10.0, "release": "graded", "provenance": "assumed"})
    return pd.concat([cells, rows.assign(source="no filter at hand")], ignore_index=True)


def wiring_among(types: tuple[str, ...], table: pd.DataFrame) -> pd.DataFrame:
    """Rows between the named types, R1 to R6 joined to one; inputs onto the receptors are left out.

    Raises:
        KeyError: a type that the table does not have, with the nearest.
    """
    joined = table.assign(source=table["source"].replace(MERGED), target=table["target"].replace(MERGED))
    known = set(joined["source"]) | set(joined["target"])
    for name in types:
        if name not in known:
            raise UnknownNameError(f"optic lobe: no cell type {name!r}; {nearest(name, known)}")
    rows = joined[joined["source"].isin(types) & joined["target"].isin(types) & (joined["target"] != RECEPTOR)]
    keys = ["source", "target", "dp", "dq", "sign"]
    return pd.DataFrame(rows.groupby(keys, sort=True)["synapses"].sum().reset_index())


def turned_offsets(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A control: the offsets of every type pair turned and mirrored by chance, one of the lattice's 12 symmetries each.

    Types, counts, signs and distances in columns stay; which side of the target an input comes from does not.
    """
    parts = []
    for _, rows in table.groupby(["source", "target"], sort=True):
        turns, mirrored = int(rng.integers(6)), bool(rng.integers(2))
        p, q = rows["dp"].to_numpy(), rows["dq"].to_numpy()
        if mirrored:
            p, q = q, p
        for _ in range(turns):
            p, q = p - q, p
        parts.append(rows.assign(dp=p, dq=q))
    return pd.concat(parts, ignore_index=True)


def check_tables(cells: pd.DataFrame, table: pd.DataFrame) -> None:
    """Raise where a table lacks a column, a number is out of range or the receptor is missing."""
    checks: Mapping[str, tuple[pd.DataFrame, tuple[str, ...]]] = {
        "cells": (cells, CELL_COLUMNS),
        "table": (table, TABLE_COLUMNS),
    }
    for name, (frame, needed) in checks.items():
        missing = [column for column in needed if column not in frame.columns]
        if missing:
            raise ValueError(f"ColumnNetwork: {name} lacks {', '.join(missing)}")
    if RECEPTOR not in set(cells["type"]):
        raise ValueError(f"ColumnNetwork: cells must have the receptor {RECEPTOR!r}")
    if not (cells["tau_ms"] > 0).all() or (cells["highpass_ms"] <= 0).any():
        raise ValueError("ColumnNetwork: tau_ms and highpass_ms (where given) must be above 0 ms")
    unknown = set(cells["release"]) - set(RELEASES)
    if unknown:
        raise ValueError(f"ColumnNetwork: release must be one of {', '.join(RELEASES)}, got {sorted(unknown)}")
