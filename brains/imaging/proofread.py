"""Stage "proofread": false merges are cut and false splits joined where that is likely enough; the rest is for people.

Every correction is an entry of the log in `FOLDER/edits/` (`edits.EditLog`), which is named after the segmentation it
belongs to, so that another segmentation never gets it. What is likely, but not enough, is in `FOLDER/review/OUT.json`;
`review` shows it to a person, and running the stage again writes labels with what was decided.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .barcodes import BarcodeSettings, cut_by_barcodes, joins_by_barcodes, read_barcodes
from .blocks import Block, Workers, grid, run_blocks
from .candidates import Candidate, made
from .edits import AUTOMATIC, Edit, EditLog, live, numbered, replay
from .merge_candidates import Cut, cut_apart
from .pair_features import Contacts, contacts, features
from .pieces import Numbering, Pieces, read_pieces
from .same_neuron import coefficients, read_model
from .split_candidates import false_splits, joined_up, merged
from .volume import Segmentation
from .workspace import Workspace, write_json

__all__ = ["ProofreadSettings", "edit_log", "proofread", "read_queue", "undecided"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ProofreadSettings:
    """How sure an edit must be; thresholds fixed on training tissue by scripts/train_proofread.py.

    Raises:
        ValueError: a chance outside 0 to 1, or cuts that would be joined again.
    """

    cut_below: float = 0.2  # chance that two sides of a region are one neuron below which it is cut
    join_above: float = 0.8  # chance that two regions are one neuron from which they are joined
    review_from: float = 0.3  # chance from which a join is shown to a person
    review_below: float = 0.5  # chance below which a possible cut is shown to a person
    review_most: int = 500  # entries of the queue
    barcodes: BarcodeSettings | None = field(default_factory=BarcodeSettings)  # None: channels are not looked at
    model: Path | None = None  # coefficients; None: those that come with animat for the predictor

    def __post_init__(self) -> None:
        chances = (self.cut_below, self.join_above, self.review_from, self.review_below)
        if not all(0 <= chance <= 1 for chance in chances) or self.cut_below > self.join_above:
            raise ValueError(
                f"ProofreadSettings: chances {chances} must lie between 0 and 1, and cut_below below join_above"
            )


def proofread(
    space: Workspace,
    settings: ProofreadSettings,
    workers: Workers,
    image: str = "clean",
    labels: str = "labels",
    out: str = "proofread",
) -> Segmentation:
    """Correct a segmentation of the workspace.

    A boundary predictor for which no coefficients were trained gets no automatic edits.

    Args:
        space: where the segmentation is and the corrected labels will be.
        settings: how.
        workers: who does it.
        image: what a person is shown.
        labels: name of the labels that the stage "segment" made.
        out: name of the corrected labels.

    Returns:
        Labels, uint32, 1 and up; 0 only where nothing was segmented.
    """
    stage = f"proofread-{out}"
    pieces = read_pieces(space, image, labels, workers)
    log = edit_log(space, pieces)
    predictor = space.record(f"segment-{labels}")["settings"]["predictor"]
    model = settings.model or coefficients(predictor)
    key = {
        **asdict(settings),
        "model": hashlib.sha256(model.read_bytes()).hexdigest() if model else "",
        "image": image,
        "labels": labels,
        "segmentation": log.path.stem,
        "decided": [edit.id for edit in live(log.edits) if edit.who != AUTOMATIC],
    }
    if space.begin(stage, key):
        applied, queue = _corrections(space, image, pieces, settings, model) if model else ([], [])
        _log(log, applied)
        table = replay(pieces.pairs, pieces.regions, log.edits).astype(np.uint32)
        write_json(
            _queue_path(space, out), {"image": image, "labels": labels, "candidates": [asdict(c) for c in queue]}
        )
        _write_labels(space, pieces, table, out, stage, workers)
        counts: dict[str, Any] = {f"{kind}s": sum(c.kind == kind for c in applied) for kind in ("split", "join")}
        counts |= {} if model else {"automatic": f"none: no coefficients for predictor {predictor!r}"}
        space.finish(stage, {**counts, "by people": len(key["decided"]), "to review": len(queue), "log": str(log.path)})
    return space.segmentation(out, ("proofread",))


def edit_log(space: Workspace, pieces: Pieces) -> EditLog:
    """The log of corrections of a segmentation."""
    return EditLog(space.folder / "edits" / f"{pieces.name}-{pieces.fingerprint[:12]}.jsonl")


def _corrections(
    space: Workspace, image: str, pieces: Pieces, settings: ProofreadSettings, model: Path
) -> tuple[list[Candidate], list[Candidate]]:
    """Edits that are likely enough, in their order, and those for a person, the surest first."""
    same = read_model(model)

    def chance(regions: Ints, found: Contacts) -> NDArray[np.float64]:
        return same(features(pieces, regions, found))

    regions, cuts, _ = cut_apart(pieces, numbered(pieces.regions), chance, settings.cut_below)
    regions, joins = joined_up(pieces, regions, chance, settings.join_above)
    coded: list[Candidate] = []
    if settings.barcodes is not None and "barcodes" in space.volume(image).channels:
        readings = read_barcodes(space, image, pieces, settings.barcodes)
        single = np.arange(pieces.n + 1)
        chances = chance(single, contacts(pieces, single))
        regions, coded = cut_by_barcodes(pieces, regions, readings, chances, settings.barcodes)
        chances = chance(regions, contacts(pieces, regions))
        more = joins_by_barcodes(pieces, regions, readings, chances, settings.barcodes)
        regions, coded = merged(regions, np.array([c.pairs[0] for c in more], dtype=np.int64)), [*coded, *more]
    _, _, left = cut_apart(pieces, regions, chance, 0.0)
    doubtful = [_doubt(pieces, cut) for cut in left if cut.chance < settings.review_below]
    doubtful += false_splits(pieces, regions, chance, settings.review_from, settings.join_above)
    doubtful.sort(key=lambda candidate: (-candidate.confidence, candidate.pairs))
    return [*cuts, *joins, *coded], doubtful[: settings.review_most]


def _doubt(pieces: Pieces, cut: Cut) -> Candidate:
    return made(pieces, "split", cut.edges, 1 - cut.chance, "may be two neurons")


def _log(log: EditLog, wanted: Sequence[Candidate]) -> None:
    """Make the automatic entries that count those wanted, in their order; from the first that differs on, all go."""
    there = [edit for edit in live(log.edits) if edit.who == AUTOMATIC]
    same = 0
    while same < min(len(there), len(wanted)) and _alike(there[same], wanted[same]):
        same += 1
    gone = [{"kind": "undo", "undoes": edit.id, "reason": "found anew with other settings"} for edit in there[same:]]
    entries = [*gone, *(candidate.entry for candidate in wanted[same:])]
    if entries:
        log.extend(entries)


def _alike(edit: Edit, candidate: Candidate) -> bool:
    return (edit.kind, edit.pairs) == (candidate.kind, candidate.pairs)


def _queue_path(space: Workspace, out: str) -> Path:
    return space.folder / "review" / f"{out}.json"


def read_queue(space: Workspace, out: str) -> tuple[str, str, list[Candidate]]:
    """Image, labels and candidates that the stage left for a person."""
    space.record(f"proofread-{out}")
    content = json.loads(_queue_path(space, out).read_text(encoding="utf-8"))
    candidates = [
        Candidate(
            kind=row["kind"], pairs=tuple((int(a), int(b)) for a, b in row["pairs"]), place_nm=tuple(row["place_nm"]),
            confidence=row["confidence"], reason=row["reason"],
        )
        for row in content["candidates"]
    ]  # fmt: skip
    return content["image"], content["labels"], candidates


def undecided(candidates: Sequence[Candidate], edits: Sequence[Edit]) -> list[Candidate]:
    """Candidates that no person has decided on."""
    decided = {edit.pairs for edit in live(edits) if edit.who != AUTOMATIC}
    return [candidate for candidate in candidates if candidate.pairs not in decided]


def _write_labels(space: Workspace, pieces: Pieces, table: Any, out: str, stage: str, workers: Workers) -> None:
    shape = space.array(pieces.name).shape
    space.create(out, shape, np.uint32, pieces.voxel_nm)
    path = space.folder / "graphs" / f"{stage}.npy"
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.save(file, table, allow_pickle=False)
    temporary.replace(path)
    task = partial(_label_block, space.folder, f"{pieces.name}_fragments", pieces.numbering, path, out)
    run_blocks(
        task, grid(shape, pieces.numbering.size, (0, 0, 0)), space.markers(stage) / "labels", workers, "proofread"
    )


def _label_block(folder: Path, fragments: str, numbering: Numbering, path: Path, out: str, block: Block) -> None:
    space = Workspace(folder)
    table = np.load(path, allow_pickle=False)
    space.array(out)[block.core.slices] = table[numbering.read(space, fragments, block.core)]
