"""The synapses of the reference engine: one brian2 object for every receptor, fixed or plastic edges apart."""

from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..models.plasticity_rule import plastic_variables
from ..models.spiking_model import UNITS
from ..spiking import SpikingNetwork
from .brian2_import import brian2
from .dense_loop import compiled
from .plastic_loop import plastic_edges

Ints = NDArray[np.int64]
SpikingState = dict[str, NDArray[np.generic]]


class Wire(NamedTuple):
    """Some edges of the network."""

    synapses: Any
    edges: Ints  # places in the arrays of the network
    plastic: bool


def namespace(parameters: Any) -> dict[str, Any]:
    """Parameters by the names that equations use: times and rates as quantities, all else as numbers."""
    units = dict.fromkeys(UNITS, 1) | {"ms": brian2.ms}
    names = {}
    for item in fields(parameters):
        stem, _, unit = item.name.rpartition("_")
        if stem not in ("t_refractory", "delay"):
            names[stem if unit in units else item.name] = getattr(parameters, item.name) * units.get(unit, 1)
    return names


def wires(network: SpikingNetwork, neurons: Any, dt: Any, code: Any) -> list[Wire]:
    """All edges of a network."""
    plastic = np.zeros(network.edges, np.bool_)
    if network.plastic is not None:
        plastic[network.plastic.edges] = True
    made = []
    for receptor, changes in product(range(len(network.model.RECEPTORS)), (False, True)):
        edges = np.flatnonzero((network.edge_receptors == receptor) & (plastic == changes))
        if edges.size:
            options = _plastic(network, receptor) if changes else _fixed(network, receptor)
            synapses = brian2.Synapses(neurons, neurons, dt=dt, codeobj_class=code, **options)
            _connect(synapses, network, edges, dt)
            made.append(Wire(synapses, edges, changes))
    return made


def _fixed(network: SpikingNetwork, receptor: int) -> dict[str, Any]:
    on_pre = f"{network.model.RECEPTORS[receptor]}_post += weight"
    return {"model": "weight : 1 (constant)", "on_pre": on_pre, "namespace": {}}


def _plastic(network: SpikingNetwork, receptor: int) -> dict[str, Any]:
    assert network.plastic is not None
    rule = network.plastic.rule
    return {
        "model": rule.EQUATIONS,
        "on_pre": rule.ON_PRE.format(receptor=network.model.RECEPTORS[receptor]),
        "on_post": rule.ON_POST or None,
        "method": rule.METHOD,
        "namespace": namespace(rule),
    }


def _connect(synapses: Any, network: SpikingNetwork, edges: Ints, dt: Any) -> None:
    sources = np.repeat(np.arange(network.n), np.diff(network.start))
    synapses.connect(i=sources[edges], j=network.target[edges])
    synapses.weight = np.abs(network.weight[edges]) if network.model.UNSIGNED else network.weight[edges]
    if network.delay_steps is None:
        synapses.delay = network.model.delay_ms * brian2.ms
    else:
        synapses.delay = network.delay_steps[edges] * dt
    if network.plastic is not None:
        for name, value in network.plastic.rule.initial().items():
            if name in synapses.variables:
                setattr(synapses, name, value)


def gap_wire(network: SpikingNetwork, neurons: Any, dt: Any, code: Any) -> Any:
    """The gap junctions of a network: each as two synapses, one for either cell."""
    gap = network.gap
    assert gap is not None
    model = """
        rising : 1 (constant)    # drive for a difference of 1 mV, while the other cell is above
        falling : 1 (constant)   # the same while it is below
        gap_post = rising*clip(v_pre - v_post, 0, inf) + falling*clip(v_pre - v_post, -inf, 0) : 1 (summed)
    """
    synapses = brian2.Synapses(neurons, neurons, model, dt=dt, codeobj_class=code, namespace={"inf": brian2.inf})
    synapses.connect(i=np.concatenate([gap.pre, gap.post]), j=np.concatenate([gap.post, gap.pre]))
    open_ = gap.drive_per_mv(network.model)
    shut = np.where(gap.one_way, 0.0, open_)
    synapses.rising, synapses.falling = np.concatenate([open_, shut]), np.concatenate([shut, open_])
    return synapses


def changing(made: list[Wire], network: SpikingNetwork, step: int) -> SpikingState:
    """The plastic edges of a checkpoint, in the dense engine's order."""
    assert network.plastic is not None
    edges = plastic_edges(network)
    y = np.zeros((len(plastic_variables(network.plastic.rule)), network.edges))
    for wire in (wire for wire in made if wire.plastic):
        for row, name in enumerate(plastic_variables(network.plastic.rule)):
            y[row, wire.edges] = wire.synapses.variables[name].get_value()
    return {"plastic.y": y[:, edges.edge], "plastic.updated": np.full(edges.edge.size, step, np.int32)}


def put(made: list[Wire], network: SpikingNetwork, state: SpikingState, step: int) -> None:
    """Take the plastic edges of a checkpoint over, brought to its step: here they move at every step."""
    assert network.plastic is not None
    stored = {name: state[f"plastic.{name}"].copy() for name in ("y", "updated")}
    edges = plastic_edges(network)._replace(**stored)  # type: ignore[arg-type]
    compiled(type(network.model), type(network.plastic.rule)).bring_all(edges, step)
    y = np.zeros((edges.y.shape[0], network.edges))
    y[:, edges.edge] = edges.y
    for wire in (wire for wire in made if wire.plastic):
        for row, name in enumerate(plastic_variables(network.plastic.rule)):
            wire.synapses.variables[name].get_value()[:] = y[row, wire.edges]


def change(wire: Wire, amount: float) -> None:
    """Release dopamine at the synapses of a `RewardStdp`."""
    values = {name: wire.synapses.variables[name].get_value() for name in ("change", "mark", "dopamine")}
    values["change"][:] += values["mark"] * amount
    values["dopamine"][:] += amount
