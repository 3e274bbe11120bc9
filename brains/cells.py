"""Cells: the model and parameters of every neuron, built from a table a biologist can edit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..registry import UnknownNameError, nearest
from .connectome import Connectome
from .models import MODELS, Graded, Lif, Rate

Floats = NDArray[np.float64]

NOTES = ("provenance", "source", "note", "unit")  # columns for the reader; every other column must be known
ATTRIBUTES = ("type", "role", "transmitter", "side")  # columns of the neuron table that a selector may name


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Model and parameters of every neuron, each an array of shape (n,); a model ignores what is not its own."""

    names: tuple[str, ...]
    model: NDArray[np.str_]  # a key of MODELS
    tau_m_ms: Floats  # ms, membrane time constant
    v_rest_mv: Floats  # mV, leak reversal; rate: 0
    v_half_mv: Floats  # mV, graded: voltage of half release; lif: spike threshold; rate: input at threshold
    slope_mv: Floats  # mV, graded: slope of the release sigmoid; rate: input per full rate
    plateau_mv: Floats  # mV at full release, persistent inward current
    tonic_mv: Floats  # mV, constant bias
    v_reset_mv: Floats  # mV, lif: voltage after a spike
    t_refractory_ms: Floats  # ms, lif
    tau_release_ms: Floats  # ms, lif: decay of the release trace
    rate_full_hz: Floats  # Hz, lif, rate: rate of full release
    spikelet_mv: Floats  # mV, lif: what gap junctions see above the membrane at full release

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("Cells: a network needs at least one neuron")
        for name in ("model", *PARAMETERS):
            if getattr(self, name).shape != (self.n,):
                raise ValueError(f"Cells: {name} must have shape ({self.n},), got {getattr(self, name).shape}")
        for key in np.unique(self.model):
            self._check_model(str(key))

    def _check_model(self, key: str) -> None:
        """Build the model's own dataclass once for every distinct set of parameters: it knows what makes a cell."""
        model = model_named(key)
        own = [f.name for f in fields(model)]
        rows = np.flatnonzero(self.model == key)
        _, first = np.unique(np.stack([getattr(self, name)[rows] for name in own]), axis=1, return_index=True)
        for i in rows[first]:
            values = {name: float(getattr(self, name)[i]) for name in own}
            bad = [f"{name} = {value}" for name, value in values.items() if not np.isfinite(value)]
            if bad:
                raise ValueError(f"Cells: neuron {self.names[i]!r}: not finite: {', '.join(bad)}")
            try:
                model(**values)
            except ValueError as error:
                raise ValueError(f"Cells: neuron {self.names[i]!r}: {error}") from None

    @property
    def n(self) -> int:
        """Number of neurons."""
        return len(self.names)


PARAMETERS = tuple(f.name for f in fields(Cells) if f.name not in ("names", "model"))


def model_named(key: str) -> type[Graded] | type[Lif] | type[Rate]:
    """The model registered as `key`; an unknown key raises with the nearest."""
    if key not in MODELS:
        raise UnknownNameError(f"no neuron model {key!r}; {nearest(key, MODELS)}")
    return MODELS[key]


def members(connectome: Connectome, selector: str) -> tuple[str, ...]:
    """Neurons a selector names: what `Connectome.select` knows, or `attribute:value` ("transmitter:GABA").

    Raises:
        KeyError: nothing answers to the selector; the message gives the nearest.
    """
    attribute, colon, value = selector.partition(":")
    if not colon:
        return connectome.select(selector)
    if attribute not in ATTRIBUTES:
        raise UnknownNameError(f"selector {selector!r}: no attribute {attribute!r}; {nearest(attribute, ATTRIBUTES)}")
    column = connectome.neurons[attribute].astype(str)
    if not (column == value).any():
        raise UnknownNameError(f"selector {selector!r}: no {attribute} {value!r}; {nearest(value, set(column))}")
    return tuple(connectome.neurons["name"][column == value])


def cells_from_table(
    connectome: Connectome,
    dynamics: pd.DataFrame,
    model: str | Mapping[str, str] = "graded",
    reference: Connectome | None = None,
) -> Cells:
    """Give every neuron its model and parameters.

    Args:
        connectome: whose neurons, in its order.
        dynamics: one row a selector; columns selector, optionally model (the row is for cells of that model only), and
            any parameter of `Cells`. Later rows override earlier ones cell by cell; an empty field keeps what was
            there; what no row sets keeps the model's own default.
        model: a key of MODELS for all neurons, or selector -> key, later entries overriding earlier ones.
        reference: where selectors are looked up, for a connectome that has lost neurons; default the connectome itself.

    Raises:
        KeyError: a selector, column or model that does not exist, with the nearest that does.
        ValueError: a field that is no number, or parameters that make no cell, naming the row or the neuron.
    """
    known = connectome if reference is None else reference
    check_columns("dynamics", dynamics, ("selector", "model", *PARAMETERS), required=("selector",))
    models = _assign_models(connectome, known, {"*": model} if isinstance(model, str) else model)
    values = {name: np.array([_default(str(key), name) for key in models]) for name in PARAMETERS}
    for number, row in enumerate(dynamics.to_dict("records"), start=1):
        rows = positions(connectome, known, str(row["selector"]))
        only = text(row.get("model"))
        if only:
            model_named(only)
            rows = rows[models[rows] == only]
        for name in PARAMETERS:
            if text(row.get(name)):
                values[name][rows] = number_in(f"dynamics row {number} ({row['selector']!r})", name, row[name])
    return Cells(names=connectome.names, model=models, **values)


def positions(connectome: Connectome, reference: Connectome, selector: str) -> NDArray[np.int64]:
    """Indices in `connectome` of the neurons that `selector` names in `reference`; those it has lost are left out."""
    wanted = set(members(reference, selector))
    return np.array([i for i, name in enumerate(connectome.names) if name in wanted], dtype=np.int64)


def _assign_models(connectome: Connectome, reference: Connectome, choice: Mapping[str, str]) -> NDArray[np.str_]:
    models = np.full(connectome.n, "", dtype=f"<U{max(map(len, MODELS))}")
    for selector, key in choice.items():
        model_named(key)
        models[positions(connectome, reference, selector)] = key
    if (models == "").any():
        raise ValueError(f"no neuron model for {connectome.names[int((models == '').argmax())]!r}; add a '*' entry")
    return models


def _default(key: str, name: str) -> float:
    """The model's own default, or the other model's where the parameter is not its own (and so is not used)."""
    for parameters in (MODELS[key](), Graded(), Lif()):
        if hasattr(parameters, name):
            return float(getattr(parameters, name))
    raise AssertionError(f"no model has the parameter {name!r}")


def check_columns(table: str, frame: pd.DataFrame, known: Iterable[str], required: Iterable[str]) -> None:
    """Raise where a column is missing or unknown: a misspelt column would otherwise be silently without effect."""
    known = (*known, *NOTES)
    for name in required:
        if name not in frame.columns:
            raise UnknownNameError(f"{table}: no column {name!r} among {', '.join(map(str, frame.columns))}")
    for column in map(str, frame.columns):
        if column not in known:
            raise UnknownNameError(f"{table}: unknown column {column!r}; {nearest(column, known)}")


def text(field: Any) -> str:
    """A table field as text; an empty or missing field is ''."""
    return "" if field is None or pd.isna(field) else str(field).strip()


def number_in(where: str, column: str, field: Any) -> float:
    """A table field as a finite number; otherwise an error that says where it stands."""
    try:
        value = float(field)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ValueError(f"{where}, column {column}: {field!r} is not a finite number")
    return value
