"""FlyWire as Shiu et al. 2024 gave it to their model: a list of ids in order, and a table of signed pairs.

The sign of a neuron's synapses is theirs. Classes, sides and types come from the Codex tables where those were pulled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.connectome_tables import ConnectomeError
from . import labels, tables
from .convert import Converted
from .edges import collect
from .registry import Dataset

PAIRS = ("Presynaptic_ID", "Postsynaptic_ID", "Connectivity")
SIGNED = ("Presynaptic_ID", "Excitatory x Connectivity")


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    pairs, order = (folder / file.name for file in dataset.files[:2])
    ids = _order(order)
    edges = collect(lambda: tables.parquet_integers(pairs, PAIRS), ids, min_count)
    sign = _signs(pairs, ids)
    columns = _codex(folder, ids)
    return Converted(
        neurons=labels.neuron_table(ids, columns),
        edges=edges,
        sign=sign,
        sign_provenance="published",
        changes=(f"signs of the model of Shiu et al.; {int((sign == 0).sum())} neurons have no edge to tell theirs",),
    )


def _order(path: Path) -> NDArray[np.int64]:
    """Ids in the order of the model: the first, unnamed column."""
    first = tables.csv_header(path)[0]
    return tables.csv_text(path, [], [first])[first].to_numpy(dtype=np.int64)


def _signs(path: Path, ids: NDArray[np.int64]) -> NDArray[np.int8]:
    """Sign of each neuron's synapses, 0 where it has none.

    Raises:
        ConnectomeError: a neuron has synapses of both signs.
    """
    rows = pd.Index(ids)
    excites, inhibits = np.zeros(ids.size, dtype=np.bool_), np.zeros(ids.size, dtype=np.bool_)
    for pre, signed in tables.parquet_integers(path, SIGNED):
        row = rows.get_indexer(pd.Index(pre))
        excites[row[(row >= 0) & (signed > 0)]] = True
        inhibits[row[(row >= 0) & (signed < 0)]] = True
    if (both := excites & inhibits).any():
        raise ConnectomeError(f"{path}: neuron {ids[both.argmax()]} has synapses of both signs")
    return excites.astype(np.int8) - inhibits.astype(np.int8)


def _codex(folder: Path, ids: NDArray[np.int64]) -> dict[str, pd.Series]:
    """Annotations of Codex, where they were pulled."""
    found: dict[str, pd.Series] = {}
    classes, types = folder / "classification.csv.gz", folder / "consolidated_cell_types.csv.gz"
    if classes.exists():
        table = _by_id(tables.csv_text(classes, ["super_class", "class", "sub_class", "side"], ["root_id"]), ids)
        found = {
            "superclass": table["super_class"],
            "class": table["class"],
            "subclass": table["sub_class"],
            "side": labels.sides(table["side"]),
            "role": labels.roles(table["super_class"], "flywire"),
        }
        if "cell_type" in tables.csv_header(classes):
            found["type"] = _by_id(tables.csv_text(classes, ["cell_type"], ["root_id"]), ids)["cell_type"]
    if types.exists():
        found["type"] = _by_id(tables.csv_text(types, ["primary_type"], ["root_id"]), ids)["primary_type"]
    return found


def _by_id(table: pd.DataFrame, ids: NDArray[np.int64]) -> pd.DataFrame:
    """Rows of a table in the order of ids, "" where it has none."""
    return table.drop_duplicates("root_id").set_index("root_id").reindex(ids).fillna("").reset_index(drop=True)
