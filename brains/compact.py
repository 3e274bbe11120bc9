"""CompactConnectome: a wiring diagram of millions of edges as arrays.

A `Connectome` names both ends of every synapse in text, which is right for a worm and costs gigabytes for a whole
central nervous system. This form keeps the edges by source, seven bytes each, and is what the spiking engine runs;
parts of it turn into a `Connectome` for everything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..registry import UnknownNameError, nearest
from . import compact_io, compact_table, paths
from .connectome import Connectome, Source
from .models.lif_exp import LifExp
from .models.spiking_model import SpikingModel
from .spiking import SpikingNetwork

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

__all__ = ["CompactConnectome"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CompactConnectome:
    """An immutable wiring diagram of chemical synapses; every change returns a new one and is named in its source.

    Args:
        neurons: one row a neuron, in the order of all arrays. Columns of a `Connectome` (name, type, role, transmitter,
            side, x_um, y_um, z_um) and any further text or numbers that a dataset gives (superclass, class, ...).
        start: `target[start[i] : start[i + 1]]` are the targets of neuron i, ascending, each once; shape (n + 1,).
        target: shape (edges,).
        count: synapses of each edge, positive, shape (edges,).
        sign: -1, 0 (unknown) or 1, shape (edges,).
        source: citation and licence, and what was done.
        provenance: of edges and counts: measured, derived, published or assumed.
        sign_provenance: of the known signs, one of the same.

    Raises:
        ConnectomeError: naming the array or column that does not hold together.
    """

    neurons: pd.DataFrame
    start: Ints
    target: Shorts
    count: NDArray[np.int16] | NDArray[np.int32]
    sign: NDArray[np.int8]
    source: Source
    provenance: str = "measured"
    sign_provenance: str = "derived"

    def __post_init__(self) -> None:
        compact_table.check(self.neurons, self.arrays)

    @property
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The four arrays by name."""
        return {name: getattr(self, name) for name in compact_table.ARRAYS}

    @property
    def n(self) -> int:
        """Number of neurons."""
        return int(self.start.size) - 1

    @property
    def edges(self) -> int:
        """Number of connected pairs."""
        return int(self.target.size)

    @property
    def synapses(self) -> int:
        """Sum of all counts."""
        return int(self.count.sum(dtype=np.int64))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in row order."""
        return tuple(self.neurons["name"].tolist())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hex, of the neuron table and the arrays; the order of neurons is part of it."""
        digest = hashlib.sha256(compact_table.csv_text(self.neurons).encode())
        for values in self.arrays.values():
            digest.update(np.ascontiguousarray(values).data)
        digest.update(f"{self.provenance} {self.sign_provenance}".encode())
        return digest.hexdigest()

    def __repr__(self) -> str:
        return f"<CompactConnectome of {self.n} neurons, {self.edges} edges, {self.synapses} synapses>"

    @cached_property
    def _rows(self) -> pd.Index[str]:
        rows: pd.Index[str] = pd.Index(self.neurons["name"].tolist(), dtype=object)
        return rows

    def index(self, names: Iterable[str]) -> Ints:
        """Row numbers of neurons.

        Raises:
            UnknownNameError: a name is not a neuron's.
        """
        wanted = list(names)
        rows = np.asarray(self._rows.get_indexer(pd.Index(wanted, dtype=object)), dtype=np.int64)
        if (rows < 0).any():
            name = wanted[int((rows < 0).argmax())]
            raise UnknownNameError(f"no neuron {name!r}; {nearest(name, self.names)}")
        return rows

    def select(self, selectors: str | Iterable[str]) -> Ints:
        """Rows that selectors mean, ascending; each is a name, else a type, else a glob over names.

        Raises:
            UnknownNameError: nothing matches one of them.
        """
        patterns = [selectors] if isinstance(selectors, str) else list(selectors)
        rows = [compact_table.select(self.neurons, self._rows, pattern) for pattern in patterns]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *rows])).astype(np.int64)

    def where(self, **columns: str | Iterable[str]) -> Ints:
        """Rows where every given column holds one of the given values or globs, ascending.

        `where(superclass="vnc_motor", side=["L", "M"])`; a column "class" goes through `**{"class": ...}`.

        Raises:
            UnknownNameError: there is no such column, or no row of it matches a value.
        """
        return compact_table.where(self.neurons, columns)

    def subset(self, rows: ArrayLike, change: str = "") -> CompactConnectome:
        """Only some neurons, in the order they have here, and the edges among them.

        Args:
            rows: which; repeats and their order do not matter.
            change: what the source says was done; "" for a line with the number of neurons.
        """
        kept = np.unique(np.asarray(rows, dtype=np.int64))
        new = np.full(self.n, -1, dtype=np.int32)
        new[kept] = np.arange(kept.size, dtype=np.int32)
        places = paths.rows_of(self.start, kept)
        places = places[new[self.target[places]] >= 0]
        pre = new[np.searchsorted(self.start, places, side="right") - 1]
        return replace(
            self,
            neurons=self.neurons.iloc[kept].reset_index(drop=True),
            start=np.searchsorted(pre, np.arange(kept.size + 1)).astype(np.int64),
            target=new[self.target[places]],
            count=self.count[places],
            sign=self.sign[places],
            source=self.source.changed(change or f"kept {kept.size} of {self.n} neurons"),
        )

    def paths_subgraph(self, sources: ArrayLike, targets: ArrayLike, max_edges: int = 3) -> CompactConnectome:
        """All neurons on paths of at most `max_edges` edges, and every edge among them; see `Connectome`.

        Args:
            sources: rows the paths begin at.
            targets: rows they end at.
            max_edges: most edges of a path.

        Raises:
            ValueError: `max_edges` is negative.
        """
        rows = paths.on_paths(self.start, self.target, sources, targets, max_edges)
        change = (
            f"kept {rows.size} of {self.n} neurons: those on paths of at most {max_edges} edges"
            f" from {np.size(sources)} to {np.size(targets)} neurons"
        )
        return self.subset(rows, change)

    def at_least(self, min_count: int) -> CompactConnectome:
        """Only edges of `min_count` synapses or more; the same neurons."""
        keep = self.count >= min_count
        passed = np.concatenate([[0], np.cumsum(keep, dtype=np.int64)])
        change = f"dropped {self.edges - int(passed[-1])} edges of fewer than {min_count} synapses"
        return replace(
            self,
            start=passed[self.start],
            target=self.target[keep],
            count=self.count[keep],
            sign=self.sign[keep],
            source=self.source.changed(change),
        )

    def ablate(self, rows: ArrayLike) -> CompactConnectome:
        """Without some neurons and all their edges."""
        gone = np.unique(np.asarray(rows, dtype=np.int64))
        kept = np.setdiff1d(np.arange(self.n), gone)
        return self.subset(kept, f"ablated {gone.size} of {self.n} neurons")

    def shuffle(self, rng: np.random.Generator, method: Literal["degree", "label"] = "degree") -> CompactConnectome:
        """A null model of this wiring; `compact_shuffle` says what each method keeps.

        Args:
            rng: the only source of randomness.
            method: "degree" deals edge ends anew, "label" permutes which neuron sits where.

        Raises:
            UnknownNameError: there is no such method.
        """
        from . import compact_shuffle

        if method not in compact_shuffle.METHODS:
            raise UnknownNameError(f"no shuffle method {method!r}; {nearest(method, compact_shuffle.METHODS)}")
        start, target, came = compact_shuffle.METHODS[method](self.start, self.target, rng)
        return replace(
            self,
            start=start,
            target=target,
            count=self.count[came],
            sign=self.sign[came],
            source=self.source.changed(f"shuffled ({method})"),
            provenance="derived",
            sign_provenance="derived",
        )

    def to_connectome(self) -> Connectome:
        """The same wiring with named ends, without the columns that a `Connectome` does not have."""
        names = self.neurons["name"].to_numpy(dtype=object)
        sign = self.sign.astype(np.int64)
        synapses = pd.DataFrame(
            {
                "pre": np.repeat(names, np.diff(self.start)),
                "post": names[self.target],
                "kind": "chemical",
                "count": self.count.astype(np.float64),
                "sign": sign,
                "provenance": self.provenance,
                "sign_provenance": np.where(sign == 0, "none", self.sign_provenance),
            }
        )
        return Connectome(compact_table.plain(self.neurons), synapses, self.source)

    @classmethod
    def from_connectome(cls, connectome: Connectome) -> CompactConnectome:
        """The compact form of a connectome of chemical synapses with whole counts and one provenance.

        Raises:
            ConnectomeError: it has other kinds of synapses, parts of a synapse, or several provenances.
        """
        return cls(
            neurons=connectome.neurons,
            source=connectome.source,
            **compact_table.edges_of(connectome.synapses, connectome.index, connectome.n),
        )

    def network(
        self, mv_per_synapse: float = 0.275, model: SpikingModel | None = None, dt_ms: float = 0.1
    ) -> SpikingNetwork:
        """A spiking network: weight = mv_per_synapse * sign * count; it shares `start` and `target` with this.

        Args:
            mv_per_synapse: weight of one synapse, mV; the default is the free parameter of Shiu et al. 2024, fitted
                there to the rate of MN9 with FlyWire's counts.
            model: of all neurons, default Shiu et al. 2024.
            dt_ms: step of the network in ms.
        """
        weight = np.multiply(self.count, np.float32(mv_per_synapse), dtype=np.float32)
        np.multiply(weight, self.sign, out=weight, casting="unsafe")
        return SpikingNetwork(
            start=self.start,
            target=self.target,
            weight=weight,
            model=LifExp() if model is None else model,
            dt_ms=dt_ms,
            names=self.names,
        )

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the folder that `compact_io` describes."""
        header = {"provenance": self.provenance, "sign_provenance": self.sign_provenance}
        compact_io.write_folder(folder, self.neurons, self.arrays, self.source, header, self.fingerprint)

    @classmethod
    def load(cls, folder: str | PathLike[str], check: bool = True) -> CompactConnectome:
        """Read what `save` wrote; the arrays stay on disk and are read where they are used.

        Args:
            folder: what was saved.
            check: hold everything to its fingerprint, which reads it once.

        Raises:
            ConnectomeError: naming the file that is missing, damaged or foreign.
        """
        saved = compact_io.read_folder(folder)
        connectome = cls(neurons=saved.neurons, source=saved.source, **saved.fields)
        if check and connectome.fingerprint != saved.fingerprint:
            compact_io.changed(folder, saved.fingerprint, connectome.fingerprint)
        return connectome
