"""BANC v888: neurons are the proofread and roughly proofread segments. The file of pairs holds self edges too."""

from __future__ import annotations

from pathlib import Path

from . import compiled
from .convert import Converted
from .registry import Dataset

SCHEMA = compiled.Schema(id="banc_888_id", marks=("proofread", "roughly_proofread"))


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    return compiled.convert(dataset, folder, min_count, SCHEMA)
