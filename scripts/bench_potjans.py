"""The Potjans-Diesmann microcircuit as a published check of the engine: rates of its populations.

`python -m animat.scripts.bench_potjans --scale 0.1` takes a minute; `--scale 1` is the whole model (77,169 neurons, 0.3
billion synapses), 9 GB and a quarter of an hour.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from .potjans import FULL_RATES, POPULATIONS, RULE, Floats, activity, microcircuit, rules

BAR = 0.15  # greatest relative difference of a population's rate


def population_rates(
    seed: int = 0,
    scale: float = 0.1,
    rule: str = RULE,
    duration_s: float = 10.0,
    settle_s: float = 0.5,
    engine: str = "auto",
) -> Floats:
    """Mean rate (Hz) of each population after it has settled, shape (8,).

    Args:
        seed: of the network, of the voltages at the start and of the external input.
        scale: of the number of neurons.
        rule: a key of `rules`.
        duration_s: over which spikes are counted, s.
        settle_s: left out at the start, s.
        engine: of `SpikingBrain`; "nest" is the simulator that the published rates are from.
    """
    rng = np.random.default_rng(seed)
    circuit = microcircuit(rng, rules(scale)[rule], scale)
    spikes = activity(circuit, rng, seed, duration_s, settle_s, engine).spikes
    sizes = np.diff(circuit.first)
    return np.add.reduceat(spikes, circuit.first[:-1]) / sizes / duration_s


def main() -> None:
    """Print the rates of the populations beside those of the full model."""
    parser = argparse.ArgumentParser(description="The Potjans-Diesmann microcircuit beside its published rates.")
    parser.add_argument("--scale", type=float, default=0.1, help="share of the neurons, 1 for all")
    parser.add_argument("--rule", choices=list(rules(1.0)), default=RULE, help="how to make the network smaller")
    parser.add_argument("--seeds", type=int, default=1, help="how many networks")
    parser.add_argument("--seconds", type=float, default=10.0, help="biological seconds in which spikes are counted")
    parser.add_argument("--engine", default="auto", help='"nest" for a comparison')
    given = parser.parse_args()
    for seed in range(given.seeds):
        began = time.perf_counter()
        rates = population_rates(seed, given.scale, given.rule, given.seconds, engine=given.engine)
        rule = "" if given.scale == 1 else f", {given.rule}"
        took = f"{time.perf_counter() - began:.0f} s of wall time"
        print(f"scale {given.scale:g}{rule}, seed {seed}, {given.seconds:g} s, {took}")
        print_rates(rates)


def print_rates(rates: Floats) -> None:
    """A line a population, and how many are within the bar."""
    print("population  this run  full size  difference")
    for name, rate, full in zip(POPULATIONS, rates, FULL_RATES, strict=True):
        note = "" if abs(rate / full - 1) <= BAR else f"  over {BAR:.0%}"
        print(f"{name:10s} {rate:6.2f} Hz {full:7.2f} Hz {rate / full - 1:+10.1%}{note}")
    print(f"{(np.abs(rates / FULL_RATES - 1) <= BAR).sum()} of {len(POPULATIONS)} within {BAR:.0%}")


if __name__ == "__main__":
    main()
