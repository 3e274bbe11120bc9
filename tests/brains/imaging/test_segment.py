"""Segmentation without training: its parts against plain references, and the stage from image to labels."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

from animat.brains.imaging.agglomerate import Agglomeration, agglomerate
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.boundary import Classical, classical_boundary
from animat.brains.imaging.choosing import choose
from animat.brains.imaging.fragments import Fragments, compact, fragments
from animat.brains.imaging.region_graph import BINS, RegionGraph, region_graph
from animat.brains.imaging.segment import SegmentSettings, segment
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.watershed import distance_nm, flood, peaks
from animat.brains.imaging.workspace import Workspace
from animat.registry import UnknownNameError

FIB25 = Path(__file__).parents[3].parent / "shared/data/em/fib25_ts2_z000-170.npz"
QUIET = Workers(progress=False)
SMALL = st.tuples(*[st.integers(2, 7)] * 3)
GREYS = SMALL.flatmap(lambda shape: arrays(np.uint8, shape))
NM = (10.0, 10.0, 10.0)


def tissue(shape, cells, seed=0, voxel_nm=NM):
    """Cells around random points with dark membranes of 25 nm between them, in grey noise."""
    rng = np.random.default_rng(seed)
    size = np.array(voxel_nm)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) * size
    points = rng.uniform(0, 1, (cells, 3)) * np.array(shape) * size
    distances = np.stack([np.linalg.norm(places - point, axis=-1) for point in points])
    nearest = np.sort(distances, axis=0)
    membrane = np.exp(-(((nearest[1] - nearest[0]) / 25) ** 2))
    grey = 170 - 110 * membrane + rng.normal(0, 8, shape)
    return np.clip(grey, 0, 255).astype(np.uint8), (distances.argmin(axis=0) + 1).astype(np.uint32)


def rand_error(found, truth):
    """Adapted Rand error, written out."""
    table = np.histogram2d(found.ravel(), truth.ravel(), bins=(np.arange(found.max() + 2), np.arange(truth.max() + 2)))[
        0
    ]
    together = (table**2).sum()
    return 1 - 2 * together / ((table.sum(0) ** 2).sum() + (table.sum(1) ** 2).sum())


def workspace(folder, image, voxel_nm=NM):
    space = Workspace(folder)
    space.create("clean", image.shape, np.uint8, voxel_nm)[:] = image
    return space


@settings(max_examples=40, deadline=None)
@given(GREYS, st.integers(1, 255), st.tuples(*[st.floats(1, 50)] * 3))
def test_distances_are_those_of_scipy(boundary, threshold, voxel_nm):
    found = distance_nm(boundary, threshold, voxel_nm, 1e4)
    if (boundary >= threshold).any():
        np.testing.assert_allclose(found, ndimage.distance_transform_edt(boundary < threshold, voxel_nm), rtol=1e-4)
    else:
        assert (found == 1e4).all()


@settings(max_examples=40, deadline=None)
@given(GREYS, st.randoms(use_true_random=False))
def test_every_voxel_gets_the_label_of_a_seed_and_labels_are_connected(boundary, random):
    seeds = np.zeros(boundary.shape, np.uint32)
    for k in range(3):
        seeds.flat[random.randrange(seeds.size)] = k + 1
    labels = seeds.copy()
    flood(boundary, labels)
    assert (labels > 0).all()
    assert (labels[seeds > 0] == seeds[seeds > 0]).all()
    for k in np.unique(labels):
        assert ndimage.label(labels == k)[1] == 1


def test_a_wall_between_two_seeds_is_where_they_meet():
    boundary = np.zeros((5, 5, 11), np.uint8)
    boundary[:, :, 4] = 200
    seeds = np.zeros(boundary.shape, np.uint32)
    seeds[2, 2, 0], seeds[2, 2, 10] = 1, 2
    flood(boundary, seeds)
    assert (seeds[:, :, :4] == 1).all()
    assert (seeds[:, :, 5:] == 2).all()


def test_a_plateau_has_at_least_one_peak_and_a_slope_none():
    values = np.zeros((3, 3, 8), np.float32)
    values[1, 1] = np.arange(8)
    assert np.argwhere(peaks(values, 0.5)).tolist() == [[1, 1, 7]]
    values[1, 1, 6] = 7
    assert np.argwhere(peaks(values, 0.5)).tolist() == [[1, 1, 6]]


@settings(max_examples=40, deadline=None)
@given(SMALL.flatmap(lambda s: st.tuples(arrays(np.uint32, s, elements=st.integers(0, 4)), arrays(np.uint8, s))))
def test_the_graph_counts_every_face_between_two_labels(drawn):
    labels, boundary = drawn
    expected = {}
    for axis in range(3):
        one, other = (np.moveaxis(labels, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        low, high = (np.moveaxis(boundary, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        for a, b, strength in zip(one.ravel(), other.ravel(), np.maximum(low, high).ravel(), strict=True):
            if a != b and a and b:
                key = (min(a, b), max(a, b), strength // (256 // BINS))
                expected[key] = expected.get(key, 0) + 1
    graph = region_graph(labels, boundary)
    found = {(*graph.pairs[e], k): graph.counts[e, k] for e, k in np.argwhere(graph.counts)}
    assert found == expected


def chain(*strengths):
    """Fragments 1, 2, 3 ... in a row, with 10 faces of each strength (bin) between neighbours."""
    counts = np.zeros((len(strengths), BINS), np.int32)
    counts[np.arange(len(strengths)), strengths] = 10
    pairs = np.stack([np.arange(1, len(strengths) + 1), np.arange(2, len(strengths) + 2)], axis=1)
    return RegionGraph(pairs, counts), np.full(len(strengths) + 2, 1000)


def test_weak_boundaries_go_and_strong_ones_stay():
    graph, sizes = chain(2, 28, 4)
    regions, strengths = agglomerate(graph, sizes, Agglomeration(threshold=0.5, quantile=0.0))
    assert regions.tolist() == [0, 1, 1, 3, 3]
    np.testing.assert_allclose(strengths, (np.array([2, 28, 4]) + 0.5) / BINS)


def test_every_region_hangs_together_by_pairs_that_touch():
    rng = np.random.default_rng(3)
    n = 60
    pairs = np.array([(a, b) for a in range(1, n) for b in range(a + 1, n) if rng.random() < 0.08])
    counts = rng.integers(0, 5, (len(pairs), BINS)).astype(np.int32)
    regions, _ = agglomerate(RegionGraph(pairs, counts), np.ones(n, int), Agglomeration(threshold=0.49, quantile=0.0))
    assert np.array_equal(regions[regions], regions)
    inside = pairs[regions[pairs[:, 0]] == regions[pairs[:, 1]]]
    graph = sparse.coo_array((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), shape=(n, n))
    assert connected_components(graph, directed=False)[0] == len(np.unique(regions)) > 10


def test_boundaries_of_joined_regions_are_added_up():
    """1 and 2 join; 3 touches 1 weakly on 10 faces and 2 strongly on 90, so that on the whole it stays."""
    counts = np.zeros((3, BINS), np.int32)
    counts[0, 1], counts[1, 10], counts[2, 28] = 10, 10, 90
    graph = RegionGraph(np.array([[1, 2], [1, 3], [2, 3]]), counts)
    sizes = np.full(4, 1000)
    assert agglomerate(graph, sizes, Agglomeration(threshold=0.5, quantile=0.0))[0].tolist() == [0, 1, 1, 3]
    assert agglomerate(graph, sizes, Agglomeration(threshold=0.5, quantile=0.05))[0].tolist() == [0, 1, 1, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_never_leaves_more_regions(seed, one, other):
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(1, 12, (25, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    graph = RegionGraph(pairs, rng.integers(0, 3, (len(pairs), BINS)).astype(np.int32) + 1)
    low, high = sorted((one, other))
    few, many = (
        len(set(agglomerate(graph, np.ones(12, int), Agglomeration(threshold=t, quantile=0.0))[0])) for t in (high, low)
    )
    assert few <= many


def test_a_dark_sheet_is_a_boundary_in_any_direction_and_a_dark_ball_beside_it_is_weaker():
    grid = np.stack(np.meshgrid(*[np.arange(48)] * 3, indexing="ij"), axis=-1) - 24.0
    ball = np.linalg.norm(grid - [0, 0, 14], axis=-1)
    for normal in ((1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1)):
        sheet = grid @ np.array(normal) / np.linalg.norm(normal)
        image = (180 - 100 * np.exp(-((np.minimum(np.abs(sheet + 9), ball) / 1.5) ** 2))).astype(np.uint8)
        found = classical_boundary(image, NM, Classical(darkness=0.0, full=2.0)).astype(int)
        near = np.abs(sheet + 9) < 0.5
        inner = (slice(8, -8),) * 3
        assert found[inner][near[inner]].min() > 1.5 * found[24, 24, 38]


def test_compact_numbers_labels_from_one_and_counts_them():
    labels, sizes = compact(np.array([[[0, 7, 7], [3, 0, 9]]], np.uint32))
    assert labels.tolist() == [[[0, 2, 2], [1, 0, 3]]]
    assert sizes.tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize(("shape", "voxel_nm"), [((72, 80, 80), NM), ((32, 96, 96), (30.0, 8.0, 8.0))])
def test_cells_with_membranes_are_found(tmp_path, shape, voxel_nm):
    image, truth = tissue(shape, 14, voxel_nm=voxel_nm)
    found = segment(workspace(tmp_path, image, voxel_nm), SegmentSettings(), QUIET)
    labels = found.read(found.box)
    assert labels.dtype == np.uint32
    assert labels.min() == 1
    assert rand_error(labels, truth) < 0.05
    assert "classical" in found.source[-1]


BLOCKS = SegmentSettings(block=(64, 64, 64))
IMAGE, TRUTH = tissue((72, 100, 100), 14, seed=1)


def test_cells_that_lie_in_many_blocks_have_one_label(tmp_path):
    space = workspace(tmp_path, IMAGE)
    found = segment(space, BLOCKS, QUIET).labels[:]
    assert rand_error(found, TRUTH) < 0.05
    assert space.record("segment-labels")["regions"] == len(np.unique(found))


def test_two_processes_give_the_bytes_of_one(tmp_path):
    one = segment(workspace(tmp_path / "1", IMAGE), BLOCKS, QUIET).labels[:]
    two = segment(workspace(tmp_path / "2", IMAGE), BLOCKS, Workers(count=2, progress=False)).labels[:]
    np.testing.assert_array_equal(one, two)


def test_a_killed_run_goes_on_and_ends_alike(tmp_path, monkeypatch):
    expected = segment(workspace(tmp_path / "1", IMAGE), BLOCKS, QUIET).labels[:]
    space = workspace(tmp_path / "2", IMAGE)
    done = []

    def counted(write, *args):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(args)
        write(*args)

    module = "animat.brains.imaging.segment.write_graph"
    from animat.brains.imaging.segment import write_graph

    with monkeypatch.context() as patch:
        patch.setattr(module, partial(counted, write_graph))
        with pytest.raises(KeyboardInterrupt):
            segment(space, BLOCKS, QUIET)
    assert len(list((space.markers("segment-labels") / "fragments").iterdir())) == 3
    np.testing.assert_array_equal(segment(space, BLOCKS, QUIET).labels[:], expected)


def test_where_nothing_was_imaged_there_is_no_label(tmp_path):
    space = workspace(tmp_path, IMAGE)
    invalid = np.zeros(IMAGE.shape, bool)
    invalid[:, :, 60:] = True
    space.create("clean_invalid", IMAGE.shape, bool, NM)[:] = invalid
    found = segment(space, BLOCKS, QUIET).labels[:]
    assert (found[invalid] == 0).all()
    assert (found[~invalid] > 0).all()


def test_a_black_border_that_was_not_imaged_does_not_upset_the_contrast_inside(tmp_path):
    image, truth = tissue((48, 72, 72), 12, seed=3)
    bordered = np.zeros((48, 112, 112), np.uint8)
    bordered[:, 20:92, 20:92] = image
    space = workspace(tmp_path, bordered)
    space.create("clean_invalid", bordered.shape, np.bool_, NM)[:] = bordered == 0
    found = np.asarray(segment(space, SegmentSettings(), QUIET).labels[:])[:, 20:92, 20:92]
    plain = np.asarray(segment(workspace(tmp_path / "plain", image), SegmentSettings(), QUIET).labels[:])
    assert rand_error(found, truth) < rand_error(plain, truth) + 0.02


def test_an_unknown_predictor_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'clasical'; did you mean 'classical'"):
        SegmentSettings(predictor="clasical")


def test_a_predictor_without_its_weights_says_so():
    with pytest.raises(VolumeError, match=r"'ffn' needs weights"):
        SegmentSettings(predictor="ffn")


@pytest.mark.skipif(not FIB25.exists(), reason="needs ../shared/data/em/fib25_ts2_z000-170.npz")
def test_real_tissue_that_was_not_used_for_tuning_is_segmented(tmp_path):
    """A part of the held-out slab; the whole one is in scripts/bench_imaging_segment.py."""
    with np.load(FIB25) as file:
        image, truth = (file[name][120:160, :128, :128] for name in ("raw", "gt"))
    found = segment(workspace(tmp_path, image), SegmentSettings(), QUIET).labels[:]
    parts = np.unique(truth.astype(np.int64) * 1000 + connected(truth), return_inverse=True)[1]
    assert rand_error(found, parts.reshape(truth.shape)) < 0.3


def connected(truth):
    numbers = np.zeros(truth.shape, int)
    for value in np.unique(truth):
        numbers += ndimage.label(truth == value)[0]
    return numbers


def test_settings_are_chosen_where_the_truth_is_known():
    image, truth = tissue((40, 64, 64), 10, seed=2)
    error, how, rule = choose(classical_boundary(image, NM, Classical()), truth, NM)
    labels = fragments(classical_boundary(image, NM, Classical()), NM, how)
    graph = region_graph(labels, classical_boundary(image, NM, Classical()))
    regions, _ = agglomerate(graph, np.bincount(labels.ravel()), rule)
    assert error < 0.1
    np.testing.assert_allclose(rand_error(regions[labels], truth), error, atol=1e-9)


def test_fragments_grow_from_objects_that_are_known():
    image, _ = tissue((40, 40, 40), 5)
    boundary = classical_boundary(image, NM, Classical())
    objects = np.zeros(image.shape, np.uint32)
    objects[10:30, 10:30, 10:30] = 1
    found = fragments(boundary, NM, Fragments(), objects)
    assert (found[objects > 0] == 1).all()
    assert (found > 0).all()
    assert found.max() > 1
