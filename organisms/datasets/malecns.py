"""MaleCNS v1.0 (Janelia FlyEM): three Feather files, of bodies, transmitters and weights.

A neuron is a body with a superclass, which gives the 166,700 of the paper. The default file of weights holds the pairs
of traced bodies; where the larger file of all segments was pulled too, that one is read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import labels, tables
from .convert import Converted
from .edges import collect
from .registry import Dataset

VOXEL_UM = 0.008  # um, edge of a voxel; https://male-cns.janelia.org/download/
COLUMNS = ("bodyId", "superclass", "class", "subclass", "type", "instance", "somaSide", "rootSide")
OTHERS = ("entryNerve", "exitNerve", "somaNeuromere", "receptorType", "flywireType", "mancType")
NUMBERS = ("assignedOlHex1", "assignedOlHex2")
WEIGHTS = ("body_pre", "body_post", "weight")


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    bodies, neurotransmitters, traced, everything = (folder / file.name for file in dataset.files)
    ids, neurons, changes = _neurons(bodies, neurotransmitters)
    weights = everything if everything.exists() else traced
    edges = collect(lambda: tables.feather_integers(weights, WEIGHTS), ids, min_count)
    sign = labels.sign_of(neurons["transmitter"].astype("str"))
    return Converted(
        neurons=neurons,
        edges=edges,
        sign=sign,
        sign_provenance="derived",
        changes=(*changes, f"edges of {weights.name}", labels.unknown_signs(sign)),
    )


def _neurons(bodies: Path, neurotransmitters: Path) -> tuple[NDArray[np.int64], pd.DataFrame, tuple[str, ...]]:
    arrow = tables.pyarrow()
    read = tables.feather(bodies, COLUMNS, (*OTHERS, *NUMBERS, "somaLocation"))
    read = read.filter(arrow.compute.is_valid(read["superclass"])).combine_chunks()
    ids = tables.integers(read["bodyId"], bodies, "bodyId")
    there = read.column_names
    text = {name: tables.text(read[name]) for name in (*COLUMNS[1:], *OTHERS) if name in there}
    side, changes = _side(text)
    transmitter = _transmitter(neurotransmitters, ids)
    columns = {name: values for name, values in text.items() if name not in ("somaSide", "rootSide")}
    columns |= {"role": labels.roles(text["superclass"], "malecns"), "side": side, "transmitter": transmitter}
    table = labels.neuron_table(ids, columns, _positions(read) if "somaLocation" in there else None)
    for name in set(NUMBERS) & set(there):
        table[name] = read[name].to_pandas().astype(np.float32)
    return ids, table, (f"kept {ids.size} bodies that have a superclass", changes)


def _side(text: dict[str, pd.Series]) -> tuple[pd.Series, str]:
    """The side of the soma, else of the root, else the ending of the instance."""
    ending = text["instance"].str.extract(r"_([LRM])$", expand=False).fillna("")
    side = labels.sides(text["somaSide"])
    counts = {"the soma": int((side != "").sum())}
    for name, other in (("the root", labels.sides(text["rootSide"])), ("the name", ending)):
        new = (side == "") & (other != "")
        side = side.where(~new, other)
        counts[name] = int(new.sum())
    return side, "side: " + ", ".join(f"{count} by {name}" for name, count in counts.items())


def _transmitter(path: Path, ids: NDArray[np.int64]) -> pd.Series:
    """The consensus transmitter of each body; "" where unclear or not predicted."""
    read = tables.feather(path, ("body", "consensus_nt"))
    arrow = tables.pyarrow()
    read = read.filter(arrow.compute.is_in(read["body"], value_set=arrow.array(ids)))
    label = pd.Series(tables.text(read["consensus_nt"]).to_numpy(), index=tables.integers(read["body"], path, "body"))
    return labels.transmitters(label.reindex(ids).fillna("").reset_index(drop=True).astype("str"))


def _positions(read: object) -> NDArray[np.float64]:
    """Somata in um, shape (n, 3), NaN where there is none."""
    column = read["somaLocation"].combine_chunks()  # type: ignore[index]
    found = np.full((len(column), 3), np.nan)
    valid = np.asarray(column.is_valid())
    found[valid] = np.asarray(column.flatten(), dtype=np.float64).reshape(-1, 3) * VOXEL_UM
    return found
