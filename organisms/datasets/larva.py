"""The larval brain of Winding et al. 2023, as published beside a study of its bilateral symmetry: two text files.

Neurons are those with an edge, 3,554 of the 3,591 listed. Transmitters are not part of it, so no synapse has a sign.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from . import labels, tables
from .convert import Converted
from .edges import collect
from .registry import Dataset

TEXT = ("name", "hemisphere", "simple_group", "class1", "class2", "sensory", "motor", "lineage")
NO_CLASS = "unk"  # how the table writes an unknown group, class or lineage


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    listed, pairs = (folder / file.name for file in dataset.files)
    first = tables.csv_header(listed)[0]
    read = tables.csv_text(listed, TEXT, [first]).rename(columns={first: "skid"})
    ends = np.unique(np.concatenate([np.union1d(pre, post) for pre, post, _ in tables.edge_list(pairs)]))
    read = read[read["skid"].isin(ends)].reset_index(drop=True)
    ids = read["skid"].to_numpy(dtype=np.int64)
    return Converted(
        neurons=labels.neuron_table(ids, _columns(read)),
        edges=collect(lambda: tables.edge_list(pairs), ids, min_count),
        sign=np.zeros(ids.size, dtype=np.int8),
        sign_provenance="derived",
        changes=(f"kept {ids.size} neurons that have an edge", "no transmitters in the tables: no synapse has a sign"),
    )


def _columns(read: pd.DataFrame) -> dict[str, pd.Series]:
    known = {
        name: read[name].str.strip().replace(NO_CLASS, "") for name in ("simple_group", "class1", "class2", "lineage")
    }
    role = pd.Series(np.where(known["simple_group"] == "", "unclassified", "inter"), dtype="str")
    role = role.mask(read["simple_group"] == "RGNs", "unclassified")  # they end in the ring gland
    role = role.mask(read["motor"] == "True", "motor").mask(read["sensory"] == "True", "sensory")
    return {
        "label": read["name"].str.strip(),
        "superclass": known["simple_group"],
        "type": known["class1"],
        "subclass": known["class2"],
        "lineage": known["lineage"],
        "side": labels.sides(read["hemisphere"]),
        "role": role,
    }
