"""Names for segments, from points known to lie in a certain neuron: of an atlas, an annotator, or the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .volume import Box, VolumeError
from .workspace import Workspace

__all__ = ["NAME_COLUMNS", "given_names", "read_names"]

NAME_COLUMNS = ("name", "z_um", "y_um", "x_um", "type", "role", "transmitter", "side")


def read_names(path: Path | str) -> pd.DataFrame:
    """Read a CSV file of points.

    Columns: name, z_um, y_um, x_um (um from the corner of the volume), and optionally type, role, transmitter and side
    of the neuron.

    Raises:
        VolumeError: a column is missing or a place is no number.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in NAME_COLUMNS[1:4]:
            table[column] = table[column].astype(np.float64)
    except (OSError, ValueError, KeyError) as error:
        raise VolumeError(f"{path}: not a table of names with {', '.join(NAME_COLUMNS[:4])} ({error})") from None
    if "name" not in table.columns:
        raise VolumeError(f"{path}: column 'name' is missing")
    return table.reindex(columns=[*NAME_COLUMNS], fill_value="")


def given_names(space: Workspace, names: pd.DataFrame | None, labels: str) -> pd.DataFrame:
    """Which segment each point lies in.

    A neuron may have several points; it names the segment that most of them lie in. A segment in which points of
    several neurons lie (a merge) gets the name with most points there, the first of the table among equals.

    Args:
        space: the workspace.
        names: columns of `read_names`; None for none.
        labels: array of segments.

    Returns:
        Columns label, name, type, role, transmitter, side: at most one row a segment and a name.
    """
    columns = ["label", "name", "type", "role", "transmitter", "side"]
    if names is None or names.empty:
        return pd.DataFrame({column: pd.Series(dtype="uint64" if column == "label" else "str") for column in columns})
    hit = names.assign(label=_labels_at(space, names, labels), row=np.arange(len(names)))
    hit = hit[hit["label"] > 0]
    votes = hit.groupby(["label", "name"], sort=False).agg(points=("row", "size"), row=("row", "min")).reset_index()
    votes = votes.sort_values(["points", "row"], ascending=[False, True])
    taken = votes.drop_duplicates("label").drop_duplicates("name")
    described = names.drop_duplicates("name")
    return taken.merge(described, on="name")[columns]


def _labels_at(space: Workspace, names: pd.DataFrame, labels: str) -> list[int]:
    segmentation = space.segmentation(labels)
    um = names[["z_um", "y_um", "x_um"]].to_numpy(dtype=np.float64)
    found = []
    for z, y, x in np.floor(um * 1e3 / np.array(segmentation.voxel_nm)).astype(np.int64).tolist():
        inside = all(0 <= at < n for at, n in zip((z, y, x), segmentation.shape, strict=True))
        found.append(int(segmentation.read(Box((z, y, x), (z + 1, y + 1, x + 1)))[0, 0, 0]) if inside else 0)
    return found
