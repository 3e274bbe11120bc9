"""The parts of a `CompactConnectome`: what makes table and arrays valid, selectors, and edges from named ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate
from re import compile as pattern_of
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..registry import UnknownNameError, nearest
from .connectome_tables import NEURON_COLUMNS, NEURON_FLOATS, NEURON_TEXT, ROLES, SIDES, ConnectomeError

Ints = NDArray[np.int64]
Arrays = Mapping[str, NDArray[np.generic]]

ARRAYS = ("start", "target", "count", "sign")
TYPES: dict[str, tuple[type[np.generic], ...]] = {
    "start": (np.int64,),
    "target": (np.int32,),
    "count": (np.int16, np.int32),
    "sign": (np.int8,),
}


def check(neurons: pd.DataFrame, arrays: Arrays) -> None:
    """Refuse a table or arrays that do not hold together.

    Raises:
        ConnectomeError: naming the array or column.
    """
    for name, types in TYPES.items():
        values = arrays[name]
        if values.dtype not in types or values.ndim != 1:
            wanted = " or ".join(np.dtype(kind).name for kind in types)
            _fail(f"{name} must be one row of {wanted}, got {values.dtype.name} of shape {values.shape}")
    _check_edges(**arrays)
    _check_neurons(neurons, arrays["start"].size - 1)


def _check_edges(start: Any, target: Any, count: Any, sign: Any) -> None:
    n = start.size - 1
    if n < 0 or start[0] != 0 or start[-1] != target.size or (np.diff(start) < 0).any():
        _fail(f"start must rise from 0 to the number of edges, {target.size}")
    for name, values in (("count", count), ("sign", sign)):
        if values.size != target.size:
            _fail(f"{target.size} targets but {values.size} of {name}")
    if not target.size:
        return
    if not (target.min() >= 0 and target.max() < n):
        _fail(f"target must be rows 0 to {n - 1}, got {target.min()} to {target.max()}")
    rises = target[1:] > target[:-1]
    rises[start[(start > 0) & (start < target.size)] - 1] = True
    if not rises.all():
        _fail(f"the targets of a neuron must rise and be listed once; edge {int(rises.argmin()) + 1} does not")
    if count.min() <= 0:
        _fail(f"count must be positive, got {count.min()}")
    if sign.min() < -1 or sign.max() > 1:
        _fail(f"sign must be -1, 0 or 1, got {sign.min()} to {sign.max()}")


def _check_neurons(neurons: pd.DataFrame, n: int) -> None:
    missing = [name for name in NEURON_COLUMNS if name not in neurons.columns]
    if missing:
        _fail(f"neurons: column {missing[0]!r} is missing; the table has {', '.join(neurons.columns)}")
    if len(neurons) != n:
        _fail(f"{len(neurons)} neurons but start is for {n}")
    names = neurons["name"]
    if names.duplicated().any():
        _fail(f"neurons: {names[names.duplicated()].iloc[0]!r} is listed twice")
    for column, known in (("role", ROLES), ("side", SIDES)):
        found = set(neurons[column].unique())
        if not found <= set(known):
            value = str(sorted(found - set(known))[0])
            _fail(f"neurons: no {column} {value!r}; {nearest(value, known)}")


def _fail(problem: str) -> NoReturn:
    raise ConnectomeError(f"CompactConnectome: {problem}")


def csv_text(neurons: pd.DataFrame) -> str:
    """A neuron table as CSV text, floats in their shortest exact form and NaN empty."""
    return neurons.to_csv(index=False, lineterminator="\n")


def plain(neurons: pd.DataFrame) -> pd.DataFrame:
    """The columns of a `Connectome` as its table wants them."""
    table = {name: neurons[name].astype(object) for name in NEURON_TEXT}
    return pd.DataFrame(table | {name: neurons[name].astype(np.float64) for name in NEURON_FLOATS})


def select(neurons: pd.DataFrame, names: pd.Index, pattern: str) -> Ints:
    """Rows of a name, else a type, else a glob over names.

    Raises:
        UnknownNameError: nothing matches.
    """
    row = names.get_indexer(pd.Index([pattern], dtype=object))
    if row[0] >= 0:
        return np.asarray(row, dtype=np.int64)
    found = np.flatnonzero((neurons["type"] == pattern).to_numpy()) if pattern else np.zeros(0, np.int64)
    if not found.size:
        matches = pattern_of(translate(pattern)).match
        found = np.flatnonzero([matches(name) is not None for name in names])
    if not found.size:
        hint = nearest(pattern, set(neurons["type"].unique()) - {""} or names[:12])
        raise UnknownNameError(f"no neuron, type or glob {pattern!r}; {hint}")
    return found.astype(np.int64)


def where(neurons: pd.DataFrame, columns: Mapping[str, str | Iterable[str]]) -> Ints:
    """Rows where every given column holds one of the given values or globs.

    Raises:
        UnknownNameError: there is no such column, or no row of it matches a value.
    """
    chosen = np.ones(len(neurons), dtype=np.bool_)
    for column, values in columns.items():
        if column not in neurons.columns:
            raise UnknownNameError(f"no neuron column {column!r}; {nearest(column, neurons.columns)}")
        known = [str(value) for value in neurons[column].unique()]
        wanted: set[str] = set()
        for value in [values] if isinstance(values, str) else values:
            found = {name for name in known if pattern_of(translate(value)).match(name)} | ({value} & set(known))
            if not found:
                raise UnknownNameError(f"no neuron with {column} {value!r}; {nearest(value, set(known) - {''})}")
            wanted |= found
        chosen &= neurons[column].isin(list(wanted)).to_numpy()
    return np.flatnonzero(chosen).astype(np.int64)


def edges_of(synapses: pd.DataFrame, index: Callable[[Iterable[str]], NDArray[np.intp]], n: int) -> dict[str, Any]:
    """The arrays and provenances of a synapse table.

    Args:
        synapses: of a `Connectome`.
        index: rows of names.
        n: number of neurons.

    Raises:
        ConnectomeError: other kinds of synapses than chemical, parts of a synapse, or several provenances.
    """
    kinds = sorted(set(synapses["kind"]) - {"chemical"})
    if kinds:
        others = int((synapses["kind"] == kinds[0]).sum())
        _fail(f"holds chemical synapses only; this connectome has {others} {kinds[0]}")
    count = synapses["count"].to_numpy(dtype=np.float64)
    if (count != np.rint(count)).any() or count.max(initial=1) > np.iinfo(np.int32).max:
        _fail(f"counts must be whole and below 2**31, got {count[(count != np.rint(count)).argmax()]}")
    sign = synapses["sign"].to_numpy(dtype=np.int8)
    pre, post = (np.asarray(index(synapses[end]), dtype=np.int64) for end in ("pre", "post"))
    order = np.lexsort((post, pre))
    return {
        "start": np.searchsorted(pre[order], np.arange(n + 1)).astype(np.int64),
        "target": post[order].astype(np.int32),
        "count": smallest(count[order].astype(np.int32)),
        "sign": sign[order],
        "provenance": _only(synapses["provenance"], "measured"),
        "sign_provenance": _only(synapses["sign_provenance"][sign != 0], "derived"),
    }


def smallest(count: NDArray[np.int32]) -> NDArray[np.int16] | NDArray[np.int32]:
    """Counts in two bytes each where they fit."""
    return count.astype(np.int16) if count.max(initial=0) <= np.iinfo(np.int16).max else count


def _only(column: pd.Series, otherwise: str) -> str:
    values = sorted(set(column))
    if len(values) > 1:
        _fail(f"has one {column.name} for all edges; this connectome has {', '.join(values)}")
    return values[0] if values else otherwise
