"""Comparisons over seeds: means with bootstrap intervals, paired differences and effect sizes.

A seed sets the posture, the heading and the starting voltages, so live and control runs of one seed are a pair and
their difference is taken seed by seed. The effect size is Hedges' g, whose scale is the spread between seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
COVERAGE = 0.95
LEAST_N = 3  # an interval of fewer values says nothing
ROUNDING = 1e-12  # of the largest value: a smaller spread is the rounding of equal values


class Mean(NamedTuple):
    """A mean over seeds with its interval, in the unit of the measure."""

    n: int  # values that are numbers
    mean: float  # NaN without any
    low: float  # of the 95 % percentile bootstrap interval; NaN for fewer than `LEAST_N` values
    high: float


class Contrast(NamedTuple):
    """A control against the live animal; positive where the control has more."""

    difference: Mean  # of the pairs, control less live
    g: float  # Hedges' g; infinite where neither varies and they differ, NaN where it cannot be had


def mean(values: Floats, rng: np.random.Generator) -> Mean:
    """Mean and bootstrap interval of those values that are numbers.

    Args:
        values: one a seed, shape (n,); NaN where a run had nothing to measure.
        rng: of the resampling.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return Mean(0, np.nan, np.nan, np.nan)
    if known.size < LEAST_N:
        return Mean(known.size, float(known.mean()), np.nan, np.nan)
    drawn = known[rng.integers(known.size, size=(RESAMPLES, known.size))].mean(axis=1)
    low, high = np.quantile(drawn, ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    return Mean(known.size, float(known.mean()), float(low), float(high))


def contrast(control: Floats, live: Floats, rng: np.random.Generator) -> Contrast:
    """A control against the live animal on the same seeds.

    Args:
        control: one value a seed, shape (n,).
        live: of the same seeds in the same order, shape (n,).
        rng: of the resampling.

    Raises:
        ValueError: shapes that differ.
    """
    if control.shape != live.shape:
        raise ValueError(f"contrast: the control has shape {control.shape}, the live animal {live.shape}")
    return Contrast(mean(control - live, rng), hedges_g(control, live))


def hedges_g(control: Floats, live: Floats) -> float:
    """Standardised difference of two means with the small-sample factor.

    Source: Hedges 1981, J. Educ. Stat. 6:107; factor 1 - 3 / (4 (n1 + n2) - 9).
    """
    first, second = (values[np.isfinite(values)] for values in (control, live))
    if min(first.size, second.size) < 2:
        return float("nan")
    difference = float(first.mean() - second.mean())
    freedom = first.size + second.size - 2
    squares = (first.size - 1) * first.var(ddof=1) + (second.size - 1) * second.var(ddof=1)
    spread = float(np.sqrt(squares / freedom))
    scale = max(float(np.abs(first).max()), float(np.abs(second).max()))
    if spread <= ROUNDING * scale:
        return float(np.copysign(np.inf, difference)) if abs(difference) > ROUNDING * scale else 0.0
    return float(difference / spread * (1 - 3 / (4 * (freedom + 2) - 9)))
