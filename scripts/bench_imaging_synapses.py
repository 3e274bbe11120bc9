"""How well synapses and cell types are found, on synthetic tissue that nothing was trained on and on real tissue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..brains.imaging.blocks import Workers
from ..brains.imaging.celltype import CellTypeSettings, celltype
from ..brains.imaging.scoring_graph import NM, Detection, score_synapses
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.synapses import SynapseSettings, synapses
from ..brains.imaging.workspace import Workspace
from .bench import Bar
from .tissue_examples import ISOTROPIC, JUDGING, Example, example, majority
from .train_celltypes import cells_of

COMMAND = "animat bench imaging-synapses"
SURE = 0.5  # confidence at which a synapse counts: the graph's default
PLACE, TRUE_PLACE = ["z_um", "y_um", "x_um"], ["z_nm", "y_nm", "x_nm"]
VNC = Path(__file__).resolve().parents[2] / "shared" / "data" / "em" / "vnc_stack1_z00-12.npz"
VNC_NM = 200.0  # nm; assumed: the sections are 45 nm thick and labels cover the whole density, 300 nm and more
VNC_SOURCE = "unidesigner/groundtruth-drosophila-vnc, stack 1, CC BY-NC-SA 3.0"
BINS = 10  # of the reliability curve

Floats = NDArray[np.float64]


def imaging_synapses_bars() -> Iterator[Bar]:
    """Every figure of the two stages with its bar."""
    tissues = [example(seed, _folder()) for seed in JUDGING]
    even = [tissue for tissue in tissues if tissue.voxel_nm == ISOTROPIC]
    score = total([judged(tissue, "true") for tissue in even])
    yield _bar("synapses by place, pair, direction; true labels, 10 nm", "F1 at least 0.85", score, score.f1 >= 0.85)
    for what, labels, parts in (
        ("... in sections of 40 nm", "true", [tissue for tissue in tissues if tissue not in even]),
        ("... on animat's own segmentation, 10 nm", "labels", even),
    ):
        score = total([judged(tissue, labels) for tissue in parts])
        yield _bar(what, "F1 at least 0.85", score, score.f1 >= 0.85)
    score = total([judged(tissue, "labels", partners=False) for tissue in even])
    yield _bar("... by place alone", "F1 at least 0.85", score, score.f1 >= 0.85)
    error = calibration(*confidences(even, "true"))
    yield _bar("confidence of synapses, true labels", "off by at most 0.05", f"{error:.3f}", error <= 0.05)
    share, shown = transmitter_share(even)
    yield _bar("transmitter of found synapses", "95 % right", f"{share:.1%}, shown at {shown:.1%}", share >= 0.95)
    yield from _glia_bars(even)
    yield from _speed_bars(even[0])
    if VNC.exists():
        yield from _vnc_bars()


def _glia_bars(tissues: list[Example]) -> Iterator[Bar]:
    from sklearn.metrics import roc_auc_score

    from ..brains.imaging.logistic import read_models

    parts = [cells_of(tissue, "true") for tissue in tissues]
    glia = np.concatenate([part[1] for part in parts])
    chance = read_models("celltype_model.csv")["glia"].probability(np.concatenate([part[0] for part in parts]))
    area, error = float(roc_auc_score(glia, chance)), calibration(chance, glia)
    yield _bar(f"glia among {len(glia)} segments, area under ROC", "at least 0.9", f"{area:.3f}", area >= 0.9)
    yield _bar("probability of glia", "off by at most 0.05", f"{error:.3f}", error <= 0.05)


def _speed_bars(tissue: Example, repeats: int = 3) -> Iterator[Bar]:
    """Both stages on true labels in one process, best of some runs by processor time."""
    times: list[float] = []
    for _ in range(repeats):
        for stage in ("synapses", "cells"):
            tissue.space.begin(stage, {"anew": len(times)})
        start = time.process_time()
        synapses(tissue.space, SynapseSettings(), Workers(progress=False), labels="true")
        celltype(tissue.space, CellTypeSettings(), Workers(progress=False), labels="true")
        times.append(time.process_time() - start)
    rate = np.prod(tissue.space.volume("clean").shape) / min(times) * 1e-6
    yield _bar("synapses and cell types, one core", "at least 5 Mvox/s", f"{rate:.1f} Mvox/s", bool(rate >= 5))


def _vnc_bars() -> Iterator[Bar]:
    found, truth = vnc()
    for within in (NM, VNC_NM):
        score = score_synapses(found, truth, within_nm=within)
        what = f"VNC stack 1 by place within {within:.0f} nm, own segmentation"
        yield _bar(what, "reported", score, True)


def _bar(what: str, bar: str, measured: object, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=str(measured), met=met, command=COMMAND)


@lru_cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="animat-"))


def found_synapses(tissue: Example, labels: str) -> pd.DataFrame:
    """The stage's table, with pre_true and post_true: the true label that most of each segment is."""
    table = synapses(tissue.space, SynapseSettings(), Workers(progress=False), labels=labels)
    real = majority(tissue.read(labels), tissue.read("true"))
    return table.assign(pre_true=table["pre"].map(real), post_true=table["post"].map(real))


