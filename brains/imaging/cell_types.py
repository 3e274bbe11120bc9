"""Types of cells, learned from a user's table of cells whose type is known; no trained model is loaded from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .volume import Box, VolumeError
from .workspace import Workspace

__all__ = ["known_types", "predict_types"]

Floats = NDArray[np.float64]
FOLDS = 5  # most, of the cross-validation that probabilities are calibrated by
PLACE = ["z_um", "y_um", "x_um"]
KINDS: dict[str, Any] = {"type": str, "label": "uint64"}  # of columns; labels never pass through a float


def known_types(path: Path, space: Workspace, labels: str) -> pd.Series[str]:
    """Type by segment, from a CSV file with a column `type` and either `label` or `z_um`, `y_um` and `x_um`.

    Args:
        path: of the file.
        space: where the segments are that points are looked up in.
        labels: name of the segments.

    Raises:
        VolumeError: a column is missing, a point lies outside or in no segment, or a segment has two types.
    """
    table = pd.read_csv(path, dtype={name: kind for name, kind in KINDS.items() if name in _header(path)})
    if "type" not in table.columns or table["type"].isna().any():
        raise VolumeError(f"{path}: every row must have a `type`")
    if "label" not in table.columns:
        missing = [column for column in PLACE if column not in table.columns]
        if missing:
            raise VolumeError(f"{path}: neither a column `label` nor {missing[0]!r}")
        table["label"] = _looked_up(path, table[PLACE].to_numpy(dtype=np.float64), space, labels)
    table = table.drop_duplicates(["label", "type"])
    twice = table["label"][table["label"].duplicated()]
    if len(twice):
        raise VolumeError(f"{path}: segment {twice.iloc[0]} has more than one type")
    return table.set_index("label")["type"]


def _header(path: Path) -> list[str]:
    return list(pd.read_csv(path, nrows=0).columns)


def _looked_up(path: Path, place_um: Floats, space: Workspace, labels: str) -> NDArray[np.uint64]:
    segments = space.segmentation(labels)
    at = np.floor(place_um * 1e3 / np.array(segments.voxel_nm)).astype(np.int64)
    found = np.zeros(len(at), dtype=np.uint64)
    for row, (z, y, x) in enumerate(at.tolist()):
        if min(z, y, x) < 0 or any(k >= n for k, n in zip((z, y, x), segments.shape, strict=True)):
            raise VolumeError(f"{path}: row {row + 1} lies at {place_um[row]} um, outside the volume")
        found[row] = segments.read(Box((z, y, x), (z + 1, y + 1, x + 1)))[0, 0, 0]
        if found[row] == 0:
            raise VolumeError(f"{path}: row {row + 1} at {place_um[row]} um lies in no segment")
    return found


def predict_types(features: Floats, known: NDArray[np.object_]) -> tuple[NDArray[np.object_], Floats]:
    """Type of every cell and how sure it is, calibrated by cross-validation among those that are known.

    Args:
        features: shape (n, k).
        known: shape (n,), type of each, empty where it is not known.

    Returns:
        Types, shape (n,); those known stay, with probability 1.

    Raises:
        VolumeError: fewer than two types, or fewer than two cells of one.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    given = known != ""
    names, counts = np.unique(known[given].astype(str), return_counts=True)
    if len(names) < 2 or counts.min() < 2:
        told = dict(zip(names.tolist(), counts.tolist(), strict=True))
        raise VolumeError(f"cell types: two types with two cells each, or more, are needed to learn from; got {told}")
    folds = int(min(FOLDS, counts.min()))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    model = CalibratedClassifierCV(classifier, method="sigmoid", cv=folds, ensemble=False)
    model.fit(features[given], known[given].astype(str))
    chances = model.predict_proba(features)
    types = model.classes_[chances.argmax(axis=1)].astype(object)
    types[given] = known[given]
    return types, np.where(given, 1.0, chances.max(axis=1))
