"""An image as a file holds it: any number type, voxel size perhaps unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..volume import Array, Voxel

__all__ = ["Image", "Sections"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """What a reader found."""

    data: Array  # (z, y, x), any integer or float type; read by slicing
    path: Path
    voxel_nm: Voxel | None = None  # (z, y, x), nm; None where the file does not say
    name: str = ""  # which array of the file


class Sections:
    """A volume whose sections are read one by one; slices like an array along z, then y and x.

    Args:
        shape: (z, y, x).
        dtype: of a voxel.
        read: section number -> array of shape (y, x).
    """

    def __init__(self, shape: tuple[int, int, int], dtype: Any, read: Callable[[int], Any]) -> None:
        self.shape: tuple[int, ...] = shape
        self.dtype = np.dtype(dtype)
        self._read = read

    def __getitem__(self, key: Any) -> Any:
        """A part, as a numpy array; `key` is a slice or a tuple of slices."""
        z, *rest = key if isinstance(key, tuple) else (key,)
        window = tuple(rest) + (slice(None),) * (2 - len(rest))
        return np.stack([self._read(section)[window] for section in range(*z.indices(self.shape[0]))])
