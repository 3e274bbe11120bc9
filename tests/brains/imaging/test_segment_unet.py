"""The affinity U-Net: targets, augmentation, weights and training, on volumes of a few voxels."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from animat.brains.imaging.agglomerate import Agglomeration  # noqa: E402
from animat.brains.imaging.augmentation import Augmentation, draw  # noqa: E402
from animat.brains.imaging.blocks import Workers  # noqa: E402
from animat.brains.imaging.fragments import Fragments  # noqa: E402
from animat.brains.imaging.normalise import local_contrast  # noqa: E402
from animat.brains.imaging.predictors import SHIPPED  # noqa: E402
from animat.brains.imaging.segment import SegmentSettings, segment  # noqa: E402
from animat.brains.imaging.unet import (  # noqa: E402
    OFFSETS,
    AffinityUNet,
    boundary_of,
    load_weights,
    network_input,
    predict_affinities,
    save_weights,
    shuffle,
)
from animat.brains.imaging.unet_training import (  # noqa: E402
    Training,
    affinity_targets,
    descriptor_targets,
    train,
)
from animat.brains.imaging.volume import VolumeError  # noqa: E402
from animat.brains.imaging.workspace import Workspace  # noqa: E402

NM = (10.0, 10.0, 10.0)
SMALL = (4, 8, 8)
PLAIN = Augmentation(
    anisotropy=0, missing=0, shift=0, blur=0, gamma=(1, 1), contrast=(1, 1), brightness=0, noise=(0, 0), grain=0
)  # fmt: skip
SHORT = Training(steps=4, patch=32)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def slabs(shape=(48, 48, 48), width=12):
    """Sheets of tissue, each an object, with dark membranes between them."""
    z = np.arange(shape[0])
    grey = np.where(z % width == 0, 60, 180)[:, None, None] + np.zeros(shape)
    noise = np.random.default_rng(0).normal(0, 5, shape)
    labels = np.broadcast_to((z // width + 1)[:, None, None], shape)
    return np.clip(grey + noise, 0, 255).astype(np.uint8), np.ascontiguousarray(labels)


def test_eight_channels_become_the_voxels_of_a_cell():
    volume = np.arange(2 * 4 * 6 * 8).reshape(2, 4, 6, 8)
    cells = volume.reshape(2, 2, 2, 3, 2, 4, 2).transpose(0, 2, 4, 6, 1, 3, 5).reshape(1, 16, 2, 3, 4)
    np.testing.assert_array_equal(shuffle(torch.from_numpy(cells.copy()))[0].numpy(), volume)


def test_affinities_say_whether_two_voxels_are_of_one_object():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (10, 11, 12))
    targets, mask = affinity_targets(labels)
    for k, offset in enumerate(OFFSETS):
        for _ in range(20):
            place = tuple(int(rng.integers(0, n)) for n in labels.shape)
            other = tuple(p + o for p, o in zip(place, offset, strict=True))
            inside = all(p < n for p, n in zip(other, labels.shape, strict=True))
            known = inside and labels[place] > 0 and labels[other] > 0
            assert mask[(k, *place)] == known
            if known:
                assert targets[(k, *place)] == (labels[place] == labels[other])


def test_descriptors_point_to_the_middle_of_an_object():
    labels = np.zeros((21, 21, 21), int)
    labels[6:15, 6:15, 6:15] = 5
    found = descriptor_targets(labels, 4.0)
    np.testing.assert_allclose(found[:3, 10, 10, 10], 0, atol=1e-5)
    assert found[0, 6, 10, 10] > 0.3
    assert found[0, 14, 10, 10] < -0.3
    np.testing.assert_allclose(found[3, 10, 10, 10], found[5, 10, 10, 10], rtol=1e-4)
    np.testing.assert_allclose(found[6:9, 10, 10, 10], 0, atol=1e-5)
    assert (found[:, labels == 0] == 0).all()


def test_boundaries_of_true_affinities_lie_between_objects():
    _, labels = slabs((24, 16, 16), width=8)
    boundary = boundary_of((255 * affinity_targets(labels)[0]).astype(np.uint8))[:, 2:-4, 2:-4]
    assert boundary[[7, 8, 15, 16]].min() > 180
    assert boundary[[3, 4, 11, 12, 19]].max() == 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_image_and_truth_are_changed_together(seed):
    _, labels = slabs()
    image = (20 * labels).astype(np.uint8)
    patch = draw(image, labels, 32, PLAIN, np.random.default_rng(seed))
    away = np.abs(patch.image / 20 - patch.labels) < 0.55  # half a voxel of interpolation at the borders
    assert away[patch.labels > 0].mean() > 0.99
    assert len(np.unique(patch.labels)) > 1


def test_a_patch_comes_from_its_seed_alone():
    image, labels = slabs()
    one, other = (draw(image, labels, 32, Augmentation(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.labels, other.labels)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 2), st.integers(0, 60))
def test_local_contrast_hardly_sees_brightness(gain, shade):
    image = np.random.default_rng(0).integers(40, 90, (20, 20, 20)).astype(np.uint8)
    plain, brighter = local_contrast(image, (9, 9, 9)), local_contrast(image + np.uint8(shade), (9, 9, 9))
    np.testing.assert_allclose(plain, brighter, atol=1e-2)
    doubled = local_contrast(gain * image, (9, 9, 9))
    assert np.corrcoef(plain.ravel(), doubled.ravel())[0, 1] > 0.999


def test_an_untrained_network_repeats_the_training_free_boundary():
    image, _ = slabs()
    network = AffinityUNet(SMALL, norm=False).eval()
    found = network_input(image, NM)[1]
    affinities = predict_affinities(network, image, NM)
    for k, offset in enumerate(OFFSETS):
        windows = [found[tuple(slice(int(i * np.sign(o)), int(i * np.sign(o)) + 36) for o in offset)]
                   for i in range(sum(offset) + 1)]  # fmt: skip
        expected = 255 / (1 + np.exp(1.5 * np.max(windows, axis=0) - 1.5))
        np.testing.assert_allclose(affinities[k, :36, :36, :36], expected, atol=1)


def test_weights_without_normalisation_give_the_same_affinities(tmp_path):
    torch.manual_seed(0)
    network = AffinityUNet(SMALL)
    network(torch.randn(1, 2, 16, 16, 16))
    network.eval()
    save_weights(network, tmp_path / "w.npz", {"data": "none"})
    image = torch.randn(1, 2, 16, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(load_weights(tmp_path / "w.npz")(image)[0], network(image)[0], atol=0.01, rtol=0.01)


def test_a_file_that_holds_no_weights_is_named(tmp_path):
    path = tmp_path / "w.npz"
    with pytest.raises(VolumeError, match=r"w\.npz: no file of weights"):
        load_weights(path)
    np.savez(path, notes=np.array("{}"))
    with pytest.raises(VolumeError, match=r"w\.npz: no weights of the affinity U-Net"):
        load_weights(path)


def test_tiles_of_a_volume_of_any_shape_are_put_together():
    torch.manual_seed(0)
    network = AffinityUNet(SMALL, norm=False).eval()
    image, _ = slabs((37, 50, 21))
    tiled = predict_affinities(network, image, NM, tile=16, margin=48)
    whole = predict_affinities(network, image, NM, tile=64, margin=0)
    assert tiled.shape == (len(OFFSETS), 37, 50, 21)
    np.testing.assert_allclose(tiled.astype(int), whole.astype(int), atol=1)


def test_training_that_was_interrupted_ends_like_one_that_was_not(tmp_path):
    volumes = [slabs()]
    expected = train(volumes, SHORT, Augmentation(), tmp_path / "one.npz").state_dict()

    def slow(step, loss):
        time.sleep(0.5 * (step == 2))

    assert train(volumes, SHORT, Augmentation(), tmp_path / "two.npz", limit_s=0.5, report=slow) is None
    found = train(volumes, SHORT, Augmentation(), tmp_path / "two.npz").state_dict()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-6, rtol=1e-5)


def test_training_lowers_the_loss():
    losses = []
    volumes, plan = [slabs()], Training(steps=14, patch=32, rate=1e-2)
    train(volumes, plan, PLAIN, report=lambda step, loss: losses.append(loss))
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


@pytest.mark.skipif(not SHIPPED.exists(), reason="no weights ship with this version")
def test_shipped_weights_are_small_and_say_where_they_come_from():
    import json

    assert SHIPPED.stat().st_size < 3e6
    with np.load(SHIPPED, allow_pickle=False) as file:
        notes = json.loads(str(file["notes"]))
    assert "neuroproof_examples" in notes["data"]
    assert notes["training"]["seed"] == 0
    assert notes["sections"][1] <= 110
    assert notes["chosen"]["agglomeration"]["threshold"] > 0


def test_settings_chosen_with_the_weights_are_used(tmp_path):
    path, chosen = tmp_path / "w.npz", {"fragments": {"boundary": 0.4}, "agglomeration": {"threshold": 0.77}}
    network = AffinityUNet(SMALL).eval()
    save_weights(network, path, {"chosen": chosen})
    fragments, agglomeration = SegmentSettings(predictor="unet", weights=path).resolved()
    assert fragments == Fragments(boundary=0.4)
    assert agglomeration == Agglomeration(threshold=0.77)
    given = SegmentSettings(predictor="unet", weights=path, agglomeration=Agglomeration(threshold=0.1))
    assert given.resolved()[1].threshold == 0.1


def test_the_stage_runs_on_the_network(tmp_path):
    image, labels = slabs()
    path = tmp_path / "w.npz"
    save_weights(AffinityUNet(SMALL).eval(), path, {})
    space = Workspace(tmp_path / "work")
    space.create("clean", image.shape, np.uint8, NM)[:] = image
    found = segment(space, SegmentSettings(predictor="unet", weights=path), Workers(progress=False)).labels[:]
    for value in np.unique(labels):
        assert np.bincount(found[labels == value]).max() > 0.7 * (labels == value).sum()
