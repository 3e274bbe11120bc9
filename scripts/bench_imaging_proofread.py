"""Stages "proofread" and barcodes held to their bars: `animat bench imaging-proofread`.

Judged on sections 110 to 169 of FIB-25 training_sample2, on a volume of another data set (gala), and on synthetic
tissue. Nothing was trained on any of them; results on the first two had been seen before the thresholds were fixed,
those on the tissue had not. The truth is cropped first and its connected pieces are then labels of their own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..brains.imaging.agglomerate import Agglomeration
from ..brains.imaging.blocks import Workers
from ..brains.imaging.pieces import read_pieces
from ..brains.imaging.proofread import ProofreadSettings, proofread
from ..brains.imaging.scoring import SegmentationScore, contingency, relabel_components, score_segmentation
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.tissue import TissueSettings, grow
from ..brains.imaging.tissue_circuits import random_circuit
from ..brains.imaging.workspace import Workspace
from .bench import EM, Bar
from .train_proofread import DEGREE, NEURONS, SHAPE

COMMAND = "animat bench imaging-proofread"
NM = (10.0, 10.0, 10.0)  # of FIB-25; gala's is not stated and taken to be the same
HELD_OUT = slice(110, 170)  # sections
SEEDS = (301, 302, 303)  # 201, 203 and 204 were looked at before the thresholds were fixed
CHANNELS = 20
TOO_FAR = 0.6  # threshold of agglomeration for the barcode bar: the default leaves hardly a merge error to undo
QUIET = Workers(progress=False)


def proofread_bars(folder: Path = EM) -> Iterator[Bar]:
    """Every figure of the stage with its bar; real volumes are left out where they are absent."""
    for name, file, sections in (
        ("FIB-25 z 110:170", "fib25_ts2_z000-170.npz", HELD_OUT),
        ("gala", "gala_train_50x100x200.npz", slice(None)),
    ):
        if (folder / file).exists():
            with np.load(folder / file, allow_pickle=False) as data:
                yield _edits_bar(name, *edits(data["raw"][sections], data["gt"][sections])[:2])
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        circuit = random_circuit(NEURONS, rng, out_degree=DEGREE)
        tissue = grow(circuit, SHAPE, rng, TissueSettings(barcodes=CHANNELS))
        channels = np.asarray(tissue.volume.channels["barcodes"])
        image, truth = np.asarray(tissue.clean.data[:]), np.asarray(tissue.truth.labels[:])
        yield _edits_bar(f"tissue {seed}", *edits(image, truth)[:2])
        found = edits(image, truth, channels, Agglomeration(threshold=TOO_FAR))
        yield _barcode_bar(f"tissue {seed}", found[1], found[2], found[3])


def _edits_bar(name: str, before: SegmentationScore, after: SegmentationScore) -> Bar:
    lower, higher = 1 - after.voi / before.voi, after.voi_merge / before.voi_merge - 1
    figures = f"VOI {before.voi:.3f} -> {after.voi:.3f} ({-100 * lower:+.1f} %), merge part {100 * higher:+.1f} %"
    met = lower >= 0.15 and higher <= 0.02
    return _bar(f"automatic proofreading, {name}", "VOI -15 %, merge part at most +2 %", figures, met)


def _barcode_bar(name: str, before: SegmentationScore, after: SegmentationScore, least: float) -> Bar:
    """Merge errors: the merge part of VOI above that of fragments each given to its neuron, which no edit can undo."""
    was, now = max(before.voi_merge - least, 0.0), max(after.voi_merge - least, 0.0)
    figures = f"{was:.3f} -> {now:.3f} bits, VOI {before.voi:.3f} -> {after.voi:.3f}"
    what = f"barcodes of 20 channels, 20 % dropout, {name} joined too far"
    return _bar(what, "half of merge errors gone", figures, 0 < was and now <= 0.5 * was)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def edits(
    image: NDArray[np.uint8],
    truth: NDArray[Any],
    channels: NDArray[np.uint8] | None = None,
    agglomeration: Agglomeration | None = None,
) -> tuple[SegmentationScore, SegmentationScore, SegmentationScore, float]:
    """Scores of the segmentation, proofread without and with barcodes, and the least merge part edits can reach."""
    known = relabel_components(truth)
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(folder)
        space.create("clean", image.shape, np.uint8, NM)[:] = image
        if channels is not None:
            space.create("clean_barcodes", channels.shape, np.uint8, NM)[:] = channels
        box = segment(space, SegmentSettings(agglomeration=agglomeration), QUIET).box
        plain = proofread(space, ProofreadSettings(barcodes=None), QUIET, out="plain")
        coded = proofread(space, ProofreadSettings(), QUIET, out="coded")
        found = (space.segmentation("labels"), plain, coded)
        before, after, best = (score_segmentation(np.asarray(one.labels[:]), known) for one in found)
        whole = read_pieces(space, "clean", "labels", QUIET).fragments(space, box)
        counts, names, fragments = contingency(whole, known)
        owner = np.zeros(int(whole.max()) + 1, dtype=np.int64)
        owner[fragments] = names[np.asarray(counts.toarray().argmax(axis=0)).ravel()]
        return before, after, best, score_segmentation(owner[whole], known).voi_merge
