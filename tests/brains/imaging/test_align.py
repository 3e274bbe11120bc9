"""Alignment is scored by error against known offsets, never by how alike neighbouring sections look."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animat.brains.imaging import align as stage
from animat.brains.imaging.align import AlignSettings, align, offsets_of
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.mesh import Mesh
from animat.brains.imaging.planting import misalign, offset_errors
from animat.brains.imaging.relaxation import Links, Prior, offset_spread, relax
from animat.brains.imaging.warp import reach, warp
from animat.brains.imaging.workspace import Workspace

HELD_OUT = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "em" / "fib25_ts2_z000-170.npz"
QUIET = Workers(progress=False)
PRIOR = Prior(offset_px=1.0, slant_px=0.3, memory=20)


@pytest.fixture(scope="module")
def tissue():
    """Isotropic EM that no setting was chosen on, every voxel 10 nm."""
    if not HELD_OUT.exists():
        pytest.skip("FIB-25 training_sample2 (../shared/data/em) is not here")
    with np.load(HELD_OUT, allow_pickle=False) as file:
        return file["raw"]


def workspace(folder, image, voxel_nm=(10.0, 10.0, 10.0)):
    space = Workspace(folder)
    space.create("raw", image.shape, np.uint8, voxel_nm)[:] = image
    return space


def errors(space, taken, keep=None):
    """Mean error and mean error between neighbours, pixels, after alignment; and the mean error before it."""
    offsets = offsets_of(space)
    after, before = (offset_errors(field, taken, keep) for field in (offsets, np.zeros_like(offsets)))
    return [np.linalg.norm(each, axis=2).mean() for each in (after, np.diff(after, axis=0), before)]


def test_shifts_of_15_pixels_are_taken_back_without_drift_though_sections_are_missing(tissue, tmp_path):
    planted, taken = misalign(tissue[:100], np.random.default_rng(10))
    keep = ~np.isin(np.arange(len(planted)), [20, 50, 51])
    planted[~keep] = 0
    space = workspace(tmp_path / "work", planted)
    align(space, AlignSettings(rounds=1), QUIET)
    cumulative, _, before = errors(space, taken, keep)
    assert before > 10
    assert cumulative <= 3.0
    both = keep[1:] & keep[:-1]
    far = offset_errors(offsets_of(space), taken)
    assert np.linalg.norm(np.diff(far, axis=0)[both], axis=2).mean() <= 1.0
    assert [entry["section"] for entry in space.record("align")["artefacts"]] == [20, 50, 51]


def test_smooth_warps_of_4_pixels_are_at_least_halved(tissue, tmp_path):
    planted, taken = misalign(tissue[:40], np.random.default_rng(11), shift_px=0, bend_px=4)
    space = workspace(tmp_path / "work", planted)
    align(space, AlignSettings(), QUIET)
    cumulative, _, before = errors(space, taken)
    assert before > 3
    assert cumulative <= before / 2


def test_a_volume_that_is_aligned_is_left_alone(tissue, tmp_path):
    space = workspace(tmp_path / "work", tissue[:60])
    align(space, AlignSettings(), QUIET)
    assert np.abs(offsets_of(space)).mean() < 0.5


def textured(shape, seed=0):
    """Blobs that go straight through all sections, slowly changing."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), (6, 3, 3), mode="wrap")
    return np.clip(128 + 40 * noise / noise.std(), 0, 255).astype(np.uint8)


def test_a_killed_run_ends_like_one_that_was_not(tmp_path, monkeypatch):
    planted, _ = misalign(textured((70, 120, 120)), np.random.default_rng(1), shift_px=6)
    whole, killed = workspace(tmp_path / "whole", planted), workspace(tmp_path / "killed", planted)
    expected = align(whole, AlignSettings(), QUIET)

    def kill(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stage, "warp", kill)
        with pytest.raises(KeyboardInterrupt):
            align(killed, AlignSettings(), QUIET)
    assert not killed.has("aligned") or not (killed.folder / "stages" / "align.json").exists()
    found = align(killed, AlignSettings(), QUIET)
    np.testing.assert_array_equal(found.data[:], expected.data[:])
    np.testing.assert_array_equal(found.invalid[:], expected.invalid[:])


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_as_one(tmp_path):
    planted, _ = misalign(textured((70, 120, 120)), np.random.default_rng(1), shift_px=6)
    one, two = workspace(tmp_path / "one", planted), workspace(tmp_path / "two", planted)
    expected = align(one, AlignSettings(), QUIET)
    found = align(two, AlignSettings(), Workers(count=2, progress=False))
    np.testing.assert_array_equal(found.data[:], expected.data[:])


