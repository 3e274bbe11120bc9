"""Alignment is scored by error against known offsets, never by how alike neighbouring sections look."""

from pathlib import Path

import numpy as np
import pytest

from animat.brains.imaging.align import AlignSettings, align, offsets_of
from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.planting import misalign, offset_errors
from animat.brains.imaging.workspace import Workspace

EM = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "em"
HELD_OUT = EM / "fib25_ts2_z000-170.npz"
QUIET = Workers(progress=False)


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


def left(space, taken, keep=None):
    """Mean error, and mean error between neighbouring sections, pixels; of the aligned and of the planted."""
    offsets = offsets_of(space)
    found = []
    for field in (offsets, np.zeros_like(offsets)):
        errors = offset_errors(field, taken, keep)
        pairs = np.linalg.norm(np.diff(errors, axis=0), axis=2).mean()
        found += [np.linalg.norm(errors, axis=2).mean(), pairs]
    return found


def test_shifts_of_15_pixels_are_taken_back_without_drift(tissue, tmp_path):
    planted, taken = misalign(tissue[:120], np.random.default_rng(10))
    space = workspace(tmp_path / "work", planted)
    align(space, AlignSettings(), QUIET)
    cumulative, pairwise, before, _ = left(space, taken)
    assert before > 10
    assert cumulative <= 3.0
    assert pairwise <= 1.0
