"""All stages in order: a volume in a workspace becomes a Connectome, and a second run does only what is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from ..connectome import Connectome
from .align import AlignSettings, align
from .blocks import Workers
from .celltype import CellTypeSettings, celltype
from .clean import CleanSettings, clean
from .compression import archive
from .graph import GraphSettings, graph
from .proofread import ProofreadSettings, proofread
from .segment import SegmentSettings, segment
from .synapses import SynapseSettings, synapses
from .workspace import Workspace, write_json

__all__ = ["IMAGE", "LABELS", "STAGES", "PipelineSettings", "reconstruct"]

IMAGE, LABELS = "clean", "proofread"  # arrays that later stages and readers look at


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Settings of every stage; the defaults are those that the bench measures."""

    align: AlignSettings = field(default_factory=AlignSettings)
    clean: CleanSettings = field(default_factory=CleanSettings)
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    proofread: ProofreadSettings = field(default_factory=ProofreadSettings)
    synapses: SynapseSettings = field(default_factory=SynapseSettings)
    celltype: CellTypeSettings = field(default_factory=CellTypeSettings)
    graph: GraphSettings = field(default_factory=GraphSettings)


Run = Callable[[Workspace, PipelineSettings, Workers], Any]
STAGES: dict[str, Run] = {
    "align": lambda space, settings, workers: align(space, settings.align, workers),
    "clean": lambda space, settings, workers: clean(space, settings.clean, workers),
    "segment": lambda space, settings, workers: segment(space, settings.segment, workers),
    "proofread": lambda space, settings, workers: proofread(space, settings.proofread, workers),
    "synapses": lambda space, settings, workers: synapses(space, settings.synapses, workers),
    "celltype": lambda space, settings, workers: celltype(space, settings.celltype, workers),
    "compress": lambda space, settings, workers: [archive(space, name, workers) for name in (IMAGE, LABELS)],
}
"""Stages between the raw volume and the graph, in order; each finds the arrays of the one before in the workspace."""


def reconstruct(
    space: Workspace,
    settings: PipelineSettings,
    workers: Workers,
    names: pd.DataFrame | None = None,
    source: str = "reconstructed by animat",
) -> Connectome:
    """Run every stage on the workspace's `raw` volume.

    Args:
        space: where `ingest` put the volume.
        settings: of the stages.
        workers: who does the work.
        names: points known to lie in certain neurons, see `names.read_names`.
        source: citation of the volume.

    Raises:
        VolumeError: naming what a stage cannot work with.
    """
    for name, run in STAGES.items():
        started = time.perf_counter()
        run(space, settings, workers)
        _note(space, name, time.perf_counter() - started)
    started = time.perf_counter()
    connectome = graph(space, settings.graph, names, LABELS, source)
    _note(space, "graph", time.perf_counter() - started)
    write_json(space.folder / "settings.json", json.loads(json.dumps(asdict(settings), default=str)))
    return connectome


def seconds(space: Workspace) -> dict[str, float]:
    """Wall time of every stage, s, summed over the runs that a kill cut it into."""
    path = space.folder / "seconds.json"
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _note(space: Workspace, stage: str, spent: float) -> None:
    found = seconds(space)
    write_json(space.folder / "seconds.json", {**found, stage: round(found.get(stage, 0.0) + spent, 3)})
