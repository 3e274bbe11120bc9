"""Blocks cover a volume once, and a killed run ends like one that was not."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.brains.imaging.blocks import CHUNK, Workers, grid, run_blocks
from animat.brains.imaging.volume import Box, VolumeError
from animat.brains.imaging.workspace import Workspace

SIDES = st.tuples(*[st.integers(1, 140)] * 3)
CORES = st.tuples(*[st.sampled_from([CHUNK, 2 * CHUNK])] * 3)
HALOS = st.tuples(*[st.integers(0, 20)] * 3)


@given(SIDES, CORES, HALOS)
def test_cores_cover_every_voxel_once(shape, size, halo):
    times = np.zeros(shape, dtype=int)
    for block in grid(shape, [min(side, n) for side, n in zip(size, shape, strict=True)], halo):
        times[block.core.slices] += 1
    assert (times == 1).all()


@given(SIDES, CORES, HALOS)
def test_the_core_is_found_again_in_what_was_read(shape, size, halo):
    values = np.arange(np.prod(shape)).reshape(shape)
    for block in grid(shape, [min(side, n) for side, n in zip(size, shape, strict=True)], halo):
        np.testing.assert_array_equal(values[block.padded.slices][block.inner], values[block.core.slices])


def test_a_core_that_would_split_a_chunk_is_refused():
    with pytest.raises(VolumeError, match=r"\(64, 64, 60\).*multiple of the chunk of 64"):
        grid((128, 128, 128), (64, 64, 60), (0, 0, 0))


def smooth(folder, block):
    """Writes the mean of what the halo holds: depends on neighbours' input, not on their output."""
    space = Workspace(folder)
    values = space.array("image")[block.padded.slices]
    space.array("result")[block.core.slices] = np.full(block.core.shape, values.mean(), dtype=np.uint8)


def failing(folder, limit, block):
    if len(list((Workspace(folder).markers("smooth")).iterdir())) >= limit:
        raise RuntimeError("killed")
    smooth(folder, block)


@pytest.fixture
def space(tmp_path):
    workspace = Workspace(tmp_path / "work")
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 100)).astype(np.uint8)
    workspace.create("image", image.shape, np.uint8, (10, 10, 10))[:] = image
    workspace.create("result", image.shape, np.uint8, (10, 10, 10))
    return workspace


QUIET = Workers(progress=False)
BLOCKS = grid((100, 100, 100), (CHUNK,) * 3, (8, 8, 8))


def whole(space):
    return np.asarray(space.array("result")[:]).copy()


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not(space):
    run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("whole"), QUIET, "smooth")
    expected = whole(space)
    space.array("result")[:] = 0
    space.markers("smooth").mkdir(parents=True)
    with pytest.raises(RuntimeError, match="killed"):
        run_blocks(partial(failing, space.folder, 3), BLOCKS, space.markers("smooth"), QUIET, "smooth")
    assert len(list(space.markers("smooth").iterdir())) == 3
    run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("smooth"), QUIET, "smooth")
    np.testing.assert_array_equal(whole(space), expected)


def test_processes_and_one_process_make_the_same(space):
    run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("one"), QUIET, "smooth")
    expected = whole(space)
    space.array("result")[:] = 0
    two = Workers(count=2, progress=False)
    run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("two"), two, "smooth")
    np.testing.assert_array_equal(whole(space), expected)


def test_a_dask_cluster_does_the_same_work(space):
    from dask.distributed import LocalCluster

    run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("one"), QUIET, "smooth")
    expected = whole(space)
    space.array("result")[:] = 0
    local = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(host="127.0.0.1", protocol="tcp", **local) as cluster:
        workers = Workers(scheduler=cluster.scheduler_address, progress=False)
        run_blocks(partial(smooth, space.folder), BLOCKS, space.markers("dask"), workers, "smooth")
    np.testing.assert_array_equal(whole(space), expected)


def test_a_stage_with_other_settings_starts_anew(space):
    assert space.begin("smooth", {"sigma": 1})
    (space.markers("smooth") / "0-0-0").touch()
    assert space.begin("smooth", {"sigma": 1})
    assert (space.markers("smooth") / "0-0-0").exists()
    space.finish("smooth", {"blocks": 1})
    assert not space.begin("smooth", {"sigma": 1})
    assert space.record("smooth") == {"blocks": 1}
    assert space.begin("smooth", {"sigma": 2})
    assert not (space.markers("smooth") / "0-0-0").exists()


def test_arrays_carry_their_voxel_size_as_ome_zarr(space):
    assert space.voxel_nm("image") == (10, 10, 10)
    volume = space.volume("image")
    assert volume.size_um == (1.0, 1.0, 1.0)
    assert volume.read(Box((0, 0, 0), (2, 3, 4))).shape == (2, 3, 4)


def test_a_copy_is_the_same_under_another_name(space):
    space.copy("image", "second")
    space.copy("image", "second")
    np.testing.assert_array_equal(space.array("second")[:], space.array("image")[:])
    assert space.voxel_nm("second") == space.voxel_nm("image")


def test_a_missing_array_names_the_folder(space):
    with pytest.raises(VolumeError, match=r"work: no array 'labels'"):
        space.array("labels")
