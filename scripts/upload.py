"""`animat upload`: a volume of tissue goes in, a connectome that an organism can run comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .show import JsonOption

if TYPE_CHECKING:
    import pandas as pd

    from ..brains.connectome import Connectome
    from ..brains.imaging.blocks import Workers
    from ..brains.imaging.tissue import Tissue
    from ..brains.imaging.workspace import Workspace

TISSUE = "tissue:"
BARCODES = 20  # channels of synthetic tissue
VoxelOption = Annotated[
    str, typer.Option(help="Voxel size with its unit, z,y,x: 40,4,4nm. Overrules what the file says.")
]
DatasetOption = Annotated[str | None, typer.Option(help="Which array of a file that holds several.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes of this machine.")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="Address of a dask.distributed scheduler (tcp://host:port), instead of processes.")
]


def upload(
    source: Annotated[str, typer.Argument(help="A volume, or tissue: or tissue:touch for synthetic tissue.")],
    out: Annotated[Path, typer.Option(help="Folder of the graph, its report and everything between.")],
    voxel: VoxelOption = "",
    dataset: DatasetOption = None,
    names: Annotated[
        Path | None, typer.Option(help="CSV of points known to lie in neurons: name,z_um,y_um,x_um[,type,role,...].")
    ] = None,
    predictor: Annotated[str, typer.Option(help="Of boundaries: classical, unet or ffn.")] = "classical",
    weights: Annotated[Path | None, typer.Option(help="Weights of the predictor; those of animat by default.")] = None,
    organism: Annotated[str, typer.Option(help="Whose receptors give signs: worm, fly, mouse.")] = "",
    into: Annotated[
        str, typer.Option(help="Organism whose wiring the reconstructed neurons are put back into: worm.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of synthetic tissue.")] = 0,
    size: Annotated[int, typer.Option(min=64, help="Voxels along each side of synthetic tissue.")] = 160,
    neurons: Annotated[int, typer.Option(min=2, help="Of the random circuit in synthetic tissue.")] = 12,
    damage: Annotated[bool, typer.Option("--damage/--no-damage", help="Shift and damage its sections.")] = True,
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reconstruct a volume: align, clean, segment, proofread, find synapses, type cells, build the graph, report."""
    from ..brains.imaging.blocks import Workers
    from ..brains.imaging.graph import GraphSettings
    from ..brains.imaging.names import read_names
    from ..brains.imaging.pipeline import PipelineSettings, reconstruct
    from ..brains.imaging.segment import SegmentSettings
    from ..brains.imaging.workspace import Workspace

    team = Workers(count=workers, scheduler=scheduler, progress=not as_json)
    settings = PipelineSettings(
        segment=SegmentSettings(predictor=predictor, weights=weights), graph=GraphSettings(organism=organism)
    )
    space = Workspace(out / "work")
    given = read_names(names) if names is not None else None
    if source.startswith(TISSUE):
        tissue = _grown(source.removeprefix(TISSUE), neurons, size, seed, damage)
        given = _put(tissue, space)
    else:
        tissue = None
        _ingest(source, space, team, voxel, dataset)
    connectome = reconstruct(space, settings, team, given, _citation(source, seed))
    whole = _grafted(connectome, into, source)
    whole.save(out)
    report = _report(out, space, connectome, tissue)
    summary = {
        "out": str(out),
        "neurons": connectome.n,
        "edges": len(connectome.synapses),
        "fingerprint": whole.fingerprint,
        "scores": report,
    }
    print(json.dumps(summary)) if as_json else _print(summary, out)


def _ingest(source: str, space: Workspace, team: Workers, voxel: str, dataset: str | None) -> None:
    from ..brains.imaging.ingest import ingest, parse_voxel

    ingest(source, space, team, parse_voxel(voxel) if voxel else None, dataset)


def _citation(source: str, seed: int) -> str:
    what = f"synthetic tissue, seed {seed}" if source.startswith(TISSUE) else Path(source).name
    return f"reconstructed by animat from {what}"


def _grown(circuit: str, neurons: int, size: int, seed: int, damage: bool) -> Tissue:
    """Synthetic tissue of a random circuit, or of the worm's touch circuit."""
    import numpy as np

    from ..brains.imaging.tissue import grow
    from ..brains.imaging.tissue_circuits import random_circuit
    from ..brains.imaging.tissue_damage import STANDARD_DAMAGE, Damage
    from ..brains.imaging.tissue_settings import TissueSettings
    from ..registry import UnknownNameError, nearest
    from .imaging_worm import PER_COUNT, touch_circuit

    rng = np.random.default_rng(seed)
    if circuit not in ("", "touch"):
        raise UnknownNameError(f"no circuit {circuit!r} to grow tissue of; {nearest(circuit, ('touch',))}")
    settings = TissueSettings(
        damage=STANDARD_DAMAGE if damage else Damage(),
        synapses_per_count=PER_COUNT if circuit else 1.0,
        barcodes=BARCODES,
        transmitters=True,
    )
    return grow(touch_circuit() if circuit else random_circuit(neurons, rng), (size, size, size), rng, settings)


def _put(tissue: Tissue, space: Workspace) -> pd.DataFrame:
    """Tissue as the raw volume of a workspace; points of its neurons, as an annotator would know them."""
    from ..brains.imaging.roundtrip import put, true_names

    put(tissue, space)
    return true_names(tissue)


def _grafted(connectome: Connectome, into: str, source: str) -> Connectome:
    """The reconstruction, or an organism's wiring with the reconstructed neurons' synapses in the place of its own."""
    if not into:
        return connectome
    from ..organisms.organism import make
    from .imaging_worm import PER_COUNT

    return make(into).connectome.graft(connectome, scale=1 / PER_COUNT if source == f"{TISSUE}touch" else 1.0)


def _report(out: Path, space: Workspace, connectome: Connectome, tissue: Tissue | None) -> dict[str, Any]:
    from .upload_report import report

    return report(out, space, connectome, tissue)


def _print(summary: dict[str, Any], out: Path) -> None:
    print(f"{summary['neurons']} neurons, {summary['edges']} edges, {summary['fingerprint'][:12]}")
    for name, value in summary["scores"].items():
        print(f"  {name:34s}{value:10.4g}")
    for name in ("neurons.csv", "synapses.csv", "connectome.json", "report.html", "report.json", "skeletons"):
        print(f"wrote {out / name}")
