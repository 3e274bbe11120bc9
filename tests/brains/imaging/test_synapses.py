"""Synapses are found where they are, with their direction, whatever the blocks and in whatever order."""

import numpy as np
import pandas as pd
import pytest

from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.contacts import contacts
from animat.brains.imaging.logistic import Logistic, fit, read_models
from animat.brains.imaging.scoring_graph import score_synapses
from animat.brains.imaging.synapse_features import DETECTION, DIRECTION
from animat.brains.imaging.synapses import SynapseSettings, candidates, synapses
from animat.brains.imaging.tables import SYNAPSES, read_table
from animat.brains.imaging.tissue import TissueSettings, grow
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)
SMALL = SynapseSettings(block=(64, 64, 64))
TEN = (10.0, 10.0, 10.0)


@pytest.fixture(scope="module")
def tissue():
    rng = np.random.default_rng(3000)
    circuit = random_circuit(3, rng, out_degree=1.5, mean_count=3)
    return grow(circuit, (100, 104, 108), rng, TissueSettings(transmitters=True))


def workspace(folder, tissue):
    space = Workspace(folder)
    stains = np.asarray(tissue.volume.channels["transmitters"][:])
    arrays = {"clean": tissue.clean.data, "proofread": tissue.truth.labels, "clean_transmitters": stains}
    for name, data in arrays.items():
        space.create(name, data.shape, data.dtype, TEN)[:] = data
    return space


@pytest.fixture(scope="module")
def space(tmp_path_factory, tissue):
    made = workspace(tmp_path_factory.mktemp("synapses"), tissue)
    synapses(made, SMALL, QUIET)
    return made


def sure(space):
    table = read_table(space, "synapses")
    return table[table["confidence"] >= 0.5]


def score(space, tissue, swap=False):
    table, truth = sure(space), tissue.synapses
    columns = ["post", "pre"] if swap else ["pre", "post"]
    places = table[["z_um", "y_um", "x_um"]] * 1e3, truth[["z_nm", "y_nm", "x_nm"]]
    return score_synapses(*places, found_partners=table[columns], truth_partners=truth[["pre_label", "post_label"]])


def test_most_synapses_are_found_with_pair_and_direction(space, tissue):
    assert score(space, tissue).f1 >= 0.7  # a small tissue's; the bar is measured on six larger ones by the bench
    assert score(space, tissue, swap=True).hits <= 0.2 * len(tissue.synapses)


def test_the_transmitter_is_that_of_the_sender(space, tissue):
    shown = sure(space)
    shown = shown[shown["transmitter"] != ""]
    makes = tissue.connectome.neurons["transmitter"].to_numpy()
    senders = shown["pre"].to_numpy()
    known = senders <= len(makes)
    right = shown["transmitter"].to_numpy()[known] == makes[senders[known].astype(int) - 1]
    assert known.sum() >= 5
    assert right.mean() >= 0.9


def test_blocks_and_their_order_change_nothing(tmp_path, space, tissue):
    other = workspace(tmp_path, tissue)
    (markers := other.markers("synapses") / "blocks").mkdir(parents=True)
    first = synapses(other, SMALL, QUIET)
    for marker in list(markers.iterdir())[::2]:
        marker.unlink()  # as if killed
    (other.folder / "stages" / "synapses.json").unlink()
    pd.testing.assert_frame_equal(synapses(other, SMALL, QUIET), first)
    assert (other.folder / "synapses.parquet").read_bytes() == (space.folder / "synapses.parquet").read_bytes()


def test_every_place_belongs_to_one_block(space, tissue):
    blocked = read_table(space, "synapses")
    assert blocked["block"].nunique() > 4
    assert list(blocked.columns) == list(SYNAPSES)
    place = blocked[["z_um", "y_um", "x_um"]].round(3).assign(pair=blocked["pre"] + 1000 * blocked["post"])
    assert not place.duplicated().any()


