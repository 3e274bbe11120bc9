"""Files of image volumes: each reader gives an `Image` that is read part by part, never whole.

Nothing is unpickled, no file outside the given path is opened, and sizes are checked before anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..volume import VolumeError
from .arrays import open_hdf5, open_npz, open_zarr
from .image import Image
from .precomputed import open_precomputed
from .stacks import open_folder, open_tiff

__all__ = ["SUFFIXES", "Image", "open_image"]

Reader = Callable[[Path, str | None], Image]
SUFFIXES: dict[str, Reader] = {
    ".npz": open_npz,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".hdf": open_hdf5,
    ".zarr": open_zarr,
    ".tif": open_tiff,
    ".tiff": open_tiff,
}


def open_image(path: Path | str, dataset: str | None = None) -> Image:
    """Open a volume: a TIFF file, a folder of TIFF or PNG sections, HDF5, NPZ, Zarr, OME-Zarr or local precomputed.

    Args:
        path: the file or folder.
        dataset: which array of a file that holds several; by default the only one, or the one named raw.

    Raises:
        VolumeError: naming the file and what is wrong with it.
    """
    place = Path(path)
    if not place.exists():
        raise VolumeError(f"{place}: no such file or folder")
    image = _reader(place)(place, dataset)
    if len(image.data.shape) != 3 or 0 in image.data.shape:
        raise VolumeError(f"{place}: a volume has three axes (z, y, x), this array has shape {image.data.shape}")
    if image.data.dtype.kind not in "uif":
        raise VolumeError(f"{place}: grey values must be integers or floats, this array is {image.data.dtype}")
    return image


def _reader(path: Path) -> Reader:
    if path.is_dir():
        if (path / "info").is_file():
            return open_precomputed
        if any((path / name).is_file() for name in ("zarr.json", ".zarray", ".zgroup")):
            return open_zarr
        return open_folder
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(sorted(SUFFIXES))
        raise VolumeError(f"{path}: unknown kind of file; known: {known}, and folders of .png or .tif sections")
    return SUFFIXES[path.suffix.lower()]
