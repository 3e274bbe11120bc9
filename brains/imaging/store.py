"""Numbers that the blocks of a stage hand on to the next step, one .npy file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["load", "save"]


def save(path: Path, values: NDArray[Any]) -> None:
    """Write numbers under a temporary name and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    temporary.replace(path)


def load(path: Path) -> NDArray[Any]:
    """Numbers that were saved, left on disk until they are used."""
    values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return values
