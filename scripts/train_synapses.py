"""Train what tells synapses from other dark contacts: `python -m animat.scripts.train_synapses FOLDER`.

Synthetic tissue of the training seeds is grown in FOLDER (or found there), with its true labels and with animat's own
segmentation of it. Two logistic regressions are fitted and written to `brains/imaging/synapse_model.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from ..brains.imaging.logistic import fit
from ..brains.imaging.scoring_graph import NM
from ..brains.imaging.synapse_features import DETECTION, DIRECTION
from ..brains.imaging.synapses import Candidates, SynapseSettings, candidates
from .tissue_examples import ISOTROPIC, TRAINING, Example, example, majority

RIDGE = 10.0  # inverse strength, of 1 and 10 the better in cross-validation over the training seeds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """Candidates of one tissue and what they are: n of them."""

    found: Candidates
    synapse: Bools  # (n,), whether it is one
    forward: Bools  # (n,), whether the first segment sends


def lesson(tissue: Example, labels: str) -> Lesson:
    """Candidates on the true labels ("true") or on those of a segmentation ("labels")."""
    names = tissue.read(labels)
    found = candidates(names, tissue.read("clean"), tissue.voxel_nm, SynapseSettings().least_score)
    real = {int(label): int(label) for label in np.unique(names)}
    if labels != "true":
        real = majority(names, tissue.read("true"))
    pair = np.array([[real[int(a)], real[int(b)]] for a, b in found.pair]).reshape(-1, 2)
    synapse, forward = _answers(pair, found.clefts.place_nm, tissue.synapses)
    return Lesson(found=found, synapse=synapse, forward=forward)


def _answers(pair: NDArray[Any], place_nm: Floats, truth: pd.DataFrame) -> tuple[Bools, Bools]:
    """The candidate nearest to each true synapse, of its pair and near enough, is one."""
    synapse, forward = np.zeros(len(pair), dtype=np.bool_), np.zeros(len(pair), dtype=np.bool_)
    places = truth[["z_nm", "y_nm", "x_nm"]].to_numpy()
    for pre, post, place in zip(truth["pre_label"], truth["post_label"], places, strict=True):
        same = ((pair == (pre, post)) | (pair == (post, pre))).all(axis=1)
        away = np.where(same, np.linalg.norm(place_nm - place, axis=1), np.inf)
        if len(away) and away.min() <= NM:
            synapse[away.argmin()] = True
            forward[away.argmin()] = pair[away.argmin(), 0] == pre
    return synapse, forward


def fitted(lessons: list[Lesson], ridge: float, source: str) -> pd.DataFrame:
    """The table of both models."""
    synapse = np.concatenate([one.synapse for one in lessons])
    forward = np.concatenate([one.forward for one in lessons])[synapse]
    detection = np.concatenate([one.found.features.detection for one in lessons])
    direction = np.concatenate([one.found.features.direction for one in lessons])[synapse]
    models = {
        "synapse": fit(DETECTION, detection, synapse, c=ridge),
        "direction": fit(DIRECTION, direction, forward, odd=True, c=ridge),
    }
    return pd.concat([model.table(name, source) for name, model in models.items()], ignore_index=True)


def train_synapses(
    folder: Annotated[Path, typer.Argument(help="Where the tissue is grown and kept.")],
    out: Annotated[Path, typer.Option(help="Table to write.")] = Path("brains/imaging/synapse_model.csv"),
    seeds: Annotated[int, typer.Option(help="How many of the training seeds.")] = len(TRAINING),
) -> None:
    """Grow, look, fit, write."""
    lessons = []
    for seed in TRAINING[:seeds]:
        tissue = example(seed, folder)
        arrays = ("true", "labels") if tissue.voxel_nm == ISOTROPIC else ("true",)  # thick sections: segmentation fails
        lessons += [lesson(tissue, labels) for labels in arrays]
        typer.echo(f"seed {seed}: {len(lessons[-1].synapse)} candidates, {lessons[-1].synapse.sum()} of them synapses")
    source = f"scripts/train_synapses.py on synthetic tissue of seeds {TRAINING[0]} to {TRAINING[seeds - 1]}"
    temporary = out.with_name(out.name + ".part")
    fitted(lessons, RIDGE, source).to_csv(temporary, index=False)
    temporary.replace(out)
    typer.echo(f"{out}: {sum(int(one.synapse.sum()) for one in lessons)} synapses")


if __name__ == "__main__":
    typer.run(train_synapses)
