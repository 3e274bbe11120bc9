"""Stage 7, Cell types: whether a segment is glia, and its type where a user gives examples.

A segment is glia or neuron first, by a logistic regression on its shape, greys and synapses; the table `cells` gets one
row a segment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .blocks import Workers
from .cell_features import FEATURES, cell_features
from .cell_sums import cell_sums
from .cell_types import known_types, predict_types
from .coarse import coarse
from .logistic import fingerprint, read_models
from .tables import CELLS, SYNAPSES, read_table, write_table
from .volume import Voxel
from .workspace import Workspace

__all__ = ["CellTypeSettings", "celltype", "described"]

STAGE = "cells"
MODEL = "celltype_model.csv"


@dataclass(frozen=True, kw_only=True)
class CellTypeSettings:
    """How cells are told apart."""

    block: tuple[int, int, int] = (128, 256, 256)  # voxels, core
    types: Path | None = None  # CSV of cells whose type is known, see `cell_types.known_types`; None: no types
    max_glia: float = 0.5  # probability of being glia above which a segment gets no type


def celltype(
    space: Workspace,
    settings: CellTypeSettings | None = None,
    workers: Workers | None = None,
    image: str = "clean",
    labels: str = "proofread",
) -> pd.DataFrame:
    """Describe the segments of a workspace and write the table `cells`.

    Args:
        space: holds image and labels, and the table `synapses` where that stage has run; receives the table and the
            record of stage "cells".
        settings: how.
        workers: who does it.
        image: name of the image.
        labels: name of the segments.

    Returns:
        The table, see `tables.CELLS`, sorted by label.
    """
    settings, workers = settings or CellTypeSettings(), workers or Workers()
    totals, features = described(space, settings, workers, image, labels)
    glia = read_models(MODEL)["glia"].probability(features.to_numpy())
    types, sure = np.full(len(totals), "", dtype=object), np.zeros(len(totals))
    if settings.types is not None:
        known = totals["label"].map(known_types(settings.types, space, labels)).fillna("").to_numpy(dtype=object)
        neuron = (glia <= settings.max_glia) | (known != "")
        types[neuron], sure[neuron] = predict_types(features.to_numpy()[neuron], known[neuron])
    table = _table(totals, space.voxel_nm(labels)).assign(glia=glia, type=types, type_probability=sure, barcode="")
    write_table(space, STAGE, table)
    record = {"segments": len(table), "glia": int((glia > settings.max_glia).sum()), "model": fingerprint(MODEL)}
    space.finish(STAGE, record | {"settings": asdict(settings) | {"types": str(settings.types)}})
    return table[list(CELLS)]


def described(
    space: Workspace, settings: CellTypeSettings, workers: Workers, image: str, labels: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums and features of every segment, one row a segment each."""
    key = {"image": image, "labels": labels, "shape": space.segmentation(labels).shape, "block": settings.block}
    space.begin(STAGE, key)
    size = tuple(min(side, n) for side, n in zip(settings.block, space.segmentation(labels).shape, strict=True))
    totals = cell_sums(space, STAGE, image, labels, size, workers)
    synapses = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SYNAPSES.items()})
    if (space.folder / "synapses.parquet").exists():
        synapses = read_table(space, "synapses")
    segments = space.segmentation(labels)
    features = cell_features(totals, coarse(segments), synapses, segments.voxel_nm)
    return totals, features[list(FEATURES)]


def _table(totals: pd.DataFrame, voxel_nm: Voxel) -> pd.DataFrame:
    """Label, size and centre."""
    voxels = totals["voxels"].to_numpy()
    table = pd.DataFrame({"label": totals["label"], "voxels": voxels})
    table["volume_um3"] = voxels * float(np.prod(voxel_nm)) * 1e-9
    for axis, size in zip("zyx", voxel_nm, strict=True):
        table[f"{axis}_um"] = (totals[axis].to_numpy() / voxels + 0.5) * size * 1e-3
    return table
