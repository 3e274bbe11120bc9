"""The folder a reconstruction lives in: its arrays as OME-Zarr, its markers, and what each stage was run with.

`FOLDER/NAME.zarr/` is one image or label volume, OME-Zarr 0.5 (Zarr 3), level 0 only; `FOLDER/markers/STAGE/` has a
file for every finished block; `FOLDER/stages/STAGE.json` says what a finished stage found.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .blocks import CHUNK
from .volume import Segmentation, Volume, VolumeError, Voxel

if TYPE_CHECKING:
    import zarr

__all__ = ["Workspace", "write_json"]


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file under a temporary name and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)


class Workspace:
    """Arrays and markers of one reconstruction.

    Args:
        folder: made if absent.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"<Workspace {self.folder}>"

    def path(self, name: str) -> Path:
        """Folder of an array."""
        return self.folder / f"{name}.zarr"

    def has(self, name: str) -> bool:
        """Whether an array was created."""
        return (self.path(name) / "zarr.json").exists()

    def create(self, name: str, shape: tuple[int, ...], dtype: Any, voxel_nm: Voxel, **codecs: Any) -> zarr.Array[Any]:
        """An empty array of zeros; one of the same name, shape and type is kept as it is, another replaced.

        Args:
            name: of the array.
            shape: (z, y, x), or (channel, z, y, x).
            dtype: of a voxel.
            voxel_nm: size of a voxel along (z, y, x), nm.
            codecs: other arguments of `zarr.Group.create_array`; chunks of `CHUNK` voxels unless named.
        """
        import zarr

        if self.has(name):
            kept = self.array(name)
            if kept.shape == shape and kept.dtype == np.dtype(dtype):
                return kept
            shutil.rmtree(self.path(name))
        codecs.setdefault("chunks", (1,) * (len(shape) - 3) + tuple(min(CHUNK, n) for n in shape[-3:]))
        group = zarr.open_group(self.path(name), mode="w", attributes={"ome": _ome(name, len(shape), voxel_nm)})
        return group.create_array("0", shape=shape, dtype=dtype, fill_value=0, **codecs)

    def array(self, name: str) -> zarr.Array[Any]:
        """An array that was created.

        Raises:
            VolumeError: there is none of that name.
        """
        import zarr

        if not self.has(name):
            raise VolumeError(f"{self.folder}: no array {name!r}; an earlier stage makes it")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of zarr's, about codecs that its specification does not name yet
            return zarr.open_array(self.path(name) / "0", mode="r+")

    def copy(self, name: str, other: str) -> None:
        """Give an array a second name: its files are copied, under a temporary name first."""
        temporary = self.folder / f"{other}.part"
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(self.path(name), temporary)
        shutil.rmtree(self.path(other), ignore_errors=True)
        temporary.replace(self.path(other))

    def voxel_nm(self, name: str) -> Voxel:
        """Voxel size of an array, (z, y, x), nm."""
        ome = json.loads((self.path(name) / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]
        scale = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
        return scale[-3], scale[-2], scale[-1]

    def volume(self, name: str, source: tuple[str, ...] = ()) -> Volume:
        """The image of that name, with `NAME_invalid` and `NAME_CHANNEL` arrays where they are."""
        invalid = self.array(f"{name}_invalid") if self.has(f"{name}_invalid") else None
        channels = {
            path.stem.removeprefix(f"{name}_"): self.array(path.stem)
            for path in sorted(self.folder.glob(f"{name}_*.zarr"))
            if len(self.array(path.stem).shape) == 4
        }
        return Volume(
            data=self.array(name), voxel_nm=self.voxel_nm(name), source=source, invalid=invalid, channels=channels
        )

    def segmentation(self, name: str, source: tuple[str, ...] = ()) -> Segmentation:
        """The label volume of that name."""
        return Segmentation(labels=self.array(name), voxel_nm=self.voxel_nm(name), source=source)

    def markers(self, stage: str) -> Path:
        """Folder of a stage's markers."""
        return self.folder / "markers" / stage

    def begin(self, stage: str, settings: Mapping[str, Any]) -> bool:
        """Whether a stage still has to run.

        A stage that was begun with other settings starts anew: its markers are removed.
        """
        key = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
        begun = self.markers(stage) / "settings"
        if begun.exists() and begun.read_text(encoding="utf-8") == key:
            return not self._record(stage).exists()
        shutil.rmtree(self.markers(stage), ignore_errors=True)
        self._record(stage).unlink(missing_ok=True)
        self.markers(stage).mkdir(parents=True)
        begun.write_text(key, encoding="utf-8")
        return True

    def finish(self, stage: str, record: Mapping[str, Any]) -> None:
        """Note that a stage is done, with what it found."""
        write_json(self._record(stage), record)

    def record(self, stage: str) -> dict[str, Any]:
        """What a finished stage noted.

        Raises:
            VolumeError: it is not finished.
        """
        if not self._record(stage).exists():
            raise VolumeError(f"{self.folder}: stage {stage!r} is not finished")
        found: dict[str, Any] = json.loads(self._record(stage).read_text(encoding="utf-8"))
        return found

    def _record(self, stage: str) -> Path:
        return self.folder / "stages" / f"{stage}.json"


def _ome(name: str, axes: int, voxel_nm: Voxel) -> dict[str, Any]:
    """OME-Zarr 0.5 metadata of one resolution level."""
    space = [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    channel = [{"name": "c", "type": "channel"}] * (axes - 3)
    scale = [1.0] * (axes - 3) + list(voxel_nm)
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    return {"version": "0.5", "multiscales": [{"name": name, "axes": channel + space, "datasets": [level]}]}
