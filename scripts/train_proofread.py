"""Train the proofreader that ships with animat: `python -m animat.scripts.train_proofread fib25.npz OUT.csv`.

Segments sections 0 to 99 of FIB-25 `training_sample2` (janelia-flyem/neuroproof_examples; Creative Commons,
attribution) and synthetic tissue of seeds 101 to 103, cuts and joins the fragments at several thresholds, and fits
"are these two one neuron" to every contact. `--check` instead trains on sections 0 to 59 and seeds 101 and 102 and
scores the thresholds on sections 60 to 99 and seed 103: there they were chosen, though
after results of earlier ones on FIB-25 z 110:170, gala and seeds 201 to 204 had been seen.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from ..brains.imaging.agglomerate import Agglomeration, agglomerate
from ..brains.imaging.blocks import Workers
from ..brains.imaging.edits import numbered
from ..brains.imaging.merge_candidates import cut_apart
from ..brains.imaging.pair_features import Contacts, contacts, features
from ..brains.imaging.pieces import Pieces, read_pieces
from ..brains.imaging.region_graph import RegionGraph
from ..brains.imaging.same_neuron import SameNeuron, terms, write_model
from ..brains.imaging.scoring import SegmentationScore, contingency, relabel_components, score_segmentation
from ..brains.imaging.segment import SegmentSettings, segment
from ..brains.imaging.split_candidates import joined_up
from ..brains.imaging.tissue import grow
from ..brains.imaging.tissue_circuits import random_circuit
from ..brains.imaging.workspace import Workspace

Ints = NDArray[np.int64]
SOURCE = "scripts/train_proofread.py on FIB-25 training_sample2 z 0:100 and synthetic tissue of seeds 101-103"
SECTIONS, CHECK_FROM = 100, 60
SEEDS = (101, 102, 103)
SHAPE, NEURONS, DEGREE = (96, 160, 160), 12, 3  # of synthetic tissue
# thresholds and quantiles at which fragments are joined before contacts are taken: from none to too many
LEVELS = (
    (0.0, 0.0),
    (0.1, 0.03),
    (0.2, 0.03),
    (0.3, 0.03),
    (0.4, 0.03),
    (0.3, 0.1),
    (0.4, 0.25),
    (0.5, 0.25),
    (0.5, 0),
)
PURE = 0.6  # share of a region that one neuron must have for the region to teach anything
PENALTY = 0.01  # inverse strength of the L2 penalty, chosen by --check among 0.003, 0.01, 0.03
GRID = [(cut, join) for cut in (0.0, 0.1, 0.15, 0.2) for join in (0.6, 0.75, 0.9)]


def segmented(folder: Path, image: NDArray[np.uint8], truth: NDArray[Any]) -> tuple[Workspace, Pieces, NDArray[Any]]:
    """A segmented volume: its workspace, its fragments, and the voxels each fragment shares with each true label."""
    space = Workspace(folder)
    space.create("clean", image.shape, np.uint8, (10.0, 10.0, 10.0))[:] = image
    workers = Workers(progress=False)
    box = segment(space, SegmentSettings(), workers).box
    pieces = read_pieces(space, "clean", "labels", workers)
    counts, _, found = contingency(pieces.fragments(space, box), relabel_components(truth))
    shared = np.zeros((pieces.n + 1, counts.shape[0]))
    shared[found] = counts.toarray().T
    return space, pieces, shared


def tissue(seed: int) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Image and truth of synthetic tissue."""
    rng = np.random.default_rng(seed)
    grown = grow(random_circuit(NEURONS, rng, out_degree=DEGREE), SHAPE, rng)
    return np.asarray(grown.clean.data[:]), np.asarray(grown.truth.labels[:])


