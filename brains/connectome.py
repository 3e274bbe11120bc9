"""The Connectome: neurons, the synapses between them, and where both come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from ..registry import UnknownNameError, nearest
from . import connectome_io, connectome_tables, paths, shuffling
from .connectome_tables import ConnectomeError, Place

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Connectome", "ConnectomeError", "Source"]


@dataclass(frozen=True)
class Source:
    """Where a connectome comes from and what was done to it since."""

    citation: str
    doi: str = ""
    licence: str = ""
    changes: tuple[str, ...] = ()  # one line for every ablation, subset and shuffle, oldest first

    def changed(self, line: str) -> Source:
        """The source with one more line of changes."""
        return replace(self, changes=(*self.changes, line))


class Connectome:
    """An immutable wiring diagram; every change returns a new one and is named in its source.

    Args:
        neurons: one row a neuron; the row order is the neuron index used by matrices and brains. Columns: name; type
            (cell class, may be empty); role (sensory, inter, motor or unclassified); transmitter (free text, several
            joined by "+", empty where unknown); side (L, R, M for unpaired, or empty); x_um, y_um, z_um (soma position,
            um, NaN where unknown).
        synapses: one row a directed edge of one kind. Columns: pre and post (names); kind (chemical, electrical or
            modulatory); count (contacts or sections, positive); sign (-1, 0 for unknown, +1); provenance (where the
            edge and its count come from: measured, derived, published or assumed); sign_provenance (where the sign
            comes from: one of the same four, or none where the sign is 0; assumed if the column is absent). Electrical
            edges are listed both ways, with sign 1.
        source: citation and licence.

    Raises:
        ConnectomeError: naming table, row and column of what does not hold together.
    """

    def __init__(self, neurons: pd.DataFrame, synapses: pd.DataFrame, source: Source) -> None:
        self._build(neurons, synapses, source, Place("neurons"), Place("synapses"))

    def _build(
        self, neurons: pd.DataFrame, synapses: pd.DataFrame, source: Source, neuron_place: Place, synapse_place: Place
    ) -> None:
        self._neurons = connectome_tables.neuron_table(neurons, neuron_place)
        self.names: tuple[str, ...] = tuple(self._neurons["name"])
        self._synapses = connectome_tables.synapse_table(synapses, self.names, synapse_place)
        self.source = source

    @property
    def neurons(self) -> pd.DataFrame:
        """The neuron table (a copy)."""
        return self._neurons.copy()

    @property
    def synapses(self) -> pd.DataFrame:
        """The synapse table (a copy)."""
        return self._synapses.copy()

    @property
    def n(self) -> int:
        """Number of neurons."""
        return len(self.names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hex, of both tables: independent of row order, changed by any change in them."""
        return connectome_tables.fingerprint(self._neurons, self._synapses)

    def __eq__(self, other: object) -> bool:
        """Same tables up to the order of synapses, same neuron order, same source."""
        if not isinstance(other, Connectome):
            return NotImplemented
        mine, theirs = (self.names, self.source, self.fingerprint), (other.names, other.source, other.fingerprint)
        return mine == theirs

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        kinds = self._synapses["kind"].value_counts()
        edges = ", ".join(f"{kinds.get(kind, 0)} {kind}" for kind in connectome_tables.KINDS)
        return f"<Connectome of {self.n} neurons, {edges} edges, {self.fingerprint[:12]}>"

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def index(self, names: Iterable[str]) -> npt.NDArray[np.intp]:
        """Row numbers of neurons.

        Raises:
            UnknownNameError: a name is not a neuron's.
        """
        try:
            return np.array([self._position[name] for name in names], dtype=np.intp)
        except KeyError as error:
            name = str(error.args[0])
            raise UnknownNameError(f"no neuron {name!r}; {nearest(name, self.names)}") from None

    def select(self, pattern: str) -> tuple[str, ...]:
        """Names of the neurons a selector means, in row order.

        Args:
            pattern: a name ("AVAL"), else a type ("AVA"), else a glob over names ("DB*").

        Raises:
            UnknownNameError: nothing matches.
        """
        if pattern in self._position:
            return (pattern,)
        types = self._neurons["type"].tolist()
        found = tuple(name for name, kind in zip(self.names, types, strict=True) if kind == pattern != "")
        found = found or tuple(name for name in self.names if fnmatchcase(name, pattern))
        if not found:
            hint = nearest(pattern, {*self.names, *types} - {""})
            raise UnknownNameError(f"no neuron, type or glob {pattern!r}; {hint}")
        return found

    def _select_all(self, selectors: str | Iterable[str]) -> list[str]:
        patterns = [selectors] if isinstance(selectors, str) else selectors
        chosen = {name for pattern in patterns for name in self.select(pattern)}
        return [name for name in self.names if name in chosen]

    def ablate(self, selectors: str | Iterable[str]) -> Connectome:
        """Without the selected neurons and all their synapses; with nothing selected, the same connectome."""
        gone = self._select_all(selectors)
        return self._keep(set(self.names) - set(gone), f"ablated {', '.join(gone)}") if gone else self

    def subset(self, selectors: str | Iterable[str]) -> Connectome:
        """Only the selected neurons and the synapses among them."""
        kept = self._select_all(selectors)
        return self._keep(set(kept), f"kept {len(kept)} of {self.n} neurons: {', '.join(kept)}")

    def paths_subgraph(
        self, sources: str | Iterable[str], targets: str | Iterable[str], max_edges: int = 3
    ) -> Connectome:
        """All neurons on short directed paths from sources to targets, and every synapse among them.

        Args:
            sources: selectors of the neurons the paths begin at.
            targets: selectors of the neurons they end at.
            max_edges: most edges of a path, of any kind and sign; `paths` says what counts as one.

        Raises:
            UnknownNameError: a selector matches nothing.
            ValueError: `max_edges` is negative.
        """
        begin, end = self._select_all(sources), self._select_all(targets)
        pre, post = (self.index(self._synapses[column]) for column in ("pre", "post"))
        order = np.argsort(pre, kind="stable")
        start = np.searchsorted(pre[order], np.arange(self.n + 1)).astype(np.int64)
        rows = paths.on_paths(start, post[order].astype(np.int32), self.index(begin), self.index(end), max_edges)
        change = (
            f"kept {len(rows)} of {self.n} neurons: those on paths of at most {max_edges} edges"
            f" from {_few(begin)} to {_few(end)}"
        )
        return self._keep({self.names[row] for row in rows}, change)

    def _keep(self, kept: set[str], change: str) -> Connectome:
        neurons, synapses = self._neurons, self._synapses
        among = synapses["pre"].isin(kept) & synapses["post"].isin(kept)
        return Connectome(neurons[neurons["name"].isin(kept)], synapses[among], self.source.changed(change))

    def shuffle(self, rng: np.random.Generator, method: Literal["degree", "label"] = "degree") -> Connectome:
        """A null model of this wiring; see `shuffling` for what each method keeps.

        Args:
            rng: the only source of randomness.
            method: "degree" swaps edge ends within each kind, "label" permutes which neuron sits where.

        Raises:
            UnknownNameError: there is no such method.
        """
        if method not in shuffling.METHODS:
            raise UnknownNameError(f"no shuffle method {method!r}; {nearest(method, shuffling.METHODS)}")
        synapses = shuffling.METHODS[method](self._synapses, self.names, rng)
        return Connectome(self._neurons, synapses, self.source.changed(f"shuffled ({method})"))

    def graft(self, part: Connectome, among: str | Iterable[str] | None = None, scale: float = 1.0) -> Connectome:
        """This wiring with its chemical synapses among some neurons replaced by those of another.

        A reconstruction of a piece of an animal is put back into the whole this way; edges of `part` with a neuron that
        is not among them are left out. Synapses of a neuron with itself stay as they are, and an edge that both have
        keeps the sign it has here.

        Args:
            part: the other wiring.
            among: selectors, in this wiring, of the neurons; all that both have by default.
            scale: synapses here for one of `part`.

        Raises:
            UnknownNameError: a selector matches nothing.
        """
        inner = set(self._select_all(among)) if among is not None else set(self.names) & set(part.names)
        old, new = self._synapses, part.synapses
        replaced = _chemical_among(old, inner)
        new = new[_chemical_among(new, inner)]
        signs = old[replaced].set_index(["pre", "post"])[["sign", "sign_provenance"]]
        known = pd.MultiIndex.from_frame(new[["pre", "post"]]).isin(signs.index)
        kept = signs.reindex(pd.MultiIndex.from_frame(new[["pre", "post"]]))
        new = new.assign(
            count=new["count"] * scale,
            sign=np.where(known, kept["sign"], new["sign"]).astype(np.int64),
            sign_provenance=np.where(known, kept["sign_provenance"], new["sign_provenance"]),
        )
        change = f"{int(replaced.sum())} chemical edges among {len(inner)} neurons replaced by {len(new)} of: "
        synapses = pd.concat([old[~replaced], new], ignore_index=True)
        return Connectome(self._neurons, synapses, self.source.changed(change + part.source.citation))

    def matrix(self, kind: str, signed: bool = True) -> sparse.csr_array:
        """Weights between neurons, shape (n, n), row = post, column = pre.

        Args:
            kind: chemical, electrical or modulatory.
            signed: count times sign, so that edges of unknown sign weigh nothing; otherwise count.

        Raises:
            UnknownNameError: there is no such kind.
        """
        if kind not in connectome_tables.KINDS:
            raise UnknownNameError(f"no synapse kind {kind!r}; {nearest(kind, connectome_tables.KINDS)}")
        edges = self._synapses[self._synapses["kind"] == kind]
        weight = edges["count"].to_numpy(dtype=np.float64)
        if signed:
            weight = weight * edges["sign"].to_numpy(dtype=np.float64)
        known = weight != 0.0
        post, pre = self.index(edges["post"])[known], self.index(edges["pre"])[known]
        matrix = sparse.csr_array((weight[known], (post, pre)), shape=(self.n, self.n))
        matrix.sort_indices()
        return matrix

    def to_networkx(self) -> nx.MultiDiGraph:
        """A graph with the tables' columns as attributes; edge keys are kinds."""
        return connectome_io.to_networkx(self._neurons, self._synapses)

    @classmethod
    def from_networkx(cls, graph: nx.DiGraph | nx.MultiDiGraph, source: Source) -> Connectome:
        """From a directed graph with the attributes of `to_networkx`.

        Missing attributes mean unknown: no type, role unclassified, count 1 (or the edge's `weight`), kind chemical,
        sign 0 (1 for electrical edges), provenance assumed. Node names are turned into text.

        Raises:
            TypeError: the graph is undirected.
            ConnectomeError: its tables do not hold together.
        """
        return cls(*connectome_io.from_networkx(graph), source)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write neurons.csv, synapses.csv and connectome.json; `connectome_io` describes them."""
        connectome_io.write_folder(folder, self._neurons, self._synapses, self.source.__dict__, self.fingerprint)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Connectome:
        """Read what `save` wrote, checking every row and the fingerprint.

        Raises:
            ConnectomeError: naming file, row and column of what is missing, damaged or foreign.
        """
        tables = connectome_io.read_folder(folder)
        connectome = cls.__new__(cls)
        source = Source(**tables.source)
        connectome._build(tables.neurons, tables.synapses, source, tables.neuron_place, tables.synapse_place)
        if connectome.fingerprint != tables.fingerprint:
            raise ConnectomeError(
                f"{tables.header}: its fingerprint {tables.fingerprint[:12]}... is not that of the tables beside it, "
                f"{connectome.fingerprint[:12]}...; a table was changed after it was saved"
            )
        return connectome


def _chemical_among(synapses: pd.DataFrame, names: set[str]) -> pd.Series[bool]:
    """Which rows are chemical edges between two different neurons of a set."""
    among = synapses["pre"].isin(names) & synapses["post"].isin(names)
    return among & (synapses["kind"] == "chemical") & (synapses["pre"] != synapses["post"])


def _few(names: list[str]) -> str:
    """Some names as text, cut after six."""
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