def test_mask_and_channels_move_with_the_image(tmp_path):
    planted, _ = misalign(textured((30, 120, 120)), np.random.default_rng(2), shift_px=6)
    space = workspace(tmp_path / "work", planted)
    space.create("raw_barcodes", (2, *planted.shape), np.uint8, (10, 10, 10))[1] = planted
    invalid = np.zeros(planted.shape, dtype=np.bool_)
    invalid[:, 50:60, 50:60] = True
    space.create("raw_invalid", planted.shape, np.bool_, (10, 10, 10))[:] = invalid
    found = align(space, AlignSettings(), QUIET)
    np.testing.assert_array_equal(found.channels["barcodes"][1], found.data[:])
    assert not np.any(found.channels["barcodes"][0])
    assert abs(int(found.invalid[:, 20:100, 20:100].sum()) - invalid.sum()) < 0.1 * invalid.sum()


@pytest.mark.parametrize("shape", [(1, 40, 40), (2, 64, 30), (3, 300, 65)])
def test_volumes_too_small_to_compare_much_come_back_whole(shape, tmp_path):
    image = textured(shape)
    found = align(workspace(tmp_path / "work", image), AlignSettings(), QUIET)
    assert found.shape == shape
    assert np.isfinite(offsets_of(Workspace(tmp_path / "work"))).all()


def test_featureless_sections_are_not_moved(tmp_path):
    image = np.full((8, 64, 64), 90, dtype=np.uint8)
    found = align(workspace(tmp_path / "work", image), AlignSettings(), QUIET)
    np.testing.assert_array_equal(found.data[:], image)


def links_of(offsets, course, steps=(1, 2, 3)):
    total = offsets + course
    made = [(step, (total[step:] - total[:-step]).astype(np.float32)) for step in steps]
    return [Links(step=step, shifts=shift, weights=np.ones(shift.shape[:2], np.float32)) for step, shift in made]


def test_slant_that_goes_on_is_not_straightened_but_independent_offsets_are():
    rng = np.random.default_rng(3)
    offsets = rng.normal(0, 8, (300, 1, 2))
    course = np.linspace(0, 90, 300)[:, None, None] * np.array([1.0, -0.5])
    links = links_of(offsets, course)
    found = relax(links, 300, (1, 1), replace(PRIOR, offset_px=offset_spread(links[0], PRIOR)))
    rest = found - offsets
    assert np.linalg.norm(rest - rest.mean(axis=0), axis=2).mean() < 3
    assert np.linalg.norm(np.diff(rest, axis=0), axis=2).mean() < 0.5


def test_the_spread_of_offsets_is_told_from_slant():
    rng = np.random.default_rng(4)
    course = np.linspace(0, 100, 400)[:, None, None] * np.ones((1, 1, 2))
    assert offset_spread(links_of(rng.normal(0, 5, (400, 1, 2)), course)[0], PRIOR) == pytest.approx(5, rel=0.25)
    assert offset_spread(links_of(np.zeros((400, 1, 2)), course)[0], PRIOR) == pytest.approx(0.1)


def test_one_wrong_shift_does_not_move_its_section():
    offsets = np.random.default_rng(5).normal(0, 4, (60, 1, 2))
    links = links_of(offsets, np.zeros_like(offsets))
    links[0].shifts[30] += 40
    found = relax(links, 60, (1, 1), Prior(offset_px=4, slant_px=0.1, memory=20, error_px=0.2), rounds=8)
    assert np.linalg.norm(found[31] - offsets[31] - (found[29] - offsets[29])) < 1.5


def test_a_warp_by_whole_pixels_is_a_shift():
    image = textured((2, 40, 50))
    mesh = Mesh(shape=(40, 50), spacing_px=20)
    offsets = np.broadcast_to(np.array([3.0, -4.0], np.float32), (2, len(mesh.places), 2))
    assert reach(offsets) == 5
    made, counts = warp(image, np.ones(image.shape, bool), (0, 0), (slice(0, 40), slice(0, 50)), offsets, mesh)
    np.testing.assert_array_equal(made[:, :37, 4:], image[:, 3:, :46])
    assert counts[:, :37, 4:].all()
    assert not counts[:, 37:].any()
    assert not counts[:, :, :4].any()


def test_parts_warped_by_themselves_are_parts_of_the_whole():
    image, rng = textured((3, 60, 70)), np.random.default_rng(6)
    mesh = Mesh(shape=(60, 70), spacing_px=20)
    offsets = rng.normal(0, 2, (3, len(mesh.places), 2)).astype(np.float32)
    valid = np.ones(image.shape, dtype=bool)
    whole, _ = warp(image, valid, (0, 0), (slice(0, 60), slice(0, 70)), offsets, mesh)
    far = reach(offsets)
    part = image[:, 20 - far : 40 + far, 30 - far : 60 + far]
    target = slice(20, 40), slice(30, 60)
    made, _ = warp(part, np.ones(part.shape, bool), (20 - far, 30 - far), target, offsets, mesh)
    np.testing.assert_array_equal(made, whole[:, 20:40, 30:60])
