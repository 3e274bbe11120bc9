"""V1 beside the Neuropixels recordings: spontaneous rates in a grey field and selectivity for drifting gratings.

Selectivity is the Allen Institute's global index: |sum r exp(2 i theta)| / sum r for orientation and with exp(i theta)
for direction. Counting noise alone makes it positive; so `selectivity` also gives the part along the direction that
the cell was wired to prefer, which noise leaves at zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .retina import EyeView
from .v1 import V1
from .v1_input import target_rates
from .v1_tables import DATA, tables

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SETTLE_S = 0.4  # s, left out of every run
DIRECTIONS = 8
POOLS = ("E", "PV", "SST", "VIP")
LEAST_HZ = 2.0  # Hz at the best direction, of cells whose index counts: assumed


class Tuning(NamedTuple):
    """Of every type: medians over cells that answer, and selectivity of all along the wired direction."""

    osi: Floats  # (types,)
    dsi: Floats
    along: Floats  # (types,) orientation selectivity of the pooled cells along the wired orientation


def grey_counts(v1: V1, seed: int, duration_s: float) -> Counts:
    """Spikes of every cell in a grey field after it has settled, shape (n,)."""
    view = v1.settings.view
    grey = np.full((len(v1.sides), view.height_px, view.width_px), 0.5)
    v1.reset(seed)
    v1.step(grey, SETTLE_S)
    return v1.step(grey, duration_s).spikes


def spontaneous(v1: V1, seed: int, duration_s: float) -> pd.DataFrame:
    """Median spontaneous rate, Hz, of every type and of all E, PV, SST and VIP cells beside the recorded ones."""
    rates = grey_counts(v1, seed, duration_s) / duration_s
    known, recorded = tables(), pd.read_csv(DATA / "v1_neuropixels.csv").set_index("neuropixels")
    rows = {
        name: (float(np.median(rates[v1.rows(name)])), hz) for name, hz in zip(known.names, target_rates(), strict=True)
    }
    for pool in POOLS:
        cells = np.concatenate([v1.rows(known.names[k]) for k in known.of_class(pool)])
        rows[f"all {pool}"] = (
            float(np.median(rates[cells])),
            float(recorded["spontaneous_hz"].to_dict()[f"all {pool}"]),
        )
    table = pd.DataFrame(rows, index=["model_hz", "measured_hz"]).T
    table["ratio"] = table["model_hz"] / table["measured_hz"]
    return table


def grating(view: EyeView, direction: float, time_s: float, cycles_deg: float = 0.04, hz: float = 2.0) -> Floats:
    """Brightness of a drifting sine grating of 80 % contrast, shape (height, width).

    Args:
        view: of the eye's image.
        direction: in which it drifts, rad.
        time_s: s.
        cycles_deg: cycles per deg, 0.04 as in the recordings.
        hz: temporal frequency, as there.
    """
    azimuth, elevation = np.meshgrid(view.azimuth, view.elevation)
    along = azimuth * np.cos(direction) + elevation * np.sin(direction)
    return np.asarray(0.5 + 0.4 * np.sin(2.0 * np.pi * (cycles_deg * along - hz * time_s)))


def grating_counts(v1: V1, seed: int, duration_s: float) -> Counts:
    """Spikes of every cell under gratings of eight directions, shape (DIRECTIONS, n)."""
    frame, found = v1.settings.frame_s, []
    for k in range(DIRECTIONS):
        v1.reset(seed + k)
        total = np.zeros(v1.n, np.int64)
        for step in range(round((SETTLE_S + duration_s) / frame)):
            image = grating(v1.settings.view, 2.0 * np.pi * k / DIRECTIONS, step * frame)
            spikes = v1.step(np.stack([image] * len(v1.sides)), frame).spikes
            total += spikes if step * frame >= SETTLE_S else 0
        found.append(total)
    return np.array(found)


def selectivity(v1: V1, counts: Counts, duration_s: float) -> Tuning:
    """Orientation and direction selectivity of every type.

    Args:
        v1: whose cells.
        counts: of `grating_counts`.
        duration_s: in which they were counted, s.
    """
    turn = np.exp(2j * np.pi * np.arange(len(counts)) / len(counts))[:, None]
    found = []
    for name in tables().names:
        rows = v1.rows(name)
        rates, total = counts[:, rows], np.maximum(counts[:, rows].sum(axis=0), 1)
        answers = rates.max(axis=0) >= LEAST_HZ * duration_s
        osi, dsi = (np.abs((rates * turn**power).sum(axis=0)) / total for power in (2, 1))
        wired = (rates * turn**2 * np.exp(-2j * v1.angle[rows])).sum().real / max(rates.sum(), 1)
        medians = [float(np.median(index[answers])) if answers.any() else np.nan for index in (osi, dsi)]
        found.append((*medians, float(wired)))
    osi, dsi, along = np.array(found).T
    return Tuning(osi, dsi, along)
