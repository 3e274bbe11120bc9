"""What the stages hand on: a Volume of grey values, a Segmentation of labels, and boxes within them.

Axes are always (z, y, x), z across the sections; sizes and voxels follow that order. The data behind either may be a
numpy array or anything that slices to one (a Zarr array on disk), so that no stage has to hold a whole volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Box", "Segmentation", "Volume", "VolumeError", "check_voxel"]

Voxel = tuple[float, float, float]  # nm: z, y, x


class VolumeError(ValueError):
    """A volume or a file of one that cannot be used, naming it and what is wrong."""


class Array(Protocol):
    """What a volume needs of its data: numpy and Zarr arrays have it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""

    @property
    def dtype(self) -> Any:
        """Type of a voxel."""

    def __getitem__(self, key: Any) -> Any:
        """A part, as a numpy array."""


@dataclass(frozen=True, order=True)
class Box:
    """A part of a volume: from `start` (inside) to `stop` (outside), voxels, (z, y, x)."""

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        z, y, x = (stop - start for start, stop in zip(self.start, self.stop, strict=True))
        return z, y, x

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """For indexing an array."""
        z, y, x = (slice(start, stop) for start, stop in zip(self.start, self.stop, strict=True))
        return z, y, x

    def grow(self, halo: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
        """Larger by `halo` voxels on every side, cut at the ends of an array of that shape."""
        start = tuple(max(low - h, 0) for low, h in zip(self.start, halo, strict=True))
        stop = tuple(min(high + h, n) for high, h, n in zip(self.stop, halo, shape, strict=True))
        return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))

    def within(self, outer: Box) -> tuple[slice, slice, slice]:
        """Where this box lies in an array that holds `outer`."""
        z, y, x = (slice(a - o, b - o) for a, b, o in zip(self.start, self.stop, outer.start, strict=True))
        return z, y, x


def check_voxel(who: str, voxel_nm: Voxel) -> Voxel:
    """Voxel size as three floats, nm.

    Raises:
        VolumeError: not three finite sizes between 0.1 nm and 100 um.
    """
    sizes = tuple(float(size) for size in voxel_nm)
    if len(sizes) != 3 or not all(0.1 <= size <= 1e5 for size in sizes):
        raise VolumeError(f"{who}: voxel_nm {tuple(voxel_nm)} must be three sizes (z, y, x) of 0.1 to 100000 nm")
    return sizes[0], sizes[1], sizes[2]


def _check_shape(who: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or 0 in shape:
        raise VolumeError(f"{who}: data must have three axes (z, y, x) of one voxel or more, got shape {shape}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """Grey values of tissue, with what else was imaged in it.

    Args:
        data: shape (z, y, x), uint8; membranes dark.
        voxel_nm: size of a voxel along (z, y, x), nm.
        source: where it comes from and what was done to it, oldest first.
        invalid: shape (z, y, x), bool: True where nothing was imaged or repaired; None where all of it counts.
        channels: further images of the same tissue by name ("barcodes", "transmitters"), each (channel, z, y, x).

    Raises:
        VolumeError: a wrong type or shape, or a voxel size that cannot be.
    """

    data: Array
    voxel_nm: Voxel
    source: tuple[str, ...] = ()
    invalid: Array | None = None
    channels: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_shape("Volume", self.data.shape)
        object.__setattr__(self, "voxel_nm", check_voxel("Volume", self.voxel_nm))
        if self.data.dtype != np.uint8:
            raise VolumeError(f"Volume: data must be uint8, got {self.data.dtype}; `formats.open_volume` converts")
        if self.invalid is not None and (self.invalid.shape != self.shape or self.invalid.dtype != np.bool_):
            raise VolumeError(f"Volume: invalid must be bool of shape {self.shape}, got {self.invalid.shape}")
        for name, channel in self.channels.items():
            if len(channel.shape) != 4 or tuple(channel.shape[1:]) != self.shape:
                raise VolumeError(f"Volume: channel {name!r} must have shape (n, *{self.shape}), got {channel.shape}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        z, y, x = self.data.shape
        return z, y, x

    @property
    def box(self) -> Box:
        """All of it."""
        return Box((0, 0, 0), self.shape)

    @property
    def size_um(self) -> tuple[float, float, float]:
        """Extent along (z, y, x), um."""
        z, y, x = (n * size * 1e-3 for n, size in zip(self.shape, self.voxel_nm, strict=True))
        return z, y, x

    def read(self, box: Box) -> NDArray[np.uint8]:
        """Grey values of a part."""
        return np.asarray(self.data[box.slices])

    def read_invalid(self, box: Box) -> NDArray[np.bool_]:
        """Which voxels of a part do not count."""
        return np.zeros(box.shape, dtype=np.bool_) if self.invalid is None else np.asarray(self.invalid[box.slices])

    def changed(self, line: str, **values: Any) -> Volume:
        """The volume with some fields replaced and one more line of source."""
        return replace(self, source=(*self.source, line), **values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """One label a neuron (or piece of one).

    Args:
        labels: shape (z, y, x), uint32 or uint64; 0 is nothing.
        voxel_nm: size of a voxel along (z, y, x), nm.
        source: where it comes from and what was done to it, oldest first.

    Raises:
        VolumeError: a wrong type or shape, or a voxel size that cannot be.
    """

    labels: Array
    voxel_nm: Voxel
    source: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_shape("Segmentation", self.labels.shape)
        object.__setattr__(self, "voxel_nm", check_voxel("Segmentation", self.voxel_nm))
        if self.labels.dtype not in (np.uint32, np.uint64):
            raise VolumeError(f"Segmentation: labels must be uint32 or uint64, got {self.labels.dtype}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        z, y, x = self.labels.shape
        return z, y, x

    @property
    def box(self) -> Box:
        """All of it."""
        return Box((0, 0, 0), self.shape)

    def read(self, box: Box) -> NDArray[np.unsignedinteger[Any]]:
        """Labels of a part."""
        return np.asarray(self.labels[box.slices])

    def changed(self, line: str, **values: Any) -> Segmentation:
        """The segmentation with some fields replaced and one more line of source."""
        return replace(self, source=(*self.source, line), **values)
