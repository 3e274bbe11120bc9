"""Flood-filling inference with a network written by hand: it takes bright voxels and refuses dark ones."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from animat.brains.imaging.blocks import Workers  # noqa: E402
from animat.brains.imaging.flood_fill import (  # noqa: E402
    ConvolutionStack,
    FloodFill,
    load_network,
    save_network,
    segment_objects,
)
from animat.brains.imaging.segment import SegmentSettings, segment  # noqa: E402
from animat.brains.imaging.volume import VolumeError  # noqa: E402
from animat.brains.imaging.workspace import Workspace  # noqa: E402

SETTINGS = FloodFill(depth=2, width=4, view=(9, 9, 9), step=(2, 2, 2), mean=128, spread=50, least_voxels=50)


def by_brightness():
    """Adds 6 x (grey - mean) / spread to the logits: channel 0 carries bright, channel 1 dark."""
    network = ConvolutionStack(SETTINGS.depth, SETTINGS.width).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.first[0].weight[0, 0, 1, 1, 1], network.first[0].weight[1, 0, 1, 1, 1] = 1.0, -1.0
        for channel in (0, 1):
            network.second[0].weight[channel, channel, 1, 1, 1] = 1.0
        network.last.weight[0, 0], network.last.weight[0, 1] = 6.0, -6.0
    return network


def two_rods():
    """Bent bright rods in the dark, and their labels."""
    labels = np.zeros((40, 48, 48), np.uint32)
    labels[8:30, 8:16, 8:16] = 1
    labels[22:30, 8:40, 8:16] = 1
    labels[8:32, 10:38, 26:34] = 2
    return np.where(labels > 0, 190, 60).astype(np.uint8), labels


def test_an_object_is_filled_from_one_seed_round_its_bend():
    image, truth = two_rods()
    found = segment_objects(by_brightness(), SETTINGS, image, np.array([[12, 12, 12]]))
    assert found.max() == 1
    assert (truth[found == 1] == 1).all()
    assert (found[truth == 1] == 1).mean() > 0.98  # corners that no view reaches are left


def test_objects_are_numbered_in_the_order_of_their_seeds_and_filled_once():
    image, truth = two_rods()
    seeds = np.array([[20, 20, 30], [12, 12, 12], [26, 30, 12], [16, 28, 30]])
    found = segment_objects(by_brightness(), SETTINGS, image, seeds)
    assert (truth[found == 1] == 2).all()
    assert (truth[found == 2] == 1).all()
    assert (found[truth > 0] > 0).mean() > 0.95
    assert found.max() == 2


def test_seeds_in_the_dark_or_too_near_the_end_give_nothing():
    image, _ = two_rods()
    found = segment_objects(by_brightness(), SETTINGS, image, np.array([[20, 44, 44 - 1], [20, 24, 21], [39, 47, 47]]))
    assert (found == 0).all()


def test_small_objects_are_given_up():
    image, _ = two_rods()
    image[20, 20, 20] = 190
    found = segment_objects(by_brightness(), SETTINGS, image, np.array([[20, 20, 20]]))
    assert (found == 0).all()


def test_saving_and_loading_is_the_identity(tmp_path):
    path = tmp_path / "ffn.npz"
    save_network(by_brightness(), SETTINGS, path, {"source": "written by hand"})
    network, settings = load_network(path)
    assert settings == SETTINGS
    for name, value in by_brightness().state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


def test_a_step_that_leaves_the_view_is_refused():
    with pytest.raises(ValueError, match=r"view \(9, 9, 9\) must be odd and hold steps of \(5, 2, 2\)"):
        FloodFill(view=(9, 9, 9), step=(5, 2, 2))


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "ffn.npz"
    np.savez(path, notes=np.array('{"settings": {"depth": 3}}'))
    with pytest.raises(VolumeError, match=r"ffn\.npz: no weights of a flood-filling network"):
        load_network(path)


def test_the_stage_runs_on_a_flood_filling_network(tmp_path):
    image, truth = two_rods()
    path = tmp_path / "ffn.npz"
    save_network(by_brightness(), SETTINGS, path, {})
    space = Workspace(tmp_path / "work")
    space.create("clean", image.shape, np.uint8, (10, 10, 10))[:] = image
    found = segment(space, SegmentSettings(predictor="ffn", weights=path), Workers(progress=False)).labels[:]
    assert (found > 0).all()
    for label in (1, 2):
        numbers, voxels = np.unique(found[truth == label], return_counts=True)
        assert voxels.max() > 0.9 * voxels.sum()
        assert (truth[found == numbers[voxels.argmax()]] == label).mean() > 0.3
