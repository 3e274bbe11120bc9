"""Train what tells glia from neurons: `python -m animat.scripts.train_celltypes FOLDER`, after `train_synapses`.

Synthetic tissue of the training seeds is grown in FOLDER (or found there), with its true labels and with animat's own
segmentation of it. One logistic regression is fitted and written to `brains/imaging/celltype_model.csv`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from ..brains.imaging.blocks import Workers
from ..brains.imaging.cell_features import FEATURES
from ..brains.imaging.celltype import CellTypeSettings, described
from ..brains.imaging.logistic import fit
from ..brains.imaging.synapses import SynapseSettings, synapses
from .tissue_examples import TRAINING, Example, example, majority

RIDGE = 1.0  # inverse strength

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def cells_of(tissue: Example, labels: str) -> tuple[Floats, Bools, NDArray[np.int64]]:
    """Features of every segment, whether most of it is glia, and its voxels."""
    quiet = Workers(progress=False)
    synapses(tissue.space, SynapseSettings(), quiet, labels=labels)
    totals, features = described(tissue.space, CellTypeSettings(), quiet, "clean", labels)
    kind = tissue.cells.set_index("label")["kind"]
    real = totals["label"].astype(np.int64).map(majority(tissue.read(labels), tissue.read("true")))
    return features.to_numpy(), real.map(kind).to_numpy() == "glia", totals["voxels"].to_numpy()


def train_celltypes(
    folder: Annotated[Path, typer.Argument(help="Where the tissue is grown and kept.")],
    out: Annotated[Path, typer.Option(help="Table to write.")] = Path("brains/imaging/celltype_model.csv"),
    seeds: Annotated[int, typer.Option(help="How many of the training seeds.")] = len(TRAINING),
) -> None:
    """Grow, describe, fit, write."""
    parts = [cells_of(example(seed, folder), labels) for seed in TRAINING[:seeds] for labels in ("true", "labels")]
    glia = np.concatenate([part[1] for part in parts])
    model = fit(FEATURES, np.concatenate([part[0] for part in parts]), glia, c=RIDGE)
    source = f"scripts/train_celltypes.py on synthetic tissue of seeds {TRAINING[0]} to {TRAINING[seeds - 1]}"
    temporary = out.with_name(out.name + ".part")
    model.table("glia", source).to_csv(temporary, index=False)
    temporary.replace(out)
    typer.echo(f"{out}: {len(glia)} segments, {int(glia.sum())} of them glia")


if __name__ == "__main__":
    typer.run(train_celltypes)
