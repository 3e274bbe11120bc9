"""The round trip: a Connectome becomes tissue, the tissue a Connectome, and the two are compared.

Stages are passed in, as `pipeline.STAGES` has them, and each can be replaced by the truth: the first row of the
ablation runs them all, each further one takes one more for granted, so that the step from a row to the next is what
that stage loses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from ...registry import UnknownNameError, nearest
from ..connectome import Connectome
from .graph import GraphSettings, graph
from .scoring import SegmentationScore, contingency, score_segmentation
from .scoring_graph import Detection, EdgeScore, match_labels, score_edges, score_synapses
from .tables import read_table, write_table
from .tissue import Tissue
from .tissue_channels import SectionImages
from .volume import Voxel
from .workspace import Workspace

__all__ = ["GROUPS", "RoundTrip", "ablation", "put", "round_trip", "score", "true_names", "true_stages"]

Stage = Callable[[Workspace], Any]
GROUPS = (("align",), ("clean",), ("segment", "proofread"), ("synapses",), ("celltype",))
"""Stages replaced together, in order; proofreading works on what segmentation left, so it has no truth alone."""
IMAGE, LABELS = "clean", "proofread"


@dataclass(frozen=True, kw_only=True, eq=False)
class RoundTrip:
    """What came back, and how well."""

    connectome: Connectome
    edges: EdgeScore
    segmentation: SegmentationScore
    synapses: Detection  # by place
    partners: Detection  # by place and both neurons
    match: Mapping[str, str]  # true name by found name

    def row(self) -> dict[str, float]:
        """The figures, for a table."""
        plain, weighted = self.edges.plain, self.edges.weighted
        return {
            "precision": plain.precision, "recall": plain.recall, "f1": plain.f1, "weighted_f1": weighted.f1,
            "synapse_f1": self.synapses.f1, "partner_f1": self.partners.f1,
            "voi_split": self.segmentation.voi_split, "voi_merge": self.segmentation.voi_merge,
            "arand": self.segmentation.arand,
        }  # fmt: skip


def round_trip(
    tissue: Tissue, folder: Path | str, stages: Mapping[str, Stage], settings: GraphSettings | None = None
) -> RoundTrip:
    """Reconstruct tissue and score what came back against its truth.

    Args:
        tissue: of `tissue.grow`.
        folder: of the workspace; what it holds already is kept, as in every reconstruction.
        stages: align, clean, segment, proofread, synapses and celltype, each working on the workspace.
        settings: of the graph.

    Raises:
        UnknownNameError: a stage is missing or foreign.
    """
    wanted = [name for group in GROUPS for name in group]
    if set(stages) != set(wanted):
        odd = sorted(set(stages) ^ set(wanted))[0]
        raise UnknownNameError(f"round_trip: stage {odd!r} is missing or unknown; {nearest(odd, tuple(wanted))}")
    space = Workspace(folder)
    put(tissue, space)
    for name in wanted:
        stages[name](space)
    found = graph(space, settings or GraphSettings(), None, LABELS, "reconstructed from synthetic tissue")
    return score(tissue, space, found)


def put(tissue: Tissue, space: Workspace) -> None:
    """Make the tissue, as it was taken, the `raw` volume of a workspace that has none yet."""
    if not space.has("raw"):
        _write(space, "raw", tissue.volume.data, tissue.volume.voxel_nm, tissue.volume.channels)


def true_names(tissue: Tissue) -> pd.DataFrame:
    """Points of every neuron for `names.given_names`, as an annotator would set them: both sides of its synapses."""
    sides = [
        tissue.synapses[[side, *(f"{side}_{axis}_nm" for axis in "zyx")]].set_axis(["name", "z", "y", "x"], axis=1)
        for side in ("pre", "post")
    ]
    points = pd.concat(sides, ignore_index=True)
    neurons = tissue.connectome.neurons.set_index("name")
    described = neurons.loc[points["name"], ["type", "role", "transmitter", "side"]].reset_index(drop=True)
    um = (points[["z", "y", "x"]] * 1e-3).set_axis(["z_um", "y_um", "x_um"], axis=1)
    return pd.concat([points[["name"]], um, described], axis=1)


def score(tissue: Tissue, space: Workspace, found: Connectome) -> RoundTrip:
    """What a reconstruction of tissue is worth, in the aligned frame of the truth."""
    labels, truth = np.asarray(space.array(LABELS)[:]), np.asarray(tissue.truth.labels)
    names = tissue.connectome.names
    partner = {mine: theirs for mine, theirs in match_labels(labels, truth).items() if theirs <= len(names)}
    nodes = pd.read_parquet(space.folder / "nodes.parquet", columns=["label", "name"])
    called = dict(zip(nodes["label"].tolist(), nodes["name"].tolist(), strict=True))
    match = {called[mine]: names[theirs - 1] for mine, theirs in partner.items() if mine in called}
    seen, true = read_table(space, "synapses"), tissue.synapses
    places = seen[["z_um", "y_um", "x_um"]].to_numpy() * 1e3, true[["z_nm", "y_nm", "x_nm"]].to_numpy()
    pairs = np.array([[partner.get(label, 0) for label in seen[side]] for side in ("pre", "post")]).T.reshape(-1, 2)
    return RoundTrip(
        connectome=found,
        edges=score_edges(found, tissue.connectome, match),
        segmentation=score_segmentation(labels, truth),
        synapses=score_synapses(*places),
        partners=score_synapses(
            *places, found_partners=pairs, truth_partners=true[["pre_label", "post_label"]].to_numpy()
        ),
        match=match,
    )


def ablation(
    tissue: Tissue, folder: Path | str, stages: Mapping[str, Stage], settings: GraphSettings | None = None
) -> pd.DataFrame:
    """A row for the whole pipeline, and one for each further group of stages that is replaced by the truth.

    Returns:
        Column `true`: the stages replaced; and the figures of `RoundTrip.row`.
    """
    truth, rows = true_stages(tissue), []
    for count in range(len(GROUPS) + 1):
        given = [name for group in GROUPS[:count] for name in group]
        mixed = {name: truth[name] if name in given else stage for name, stage in stages.items()}
        result = round_trip(tissue, Path(folder) / f"true-{count}", mixed, settings)
        rows.append({"true": " ".join(given) or "none", **result.row()})
    return pd.DataFrame(rows)


def true_stages(tissue: Tissue) -> dict[str, Stage]:
    """Each stage as one that knows the answer; what they write is in the aligned frame of the truth."""
    voxel = tissue.clean.voxel_nm
    return {
        "align": lambda space: _true_align(tissue, space),
        "clean": lambda space: _write(space, IMAGE, tissue.clean.data, voxel, _still(tissue)),
        "segment": lambda space: _write(space, "labels", tissue.truth.labels, voxel),
        "proofread": lambda space: _write(space, LABELS, tissue.truth.labels, voxel),
        "synapses": lambda space: _true_synapses(tissue, space),
        "celltype": lambda space: _true_cells(tissue, space),
    }


def _still(tissue: Tissue) -> dict[str, Any]:
    """Channel images as they would be if the sections lay aligned and none was missing."""
    images = tissue.volume.channels.items()
    return {
        name: replace(image, distortion=None, missing=()) for name, image in images if isinstance(image, SectionImages)
    }


def _write(space: Workspace, name: str, data: Any, voxel: Voxel, channels: Mapping[str, Any] | None = None) -> None:
    space.create(name, data.shape, data.dtype, voxel)[:] = data
    for channel, image in (channels or {}).items():
        kept = space.create(f"{name}_{channel}", image.shape, image.dtype, voxel)
        for z in range(image.shape[1]):
            kept[:, z] = image[:, z]


def _true_align(tissue: Tissue, space: Workspace) -> None:
    """Sections put back where they belong, damage and all."""
    taken, distortion = np.asarray(tissue.volume.data), tissue.distortion
    aligned, outside = np.empty_like(taken), np.zeros(taken.shape, np.bool_)
    y, x = np.indices(taken.shape[1:], dtype=np.float32)
    for z, section in enumerate(taken):
        push = distortion.dense(z, section.shape, back=True)
        at = np.stack([y + push[0], x + push[1]])
        aligned[z] = np.rint(ndimage.map_coordinates(section.astype(np.float32), at, order=1, cval=0.0))
        inside = (at >= 0).all(axis=0) & (at[0] <= section.shape[0] - 1) & (at[1] <= section.shape[1] - 1)
        outside[z] = ~inside
    _write(space, "aligned", aligned, tissue.clean.voxel_nm, _still(tissue))
    _write(space, "aligned_invalid", outside, tissue.clean.voxel_nm)


def _true_synapses(tissue: Tissue, space: Workspace) -> None:
    """Every true synapse, between the segments that hold its two sides."""
    true, labels = tissue.synapses, np.asarray(space.array(LABELS)[:])
    table = true[["z_nm", "y_nm", "x_nm"]].rename(columns=lambda name: name.replace("_nm", "_um")) * 1e-3
    for side in ("pre", "post"):
        table[side] = _labels_at(labels, true[[f"{side}_{axis}_nm" for axis in "zyx"]].to_numpy(), tissue)
    sent = dict(zip(tissue.connectome.names, tissue.connectome.neurons["transmitter"], strict=True))
    table = table.assign(voxels=0, confidence=1.0, transmitter=true["pre"].map(sent), block="0-0-0", model="truth")
    write_table(space, "synapses", table[(table["pre"] > 0) & (table["post"] > 0)])


def _labels_at(labels: NDArray[Any], places_nm: NDArray[np.float64], tissue: Tissue) -> NDArray[np.uint64]:
    at = np.clip((places_nm / tissue.clean.voxel_nm).astype(int), 0, np.array(labels.shape) - 1)
    return np.asarray(labels[tuple(at.T)], dtype=np.uint64)


def _true_cells(tissue: Tissue, space: Workspace) -> None:
    """Every segment with its size and centre, and whether most of it is glia."""
    labels, voxel_um = np.asarray(space.array(LABELS)[:]), np.array(tissue.clean.voxel_nm) * 1e-3
    counts, truth_names, found = contingency(labels, np.asarray(tissue.truth.labels))
    kinds = tissue.cells.set_index("label")["kind"]
    best = truth_names[np.asarray(counts.argmax(axis=0)).ravel()]
    sizes = np.asarray(counts.sum(axis=0)).ravel()
    centres = np.array(ndimage.center_of_mass(np.ones(labels.shape, np.bool_), labels, found)) * voxel_um
    table = pd.DataFrame({"label": found, "voxels": sizes, "volume_um3": sizes * voxel_um.prod()})
    table[["z_um", "y_um", "x_um"]] = centres
    table["glia"] = (kinds.loc[best.tolist()] == "glia").to_numpy(dtype=np.float64)
    table = table.assign(type="", type_probability=0.0, barcode="")
    write_table(space, "cells", table[table["label"] > 0])
