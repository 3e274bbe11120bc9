"""Scores of segmentations, graphs and alignment: laws, hand-counted cases, and a published segmentation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import variation_of_information

from animat.brains.connectome import Connectome, Source
from animat.brains.imaging.scoring import relabel_components, score_alignment, score_segmentation
from animat.brains.imaging.scoring_graph import expected_run_length, match_labels, score_edges, score_synapses
from animat.brains.imaging.volume import VolumeError

FIB25 = Path(__file__).resolve().parents[4] / "shared" / "data" / "em" / "fib25_ts2_z000-170.npz"
LABELS = arrays(np.uint32, (3, 4, 5), elements=st.integers(0, 4))
TRUTH = LABELS.filter(lambda labels: labels.any())


@given(TRUTH)
def test_the_truth_scores_zero_whatever_its_names(truth):
    renamed = np.array([0, 9, 2, 7000, 5], dtype=np.uint64)[truth]
    score = score_segmentation(renamed, truth)
    assert score.voi == pytest.approx(0, abs=1e-12)
    assert score.arand == pytest.approx(0, abs=1e-12)


@given(TRUTH, TRUTH)
def test_found_and_truth_change_roles_with_split_and_merge(first, second):
    first, second = first + 1, second + 1  # no label 0: it counts on one side only
    one, other = score_segmentation(first, second), score_segmentation(second, first)
    assert one.voi_split == pytest.approx(other.voi_merge, abs=1e-12)
    assert one.rand_precision == pytest.approx(other.rand_recall)
    assert one.arand == pytest.approx(other.arand)


@given(LABELS, TRUTH)
def test_scores_agree_with_another_implementation_and_with_counting_pairs(found, truth):
    score = score_segmentation(found, truth)
    inside = truth != 0
    merge, split = variation_of_information(found[inside] + 1, truth[inside])
    assert (score.voi_split, score.voi_merge) == pytest.approx((split, merge), abs=1e-9)
    one, other = (np.equal.outer(labels[inside], labels[inside]) for labels in (found, truth))
    assert score.arand == pytest.approx(1 - 2 * (one & other).sum() / (one.sum() + other.sum()), abs=1e-9)


@given(TRUTH, st.integers(1, 4))
def test_cutting_a_label_raises_the_split_part_alone(truth, cut):
    found = truth.copy()
    found[:, :, 2:][truth[:, :, 2:] == cut] = 99
    score = score_segmentation(found, truth)
    both_sides = bool((found == 99).any() and (found == cut).any())
    assert (score.voi_split > 1e-9) == both_sides
    assert score.voi_merge == pytest.approx(0, abs=1e-12)
    assert score.rand_precision == pytest.approx(1)


@given(LABELS, TRUTH)
def test_voxels_without_truth_do_not_count(found, truth):
    other = found.copy()
    other[truth == 0] = 123456
    assert score_segmentation(other, truth) == score_segmentation(found, truth)


def test_a_merge_of_two_equal_cells_costs_one_bit():
    truth = np.repeat(np.array([1, 2], dtype=np.uint32), 32).reshape(4, 4, 4)
    score = score_segmentation(np.ones_like(truth), truth)
    assert (score.voi_split, score.voi_merge) == pytest.approx((0, 1))
    assert score.arand == pytest.approx(1 - 2 * 0.5 / 1.5)


def test_a_truth_cut_by_the_crop_is_two_cells():
    truth = np.zeros((2, 5, 5), dtype=np.uint16)
    truth[:, 0], truth[:, 4], truth[:, 1:4, 2] = 7, 7, 7
    assert relabel_components(truth).max() == 1
    assert relabel_components(truth[:, :, :2]).max() == 2


def test_shapes_that_differ_and_an_empty_truth_are_refused():
    with pytest.raises(VolumeError, match=r"found has shape \(1, 2, 3\), truth \(1, 2, 4\)"):
        score_segmentation(np.ones((1, 2, 3), dtype=np.uint32), np.ones((1, 2, 4), dtype=np.uint32))
    with pytest.raises(VolumeError, match="no voxel with a label"):
        score_segmentation(np.ones((1, 2, 3), dtype=np.uint32), np.zeros((1, 2, 3), dtype=np.uint32))


@pytest.mark.skipif(not FIB25.exists(), reason="needs ../shared/data/em (real EM, not in the repository)")
def test_the_published_flood_filling_segmentation_is_near_the_human_one():
    # z 110:170, held out; unsegmented voxels of the published result left out, as its authors score it
    data = np.load(FIB25)
    truth, found = relabel_components(data["gt"][110:]), data["ffn_seg"][110:]
    truth[found == 0] = 0
    score = score_segmentation(found, truth)
    assert score.arand < 0.06
    assert score.voi < 1.1


def graph(edges, names="ABCD"):
    neurons = pd.DataFrame({"name": list(names)}).assign(type="", role="inter", transmitter="", side="")
    synapses = pd.DataFrame(edges, columns=["pre", "post", "count"]).assign(
        kind="chemical", sign=0, provenance="measured"
    )
    return Connectome(neurons.assign(x_um=np.nan, y_um=np.nan, z_um=np.nan), synapses, Source("test"))


TRUE_GRAPH = graph([("A", "B", 4), ("B", "C", 2), ("C", "A", 2)])


def test_a_graph_scores_one_against_itself():
    score = score_edges(TRUE_GRAPH, TRUE_GRAPH)
    assert (score.plain.f1, score.weighted.f1) == (1, 1)


def test_edges_are_counted_plain_and_by_weight():
    score = score_edges(graph([("A", "B", 1), ("C", "B", 3)]), TRUE_GRAPH)
    assert (score.plain.precision, score.plain.recall) == pytest.approx((1 / 2, 1 / 3))
    assert (score.weighted.precision, score.weighted.recall) == pytest.approx((1 / 4, 1 / 8))


def test_edges_of_unmatched_fragments_are_wrong():
    found = graph([("s", "t", 4), ("u", "t", 5)], names="stu")
    score = score_edges(found, TRUE_GRAPH, {"s": "A", "t": "B"})
    assert (score.plain.precision, score.plain.recall) == pytest.approx((1 / 2, 1 / 3))
    with pytest.raises(ValueError, match="two found neurons to one"):
        score_edges(found, TRUE_GRAPH, {"s": "A", "t": "A"})


def test_each_neuron_is_one_found_label_and_the_rest_is_fragments():
    truth = np.array([1] * 10 + [2] * 10 + [3] * 4, dtype=np.uint32)
    found = np.array([5] * 6 + [6] * 4 + [7] * 14, dtype=np.uint64)  # 1 is split, 2 and 3 are merged
    assert match_labels(found, truth) == {5: 1, 7: 2}


def test_a_synapse_is_found_once_and_only_near():
    truth = np.array([[0.0, 0, 0], [0, 0, 500]])
    found = np.array([[0.0, 0, 40], [0, 0, -40], [0, 0, 900]])
    score = score_synapses(found, truth)
    assert (score.hits, score.precision, score.recall) == (1, pytest.approx(1 / 3), 1 / 2)


def test_a_synapse_between_wrong_partners_is_wrong():
    place = np.zeros((1, 3))
    assert score_synapses(place, place, found_partners=[[1, 2]], truth_partners=[[1, 2]]).f1 == 1
    assert score_synapses(place, place, found_partners=[[2, 1]], truth_partners=[[1, 2]]).f1 == 0


@given(st.integers(1, 40), st.integers(1, 40))
def test_as_many_synapses_are_paired_as_can_be(n, m):
    found, truth = np.zeros((n, 3)), np.zeros((m, 3))
    assert score_synapses(found, truth).hits == min(n, m)


def test_run_length_counts_splits_and_forbids_merges():
    edges = [[0, 1], [1, 2], [3, 4], [4, 5]]  # two skeletons of three nodes and length 20
    neuron, lengths = [0, 0, 0, 1, 1, 1], [10.0] * 4
    assert expected_run_length([1, 1, 1, 2, 2, 2], edges, neuron, lengths) == pytest.approx(20)
    assert expected_run_length([1, 1, 3, 2, 2, 2], edges, neuron, lengths) == pytest.approx((100 + 400) / 40)
    assert expected_run_length([1, 1, 1, 1, 1, 1], edges, neuron, lengths) == 0


def test_a_shift_of_the_whole_stack_is_no_error():
    truth = np.random.default_rng(0).normal(size=(9, 2))
    score = score_alignment(truth + np.array([5, -3]), truth)
    assert score.cumulative_max == pytest.approx(0, abs=1e-12)


def test_drift_is_seen_in_the_cumulative_error_alone():
    truth = np.zeros((41, 2))
    drift = np.stack([np.arange(41) * 0.5, np.zeros(41)], axis=1)
    score = score_alignment(drift, truth)
    assert score.pairwise_max == pytest.approx(0.5)
    assert score.cumulative_max == pytest.approx(10)


def test_missing_sections_are_not_judged():
    truth = np.zeros((4, 2))
    found = np.array([[0.0, 0], [0, 0], [99, 99], [0, 0]])
    assert score_alignment(found, truth, present=[True, True, False, True]).cumulative_max == 0
