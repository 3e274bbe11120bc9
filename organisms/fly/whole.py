"""A whole central nervous system in the fly's body: every neuron of a downloaded connectome spikes, nothing is added.

    whole = whole_fly(convert.connectome("malecns"))            # an Organism
    OrganismEnv(whole, "walk")                                   # or: animat run fly --connectome malecns

The body deals with named groups, all cells of a type on one side or in one leg (`data/whole_groups.csv`): senses set
the rate of Poisson trains of every cell of a group, a muscle follows the mean rate of its groups. What a task or
`--drive` gives a group counts as Hz too, up to `RATE_LIMIT_HZ`: the 400 of the walking command is the fastest train.
What is in between is the connectome and the neuron model of Shiu et al. 2024 with one free number, the weight of a
synapse.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...bodies.fly_tables import LEGS
from ...brains import paths
from ...brains.brain import Activity, checked_drive
from ...brains.cells import members
from ...brains.compact import CompactConnectome
from ...brains.connectome import Connectome, Source
from ...brains.connectome_tables import SYNAPSE_COLUMNS
from ...brains.network import SynapseGains
from ...brains.spiking_brain import SpikingBrain
from ...registry import UnknownNameError, nearest
from ..maps import EffectorMap, SensoryMap
from ..organism import Census, Organism
from .wiring import DATA, table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MV_PER_SYNAPSE = 0.188  # mV; MaleCNS's counts need it for the published rate of MN9 (documentation of flyconn 0.4.0)
RATE_FULL_HZ = 100.0  # Hz, mean rate of a group that counts as full release; assumed
TAU_RATE_S = 0.02  # s, over which spikes are counted: a muscle's own lag is 0.01 s; assumed
RATE_LIMIT_HZ = 200.0  # Hz, fastest train; the highest rate at which Shiu et al. 2024 activate cells
NEEDED = ("type", "side", "superclass", "subclass", "entryNerve")  # columns of the dataset


def groups(compact: CompactConnectome) -> dict[str, Ints]:
    """Rows of the connectome by group, "SNpp53_LF" or "DNg100_L"; groups of which it has no cell are left out.

    Raises:
        ValueError: the dataset lacks a column that the groups are chosen by, or no group has a cell.
    """
    missing = [name for name in NEEDED if name not in compact.neurons.columns]
    if missing:
        raise ValueError(
            f"whole_fly: the connectome has no column {missing[0]!r}, which MaleCNS has; it has: "
            + ", ".join(map(str, compact.neurons.columns))
        )
    text = {name: compact.neurons[name].astype(str).to_numpy() for name in NEEDED}
    kinds = sorted(set(text["type"]))
    found: dict[str, Ints] = {}
    for row in table("whole_groups").to_dict("records"):
        chosen = np.isin(
            text["type"], [kind for glob in row["types"].split(";") for kind in fnmatch.filter(kinds, glob)]
        )
        for column, values in (("superclass", row["superclass"]), ("subclass", row["subclass"])):
            chosen &= (text[column] == values) if values else True
        if row["entry_nerves"]:
            nerves = [f"{nerve}{end}" for nerve in row["entry_nerves"].split() for end in ("", "_L", "_R")]
            chosen &= np.isin(text["entryNerve"], nerves)
        for side in "LR":
            cells = np.flatnonzero(chosen & (text["side"] == side))
            if cells.size:
                found[f"{row['group']}_{side}{row['pair']}"] = cells.astype(np.int64)
    if not found:
        raise ValueError("whole_fly: no cell of the connectome belongs to any group of whole_groups.csv")
    return found


class GroupBrain:
    """A spiking brain seen through groups of its cells; see `brain.BrainLike`.

    Args:
        brain: which runs inside.
        cells: rows of each group; no cell may be in two.

    Raises:
        ValueError: a cell is in two groups.
    """

    def __init__(self, brain: SpikingBrain, cells: Mapping[str, Ints]) -> None:
        self.names, self.dt_ms = tuple(cells), brain.dt_ms
        self.brain, self._rows = brain, list(cells.values())
        self._size = np.array([rows.size for rows in self._rows], dtype=np.float64)
        self._group = np.full(brain.n, len(self.names), dtype=np.int64)
        for k, rows in enumerate(self._rows):
            if (self._group[rows] < len(self.names)).any():
                raise ValueError(f"GroupBrain: group {self.names[k]!r} shares a cell with another group")
            self._group[rows] = k
        self._rate = np.zeros(len(self.names))

    def reset(self, seed: int | None = None) -> None:
        """Start again, without trains."""
        self.brain.reset(seed)
        self._rate[:] = 0.0

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance with Poisson trains of `drive` Hz in every cell of each group; below 0 is none.

        Returns:
            voltage: mean rate of each group, Hz, over the last `TAU_RATE_S`; release: that over `RATE_FULL_HZ`; spikes.
        """
        rates = np.clip(checked_drive(self.names, drive), 0.0, RATE_LIMIT_HZ)
        driven = np.flatnonzero(rates > 0)
        cells = np.concatenate([np.zeros(0, np.int64), *(self._rows[k] for k in driven)])
        self.brain.poisson(cells, np.repeat(rates[driven], self._size[driven].astype(np.int64)))
        fired = self.brain.step(None, duration_s).neurons
        spikes = np.bincount(self._group[fired], minlength=len(self.names) + 1)[: len(self.names)]
        kept = np.exp(-duration_s / TAU_RATE_S)
        self._rate = kept * self._rate + (1 - kept) * spikes / (self._size * duration_s)
        return Activity(
            voltage=self._rate.copy(),
            release=np.minimum(self._rate / RATE_FULL_HZ, 1.0),
            spikes=spikes.astype(np.int64),
        )

    @property
    def rest_mv(self) -> Floats:
        """What `voltage` holds of groups that are silent: a rate of 0 Hz."""
        return np.zeros(len(self.names))

    @property
    def state(self) -> dict[str, Any]:
        """All that changes, for an exact checkpoint."""
        return {**self.brain.state, "group_rate": self._rate.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.brain.restore({name: values for name, values in state.items() if name != "group_rate"})
        self._rate = np.array(state["group_rate"])


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeFly(Organism):
    """A fly with all of a connectome; its `connectome` lists the groups, by which it is ablated and driven."""

    whole: CompactConnectome  # the neurons that run, after any ablation
    intact: CompactConnectome  # before it
    cells: Mapping[str, Ints] = field(default_factory=dict)  # group -> rows of `whole`
    threads: int = 1  # a barrier at every step of 0.1 ms costs more than it brings where few cells fire

    def brain(  # type: ignore[override]
        self, model: str | None = None, engine: str = "numba", seed: int = 0, dt_ms: float = 0.1
    ) -> GroupBrain:
        """The whole brain; `dt_ms` is its step. There is one model, the published spiking one, and one engine.

        Raises:
            ValueError: another model or engine is asked for.
        """
        if model not in (None, self.model) or engine != "numba":
            raise ValueError(f"a whole fly runs model {self.model!r} on engine 'numba', not {model!r} on {engine!r}")
        network = self.whole.network(MV_PER_SYNAPSE, dt_ms=dt_ms)
        return GroupBrain(SpikingBrain(network, seed=seed, threads=self.threads), self.cells)

    def ablate(self, selectors: Sequence[str]) -> WholeFly:
        """Without all cells of some groups."""
        if not selectors:
            return self
        lost = [name for selector in selectors for name in members(self.reference, selector)]
        left = self.whole.ablate(np.concatenate([self.cells[name] for name in lost]))
        return replace(self, whole=left, cells=groups(left), connectome=_directory(left, groups(left)))

    def with_connectome(self, connectome: Connectome | CompactConnectome) -> WholeFly:
        """The same fly on another whole wiring, such as a shuffle.

        Raises:
            ValueError: it is not a `CompactConnectome`, or lacks what `whole_fly` needs.
        """
        if not isinstance(connectome, CompactConnectome):
            raise ValueError(  # noqa: TRY004  what the command line reports
                "a whole fly takes a CompactConnectome, not a Connectome; see --connectome"
            )
        return whole_fly(connectome, self.threads)

    @property
    def wiring(self) -> CompactConnectome:  # type: ignore[override]
        """The intact whole, of which controls are made."""
        return self.intact

    @property
    def census(self) -> Census:
        """Of the whole, not of the groups."""
        return Census(self.whole.n, {"chemical": self.whole.edges}, {"chemical": float(self.whole.synapses)})

    def hops(self, sources: Iterable[str], targets: Iterable[str]) -> dict[str, int]:
        """Fewest synapses from any cell of each source group to the nearest cell of the target groups."""
        ends = [self.cells[name] for name in targets]
        if not ends:
            return {}
        away = paths.distances_to(self.whole.start, self.whole.target, np.concatenate(ends))
        nearest_cell = {name: int(away[self.cells[name]].min()) for name in sources}
        return {name: far for name, far in nearest_cell.items() if far < paths.FAR}


def whole_fly(compact: CompactConnectome, threads: int = 1) -> WholeFly:
    """The fly's body with every neuron of a connectome in it.

    Raises:
        ValueError: the connectome has not the columns of MaleCNS, or none of the cells that senses and muscles need.
    """
    from . import CONTROL_S, body, rebuild

    cells = groups(compact)
    directory = _directory(compact, cells)
    return WholeFly(
        name="fly",
        connectome=directory,
        reference=directory,
        dynamics=pd.DataFrame(
            [{"selector": "*", "provenance": "published", "source": "Shiu et al. 2024 Nature 634:210"}]
        ),
        gains=SynapseGains(chemical_mv=MV_PER_SYNAPSE, electrical=0.0, normalisation=0.0),
        sensory=SensoryMap(table=_senses(cells)),
        effectors=EffectorMap(table=_effectors(cells), gain=1.0),
        body=body,
        rebuild=rebuild,
        tasks=("walk",),
        stimulated=tuple(name for name in cells if name.startswith("DN") or name.startswith("MDN")),
        panel=tuple(dict.fromkeys(name.rsplit("_", 1)[0] for name in cells)),
        model="lif_exp",
        control_s=CONTROL_S,
        absent=absent(cells),
        whole=compact,
        intact=compact,
        cells=cells,
        threads=threads,
    )


def absent(cells: Mapping[str, Ints]) -> tuple[str, ...]:
    """Groups of `whole_groups.csv` of which the connectome has no cell, on either side."""
    rows = table("whole_groups").to_dict("records")
    named = [f"{row['group']}_{side}{row['pair']}" for row in rows for side in "LR"]
    return tuple(name for name in named if name not in cells)


def _directory(compact: CompactConnectome, cells: Mapping[str, Ints]) -> Connectome:
    """The groups as neurons without synapses, under the fingerprint of the whole."""
    roles = {row["group"]: row["role"] for row in table("whole_groups").to_dict("records")}
    rows = [
        (name, name.rsplit("_", 1)[0], roles[name.rsplit("_", 1)[0]], "", name.rsplit("_", 1)[1][0]) for name in cells
    ]
    neurons = pd.DataFrame(rows, columns=["name", "type", "role", "transmitter", "side"])
    neurons = neurons.assign(x_um=np.nan, y_um=np.nan, z_um=np.nan)
    source = compact.source.changed(f"{len(rows)} groups of its {compact.n} neurons; their synapses are not listed")
    listed = Connectome(neurons, pd.DataFrame(columns=list(SYNAPSE_COLUMNS)), Source(**vars(source)))
    vars(listed)["fingerprint"] = compact.fingerprint
    return listed


def _senses(cells: Mapping[str, Ints]) -> pd.DataFrame:
    """Rows of the assembled fly's senses whose group is there, their gain read as Hz, and those of taste."""
    both = SensoryMap.from_csv(DATA / "senses.csv", DATA / "whole_senses.csv").table
    return both[both["neuron"].isin(list(cells))].reset_index(drop=True)


def _effectors(cells: Mapping[str, Ints]) -> pd.DataFrame:
    """Leg muscles by the pools of the assembled fly; wings, neck and proboscis by `whole_effectors.csv`."""
    pool = table("motor_neurons").drop_duplicates("type").set_index("type")["pool"]
    rows = []
    for row in table("pools").to_dict("records"):
        for kind in pool.index[pool == row["pool"]]:
            for leg in (leg for leg in LEGS if leg[1] in row["pairs"] and f"{kind}_{leg}" in cells):
                for effector in row["effectors"].split():
                    weight = float(cells[f"{kind}_{leg}"].size)
                    rows.append((f"{leg}_{effector}", f"{kind}_{leg}", weight, 1.0, row["provenance"], row["source"]))
    legs = pd.DataFrame(rows, columns=["effector", "neuron", "weight", "sign", "provenance", "source"])
    others = EffectorMap.from_csv(DATA / "whole_effectors.csv", gain=1.0).table
    kept = others[others["neuron"].isin(list(cells))]
    return pd.concat([legs, kept], ignore_index=True)


def load(name: str) -> WholeFly:
    """The whole fly of a dataset that was pulled, or of the folder of a saved `CompactConnectome`.

    Raises:
        FileNotFoundError: it was not pulled, with the command that does.
        KeyError: neither a dataset nor a folder.
    """
    from pathlib import Path

    from ..datasets import convert, registry

    if Path(name).is_dir():
        return whole_fly(CompactConnectome.load(name))
    known = registry.datasets()
    if name not in known:
        raise UnknownNameError(f"no dataset or folder {name!r}; {nearest(name, known)}")
    return whole_fly(convert.connectome(name))
