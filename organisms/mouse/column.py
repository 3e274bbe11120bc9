"""A column of mouse V1, drawn from connection probabilities that were measured by electron microscopy.

It is a statistical instantiation: its cells and synapses are those of no animal. Nineteen types have the published
areal densities and depths; two cells at a lateral distance r are connected with probability
pmax exp(-r^2 / 2 sigma^2), excitatory cells more often when they prefer the same orientation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.compact import CompactConnectome
from ...brains.connectome import Source
from .v1_sampling import TILE_UM, Cells, Rule, connect
from .v1_tables import Tables, tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRANSMITTER = {1: "glutamate", -1: "GABA"}
SMALLEST_UM = 20.0
MOST_TARGETS = 430  # of a cell on average, in a column without borders
SOURCE = Source(
    "statistically instantiated from connection probabilities of V1DD electron microscopy and densities of the Allen"
    " biorealistic V1 model (AllenInstitute/biorealistic-v1-model)",
    licence="BSD-3-Clause",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """Cells of a disc of cortex and their connections; rows are sorted by type."""

    connectome: CompactConnectome  # every edge counts as one connected pair; provenance "derived"
    kind: NDArray[np.uint8]  # (n,) place in `tables().names`
    angle: Floats  # (n,) rad, preferred direction of motion: assumed, uniform and without order (salt and pepper)
    radius_um: float

    @property
    def n(self) -> int:
        """Number of cells."""
        return int(self.kind.size)


def column(radius_um: float, rng: np.random.Generator, side: str = "") -> Column:
    """Draw a column.

    Args:
        radius_um: of the disc of cortex, um: 50 gives 1,000 cells, 200 16,600, 550 126,000.
        rng: of positions, preferred directions and connections.
        side: of the brain, "L", "R" or "".

    Raises:
        ValueError: a radius too small to hold a cell of every type, or not finite.
    """
    if not SMALLEST_UM <= radius_um < math.inf:
        raise ValueError(f"column: radius_um must be {SMALLEST_UM:g} um or more, got {radius_um} um")
    known = tables()
    cells, depth, angle = _place(known, radius_um, rng)
    rule = Rule(known.pmax, known.sigma_um, known.like)
    start, target = connect(cells, rule, rng, cells.kind.size * MOST_TARGETS // 2)
    made = CompactConnectome(
        neurons=_neurons(known, cells, depth, side),
        start=start,
        target=target,
        count=np.ones(target.size, np.int16),
        sign=np.repeat(known.sign[cells.kind], np.diff(start)),
        source=SOURCE.changed(f"drew a column of {radius_um:g} um radius"),
        provenance="derived",
        sign_provenance="derived",
    )
    return Column(connectome=made, kind=cells.kind, angle=angle, radius_um=radius_um)


def _place(known: Tables, radius_um: float, rng: np.random.Generator) -> tuple[Cells, Floats, Floats]:
    """Cells at random places of the disc, sorted by type and tile, their depths (um) and preferred directions (rad)."""
    numbers = np.maximum(np.rint(known.per_um2 * math.pi * radius_um**2), 1).astype(np.int64)
    kind = np.repeat(np.arange(known.n, dtype=np.uint8), numbers)
    n = kind.size
    away, around = radius_um * np.sqrt(rng.random(n)), rng.uniform(0.0, 2.0 * math.pi, n)
    x, y = away * np.cos(around), away * np.sin(around)
    across = math.ceil(2.0 * radius_um / TILE_UM)
    tile_x, tile_y = (np.floor((p + radius_um) / TILE_UM).astype(np.int64).clip(0, across - 1) for p in (x, y))
    tile = tile_x * across + tile_y
    order = np.lexsort((tile, kind))
    tiles = np.arange(across * across)
    first = np.searchsorted(
        kind[order].astype(np.int64) * tiles.size + tile[order],
        np.arange(known.n)[:, None] * tiles.size + np.arange(tiles.size + 1)[None, :],
    )
    top, bottom = (known.types[name].to_numpy(np.float64)[kind] for name in ("top_um", "bottom_um"))
    angle = rng.uniform(0.0, 2.0 * math.pi, n)
    cells = Cells(
        x=x[order],
        y=y[order],
        cos=np.cos(2.0 * angle),
        sin=np.sin(2.0 * angle),
        kind=kind,
        first=first.astype(np.int64),
        low_x=np.asarray((tiles // across) * TILE_UM - radius_um, dtype=np.float64),
        low_y=np.asarray((tiles % across) * TILE_UM - radius_um, dtype=np.float64),
    )
    return cells, rng.uniform(top, bottom), angle


def _neurons(known: Tables, cells: Cells, depth: Floats, side: str) -> pd.DataFrame:
    n = cells.kind.size
    kinds = np.array(known.names, dtype=object)[cells.kind]
    prefix = f"V1_{side}_" if side else "V1_"
    return pd.DataFrame(
        {
            "name": [f"{prefix}{kind}_{i}" for i, kind in enumerate(kinds)],
            "type": kinds,
            "role": "inter",
            "transmitter": np.array([TRANSMITTER[int(sign)] for sign in known.sign], dtype=object)[cells.kind],
            "side": np.full(n, side, dtype=object),
            "x_um": cells.x,
            "y_um": cells.y,
            "z_um": -depth,
        }
    )
