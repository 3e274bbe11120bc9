"""The chance that two regions are one neuron: logistic regression on `pair_features`, coefficients from a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .pair_features import FEATURES
from .volume import VolumeError

__all__ = ["COEFFICIENTS", "SameNeuron", "read_model"]

COEFFICIENTS = Path(__file__).parent / "same_neuron.csv"
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SameNeuron:
    """A logistic model.

    Args:
        mean: shape (features,), taken off each feature.
        scale: shape (features,), each is divided by.
        weight: shape (features,).
        bias: of the log odds.
    """

    mean: Floats
    scale: Floats
    weight: Floats
    bias: float

    def __call__(self, features: Floats) -> Floats:
        """Chance, 0 to 1, shape (m,), of features of shape (m, features)."""
        odds = (features - self.mean) / self.scale @ self.weight + self.bias
        return np.asarray(0.5 * (1 + np.tanh(0.5 * odds)))


def read_model(path: Path = COEFFICIENTS) -> SameNeuron:
    """Read a table with columns feature, mean, scale, weight, provenance and source; one row is the bias.

    Raises:
        VolumeError: a feature is missing.
    """
    table = pd.read_csv(path).set_index("feature")
    missing = [name for name in ("bias", *FEATURES) if name not in table.index]
    if missing:
        raise VolumeError(f"{path}: no row for feature {missing[0]!r}; scripts/train_proofread.py makes the table")
    rows = table.loc[list(FEATURES), ["mean", "scale", "weight"]].to_numpy(dtype=np.float64)
    return SameNeuron(
        mean=rows[:, 0], scale=rows[:, 1], weight=rows[:, 2], bias=float(table["weight"].to_dict()["bias"])
    )
