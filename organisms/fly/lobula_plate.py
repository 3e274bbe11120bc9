"""The lobula plate: what wide-field and looming cells make of T4 and T5.

Wide-field cells (HS, VS, H2) and the lobula-plate intrinsic cells (LPi) that oppose directions are summed by the
synapse counts of FlyWire (`lobula_plate.csv`). LPLC2 is laid out as published (Klapoetke et al. 2017, from memory):
each cell reads the four layers along four arms that point away from its centre, each layer on the arm of its own
preferred X of the opposing inhibition and the threshold are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...bodies.eyes import lattice_places

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDER = files(__package__)
LAYERS = "abcd"
MOTION = tuple(f"T{number}{layer}" for number in (4, 5) for layer in LAYERS)
OPPOSITE = {"a": "b", "b": "a", "c": "d", "d": "c"}
DIRECTION = {"a": (-1.0, 0.0), "b": (1.0, 0.0), "c": (0.0, 1.0), "d": (0.0, -1.0)}  # forward, up; Maisak et al. 2013
WIDE_FIELD = ("HSN", "HSE", "HSS", "H2", "VS1", "VS2", "VS3", "VS4", "VS5", "VS6", "VS7", "VS8")
OPPOSING = ("LPi09", "LPi11", "LPi14", "LPi15")


@dataclass(frozen=True, kw_only=True)
class LobulaPlateSettings:
    """Numbers that the wiring does not give; all assumed."""

    half_wide: float = 0.02  # release of a T4 or T5 cell at half of what it gives wide-field cells; they saturate early
    half_looming: float = 0.1  # the same for LPLC2; both in the units of `ColumnNetwork`
    inhibition: float = 2.0  # weight of an inhibitory synapse over that of an excitatory one, as in the columns
    tau_ms: float = 10.0  # ms, of the wide-field cells
    reach: float = 6.0  # columns, length of an arm of LPLC2: 30 deg, for a field of 60 deg
    spread_deg: float = 45.0  # deg, half angle of an arm
    spacing: int = 2  # columns between LPLC2 centres: 169 of them in an eye of 721 columns (FlyWire has 102 a side)
    opposition: float = 0.7  # opposing over exciting synapses of LPLC2; the four LPi types counted come to 0.19
    threshold: float = 0.03  # LPLC2 is silent below; share of full outward motion on all arms

    def __post_init__(self) -> None:
        for name in (
            "half_wide",
            "half_looming",
            "inhibition",
            "tau_ms",
            "reach",
            "spread_deg",
            "spacing",
            "threshold",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"LobulaPlateSettings: {name} ({getattr(self, name)}) must be above 0")
        if not self.opposition >= 0:
            raise ValueError(f"LobulaPlateSettings: opposition ({self.opposition}) must be 0 or more")


def published_counts() -> pd.DataFrame:
    """FlyWire synapse counts between types, both sides, `lobula_plate.csv`."""
    with FOLDER.joinpath("lobula_plate.csv").open() as file:
        return pd.read_csv(file)


class LobulaPlate:
    """Wide-field and looming cells of every eye, with their state.

    Args:
        columns: lattice coordinates p, q, (n, 2).
        settings: see `LobulaPlateSettings`.
        eyes: how many.
        counts: as `published_counts`.
    """

    def __init__(
        self,
        columns: Ints,
        settings: LobulaPlateSettings | None = None,
        eyes: int = 2,
        counts: pd.DataFrame | None = None,
    ) -> None:
        self.settings = LobulaPlateSettings() if settings is None else settings
        counts = published_counts() if counts is None else counts
        self.cells = (*OPPOSING, *WIDE_FIELD)
        self._weights = _shares(counts, self.cells, self.settings.inhibition)
        self._activity = np.zeros((eyes, len(self.cells)))
        self.centres = np.flatnonzero((columns % self.settings.spacing == 0).all(axis=1))
        self._arms = _arms(columns, self.centres, self.settings)
        self._outward, self._inward = _lplc2_weights(counts, self.settings)
        self.lplc2 = np.zeros((eyes, len(self.centres)))  # each cell, 0 at its threshold, 1 at twice its threshold

    def reset(self) -> None:
        """Back to rest."""
        self._activity[:] = 0.0
        self.lplc2[:] = 0.0

    def step(self, release: Floats, duration_s: float) -> None:
        """Advance.

        Args:
            release: of T4a to T5d in the order of `MOTION`, (8, eyes, n columns).
            duration_s: s.
        """
        wide, looming = (calcium(release, half) for half in (self.settings.half_wide, self.settings.half_looming))
        source = np.concatenate([wide.mean(axis=2).T, np.maximum(self._activity, 0.0)], axis=1)
        advance = 1.0 - np.exp(-duration_s * 1e3 / self.settings.tau_ms)
        self._activity += advance * (source @ self._weights.T - self._activity)
        net = np.tensordot(self._outward - self._inward, looming, axes=1)
        arms = np.stack([arm @ on.T for arm, on in zip(self._arms, net, strict=True)])  # (4 layers, centres, eyes)
        together = 4.0 * np.prod(np.maximum(arms, 0.0), axis=0) ** 0.25
        self.lplc2 = np.maximum(together.T / self.settings.threshold - 1.0, 0.0)

    def activity(self, name: str) -> Floats:
        """One wide-field type in every eye, -1 to 1, shape (eyes,)."""
        return np.asarray(self._activity[:, self.cells.index(name)].copy())

    @property
    def state(self) -> dict[str, Floats]:
        """All that changes, as copies."""
        return {"wide_field": self._activity.copy(), "lplc2": self.lplc2.copy()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Continue exactly from a `state`."""
        self._activity[:] = state["wide_field"]
        self.lplc2 = np.array(state["lplc2"])


