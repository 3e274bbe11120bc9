"""Neuroglancer's precomputed format in a local folder: raw and JPEG chunks of one channel, unsharded."""

from __future__ import annotations

import gzip
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import VolumeError
from .arrays import parse
from .image import Image

ENCODINGS = ("raw", "jpeg")


def open_precomputed(path: Path, dataset: str | None) -> Image:
    """The finest scale, or the one whose key is `dataset`."""
    info = parse(path / "info")
    scales = {str(scale.get("key")): scale for scale in info.get("scales", [])}
    key = dataset or next(iter(scales), "")
    if key not in scales:
        raise VolumeError(f"{path}/info: no scale {key!r}; there are: {', '.join(scales) or 'none'}")
    scale = scales[key]
    inside = PurePosixPath(key)
    if inside.is_absolute() or ".." in inside.parts or not (path / key).resolve().is_relative_to(path.resolve()):
        raise VolumeError(f"{path}/info: scale {key!r} lies outside this folder; refused")
    if scale.get("sharding") or scale.get("encoding") not in ENCODINGS or info.get("num_channels") != 1:
        raise VolumeError(
            f"{path}/info: only unsharded scales of one channel in the encodings {', '.join(ENCODINGS)} are read; this"
            f" one is {scale.get('encoding')!r}, {info.get('num_channels')} channels, sharding {scale.get('sharding')}"
        )
    try:
        data = _Chunks(path / key, np.dtype(info["data_type"]), scale)
        x, y, z = scale["resolution"]
    except (KeyError, TypeError, ValueError) as error:
        raise VolumeError(f"{path}/info: incomplete ({error!r})") from None
    return Image(data=data, path=path, name=key, voxel_nm=(float(z), float(y), float(x)))


class _Chunks:
    """Chunk files read when they are asked for."""

    def __init__(self, folder: Path, dtype: np.dtype[Any], scale: dict[str, Any]) -> None:
        self.folder, self.dtype, self._encoding = folder, dtype, scale["encoding"]
        x, y, z = (int(n) for n in scale["size"])
        self.shape: tuple[int, ...] = (z, y, x)
        self._chunk = tuple(int(n) for n in scale["chunk_sizes"][0][::-1])
        self._offset = tuple(int(n) for n in scale.get("voxel_offset", [0, 0, 0])[::-1])

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """A part, as a numpy array; `key` is a slice or a tuple of slices of step 1."""
        slices = key if isinstance(key, tuple) else (key,)
        slices = (*slices, *(slice(None),) * (3 - len(slices)))
        low, high, _ = zip(*(s.indices(n) for s, n in zip(slices, self.shape, strict=True)), strict=True)
        part = np.zeros([max(b - a, 0) for a, b in zip(low, high, strict=True)], dtype=self.dtype)
        spans = [range(a // c, -(-b // c)) for a, b, c in zip(low, high, self._chunk, strict=True)]
        for index in product(*spans):
            start = [i * c for i, c in zip(index, self._chunk, strict=True)]
            stop = [min(s + c, n) for s, c, n in zip(start, self._chunk, self.shape, strict=True)]
            first = [max(s, a) for s, a in zip(start, low, strict=True)]
            last = [min(s, b) for s, b in zip(stop, high, strict=True)]
            to = tuple(slice(f - a, e - a) for f, e, a in zip(first, last, low, strict=True))
            of = tuple(slice(f - s, e - s) for f, e, s in zip(first, last, start, strict=True))
            part[to] = self._read(start, stop)[of]
        return part

    def _read(self, start: list[int], stop: list[int]) -> NDArray[Any]:
        spans = [f"{s + o}-{e + o}" for s, e, o in zip(start, stop, self._offset, strict=True)]
        path = self.folder / "_".join(spans[::-1])
        zipped = path.with_name(path.name + ".gz")
        shape = tuple(e - s for s, e in zip(start, stop, strict=True))
        try:
            content = gzip.decompress(zipped.read_bytes()) if zipped.exists() else path.read_bytes()
            return self._decode(content, shape)
        except (OSError, EOFError, ValueError) as error:
            raise VolumeError(f"{path}: chunk cannot be read ({error})") from None

    def _decode(self, content: bytes, shape: tuple[int, ...]) -> NDArray[Any]:
        if self._encoding == "raw":
            return np.frombuffer(content, dtype=self.dtype.newbyteorder("<")).reshape(shape)
        from imageio.v3 import imread

        return np.asarray(imread(content, extension=".jpg")).reshape(shape)
