"""The compiled loop of the dense engine: every neuron at every step, around the step function of any model.

It keeps brian2's order within a step: states, thresholds, arriving spikes, Poisson input, resets. Spikes are sent in
the ascending order of their neurons into a ring of sums, one for each receptor and step ahead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..models.plasticity_rule import PlasticityRule
from ..models.spiking_model import SpikingModel
from . import gap_loop, plastic_loop, poisson_background, poisson_trains
from .gap_loop import Couplings, couple
from .kept import fingerprint, kept
from .plastic_loop import PlasticEdges, answer, arrive
from .poisson_background import Background, count_events
from .poisson_trains import Trains, collect, draw

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

MODEL_PARTS = ("advance", "above", "reset")
RULE_PARTS = ("bring", "on_pre", "on_post")
BLOCK = 32  # steps between two looks at which trains have an event soon


class Edges(NamedTuple):
    """Who reaches whom; `delay` and `receptor` have one entry an edge, or one for all."""

    start: Ints  # (n + 1,)
    target: Shorts  # (edges,)
    weight: NDArray[np.float32]  # (edges,)
    delay: NDArray[np.int16]  # (edges,) or (1,) steps
    receptor: NDArray[np.uint8]  # (edges,) or (1,)
    each_delay: int  # 1 where every edge has its own, else 0
    each_receptor: int  # the same
    by_sign: bool  # a negative weight goes to receptor 1
    unsigned: bool  # the size of a weight is added


class Machine(NamedTuple):
    """All that the compiled loop works on."""

    x: Floats  # (variables, n) state
    last: Shorts  # (n,) step of the last spike
    refractory: Shorts  # (n,) steps, 1 or more
    drive: Floats  # (n,)
    felt: Floats  # (n,) drive and gap junctions; the array of the drive itself where there are no junctions
    gap: Couplings
    arriving: Floats  # (receptors, slots, n) sums of what arrives at each step to come
    busy: NDArray[np.bool_]  # (receptors, slots) whether anything does
    row: Ints  # (receptors,) the variable that each adds to
    lost: NDArray[np.bool_]  # (receptors,) whether that variable stands still in the refractory period
    v_lost: bool  # the same of the voltage, row 0, that trains add to
    edges: Edges
    trains: Trains
    background: Background
    background_receptor: int
    plastic: PlasticEdges


def advance(x: Floats, i: int, active: bool, drive: float, c: Any) -> None:
    """Stand-in for the model's own, which `compiled` puts in its place."""
    raise NotImplementedError


def above(x: Floats, i: int, c: Any) -> bool:
    """Stand-in, as `advance`."""
    raise NotImplementedError


def reset(x: Floats, i: int, c: Any) -> None:
    """Stand-in, as `advance`."""
    raise NotImplementedError


@njit
def send(m: Machine, i: int, step: int, now: int) -> None:
    """Add what a spike of neuron i at a step brings to the sums of the steps from `now` on."""
    edges, slots = m.edges, m.arriving.shape[1]
    for e in range(edges.start[i], edges.start[i + 1]):
        arrival = step + edges.delay[e * edges.each_delay]
        if arrival >= now:
            weight, receptor = np.float64(edges.weight[e]), np.int64(edges.receptor[e * edges.each_receptor])
            if edges.by_sign:
                receptor = np.int64(weight < 0.0)
            slot = arrival % slots
            m.arriving[receptor, slot, edges.target[e]] += abs(weight) if edges.unsigned else weight
            m.busy[receptor, slot] = True


@njit(cache=True)
def send_again(m: Machine, steps: Shorts, neurons: Shorts, now: int) -> None:
    """Fill the ring with what is still on its way, in the order in which it was sent."""
    m.arriving[:] = 0.0
    m.busy[:] = False
    for k in range(steps.size):
        send(m, neurons[k], steps[k], now)