def calcium(release: Floats, half: float) -> Floats:
    """Output of T4 and T5, 0 to 1: it grows with the square of a weak signal and is 1/2 at `half`; any shape.

    The step from voltage to calcium makes these cells more direction-selective than their voltage is (Wienecke et al.
    2018, from memory); the exponent 2 and the half point are assumed.
    """
    square = release * release
    return np.asarray(square / (square + half * half))


def _shares(counts: pd.DataFrame, cells: tuple[str, ...], inhibition: float) -> Floats:
    """Signed shares of every cell's inputs, rows cells, columns T4a to T5d and then the cells themselves."""
    sources = (*MOTION, *cells)
    rows = counts[counts["source"].isin(sources) & counts["target"].isin(cells)]
    weight = rows["sign"] * (rows["synapses_right"] + rows["synapses_left"]).astype(float)
    weights = np.zeros((len(cells), len(sources)))
    for source, target, value in zip(rows["source"], rows["target"], weight, strict=True):
        weights[cells.index(target), sources.index(source)] += value if value > 0 else value * inhibition
    return np.asarray(weights / np.abs(weights).sum(axis=1, keepdims=True))


def _lplc2_weights(counts: pd.DataFrame, settings: LobulaPlateSettings) -> tuple[Floats, Floats]:
    """What an arm of each layer takes from each motion type, outward and inward, (4 layers, 8 types).

    Outward: each type's share of the motion input of LPLC2, so that full outward motion on all arms makes 1. Inward:
    the types of the opposite direction, as strong as the layer's own times the opposition and the inhibition.
    """
    rows = counts[(counts["target"] == "LPLC2") & counts["source"].isin(MOTION)].set_index("source")
    number = (rows["synapses_right"] + rows["synapses_left"]).reindex(MOTION).to_numpy(dtype=float)
    outward, inward = np.zeros((4, len(MOTION))), np.zeros((4, len(MOTION)))
    for i, layer in enumerate(LAYERS):
        own = [MOTION.index(f"T{kind}{layer}") for kind in (4, 5)]
        against = [MOTION.index(f"T{kind}{OPPOSITE[layer]}") for kind in (4, 5)]
        outward[i, own] = number[own] / number.sum()
        inward[i, against] = settings.inhibition * settings.opposition * outward[i, own].mean()
    return outward, inward


def _arms(columns: Ints, centres: Ints, settings: LobulaPlateSettings) -> list[csr_array]:
    """For each layer the columns on its arm of every centre as shares of a whole arm, (centres, n columns)."""
    places = lattice_places(columns)
    offset = places[None] - places[centres][:, None]
    distance = np.hypot(offset[..., 0], offset[..., 1])
    arms = []
    for layer in LAYERS:
        along = offset @ np.array(DIRECTION[layer])
        inside = (distance > 0) & (distance <= settings.reach + 1e-9)
        inside &= along >= distance * np.cos(np.radians(settings.spread_deg)) - 1e-9
        arms.append(csr_array(inside / max(int(inside.sum(axis=1).max(initial=1)), 1)))
    return arms
