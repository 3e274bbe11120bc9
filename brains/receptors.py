"""Receptors: what a transmitter does to a target, as a table that a biologist can read and edit.

A connectome knows the transmitters of its neurons, and the signs of some of its synapses. `edge_receptors` says for
every edge which receptor of `receptors.csv` it is taken to have, and where its sign comes from; `receptor_counts` is
the same in few lines. Nothing is known here about single targets: where an animal has receptors of both signs for one
transmitter, an edge of unknown sign gets the default row, and counts as assumed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ..registry import UnknownNameError, nearest
from .connectome import Connectome
from .connectome_tables import PROVENANCES
from .models.spiking_model import SpikingModel

Model = TypeVar("Model", bound=SpikingModel)

RECEPTOR_KINDS = ("fast", "slow")
EDGE_KINDS = {"chemical": "fast", "modulatory": "slow"}  # which receptors the edges of a connectome have
MONOAMINES = ("dopamine", "serotonin", "octopamine", "tyramine", "noradrenaline")
ANSWER = ["transmitter", "receptor", "decay_ms", "sign", "sign_from", "sign_provenance"]
COUNTED = ("kind", "transmitter", "receptor", "sign", "sign_from", "sign_provenance")


@dataclass(frozen=True, kw_only=True)
class Receptor:
    """One row of the table; the three provenances say where each number comes from."""

    organism: str
    transmitter: str
    receptor: str
    kind: str  # fast: a channel; slow: acts through a G protein, as modulation
    sign: int  # -1 or 1
    reversal_mv: float | None  # mV; None where it has no current of its own
    decay_ms: float  # ms
    default: bool  # what an edge of unknown sign has; at most one row of a transmitter and kind
    sign_provenance: str
    reversal_provenance: str  # empty without a reversal
    decay_provenance: str
    source: str

    def __post_init__(self) -> None:
        if self.kind not in RECEPTOR_KINDS:
            raise ValueError(f"{self}: kind must be one of {', '.join(RECEPTOR_KINDS)}, got {self.kind!r}")
        if self.sign not in (-1, 1):
            raise ValueError(f"{self}: sign must be -1 or 1, got {self.sign}")
        if not self.decay_ms > 0:
            raise ValueError(f"{self}: decay_ms ({self.decay_ms} ms) must be above 0")
        reversal = () if self.reversal_mv is None else (self.reversal_provenance,)
        for provenance in (self.sign_provenance, self.decay_provenance, *reversal):
            if provenance not in PROVENANCES:
                raise ValueError(f"{self}: no provenance {provenance!r}; {nearest(provenance, PROVENANCES)}")

    def __str__(self) -> str:
        return f"receptor {self.receptor} of {self.transmitter} ({self.organism})"


@dataclass(frozen=True)
class Receptors:
    """The receptors of one animal, in the order of the table."""

    rows: tuple[Receptor, ...]

    def __post_init__(self) -> None:
        defaults = [(row.transmitter, row.kind) for row in self.rows if row.default]
        for one in defaults:
            if defaults.count(one) > 1:
                raise ValueError(f"Receptors: two default {one[1]} receptors of {one[0]}")
        names = [row.receptor for row in self.rows]
        if len(set(names)) < len(names):
            raise ValueError(f"Receptors: a name is there twice among {', '.join(names)}")

    def __getitem__(self, name: str) -> Receptor:
        """The receptor of a name.

        Raises:
            UnknownNameError: there is none.
        """
        found = {row.receptor: row for row in self.rows}
        if name not in found:
            raise UnknownNameError(f"no receptor {name!r}; {nearest(name, found)}")
        return found[name]

    def prefer(self, *names: str) -> Receptors:
        """The same with these receptors as the defaults of their transmitters and kinds.

        Raises:
            UnknownNameError: there is no such receptor.
        """
        chosen = {(self[name].transmitter, self[name].kind): name for name in names}
        own = {(row.transmitter, row.kind): row.receptor for row in self.rows if row.default} | chosen
        return Receptors(
            tuple(replace(row, default=own.get((row.transmitter, row.kind)) == row.receptor) for row in self.rows)
        )

    def of(self, transmitter: str, kind: str) -> tuple[Receptor, ...]:
        """The receptors of one transmitter and kind, the default first."""
        known = [row for row in self.rows if (row.transmitter.casefold(), row.kind) == (transmitter.casefold(), kind)]
        return tuple(sorted(known, key=lambda row: not row.default))

    def choose(self, transmitters: str, kind: str, sign: int) -> Receptor | None:
        """The receptor of an edge.

        Args:
            transmitters: of the presynaptic neuron, joined by "+" as in a connectome. The first one that has a suitable
                receptor decides; for slow receptors monoamines come before the others.
            kind: fast or slow.
            sign: of the edge; 0 takes the default of a transmitter, another one a receptor of that sign.
        """
        listed = sorted(transmitters.split("+"), key=lambda name: kind == "slow" and name not in MONOAMINES)
        rows = (row for name in listed for row in self.of(name, kind))
        return next((row for row in rows if row.sign == sign or (sign == 0 and row.default)), None)

    def certainty(self, transmitters: str, kind: str) -> str:
        """Provenance of a sign that `choose` gave to an edge of unknown sign.

        Derived where every channel that comes into question has the same sign; of slow receptors the table has but a
        few, so that theirs are always assumed.
        """
        signs = {row.sign for name in transmitters.split("+") for row in self.of(name, kind)}
        return "derived" if kind == "fast" and len(signs) == 1 else "assumed"


@cache
def receptors(organism: str) -> Receptors:
    """The table of an animal.

    Raises:
        UnknownNameError: the table has no such animal.
    """
    text = (resources.files(__package__ or __name__) / "receptors.csv").read_text(encoding="utf-8")
    rows = [_row(row) for row in csv.DictReader(text.splitlines())]
    if organism not in {row.organism for row in rows}:
        raise UnknownNameError(f"no receptors of {organism!r}; {nearest(organism, {row.organism for row in rows})}")
    return Receptors(tuple(row for row in rows if row.organism == organism))


def _row(row: dict[str, str]) -> Receptor:
    numbers: dict[str, Any] = {
        "sign": int(row["sign"]),
        "reversal_mv": float(row["reversal_mv"]) if row["reversal_mv"] else None,
        "decay_ms": float(row["decay_ms"]),
        "default": row["default"] == "1",
    }
    return Receptor(**{**row, **numbers})


def edge_receptors(connectome: Connectome, table: Receptors) -> pd.DataFrame:
    """Every chemical and modulatory edge with its receptor, and its sign after the table was asked.

    A sign that the connectome knows is kept, and chooses among the receptors of the transmitter; a sign of 0 is that of
    the receptor chosen. Where the table has none the edge stays as it was, with an empty receptor.

    Returns:
        Columns of `Connectome.synapses`, and transmitter (the one that decided), receptor, decay_ms (NaN without a
        receptor), sign_from (connectome, receptors or none).
    """
    edges = connectome.synapses
    edges = edges[edges["kind"].isin(list(EDGE_KINDS))].reset_index(drop=True)
    transmitter = connectome.neurons.set_index("name")["transmitter"]
    cases = pd.DataFrame({"sender": edges["pre"].map(transmitter), "kind": edges["kind"], "sign": edges["sign"]})
    different = cases.drop_duplicates()
    answers = [_answer(table, *case) for case in different.itertuples(index=False, name=None)]
    which = cases.groupby(list(cases.columns), sort=False).ngroup()
    given = pd.DataFrame(answers, columns=ANSWER).iloc[which].reset_index(drop=True)
    given["sign_provenance"] = given["sign_provenance"].fillna(edges["sign_provenance"])
    return edges.drop(columns=["sign", "sign_provenance"]).join(given)


def _answer(table: Receptors, sender: str, kind: str, sign: int) -> tuple[str, str, float, int, str, str | None]:
    """What the table says of edges of one kind; without a provenance the edge keeps its own."""
    row = table.choose(sender, EDGE_KINDS[kind], sign)
    if row is None:
        return "", "", np.nan, sign, "connectome" if sign else "none", None
    named = row.transmitter, row.receptor, row.decay_ms
    if sign != 0:
        return *named, sign, "connectome", None
    return *named, row.sign, "receptors", table.certainty(sender, EDGE_KINDS[kind])


def receptor_counts(edges: pd.DataFrame) -> pd.DataFrame:
    """How many edges, and synapses, have which receptor, by where their sign comes from.

    Args:
        edges: what `edge_receptors` returned.

    Returns:
        Columns COUNTED, edges, synapses (sum of the counts); most edges first.
    """
    groups = edges.groupby(list(COUNTED), sort=True)["count"].agg(edges="size", synapses="sum").reset_index()
    return groups.sort_values("edges", ascending=False, kind="stable", ignore_index=True)


def receptor_model(model: Model, excitatory: Receptor, inhibitory: Receptor) -> Model:
    """A model of two receptors with the decays of two rows of the table, and with their reversals where it has any.

    Raises:
        ValueError: the model has no two receptors, or a row has another sign than its place.
    """
    changes: dict[str, Any] = {}
    for letter, row, sign in (("e", excitatory, 1), ("i", inhibitory, -1)):
        if row.sign != sign:
            raise ValueError(f"receptor_model: {row} has sign {row.sign}, but is given for {sign}")
        changes |= {f"tau_{letter}_ms": row.decay_ms, f"e_{letter}_mv": row.reversal_mv}
    known = {item.name for item in fields(model)}  # type: ignore[arg-type]
    if not {"tau_e_ms", "tau_i_ms"} <= known:
        raise ValueError(f"receptor_model: {type(model).__name__} has no two receptors")
    used = {name: value for name, value in changes.items() if name in known and value is not None}
    return replace(model, **used)  # type: ignore[type-var]
