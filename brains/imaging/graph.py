"""Stage 8: segments and synapses become a Connectome, with where each edge was seen kept beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..connectome import Connectome, Source
from ..receptors import receptors
from .names import given_names
from .tables import read_table
from .workspace import Workspace

__all__ = ["GraphSettings", "graph"]


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """What counts as a neuron and as an edge."""

    min_confidence: float = 0.5  # of a synapse; what is less sure is left out
    min_count: int = 1  # synapses of an edge
    max_glia: float = 0.5  # probability of being glia above which a segment is no neuron
    organism: str = ""  # of `brains/receptors.csv`, whose default receptors give transmitters their signs

    def __post_init__(self) -> None:
        for name in ("min_confidence", "max_glia"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"GraphSettings: {name} ({getattr(self, name)}) must be between 0 and 1")
        if self.min_count < 1:
            raise ValueError(f"GraphSettings: min_count ({self.min_count}) must be 1 or more")


def graph(
    space: Workspace,
    settings: GraphSettings,
    names: pd.DataFrame | None = None,
    labels: str = "labels",
    source: str = "reconstructed by animat",
) -> Connectome:
    """The Connectome of a workspace whose synapses and cells are found.

    Neurons are the segments that are not glia and have a synapse that counts; synapses of a segment with itself are
    left out and counted in the source. Also writes `nodes.parquet` and `edges.parquet`: the same with segments,
    barcodes, confidence, and the blocks and models that found each edge.

    Args:
        space: the workspace.
        settings: what counts.
        names: points known to lie in certain neurons, see `names.given_names`; other neurons are named by segment.
        labels: array of segments that the points are looked up in.
        source: citation of the connectome.
    """
    cells, found = read_table(space, "cells"), read_table(space, "synapses")
    neurons = cells[cells["glia"] <= settings.max_glia]
    sure = found[found["confidence"] >= settings.min_confidence]
    among = sure[sure["pre"].isin(neurons["label"]) & sure["post"].isin(neurons["label"])]
    own = int((among["pre"] == among["post"]).sum())
    edges = _edges(among[among["pre"] != among["post"]], settings.min_count)
    kept = neurons[neurons["label"].isin(pd.concat([edges["pre"], edges["post"]]))]
    nodes = _nodes(kept, among, given_names(space, names, labels))
    changes = (
        f"{len(found)} synapses found, {len(sure)} at confidence {settings.min_confidence} or more",
        f"left out: {len(cells) - len(neurons)} segments taken for glia, {own} synapses of a segment with itself,"
        f" edges of fewer than {settings.min_count} synapses, neurons without an edge",
    )
    connectome = Connectome(
        nodes[["name", "type", "role", "transmitter", "side", "x_um", "y_um", "z_um"]],
        _synapses(edges, nodes, settings.organism),
        Source(citation=source, changes=changes),
    )
    _write(space.folder / "nodes.parquet", nodes)
    _write(space.folder / "edges.parquet", edges)
    return connectome


def _edges(synapses: pd.DataFrame, min_count: int) -> pd.DataFrame:
    """One row a pair: count, mean confidence, transmitter, and which blocks and models found it."""
    grouped = synapses.groupby(["pre", "post"], sort=True)
    joined = {name: grouped[name].agg(lambda seen: " ".join(sorted(set(seen)))) for name in ("block", "model")}
    edges = pd.DataFrame({"count": grouped.size(), "confidence": grouped["confidence"].mean(), **joined})
    edges = edges.rename(columns={"block": "blocks", "model": "models"}).reset_index()
    return edges[edges["count"] >= min_count].reset_index(drop=True)


def _nodes(cells: pd.DataFrame, synapses: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Cells with the columns of a neuron table; given names and roles where there are some."""
    nodes = cells.sort_values("label").merge(given, on="label", how="left", suffixes=("", "_given"))
    nodes["name"] = nodes["name"].where(nodes["name"].notna(), "n" + nodes["label"].astype(str))
    nodes["type"] = nodes["type_given"].where(nodes["type_given"].fillna("") != "", nodes["type"]).fillna("")
    nodes["transmitter"] = nodes["transmitter"].where(
        nodes["transmitter"].fillna("") != "", nodes["label"].map(_transmitters(synapses))
    )
    defaults = {"role": "unclassified", "side": "", "transmitter": ""}
    for column, value in defaults.items():
        nodes[column] = nodes[column].fillna(value).replace("", value)
    return nodes.drop(columns="type_given")


def _transmitters(synapses: pd.DataFrame) -> pd.Series[str]:
    """The transmitter most of a segment's synapses release, where a channel shows any."""
    shown = synapses[synapses["transmitter"] != ""]
    counts = shown.groupby(["pre", "transmitter"]).size().reset_index(name="seen")
    best = counts.sort_values(["pre", "seen", "transmitter"], ascending=[True, False, True]).drop_duplicates("pre")
    return best.set_index("pre")["transmitter"]


def _synapses(edges: pd.DataFrame, nodes: pd.DataFrame, organism: str) -> pd.DataFrame:
    name = nodes.set_index("label")["name"]
    transmitter = nodes.set_index("label")["transmitter"]
    table = pd.DataFrame({"pre": edges["pre"].map(name), "post": edges["post"].map(name), "kind": "chemical"})
    table["count"] = edges["count"].astype(np.float64)
    sign = edges["pre"].map({label: _sign(organism, sent) for label, sent in transmitter.items()})
    table["sign"] = sign.fillna(0).astype(np.int64)
    table["provenance"] = "measured"
    table["sign_provenance"] = np.where(table["sign"] == 0, "none", "derived")
    return table


def _sign(organism: str, transmitter: str) -> int:
    """Sign of the default receptor, 0 where the animal or the transmitter is not known."""
    if not organism or not transmitter:
        return 0
    receptor = receptors(organism).choose(transmitter, "fast", 0)
    return receptor.sign if receptor is not None else 0


def _write(path: Path, table: pd.DataFrame) -> None:
    temporary = path.with_name(path.name + ".part")
    table.to_parquet(temporary, index=False)
    temporary.replace(path)
