"""The cortical microcircuit of Potjans and Diesmann 2014 at a tenth of its size, as a published check of the engine.

Run it with `python -m animat.scripts.bench_potjans`. The numbers are those of the paper (doi:10.1093/cercor/bhs358,
tables 4 and 5). Neurons and in-degrees are both scaled; weights grow by one over the root of the scale of the
in-degrees and a constant current makes up for the lost mean, so that the mean and the variance of the input stay as
they were at full size: van Albada, Helias and Diesmann 2015 (doi:10.1371/journal.pcbi.1004490).

That rule keeps neither the strength of feedback nor the higher moments of the input, so that rates differ, those of
the quiet layer 2/3 most: Romaro et al. 2021 (doi:10.1162/neco_a_01400, table A.1) report 17 % at a tenth for both its
populations. Here L23E is 46 % low at a tenth, 28 % at three tenths, 18 % at a half (measured with `population_rates`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..brains.models.lif_psc import LifPsc
from ..brains.spiking import SpikingNetwork
from ..brains.spiking_brain import SpikingBrain

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
BAR = 0.15  # greatest relative difference of a population's rate


@dataclass(frozen=True, kw_only=True, eq=False)
class Microcircuit:
    """The network and its input; `first[k]` to `first[k + 1]` are the neurons of population k."""

    network: SpikingNetwork
    first: Ints  # (9,)
    drive_mv: Floats  # (n,) mV, makes up for the mean of the input that was scaled away
    external_hz: Floats  # (n,) Hz
    external_pa: float  # pA, of an external event


def microcircuit(rng: np.random.Generator, scale: float = 0.1, dt_ms: float = 0.1) -> Microcircuit:
    """Draw a microcircuit.

    Args:
        rng: of connections, weights and delays.
        scale: of the number of neurons and of the in-degrees.
        dt_ms: step of the network, ms.
    """
    model, root = LifPsc(), math.sqrt(scale)
    sizes = np.rint(SIZES * scale).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(sizes)])
    pairs = np.outer(SIZES, SIZES).astype(np.float64)
    synapses = np.log1p(-PROBABILITIES) / np.log1p(-1.0 / pairs)  # at full size, drawn with replacement
    weights = np.tile([1.0, INHIBITION], (8, 4)) * model.weight_pa(PSP_MV)
    weights[0, 2] *= 2.0
    mean_hz_pa = (weights * synapses / SIZES[:, None] * FULL_RATES).sum(axis=1)
    mean_hz_pa += model.weight_pa(PSP_MV) * EXTERNAL * EXTERNAL_HZ
    lost_pa = (1.0 - root) * mean_hz_pa * model.tau_e_ms * 1e-3
    network = _connect(rng, first, np.rint(synapses * scale**2).astype(np.int64), weights / root, dt_ms)
    return Microcircuit(
        network=network,
        first=first,
        drive_mv=np.repeat(lost_pa * model.tau_m_ms / model.c_m_pf, sizes),
        external_hz=np.repeat(np.rint(EXTERNAL * scale) * EXTERNAL_HZ, sizes),
        external_pa=model.weight_pa(PSP_MV) / root,
    )


def _connect(rng: np.random.Generator, first: Ints, counts: Ints, weights: Floats, dt_ms: float) -> SpikingNetwork:
    """A fixed number of synapses for every pair of populations, sources and targets drawn independently."""
    parts = []
    for post in range(8):
        for pre in range(8):
            count, mean = int(counts[post, pre]), weights[post, pre]
            delay_ms = DELAY_MS[pre % 2]
            parts.append(
                (
                    rng.integers(first[pre], first[pre + 1], count, dtype=np.int32),
                    rng.integers(first[post], first[post + 1], count, dtype=np.int32),
                    np.sign(mean) * _above_zero(rng, abs(mean), WEIGHT_SPREAD * abs(mean), count),
                    np.maximum(np.rint(_above_zero(rng, delay_ms, DELAY_SPREAD * delay_ms, count) / dt_ms), 1),
                )
            )
    source, target, weight, delay = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((target, source))
    return SpikingNetwork(
        start=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=first[-1]))]),
        target=target[order],
        weight=weight[order].astype(np.float32),
        delay_steps=delay[order].astype(np.uint8),
        model=LifPsc(),
        dt_ms=dt_ms,
    )


def _above_zero(rng: np.random.Generator, mean: float, spread: float, count: int) -> Floats:
    """Normal numbers, drawn again where they are not above zero."""
    values = rng.normal(mean, spread, count)
    while (bad := values <= 0.0).any():
        values[bad] = rng.normal(mean, spread, np.count_nonzero(bad))
    return values


def population_rates(seed: int = 0, scale: float = 0.1, duration_s: float = 10.0, settle_s: float = 0.5) -> Floats:
    """Mean rate (Hz) of each population after it has settled, shape (8,).

    Args:
        seed: of the network, of the voltages at the start and of the external input.
        scale: of the network.
        duration_s: over which spikes are counted, s.
        settle_s: left out at the start, s.
    """
    rng = np.random.default_rng(seed)
    circuit = microcircuit(rng, scale)
    brain, sizes = SpikingBrain(circuit.network, seed), np.diff(circuit.first)
    start = rng.normal(np.repeat(START_MV, sizes), np.repeat(START_SPREAD_MV, sizes))
    brain.restore(brain.state | {"v": start})
    brain.background(circuit.external_hz, circuit.external_pa)
    brain.step(circuit.drive_mv, settle_s)
    spikes = brain.step(None, duration_s).spikes
    return np.add.reduceat(spikes, circuit.first[:-1]) / sizes / duration_s


def main() -> None:
    """Print the rates of the populations beside those of the full model."""
    began = time.perf_counter()
    rates = population_rates()
    print(f"Potjans-Diesmann 2014 at a tenth, 10 s, {time.perf_counter() - began:.0f} s of wall time")
    print("population  this run  full size  difference")
    for name, rate, full in zip(POPULATIONS, rates, FULL_RATES, strict=True):
        note = "" if abs(rate / full - 1) <= BAR else f"  over {BAR:.0%}"
        print(f"{name:10s} {rate:6.2f} Hz {full:7.2f} Hz {rate / full - 1:+10.1%}{note}")


if __name__ == "__main__":
    main()
