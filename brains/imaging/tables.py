"""Tables of a reconstruction, as Parquet files in its workspace.

`synapses`: one row a synapse. `cells`: one row a segment. Both are written by the stage of that name; labels are uint64
and never pass through a float.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .volume import VolumeError
from .workspace import Workspace

__all__ = ["CELLS", "SYNAPSES", "read_table", "write_table"]

SYNAPSES = {
    "pre": "uint64",  # segment that sends
    "post": "uint64",  # segment that receives
    "z_um": "float64",  # place of the cleft, um from the corner of the volume
    "y_um": "float64",
    "x_um": "float64",
    "voxels": "int64",  # of the cleft
    "confidence": "float64",  # 0 to 1
    "transmitter": "str",  # empty where no channel shows it
    "block": "str",  # that it was found in
    "model": "str",  # that found it
}
CELLS = {
    "label": "uint64",
    "voxels": "int64",
    "volume_um3": "float64",
    "z_um": "float64",  # centre, um from the corner of the volume
    "y_um": "float64",
    "x_um": "float64",
    "glia": "float64",  # probability, 0 to 1
    "type": "str",  # empty where none was trained for
    "type_probability": "float64",
    "barcode": "str",  # of 0 and 1, one a channel; empty where there is no channel
}
COLUMNS = {"synapses": SYNAPSES, "cells": CELLS}


def write_table(space: Workspace, name: str, table: pd.DataFrame) -> Path:
    """Write one of the tables, all its columns and no other, under a temporary name first.

    Raises:
        VolumeError: a column is missing or cannot be converted.
    """
    columns = COLUMNS[name]
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise VolumeError(f"table {name!r}: column {missing[0]!r} is missing")
    path = space.folder / f"{name}.parquet"
    temporary = path.with_name(path.name + ".part")
    table[list(columns)].astype(columns).to_parquet(temporary, index=False)
    temporary.replace(path)
    return path


def read_table(space: Workspace, name: str) -> pd.DataFrame:
    """Read one of the tables.

    Raises:
        VolumeError: its stage has not run.
    """
    path = space.folder / f"{name}.parquet"
    if not path.exists():
        raise VolumeError(f"{space.folder}: no table {name!r}; the stage of that name makes it")
    return pd.read_parquet(path).astype(COLUMNS[name])
