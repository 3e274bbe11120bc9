"""An organism: a body and a brain joined by two maps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from ..bodies.body import Body
from ..brains.brain import Brain
from ..brains.cells import cells_from_table
from ..brains.connectome import Connectome
from ..brains.network import SynapseGains, build_network
from ..registry import Registry, UnknownNameError, nearest
from .maps import EffectorMap, SensoryMap
from .neuropil import Neuropil

ORGANISMS: Registry[Organism] = Registry("organism", "animat.organisms")
"""name -> function() -> Organism; other distributions add theirs through the entry-point group animat.organisms."""


class Census(NamedTuple):
    """How much wiring there is."""

    neurons: int
    rows: Mapping[str, int]  # kind of synapse -> connected pairs
    counts: Mapping[str, float]  # kind of synapse -> summed counts


@dataclass(frozen=True, kw_only=True, eq=False)
class Organism:
    """What an animal is: its wiring, what its neurons and synapses do, its senses, its muscles and its body."""

    name: str
    connectome: Connectome  # the neurons that run, after any ablation
    reference: Connectome  # the intact wiring: synaptic shares are taken on it, selectors are looked up in it
    dynamics: pd.DataFrame  # one row a selector: parameters of `brains.cells.Cells`, with provenance and source
    gains: SynapseGains
    sensory: SensoryMap
    effectors: EffectorMap
    body: Callable[..., Body]  # keyword options are the animal's own, all with defaults; `medium` is one of them
    rebuild: Callable[[Mapping[str, Any]], Body]  # the body whose `options`, read from JSON, these are
    tasks: tuple[str, ...]  # of `envs.tasks.TASKS`; the first is what the animal does unless asked
    stimulated: tuple[str, ...]  # neurons that the environment's action stimulates by default
    panel: tuple[str, ...]  # selectors worth watching, top to bottom
    ablations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """task -> what `animat controls` takes out beside it, each the selectors of one ablation, separated by commas."""
    model: str = "graded"  # neuron model of every cell unless another is asked for, a key of `brains.models.MODELS`
    control_s: float = 0.01  # s, control step: the period at which brain and body exchange
    absent: tuple[str, ...] = ()  # what the maps could name and this wiring does not have, for the audit
    neuropil: Callable[[], Neuropil] | None = None  # between a modality of the body and further channels of `sensory`
    neuropil_controls: Mapping[str, Callable[[int], Neuropil]] = field(default_factory=dict)
    """name -> function(seed) -> a neuropil that differs from the animal's in one way, with the same channels."""

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError(f"Organism {self.name!r}: tasks must name at least one task")
        if not 0 < self.control_s <= 1:
            raise ValueError(f"Organism {self.name!r}: control_s ({self.control_s} s) must be above 0 and at most 1 s")

    def brain(self, model: str | None = None, engine: str = "numba", seed: int = 0, dt_ms: float = 1.0) -> Brain:
        """A brain of this organism's connectome.

        Args:
            model: neuron model of every cell, a key of `brains.models.MODELS`; the animal's own by default.
            engine: a key of `brains.engines.ENGINES`.
            seed: of the starting voltages.
            dt_ms: step of the network, ms.
        """
        return self._build(self.connectome, model or self.model, engine, seed, dt_ms)

    def _build(self, connectome: Connectome, model: str, engine: str, seed: int, dt_ms: float) -> Brain:
        cells = cells_from_table(connectome, self.dynamics, model, self.reference)
        network = build_network(connectome, cells, self.gains, dt_ms, self.reference)
        return Brain(network, engine, seed)

    def channels(self, body: Body) -> list[str]:
        """Names of all that the sensory map may read: the body's channels, then the neuropil's outputs."""
        own = [name for labels in body.channels.values() for name in labels]
        return own + (list(self.neuropil().channels) if self.neuropil is not None else [])

    @property
    def wiring(self) -> Connectome:
        """The intact wiring, of which controls are made."""
        return self.reference

    @property
    def census(self) -> Census:
        """How much wiring is left."""
        found = self.connectome.synapses.groupby("kind", observed=True)["count"]
        rows, counts = found.size().items(), found.sum().items()
        return Census(
            self.connectome.n, {str(kind): int(n) for kind, n in rows}, {str(kind): float(n) for kind, n in counts}
        )

    def hops(self, sources: Iterable[str], targets: Iterable[str]) -> dict[str, int]:
        """Fewest synapses from each source that reaches a target to the nearest; a target itself is 0 away."""
        import networkx as nx

        table, ends = self.connectome.synapses, set(targets)
        fast = table[table["kind"] != "modulatory"]
        graph = nx.DiGraph()
        graph.add_nodes_from(self.connectome.names)
        graph.add_edges_from(zip(fast["post"], fast["pre"], strict=True))
        away = nx.multi_source_dijkstra_path_length(graph, ends, weight=None) if ends else {}
        return {name: int(away[name]) for name in sources if name in away}

    @property
    def digest(self) -> str:
        """SHA-256 of the intact wiring and of every table and gain on it; the body is not in it."""
        tables = (self.dynamics, self.gains.overrides, self.sensory.table, self.effectors.table)
        texts = ["" if table is None else table.to_csv(index=False) for table in tables]
        gains = {name: value for name, value in vars(self.gains).items() if name != "overrides"}
        numbers = repr((self.reference.fingerprint, gains, self.effectors.gain, self.effectors.unknown_sign))
        return hashlib.sha256("\0".join([numbers, *texts]).encode()).hexdigest()

    def with_connectome(self, connectome: Connectome) -> Organism:
        """The same animal on another wiring (a shuffle, a reconstruction), which becomes its intact reference.

        Neurons of the animal that the wiring lacks count as lost to ablation; those it has besides take part as any
        neuron that no table names.
        """
        reference = _with_species(connectome, self.reference)
        absent = tuple(name for name in reference.names if name not in set(connectome.names))
        return replace(self, connectome=connectome, reference=reference, absent=absent)

    def with_neuropil(self, control: str, seed: int) -> Organism:
        """The same animal with one of its `neuropil_controls`, drawn by a seed.

        Raises:
            KeyError: no such control, with the nearest name.
        """
        if control not in self.neuropil_controls:
            known = nearest(control, self.neuropil_controls)
            raise UnknownNameError(f"{self.name} has no control {control!r} of a neuropil; {known}")
        return replace(self, neuropil=partial(self.neuropil_controls[control], seed))

    def provenances(self) -> dict[str, Mapping[str, float]]:
        """Shares of the kinds of provenance in tables of the animal's own, in its own words; none by default."""
        return {}

    def for_task(self, task: str) -> Organism:
        """The animal as it does a task; by default always the same."""
        return self

    def ablate(self, selectors: Sequence[str]) -> Organism:
        """The same animal without some neurons; what is left is not rescaled.

        Raises:
            KeyError: a selector names nothing, with the nearest name.
        """
        return replace(self, connectome=self.connectome.ablate(tuple(selectors))) if selectors else self


def _with_species(wiring: Connectome, species: Connectome) -> Connectome:
    """A wiring in which every selector of the animal's tables finds what it names, whether or not it is wired."""
    own, known = wiring.neurons, species.neurons
    lost = known[~known["name"].isin(wiring.names)]
    described = known.set_index("name").reindex(own["name"])
    for column in ("type", "transmitter", "side"):
        own[column] = own[column].where(own[column] != "", described[column].fillna("").to_numpy())
    unsaid = (own["role"] == "unclassified") & described["role"].notna().to_numpy()
    own["role"] = own["role"].where(~unsaid, described["role"].to_numpy())
    if lost.empty and own.equals(wiring.neurons):
        return wiring
    change = f"{len(lost)} neurons of the animal that it lacks kept as names"
    return Connectome(pd.concat([own, lost], ignore_index=True), wiring.synapses, wiring.source.changed(change))


def make(name: str) -> Organism:
    """The registered organism of that name.

    Raises:
        KeyError: no such organism, with the nearest name.
    """
    return ORGANISMS[name]()
