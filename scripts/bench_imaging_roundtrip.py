"""`animat bench imaging`, the round trip: random circuits become tissue, tissue becomes graphs, and edges are compared.

Seeds from 1000 on judge and are used for nothing else. Run as a program it also prints the ablation, which says which
stage loses the edges: `python -m animat.scripts.bench_imaging_roundtrip --neurons 40 --side 320`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer

from ..brains.imaging.blocks import Workers
from ..brains.imaging.roundtrip import GROUPS, RoundTrip, ablation, round_trip
from ..brains.imaging.tissue import Tissue, TissueSettings, grow
from ..brains.imaging.tissue_circuits import random_circuit
from ..brains.imaging.tissue_damage import STANDARD_DAMAGE
from ..brains.imaging.workspace import Workspace
from .bench import Bar

COMMAND = "animat bench imaging"
SEEDS = (1000, 1001)
NEURONS, SIDE = 40, 320  # voxels of 10 nm
BARCODES = 20  # channels, as in the bar of barcodes
F1 = 0.8

Stage = Callable[[Workspace], Any]


def stages() -> dict[str, Stage]:
    """The pipeline's stages with default settings."""
    from ..brains.imaging.pipeline import STAGES, PipelineSettings

    settings, workers = PipelineSettings(), Workers(progress=False)
    return {name: partial(_run, STAGES[name], settings, workers) for group in GROUPS for name in group}


def _run(stage: Callable[..., Any], settings: Any, workers: Workers, space: Workspace) -> Any:
    return stage(space, settings, workers)


def tissue(seed: int, neurons: int = NEURONS, side: int = SIDE, damaged: bool = True) -> Tissue:
    """Fresh tissue of a random circuit, sections out of place and damaged, with barcodes and transmitters."""
    rng = np.random.default_rng(seed)
    settings = TissueSettings(barcodes=BARCODES, transmitters=True)
    if damaged:
        settings = TissueSettings(barcodes=BARCODES, transmitters=True, damage=STANDARD_DAMAGE)
    return grow(random_circuit(neurons, rng), (side, side, side), rng, settings)


def reconstruct(made: Tissue, using: Mapping[str, Stage]) -> RoundTrip:
    """One round trip in a folder that is removed after it."""
    with tempfile.TemporaryDirectory() as folder:
        return round_trip(made, folder, using)


def roundtrip_bars() -> Iterator[Bar]:
    """Edge F1 with default settings on tissue of unseen seeds."""
    results = [reconstruct(tissue(seed), stages()) for seed in SEEDS]
    plain = [result.edges.plain.f1 for result in results]
    weighted = [result.edges.weighted.f1 for result in results]
    yield Bar(
        what=f"connectome of {NEURONS} neurons -> tissue of {SIDE}^3 voxels -> connectome, edges, {len(SEEDS)} seeds",
        bar=f"F1 at least {F1}",
        measured=f"F1 {np.mean(plain):.2f} ({min(plain):.2f} to {max(plain):.2f}), weighted {np.mean(weighted):.2f}",
        met=float(np.mean(plain)) >= F1,
        command=COMMAND,
    )


def main(
    neurons: Annotated[int, typer.Option(help="Of the random circuit.")] = NEURONS,
    side: Annotated[int, typer.Option(help="Of the volume, voxels of 10 nm.")] = SIDE,
    seed: Annotated[int, typer.Option(help="Of circuit and tissue.")] = SEEDS[0],
    damaged: Annotated[bool, typer.Option(help="Whether sections are out of place and damaged.")] = True,
) -> None:
    """Print what the pipeline loses, and which stage loses it."""
    made = tissue(seed, neurons, side, damaged)
    print(f"{made.connectome}, {len(made.synapses)} synapses, {len(made.cells)} cells, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        print(ablation(made, folder, stages()).round(3).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
