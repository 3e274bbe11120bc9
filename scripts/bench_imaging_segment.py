"""Stage "segment" held to its bars: `python -m animat.scripts.bench_imaging_segment ../shared/data/em`.

Judged on sections 110 to 169 of FIB-25 training_sample2, which nothing was trained or chosen on, and on a volume of
another data set (gala). The truth is cropped first and its connected pieces are then labels of their own; voxels
without truth do not count.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..brains.imaging.blocks import Workers
from ..brains.imaging.boundary import Classical, classical_boundary
from ..brains.imaging.predictors import SHIPPED
from ..brains.imaging.scoring import SegmentationScore, relabel_components, score_segmentation
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.watershed import flood
from ..brains.imaging.workspace import Workspace
from .bench import EM, Bar

COMMAND = "animat bench imaging-segment"
NM = (10.0, 10.0, 10.0)  # of FIB-25; gala's is not stated and taken to be the same
HELD_OUT = slice(110, 170)  # sections


def segment_bars(folder: Path = EM) -> Iterator[Bar]:
    """Every figure of the stage with its bar."""
    fib25, gala = _load(folder / "fib25_ts2_z000-170.npz"), _load(folder / "gala_train_50x100x200.npz")
    slab = {name: values[HELD_OUT] for name, values in fib25.items()}
    plain = score(slab, "classical")
    yield _bar("training-free, held-out slab", "ARAND at most 0.25", str(plain), plain.arand <= 0.25)
    plain_gala = score(gala, "classical")
    yield _bar("training-free, gala", "reported", str(plain_gala), True)
    reference = filled(slab)
    yield _bar("published flood-filling result + watershed, held-out slab", "reported", str(reference), True)
    if SHIPPED.exists():
        trained = score(slab, "unet")
        yield _bar("U-Net, held-out slab", "ARAND at most 0.11", str(trained), trained.arand <= 0.11)
        other = score(gala, "unet")
        better = other.arand <= plain_gala.arand
        yield _bar("U-Net, gala", f"ARAND at most {plain_gala.arand:.3f}", str(other), better)
        speed = unet_speed(fib25["raw"][:128, :128, :128])
        yield _bar("U-Net inference, each second of each core", "1.5 Mvox", f"{speed:.2f} Mvox", speed >= 1.5)
    with np.load(folder / "fib25_ts1_raw_unlabelled.npz") as file:
        cube = file["raw"]
    rate = end_to_end(cube)
    yield _bar(
        "training-free, 250^3, image to labels, each second of each core", "0.5 Mvox", f"{rate:.2f} Mvox", rate >= 0.5
    )
    peak = peak_memory(cube)
    yield _bar("training-free, block of 256^3 and its halo", "1.5 GB", f"{peak:.2f} GB", peak <= 1.5)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in ("raw", "gt", "ffn_seg") if name in file.files}


def labels_of(image: NDArray[np.uint8], settings: SegmentSettings) -> NDArray[np.uint32]:
    """Labels of an image in memory."""
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(folder)
        space.create("clean", image.shape, np.uint8, NM)[:] = image
        found = segment(space, settings, Workers(progress=False))
        return np.asarray(found.labels[:], dtype=np.uint32)


def score(volume: dict[str, NDArray[Any]], predictor: str) -> SegmentationScore:
    """A volume segmented with the predictor's own settings, against its truth."""
    found = labels_of(volume["raw"], SegmentSettings(predictor=predictor))
    return score_segmentation(found, relabel_components(volume["gt"]))


def filled(volume: dict[str, NDArray[Any]]) -> SegmentationScore:
    """The published flood-filling segmentation, what it left open filled by watershed of the training-free boundary."""
    labels = volume["ffn_seg"].astype(np.uint32)
    flood(classical_boundary(volume["raw"], NM, Classical()), labels)
    return score_segmentation(labels, relabel_components(volume["gt"]))


def end_to_end(image: NDArray[np.uint8], repeats: int = 3) -> float:
    """Million voxels a second of processor time of one process, best of `repeats`; reading and writing is in it.

    Blocks share nothing, so two cores do twice as much: the bar of 1 Mvox/s on two cores is 0.5 here.
    """
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        labels_of(image, SegmentSettings())
        best = min(best, time.process_time() - start)
    return float(image.size / best / 1e6)


def unet_speed(image: NDArray[np.uint8], repeats: int = 3) -> float:
    """Million voxels a second of processor time of the network alone, best of `repeats`.

    In bf16 where the processor has it; the bar of 3 Mvox/s on two cores is 1.5 here.
    """
    import torch

    from ..brains.imaging.unet import load_weights, network_input, probabilities

    torch.set_num_threads(2)
    network, seen, best = load_weights(SHIPPED), network_input(image, NM), np.inf
    for _ in range(repeats + 1):
        start = time.process_time()
        probabilities(network, seen)
        best = min(best, time.process_time() - start)
    return float(image.size / best / 1e6)


def _one_block(cube: NDArray[np.uint8]) -> None:
    image = np.pad(cube, [(0, 288 - n) for n in cube.shape], mode="reflect")
    labels_of(image, SegmentSettings(block=(256, 256, 256), halo=(32, 32, 32)))


def peak_memory(cube: NDArray[np.uint8]) -> float:
    """Peak resident memory, GB, of a fresh process that segments 288^3 voxels in blocks of 256^3 with a halo."""
    from multiprocessing import get_context

    process = get_context("spawn").Process(target=_one_block, args=(cube,))
    process.start()
    process.join()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
