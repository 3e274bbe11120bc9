"""Synthetic tissue on disk, as the imaging stages read it, with what is true of it: to train on and to be judged by.

Seeds below 2000 are for training, those from 2000 on for judging; no other tissue is used for either.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..brains.imaging.blocks import Workers
from ..brains.imaging.scoring import contingency
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.tissue import TissueSettings, grow
from ..brains.imaging.tissue_circuits import random_circuit
from ..brains.imaging.volume import Voxel
from ..brains.imaging.workspace import Workspace

__all__ = ["ISOTROPIC", "JUDGING", "TRAINING", "Example", "example", "majority"]

TRAINING = tuple(range(1000, 1016))  # seeds
JUDGING = tuple(range(2000, 2006))
ISOTROPIC: Voxel = (10.0, 10.0, 10.0)  # nm
SECTIONS: Voxel = (40.0, 8.0, 8.0)  # nm, of every fourth seed
SIDE_NM = 1600.0  # nm, of the cube that is grown
NEURONS = 7  # about 11 synapses a um3


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A workspace with arrays clean, clean_transmitters, true and labels (the default segmentation of clean)."""

    seed: int
    space: Workspace
    synapses: pd.DataFrame  # of `Tissue`, and transmitter
    cells: pd.DataFrame  # of `Tissue`

    @property
    def voxel_nm(self) -> Voxel:
        """Size of a voxel, nm."""
        return self.space.voxel_nm("clean")

    def read(self, name: str) -> NDArray[Any]:
        """An array of the workspace."""
        return np.asarray(self.space.array(name)[:])


def example(seed: int, folder: Path) -> Example:
    """Tissue of a seed, grown and segmented if it is not in the folder yet."""
    space = Workspace(folder / str(seed))
    truth = [space.folder / f"true_{name}.parquet" for name in ("synapses", "cells")]
    if not all(path.exists() for path in truth):
        _grow(seed, space, *truth)
    segment(space, SegmentSettings(), Workers(progress=False))
    return Example(seed=seed, space=space, synapses=pd.read_parquet(truth[0]), cells=pd.read_parquet(truth[1]))


def _grow(seed: int, space: Workspace, synapses: Path, cells: Path) -> None:
    rng = np.random.default_rng(seed)
    voxel = SECTIONS if seed % 4 == 3 else ISOTROPIC
    settings = TissueSettings(voxel_nm=voxel, transmitters=True, passing_share=0.6 if seed % 2 else 0.85)
    z, y, x = (round(SIDE_NM / side) for side in voxel)
    tissue = grow(random_circuit(NEURONS, rng), (z, y, x), rng, settings)
    stains = np.asarray(tissue.volume.channels["transmitters"][:])
    images = {
        "clean": np.asarray(tissue.clean.data),
        "clean_transmitters": stains,
        "true": np.asarray(tissue.truth.labels),
    }
    for name, data in images.items():
        space.create(name, data.shape, data.dtype, voxel)[:] = data
    makes = tissue.connectome.neurons.set_index("name")["transmitter"]
    tissue.cells.to_parquet(cells)
    tissue.synapses.assign(transmitter=tissue.synapses["pre"].map(makes)).to_parquet(synapses)


def majority(found: NDArray[Any], truth: NDArray[Any]) -> dict[int, int]:
    """The true label that most of each found label's voxels have; several found labels may share one."""
    counts, truth_names, found_names = contingency(found, truth)
    best = np.asarray(counts.tocsc().argmax(axis=0)).ravel()
    return dict(zip(found_names.tolist(), truth_names[best].tolist(), strict=True))
