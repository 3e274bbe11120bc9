"""Stage 6, Synapses: where one segment sends to another, how sure that is, and with which transmitter.

Every block looks along the contacts of its segments for places where the dark goes deep, judges each with two logistic
models (is it a synapse, which side sends), and writes its own rows; the rows of all blocks are the table `synapses`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .blocks import Block, Workers, grid, run_blocks
from .clefts import REACH_NM as CLEFT_REACH_NM
from .clefts import Clefts, clefts, tone
from .contacts import CELL_NM, Contacts, contacts
from .logistic import fingerprint, read_models
from .synapse_features import REACH_NM, Features, features
from .synapse_transmitters import transmitters
from .tables import SYNAPSES, write_table
from .tissue_channels import TRANSMITTERS
from .volume import Voxel
from .workspace import Workspace

__all__ = ["Candidates", "SynapseSettings", "candidates", "synapses"]

STAGE = "synapses"
MODEL = "synapse_model.csv"
HALO_NM = max(CLEFT_REACH_NM, REACH_NM) + 2 * CELL_NM  # nm around a core that decide on what is in it


@dataclass(frozen=True, kw_only=True)
class SynapseSettings:
    """How synapses are found."""

    block: tuple[int, int, int] = (128, 256, 256)  # voxels, core
    least_score: float = (
        1.2  # standard deviations of all contacts, below which a place is no candidate; of scripts/train_synapses.py
    )
    min_confidence: float = 0.1  # 0 to 1; what is less sure is not written; the graph chooses its own, higher
    transmitters: tuple[str, ...] = TRANSMITTERS  # what the channels of the image "transmitters" show, in order

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"SynapseSettings: min_confidence ({self.min_confidence}) must be between 0 and 1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Places that may be synapses, with what is known of them; k of them."""

    contacts: Contacts
    clefts: Clefts
    features: Features

    @property
    def pair(self) -> NDArray[np.uint64]:
        """Shape (k, 2), both segments, the lower first."""
        return self.contacts.pair[self.clefts.patch]

    def within(self, keep: NDArray[np.bool_]) -> Candidates:
        """Some of them."""
        clefts_cut = Clefts(**{name: values[keep] for name, values in vars(self.clefts).items()})
        features_cut = Features(**{name: values[keep] for name, values in vars(self.features).items()})
        return Candidates(contacts=self.contacts, clefts=clefts_cut, features=features_cut)


def synapses(
    space: Workspace,
    settings: SynapseSettings | None = None,
    workers: Workers | None = None,
    image: str = "clean",
    labels: str = "proofread",
) -> pd.DataFrame:
    """Find the synapses of a workspace and write the table `synapses`.

    Args:
        space: holds image and labels; receives the table and the record of stage "synapses".
        settings: how.
        workers: who does it.
        image: name of the image; its channels "transmitters" are read where they are.
        labels: name of the segments.

    Returns:
        The table, see `tables.SYNAPSES`, sorted by place.
    """
    settings, workers = settings or SynapseSettings(), workers or Workers()
    volume, segments = space.volume(image), space.segmentation(labels)
    key = {"image": image, "labels": labels, "shape": volume.shape, "model": fingerprint(MODEL), **asdict(settings)}
    size = tuple(min(side, n) for side, n in zip(settings.block, volume.shape, strict=True))
    blocks = grid(segments.shape, size, _halo(volume.voxel_nm))
    if space.begin(STAGE, key):
        task = partial(_find_block, space.folder, image, labels, settings)
        run_blocks(task, blocks, space.markers(STAGE) / "blocks", workers, STAGE)
    table = pd.concat([pd.read_parquet(_rows(space.folder, block)) for block in blocks], ignore_index=True)
    table = table.sort_values(["z_um", "y_um", "x_um", "pre", "post"], kind="stable", ignore_index=True)
    write_table(space, STAGE, table)
    space.finish(STAGE, {"synapses": len(table), "sure": int((table["confidence"] >= 0.5).sum()), "settings": key})
    return table


def candidates(
    labels: NDArray[Any],
    image: NDArray[np.uint8],
    voxel_nm: Voxel,
    least_score: float,
    corner: tuple[int, int, int] = (0, 0, 0),
) -> Candidates:
    """All places of a part of a volume that may be synapses.

    Args:
        labels: shape (z, y, x).
        image: shape (z, y, x).
        voxel_nm: size of a voxel, nm.
        least_score: of a place, standard deviations of all contacts.
        corner: voxel of the volume that the part begins at.
    """
    found = contacts(labels, image, voxel_nm, corner)
    tones = tone(found)
    places = clefts(found, tones, least_score)
    return Candidates(
        contacts=found,
        clefts=places,
        features=features(labels, image, voxel_nm, corner, tones, found, places),
    )


def _halo(voxel_nm: Voxel) -> tuple[int, int, int]:
    z, y, x = (int(np.ceil(HALO_NM / side)) for side in voxel_nm)
    return z, y, x


def _rows(folder: Path, block: Block) -> Path:
    return folder / "parts" / STAGE / f"{block.name}.parquet"


def _find_block(folder: Path, image: str, labels: str, settings: SynapseSettings, block: Block) -> None:
    space = Workspace(folder)
    volume = space.volume(image)
    names = space.segmentation(labels).read(block.padded)
    names = np.where(volume.read_invalid(block.padded), names.dtype.type(0), names)
    found = candidates(names, volume.read(block.padded), volume.voxel_nm, settings.least_score, block.padded.start)
    at = np.floor(found.contacts.place_nm[found.clefts.patch] / np.array(volume.voxel_nm) + 1e-6)
    found = found.within(((at >= block.core.start) & (at < block.core.stop)).all(axis=1))
    rows = _judged(found).assign(block=block.name, transmitter="")
    rows = rows[rows["confidence"] >= settings.min_confidence].reset_index(drop=True)
    if "transmitters" in volume.channels:
        place = rows[["z_um", "y_um", "x_um"]].to_numpy() * 1e3
        towards = rows[["to_z", "to_y", "to_x"]].to_numpy()
        shown = transmitters(
            volume.channels["transmitters"], settings.transmitters, block.padded, volume.voxel_nm, place, towards
        )
        rows["transmitter"] = np.array(shown, dtype=object)
    _write(_rows(folder, block), rows[list(SYNAPSES)].astype(SYNAPSES))


def _judged(found: Candidates) -> pd.DataFrame:
    """Rows of candidates with direction and confidence; to_z, to_y, to_x is the unit vector towards the sender."""
    models = read_models(MODEL)
    there = models["synapse"].probability(found.features.detection)
    forward = models["direction"].probability(found.features.direction)
    first = forward >= 0.5
    pair, normal = found.pair, found.contacts.normal[found.clefts.patch]
    towards = np.where(first[:, None], -normal, normal)
    rows = pd.DataFrame(found.clefts.place_nm * 1e-3, columns=["z_um", "y_um", "x_um"])
    rows[["to_z", "to_y", "to_x"]] = towards
    return rows.assign(
        pre=np.where(first, pair[:, 0], pair[:, 1]),
        post=np.where(first, pair[:, 1], pair[:, 0]),
        voxels=found.features.voxels,
        confidence=there * np.maximum(forward, 1 - forward),
        model=f"contact-logistic {fingerprint(MODEL)}",
    )


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    table.to_parquet(temporary, index=False)
    temporary.replace(path)
