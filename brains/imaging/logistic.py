"""Logistic regression whose coefficients stand in a table: read, applied, and (by a script) fitted and written.

A table has one row a coefficient: model, feature, mean, scale, weight, provenance, source. The feature "1" is the
intercept. Nothing else is needed to predict, and nothing is unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...registry import nearest

__all__ = ["COLUMNS", "Logistic", "fingerprint", "fit", "read_models"]

Floats = NDArray[np.float64]
COLUMNS = ("model", "feature", "mean", "scale", "weight", "provenance", "source")
CONSTANT = "1"  # name of the feature that is always one


@dataclass(frozen=True, kw_only=True, eq=False)
class Logistic:
    """Chance of yes, given features.

    Args:
        features: names, in the order of the columns it is applied to.
        mean: shape (n,), subtracted from each.
        scale: shape (n,), each is then divided by.
        weight: shape (n,), of each in the log odds.
        intercept: log odds where all features are at their mean.
    """

    features: tuple[str, ...]
    mean: Floats
    scale: Floats
    weight: Floats
    intercept: float

    def probability(self, values: Floats) -> Floats:
        """Chance of yes, shape (m,), of rows of features, shape (m, n)."""
        odds = ((values - self.mean) / self.scale) @ self.weight + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30))))

    def table(self, model: str, source: str) -> pd.DataFrame:
        """Rows of a table of coefficients."""
        rows = pd.DataFrame(
            {
                "model": model,
                "feature": [*self.features, CONSTANT],
                "mean": [*self.mean, 0.0],
                "scale": [*self.scale, 1.0],
                "weight": [*self.weight, self.intercept],
                "provenance": "derived",
                "source": source,
            }
        )
        return rows[list(COLUMNS)].round(6)


def fit(
    features: tuple[str, ...], values: Floats, yes: NDArray[np.bool_], *, odd: bool = False, c: float = 1.0
) -> Logistic:
    """Fit by maximum likelihood with a ridge.

    Args:
        features: names of the columns.
        values: shape (m, n).
        yes: shape (m,).
        odd: whether turning all features' signs must turn yes to no: no mean and no intercept then.
        c: inverse strength of the ridge on scaled features.
    """
    from sklearn.linear_model import LogisticRegression

    mean = np.zeros(values.shape[1]) if odd else values.mean(axis=0)
    scale = np.sqrt(np.square(values - mean).mean(axis=0)) + 1e-9
    model = LogisticRegression(C=c, fit_intercept=not odd, max_iter=2000).fit((values - mean) / scale, yes)
    return Logistic(
        features=features,
        mean=mean,
        scale=scale,
        weight=model.coef_[0].astype(np.float64),
        intercept=0.0 if odd else float(model.intercept_[0]),
    )


@lru_cache
def read_models(name: str) -> dict[str, Logistic]:
    """The models of a table that comes with animat, by their names.

    Args:
        name: of the table, a CSV file beside this one.

    Raises:
        ValueError: no such table, or it lacks a column.
    """
    table = pd.read_csv(_path(name))
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise ValueError(f"read_models: {name} has no column {missing[0]!r}")
    return {str(model): _model(rows) for model, rows in table.groupby("model", sort=False)}


def fingerprint(name: str) -> str:
    """First figures of the SHA-256 of a table, which tell one training from another."""
    return sha256(_path(name).read_bytes()).hexdigest()[:8]


def _path(name: str) -> Path:
    path = Path(__file__).with_name(name)
    if not path.is_file():
        known = sorted(entry.name for entry in path.parent.glob("*_model.csv"))
        raise ValueError(f"read_models: no table {name!r}; {nearest(name, known)}")
    return path


def _model(rows: pd.DataFrame) -> Logistic:
    named = rows[rows["feature"].astype(str) != CONSTANT]
    constant = rows.loc[rows["feature"].astype(str) == CONSTANT, "weight"]
    return Logistic(
        features=tuple(named["feature"]),
        mean=named["mean"].to_numpy(),
        scale=named["scale"].to_numpy(),
        weight=named["weight"].to_numpy(),
        intercept=float(constant.sum()),
    )
