"""Segments get their size, their chance of being glia, and the types a user's examples teach."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.cell_features import FEATURES, cell_features
from animat.brains.imaging.cell_sums import SUMS, sums
from animat.brains.imaging.celltype import CellTypeSettings, celltype, described
from animat.brains.imaging.coarse import coarse
from animat.brains.imaging.logistic import read_models
from animat.brains.imaging.tables import CELLS, SYNAPSES, read_table
from animat.brains.imaging.volume import Segmentation, VolumeError
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)
SMALL = CellTypeSettings(block=(64, 64, 64))
VOXEL = (40.0, 20.0, 20.0)
NONE = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in SYNAPSES.items()})


def shapes():
    """Twelve balls of 1 to 12 and twelve rods of 21 to 32, in a volume of 70 x 130 x 130."""
    labels = np.zeros((70, 130, 130), dtype=np.uint64)
    z, y, x = np.indices((20, 40, 40))
    ball = ((z - 10) * 2) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 <= 15**2
    for n in range(12):
        a, b = divmod(n, 3)
        rows = slice(20 * (n % 3), 20 * (n % 3) + 20), slice(30 * a, 30 * a + 40), slice(0, 40)
        labels[rows][ball & (labels[rows] == 0)] = n + 1
        labels[5 * n : 5 * n + 3, 10 * b : 10 * b + 6, 45:125] = n + 21
    return labels


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    space = Workspace(tmp_path_factory.mktemp("cells"))
    labels = shapes()
    image = np.random.default_rng(0).integers(90, 160, labels.shape).astype(np.uint8)
    for name, data in (("clean", image), ("proofread", labels)):
        space.create(name, data.shape, data.dtype, VOXEL)[:] = data
    return space


def test_every_segment_has_a_row_with_its_size_and_centre(space):
    table = celltype(space, SMALL, QUIET)
    labels = shapes()
    assert list(table.columns) == list(CELLS)
    assert table["label"].tolist() == np.unique(labels)[1:].tolist()
    rod = table[table["label"] == 32].iloc[0]
    where = np.argwhere(labels == 32)
    assert rod["voxels"] == len(where)
    assert rod["volume_um3"] == pytest.approx(len(where) * 40 * 20 * 20e-9)
    np.testing.assert_allclose(
        rod[["z_um", "y_um", "x_um"]].to_numpy(float), (where.mean(axis=0) + 0.5) * np.array(VOXEL) * 1e-3
    )
    assert table["glia"].between(0, 1).all()
    assert (table["type"] == "").all()
    pd.testing.assert_frame_equal(read_table(space, "cells"), table.astype(CELLS), check_dtype=False)


def test_blocks_change_no_sum_and_a_killed_run_goes_on(space, tmp_path):
    one, _ = described(space, CellTypeSettings(block=(128, 256, 256)), QUIET, "clean", "proofread")
    many, _ = described(space, SMALL, QUIET, "clean", "proofread")
    pd.testing.assert_frame_equal(one, many)
    markers = sorted((space.markers("cells") / "sums").iterdir())
    assert len(markers) > 4
    for marker in markers[::2]:
        marker.unlink()
    again, _ = described(space, SMALL, QUIET, "clean", "proofread")
    pd.testing.assert_frame_equal(again, many)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 11))
def test_sums_of_two_parts_add_up_to_those_of_the_whole(seed, cut):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (12, 7, 9)).astype(np.uint32)
    image = rng.integers(0, 256, labels.shape).astype(np.uint8)
    every = slice(0, 7), slice(0, 9)
    whole, total = sums(labels, image, (slice(0, 12), *every), (0, 0, 0))
    parts = [
        sums(labels, image, (slice(0, cut), *every), (0, 0, 0)),
        sums(labels, image, (slice(cut, 12), *every), (cut, 0, 0)),
    ]
    added = {int(label): np.zeros(len(SUMS), dtype=np.int64) for label in whole}
    for names, values in parts:
        for label, row in zip(names, values, strict=True):
            added[int(label)] += row
    np.testing.assert_array_equal(np.array(list(added.values())), total)


def test_features_tell_a_rod_from_a_ball_and_a_sheet():
    labels = np.zeros((64, 96, 96), dtype=np.uint32)
    z, y, x = np.indices(labels.shape)
    labels[(z - 16) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 <= 144] = 1
    labels[40:44, 10:14, 4:92] = 2
    labels[55:58, 30:90, 30:90] = 3
    names, values = sums(
        labels, np.full(labels.shape, 120, np.uint8), tuple(slice(0, n) for n in labels.shape), (0,) * 3
    )
    totals = pd.DataFrame(values, columns=list(SUMS)).assign(label=names)
    cells = coarse(Segmentation(labels=labels, voxel_nm=(10.0, 10.0, 10.0)))
    ball, rod, sheet = cell_features(totals, cells, NONE, (10.0, 10.0, 10.0)).to_dict("records")
    assert ball["roundness"] > rod["roundness"] > sheet["roundness"]
    assert abs(ball["roundness"]) < 0.15
    assert rod["long"] > 2 > ball["long"] + 1.9
    assert sheet["flat"] > 2 > ball["flat"] + 1.9
    assert ball["thickness"] > max(rod["thickness"], sheet["thickness"]) + 0.5
    assert rod["trunk"] > 0.95


def test_synapses_count_by_side_and_confidence():
    labels = np.ones((40, 40, 40), dtype=np.uint32)
    labels[20:] = 2
    names, values = sums(labels, labels.astype(np.uint8), (slice(0, 40),) * 3, (0, 0, 0))
    totals = pd.DataFrame(values, columns=list(SUMS)).assign(label=names)
    found = pd.DataFrame({"pre": [1, 1], "post": [2, 2], "confidence": [0.9, 0.1]}).astype(
        {"pre": "uint64", "post": "uint64"}
    )
    cells = coarse(Segmentation(labels=labels, voxel_nm=(10.0,) * 3))
    table = cell_features(totals, cells, found, (10.0, 10.0, 10.0))
    surface = 40 * 40 * 100 / 1.5 * 1e-6
    np.testing.assert_allclose(table["sends"], [np.log1p(1 / surface), 0])
    np.testing.assert_allclose(table["receives"], [0, np.log1p(1 / surface)])


def test_types_are_learned_from_labels(space, tmp_path):
    path = tmp_path / "types.csv"
    pd.DataFrame({"label": [1, 2, 3, 4, 21, 22, 23, 24], "type": ["ball"] * 4 + ["rod"] * 4}).to_csv(path, index=False)
    table = celltype(space, CellTypeSettings(block=(64, 64, 64), types=path, max_glia=1.0), QUIET)
    expected = np.where(table["label"] > 20, "rod", "ball")
    assert (table["type"] == expected).mean() > 0.9
    assert (table.loc[table["label"].isin([1, 22]), "type_probability"] == 1).all()
    assert table["type_probability"].between(0.5, 1).all()


def test_types_are_learned_from_points_too(space, tmp_path):
    path = tmp_path / "types.csv"
    table = celltype(space, SMALL, QUIET).set_index("label")
    chosen = [1, 2, 3, 21, 22, 23]
    points = table.loc[chosen, ["z_um", "y_um", "x_um"]].assign(type=["ball"] * 3 + ["rod"] * 3)
    points.to_csv(path, index=False)
    found = celltype(space, CellTypeSettings(block=(64, 64, 64), types=path, max_glia=1.0), QUIET).set_index("label")
    assert found.loc[chosen, "type"].tolist() == points["type"].tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"label": [1, 21], "type": ["ball", "rod"]}, "two cells each"),
        ({"label": [1, 1], "type": ["ball", "rod"]}, "segment 1 has more than one type"),
        ({"label": [1], "kind": ["ball"]}, "must have a `type`"),
        ({"z_um": [0.1], "y_um": [0.1], "type": ["ball"]}, "'x_um'"),
        ({"z_um": [99.0], "y_um": [0.1], "x_um": [0.1], "type": ["ball"]}, "outside the volume"),
    ],
)
def test_a_bad_table_of_types_is_refused_by_name(space, tmp_path, rows, message):
    path = tmp_path / "types.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    with pytest.raises(VolumeError, match=message):
        celltype(space, CellTypeSettings(block=(64, 64, 64), types=path), QUIET)


def test_the_shipped_model_knows_every_feature():
    assert read_models("celltype_model.csv")["glia"].features == FEATURES
