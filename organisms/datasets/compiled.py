"""The tables that the BANC project compiled, of BANC v888 and of MANC v1.2.1: Feather files with ids as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import labels, tables
from .convert import Converted
from .edges import collect
from .registry import Dataset

TEXT = ("super_class", "cell_class", "cell_sub_class", "cell_type", "side", "neurotransmitter_predicted")
OTHERS = ("region", "flow", "nerve", "hemilineage", "body_part_sensory", "body_part_effector")
PAIRS = ("pre", "post", "count")
NO_NEURON = ("glia", "trachea", "not_a_neuron")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """How the two releases differ."""

    id: str  # column of the ids
    marks: tuple[str, ...] = ()  # columns one of which is "TRUE" for a proofread neuron; none: every row is one


def convert(dataset: Dataset, folder: Path, min_count: int, schema: Schema) -> Converted:
    """Read the two files of a release."""
    meta, pairs = (folder / file.name for file in dataset.files[:2])
    read = tables.feather(meta, (schema.id, *TEXT, *schema.marks), OTHERS)
    keep = ~tables.text(read["super_class"]).isin(NO_NEURON)
    if schema.marks:
        keep &= np.logical_or.reduce([tables.text(read[mark]).str.upper() == "TRUE" for mark in schema.marks])
    read = read.filter(tables.pyarrow().array(keep.to_numpy(dtype=bool)))
    ids = tables.integers(read[schema.id], meta, schema.id)
    text = {name: tables.text(read[name]) for name in (*TEXT, *OTHERS) if name in read.column_names}
    transmitter = labels.transmitters(text.pop("neurotransmitter_predicted"))
    columns = {
        "superclass": text.pop("super_class"),
        "class": text.pop("cell_class"),
        "subclass": text.pop("cell_sub_class"),
        "type": text.pop("cell_type"),
        "side": labels.sides(text.pop("side")),
        "transmitter": transmitter,
    }
    columns["role"] = labels.roles(columns["superclass"], "compiled")
    sign = labels.sign_of(transmitter)
    edges = collect(lambda: tables.feather_integers(pairs, PAIRS), ids, min_count)
    kept = f"kept {ids.size} of {len(keep)} rows: " + (f"{' or '.join(schema.marks)}, and " if schema.marks else "")
    return Converted(
        neurons=labels.neuron_table(ids, columns | text),
        edges=edges,
        sign=sign,
        sign_provenance="derived",
        changes=(f"{kept}no {', '.join(NO_NEURON)}", labels.unknown_signs(sign)),
    )
