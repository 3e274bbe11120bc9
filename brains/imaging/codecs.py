"""Codecs of Zarr 3 for what microscopes and segmentations make: labels by crackle, grey values by JPEG XL.

Importing this module registers them, and so does the entry-point group zarr.codecs: an array written with them opens in
any Zarr 3 reader of Python where animat is installed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.abc.codec import ArrayBytesCodec
from zarr.registry import register_codec

__all__ = ["CrackleCodec", "JpegXlCodec"]


class _Codec(ArrayBytesCodec):
    """A codec whose work is two plain functions, run beside the event loop."""

    is_fixed_size = False

    def encode_array(self, values: NDArray[Any]) -> bytes:
        """Bytes of one chunk."""
        raise NotImplementedError

    def decode_array(self, content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The chunk those bytes hold."""
        raise NotImplementedError

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        content = await asyncio.to_thread(self.encode_array, chunk_array.as_numpy_array())
        return chunk_spec.prototype.buffer.from_bytes(content)

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        shape, dtype = chunk_spec.shape, chunk_spec.dtype.to_native_dtype()
        values = await asyncio.to_thread(self.decode_array, chunk_bytes.to_bytes(), shape, dtype)
        if values.shape != shape or values.dtype != dtype:
            raise ValueError(f"a chunk decodes to {values.shape} {values.dtype}, expected {shape} {dtype}: damaged?")
        return chunk_spec.prototype.nd_buffer.from_numpy_array(values)

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: Any) -> int:
        """Unknown in advance."""
        raise NotImplementedError


@dataclass(frozen=True)
class CrackleCodec(_Codec):
    """Lossless compression of label volumes by the boundaries between labels.

    Source: crackle-codec (Silversmith, BSD-3), whose format checks itself on reading.
    """

    markov_model_order: int = 5  # symbols of context for the boundaries; more packs tighter and slower

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CrackleCodec:
        """From Zarr metadata."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """As Zarr metadata."""
        return {"name": "animat.crackle", "configuration": {"markov_model_order": self.markov_model_order}}

    def encode_array(self, values: NDArray[Any]) -> bytes:
        """Bytes of one chunk of unsigned integers."""
        import crackle

        packed: bytes = crackle.compress(np.asfortranarray(values.T), markov_model_order=self.markov_model_order)
        return packed

    def decode_array(self, content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The labels those bytes hold."""
        import crackle

        return np.ascontiguousarray(np.asarray(crackle.decompress(content)).T).astype(dtype, copy=False).reshape(shape)


@dataclass(frozen=True)
class JpegXlCodec(_Codec):
    """Compression of grey values, section by section; distance 0 keeps every value.

    Source: JPEG XL (ISO/IEC 18181) through imagecodecs (BSD-3).
    """

    distance: float = 1.0  # JPEG XL's butteraugli distance; 0 is lossless, 1 invisible to the eye

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> JpegXlCodec:
        """From Zarr metadata."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """As Zarr metadata."""
        return {"name": "animat.jpegxl", "configuration": {"distance": self.distance}}

    def encode_array(self, values: NDArray[Any]) -> bytes:
        """Bytes of one chunk (z, y, x) of uint8, its sections one under the other."""
        from imagecodecs import jpegxl_encode

        lossless = self.distance == 0
        sheet = np.ascontiguousarray(values).reshape(-1, values.shape[-1])
        return bytes(jpegxl_encode(sheet, lossless=lossless, distance=None if lossless else self.distance))

    def decode_array(self, content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The grey values those bytes hold."""
        from imagecodecs import jpegxl_decode

        return np.asarray(jpegxl_decode(content)).astype(dtype, copy=False).reshape(shape)


register_codec("animat.crackle", CrackleCodec)
register_codec("animat.jpegxl", JpegXlCodec)
