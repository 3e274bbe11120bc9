"""The two tables of a connectome: their columns, what makes them valid, and their fingerprint.

Every function takes whole tables and works a column at a time, so that a fly's millions of synapses stay affordable.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..registry import nearest

NEURON_TEXT = ("name", "type", "role", "transmitter", "side")
NEURON_FLOATS = ("x_um", "y_um", "z_um")
NEURON_COLUMNS = NEURON_TEXT + NEURON_FLOATS
SYNAPSE_TEXT = ("pre", "post", "kind", "provenance", "sign_provenance")
SYNAPSE_COLUMNS = ("pre", "post", "kind", "count", "sign", "provenance", "sign_provenance")

ROLES = ("sensory", "inter", "motor", "unclassified")
SIDES = ("L", "R", "M", "")
KINDS = ("chemical", "electrical", "modulatory")
PROVENANCES = ("measured", "derived", "published", "assumed")
SIGN_PROVENANCES = (*PROVENANCES, "none")


class ConnectomeError(ValueError):
    """A connectome table that does not hold together; the message names the table or file, the row and the column."""


@dataclass(frozen=True)
class Place:
    """Where a table came from, so that an error can point into it."""

    name: str  # "synapses", or a file's path
    first_row: int = 0  # number of the first data row: 0 in memory, 2 in a file under its header line

    def fail(self, row: int | None, column: str, problem: str) -> NoReturn:
        """Raise the error for a cell, or for a whole column where `row` is None."""
        at = "" if row is None else f", row {row + self.first_row}"
        raise ConnectomeError(f"{self.name}{at}, column {column!r}: {problem}")


def neuron_table(table: pd.DataFrame, place: Place) -> pd.DataFrame:
    """The valid, canonically typed copy of a neuron table.

    Args:
        table: columns NEURON_COLUMNS in any order; positions in um, NaN where unknown.
        place: what errors call the table.

    Raises:
        ConnectomeError: a column is missing or foreign, a name is empty, repeated or unprintable, a role or side is
            unknown, or a position is infinite.
    """
    _check_columns(table, NEURON_COLUMNS, place)
    columns: dict[str, pd.Series] = {name: _text(table[name], name, place) for name in NEURON_TEXT}
    for name in NEURON_FLOATS:
        values = _numbers(table[name], name, place)
        _refuse(np.isinf(values), values, name, place, "must be finite, or empty where unknown; got {}")
        columns[name] = pd.Series(values)
    names = columns["name"]
    _refuse((names == "").to_numpy(), names, "name", place, "a neuron needs a name")
    _refuse(names.duplicated().to_numpy(), names, "name", place, "neuron {!r} is listed twice")
    _check_known(columns["role"], ROLES, place)
    _check_known(columns["side"], SIDES, place)
    return pd.DataFrame({name: columns[name] for name in NEURON_COLUMNS})


def synapse_table(table: pd.DataFrame, names: Sequence[str], place: Place) -> pd.DataFrame:
    """The valid, canonically typed copy of a synapse table.

    Args:
        table: columns SYNAPSE_COLUMNS in any order; without `sign_provenance` the signs count as assumed.
        names: the neurons that `pre` and `post` may name.
        place: what errors call the table.

    Raises:
        ConnectomeError: a column is missing or foreign, a neuron, kind or provenance is unknown, a count is not
            positive and finite, a sign is not -1, 0 or +1, a sign's provenance contradicts it, an edge is listed twice,
            or an electrical edge is not the same both ways.
    """
    if "sign_provenance" not in table.columns and "sign" in table.columns:
        table = table.assign(sign_provenance=np.where(table["sign"].to_numpy() == 0, "none", "assumed"))
    _check_columns(table, SYNAPSE_COLUMNS, place)
    columns: dict[str, pd.Series] = {name: _text(table[name], name, place) for name in SYNAPSE_TEXT}
    for name in ("pre", "post"):
        _check_known(columns[name], names, place, what="neuron")
    _check_known(columns["kind"], KINDS, place)
    _check_known(columns["provenance"], PROVENANCES, place)
    _check_known(columns["sign_provenance"], SIGN_PROVENANCES, place)
    count = _numbers(table["count"], "count", place)
    _refuse(~(np.isfinite(count) & (count > 0)), count, "count", place, "must be positive and finite; got {}")
    sign = _numbers(table["sign"], "sign", place)
    _refuse(~np.isin(sign, (-1.0, 0.0, 1.0)), sign, "sign", place, "must be -1, 0 (unknown) or 1; got {}")
    columns["count"] = pd.Series(count)
    columns["sign"] = pd.Series(sign.astype(np.int8))
    synapses = pd.DataFrame({name: columns[name] for name in SYNAPSE_COLUMNS})
    _check_signs(synapses, place)
    _check_edges(synapses, place)
    return synapses


def fingerprint(neurons: pd.DataFrame, synapses: pd.DataFrame) -> str:
    """SHA-256, hex, of both tables: the same whatever the order of their rows, different after any change.

    What is hashed is the sorted neuron table followed by the sorted synapse table, as CSV text.
    """
    digest = hashlib.sha256()
    for table, order in ((neurons, ["name"]), (synapses, ["pre", "post", "kind"])):
        digest.update(csv_text(table.sort_values(order)).encode())
    return digest.hexdigest()


def csv_text(table: pd.DataFrame) -> str:
    """A validated table as CSV text, floats in their shortest exact form and NaN empty."""
    floats = table.select_dtypes("float").columns
    exact = {name: ["" if math.isnan(value) else repr(value) for value in table[name].tolist()] for name in floats}
    return table.assign(**exact).to_csv(index=False, lineterminator="\n")


def _check_columns(table: pd.DataFrame, expected: Sequence[str], place: Place) -> None:
    for column in expected:
        if column not in table.columns:
            place.fail(None, column, f"is missing; the table has {', '.join(map(str, table.columns))}")
    for column in table.columns:
        if list(table.columns).count(column) > 1:
            place.fail(None, str(column), "is there twice")
        if column not in expected:
            place.fail(None, str(column), f"is not a column of this table; {nearest(str(column), expected)}")


def _text(column: pd.Series, name: str, place: Place) -> pd.Series:
    values = column.tolist()
    if not all(map(_is_text, set(values))):
        row = next(row for row, value in enumerate(values) if not _is_text(value))
        place.fail(row, name, f"must be printable text without spaces around it; got {values[row]!r}")
    return pd.Series(values, dtype="str", name=name)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value == value.strip()


def _numbers(column: pd.Series, name: str, place: Place) -> npt.NDArray[np.float64]:
    try:
        numbers = np.array(column.tolist(), dtype=np.float64)
    except (TypeError, ValueError):
        for row, value in enumerate(column):
            if not _is_number(value):
                place.fail(row, name, f"must be a number; got {value!r}")
        raise
    return numbers + 0.0  # -0.0 becomes 0.0, which prints, and so hashes, one way


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _refuse(
    bad: npt.NDArray[np.bool_], values: pd.Series | npt.NDArray[np.float64], column: str, place: Place, problem: str
) -> None:
    if bad.any():
        row = int(bad.argmax())
        place.fail(row, column, problem.format(values[row]))


def _check_known(column: pd.Series, known: Iterable[str], place: Place, what: str = "") -> None:
    name = str(column.name)
    bad = ~column.isin(list(known)).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        place.fail(row, name, f"no {what or name} {column[row]!r}; {nearest(column[row], known)}")


def _check_signs(synapses: pd.DataFrame, place: Place) -> None:
    unknown = (synapses["sign"] == 0).to_numpy()
    contradicts = unknown != (synapses["sign_provenance"] == "none").to_numpy()
    _refuse(
        contradicts,
        synapses["sign_provenance"],
        "sign_provenance",
        place,
        "got {!r}; it must be 'none' where the sign is 0 and only there",
    )
    electrical = (synapses["kind"] == "electrical").to_numpy()
    _refuse(
        electrical & (synapses["sign"] != 1).to_numpy(),
        synapses["sign"],
        "sign",
        place,
        "an electrical synapse has sign 1; got {}",
    )


def _check_edges(synapses: pd.DataFrame, place: Place) -> None:
    repeated = synapses.duplicated(["pre", "post", "kind"]).to_numpy()
    _refuse_edge(repeated, synapses, "pre", place, "is listed twice")
    electrical = synapses[synapses["kind"] == "electrical"]
    forth = pd.Series(electrical["count"].to_numpy(), index=pd.MultiIndex.from_frame(electrical[["pre", "post"]]))
    back = forth.reindex(pd.MultiIndex.from_frame(electrical[["post", "pre"]])).to_numpy()
    one_way = np.zeros(len(synapses), dtype=np.bool_)
    one_way[electrical.index.to_numpy()] = back != forth.to_numpy()
    _refuse_edge(one_way, synapses, "count", place, "must have a twin the other way with the same count")


def _refuse_edge(bad: npt.NDArray[np.bool_], synapses: pd.DataFrame, column: str, place: Place, problem: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        pre, post, kind = synapses.loc[row, ["pre", "post", "kind"]]
        place.fail(row, column, f"{kind} edge {pre} to {post} {problem}")
