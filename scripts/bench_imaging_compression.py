"""What compression saves and what it costs: labels, images with the segmentation they still give, and wiring."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..brains.compact import CompactConnectome
from ..brains.connectome import Source
from ..brains.imaging.blocks import Workers
from ..brains.imaging.compression import Packed, archive
from ..brains.imaging.scoring import relabel_components, score_segmentation
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.workspace import Workspace
from .bench import EM, Bar

COMMAND = "animat bench imaging-compression"
HELD_OUT = slice(110, 170)  # sections of FIB-25 training_sample2 on which nothing was chosen
DISTANCES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 25.0)  # JPEG XL's butteraugli distance
QUIET = Workers(progress=False)


def compression_bars(folder: Path = EM) -> Iterator[Bar]:
    """Every figure of the stage "compress" with its bar."""
    with tempfile.TemporaryDirectory() as work:
        yield _labels(folder, Path(work) / "labels")
        yield from _images(folder, Path(work))
        yield _wiring(folder.parent / "fly", Path(work) / "wiring")


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def _labels(folder: Path, work: Path) -> Bar:
    import crackle

    labels = crackle.decompress(gzip.decompress((folder / "pinky40_labels_512.ckl.gz").read_bytes())).T
    space = Workspace(work)
    space.create("labels", labels.shape, np.uint64, (40, 4, 4))[:] = labels
    packed = archive(space, "labels", QUIET)
    same = np.array_equal(np.asarray(Workspace(work / "archive").array("labels")[:]), labels)
    what = "pinky40 labels, 512^3, chunks of 128^3, against 8 bytes a voxel"
    text = f"{packed.ratio:.0f}x, {'lossless' if same else 'DAMAGED'}"
    return _bar(what, "250x, lossless", text, same and packed.ratio >= 250)


def _images(folder: Path, work: Path) -> Iterator[Bar]:
    """One line a distance: how small the image gets, and how well what is left of it segments."""
    with np.load(folder / "fib25_ts2_z000-170.npz", allow_pickle=False) as arrays:
        raw, truth = arrays["raw"][HELD_OUT], relabel_components(arrays["gt"][HELD_OUT])
    for packed, arand, voi in (_image(raw, truth, distance, work / f"{distance}") for distance in DISTANCES):
        text = f"{packed.ratio:.1f}x, {packed.psnr_db:.1f} dB: ARAND {arand:.3f}, VOI {voi:.3f} bits"
        yield _bar(f"FIB-25 z 110:170, image at distance {packed.name}", "reported, no bar", text, True)


def _image(raw: NDArray[np.uint8], truth: NDArray[Any], distance: float, work: Path) -> tuple[Packed, float, float]:
    space = Workspace(work)
    space.create("image", raw.shape, np.uint8, (10, 10, 10))[:] = raw
    packed = archive(space, "image", QUIET, distance)
    space.create("clean", raw.shape, np.uint8, (10, 10, 10))[:] = Workspace(work / "archive").array("image")[:]
    labels = segment(space, SegmentSettings(), QUIET)
    score = score_segmentation(np.asarray(labels.labels[:]), truth)
    named = Packed(
        name=f"{distance:g}", raw_bytes=packed.raw_bytes, stored_bytes=packed.stored_bytes, psnr_db=packed.psnr_db
    )
    return named, score.arand, score.voi_split + score.voi_merge


def _wiring(folder: Path, work: Path) -> Bar:
    """The larval brain's wiring as it is stored, without its neuron table, against a dense matrix."""
    edges = pd.read_csv(folder / "larva_winding2023_edges.csv.gz")
    ids = np.unique(edges[["pre", "post"]].to_numpy())
    pre, post = (np.searchsorted(ids, edges[side]) for side in ("pre", "post"))
    order = np.lexsort((post, pre))
    wiring = CompactConnectome(
        neurons=_nameless(ids),
        start=np.searchsorted(pre[order], np.arange(len(ids) + 1)).astype(np.int64),
        target=post[order].astype(np.int32),
        count=edges["syn"].to_numpy()[order].astype(np.int16),
        sign=np.zeros(len(order), dtype=np.int8),
        source=Source("Winding et al. 2023"),
    )
    wiring.save(work)
    stored = sum((work / f"{name}.npy").stat().st_size for name in wiring.arrays)
    ratio = wiring.n**2 * 8 / stored
    what = f"larval brain, {wiring.n:,} neurons, {wiring.edges:,} edges, against a dense matrix of 8 bytes"
    return _bar(what, "100x", f"{ratio:.0f}x", ratio >= 100)


def _nameless(ids: NDArray[np.int64]) -> pd.DataFrame:
    table = pd.DataFrame({"name": [str(i) for i in ids], "type": "", "role": "unclassified", "transmitter": ""})
    return table.assign(side="", x_um=np.nan, y_um=np.nan, z_um=np.nan)
