"""Every format gives back the volume that was written, and bad files are refused by name."""

import json
import zipfile

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from animat.brains.imaging.blocks import Workers
from animat.brains.imaging.formats import open_image
from animat.brains.imaging.ingest import ingest, parse_voxel
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

QUIET = Workers(progress=False)
VOLUME = np.random.default_rng(0).integers(0, 256, (7, 40, 30)).astype(np.uint8)


def write_png(folder):
    (folder / "png").mkdir()
    for z, section in enumerate(VOLUME):
        iio.imwrite(folder / "png" / f"section{z + 5}.png", section)  # 5 to 11: ten sorts after nine
    return folder / "png"


def write_tiff_folder(folder):
    (folder / "tiff").mkdir()
    for z, section in enumerate(VOLUME):
        tifffile.imwrite(folder / "tiff" / f"{z}.tif", section)
    return folder / "tiff"


def write_tiff(folder):
    tifffile.imwrite(
        folder / "stack.tif", VOLUME, imagej=True, resolution=(1 / 8, 1 / 4), metadata={"spacing": 50.0, "unit": "nm"}
    )
    return folder / "stack.tif"


def write_hdf5(folder):
    with h5py.File(folder / "stack.h5", "w") as file:
        file.create_dataset("volumes/raw", data=VOLUME).attrs["resolution"] = (50.0, 4.0, 8.0)
        file.create_dataset("volumes/labels", data=VOLUME)
    return folder / "stack.h5"


def write_npz(folder):
    np.savez_compressed(folder / "stack.npz", raw=VOLUME, gt=VOLUME, voxel_nm=np.array([50.0, 4.0, 8.0]))
    return folder / "stack.npz"


def write_zarr(folder, version=3):
    array = zarr.create_array(folder / f"v{version}.zarr", shape=VOLUME.shape, dtype="u1", zarr_format=version)
    array[:] = VOLUME
    return folder / f"v{version}.zarr"


def write_ome_zarr(folder):
    Workspace(folder).create("image", VOLUME.shape, np.uint8, (50, 4, 8))[:] = VOLUME
    return folder / "image.zarr"


def write_precomputed(folder):
    place = folder / "precomputed"
    (place / "s0").mkdir(parents=True)
    scale = {"key": "s0", "size": [30, 40, 7], "resolution": [8, 4, 50], "chunk_sizes": [[16, 16, 4]]}
    scale |= {"encoding": "raw", "voxel_offset": [100, 0, 0]}
    (place / "info").write_text(json.dumps({"num_channels": 1, "data_type": "uint8", "scales": [scale]}))
    for z in range(0, 7, 4):
        for y in range(0, 40, 16):
            for x in range(0, 30, 16):
                part = VOLUME[z : z + 4, y : y + 16, x : x + 16]
                dz, dy, dx = part.shape
                name = f"{x + 100}-{x + 100 + dx}_{y}-{y + dy}_{z}-{z + dz}"
                (place / "s0" / name).write_bytes(part.tobytes())
    return place


WRITERS = {
    "png folder": write_png,
    "tiff folder": write_tiff_folder,
    "imagej tiff": write_tiff,
    "hdf5": write_hdf5,
    "npz": write_npz,
    "zarr 3": write_zarr,
    "zarr 2": lambda folder: write_zarr(folder, 2),
    "ome-zarr": write_ome_zarr,
    "precomputed": write_precomputed,
}
SAYS_VOXEL = ("imagej tiff", "hdf5", "npz", "ome-zarr", "precomputed")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_format_gives_back_what_was_written(kind, tmp_path):
    image = open_image(WRITERS[kind](tmp_path))
    np.testing.assert_array_equal(image.data[0:7], VOLUME)
    np.testing.assert_array_equal(image.data[2:6, 10:35, 3:29], VOLUME[2:6, 10:35, 3:29])


@pytest.mark.parametrize("kind", WRITERS)
def test_a_voxel_size_is_read_where_the_format_says_it(kind, tmp_path):
    voxel = open_image(WRITERS[kind](tmp_path)).voxel_nm
    assert voxel == (pytest.approx((50.0, 4.0, 8.0)) if kind in SAYS_VOXEL else None)


def test_ingesting_copies_the_volume_and_its_voxel_size(tmp_path):
    volume = ingest(write_hdf5(tmp_path), Workspace(tmp_path / "work"), QUIET)
    np.testing.assert_array_equal(volume.read(volume.box), VOLUME)
    assert volume.voxel_nm == (50, 4, 8)
    assert volume.source == ("stack.h5:volumes/raw",)


def test_wider_numbers_are_scaled_to_eight_bits(tmp_path):
    ramp = np.arange(7 * 40 * 30, dtype=np.uint16).reshape(7, 40, 30) * 7
    np.savez(tmp_path / "wide.npz", raw=ramp)
    volume = ingest(tmp_path / "wide.npz", Workspace(tmp_path / "work"), QUIET, (10, 10, 10))
    grey = volume.read(volume.box)
    assert grey.min() == 0
    assert grey.max() == 255
    assert np.corrcoef(grey.ravel(), ramp.ravel())[0, 1] > 0.999


def test_a_missing_voxel_size_is_an_error_that_says_how_to_give_it(tmp_path):
    with pytest.raises(VolumeError, match=r"png: .* voxel size.*--voxel 10,10,10nm"):
        ingest(write_png(tmp_path), Workspace(tmp_path / "work"), QUIET)


