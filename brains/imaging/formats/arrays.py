"""Volumes in files of arrays: NPZ, HDF5, Zarr and OME-Zarr."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..volume import VolumeError, Voxel
from .image import Image

RAW = ("raw", "volumes/raw", "image", "data", "stack", "main", "0")  # names tried where a file holds several arrays
RATIO = 500.0  # unpacked over packed bytes of an NPZ member; images reach 10, label volumes 400
TO_NM = {"angstrom": 0.1, "nanometer": 1.0, "micrometer": 1e3, "millimeter": 1e6, "meter": 1e9}


def choose(path: Path, found: list[str], dataset: str | None) -> str:
    """Which array of a file is meant.

    Raises:
        VolumeError: the one asked for is not there, or several are and none is named raw.
    """
    listed = ", ".join(found) or "none"
    if dataset is not None:
        if dataset.strip("/") not in found:
            raise VolumeError(f"{path}: no array {dataset!r} of three axes; there are: {listed}")
        return dataset.strip("/")
    if len(found) == 1:
        return found[0]
    for name in RAW:
        if name in found:
            return name
    raise VolumeError(f"{path}: which array? Name one (--dataset): {listed}")


def open_npz(path: Path, dataset: str | None) -> Image:
    """An array of an NPZ file; `voxel_nm` in the same file, if there, is its voxel size (z, y, x)."""
    try:
        with zipfile.ZipFile(path) as packed:
            for member in packed.infolist():
                if member.file_size > 2**20 and member.file_size > RATIO * max(member.compress_size, 1):
                    raise VolumeError(
                        f"{path}: {member.filename} would unpack {member.compress_size} bytes to"
                        f" {member.file_size}; refused"
                    )
        with np.load(path, allow_pickle=False) as arrays:
            found = [name for name in arrays.files if _axes(path, name) == 3]
            name = choose(path, found, dataset)
            voxel = arrays["voxel_nm"] if "voxel_nm" in arrays.files else None
            return Image(data=arrays[name], path=path, name=name, voxel_nm=_three(voxel))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        if isinstance(error, VolumeError):
            raise
        raise VolumeError(f"{path}: not a whole NPZ file of plain arrays ({error})") from None


def _axes(path: Path, name: str) -> int:
    """Number of axes of a member, from its header alone."""
    with zipfile.ZipFile(path) as packed, packed.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)  # type: ignore[no-untyped-call]
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return len(read(member)[0])  # type: ignore[no-untyped-call]


def _three(values: Any) -> Voxel | None:
    if values is None or np.shape(values) != (3,):
        return None
    return float(values[0]), float(values[1]), float(values[2])


def open_hdf5(path: Path, dataset: str | None) -> Image:
    """A dataset of an HDF5 file; voxel size from `resolution` (nm) or `element_size_um`, as CREMI and Fiji write."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise VolumeError(f"{path}: not a whole HDF5 file ({error})") from None
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if getattr(item, "ndim", 0) == 3 else None)
    name = choose(path, found, dataset)
    data = file[name]
    if data.is_virtual or data.external:
        raise VolumeError(f"{path}: {name} keeps its voxels in another file; refused")
    voxel = _three(data.attrs.get("resolution"))
    um = _three(data.attrs.get("element_size_um"))
    if voxel is None and um is not None:
        voxel = (um[0] * 1e3, um[1] * 1e3, um[2] * 1e3)
    return Image(data=data, path=path, name=name, voxel_nm=voxel)


def open_zarr(path: Path, dataset: str | None) -> Image:
    """An array of a Zarr folder (format 2 or 3); of an OME-Zarr image the finest level, with its voxel size."""
    import zarr

    _refuse_objects(path)
    try:
        node = zarr.open(path, mode="r")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VolumeError(f"{path}: not a Zarr folder ({error})") from None
    if isinstance(node, zarr.Array):
        return Image(data=node, path=path)
    attributes: dict[str, Any] = node.attrs.asdict()
    scales = attributes.get("ome", attributes).get("multiscales")
    if scales and dataset is None:
        level = scales[0]["datasets"][0]
        return Image(data=_member(path, node, level["path"]), path=path, voxel_nm=_ome_voxel(scales[0], level))
    found = [name for name, item in node.members(max_depth=None) if isinstance(item, zarr.Array) and item.ndim == 3]
    name = choose(path, found, dataset)
    return Image(
        data=_member(path, node, name), path=path, name=name, voxel_nm=_three(node[name].attrs.get("resolution"))
    )


def _member(path: Path, node: Any, name: str) -> Any:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or not (path / name).resolve().is_relative_to(path.resolve()):
        raise VolumeError(f"{path}: array {name!r} lies outside this folder; refused")
    try:
        return node[name]
    except KeyError:
        raise VolumeError(f"{path}: its metadata names the array {name!r}, which is not there") from None


def _refuse_objects(path: Path) -> None:
    """Metadata that would make a reader unpickle: an object type, or a codec or filter named pickle."""
    for name in ("zarr.json", ".zarray"):
        for file in path.rglob(name):
            text = file.read_text(encoding="utf-8", errors="replace")
            if '"pickle"' in text or '"|O"' in text:
                raise VolumeError(f"{file}: holds pickled objects; refused")


def _ome_voxel(scale: dict[str, Any], level: dict[str, Any]) -> Voxel | None:
    """Voxel size, nm, of the last three axes; None where an axis has no unit."""
    steps = [step for step in level.get("coordinateTransformations", []) if step.get("type") == "scale"]
    axes = scale.get("axes", [])[-3:]
    units = [TO_NM.get(axis.get("unit", "")) if isinstance(axis, dict) else None for axis in axes]
    if not steps or len(units) != 3 or None in units:
        return None
    sizes = steps[0]["scale"][-3:]
    return _three([size * (unit or 1.0) for size, unit in zip(sizes, units, strict=True)])


def parse(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        VolumeError: it is not one.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VolumeError(f"{path}: not a JSON file ({error})") from None
    if not isinstance(found, dict):
        raise VolumeError(f"{path}: expected a JSON object")
    return found
