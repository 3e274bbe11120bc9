"""Hemibrain v1.2, the flat export: a tar archive of two CSV files. Without transmitters no synapse has a sign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import labels, tables
from .convert import Converted
from .edges import collect
from .registry import Dataset

PAIRS = ("bodyId_pre", "bodyId_post", "weight")


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    archive = folder / dataset.files[0].name
    with tables.tar_member(archive, "traced-neurons.csv") as file:
        read = tables.csv_text(file, ["type", "instance"], ["bodyId"], f"{archive}, traced-neurons.csv")
    ids = read["bodyId"].to_numpy(dtype=np.int64)

    def batches() -> Iterator[tuple[tables.Ints, ...]]:
        with tables.tar_member(archive, "traced-total-connections.csv") as file:
            yield from tables.csv_integers(file, PAIRS, f"{archive}, traced-total-connections.csv")

    columns = {"type": read["type"], "instance": read["instance"]}
    return Converted(
        neurons=labels.neuron_table(ids, columns),
        edges=collect(batches, ids, min_count),
        sign=np.zeros(ids.size, dtype=np.int8),
        sign_provenance="derived",
        changes=("no transmitters in the export: no synapse has a sign, no neuron a role",),
    )
