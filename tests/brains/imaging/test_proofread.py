"""Proofreading corrects a segmentation by edits that can be taken back; every test works on one small tissue."""

from pathlib import Path

import numpy as np
import pytest

from animat.brains.imaging.agglomerate import Agglomeration
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.edits import live, numbered, replay
from animat.brains.imaging.merge_candidates import cut_apart
from animat.brains.imaging.pair_features import FEATURES, contacts, features
from animat.brains.imaging.pieces import read_pieces
from animat.brains.imaging.proofread import ProofreadSettings, edit_log, proofread, read_queue, undecided
from animat.brains.imaging.same_neuron import coefficients, read_model, write_model
from animat.brains.imaging.scoring import score_segmentation
from animat.brains.imaging.segment import SegmentSettings, segment
from animat.brains.imaging.split_candidates import joined_up
from animat.brains.imaging.tissue import grow
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

SHAPE = (64, 96, 96)
QUIET = Workers(progress=False)
DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "em"


def filled(folder, image, **settings):
    space = Workspace(folder)
    space.create("clean", image.shape, np.uint8, (10.0, 10.0, 10.0))[:] = image
    segment(space, SegmentSettings(**settings), QUIET)
    return space


@pytest.fixture(scope="module")
def tissue():
    rng = np.random.default_rng(7)  # a seed that nothing was trained on
    return grow(random_circuit(5, rng, out_degree=2), SHAPE, rng)


@pytest.fixture(scope="module")
def image(tissue):
    return np.asarray(tissue.clean.data[:])


@pytest.fixture
def space(tmp_path, image):
    return filled(tmp_path / "work", image)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory, image):
    space = filled(tmp_path_factory.mktemp("pieces"), image)
    return read_pieces(space, "clean", "labels", QUIET)


def score(space, tissue, name):
    return score_segmentation(np.asarray(space.array(name)[:]), np.asarray(tissue.truth.labels[:]))


def test_proofreading_lowers_the_error_of_tissue_it_never_saw(space, tissue):
    proofread(space, ProofreadSettings(), QUIET)
    before, after = score(space, tissue, "labels"), score(space, tissue, "proofread")
    assert after.voi < 0.95 * before.voi
    assert after.voi_merge < 1.02 * before.voi_merge


def test_labels_are_what_the_log_says(space):
    found = proofread(space, ProofreadSettings(), QUIET)
    pieces = read_pieces(space, "clean", "labels", QUIET)
    log = edit_log(space, pieces)
    record = space.record("proofread-proofread")
    assert [edit.kind for edit in log.edits].count("join") == record["joins"] > 0
    table = replay(pieces.pairs, pieces.regions, log.edits)
    assert np.array_equal(found.labels[:], table[pieces.fragments(space, found.box)])
    again = edit_log(space, pieces)
    for edit in live(again.edits):
        again.undo(edit.id, "somebody")
    undone = replay(pieces.pairs, pieces.regions, again.edits)
    assert np.array_equal(undone, numbered(pieces.regions))


def test_blocks_change_nothing_but_where_fragments_end(tmp_path, image):
    space = filled(tmp_path, image, block=(64, 64, 64))
    pieces = read_pieces(space, "clean", "labels", QUIET)
    whole = pieces.fragments(space, space.segmentation("labels").box)
    voxels = np.bincount(whole.ravel(), minlength=pieces.n + 1)
    assert np.array_equal(voxels[1:], pieces.moments[1:, 0])
    assert np.array_equal(pieces.counts.sum(axis=1), pieces.contact[:, 0])
    centre = np.argwhere(whole == 5).mean(axis=0) + 0.5
    assert pieces.moments[5, 1:4] / pieces.moments[5, 0] == pytest.approx(centre * 0.01)
    assert np.array_equal(pieces.grey.sum(axis=1)[1:], voxels[1:])


def test_a_run_that_was_killed_and_one_that_was_not_end_alike(space, tmp_path, image):
    found = np.asarray(proofread(space, ProofreadSettings(), QUIET).labels[:])
    pieces = read_pieces(space, "clean", "labels", QUIET)
    log = edit_log(space, pieces).path
    other = filled(tmp_path / "other", image)
    lines = log.read_bytes().splitlines(keepends=True)
    cut = other.folder / log.relative_to(space.folder)
    cut.parent.mkdir()
    cut.write_bytes(b"".join(lines[:3]))
    assert np.array_equal(proofread(other, ProofreadSettings(), QUIET).labels[:], found)
    assert cut.read_bytes() == log.read_bytes()


def test_other_thresholds_undo_what_no_longer_counts_and_keep_the_log(space):
    proofread(space, ProofreadSettings(), QUIET)
    pieces = read_pieces(space, "clean", "labels", QUIET)
    before = edit_log(space, pieces).edits
    found = proofread(space, ProofreadSettings(cut_below=0.0, join_above=1.0, barcodes=None), QUIET)
    after = edit_log(space, pieces).edits
    assert after[: len(before)] == before
    assert live(after) == []
    assert np.array_equal(found.labels[:], numbered(pieces.regions)[pieces.fragments(space, found.box)])


