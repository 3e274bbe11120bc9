"""Synthetic tissue carries its connectome, and its truth says what is there."""

import numpy as np
import pytest
from skimage.measure import label

from animat.brains.imaging.scoring_graph import score_edges
from animat.brains.imaging.tissue import TissueSettings, grow
from animat.brains.imaging.tissue_channels import TRANSMITTERS
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.tissue_damage import DAMAGES, STANDARD_DAMAGE
from animat.brains.imaging.tissue_tiles import write_tiles
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

SHAPE = (80, 88, 96)
DAMAGED = TissueSettings(damage=STANDARD_DAMAGE)


def make(seed=0, settings=None, neurons=5):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(neurons, rng, out_degree=2)
    return circuit, grow(circuit, SHAPE, rng, settings)


@pytest.fixture(scope="module")
def made():
    return make(settings=DAMAGED)


@pytest.fixture(scope="module")
def tissue(made):
    return made[1]


def voxels(tissue, columns):
    return (tissue.synapses[columns].to_numpy() / tissue.clean.voxel_nm).astype(int)


def test_every_label_is_one_connected_piece(tissue):
    labels = tissue.truth.labels
    assert labels.min() == 1
    assert label(labels, connectivity=1).max() == len(np.unique(labels)) == len(tissue.cells)


def test_the_grown_graph_is_that_of_the_connectome(made):
    circuit, tissue = made
    score = score_edges(tissue.connectome, circuit)
    assert (score.plain.f1, score.weighted.f1) == (1, 1)
    assert len(tissue.synapses) == circuit.synapses["count"].sum()


def test_partners_touch_at_every_synapse(tissue):
    labels = np.pad(tissue.truth.labels, 1)
    for place, pre, post in zip(
        voxels(tissue, ["z_nm", "y_nm", "x_nm"]),
        tissue.synapses["pre_label"],
        tissue.synapses["post_label"],
        strict=True,
    ):
        around = labels[tuple(slice(k, k + 3) for k in place)]
        assert {pre, post} <= set(around.ravel().tolist())


def test_the_two_sides_of_a_synapse_lie_in_their_neurons(tissue):
    for side in ("pre", "post"):
        at = voxels(tissue, [f"{side}_{axis}_nm" for axis in "zyx"]).clip(0, np.array(SHAPE) - 1)
        inside = tissue.truth.labels[tuple(at.T)] == tissue.synapses[f"{side}_label"]
        assert inside.all()


def test_the_synapses_are_where_the_moved_sections_show_them(tissue):
    at = voxels(tissue, ["z_nm", "y_moved_nm", "x_moved_nm"])
    seen = ((at >= 0) & (at < SHAPE)).all(axis=1)
    found = tissue.truth_moved.labels[tuple(at[seen].T)]
    partners = tissue.synapses.loc[seen, ["pre_label", "post_label"]].to_numpy()
    assert (found[:, None] == partners).any(axis=1).mean() > 0.8