def judged(tissue: Example, labels: str, partners: bool = True) -> Detection:
    """Synapses found on some labels against the true ones.

    Args:
        tissue: where.
        labels: "true" or "labels".
        partners: whether pair and direction must be right.
    """
    found, truth = found_synapses(tissue, labels), tissue.synapses
    found = found[found["confidence"] >= SURE]
    pairs = (found[["pre_true", "post_true"]], truth[["pre_label", "post_label"]]) if partners else (None, None)
    return score_synapses(
        found[PLACE].to_numpy() * 1e3, truth[TRUE_PLACE], found_partners=pairs[0], truth_partners=pairs[1]
    )


def total(parts: list[Detection]) -> Detection:
    """All together."""
    return Detection(
        hits=sum(part.hits for part in parts),
        found=sum(part.found for part in parts),
        truth=sum(part.truth for part in parts),
    )


def confidences(tissues: list[Example], labels: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidence of every synapse of the tables, and whether a true one of that pair and direction is near."""
    sure, right = [], []
    for tissue in tissues:
        found, truth = found_synapses(tissue, labels), tissue.synapses
        away = np.linalg.norm(found[PLACE].to_numpy()[:, None] * 1e3 - truth[TRUE_PLACE].to_numpy(), axis=2)
        pairs = found[["pre_true", "post_true"]].to_numpy()[:, None] == truth[["pre_label", "post_label"]].to_numpy()
        right.append(((away <= NM) & pairs.all(axis=2)).any(axis=1))
        sure.append(found["confidence"].to_numpy())
    return np.concatenate(sure), np.concatenate(right)


def calibration(chance: Floats, yes: NDArray[Any]) -> float:
    """Expected calibration error: mean gap of chance and share, over BINS bins weighed by what is in them."""
    bin_ = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = [abs(chance[bin_ == k].sum() - yes[bin_ == k].sum()) for k in range(BINS)]
    return float(sum(gaps) / max(len(chance), 1))


def transmitter_share(tissues: list[Example]) -> tuple[float, float]:
    """Share of transmitters that are right where one is shown, and share of sure synapses of neurons that show one."""
    right, shown, count = 0, 0, 0
    for tissue in tissues:
        found = found_synapses(tissue, "true")
        makes = tissue.synapses.drop_duplicates("pre").set_index("pre_label")["transmitter"]
        found = found[(found["confidence"] >= SURE) & found["pre_true"].isin(makes.index)]
        seen = found[found["transmitter"] != ""]
        right += int((seen["transmitter"] == seen["pre_true"].map(makes)).sum())
        shown, count = shown + len(seen), count + len(found)
    return right / max(shown, 1), shown / max(count, 1)


def vnc() -> tuple[Floats, Floats]:
    """Places of synapses found in the VNC stack and of those labelled there, nm.

    A labelled synapse is a connected piece of its label. One bar there faces several partners, of which each is a
    synapse to us: those found within `VNC_NM` of a surer one count as one.
    """
    from scipy import ndimage

    with np.load(VNC, allow_pickle=False) as file:
        image, marked = file["raw"], file["synapses"] > 0
        voxel = (45.0, 4.6, 4.6)  # nm; of the data's description
    space = Workspace(_folder() / "vnc")
    space.create("clean", image.shape, image.dtype, voxel)[:] = image
    segment(space, SegmentSettings(), Workers(progress=False))
    table = synapses(space, SynapseSettings(), Workers(progress=False), labels="labels")
    table = table[table["confidence"] >= SURE].sort_values("confidence", ascending=False, kind="stable")
    pieces, count = ndimage.label(marked, np.ones((3, 3, 3)))
    truth = (np.array(ndimage.center_of_mass(marked, pieces, range(1, count + 1))) + 0.5) * voxel
    return _apart(table[PLACE].to_numpy() * 1e3), truth.reshape(-1, 3)


def _apart(places: Floats) -> Floats:
    """Places without those near an earlier one."""
    kept: list[Floats] = []
    for place in places:
        if all(np.linalg.norm(place - other) > VNC_NM for other in kept):
            kept.append(place)
    return np.array(kept).reshape(-1, 3)
