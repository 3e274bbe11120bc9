"""Brains at scale: a synthetic network of the size of the fly's, run by the default engine and, to check, by brian2."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from ..brains.spiking import SpikingNetwork
from ..brains.spiking_brain import SpikingBrain
from .bench import Bar

COMMAND = "animat bench brain"
SECOND = 1.0  # s of biological time
REPEATS = 5
RATE_HZ = 150.0  # of the driven neurons, as Shiu et al. 2024
AGREE_S = 0.2  # s compared with brian2
EDGE_BYTES = 8
MEMORY = """
import os
import resource
import numpy as np
from animat.brains.spiking_brain import SpikingBrain
from animat.brains.synthetic import fly_sized

def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def run(**size):
    network = fly_sized(np.random.default_rng(0), **size)
    brain = SpikingBrain(network)
    brain.poisson(np.arange(network.n), 5.0)
    brain.step(None, 0.2)
    return network.edges

run(neurons=2000, edges=20000)
before = now()
print(run(), before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def brain_bars() -> Iterator[Bar]:
    """Every figure of the spiking engine with its bar."""
    network, seconds = built()
    yield _bar(
        f"building {network.n:,} neurons, {network.edges / 1e6:.2f} M edges",
        "under 20 s",
        f"{seconds:.1f} s",
        seconds < 20,
    )
    whole = timed(network, driven(network, 20))
    yield _bar("20 neurons driven at 150 Hz, 1 s, one thread", "at most 0.03 s", f"{whole:.4f} s", whole <= 0.03)
    chunks = timed(network, driven(network, 20), chunk_s=0.005)
    yield _bar(
        "the same every 5 ms", "within 10 %", f"{chunks:.4f} s, {chunks / whole - 1:+.0%}", chunks <= 1.1 * whole
    )
    many = timed(network, driven(network, 200))
    yield _bar("200 neurons driven, 1 s, one thread", "at most 0.25 s", f"{many:.3f} s", many <= 0.25)
    busy, rate = everywhere(network)
    yield _bar(
        "the whole network at 5 Hz, 1 s, two threads",
        "at most 1 s",
        f"{busy:.2f} s at a mean of {rate:.2f} Hz",
        busy <= 1,
    )
    over, peak = memory_over_edges()
    text = f"{over / 1e6:.0f} MB ({peak / 1e6:.0f} MB the whole process)"
    yield _bar("peak memory over the edges at 8 bytes each", "at most 250 MB", text, over <= 250e6)
    agreement, rates = agreement_with_brian2(network)
    text = f"r = {agreement:.4f}, mean rates {rates[0]:.4f} and {rates[1]:.4f} Hz"
    yield _bar("spike counts against brian2, 0.2 s", "r above 0.99", text, agreement > 0.99)


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


def built() -> tuple[SpikingNetwork, float]:
    """The network and the seconds it took, compiled code from the cache or not."""
    from ..brains.synthetic import fly_sized

    started = time.perf_counter()
    network = fly_sized(np.random.default_rng(0))
    return network, time.perf_counter() - started


def driven(network: SpikingNetwork, count: int) -> np.ndarray:
    """The neurons that receive Poisson trains."""
    return np.random.default_rng(1).choice(network.n, count, replace=False)


def timed(
    network: SpikingNetwork, neurons: np.ndarray, chunk_s: float = SECOND, rate_hz: float = RATE_HZ, threads: int = 1
) -> float:
    """Wall seconds for one biological second, best of `REPEATS`; the first run, which compiles, does not count."""
    brain = SpikingBrain(network, threads=threads)

    def episode() -> None:
        for _ in range(round(SECOND / chunk_s)):
            brain.step(None, chunk_s)

    times = []
    for _ in range(REPEATS + 1):
        brain.reset()
        brain.poisson(neurons, rate_hz)
        times.append(_wall(episode))
    return min(times[1:])


def everywhere(network: SpikingNetwork) -> tuple[float, float]:
    """Wall seconds for one second with every neuron driven at 5 Hz, two threads, and the mean rate it had, Hz."""
    neurons = np.arange(network.n)
    seconds = timed(network, neurons, rate_hz=5.0, threads=2)
    brain = SpikingBrain(network, threads=2)
    brain.poisson(neurons, 5.0)
    return seconds, brain.step(None, SECOND).neurons.size / network.n / SECOND


def memory_over_edges() -> tuple[float, float]:
    """Peak bytes of building and running the network over its edges at 8 bytes, and of the whole process.

    The first process may compile, which takes memory of its own once on a machine, and does not count.
    """
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True)
    edges, before, peak = map(int, done.stdout.split())
    return peak - before - EDGE_BYTES * edges, peak


def agreement_with_brian2(network: SpikingNetwork) -> tuple[float, tuple[float, float]]:
    """Correlation of the spike counts of all neurons under the same trains, and the two mean rates, Hz."""
    from ..brains.engines.brian2_spiking import Brian2Spiking

    neurons = driven(network, 200)
    brain = SpikingBrain(network)
    brain.poisson(neurons, RATE_HZ)
    ours = brain.step(None, AGREE_S).spikes
    reference = Brian2Spiking(network, target="cython")
    reference.poisson(neurons, RATE_HZ, 68.75, 0.0)
    _, who = reference.run(round(AGREE_S * 1e3 / network.dt_ms))
    theirs = np.bincount(who, minlength=network.n)
    return float(np.corrcoef(ours, theirs)[0, 1]), (ours.mean() / AGREE_S, theirs.mean() / AGREE_S)


def _wall(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
