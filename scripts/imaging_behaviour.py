"""How a worm's answer to touch degrades with the errors of reconstructing its touch circuit from tissue.

One piece of tissue is grown from the circuit and segmented without training at several thresholds, from far too split
to far too merged; the synapses are the true ones, read off at the segments found, so that the errors are those of
segmentation alone. Every graph is put back into the worm, which is touched. Run:
`python -m animat.scripts.imaging_behaviour --out docs/roundtrip`.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from ..brains.connectome import Connectome
from ..brains.imaging.blocks import Workers
from ..brains.imaging.roundtrip import RoundTrip, Stage, round_trip, true_stages
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.tissue import Tissue, TissueSettings, grow
from ..brains.imaging.workspace import Workspace
from .bench_behaviour import episode
from .imaging_worm import PER_COUNT, put_back, touch_circuit

__all__ = ["behaviour", "curve"]

SIDE = 224  # voxels of 10 nm
THRESHOLDS = (0.1, 0.2, 0.3, 0.4)  # of agglomeration
TISSUE_SEED = 2000
SEEDS = (0, 1, 2)  # of the episodes
MEASURES = ("speed_anterior_mm_s", "speed_posterior_mm_s")


def behaviour(worm: Connectome, seeds: tuple[int, ...] = SEEDS) -> dict[str, float]:
    """Mean signed speed after touch of the front (negative is backwards) and of the rear, mm/s."""
    with tempfile.TemporaryDirectory() as folder:
        worm.save(Path(folder) / "worm")
        found = [episode(({"task": "touch", "brain": str(Path(folder) / "worm")}, seed)) for seed in seeds]
    return {measure: float(np.mean([one[measure] for one in found])) for measure in MEASURES}


def _segmented(threshold: float) -> Stage:
    def run(space: Workspace) -> Any:
        settings = SegmentSettings()
        found = settings.key()["agglomeration"]
        return segment(space, replace(settings, agglomeration=_at(found, threshold)), Workers(progress=False))

    return run


def _at(found: dict[str, Any], threshold: float) -> Any:
    from ..brains.imaging.agglomerate import Agglomeration

    return Agglomeration(**{**found, "threshold": threshold})


def _unproofed(space: Workspace) -> None:
    labels = space.array("labels")
    space.create("proofread", labels.shape, labels.dtype, space.voxel_nm("labels"))[:] = labels[:]


def reconstruct(tissue: Tissue, threshold: float | None) -> RoundTrip:
    """The tissue's graph with segmentation at a threshold and all else true; None: all true."""
    stages = true_stages(tissue)
    if threshold is not None:
        stages = {**stages, "segment": _segmented(threshold), "proofread": _unproofed}
    with tempfile.TemporaryDirectory() as folder:
        return round_trip(tissue, folder, stages)


def curve(thresholds: tuple[float, ...] = THRESHOLDS, seeds: tuple[int, ...] = SEEDS) -> pd.DataFrame:
    """A row for the published worm, one with no chemical synapse in the circuit, and one a reconstruction."""
    tissue = grow(
        touch_circuit(),
        (SIDE, SIDE, SIDE),
        np.random.default_rng(TISSUE_SEED),
        TissueSettings(synapses_per_count=PER_COUNT),
    )
    circuit = touch_circuit()
    whole = put_back(circuit, {name: name for name in circuit.names}, 1.0)
    rows: list[dict[str, Any]] = [
        {"graph": "published", "f1": 1.0, "weighted_f1": 1.0, **behaviour(whole, seeds)},
        {"graph": "none", "f1": 0.0, "weighted_f1": 0.0, **behaviour(put_back(circuit, {}, 1.0), seeds)},
    ]
    for threshold in (None, *thresholds):
        found = reconstruct(tissue, threshold)
        worm = put_back(found.connectome, found.match, PER_COUNT)
        name = "all true" if threshold is None else f"segmented at {threshold}"
        rows.append({"graph": name, **found.row(), **behaviour(worm, seeds)})
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def plot(table: pd.DataFrame, path: Path) -> None:
    """Edge F1 on x, speed after each touch on y."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    for measure, colour in zip(MEASURES, ("tab:blue", "tab:orange"), strict=True):
        axes.plot(table["f1"], table[measure], "o", color=colour, label=measure.split("_")[1] + " touch")
    axes.axhline(0, color="0.7", lw=0.8)
    axes.set(xlabel="edge F1 of the touch circuit", ylabel="speed after the touch, mm/s")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(out: Annotated[Path, typer.Option(help="Of OUT.csv and OUT.png.")] = Path("roundtrip")) -> None:
    """Measure the curve and draw it."""
    table = curve()
    table.round(4).to_csv(out.with_suffix(".csv"), index=False)
    plot(table, out.with_suffix(".png"))
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
