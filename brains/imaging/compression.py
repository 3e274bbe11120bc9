"""Last stage: what is kept of a reconstruction, packed and read back before it counts as stored.

Labels are packed without loss. Grey values may be packed with loss; what that does to a segmentation is measured by
`scripts/bench_imaging_compression.py` and depends on the data, so the default keeps every value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Block, Workers, grid, run_blocks
from .volume import VolumeError
from .workspace import Workspace

if TYPE_CHECKING:
    import zarr

__all__ = ["Packed", "archive", "stored_bytes"]

SIDE = 128  # voxels of a chunk: 64 pack pinky40's labels 287 times, 128 352 times, 256 367 times (bench)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """One array as it was stored."""

    name: str
    raw_bytes: int  # of the values: 8 a label, 1 a grey value
    stored_bytes: int
    psnr_db: float  # of grey values against the original; infinite where nothing was lost

    @property
    def ratio(self) -> float:
        """How many times smaller."""
        return self.raw_bytes / max(self.stored_bytes, 1)


def stored_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def archive(space: Workspace, name: str, workers: Workers, distance: float = 0.0) -> Packed:
    """Pack an array of the workspace into `archive/NAME.zarr`, and check every block by reading it back.

    Args:
        space: the workspace.
        name: an image (uint8) or labels (uint32, uint64), three axes.
        workers: who does it.
        distance: loss of an image, JPEG XL's butteraugli distance; 0 keeps every value.

    Raises:
        VolumeError: a block reads back other than it was written.
    """
    source, store, stage = space.array(name), Workspace(space.folder / "archive"), f"archive-{name}"
    if space.begin(stage, {"shape": source.shape, "dtype": str(source.dtype), "distance": distance}):
        z, y, x = source.shape
        _create(store, name, (z, y, x), source.dtype, space, distance)
        blocks = grid(source.shape, [min(SIDE, n) for n in source.shape], (0, 0, 0))
        run_blocks(partial(_pack, space, store, name, distance > 0), blocks, space.markers(stage), workers, stage)
        space.finish(stage, {"squared_error": _squared_error(space, stage)})
    error = float(space.record(stage)["squared_error"])
    voxels = int(np.prod(source.shape))
    return Packed(
        name=name,
        raw_bytes=voxels * (1 if source.dtype == np.uint8 else 8),
        stored_bytes=stored_bytes(store.path(name)),
        psnr_db=float(10 * np.log10(255**2 * voxels / error)) if error else float("inf"),
    )


def _create(
    store: Workspace, name: str, shape: tuple[int, int, int], dtype: np.dtype[Any], space: Workspace, distance: float
) -> zarr.Array[Any]:
    from zarr.codecs import GzipCodec

    from .codecs import CrackleCodec, JpegXlCodec

    labels = dtype != np.uint8
    codecs: dict[str, Any] = {
        "chunks": tuple(min(SIDE, n) for n in shape),
        "serializer": CrackleCodec() if labels else JpegXlCodec(distance),
        "compressors": [GzipCodec(level=9)] if labels else None,
    }
    return store.create(name, shape, dtype, space.voxel_nm(name), **codecs)


def _pack(space: Workspace, store: Workspace, name: str, lossy: bool, block: Block) -> None:
    from . import codecs  # noqa: F401 - registers them in this process

    values: NDArray[Any] = np.asarray(space.array(name)[block.core.slices])
    packed = store.array(name)
    packed[block.core.slices] = values
    read = np.asarray(packed[block.core.slices])
    error = float(np.square(read.astype(np.float64) - values).sum()) if lossy else 0.0
    if not lossy and not np.array_equal(read, values):
        raise VolumeError(f"{store.path(name)}: block {block.name} reads back other than it was written")
    marker = space.markers(f"archive-{name}") / f"{block.name}.error"
    marker.write_text(repr(error), encoding="utf-8")


def _squared_error(space: Workspace, stage: str) -> float:
    return sum(float(file.read_text(encoding="utf-8")) for file in sorted(space.markers(stage).glob("*.error")))
