"""Damage is found where it was planted and nowhere else; what is repaired is nearer to the undamaged volume."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from animat.brains.imaging import clean as stage
from animat.brains.imaging.artefacts import KINDS, ArtefactSettings, find_artefacts
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.clean import CleanSettings, clean
from animat.brains.imaging.contrast import ContrastSettings, contrast_maps, equalise
from animat.brains.imaging.mesh import Mesh
from animat.brains.imaging.planting import damage, misalign
from animat.brains.imaging.registration import Band
from animat.brains.imaging.repair import between, find_gaps, flow
from animat.brains.imaging.workspace import Workspace

HELD_OUT = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "em" / "fib25_ts2_z000-170.npz"
QUIET = Workers(progress=False)
FIB_NM = (10.0, 10.0, 10.0)


@pytest.fixture(scope="module")
def tissue():
    """Isotropic EM that no setting was chosen on, every voxel 10 nm."""
    if not HELD_OUT.exists():
        pytest.skip("FIB-25 training_sample2 (../shared/data/em) is not here")
    with np.load(HELD_OUT, allow_pickle=False) as file:
        return file["raw"][:80]


def textured(shape, seed=0):
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), (6, 3, 3), mode="wrap")
    return np.clip(128 + 30 * noise / noise.std(), 0, 255).astype(np.uint8)


def workspace(folder, image, voxel_nm=FIB_NM, name="raw"):
    space = Workspace(folder)
    space.create(name, image.shape, np.uint8, voxel_nm)[:] = image
    return space


def kinds_of(space, image="raw"):
    return {entry["section"]: entry["kind"] for entry in find_artefacts(space, ArtefactSettings(), QUIET, image)}


def test_planted_damage_is_found_before_alignment_and_named(tissue, tmp_path):
    shifted, _ = misalign(tissue, np.random.default_rng(20))
    planted, kinds = damage(shifted, np.random.default_rng(21), each=3)
    found = kinds_of(workspace(tmp_path / "work", planted))
    hits = found.keys() & kinds.keys()
    assert len(hits) >= 0.9 * len(kinds)
    assert len(hits) >= 0.9 * len(found)
    assert sum(found[z] == kinds[z] for z in hits) >= 0.9 * len(hits)


def test_undamaged_tissue_is_not_called_damaged(tissue, tmp_path):
    assert not kinds_of(workspace(tmp_path / "work", tissue))


def test_a_slow_drift_of_contrast_is_no_damage_and_is_evened_out(tmp_path):
    image = textured((60, 130, 130)).astype(float)
    drift = 1 + 0.25 * np.sin(np.arange(60) / 9)
    space = workspace(tmp_path / "work", np.clip(image * drift[:, None, None], 0, 255).astype(np.uint8))
    made = clean(space, CleanSettings(), QUIET, image="raw").data[:].astype(float)
    assert not space.record("clean")["artefacts"]
    assert made.mean(axis=(1, 2)).std() < 0.2 * (image.mean(axis=(1, 2)) * drift).std()
    assert made.std(axis=(1, 2)).std() < 0.3 * (image.std(axis=(1, 2)) * drift).std()


def test_repaired_sections_are_near_the_undamaged_ones_and_the_rest_is_untouched(tissue, tmp_path):
    planted, kinds = damage(tissue, np.random.default_rng(22), each=1)
    whole, broken = workspace(tmp_path / "whole", tissue), workspace(tmp_path / "broken", planted)
    expected = clean(whole, CleanSettings(), QUIET, image="raw").data[:].astype(float)
    made = clean(broken, CleanSettings(), QUIET, image="raw")
    valid = ~made.invalid[:]
    rest = np.where(valid, made.data[:] - expected, 0) / expected.std()
    errors = np.sqrt((rest**2).mean(axis=(1, 2)))
    assert set(kinds.values()) == set(KINDS)
    assert all(errors[z] < 0.35 for z in kinds)
    assert np.mean([errors[z] for z in range(len(errors)) if z not in kinds]) < 0.06
    assert valid.mean() > 0.99


def test_folds_and_streaks_stay_marked_and_whole_repairs_only_at_the_rim(tissue, tmp_path):
    planted, kinds = damage(tissue, np.random.default_rng(23), each=1)
    made = clean(workspace(tmp_path / "work", planted), CleanSettings(), QUIET, image="raw")
    marked = {int(z) for z in np.flatnonzero(made.invalid[:, 3:-3, 3:-3].any(axis=(1, 2)))}
    assert marked == {z for z, kind in kinds.items() if kind in ("charged", "folded")}


def test_a_gap_too_wide_to_fill_is_invalid_where_nothing_is_near(tmp_path):
    image = textured((40, 80, 80))
    image[20:31] = 0
    settings = CleanSettings(gap=3, artefacts=ArtefactSettings(neighbours=12))
    made = clean(workspace(tmp_path / "work", image), settings, QUIET, image="raw")
    empty = np.flatnonzero(made.invalid[:].all(axis=(1, 2)))
    np.testing.assert_array_equal(empty, np.arange(23, 28))


def test_a_killed_run_ends_like_one_that_was_not(tmp_path, monkeypatch):
    planted, _ = damage(textured((70, 130, 130)), np.random.default_rng(1), each=1)
    whole, killed = workspace(tmp_path / "whole", planted), workspace(tmp_path / "killed", planted)
    expected = clean(whole, CleanSettings(), QUIET, image="raw")
    calls = []

    def kill(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return equalise(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "equalise", kill)
        with pytest.raises(KeyboardInterrupt):
            clean(killed, CleanSettings(), QUIET, image="raw")
    found = clean(killed, CleanSettings(), QUIET, image="raw")
    np.testing.assert_array_equal(found.data[:], expected.data[:])
    np.testing.assert_array_equal(found.invalid[:], expected.invalid[:])


@pytest.mark.parametrize("shape", [(1, 40, 40), (2, 64, 30), (3, 300, 65)])
def test_small_volumes_come_back_whole(shape, tmp_path):
    made = clean(workspace(tmp_path / "work", textured(shape)), CleanSettings(), QUIET, image="raw")
    assert made.shape == shape
    assert not made.invalid[:].any()


def test_a_volume_of_nothing_is_kept_as_nothing(tmp_path):
    made = clean(workspace(tmp_path / "work", np.zeros((6, 64, 64), np.uint8)), CleanSettings(), QUIET, image="raw")
    assert not made.data[:].any()


def test_gaps_know_the_nearest_whole_sections():
    broken = np.array([True, False, True, True, False, True])
    gaps = {gap.section: (gap.before, gap.after) for gap in find_gaps(broken, 4)}
    assert gaps == {0: (None, 1), 2: (1, 4), 3: (1, 4), 5: (4, None)}


def test_flow_finds_how_far_tissue_moves():
    section = textured((1, 200, 200))[0]
    pair = np.stack([section, np.roll(section, (3, -2), axis=(0, 1))])
    mesh = Mesh(shape=(200, 200), spacing_px=50)
    found = flow(pair, np.ones(pair.shape, bool), mesh, Band())
    np.testing.assert_allclose(found, np.broadcast_to([3, -2], found.shape), atol=0.3)


def test_what_one_side_lacks_the_other_gives():
    first, second = np.full((2, 2), 100, np.uint8), np.full((2, 2), 200, np.uint8)
    valid = np.array([[True, True], [False, False]]), np.array([[True, False], [True, False]])
    made, either = between(first, second, valid, 0.25)
    np.testing.assert_array_equal(made, [[125, 100], [200, 0]])
    np.testing.assert_array_equal(either, [[True, True], [True, False]])


def test_tiles_of_a_block_are_equalised_as_in_the_whole():
    image, rng = textured((3, 130, 150)), np.random.default_rng(2)
    maps = np.stack([rng.uniform(0.8, 1.2, (3, 3, 3)), rng.uniform(-20, 20, (3, 3, 3))], axis=-1).astype(np.float32)
    whole = equalise(image, maps, (0, 0), 64)
    np.testing.assert_array_equal(equalise(image[:, 40:90, 30:100], maps, (40, 30), 64), whole[:, 40:90, 30:100])


def test_equal_tiles_get_no_change():
    tiles = np.broadcast_to(np.array([1, 120, 30, 5], np.float32), (10, 3, 3, 4))
    maps = contrast_maps(tiles, np.zeros(10, bool), ContrastSettings())
    np.testing.assert_allclose(maps[..., 0], 1, atol=1e-5)
    np.testing.assert_allclose(maps[..., 1], 0, atol=1e-3)


def test_sections_filled_up_with_zeros_are_no_folds_and_the_zeros_do_not_count(tissue, tmp_path):
    rng, image = np.random.default_rng(24), tissue[:40].copy()
    for section in image:
        y, x = rng.integers(2, 15, 2)
        section[:y], section[:, -x:] = 0, 0
    space = workspace(tmp_path / "work", image)
    assert not kinds_of(space)
    masked = space.array("raw_damage")[:]
    assert masked[image == 0].all()
    assert masked[image > 0].mean() < 0.05
