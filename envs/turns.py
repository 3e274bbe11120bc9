"""Sharp turns, from the centreline alone: reversals, omega turns, and pirouettes, which are bouts of either.

A pirouette is a run of sharp turns that follow each other sooner than `BOUT_S`, as Pierce-Shimomura, Morse & Lockery
1999 (J. Neurosci. 19:9557) divide a track into runs and pirouettes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .measures import REVERSAL_MM_S, REVERSAL_S, moving_average, signed_speed

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BOUT_S = 6.13  # s, longest pause within a pirouette: Pierce-Shimomura et al. 1999 (their t_crit, from memory)
OMEGA_BODIES = 0.35  # body lengths between nose and tail tip below which a body is bent like an omega
"""In an omega turn the head nearly touches the tail (Gray, Hill & Bargmann 2005, PNAS 102:3184); how near counts is
assumed. A crawling worm keeps its ends about 0.7 body lengths apart, half a circle 0.64, an omega a third or less."""


def spans(flags: Flags) -> list[tuple[int, int]]:
    """First sample and end (not included) of every stretch where the flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def reversal_spans(time_s: Floats, speed_mm_s: Floats) -> list[tuple[int, int]]:
    """Backward runs of at least `REVERSAL_S`, as samples; the same runs that `measures.reversals` counts."""
    width = max(1, round(REVERSAL_S / float(time_s[1] - time_s[0])))
    backward = moving_average(speed_mm_s, width) < -REVERSAL_MM_S
    return [(start, end) for start, end in spans(backward) if end - start >= width]


def omega_spans(centreline_mm: Floats) -> list[tuple[int, int]]:
    """Stretches of samples in which the ends of the body are within `OMEGA_BODIES` of its length."""
    steps = np.linalg.norm(np.diff(centreline_mm, axis=1), axis=2)
    apart = np.linalg.norm(centreline_mm[:, 0] - centreline_mm[:, -1], axis=1)
    return spans(apart < OMEGA_BODIES * steps.sum(axis=1))


def pirouette_spans(time_s: Floats, centreline_mm: Floats) -> list[tuple[int, int]]:
    """Bouts of reversals and omega turns, as samples in order of time."""
    turns = reversal_spans(time_s, signed_speed(time_s, centreline_mm)) + omega_spans(centreline_mm)
    bouts: list[tuple[int, int]] = []
    for start, end in sorted(turns):
        if bouts and time_s[start] - time_s[bouts[-1][1] - 1] < BOUT_S:
            bouts[-1] = (bouts[-1][0], max(end, bouts[-1][1]))
        else:
            bouts.append((start, end))
    return bouts


def turn_measures(time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
    """Omega turns and pirouettes of a run; its reversals are among the general measures."""
    minutes = float(time_s[-1] - time_s[0]) / 60
    return {
        "omega_turns": len(omega_spans(centreline_mm)),
        "pirouettes_per_min": len(pirouette_spans(time_s, centreline_mm)) / minutes,
    }