@pytest.mark.parametrize(
    ("text", "voxel"), [("10,20,30nm", (10, 20, 30)), ("8 nm", (8, 8, 8)), ("0.05,0.004,0.004um", (50, 4, 4))]
)
def test_a_voxel_size_is_text_with_a_unit(text, voxel):
    assert parse_voxel(text) == pytest.approx(voxel)


@pytest.mark.parametrize(
    ("text", "message"),
    [("10,10,10", "name its unit"), ("10,10nm", "three"), ("a,b,cnm", "not numbers"), ("0,1,1nm", "0.1 to 100000")],
)
def test_a_voxel_size_that_cannot_be_is_refused(text, message):
    with pytest.raises(VolumeError, match=message):
        parse_voxel(text)


def test_a_value_that_is_not_finite_is_found_and_nothing_is_left(tmp_path):
    bad = VOLUME.astype(np.float32)
    bad[3, 2, 1] = np.nan
    np.savez(tmp_path / "bad.npz", raw=bad)
    space = Workspace(tmp_path / "work")
    with pytest.raises(VolumeError, match=r"bad\.npz: the value at \(z, y, x\) = \(3, 2, 1\) is not finite"):
        ingest(tmp_path / "bad.npz", space, QUIET, (10, 10, 10))
    assert not space.has("raw")


def test_a_truncated_tiff_is_refused_and_nothing_is_left(tmp_path):
    whole = write_tiff(tmp_path).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    space = Workspace(tmp_path / "work")
    with pytest.raises(VolumeError, match=r"cut\.tif: not a whole TIFF file .*cut short"):
        ingest(tmp_path / "cut.tif", space, QUIET, (10, 10, 10))
    assert not space.has("raw")


@pytest.mark.parametrize("name", ["stack.h5", "stack.npz"])
def test_a_truncated_file_is_refused_by_name(name, tmp_path):
    whole = {"stack.h5": write_hdf5, "stack.npz": write_npz}[name](tmp_path).read_bytes()
    (tmp_path / f"cut-{name}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VolumeError, match=f"cut-{name}: not a whole"):
        open_image(tmp_path / f"cut-{name}")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "pickle.npz", raw=np.array([[[{"a": 1}]]], dtype=object))
    with pytest.raises(VolumeError, match=r"pickle\.npz: not a whole NPZ file of plain arrays"):
        open_image(tmp_path / "pickle.npz")
    folder = write_zarr(tmp_path, 2)
    text = json.loads((folder / ".zarray").read_text())
    (folder / ".zarray").write_text(json.dumps(text | {"dtype": "|O", "filters": [{"id": "pickle"}]}))
    with pytest.raises(VolumeError, match="pickled objects; refused"):
        open_image(folder)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("raw.npy", bytes(2**25))
    with pytest.raises(VolumeError, match=r"bomb\.npz: raw\.npy would unpack .* bytes to 33554432; refused"):
        open_image(tmp_path / "bomb.npz")


def test_a_path_that_leaves_the_folder_is_refused(tmp_path):
    place = write_precomputed(tmp_path)
    info = json.loads((place / "info").read_text())
    info["scales"][0]["key"] = "../elsewhere"
    (place / "info").write_text(json.dumps(info))
    with pytest.raises(VolumeError, match="lies outside this folder; refused"):
        open_image(place)
    image = write_ome_zarr(tmp_path)
    header = json.loads((image / "zarr.json").read_text())
    header["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = "../elsewhere"
    (image / "zarr.json").write_text(json.dumps(header))
    with pytest.raises(VolumeError, match="lies outside this folder; refused"):
        open_image(image)


def test_sections_of_different_size_are_named(tmp_path):
    folder = write_png(tmp_path)
    iio.imwrite(folder / "section7.png", VOLUME[0, :20])
    with pytest.raises(VolumeError, match=r"section7\.png: section of \(20, 30\).*section5\.png has.*\(40, 30\)"):
        ingest(folder, Workspace(tmp_path / "work"), QUIET, (10, 10, 10))


def test_colour_pictures_are_refused(tmp_path):
    (tmp_path / "rgb").mkdir()
    iio.imwrite(tmp_path / "rgb" / "0.png", np.zeros((8, 8, 3), dtype=np.uint8))
    with pytest.raises(VolumeError, match=r"0\.png: sections must be grey"):
        open_image(tmp_path / "rgb")


def test_which_array_of_several_is_meant_must_be_said(tmp_path):
    np.savez(tmp_path / "two.npz", first=VOLUME, second=VOLUME)
    with pytest.raises(VolumeError, match=r"two\.npz: which array\?.*first, second"):
        open_image(tmp_path / "two.npz")
    assert open_image(tmp_path / "two.npz", "second").name == "second"
    with pytest.raises(VolumeError, match=r"no array 'third'.*first, second"):
        open_image(tmp_path / "two.npz", "third")


def test_an_unknown_kind_of_file_lists_the_known_ones(tmp_path):
    (tmp_path / "scan.dcm").touch()
    with pytest.raises(VolumeError, match=r"scan\.dcm: unknown kind of file; known: \.h5"):
        open_image(tmp_path / "scan.dcm")
    with pytest.raises(VolumeError, match=r"none\.tif: no such file"):
        open_image(tmp_path / "none.tif")
