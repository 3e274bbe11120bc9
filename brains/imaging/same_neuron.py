"""The chance that two regions are one neuron: logistic regression on features and their products, from a table.

Products let one thing matter more beside another: a strong boundary means less around a piece that one neighbour all
but encloses (a mitochondrion) than between two neurites side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .pair_features import FEATURES
from .volume import VolumeError

__all__ = ["SameNeuron", "coefficients", "read_model", "terms", "write_model"]

FAR = 4.0  # standard deviations; features beyond it count as if they were there: products of far values mean nothing
Floats = NDArray[np.float64]
Pairs = tuple[tuple[int, int], ...]
PRODUCTS: Pairs = tuple(combinations_with_replacement(range(len(FEATURES)), 2))
TERMS = (*FEATURES, *(f"{FEATURES[a]}*{FEATURES[b]}" for a, b in PRODUCTS))


@dataclass(frozen=True, kw_only=True, eq=False)
class SameNeuron:
    """A logistic model.

    Args:
        mean: shape (features,), taken off each feature.
        scale: shape (features,), each is divided by.
        weight: shape (terms,), of features and products in the order of `TERMS`.
        bias: of the log odds.
    """

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float

    def __call__(self, features: Floats) -> Floats:
        """Chance, 0 to 1, shape (m,), of features of shape (m, features)."""
        odds = terms(features, self.mean, self.scale) @ self.weight + self.bias
        return np.asarray(0.5 * (1 + np.tanh(0.5 * odds)))


def terms(features: Floats, mean: Floats, scale: Floats) -> Floats:
    """Features in standard deviations, and their products: shape (m, terms)."""
    z = np.clip((features - mean) / scale, -FAR, FAR)
    first, second = np.array(PRODUCTS).T
    return np.concatenate([z, z[:, first] * z[:, second]], axis=1)


def coefficients(predictor: str) -> Path | None:
    """The table that comes with animat for segmentations by a boundary predictor; None where none was trained."""
    path = Path(__file__).parent / f"same_neuron_{predictor}.csv"
    return path if path.exists() else None


def read_model(path: Path) -> SameNeuron:
    """Read a table with columns term, mean, scale, weight, provenance and source; one row is the bias.

    Raises:
        VolumeError: a term is missing.
    """
    table = pd.read_csv(path).set_index("term")
    missing = [name for name in ("bias", *TERMS) if name not in table.index]
    if missing:
        raise VolumeError(f"{path}: no row for {missing[0]!r}; scripts/train_proofread.py makes the table")
    rows = table.loc[list(TERMS), ["mean", "scale", "weight"]].to_numpy(dtype=np.float64)
    n = len(FEATURES)
    bias = float(table["weight"].to_dict()["bias"])
    return SameNeuron(mean=rows[:n, 0], scale=rows[:n, 1], weight=rows[:, 2], bias=bias)


def write_model(path: Path, model: SameNeuron, source: str) -> None:
    """Write such a table under a temporary name and rename it."""
    none = np.full(len(PRODUCTS), np.nan)
    table = pd.DataFrame({"term": TERMS, "mean": np.append(model.mean, none), "scale": np.append(model.scale, none)})
    table = pd.concat([pd.DataFrame({"term": ["bias"], "weight": [model.bias]}), table.assign(weight=model.weight)])
    temporary = path.with_name(path.name + ".part")
    table = table[["term", "mean", "scale", "weight"]].assign(provenance="derived", source=source)
    table.to_csv(temporary, index=False, float_format="%.5g")
    temporary.replace(path)