def test_push_undoes_pull(tissue):
    distortion = tissue.distortion
    middle = tuple(n // 2 for n in distortion.pull_px.shape[1:3])
    there, back = distortion.pull_px[:, *middle], distortion.push_px[:, *middle]
    assert np.abs(there).max() > 5
    assert np.linalg.norm(there + back, axis=-1).mean() < 0.1 * np.linalg.norm(there, axis=-1).mean()


def test_planted_damage_is_listed_and_seen(tissue):
    assert set(tissue.damaged["damage"]) == set(DAMAGES)
    missing = tissue.damaged.query("damage == 'missing'")["z"]
    dark = tissue.damaged.query("damage == 'dark'")["z"]
    brightness = tissue.volume.data.mean(axis=(1, 2))
    assert (brightness[missing] == 0).all()
    assert (brightness[dark] < 0.6 * np.median(brightness)).all()
    assert tissue.clean.data.mean(axis=(1, 2)).min() > 60


def test_without_damage_the_picture_is_the_clean_one():
    _, tissue = make()
    np.testing.assert_array_equal(tissue.volume.data, tissue.clean.data)
    np.testing.assert_array_equal(tissue.truth_moved.labels, tissue.truth.labels)
    assert tissue.damaged.empty


def test_membranes_are_darker_than_what_they_enclose(tissue):
    labels, image = tissue.truth.labels, tissue.clean.data.astype(float)
    edge = np.zeros(labels.shape, bool)
    edge[:, :, 1:] |= labels[:, :, 1:] != labels[:, :, :-1]
    assert image[edge].mean() < image[~edge].mean() - 10


def test_same_seed_same_bytes():
    one, other = (make(seed=3, settings=DAMAGED)[1] for _ in range(2))
    for a, b in ((one.volume.data, other.volume.data), (one.truth.labels, other.truth.labels)):
        assert a.tobytes() == b.tobytes()
    assert one.synapses.equals(other.synapses)


def test_another_seed_is_another_tissue(tissue):
    assert not np.array_equal(make(seed=4)[1].truth.labels, tissue.truth.labels)


def test_a_connectome_that_does_not_fit_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(VolumeError, match="take a larger shape"):
        grow(random_circuit(40, rng, out_degree=10), (32, 32, 32), rng)


@pytest.fixture(scope="module")
def stained():
    settings = TissueSettings(barcodes=8, barcode_dropout=0.0, crosstalk=0.0, transmitters=True, damage=STANDARD_DAMAGE)
    return make(seed=2, settings=settings)[1]


def test_a_barcode_is_seen_inside_its_cell_as_the_sections_lie(stained):
    images, labels = stained.volume.channels["barcodes"], stained.truth_moved.labels
    seen = np.asarray(images)
    for _, code in stained.barcodes.head(5).iterrows():
        shown = np.stack([labels == code["label"]] * 8)
        means = np.array([seen[k][shown[k]].mean() for k in range(8)])
        stain = code.drop("label").to_numpy(dtype=bool)
        assert means[stain].min() > means[~stain].max()


def test_channels_are_read_in_parts_as_a_whole(stained):
    for images in stained.volume.channels.values():
        whole = np.asarray(images)
        assert whole.shape == images.shape
        np.testing.assert_array_equal(images[1, 3:9, :, 20:44], whole[1, 3:9, :, 20:44])
        np.testing.assert_array_equal(images[..., 5], whole[..., 5])


def test_the_transmitter_is_seen_before_its_synapses(stained):
    image = np.asarray(stained.volume.channels["transmitters"]).astype(float)
    makes = dict(zip(stained.connectome.names, stained.connectome.neurons["transmitter"], strict=True))
    at = (stained.synapses[["z_nm", "y_moved_nm", "x_moved_nm"]].to_numpy() / 10).astype(int)
    inside = ((at >= 0) & (at < SHAPE)).all(axis=1) & ~np.isin(at[:, 0], np.flatnonzero(image.max(axis=(0, 2, 3)) == 0))
    assert inside.sum() > 5
    for k, name in enumerate(TRANSMITTERS):
        theirs = inside & (stained.synapses["pre"].map(makes) == name).to_numpy()
        if theirs.any():
            assert image[k][tuple(at[theirs].T)].mean() > image[k].mean() + 30


def test_thick_sections_carry_the_connectome_too():
    rng = np.random.default_rng(0)
    circuit = random_circuit(3, rng, out_degree=1)
    tissue = grow(circuit, (20, 96, 96), rng, TissueSettings(voxel_nm=(40.0, 8.0, 8.0)))
    assert tissue.clean.shape == tissue.truth.shape == (20, 96, 96)
    assert score_edges(tissue.connectome, circuit).plain.f1 == 1
    assert label(tissue.truth.labels, connectivity=1).max() == len(np.unique(tissue.truth.labels))


def test_thick_sections_show_the_mean_of_what_lies_in_them():
    rng = np.random.default_rng(0)
    circuit = random_circuit(3, rng, out_degree=1)
    thin = grow(circuit, (80, 96, 96), np.random.default_rng(1), TissueSettings(voxel_nm=(10.0, 8.0, 8.0)))
    thick = grow(circuit, (20, 96, 96), np.random.default_rng(1), TissueSettings(voxel_nm=(40.0, 8.0, 8.0)))
    fine = thin.clean.data.astype(float).reshape(20, 4, 96, 96)
    mean, single = (np.corrcoef(part.ravel(), thick.clean.data.ravel())[0, 1] for part in (fine.mean(1), fine[:, 2]))
    assert mean > single > 0.5
    assert thick.clean.data.std() < thin.clean.data.std()


def test_tiles_go_on_across_their_faces(tissue, tmp_path):
    volume = write_tiles(tissue, Workspace(tmp_path), (2, 1, 3))
    assert volume.shape == (2 * SHAPE[0], SHAPE[1], 3 * SHAPE[2])
    whole = np.asarray(volume.data[:])
    np.testing.assert_array_equal(whole[: SHAPE[0], :, : SHAPE[2]], tissue.volume.data)
    np.testing.assert_array_equal(whole[SHAPE[0] - 1], whole[SHAPE[0]])
    np.testing.assert_array_equal(whole[:, :, SHAPE[2] - 1], whole[:, :, SHAPE[2]])