def examples(pieces: Pieces, shared: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Features of contacts and whether both sides are mostly of one neuron."""
    rows, answers = [], []
    graph, sizes = RegionGraph(pieces.pairs, pieces.counts), pieces.moments[:, 0].astype(np.int64)
    for threshold, quantile in LEVELS:
        regions, _ = agglomerate(graph, sizes, Agglomeration(threshold=threshold, quantile=quantile))
        found = contacts(pieces, regions)
        total = np.zeros((len(regions), shared.shape[1]))
        np.add.at(total, regions, shared)
        whole = total.sum(axis=1)
        pure = (total.max(axis=1) > PURE * whole) & (whole > 0)
        use = pure[found.regions].all(axis=1)
        neuron = total.argmax(axis=1)[found.regions]
        rows.append(features(pieces, regions, found)[use])
        answers.append((neuron[:, 0] == neuron[:, 1])[use])
    return np.concatenate(rows), np.concatenate(answers)


def fitted(rows: NDArray[Any], answers: NDArray[np.bool_], penalty: float = PENALTY) -> SameNeuron:
    """Logistic regression with an L2 penalty on terms of equal spread."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    seen = terms(rows, mean, scale)
    middle, spread = seen.mean(axis=0), seen.std(axis=0)
    model = LogisticRegression(C=penalty, max_iter=1000).fit((seen - middle) / spread, answers)
    weight = model.coef_[0] / spread
    return SameNeuron(mean=mean, scale=scale, weight=weight, bias=float(model.intercept_[0] - middle @ weight))


def corrected(pieces: Pieces, model: SameNeuron, cut: float, join: float) -> Ints:
    """Regions after cutting and joining."""

    def chance(regions: Ints, found: Contacts) -> NDArray[np.float64]:
        return model(features(pieces, regions, found))

    regions, _, _ = cut_apart(pieces, numbered(pieces.regions), chance, cut)
    return joined_up(pieces, regions, chance, join)[0]


def scored(space: Workspace, pieces: Pieces, regions: Ints, truth: NDArray[Any]) -> SegmentationScore:
    """Score of regions of fragments."""
    return score_segmentation(regions[pieces.fragments(space, space.segmentation("labels").box)], truth)


def train_proofread(
    data: Annotated[Path, typer.Argument(help="NPZ with `raw` (uint8) and `gt`, (z, y, x).")],
    out: Annotated[Path, typer.Argument(help="Table to write, .csv.")],
    check: Annotated[bool, typer.Option(help="Only score thresholds on a part that is left out.")] = False,
) -> None:
    """Fit the coefficients, or check thresholds."""
    with np.load(data, allow_pickle=False) as file:
        image, truth = file["raw"][:SECTIONS], file["gt"][:SECTIONS]
    grown = [tissue(seed) for seed in SEEDS]
    last = CHECK_FROM if check else SECTIONS
    volumes = [(image[:last], truth[:last]), *(grown[:-1] if check else grown)]
    with TemporaryDirectory() as name:
        parts = [segmented(Path(name) / f"train{k}", *volume) for k, volume in enumerate(volumes)]
        taught = [examples(pieces, shared) for _, pieces, shared in parts]
        model = fitted(np.concatenate([rows for rows, _ in taught]), np.concatenate([known for _, known in taught]))
        if not check:
            write_model(out, model, SOURCE)
            typer.echo(f"{out}: {sum(len(known) for _, known in taught)} contacts")
            return
        for k, (grey, known) in enumerate([(image[CHECK_FROM:], truth[CHECK_FROM:]), grown[-1]]):
            space, pieces, _ = segmented(Path(name) / f"check{k}", grey, known)
            known = relabel_components(known)
            typer.echo(f"{('FIB-25 z 60:100', 'tissue 103')[k]}: {scored(space, pieces, pieces.regions, known)}")
            for cut, join in GRID:
                score = scored(space, pieces, corrected(pieces, model, cut, join), known)
                typer.echo(f"  cut below {cut}, join above {join}: {score}")


if __name__ == "__main__":
    typer.run(train_proofread)
