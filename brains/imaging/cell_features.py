"""What a segment is like: its shape, its greys, and the synapses on it, as one row of numbers.

Shape comes of moments and surface (`cell_sums`) and of the skeleton on the coarse grid. Numbers that vary over decades
are logarithms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .coarse import Coarse
from .skeletons import Skeleton, skeletonise
from .volume import Voxel

__all__ = ["FEATURES", "cell_features"]

Floats = NDArray[np.float64]
FEW = 8  # coarse cells; assumed: a segment of fewer gets no skeleton, its numbers are those of a ball
FEATURES = (
    "volume",  # log um3
    "thickness",  # log nm, volume over half the surface
    "roundness",  # log of the surface of a ball of that volume over its own
    "long",  # log of the longest over the middle extent
    "flat",  # log of the middle over the shortest extent
    "spread",  # log of its mean extent over that of a ball of that volume
    "inner",  # share of its voxels that lie deep inside
    "bright",  # mean grey inside, less that of all segments, in their standard deviations
    "varied",  # standard deviation of grey inside, over that of all segments
    "cable",  # log of length of skeleton over that of a tube of its volume and mean radius
    "radius",  # log nm, mean radius along the skeleton
    "beaded",  # standard deviation of that radius over its mean
    "trunk",  # longest path through the skeleton over all of it
    "ends",  # ends of the skeleton for every um of it, log of 1 and these
    "sends",  # synapses for every um2 of surface at which it sends, log of 1 and these
    "receives",  # the same, at which it receives
)


def cell_features(totals: pd.DataFrame, cells: Coarse, synapses: pd.DataFrame, voxel_nm: Voxel) -> pd.DataFrame:
    """Features of every segment.

    Args:
        totals: of `cell_sums`.
        cells: the same segments on the coarse grid.
        synapses: table of that name; what is less sure counts less. May be empty.
        voxel_nm: size of a voxel, nm.

    Returns:
        Columns FEATURES, in the order of `totals`.
    """
    shape, surface_um2 = _shape(totals, voxel_nm)
    parts = [
        shape,
        _greys(totals),
        _skeletons(totals, cells, voxel_nm),
        _densities(totals["label"], synapses, surface_um2),
    ]
    return pd.concat(parts, axis=1)[list(FEATURES)]


def _shape(totals: pd.DataFrame, voxel_nm: Voxel) -> tuple[pd.DataFrame, Floats]:
    """Features of size, surface and moments; also the surface, um2."""
    size = np.array(voxel_nm)
    voxels = totals["voxels"].to_numpy(dtype=np.float64)
    volume = voxels * size.prod()
    crossed = totals[["faces_z", "faces_y", "faces_x"]].to_numpy() * (size.prod() / size)
    surface = np.maximum(crossed.sum(axis=1) / 1.5, size.min() ** 2)  # faces overstate a surface by a half on average
    extent = np.sqrt(np.maximum(np.linalg.eigvalsh(_moments(totals, size)), 0) + (size.min() ** 2) / 12)
    ball = np.cbrt(3 * volume / (4 * np.pi))  # nm, its radius
    table = pd.DataFrame(
        {
            "volume": np.log(volume * 1e-9),
            "thickness": np.log(2 * volume / surface),
            "roundness": np.log(4 * np.pi * ball**2 / surface),
            "long": np.log(extent[:, 2] / extent[:, 1]),
            "flat": np.log(extent[:, 1] / extent[:, 0]),
            "spread": np.log(np.sqrt(np.square(extent).sum(axis=1)) / (ball * np.sqrt(0.6))),
            "inner": totals["inner"].to_numpy() / voxels,
        }
    )
    return table, surface * 1e-6


def _moments(totals: pd.DataFrame, size: Floats) -> Floats:
    """Covariance of the places of every segment's voxels, nm2, shape (n, 3, 3)."""
    voxels = totals["voxels"].to_numpy(dtype=np.float64)
    middle = totals[["z", "y", "x"]].to_numpy() / voxels[:, None]
    out = np.empty((len(totals), 3, 3))
    for a, first in enumerate("zyx"):
        for b, second in enumerate("zyx"):
            name = first + second if first + second in totals.columns else second + first
            out[:, a, b] = totals[name].to_numpy() / voxels - middle[:, a] * middle[:, b]
    return out * np.outer(size, size)


