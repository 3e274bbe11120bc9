"""The report of `animat upload`: what was found, how sure it is, and what it was scored against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..brains.connectome import Connectome
    from ..brains.imaging.tissue import Tissue
    from ..brains.imaging.workspace import Workspace

NOTES = (
    "Thresholds were chosen on FIB-25 training samples 1 and 2 (of sample 2, sections 0 to 99), on the VNC stack (its"
    " first seeds of misalignment) and on synthetic tissue; on those volumes nothing here is held out.",
    "A segment is not a neuron until somebody has looked: the review queue (animat imaging review) holds what the"
    " program was not sure of.",
    "Neurites leave a small volume, so most of its segments are pieces; names are given only by points that were"
    " handed in.",
)


def report(out: Path, space: Workspace, connectome: Connectome, tissue: Tissue | None) -> dict[str, Any]:
    """Write the report, pictures, skeletons and the Neuroglancer state into a folder.

    Returns:
        Scores against the truth, where there is one.
    """
    from ..brains.imaging.pipeline import IMAGE, LABELS, STAGES, seconds
    from ..brains.imaging.report import pictures, write_report
    from ..brains.imaging.viewer import write_state

    scores = _scores(space, connectome, tissue)
    volume = space.volume("raw")
    spent = seconds(space)
    voxels = volume.shape[0] * volume.shape[1] * volume.shape[2]
    facts: dict[str, Any] = {
        "Volume": {"shape (z, y, x), voxels": volume.shape, "voxel (z, y, x), nm": volume.voxel_nm}
        | {"million voxels": voxels / 1e6, "million voxels a second": voxels / 1e6 / max(sum(spent.values()), 1e-9)},
        "Stages": [
            {"stage": name, "seconds": spent.get(name, 0.0), "found": _found(space, name)}
            for name in (*STAGES, "graph")
        ],
        "Graph": {"neurons": connectome.n, "edges": len(connectome.synapses)}
        | {"synapses": float(connectome.synapses["count"].sum()), "how": list(connectome.source.changes)},
        "Stored": _stored(space),
        "Against the truth": scores or {"scores": "none: no ground truth was given"},
    }
    link = write_state(space, out / "neuroglancer.json", IMAGE, LABELS)
    figures = pictures(space, out / "pictures", IMAGE, LABELS)
    links = [("Neuroglancer (while `animat imaging view` runs)", link)]
    write_report(out, facts, figures, links, NOTES)
    _skeletons(out / "skeletons", space, connectome)
    return scores


def _scores(space: Workspace, connectome: Connectome, tissue: Tissue | None) -> dict[str, Any]:
    if tissue is None:
        return {}
    from ..brains.imaging.roundtrip import score

    return score(tissue, space, connectome).row()


def _found(space: Workspace, stage: str) -> str:
    """What the records of a stage say, in short: numbers, and how many entries their lists have."""
    found = []
    for path in sorted((space.folder / "stages").glob(f"{stage}*.json")):
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            if isinstance(value, list):
                found.append(f"{len(value)} {key}")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found.append(f"{key} {value:.4g}")
    return ", ".join(found)


def _stored(space: Workspace) -> list[dict[str, Any]]:
    from ..brains.imaging.blocks import Workers
    from ..brains.imaging.compression import archive
    from ..brains.imaging.pipeline import IMAGE, LABELS

    packed = [archive(space, name, Workers(progress=False)) for name in (IMAGE, LABELS)]
    return [{"array": p.name, "bytes": p.raw_bytes, "stored": p.stored_bytes, "times smaller": p.ratio} for p in packed]


def _skeletons(folder: Path, space: Workspace, connectome: Connectome) -> None:
    """SWC files of the neurons of the graph, named as they are there."""
    import pandas as pd

    from ..brains.imaging.coarse import coarse
    from ..brains.imaging.pipeline import LABELS
    from ..brains.imaging.skeletons import skeletonise, write_swc

    nodes = pd.read_parquet(space.folder / "nodes.parquet")
    cells = coarse(space.segmentation(LABELS))
    for label, name in zip(nodes["label"].tolist(), nodes["name"].tolist(), strict=True):
        write_swc(folder / f"{name}.swc", skeletonise(cells, int(label)))
