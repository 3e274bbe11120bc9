"""Barcodes tell neurons apart through dropout, leak and noise."""

import numpy as np
import pytest

from animat.brains.imaging.barcodes import BarcodeSettings, cut_by_barcodes, read_barcodes, same_code
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.edits import numbered
from animat.brains.imaging.pieces import read_pieces
from animat.brains.imaging.proofread import ProofreadSettings, proofread
from animat.brains.imaging.scoring import score_segmentation
from animat.brains.imaging.segment import SegmentSettings, segment
from animat.brains.imaging.tissue import TissueSettings, grow
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)
SHAPE = (80, 128, 128)


@pytest.fixture(scope="module")
def tissue():
    rng = np.random.default_rng(7)
    return grow(random_circuit(8, rng, out_degree=2), SHAPE, rng, TissueSettings(barcodes=20))


@pytest.fixture(scope="module")
def space(tissue, tmp_path_factory):
    space = Workspace(tmp_path_factory.mktemp("barcodes"))
    space.create("clean", SHAPE, np.uint8, (10.0, 10.0, 10.0))[:] = np.asarray(tissue.clean.data[:])
    channels = np.asarray(tissue.volume.channels["barcodes"])
    space.create("clean_barcodes", channels.shape, np.uint8, (10.0, 10.0, 10.0))[:] = channels
    segment(space, SegmentSettings(), QUIET)
    return space


@pytest.fixture(scope="module")
def pieces(space):
    return read_pieces(space, "clean", "labels", QUIET)


@pytest.fixture(scope="module")
def readings(space, pieces):
    return read_barcodes(space, "clean", pieces, BarcodeSettings())


@pytest.fixture(scope="module")
def owner(space, tissue, pieces):
    """True label of every fragment, 0 where none has nine tenths of it or it is small."""
    whole, truth = pieces.fragments(space, space.segmentation("labels").box), np.asarray(tissue.truth.labels[:])
    shared = np.zeros((pieces.n + 1, int(truth.max()) + 1))
    np.add.at(shared, (whole, truth), 1)
    return np.where(
        (shared.max(axis=1) > 0.9 * shared.sum(axis=1)) & (shared.sum(axis=1) > 1000), shared.argmax(axis=1), 0
    )


def test_channels_read_as_the_codes_but_for_dropout(tissue, readings, owner):
    known = owner > 0
    codes = tissue.barcodes.drop(columns="label").to_numpy()[owner[known] - 1]
    seen = readings.odds[known] > 0
    assert seen[codes].mean() == pytest.approx(0.8, abs=0.15)
    assert seen[~codes].mean() < 0.1


def test_leak_between_neighbouring_channels_is_found(readings):
    beside = np.concatenate([np.diag(readings.crosstalk, 1), np.diag(readings.crosstalk, -1)])
    far = [readings.crosstalk[a, b] for a in range(20) for b in range(20) if abs(a - b) > 1]
    assert np.mean(beside) > np.mean(far) + 0.02


def test_fragments_of_one_neuron_agree_and_of_two_do_not(readings, owner):
    known = np.flatnonzero(owner)
    a, b = np.triu_indices(len(known), 1)
    odds = same_code(readings.odds[known[a]], readings.odds[known[b]])
    same = owner[known[a]] == owner[known[b]]
    assert same.sum() > 20
    assert (odds[same] > 0).mean() > 0.9
    assert (odds[~same] < 0).mean() > 0.9


def test_what_says_nothing_changes_nothing():
    unknown, known = np.zeros(20), np.random.default_rng(0).normal(0, 5, (7, 20))
    assert same_code(unknown, known) == pytest.approx(0, abs=1e-9)
    assert same_code(known[0], known[1]) == pytest.approx(same_code(known[1], known[0]))


def test_the_ratio_is_that_of_one_code_against_two():
    a, b = np.array([1.3]), np.array([-0.4])
    one = 0.5 * (np.exp(a + b) + 1)
    two = 0.5 * (np.exp(a) + 1) * 0.5 * (np.exp(b) + 1)
    assert same_code(a, b) == pytest.approx(np.log(one / two)[0])


def test_planted_merges_of_two_fragments_are_cut_and_nearly_no_neuron_is(pieces, readings, owner):
    touching = owner[pieces.pairs]
    wrong = pieces.pairs[(touching[:, 0] != touching[:, 1]) & (touching > 0).all(axis=1)]
    settings, chances, cut = BarcodeSettings(), np.full(len(pieces.pairs), 0.5), 0
    for a, b in wrong[:20]:
        regions = np.arange(pieces.n + 1)
        regions[b] = a
        after, splits = cut_by_barcodes(pieces, regions, readings, chances, settings)
        cut += after[a] != after[b]
        assert len(splits) == int(after[a] != after[b])
    right = pieces.pairs[(touching[:, 0] == touching[:, 1]) & (touching > 0).all(axis=1)]
    regions = np.arange(pieces.n + 1)
    for a, b in right:
        regions[regions == regions[b]] = regions[a]
    after, _ = cut_by_barcodes(pieces, regions, readings, chances, settings)
    kept = (after[right[:, 0]] == after[right[:, 1]]).mean()
    assert cut >= 8  # of 20: a reading of one fragment alone is weak
    assert kept > 0.95


def test_barcodes_lower_the_error_that_proofreading_left(space, tissue):
    truth = np.asarray(tissue.truth.labels[:])
    without = proofread(space, ProofreadSettings(barcodes=None), QUIET, out="without")
    found = proofread(space, ProofreadSettings(), QUIET, out="with")
    before, after = (score_segmentation(np.asarray(s.labels[:]), truth) for s in (without, found))
    assert after.voi < before.voi
    assert after.arand < before.arand


def test_an_image_without_channels_is_an_error_that_names_them(tmp_path, space, pieces):
    with pytest.raises(VolumeError, match=r"no channels 'barcodes'"):
        read_barcodes(space, "labels_boundary", pieces, BarcodeSettings())


def test_numbers_of_regions_do_not_matter(pieces, readings):
    chances = np.full(len(pieces.pairs), 0.5)
    one, _ = cut_by_barcodes(pieces, pieces.regions, readings, chances, BarcodeSettings())
    other, _ = cut_by_barcodes(pieces, pieces.regions.max() + 1 - pieces.regions, readings, chances, BarcodeSettings())
    assert np.array_equal(numbered(one), numbered(other))
