"""Files of trained weights: plain arrays and a JSON text of how they were made, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .volume import VolumeError

__all__ = ["read_notes", "read_weights", "write_weights"]


def write_weights(path: Path, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
    """Write under a temporary name and rename."""
    temporary = path.with_name(path.name + ".part")
    kept: dict[str, Any] = dict(arrays)
    with temporary.open("wb") as file:
        np.savez_compressed(file, notes=np.array(json.dumps(notes, sort_keys=True)), **kept)
    temporary.replace(path)


def read_weights(path: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Arrays as float32, and the notes.

    Raises:
        VolumeError: no file of `write_weights`.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files if name != "notes"}
    except (OSError, ValueError) as error:
        raise VolumeError(f"{path}: no file of weights ({error})") from error
    return arrays, read_notes(path)


def read_notes(path: Path) -> dict[str, Any]:
    """How weights were made.

    Raises:
        VolumeError: no file of `write_weights`.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            notes: dict[str, Any] = json.loads(str(file["notes"]))
    except (OSError, KeyError, ValueError) as error:
        raise VolumeError(f"{path}: no file of weights ({error})") from error
    return notes
