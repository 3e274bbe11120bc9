"""Skeletons follow the middle of what they are given."""

from itertools import pairwise

import numpy as np
import pytest

from animat.brains.imaging.coarse import coarse
from animat.brains.imaging.skeletons import skeletonise, write_swc
from animat.brains.imaging.volume import Segmentation

VOXEL = (40.0, 40.0, 40.0)


def tube(points, radius=3.0, shape=(60, 60, 60)):
    """Labels 1 within `radius` voxels of straight pieces between points."""
    z, y, x = np.indices(shape)
    labels = np.zeros(shape, dtype=np.uint32)
    for a, b in pairwise(points):
        for t in np.linspace(0, 1, 120):
            c = np.array(a) * (1 - t) + np.array(b) * t
            labels[(z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2 <= radius**2] = 1
    return labels


def skeleton(labels, voxel=VOXEL, label=1):
    return skeletonise(coarse(Segmentation(labels=labels, voxel_nm=voxel)), label)


def test_a_tube_is_one_path_along_its_middle():
    found = skeleton(tube([(10, 30, 10), (50, 30, 30)]))
    assert len(found.ends) == 2
    way = np.array([40, 0, 20]) / np.linalg.norm([40, 0, 20])
    off = found.points_nm - (np.array([10, 30, 10]) + 0.5) * 40
    assert np.linalg.norm(off - np.outer(off @ way, way), axis=1).max() < 60
    assert found.cable_um == pytest.approx((np.hypot(40, 20) + 6) * 0.04, rel=0.15)
    assert np.median(found.radius_nm) == pytest.approx(3.5 * 40, rel=0.2)


def test_a_fork_has_three_ends():
    fork = np.maximum(tube([(8, 30, 30), (30, 30, 30), (52, 12, 30)]), tube([(30, 30, 30), (52, 48, 30)]))
    assert len(skeleton(fork).ends) == 3


def test_directions_point_out_of_the_ends():
    found = skeleton(tube([(10, 30, 30), (50, 30, 30)]))
    for end in found.ends:
        outward = found.points_nm[end] - found.points_nm.mean(axis=0)
        assert found.direction(end) @ outward / np.linalg.norm(outward) > 0.95


def test_a_segment_in_two_pieces_gives_two_trees():
    labels = np.zeros((60, 60, 60), dtype=np.uint32)
    labels[5:55, 10:16, 10:16] = 1
    labels[5:55, 40:46, 40:46] = 1
    assert (skeleton(labels).parent == -1).sum() == 2


def test_thin_neurites_hold_together_on_the_coarse_grid():
    labels = np.zeros((64, 64, 64), dtype=np.uint32)
    for n in range(4, 60):
        labels[n, n, n] = labels[n, n, n - 1] = labels[n - 1, n, n - 1] = 1  # one voxel of 10 nm thick
    found = skeleton(labels, (10.0, 10.0, 10.0))
    assert (found.parent == -1).sum() == 1
    assert found.cable_um == pytest.approx(55 * np.sqrt(3) * 0.01, rel=0.2)


def test_coarse_cells_count_every_voxel():
    labels = np.random.default_rng(0).integers(0, 4, (70, 33, 20)).astype(np.uint64)
    cells = coarse(Segmentation(labels=labels, voxel_nm=(10, 10, 20)))
    assert cells.factor == (4, 4, 2)
    for label in (1, 2, 3):
        assert cells.of(label)[1].sum() == (labels == label).sum()


def test_swc_files_list_parents_first_and_micrometres(tmp_path):
    found = skeleton(tube([(10, 30, 10), (50, 30, 30)]))
    write_swc(tmp_path / "1.swc", found)
    rows = np.loadtxt(tmp_path / "1.swc")
    assert (rows[:, 6] < rows[:, 0]).all()
    assert (rows[:, 6] == -1).sum() == 1
    np.testing.assert_allclose(rows[:, 2:5], found.points_nm[:, ::-1] * 1e-3, atol=6e-4)


def test_an_unknown_segment_is_named():
    with pytest.raises(ValueError, match="no segment 7"):
        skeleton(tube([(10, 30, 10), (50, 30, 30)]), label=7)
