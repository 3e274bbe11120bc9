"""Fits the background of every type of V1 to the spontaneous rates of the Neuropixels units.

Usage: python -m animat.scripts.calibrate_mouse_v1 [--radius 70] [--seed 11] [--steps 26]

The fit uses one column (a radius and a seed) in a grey field; `animat bench mouse-v1` judges others. Every type's
background moves by the logarithm of what its median rate lacks; the steps become smaller. Writes v1_background.csv.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..organisms.mouse.v1 import V1
from ..organisms.mouse.v1_input import target_rates
from ..organisms.mouse.v1_tables import DATA, tables
from ..organisms.mouse.v1_validation import grey_counts

Floats = NDArray[np.float64]

LARGEST = 0.25  # of the logarithm of a background rate in a step


def median_rates(v1: V1, seed: int, duration_s: float) -> Floats:
    """Median rate (Hz) of every type of the first column in a grey field, interpolated between whole counts."""
    spikes = grey_counts(v1, seed, duration_s)
    return np.array([_median(spikes[v1.rows(kind)]) / duration_s for kind in tables().names])


def _median(counts: NDArray[np.int64]) -> float:
    """The median of whole counts, each taken as spread evenly over half a count on both sides."""
    shares = np.cumsum(np.bincount(counts)) / counts.size
    k = int(np.searchsorted(shares, 0.5))
    below = shares[k - 1] if k else 0.0
    return max(k - 0.5 + float((0.5 - below) / (shares[k] - below)), 0.05)


def fit(v1: V1, seed: int, steps: int, seconds: float, start: Floats) -> tuple[Floats, Floats]:
    """Background rates (Hz) of every type, and the median rates (Hz) of the last step."""
    wanted = target_rates()
    background, found = start.copy(), np.zeros_like(wanted)
    for step in range(steps):
        v1.outside(background)
        share = step / max(steps - 1, 1)
        found = median_rates(v1, seed + step, seconds * (1.0 if share < 0.6 else 3.0))
        lacks = np.log(wanted / np.maximum(found, 0.1 * wanted))
        gain = 0.15 * (1.0 - share) + 0.03 * share
        background *= np.exp(np.clip(gain * lacks, -LARGEST, LARGEST))
        print(
            f"step {step:2d}: median |log| {np.median(np.abs(lacks)):.2f}, worst {np.abs(lacks).max():.2f}", flush=True
        )
    return background, found


def main() -> None:
    """Fit and write the table."""
    parser = argparse.ArgumentParser(description="Fit the background of V1.")
    parser.add_argument("--radius", type=float, default=70.0, help="of the column, um")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--steps", type=int, default=26)
    parser.add_argument("--seconds", type=float, default=1.0, help="biological seconds of a step")
    parser.add_argument("--again", action="store_true", help="start from the table")
    given = parser.parse_args()
    path = DATA / "v1_background.csv"
    start = pd.read_csv(path)["rate_hz"].to_numpy(np.float64) if given.again else np.full(tables().n, 4500.0)
    v1 = V1(given.radius, np.random.default_rng(given.seed), ("L",), background_hz=start)
    background, found = fit(v1, given.seed, given.steps, given.seconds, start)
    table = pd.DataFrame({"type": tables().names, "rate_hz": background.round(1), "reached_hz": found.round(3)})
    table["wanted_hz"] = target_rates()
    table["provenance"] = "assumed"
    table["source"] = (
        f"scripts/calibrate_mouse_v1.py on a column of {given.radius:g} um, seed {given.seed}, to the medians of"
        " v1_neuropixels.csv"
    )
    table.to_csv(path, index=False, lineterminator="\n")
    print(table.drop(columns=["provenance", "source"]).to_string())


if __name__ == "__main__":
    main()
