"""Find the in-degrees with which a small microcircuit shares as much input as the whole one; rates are not looked at.

`python -m animat.scripts.match_potjans --full` measures the shared input of the whole model (9 GB, minutes);
`python -m animat.scripts.match_potjans` then looks for the exponents `SHARED` of potjans.py at a tenth, on seeds that
the benchmark does not use.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.signal import lfilter

from ..brains.spiking_brain import SpikingActivity
from .potjans import (
    SHARED,
    Floats,
    Microcircuit,
    Rule,
    activity,
    full_in_degrees,
    full_weights,
    microcircuit,
    mv_per_hz_pa,
    rules,
)

SCALE = 0.1
FULL_MV = np.array([2.872, 1.409, 1.671, 1.537, 1.545, 1.018, 1.426, 0.711])  # mV, measured with --full: seed 0, 2.5 s
FIRST_SEED = 110
GAIN = 0.3  # below 1: shared input grows faster than the in-degrees
STEP_MS = 0.1
MEMORY_MS = 10.0  # of the membrane
SETTLE_S = 0.5


def shared_input_mv(circuit: Microcircuit, kept: Rule, spikes: SpikingActivity, duration_s: float) -> Floats:
    """Standard deviation of the part of its input that all neurons of a population share, mV, shape (8,).

    It is what the mean rates of the populations bring a neuron with average in-degrees, smoothed by its membrane.
    """
    sizes, count = np.diff(circuit.first), round(duration_s * 1e3 / STEP_MS)
    population = np.searchsorted(circuit.first, spikes.neurons, side="right") - 1
    steps = spikes.steps - round(SETTLE_S * 1e3 / STEP_MS)
    rates = np.bincount(population * count + steps, minlength=8 * count).reshape(8, count) / sizes[:, None]
    weights = full_in_degrees() * full_weights() * kept.recurrent[:, None] * kept.weight
    arriving = weights @ rates * (1e3 / STEP_MS) * mv_per_hz_pa()
    fade = float(np.exp(-STEP_MS / MEMORY_MS))
    smooth = lfilter([1.0 - fade], [1.0, -fade], arriving - arriving.mean(axis=1, keepdims=True), axis=1)
    return np.asarray(smooth.std(axis=1), dtype=np.float64)


def measured(kept: Rule, scale: float, seed: int, duration_s: float) -> Floats:
    """Shared input of a network, mV, shape (8,)."""
    rng = np.random.default_rng(seed)
    circuit = microcircuit(rng, kept, scale)
    return shared_input_mv(circuit, kept, activity(circuit, rng, seed, duration_s, SETTLE_S), duration_s)


def main() -> None:
    """Print the shared input of the whole model, or the exponents round by round."""
    parser = argparse.ArgumentParser(description="Match the shared input of the small microcircuit to the whole one.")
    parser.add_argument("--full", action="store_true", help="measure the whole model")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0, help="biological seconds of a run")
    given = parser.parse_args()
    if given.full:
        print(np.round(measured(rules(1.0)["in-degrees-kept"], 1.0, 0, given.seconds), 3))
        return
    exponents = SHARED
    for k in range(given.rounds):
        kept = Rule(recurrent=SCALE**exponents, weight=1.0, external=1.0)
        ratio = measured(kept, SCALE, FIRST_SEED + k, given.seconds) / FULL_MV
        print("exponents", np.round(exponents, 3), "shared input against the whole", np.round(ratio, 2))
        exponents = np.maximum(exponents + GAIN * np.log(ratio) / np.log(1.0 / SCALE), 0.0)


if __name__ == "__main__":
    main()
