"""How well synapses and cell types are found, on synthetic tissue that nothing was trained on and on real tissue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from ..brains.imaging.blocks import Workers
from ..brains.imaging.scoring_graph import Detection, score_synapses
from ..brains.imaging.synapses import SynapseSettings, synapses
from .bench import Bar
from .tissue_examples import JUDGING, Example, example, majority

COMMAND = "animat bench imaging-synapses"
SURE = 0.5  # confidence at which a synapse counts: the graph's default
ONE_CLEFT_NM = 90.0  # nm, `TissueSettings.cleft_radius_nm`: densities of one pair nearer than that run into one
PLACE, TRUE_PLACE = ["z_um", "y_um", "x_um"], ["z_nm", "y_nm", "x_nm"]


def imaging_synapses_bars() -> Iterator[Bar]:
    """Every figure of the two stages with its bar."""
    folder = _folder()
    tissues = [example(seed, folder) for seed in JUDGING]
    whole = total([judged(tissue, "true") for tissue in tissues])
    yield _bar("synapses on true labels: place, pair, direction", "F1 at least 0.85", str(whole), whole.f1 >= 0.85)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


@lru_cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="animat-"))


def found_synapses(tissue: Example, labels: str) -> pd.DataFrame:
    """The stage's table, with pre_true and post_true: the true label that most of each segment is."""
    table = synapses(tissue.space, SynapseSettings(), Workers(progress=False), labels=labels)
    real = majority(tissue.read(labels), tissue.read("true"))
    return table.assign(pre_true=table["pre"].map(real), post_true=table["post"].map(real))


def judged(tissue: Example, labels: str, one_cleft: bool = False, partners: bool = True) -> Detection:
    """Synapses found on some labels against the true ones.

    Args:
        tissue: where.
        labels: "true" or "labels".
        one_cleft: whether true synapses of one pair whose clefts run into one another count once.
        partners: whether pair and direction must be right.
    """
    found = found_synapses(tissue, labels)
    found = found[found["confidence"] >= SURE]
    truth = apart(tissue.synapses) if one_cleft else tissue.synapses
    pairs = (found[["pre_true", "post_true"]], truth[["pre_label", "post_label"]]) if partners else (None, None)
    return score_synapses(
        found[PLACE].to_numpy() * 1e3, truth[TRUE_PLACE], found_partners=pairs[0], truth_partners=pairs[1]
    )


def apart(truth: pd.DataFrame) -> pd.DataFrame:
    """True synapses without those that lie in the cleft of an earlier one of the same pair."""
    kept: list[int] = []
    places = truth[TRUE_PLACE].to_numpy()
    pairs = truth[["pre_label", "post_label"]].to_numpy()
    for row in range(len(truth)):
        same = [k for k in kept if (pairs[k] == pairs[row]).all()]
        if all(np.linalg.norm(places[k] - places[row]) > ONE_CLEFT_NM for k in same):
            kept.append(row)
    return truth.iloc[kept]


def total(parts: list[Detection]) -> Detection:
    """All together."""
    return Detection(
        hits=sum(part.hits for part in parts),
        found=sum(part.found for part in parts),
        truth=sum(part.truth for part in parts),
    )