def test_a_plain_membrane_is_no_synapse(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.ones((64, 64, 64), dtype=np.uint32)
    labels[:, 32:] = 2
    away = np.abs(np.arange(64) - 31.5)[None, :, None] * 10
    image = 150 - 68 * np.exp(-np.square(away / 17)) + rng.normal(0, 8, labels.shape)
    space = Workspace(tmp_path)
    for name, data in (("clean", image.clip(0, 255).astype(np.uint8)), ("proofread", labels)):
        space.create(name, data.shape, data.dtype, TEN)[:] = data
    assert not (synapses(space, SMALL, QUIET)["confidence"] >= 0.5).any()


def test_empty_labels_give_an_empty_table(tmp_path):
    space = Workspace(tmp_path)
    for name, kind in (("clean", np.uint8), ("proofread", np.uint64)):
        space.create(name, (40, 40, 40), kind, TEN)
    assert list(synapses(space, SMALL, QUIET).columns) == list(SYNAPSES)
    assert not len(read_table(space, "synapses"))


def test_contacts_have_the_area_of_the_faces_and_point_from_first_to_second():
    labels = np.full((30, 30, 30), 2**60 + 1, dtype=np.uint64)
    labels[:, :, 13:] = 2**60 + 2
    found = contacts(labels, np.full(labels.shape, 90, dtype=np.uint8), (40.0, 10.0, 8.0))
    assert found.area_nm2.sum() == pytest.approx(30 * 30 * 400)
    np.testing.assert_allclose(found.normal, np.broadcast_to([0, 0, 1], found.normal.shape))
    np.testing.assert_allclose(found.place_nm[:, 2], 13 * 8)
    assert (found.pair == [2**60 + 1, 2**60 + 2]).all()
    assert (found.grey == 90).all()
    assert found.starts.tolist() == [0, len(found.pair)]


def test_contacts_are_the_same_in_a_part_of_a_volume():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (36, 36, 36)).repeat(2, axis=2).astype(np.uint32)
    image = rng.integers(0, 255, labels.shape, dtype=np.uint8)
    whole = contacts(labels, image, TEN)
    part = contacts(labels[8:, 5:, 7:], image[8:, 5:, 7:], TEN, (8, 5, 7))
    inside = (whole.place_nm > 150).all(axis=1) & (whole.place_nm < 250).all(axis=1)
    again = (part.place_nm > 150).all(axis=1) & (part.place_nm < 250).all(axis=1)
    np.testing.assert_allclose(part.place_nm[again], whole.place_nm[inside])
    np.testing.assert_allclose(part.grey[again], whole.grey[inside])


def test_swapping_the_sides_swaps_only_the_direction(tissue):
    labels = tissue.truth.labels
    swapped = labels.max() + 1 - labels  # the higher label of every pair is now the lower
    found = candidates(labels, tissue.clean.data, TEN, 5.0)
    other = candidates(swapped, tissue.clean.data, TEN, 5.0)
    order = [np.lexsort(one.clefts.place_nm.round(3).T) for one in (found, other)]
    np.testing.assert_allclose(found.features.detection[order[0]], other.features.detection[order[1]], atol=1e-6)
    np.testing.assert_allclose(found.features.direction[order[0]], -other.features.direction[order[1]], atol=1e-6)


def test_the_shipped_models_know_every_feature_and_direction_is_odd():
    models = read_models("synapse_model.csv")
    assert models["synapse"].features == DETECTION
    assert models["direction"].features == DIRECTION
    row = np.random.default_rng(0).normal(size=(5, len(DIRECTION)))
    both = models["direction"].probability(row) + models["direction"].probability(-row)
    np.testing.assert_allclose(both, 1)


def test_a_fitted_regression_finds_its_own_chances_and_survives_its_table():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4000, 2))
    chance = 1 / (1 + np.exp(-(1.5 * values[:, 0] - values[:, 1] - 0.5)))
    model = fit(("a", "b"), values, rng.random(4000) < chance, c=100)
    np.testing.assert_allclose(model.probability(values), chance, atol=0.06)
    table = model.table("m", "test")
    again = Logistic(
        features=tuple(table["feature"][:-1]),
        mean=table["mean"][:-1].to_numpy(),
        scale=table["scale"][:-1].to_numpy(),
        weight=table["weight"][:-1].to_numpy(),
        intercept=float(table["weight"].iloc[-1]),
    )
    np.testing.assert_allclose(again.probability(values), model.probability(values), atol=1e-5)


def test_an_unknown_table_of_coefficients_is_named():
    with pytest.raises(ValueError, match=r"synapse_modl\.csv.*synapse_model\.csv"):
        read_models("synapse_modl.csv")


def test_channels_need_as_many_names(tmp_path, tissue):
    space = workspace(tmp_path, tissue)
    with pytest.raises(VolumeError, match="3 channels, but 1 names"):
        synapses(space, SynapseSettings(transmitters=("GABA",)), QUIET)
