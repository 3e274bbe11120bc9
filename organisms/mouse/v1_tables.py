"""The tables of the visual cortex as arrays over its cell types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DATA = Path(__file__).parent / "data"
LGN = "LGN"  # the type of all cells of the geniculate, after the cortical ones
LGN_PSP_MV = 0.345  # mV, of one geniculate synapse: the number of lgn_weights_population.csv; that it is mV is assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """Published statistics; arrays over types in the order of `types`, pairs as (pre, post)."""

    types: pd.DataFrame  # v1_types.csv
    names: tuple[str, ...]
    classes: tuple[str, ...]  # E, PV, SST, VIP or L1
    sign: NDArray[np.int8]
    per_um2: Floats
    pmax: Floats
    sigma_um: Floats
    psp_mv: Floats
    psp_spread: Floats  # of its logarithm
    delay_ms: Floats
    like: Floats  # how much more likely than on average cells of one preferred orientation are joined

    @property
    def n(self) -> int:
        """Number of types."""
        return len(self.names)

    def of_class(self, name: str) -> list[int]:
        """Places of the types of a class."""
        return [place for place, kind in enumerate(self.classes) if kind == name]


LIKE_TO_LIKE = (
    0.5  # probability at orthogonal over that at equal orientation, E to E: b_ratio.csv of the published model
)


@cache
def tables() -> Tables:
    """The published statistics of the mouse's V1; rows and sources are in the CSV files."""
    types, pairs = pd.read_csv(DATA / "v1_types.csv"), pd.read_csv(DATA / "v1_pairs.csv")
    names = tuple(types["type"])

    def matrix(column: str) -> Floats:
        wide = pairs.pivot(index="pre", columns="post", values=column)
        return wide.loc[list(names), list(names)].to_numpy(np.float64)

    excitatory = (types["class"] == "E").to_numpy()
    modulation = (1.0 - LIKE_TO_LIKE) / (1.0 + LIKE_TO_LIKE)
    return Tables(
        types=types,
        names=names,
        classes=tuple(types["class"]),
        sign=types["sign"].to_numpy(np.int8),
        per_um2=types["per_mm2"].to_numpy(np.float64) * 1e-6,
        pmax=matrix("pmax"),
        sigma_um=matrix("sigma_um"),
        psp_mv=matrix("psp_mv"),
        psp_spread=matrix("psp_spread"),
        delay_ms=matrix("delay_ms"),
        like=modulation * np.outer(excitatory, excitatory).astype(np.float64),
    )