def _greys(totals: pd.DataFrame) -> pd.DataFrame:
    count = np.maximum(totals["inner"].to_numpy(dtype=np.float64), 1.0)
    mean = totals["grey"].to_numpy() / count
    spread = np.sqrt(np.maximum(totals["grey2"].to_numpy() / count - mean**2, 0.0))
    all_count = max(float(totals["inner"].sum()), 1.0)
    all_mean = float(totals["grey"].sum()) / all_count
    all_spread = max(np.sqrt(max(float(totals["grey2"].sum()) / all_count - all_mean**2, 0.0)), 1.0)
    there = totals["inner"].to_numpy() > 0
    return pd.DataFrame(
        {
            "bright": np.where(there, (mean - all_mean) / all_spread, 0.0),
            "varied": np.where(there, spread / all_spread, 1.0),
        }
    )


def _skeletons(totals: pd.DataFrame, cells: Coarse, voxel_nm: Voxel) -> pd.DataFrame:
    volume_nm3 = totals["voxels"].to_numpy() * float(np.prod(voxel_nm))
    few = np.searchsorted(cells.label, totals["label"], "right") - np.searchsorted(cells.label, totals["label"], "left")
    rows = []
    for label, volume, count in zip(totals["label"].tolist(), volume_nm3, few, strict=True):
        rows.append(_along(skeletonise(cells, label), volume) if count >= FEW else _ball(volume))
    return pd.DataFrame(rows, columns=["cable", "radius", "beaded", "trunk", "ends"])


def _along(skeleton: Skeleton, volume_nm3: float) -> tuple[float, ...]:
    radius = max(float(skeleton.radius_nm.mean()), 1.0)
    cable = skeleton.cable_um * 1e3 + 2 * radius
    tube = volume_nm3 / (np.pi * radius**2)
    beaded = float(skeleton.radius_nm.std()) / radius
    trunk = (_longest_nm(skeleton) + 2 * radius) / cable
    ends = len(skeleton.ends) / (cable * 1e-3)
    return float(np.log(cable / tube)), float(np.log(radius)), beaded, trunk, float(np.log1p(ends))


def _longest_nm(skeleton: Skeleton) -> float:
    """Length of the longest path through a skeleton; parents come before their children."""
    parent = skeleton.parent
    steps = np.where(parent >= 0, np.linalg.norm(skeleton.points_nm - skeleton.points_nm[parent], axis=1), 0.0)
    below, longest = np.zeros(len(parent)), 0.0  # longest way down from each point
    for row in range(len(parent) - 1, 0, -1):
        above, way = parent[row], below[row] + steps[row]
        if above >= 0:
            longest = max(longest, float(below[above] + way))
            below[above] = max(below[above], way)
    return longest


def _ball(volume_nm3: float) -> tuple[float, ...]:
    radius = float(np.cbrt(3 * volume_nm3 / (4 * np.pi)))
    return float(np.log(1.5)), float(np.log(radius)), 0.0, 1.0, float(np.log1p(1e3 / radius))


def _densities(label: pd.Series[int], synapses: pd.DataFrame, surface_um2: Floats) -> pd.DataFrame:
    """Synapses, each weighed by its confidence, for every um2."""
    out = {}
    for name, side in (("sends", "pre"), ("receives", "post")):
        counts = synapses.groupby(side)["confidence"].sum()
        out[name] = np.log1p(label.map(counts).fillna(0.0).to_numpy(dtype=np.float64) / surface_um2)
    return pd.DataFrame(out)
