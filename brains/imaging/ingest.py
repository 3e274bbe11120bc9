"""Stage 0: a file of any known kind becomes the workspace's `raw` volume, uint8 with a voxel size in nm."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .blocks import CHUNK, Block, Workers, grid, run_blocks
from .formats import Image, open_image
from .volume import Volume, VolumeError, Voxel, check_voxel
from .workspace import Workspace

__all__ = ["ingest", "parse_voxel"]

UNITS = {"nm": 1.0, "um": 1e3, "µm": 1e3}
CLIP = (0.1, 99.9)  # percent of sampled voxels mapped to 0 and 255 where values are not 8 bits; assumed


def parse_voxel(text: str) -> Voxel:
    """Voxel size from text: "10,10,10nm" is (z, y, x), "8nm" all three.

    Raises:
        VolumeError: no unit, or not one or three sizes.
    """
    unit = next((name for name in UNITS if text.strip().endswith(name)), None)
    if unit is None:
        raise VolumeError(f"voxel size {text!r}: name its unit, nm or um, as in 10,10,10nm (z, y, x)")
    try:
        sizes = [float(part) * UNITS[unit] for part in text.strip().removesuffix(unit).split(",")]
    except ValueError:
        raise VolumeError(f"voxel size {text!r}: not numbers; write it as 40,4,4nm (z, y, x)") from None
    sizes = sizes * 3 if len(sizes) == 1 else sizes
    if len(sizes) != 3:
        raise VolumeError(f"voxel size {text!r}: one size or three (z, y, x), not {len(sizes)}")
    return check_voxel(f"voxel size {text!r}", (sizes[0], sizes[1], sizes[2]))


@dataclass(frozen=True)
class _Scale:
    """Grey = (value - low) / (high - low) * 255, cut."""

    low: float
    high: float

    def apply(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        if values.dtype == np.uint8:
            return np.asarray(values)
        grey = (values.astype(np.float64) - self.low) * (255.0 / max(self.high - self.low, 1e-12))
        return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def ingest(
    path: Path | str, space: Workspace, workers: Workers, voxel_nm: Voxel | None = None, dataset: str | None = None
) -> Volume:
    """Copy a file's volume into the workspace, section slabs at a time.

    Values of 8 bits are kept; others are scaled so that the central 99.8 % of them span 0 to 255.

    Args:
        path: see `formats.open_image`.
        space: where `raw` is made.
        workers: whether progress is shown; reading is done by one process.
        voxel_nm: size of a voxel (z, y, x), nm; overrules the file's own.
        dataset: which array of a file that holds several.

    Raises:
        VolumeError: naming the file and what is wrong; no half-written volume is left.
    """
    image = open_image(path, dataset)
    voxel = voxel_nm or image.voxel_nm
    if voxel is None:
        raise VolumeError(
            f"{image.path}: the file does not say its voxel size; give it, as in --voxel 10,10,10nm (z, y, x)"
        )
    voxel = check_voxel(str(image.path), voxel)
    origin = f"{image.path.name}{':' + image.name if image.name else ''}"
    settings = {"path": str(image.path.resolve()), "dataset": dataset, "voxel_nm": voxel, "shape": image.data.shape}
    if space.begin("ingest", settings):
        scale = _scale(image)
        _copy(image, space, workers, voxel, scale)
        space.finish("ingest", {"source": origin, "voxel_nm": voxel, "grey": [scale.low, scale.high], **settings})
    return space.volume("raw", (origin,))


def _copy(image: Image, space: Workspace, workers: Workers, voxel: Voxel, scale: _Scale) -> None:
    z, y, x = image.data.shape
    space.create("raw", (z, y, x), np.uint8, voxel)
    slabs = grid((z, y, x), (min(CHUNK, z), y, x), (0, 0, 0))
    try:
        here = Workers(progress=workers.progress)
        run_blocks(partial(_copy_slab, image, space, scale), slabs, space.markers("ingest"), here, "ingest")
    except VolumeError:
        shutil.rmtree(space.path("raw"), ignore_errors=True)
        shutil.rmtree(space.markers("ingest"), ignore_errors=True)
        raise


def _copy_slab(image: Image, space: Workspace, scale: _Scale, block: Block) -> None:
    try:
        values = np.asarray(image.data[block.core.slices])
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, VolumeError):
            raise
        z = block.core.start[0], block.core.stop[0]
        raise VolumeError(f"{image.path}: sections {z[0]} to {z[1]} cannot be read ({error})") from None
    _check_finite(image, values, block)
    space.array("raw")[block.core.slices] = scale.apply(values)


def _check_finite(image: Image, values: NDArray[np.generic], block: Block) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        wrong = np.argwhere(~np.isfinite(values))[0] + block.core.start
        raise VolumeError(f"{image.path}: the value at (z, y, x) = {tuple(int(n) for n in wrong)} is not finite")


def _scale(image: Image) -> _Scale:
    """The grey scale, from up to 32 sections."""
    if image.data.dtype == np.uint8:
        return _Scale(0.0, 255.0)
    depth = image.data.shape[0]
    picks = sorted({int(z) for z in np.linspace(0, depth - 1, min(depth, 32))})
    sample = np.concatenate([np.asarray(image.data[z : z + 1]).ravel()[::7] for z in picks]).astype(np.float64)
    low, high = np.percentile(sample[np.isfinite(sample)], CLIP) if np.isfinite(sample).any() else (0.0, 1.0)
    return _Scale(float(low), float(high))