def test_another_segmentation_never_gets_the_log_of_the_first(space):
    proofread(space, ProofreadSettings(), QUIET)
    first = edit_log(space, read_pieces(space, "clean", "labels", QUIET))
    segment(space, SegmentSettings(agglomeration=Agglomeration(threshold=0.1)), QUIET)
    second = edit_log(space, read_pieces(space, "clean", "labels", QUIET))
    assert second.path != first.path
    assert len(first) > len(second) == 0


def test_a_decision_of_a_person_is_in_the_labels_after_another_run(space):
    settings = ProofreadSettings(review_from=0.05, review_below=0.99)
    proofread(space, settings, QUIET)
    _, _, queue = read_queue(space, "proofread")
    assert [c.confidence for c in queue] == sorted((c.confidence for c in queue), reverse=True)
    pieces = read_pieces(space, "clean", "labels", QUIET)
    log = edit_log(space, pieces)
    join = next(candidate for candidate in queue if candidate.kind == "join")
    log.append("join", join.pairs, who="somebody")
    found = proofread(space, settings, QUIET)
    fragments = pieces.fragments(space, found.box)
    a, b = (np.unique(found.labels[:][fragments == end]) for end in join.pairs[0])
    assert a.tolist() == b.tolist()
    assert join not in undecided(queue, log.edits)
    assert len(undecided(queue, log.edits)) == len(queue) - 1


def test_a_predictor_without_coefficients_gets_no_automatic_edits(space):
    path = space.folder / "stages" / "segment-labels.json"
    path.write_text(path.read_text().replace('"classical"', '"ffn"'))
    proofread(space, ProofreadSettings(), QUIET)
    assert "no coefficients" in space.record("proofread-proofread")["automatic"]
    assert space.record("proofread-proofread")["joins"] == 0


def test_features_are_those_of_the_union_whatever_the_order_of_joining(pieces):
    found = contacts(pieces, pieces.regions)
    rows = features(pieces, pieces.regions, found)
    assert rows.shape == (len(found.regions), len(FEATURES))
    assert np.isfinite(rows).all()
    names = np.random.default_rng(0).permutation(int(pieces.regions.max())) + 1
    renamed = np.append(0, names)[pieces.regions]
    other = contacts(pieces, renamed)
    where = {tuple(sorted((names[a - 1], names[b - 1]))): k for k, (a, b) in enumerate(found.regions)}
    order = [where[tuple(pair)] for pair in other.regions.tolist()]
    assert np.allclose(features(pieces, renamed, other), rows[order])


def truth_of(pieces, tissue, space_labels):
    owner = np.zeros(pieces.n + 1, dtype=np.int64)
    for fragment in range(1, pieces.n + 1):
        owner[fragment] = np.bincount(space_labels[1][space_labels[0] == fragment]).argmax()
    return owner


def test_with_certain_chances_every_error_between_fragments_is_corrected(space, tissue):
    pieces = read_pieces(space, "clean", "labels", QUIET)
    whole = pieces.fragments(space, space.segmentation("labels").box)
    owner = truth_of(pieces, tissue, (whole, np.asarray(tissue.truth.labels[:])))

    def chance(regions, found):
        pairs = [pieces.pairs[found.edges(k)] for k in range(len(found.regions))]
        return np.array([float((owner[p[:, 0]] == owner[p[:, 1]]).mean()) for p in pairs])

    regions, splits, _ = cut_apart(pieces, numbered(pieces.regions), chance, 0.01)
    regions, joins = joined_up(pieces, regions, lambda r, f: (chance(r, f) > 0.99) * 1.0, 1.0)
    for region in np.unique(regions[1:]):
        assert len(np.unique(owner[regions == region])) == 1
    edits = {(a, b) for candidate in [*splits, *joins] for a, b in candidate.pairs}
    assert edits <= {tuple(pair) for pair in pieces.pairs.tolist()}
    assert splits
    assert joins


def test_the_table_of_coefficients_reads_back_as_it_was_written(tmp_path):
    model = read_model(coefficients("classical"))
    write_model(tmp_path / "model.csv", model, "a test")
    again = read_model(tmp_path / "model.csv")
    rows = np.random.default_rng(0).normal(model.mean, model.scale, (20, len(FEATURES)))
    assert np.allclose(again(rows), model(rows), rtol=1e-3)
    (tmp_path / "model.csv").write_text("term,mean,scale,weight\nbias,,,1\n")
    with pytest.raises(VolumeError, match="no row for 'strength_3'"):
        read_model(tmp_path / "model.csv")


def test_cuts_that_would_be_joined_again_are_refused():
    with pytest.raises(ValueError, match="cut_below below join_above"):
        ProofreadSettings(cut_below=0.9, join_above=0.8)


def test_a_held_out_slab_of_real_tissue_gets_better(tmp_path):
    path = DATA / "gala_train_50x100x200.npz"
    if not path.exists():
        pytest.skip("gala's volume (../shared/data/em) is not here")
    with np.load(path, allow_pickle=False) as file:
        image, truth = file["raw"], file["gt"].astype(np.uint32)
    space = filled(tmp_path, image)
    found = proofread(space, ProofreadSettings(), QUIET)
    before = score_segmentation(np.asarray(space.array("labels")[:]), truth)
    after = score_segmentation(np.asarray(found.labels[:]), truth)
    assert after.voi <= 0.85 * before.voi
    assert after.voi_merge <= 1.02 * before.voi_merge
