"""SpikingNetwork: neurons that meet through spikes, as the arrays an engine runs.

The worm's `Network` couples its cells continuously (graded release, gap junctions); here nothing passes between two
spikes, so silence is free, unless the network is given gap junctions. Edges are kept by source, eight bytes each, and
sorted by target; delays, receptors and gap junctions cost something only where they are asked for.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .connectome import Connectome
from .gap_junctions import GapJunctions, gap_junctions
from .models.lif_exp import LifExp
from .models.plasticity_rule import PlasticityRule
from .models.spiking_model import SpikingModel
from .receptors import Receptors, edge_receptors

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plastic:
    """A set of edges that change by a rule; all others stay as they are and cost what they cost without it."""

    edges: Ints  # (k,) places in the arrays of the network, ascending
    rule: PlasticityRule


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikingNetwork:
    """Compiled spiking network.

    `target[start[i] : start[i + 1]]` are the targets of neuron i in ascending order, `weight` the synaptic input that
    one of its spikes gives to each, in the model's `WEIGHT_UNIT`. A model with two receptors gets positive weights at
    the first and negative ones at the second, unless `receptor` says otherwise.
    """

    start: Ints  # (n + 1,)
    target: NDArray[np.int32]  # (edges,)
    weight: NDArray[np.float32]  # (edges,) model.WEIGHT_UNIT
    model: SpikingModel = field(default_factory=LifExp)
    dt_ms: float = 0.1  # ms
    names: tuple[str, ...] | None = None  # of the neurons, where they have any
    delay_steps: NDArray[np.uint8] | NDArray[np.int16] | None = None  # (edges,) steps; None: the model's for all
    receptor: NDArray[np.uint8] | None = None  # (edges,) place in model.RECEPTORS; None: by the sign of the weight
    plastic: Plastic | None = None
    gap: GapJunctions | None = None

    def __post_init__(self) -> None:
        if not self.dt_ms > 0:
            raise ValueError(f"SpikingNetwork: dt_ms ({self.dt_ms} ms) must be above 0")
        if self.names is not None and len(self.names) != self.n:
            raise ValueError(f"SpikingNetwork: {len(self.names)} names for {self.n} neurons")
        for name in ("delay_ms", "t_refractory_ms"):
            steps = getattr(self.model, name) / self.dt_ms
            if abs(steps - round(steps)) > 1e-6 or (name == "delay_ms" and round(steps) < 1):
                raise ValueError(
                    f"SpikingNetwork: {name} ({getattr(self.model, name)} ms) is no whole number of steps of"
                    f" {self.dt_ms} ms"
                )
        self._check_edges()
        if self.gap is not None:
            self.gap.check(self.n, self.model, self.dt_ms)

    def _check_edges(self) -> None:
        if self.start[0] != 0 or self.start[-1] != self.target.size or (np.diff(self.start) < 0).any():
            raise ValueError("SpikingNetwork: start must rise from 0 to the number of edges")
        if self.target.shape != self.weight.shape:
            raise ValueError(f"SpikingNetwork: {self.target.size} targets but {self.weight.size} weights")
        if self.target.size and not (self.target.min() >= 0 and self.target.max() < self.n):
            raise ValueError(f"SpikingNetwork: a target is not one of the {self.n} neurons")
        if not np.isfinite(self.weight).all():
            raise ValueError("SpikingNetwork: a weight is not finite")
        self._check_extras()

    def _check_extras(self) -> None:
        chosen = None if self.plastic is None else self.plastic.edges
        if chosen is not None and not (
            chosen.size and 0 <= chosen[0] and chosen[-1] < self.edges and (np.diff(chosen) > 0).all()
        ):
            raise ValueError(f"SpikingNetwork: plastic edges must be some of 0 to {self.edges - 1}, ascending")
        for name in ("delay_steps", "receptor"):
            values = getattr(self, name)
            if values is not None and values.shape != self.target.shape:
                raise ValueError(f"SpikingNetwork: {self.edges} edges but {values.size} of {name}")
        if self.delay_steps is not None:
            if self.delay_steps.dtype not in (np.uint8, np.int16):
                raise ValueError(f"SpikingNetwork: delay_steps must be uint8 or int16, got {self.delay_steps.dtype}")
            if self.edges and self.delay_steps.min() < 1:
                raise ValueError(f"SpikingNetwork: delay_steps must be 1 or more, got {self.delay_steps.min()}")
        if self.receptor is None:
            return
        if self.edges:
            self.check_receptor(int(self.receptor.max()))
        if self.model.UNSIGNED and (self.weight < 0).any():
            raise ValueError("SpikingNetwork: with receptors given, a conductance must not be negative")

    def check_receptor(self, receptor: int) -> None:
        """Refuse a receptor that the model does not have."""
        known = self.model.RECEPTORS
        if not 0 <= receptor < len(known):
            raise ValueError(
                f"SpikingNetwork: receptor must be 0 to {len(known) - 1} ({', '.join(known)}), got {receptor}"
            )

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.start.size - 1

    @property
    def edges(self) -> int:
        """Number of connected pairs."""
        return self.target.size

    @property
    def event_driven(self) -> bool:
        """Whether silence is free: `LifExp` with one delay for all edges, and nothing but fixed chemical synapses."""
        extras = (self.delay_steps, self.receptor, self.plastic, self.gap)
        return isinstance(self.model, LifExp) and all(extra is None for extra in extras)

    @property
    def longest_delay(self) -> int:
        """Steps from a spike to its last arrival."""
        if self.delay_steps is None:
            return round(self.model.delay_ms / self.dt_ms)
        return int(self.delay_steps.max(initial=1))

    @property
    def edge_receptors(self) -> NDArray[np.uint8]:
        """Place in `model.RECEPTORS` of every edge, shape (edges,)."""
        if self.receptor is not None:
            return self.receptor
        return ((self.weight < 0) & (len(self.model.RECEPTORS) > 1)).astype(np.uint8)

    def edges_between(self, sources: Ints, targets: Ints) -> Ints:
        """Places of the edges from some neurons to some neurons, ascending: what `Plastic` asks for."""
        rows = np.repeat(np.isin(np.arange(self.n), sources), np.diff(self.start))
        return np.flatnonzero(rows & np.isin(self.target, targets)).astype(np.int64)

    def index(self, names: list[str]) -> Ints:
        """Positions of named neurons.

        Raises:
            KeyError: an unknown name, or a network without names.
        """
        if self.names is None:
            raise KeyError("SpikingNetwork: its neurons have no names")
        places = {name: i for i, name in enumerate(self.names)}
        return np.array([places[name] for name in names], dtype=np.int64)


def spiking_network(
    connectome: Connectome,
    mv_per_synapse: float = 0.275,
    model: SpikingModel | None = None,
    dt_ms: float = 0.1,
    receptors: Receptors | None = None,
    per_gap_junction: float = 0.0,
) -> SpikingNetwork:
    """A spiking network of a connectome's chemical synapses: weight = mv_per_synapse * sign * count.

    Args:
        connectome: whose neurons, in its order; synapses of unknown sign (0) have no effect and are left out.
        mv_per_synapse: weight of one synapse, mV or what the model's weights are in; the default is the free parameter
            of Shiu et al. 2024, fitted there to the rate of MN9.
        model: of all neurons, default Shiu et al. 2024.
        dt_ms: step of the network in ms.
        receptors: table that gives synapses of unknown sign the sign of their receptor, and every synapse its place
            among the receptors of a model that has two; `edge_receptors` shows what it does to which. None: no table.
        per_gap_junction: conductance of one electrical synapse, in the unit of `GapJunctions`; 0 leaves them out.
    """
    table = connectome.synapses if receptors is None else edge_receptors(connectome, receptors)
    table = table[(table["kind"] == "chemical") & (table["sign"] != 0)]
    pre, post = (np.asarray(connectome.index(table[end].tolist()), dtype=np.int64) for end in ("pre", "post"))
    order = np.lexsort((post, pre))
    model = LifExp() if model is None else model
    place = None if receptors is None else _places(table, model)
    return SpikingNetwork(
        start=np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=connectome.n))]).astype(np.int64),
        target=post[order].astype(np.int32),
        weight=_weights(table, mv_per_synapse, model, place is not None)[order],
        model=model,
        dt_ms=dt_ms,
        names=connectome.names,
        receptor=None if place is None else place[order],
        gap=gap_junctions(connectome, per_gap_junction) if per_gap_junction else None,
    )


def _places(table: pd.DataFrame, model: SpikingModel) -> NDArray[np.uint8] | None:
    """Place of every edge among the receptors of a model, by sign; None where the model has but one."""
    if len(model.RECEPTORS) < 2:
        return None
    return (table["sign"].to_numpy() < 0).astype(np.uint8)


def _weights(table: pd.DataFrame, per_synapse: float, model: SpikingModel, placed: bool) -> NDArray[np.float32]:
    """Signed weights; sizes only, where a conductance has its place."""
    sign = table["sign"].to_numpy(np.float64)
    weight = per_synapse * sign * table["count"].to_numpy(np.float64)
    return np.asarray(np.abs(weight) if placed and model.UNSIGNED else weight, dtype=np.float32)
