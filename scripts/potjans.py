"""The cortical microcircuit of Potjans and Diesmann 2014, whole or made smaller.

The numbers are those of the paper (doi:10.1093/cercor/bhs358, tables 4 and 5) and, for mean rates and voltages at the
start, of NEST's own example of it. A smaller network cannot keep everything: with a share k of the in-degrees, weights
w times as large and a share N of the neurons, the mean and the variance of a neuron's input can be made up for from
outside, but what independent sources share out goes with (k w)^2 / N, and the feedback that amplifies it with k w;
both cannot be as they were (van Albada, Helias & Diesmann 2015, doi:10.1371/journal.pcbi.1004490). `rules` has the
ways that were tried, docs/potjans.md what came of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..brains.models.lif_psc import LifPsc
from ..brains.spiking import SpikingNetwork
from ..brains.spiking_brain import SpikingActivity, SpikingBrain

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])  # neurons
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # external inputs of each neuron
EXTERNAL_HZ = 8.0  # Hz, of each of them
PROBABILITIES = np.array(  # of a connection, (target, source)
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
FULL_RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz, NEST's own run at full size
PSP_MV = 0.15  # mV, peak of an excitatory postsynaptic potential; twice from L4E to L23E
INHIBITION = -4.0  # weight of an inhibitory synapse over that of an excitatory one
WEIGHT_SPREAD = 0.1  # standard deviation over mean
DELAY_MS = (1.5, 0.75)  # ms, mean of excitatory and of inhibitory delays
DELAY_SPREAD = 0.5  # standard deviation over mean
# mV, mean and standard deviation of the voltage at the start: NEST's values, which shorten the burst at the onset
START_MV = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])
START_SPREAD_MV = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])
# in-degrees are the scale to this power; found at a tenth by `match_potjans`, which looks at shared input, not at rates
SHARED = np.array([0.143, 0.199, 0.178, 0.215, 0.39, 0.453, 0.322, 0.387])
RULE = "shared-input-kept"  # keeps mean, variance, single potentials and what neurons share


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """What is kept of every neuron's input in a smaller network; what is lost of its mean and variance is made up for.

    The mean is made up for by a constant current and the variance by more external events, both computed from
    `FULL_RATES`; a rule that keeps all inputs needs neither.
    """

    recurrent: Floats  # (8,) share of the recurrent in-degrees of each population
    weight: float  # of recurrent synapses, against the published one
    external: float  # share of the external inputs, whose weight grows by one over its root


def rules(scale: float) -> dict[str, Rule]:
    """Ways to make the network smaller by a factor `scale`, by name; at full size they are all the same.

    root-weights: in-degrees as the neurons, weights by one over the root; NEST's rule. Single potentials are three
    times as large at a tenth, and the input is no longer smooth.
    root-weights-recurrent: the same with the external input as published, which costs nothing to keep.
    weights-kept: weights as published, in-degrees as the neurons. Shared input all but disappears.
    root-in-degrees: weights as published, in-degrees by the root: what neurons share would be kept if they fired
    independently, but they do not: the weaker feedback amplifies it less.
    shared-input-kept: the in-degrees for which each population's shared input is as measured at full size.
    in-degrees-kept: all input as published, so that `FULL_RATES` is not used. Shared input grows by one over `scale`.
    """
    root, same = math.sqrt(scale), np.ones(len(POPULATIONS))
    return {
        "root-weights": Rule(recurrent=scale * same, weight=1.0 / root, external=scale),
        "root-weights-recurrent": Rule(recurrent=scale * same, weight=1.0 / root, external=1.0),
        "weights-kept": Rule(recurrent=scale * same, weight=1.0, external=1.0),
        "root-in-degrees": Rule(recurrent=root * same, weight=1.0, external=1.0),
        "shared-input-kept": Rule(recurrent=scale**SHARED, weight=1.0, external=1.0),
        "in-degrees-kept": Rule(recurrent=same, weight=1.0, external=1.0),
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Microcircuit:
    """The network and its input; `first[k]` to `first[k + 1]` are the neurons of population k."""

    network: SpikingNetwork
    first: Ints  # (9,)
    drive_mv: Floats  # (n,) mV, makes up for the mean of the input that was scaled away
    external_hz: Floats  # (n,) Hz
    external_pa: float  # pA, of an external event


def microcircuit(rng: np.random.Generator, kept: Rule, scale: float = 0.1, dt_ms: float = 0.1) -> Microcircuit:
    """Draw a microcircuit.

    Args:
        rng: of connections, weights and delays.
        kept: of each neuron's input, one of `rules`.
        scale: of the number of neurons.
        dt_ms: step of the network, ms.
    """
    sizes = np.rint(SIZES * scale).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)])
    full_pa, in_degrees, weights = LifPsc().weight_pa(PSP_MV), full_in_degrees(), full_weights()
    counts = np.rint(in_degrees * SIZES[:, None] * scale * kept.recurrent[:, None]).astype(np.int64)
    external_pa = full_pa / math.sqrt(kept.external)
    lost_hz_pa, more_hz = _lost(kept, weights, in_degrees, full_pa, external_pa)
    return Microcircuit(
        network=_connect(rng, first, counts, weights * kept.weight, dt_ms),
        first=first,
        drive_mv=np.repeat(lost_hz_pa * mv_per_hz_pa(), sizes),
        external_hz=np.repeat(np.rint(EXTERNAL * kept.external) * EXTERNAL_HZ + more_hz, sizes),
        external_pa=external_pa,
    )


def full_in_degrees() -> Floats:
    """Synapses on a neuron of the full model, (target, source); they are drawn with replacement."""
    pairs = np.outer(SIZES, SIZES).astype(np.float64)
    return np.asarray(np.log1p(-PROBABILITIES) / np.log1p(-1.0 / pairs) / SIZES[:, None], dtype=np.float64)


def full_weights() -> Floats:
    """Mean weights of the full model, pA, (target, source)."""
    weights = np.tile([1.0, INHIBITION], (8, 4)) * LifPsc().weight_pa(PSP_MV)
    weights[0, 2] *= 2.0
    return weights


def mv_per_hz_pa() -> float:
    """Mean depolarisation by one event a second of 1 pA, mV."""
    model = LifPsc()
    return model.tau_e_ms * 1e-3 * model.tau_m_ms / model.c_m_pf


def _lost(kept: Rule, weights: Floats, in_degrees: Floats, full_pa: float, external_pa: float) -> tuple[Floats, Floats]:
    """What a neuron of each population lacks: mean (Hz pA), and external events (Hz) for the variance."""
    means = (weights * in_degrees * FULL_RATES).sum(axis=1)
    squares = ((1.0 + WEIGHT_SPREAD**2) * weights**2 * in_degrees * FULL_RATES).sum(axis=1)
    more_hz = squares * (1.0 - kept.recurrent * kept.weight**2) / external_pa**2
    external = EXTERNAL * EXTERNAL_HZ * (full_pa - kept.external * external_pa) - more_hz * external_pa
    return means * (1.0 - kept.recurrent * kept.weight) + external, np.maximum(more_hz, 0.0)


def _connect(rng: np.random.Generator, first: Ints, counts: Ints, weights: Floats, dt_ms: float) -> SpikingNetwork:
    """A fixed number of synapses for every pair of populations, sources and targets drawn independently."""
    parts = []
    for post in range(8):
        for pre in range(8):
            count, mean = int(counts[post, pre]), weights[post, pre]
            delay_ms = DELAY_MS[pre % 2]
            source = rng.integers(first[pre], first[pre + 1], count, dtype=np.int32)
            target = rng.integers(first[post], first[post + 1], count, dtype=np.int32)
            weight = (np.sign(mean) * _above_zero(rng, abs(mean), WEIGHT_SPREAD * abs(mean), count)).astype(np.float32)
            delay = np.rint(_above_zero(rng, delay_ms, DELAY_SPREAD * delay_ms, count) / dt_ms)
            parts.append((source, target, weight, np.maximum(delay, 1).astype(np.uint8)))
    source, target, weight, delay = (np.concatenate(column) for column in zip(*parts, strict=True))
    parts.clear()
    order = np.lexsort((target, source))
    return SpikingNetwork(
        start=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=first[-1]))]),
        target=target[order],
        weight=weight[order],
        delay_steps=delay[order],
        model=LifPsc(),
        dt_ms=dt_ms,
    )


def _above_zero(rng: np.random.Generator, mean: float, spread: float, count: int) -> Floats:
    """Normal numbers, drawn again where they are not above zero."""
    values = rng.normal(mean, spread, count)
    while (bad := values <= 0.0).any():
        values[bad] = rng.normal(mean, spread, np.count_nonzero(bad))
    return values


def activity(
    circuit: Microcircuit,
    rng: np.random.Generator,
    seed: int,
    duration_s: float,
    settle_s: float = 0.5,
    engine: str = "auto",
) -> SpikingActivity:
    """Run a microcircuit.

    Args:
        circuit: what to run.
        rng: of the voltages at the start.
        seed: of the external input.
        duration_s: of what is returned, s.
        settle_s: run before it, s.
        engine: of `SpikingBrain`.
    """
    sizes = np.diff(circuit.first)
    brain = SpikingBrain(circuit.network, seed, engine=engine)
    start = rng.normal(np.repeat(START_MV, sizes), np.repeat(START_SPREAD_MV, sizes))
    brain.restore(brain.state | {"v": start})
    brain.background(circuit.external_hz, circuit.external_pa)
    brain.step(circuit.drive_mv, settle_s)
    return brain.step(None, duration_s)
