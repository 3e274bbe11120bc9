"""What is packed reads back, and how small it gets."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.compression import archive
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)
EM = Path(__file__).resolve().parents[4] / "shared" / "data" / "em"


def packed(tmp_path, values, distance=0.0):
    space = Workspace(tmp_path)
    space.create("values", values.shape, values.dtype, (40, 4, 4))[:] = values
    found = archive(space, "values", QUIET, distance)
    return found, np.asarray(Workspace(tmp_path / "archive").array("values")[:])


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_labels_are_packed_without_loss(tmp_path, dtype):
    corners = np.random.default_rng(0).integers(0, 2**32 - 1, (5, 6, 7)).astype(dtype)
    values = np.kron(corners, np.ones((30, 30, 30), dtype=dtype))
    found, read = packed(tmp_path, values)
    np.testing.assert_array_equal(read, values)
    assert found.psnr_db == float("inf")
    assert found.ratio > 100


def test_grey_values_are_kept_unless_loss_is_asked_for(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (70, 40, 30)).astype(np.uint8)
    found, read = packed(tmp_path, values)
    np.testing.assert_array_equal(read, values)
    assert found.psnr_db == float("inf")


def test_loss_buys_size_and_is_reported(tmp_path):
    smooth = np.cumsum(np.random.default_rng(0).normal(size=(20, 100, 100)), axis=2)
    values = np.clip(128 + 4 * smooth, 0, 255).astype(np.uint8)
    kept, _ = packed(tmp_path / "kept", values)
    lossy, read = packed(tmp_path / "lossy", values, distance=8.0)
    assert lossy.ratio > 3 * kept.ratio
    assert lossy.psnr_db == pytest.approx(10 * np.log10(255**2 / np.square(read - values.astype(float)).mean()))


def test_a_damaged_file_does_not_pass_for_a_good_one(tmp_path):
    values = np.kron(np.arange(1, 9, dtype=np.uint32).reshape(2, 2, 2), np.ones((20, 20, 20), dtype=np.uint32))
    packed(tmp_path, values)
    store = Workspace(tmp_path / "archive")
    (chunk,) = [file for file in store.path("values").rglob("0") if file.is_file()]
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 0xFF
    chunk.write_bytes(content)
    with pytest.raises((OSError, zlib.error), match=r"CRC|Error -3"):
        store.array("values")[:]


@pytest.mark.skipif(not EM.exists(), reason="needs pinky40_labels_512.ckl.gz, which is not part of the repository")
def test_real_cortex_labels_pack_250_times_against_64_bits(tmp_path):
    import crackle

    labels = crackle.decompress(gzip.decompress((EM / "pinky40_labels_512.ckl.gz").read_bytes())).T
    half = np.ascontiguousarray(labels[:256, :256, :256])  # smaller volumes pack less well
    found, read = packed(tmp_path, half)
    np.testing.assert_array_equal(read, half)
    assert found.ratio >= 250