@njit
def receive(m: Machine, step: int) -> None:
    """Add what arrives at a step; who stands still loses it."""
    slot = step % m.arriving.shape[1]
    for r in range(m.row.size):
        if m.busy[r, slot]:
            for i in range(m.last.size):
                amount = m.arriving[r, slot, i]
                if amount != 0.0:
                    m.arriving[r, slot, i] = 0.0
                    if not m.lost[r] or step - m.last[i] >= m.refractory[i]:
                        m.x[m.row[r], i] += amount
            m.busy[r, slot] = False


@njit
def receive_poisson(m: Machine, step: int, soon: int) -> None:
    """Add the events of the background and of the trains."""
    receptor, trains = m.background_receptor, m.trains
    for i in range(m.background.miss.size):
        count = count_events(m.background, i, step)
        if count > 0 and (not m.lost[receptor] or step - m.last[i] >= m.refractory[i]):
            m.x[m.row[receptor], i] += count * m.background.weight[i]
    for a in range(soon):
        k = trains.soon[a]
        if trains.next[k] == step:
            i = trains.neuron[k]
            if not m.v_lost or step - m.last[i] >= m.refractory[i]:
                m.x[0, i] += trains.weight[k]
            draw(trains, k, step)


def advance_all(m: Machine, c: Any, step: int, spikes: Shorts) -> int:
    """One step of all neurons; enters those that spike in `spikes` and returns their number."""
    count = 0
    for i in range(m.last.size):
        active = step - m.last[i] >= m.refractory[i]
        advance(m.x, i, active, m.felt[i], c)
        if active and above(m.x, i, c):
            spikes[count] = i
            count += 1
    return count


def run_steps(m: Machine, c: Any, first: int, last: int) -> tuple[Shorts, Shorts]:
    """Advance over the steps first..last; returns the step and the neuron of every spike."""
    steps, neurons, total = np.empty(1024, np.int32), np.empty(1024, np.int32), 0
    spikes, soon = np.empty(m.last.size, np.int32), 0
    for step in range(first, last):
        if (step - first) % BLOCK == 0:
            soon = collect(m.trains, 0, m.trains.neuron.size, step + BLOCK)
        if m.gap.pre.size:
            couple(m.gap, m.x[0], m.drive, m.felt)
        count = advance_all(m, c, step, spikes)
        for a in range(count):
            m.last[spikes[a]] = step
        receive(m, step)
        if m.plastic.edge.size:
            arrive(m.plastic, m, step)
            answer(m.plastic, step, spikes, count)
        receive_poisson(m, step, soon)
        if total + count > steps.size:
            steps, neurons = _grown(steps, 2 * steps.size + count), _grown(neurons, 2 * steps.size + count)
        for a in range(count):
            reset(m.x, spikes[a], c)
            send(m, spikes[a], step, step)
            steps[total + a], neurons[total + a] = step, spikes[a]
        total += count
    return steps[:total], neurons[:total]


@njit
def _grown(values: Shorts, size: int) -> Shorts:
    room = np.empty(size, np.int32)
    room[: values.size] = values
    return room


class Compiled(NamedTuple):
    """The compiled functions of a model and a rule."""

    run: Callable[[Machine, Any, int, int], tuple[Shorts, Shorts]]
    bring_all: Callable[[PlasticEdges, int], None]


@cache
def compiled(model: type[SpikingModel], rule: type[PlasticityRule] | None = None) -> Compiled:
    """`run_steps` and `bring_all` with the functions of a model and of a plasticity rule.

    Kept on disk under a fingerprint of all the sources that matter.
    """
    names = [__name__, model.__module__] + ([] if rule is None else [rule.__module__])
    modules = [sys.modules[name] for name in names] + [gap_loop, plastic_loop, poisson_trains, poisson_background]
    key = f"{model.__name__}_{fingerprint(*modules)}"
    parts = {part: njit(getattr(plastic_loop if rule is None else rule, part)) for part in RULE_PARTS}
    parts |= {part: njit(getattr(model, part)) for part in MODEL_PARTS}
    own = {**vars(plastic_loop), **globals(), **parts}
    for function in (arrive, answer, advance_all):
        own[function.__name__] = njit(FunctionType(function.__code__, own))
    return Compiled(*(kept(function, own, key) for function in (run_steps, plastic_loop.bring_all)))
