"""MANC v1.2.1 as the BANC project compiled it: every row is a traced neuron."""

from __future__ import annotations

from pathlib import Path

from . import compiled
from .convert import Converted
from .registry import Dataset

SCHEMA = compiled.Schema(id="manc_121_id")


def convert(dataset: Dataset, folder: Path, min_count: int) -> Converted:
    """Read the files of the dataset."""
    return compiled.convert(dataset, folder, min_count, SCHEMA)
