"""The map audit: what an organism's maps connect, what dangles, and whether a sense can reach a muscle at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..brains.cells import members
from ..registry import UnknownNameError
from .maps import channel_members
from .organism import Organism

TEXT_LIMIT = 12  # names printed before a list is cut


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Findings, all JSON-able.

    Path lengths count synapses (chemical or electrical) from a sensory neuron of the map to the nearest neuron that
    drives an effector.
    """

    organism: str
    fingerprint: str
    neurons: int
    synapses: Mapping[str, int]  # kind -> rows
    synapse_counts: Mapping[str, float]  # kind -> summed counts
    provenance: Mapping[str, Mapping[str, float]]  # table -> provenance -> fraction of rows
    channels: int
    channels_without_neuron: tuple[str, ...]
    unknown_neurons: tuple[str, ...]  # named in a map, not in the connectome
    effectors: int
    effectors_without_neuron: tuple[str, ...]
    sensory_neurons: int
    mapped_sensory_neurons: int
    motor_neurons: int  # that drive an effector
    unreached: tuple[str, ...]  # mapped sensory neurons from which no effector can be reached
    path_lengths: Mapping[str, int]  # length -> number of mapped sensory neurons
    path_by_type: Mapping[str, int]  # neuron type -> shortest path of its neurons

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)

    def text(self) -> str:
        """The findings as a page."""
        kinds = ", ".join(f"{n:,} {kind} ({self.synapse_counts[kind]:,.0f})" for kind, n in self.synapses.items())
        lines = [
            f"{self.organism}: {self.neurons} neurons, fingerprint {self.fingerprint[:12]}",
            f"synapses (counts): {kinds}",
            "",
            "provenance (fraction of rows)",
        ]
        for table, fractions in self.provenance.items():
            shares = ", ".join(f"{name} {share:.0%}" for name, share in fractions.items())
            lines.append(f"  {table:16s}{shares}")
        lines += [
            "",
            f"senses: {self.channels} channels; without a neuron: {_listed(self.channels_without_neuron)}",
            f"sensory neurons: {self.sensory_neurons}, of which the map drives {self.mapped_sensory_neurons}",
            f"effectors: {self.effectors}, driven by {self.motor_neurons} neurons;"
            f" without a neuron: {_listed(self.effectors_without_neuron)}",
            f"neurons named in a map that do not exist: {_listed(self.unknown_neurons)}",
            f"mapped sensory neurons that cannot reach an effector: {_listed(self.unreached)}",
            "",
            "synapses from a mapped neuron to the nearest neuron that drives an effector",
        ]
        most = max(self.path_lengths.values(), default=1)
        for synapses, count in self.path_lengths.items():
            lines.append(f"  {synapses} {'#' * round(40 * count / most)} {count}")
        by_length: dict[int, list[str]] = {}
        for kind, length in self.path_by_type.items():
            by_length.setdefault(length, []).append(kind)
        lines += [f"  {length}: {', '.join(kinds)}" for length, kinds in sorted(by_length.items())]
        return "\n".join(lines)


def audit(organism: Organism) -> Audit:
    """Audit an organism's maps against its connectome and body."""
    connectome, body = organism.connectome, organism.body()
    channels = organism.channels(body)
    known = set(connectome.names)
    used, sensing, unknown = _sensory(organism, channels)
    drivers = {str(name) for name in organism.effectors.table["neuron"]}
    unknown |= (drivers - set(organism.reference.names)) | set(organism.absent)
    paths = organism.hops(sensing & known, drivers & known)
    types = dict(zip(connectome.neurons["name"], connectome.neurons["type"], strict=True))
    by_type: dict[str, int] = {}
    for name, length in sorted(paths.items()):
        by_type[types[name]] = min(length, by_type.get(types[name], length))
    census = organism.census
    roles = connectome.neurons["role"]
    driven = set(organism.effectors.table["effector"])
    return Audit(
        organism=organism.name,
        fingerprint=connectome.fingerprint,
        neurons=census.neurons,
        synapses=census.rows,
        synapse_counts=census.counts,
        provenance=_provenance(organism),
        channels=len(channels),
        channels_without_neuron=tuple(name for i, name in enumerate(channels) if i not in used),
        unknown_neurons=tuple(sorted(unknown)),
        effectors=len(body.effectors),
        effectors_without_neuron=tuple(name for name in body.effectors if name not in driven),
        sensory_neurons=int((roles == "sensory").sum()),
        mapped_sensory_neurons=len(sensing & set(connectome.neurons["name"][roles == "sensory"])),
        motor_neurons=len(drivers & known),
        unreached=tuple(sorted((sensing & known) - set(paths))),
        path_lengths={str(k): n for k, n in sorted(Counter(paths.values()).items())},
        path_by_type=by_type,
    )


def _sensory(organism: Organism, channels: list[str]) -> tuple[set[int], set[str], set[str]]:
    """Channels with a neuron, neurons with a channel, and selectors that name nothing."""
    used: set[int] = set()
    sensing: set[str] = set()
    unknown: set[str] = set()
    for row in organism.sensory.table.to_dict("records"):
        try:
            sensing |= set(members(organism.reference, str(row["neuron"])))
        except UnknownNameError:
            unknown.add(str(row["neuron"]))
        else:
            used |= set(channel_members(str(row["channel"]), channels))
    return used, sensing, unknown


def _provenance(organism: Organism) -> dict[str, dict[str, float]]:
    tables = {
        "synapse counts": organism.connectome.synapses["provenance"],
        "synapse signs": organism.connectome.synapses["sign_provenance"],
        "sensory map": organism.sensory.table["provenance"],
        "effector map": organism.effectors.table["provenance"],
        "cell parameters": organism.dynamics["provenance"],
    }
    if organism.gains.overrides is not None:
        tables["synapse rules"] = organism.gains.overrides["provenance"]
    return {name: _fractions(column.tolist()) for name, column in tables.items()} | {
        name: dict(shares) for name, shares in organism.provenances().items()
    }


def _fractions(values: list[str]) -> dict[str, float]:
    counts = Counter(values)
    total = float(np.sum(list(counts.values())))
    return {name: n / total for name, n in counts.most_common()}


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - TEXT_LIMIT} more" if len(names) > TEXT_LIMIT else ""
    return f"{len(names)}: {', '.join(names[:TEXT_LIMIT])}{more}"
