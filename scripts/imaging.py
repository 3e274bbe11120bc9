"""`animat imaging`: the stages of a reconstruction one at a time, and looking at what they made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .upload import DatasetOption, SchedulerOption, VoxelOption, WorkersOption

app = typer.Typer(help="Reconstruction, one stage at a time, in a folder that holds all of it.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Folder of the reconstruction: OUT/work of `animat upload`.")]
PredictorOption = Annotated[str, typer.Option(help="Of boundaries: classical, unet or ffn.")]


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="TIFF, folder of sections, HDF5, NPZ, Zarr or precomputed.")],
    folder: Folder,
    voxel: VoxelOption = "",
    dataset: DatasetOption = None,
) -> None:
    """Copy a volume into a folder as `raw.zarr`."""
    from ..brains.imaging.blocks import Workers
    from ..brains.imaging.ingest import ingest as copy
    from ..brains.imaging.ingest import parse_voxel
    from ..brains.imaging.workspace import Workspace

    copy(source, Workspace(folder), Workers(), parse_voxel(voxel) if voxel else None, dataset)
    print(f"wrote {folder / 'raw.zarr'}")


def _stage(
    name: str, folder: Path, workers: int, scheduler: str | None, wrote: str, predictor: str = "classical"
) -> None:
    """Run one stage of the pipeline with its defaults and say what it wrote."""
    from ..brains.imaging.blocks import Workers
    from ..brains.imaging.pipeline import STAGES, PipelineSettings
    from ..brains.imaging.segment import SegmentSettings
    from ..brains.imaging.workspace import Workspace

    settings = PipelineSettings(segment=SegmentSettings(predictor=predictor))
    STAGES[name](Workspace(folder), settings, Workers(count=workers, scheduler=scheduler))
    print(f"wrote {folder / wrote}")


@app.command()
def align(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Put the sections of `raw.zarr` where they belong: `aligned.zarr`."""
    _stage("align", folder, workers, scheduler, "aligned.zarr")


@app.command()
def clean(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Find and repair damaged sections, even out contrast: `clean.zarr`."""
    _stage("clean", folder, workers, scheduler, "clean.zarr")


@app.command()
def segment(
    folder: Folder,
    predictor: PredictorOption = "classical",
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
) -> None:
    """Give every neurite a label: `labels.zarr`."""
    _stage("segment", folder, workers, scheduler, "labels.zarr", predictor)


@app.command()
def proofread(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Join and split segments where it is clear enough: `proofread.zarr`; the rest waits for `review`."""
    _stage("proofread", folder, workers, scheduler, "proofread.zarr")


@app.command()
def review(
    folder: Folder,
    who: Annotated[str, typer.Option(help="Your name, as it will stand in the log; your login if not given.")] = "",
    port: Annotated[int, typer.Option(help="Of 127.0.0.1; 0 for a free one.")] = 0,
) -> None:
    """Decide on a local web page what proofreading was not sure of; then run `proofread` again."""
    from getpass import getuser

    from ..brains.imaging.review import Review, ReviewServer
    from ..brains.imaging.workspace import Workspace

    with ReviewServer(Review(Workspace(folder), who or getuser()), port) as server:
        print(f"open {server.address} in a browser on this machine; Ctrl-C ends the review", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(f"{len(server.review.log)} entries in {server.review.log.path}; run `animat imaging proofread` again")


@app.command()
def synapses(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Find synapses and their two sides: `synapses.parquet`."""
    _stage("synapses", folder, workers, scheduler, "synapses.parquet")


@app.command()
def celltype(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Tell glia from neurons: `cells.parquet`."""
    _stage("celltype", folder, workers, scheduler, "cells.parquet")


@app.command()
def compress(folder: Folder, workers: WorkersOption = 2, scheduler: SchedulerOption = None) -> None:
    """Pack image and labels, read back before they count: `archive`."""
    _stage("compress", folder, workers, scheduler, "archive")


@app.command()
def graph(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder of the Connectome.")],
    names: Annotated[Path | None, typer.Option(help="CSV of points: name,z_um,y_um,x_um[,type,role,...].")] = None,
    organism: Annotated[str, typer.Option(help="Whose receptors give signs: worm, fly, mouse.")] = "",
) -> None:
    """Make a Connectome of segments and synapses."""
    from ..brains.imaging.graph import GraphSettings
    from ..brains.imaging.graph import graph as build
    from ..brains.imaging.names import read_names
    from ..brains.imaging.pipeline import LABELS
    from ..brains.imaging.workspace import Workspace

    given = read_names(names) if names is not None else None
    connectome = build(Workspace(folder), GraphSettings(organism=organism), given, LABELS)
    connectome.save(out)
    print(f"{connectome!r}\nwrote {out / 'connectome.json'}")


@app.command()
def view(folder: Folder, port: Annotated[int, typer.Option(help="To serve the data at, on 127.0.0.1.")] = 9999) -> None:
    """Serve the arrays to Neuroglancer in this machine's browser until interrupted."""
    from ..brains.imaging.pipeline import IMAGE, LABELS
    from ..brains.imaging.viewer import data_server, neuroglancer_link, neuroglancer_state
    from ..brains.imaging.workspace import Workspace

    space = Workspace(folder)
    with data_server(space, port) as server:
        print(neuroglancer_link(neuroglancer_state(space, IMAGE, LABELS, server.server_port)), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
