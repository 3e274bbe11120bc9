"""What every dataset says of a neuron, in the project's words: transmitter and sign, role, side."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .registry import table

RULE = "shiu2024"  # the rule of transmitters.csv that gives synapses their sign
NAMES = {  # how the datasets write a transmitter -> its name in transmitters.csv
    "ach": "acetylcholine",
    "glu": "glutamate",
    "glut": "glutamate",
    "da": "dopamine",
    "oct": "octopamine",
    "oa": "octopamine",
    "ser": "serotonin",
    "5ht": "serotonin",
    "5-ht": "serotonin",
    "his": "histamine",
    "hist": "histamine",
    "ta": "tyramine",
    "tyr": "tyramine",
}
SIDES = {"l": "L", "left": "L", "lhs": "L", "r": "R", "right": "R", "rhs": "R"}
SIDES |= dict.fromkeys(("m", "c", "mid", "midline", "middle", "center", "centre"), "M")


@cache
def signs(rule: str = RULE) -> dict[str, int]:
    """Sign of the synapses of each transmitter, by the rule of transmitters.csv; others have none (0)."""
    return {row["transmitter"]: int(row["sign"]) for row in table("transmitters.csv") if row["rule"] == rule}


def transmitters(labels: pd.Series) -> pd.Series:
    """Names as in transmitters.csv; "" where unknown or unclear."""
    lower = labels.str.lower()
    named = lower.replace(NAMES)
    return named.where(named.isin(list(signs())), "")


def sign_of(transmitter: pd.Series) -> NDArray[np.int8]:
    """Sign of each neuron's synapses, 0 where its transmitter is unknown."""
    return np.asarray(transmitter.map(signs()).fillna(0), dtype=np.int8)


def roles(superclass: pd.Series, dataset: str) -> pd.Series:
    """Role by the table roles.csv; unclassified where it has no row."""
    known = {row["superclass"]: row["role"] for row in table("roles.csv") if row["dataset"] == dataset}
    return superclass.map(known).fillna("unclassified").astype("str")


def sides(labels: pd.Series) -> pd.Series:
    """L, R, M, or "" where not given."""
    return labels.str.lower().map(SIDES).fillna("").astype("str")


def neuron_table(
    ids: NDArray[np.int64], columns: dict[str, pd.Series], positions: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """A neuron table of a `CompactConnectome`: names are the ids, text becomes categories.

    Args:
        ids: shape (n,).
        columns: text of each neuron; role, type, transmitter and side default to unclassified and "".
        positions: x, y, z in um, shape (n, 3), NaN where unknown.
    """
    n = ids.size
    blank = {"type": "", "role": "unclassified", "transmitter": "", "side": ""}
    text = {name: pd.Series([value] * n, dtype="str") for name, value in blank.items()} | columns
    found = {name: pd.Categorical(values.to_numpy(dtype=object)) for name, values in text.items()}
    where = np.full((n, 3), np.nan) if positions is None else positions
    place = {f"{axis}_um": where[:, k].astype(np.float32) for k, axis in enumerate("xyz")}
    name = pd.Series(ids.astype(str), dtype="str")
    return pd.DataFrame({"name": name} | found | place)


def unknown_signs(sign: NDArray[np.int8]) -> str:
    """The line of a source about neurons whose synapses have no sign."""
    return f"signs by the transmitter, rule {RULE}; {int((sign == 0).sum())} neurons of unknown transmitter have none"
