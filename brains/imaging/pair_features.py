"""What speaks for and against two touching regions being one neurite: boundary, contact, shape, direction.

All of it comes of sums over fragments and over pairs of them, so it is had for any union of fragments without going
back to the voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pieces import Pieces
from .region_graph import BINS

__all__ = ["FEATURES", "Contacts", "contacts", "features"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
QUANTILES = (0.03, 0.1, 0.25, 0.5, 0.75, 0.9)
HOLE = 10  # bins of boundary strength, of 32, that count as a gap in the membrane; assumed
FEATURES = (
    *(f"strength_{round(100 * q)}" for q in QUANTILES),  # quantiles of boundary strength over the contact, 0 to 1
    "strength_mean",  # 0 to 1
    "hole_share",  # of the contact's faces without boundary, 0 to 1
    "contact_area",  # log nm2
    "hole_area",  # log nm2, of faces without boundary
    "volume_less",  # log nm3, of the smaller region
    "volume_more",  # log nm3, of the larger
    "contact_fill",  # log of the contact's area over the thinner side's cross-section
    "radius_ratio",  # log of the thicker side's radius over the thinner's
    "long_less",  # log of how much longer than wide the rounder side is
    "long_more",  # the same of the longer side
    "aligned",  # |cosine| between the long axes of both sides
    "onward",  # least |cosine| of a long axis with the way from one centre to the other
    "facing",  # least |cosine| of a long axis with the contact's normal
    "flat",  # log of the contact's width over its thickness
    "enclosed_less",  # share of the smaller region's surface that touches the larger, 0 to 1
    "enclosed_more",  # the same of the larger region's
    "grey_less",  # bright part (upper quartile) of the smaller region, in spreads of the volume's grey values
    "grey_differs",  # how much it differs from the larger region's
    "contact_grey",  # median grey value of the contact
    "contact_dip",  # how much darker the contact is than the darker region's median
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Contacts:
    """Every two regions that touch.

    Args:
        regions: shape (m, 2), the lower first.
        order: shape (e,), edges between fragments, those of one contact together.
        starts: shape (m + 1,): contact k has edges order[starts[k]:starts[k + 1]].
    """

    regions: Ints
    order: Ints
    starts: Ints

    def edges(self, contact: int) -> Ints:
        """Edges between fragments of one contact."""
        return self.order[self.starts[contact] : self.starts[contact + 1]]


def contacts(pieces: Pieces, regions: Ints) -> Contacts:
    """Contacts between different regions.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment; 0 is nothing.
    """
    ends = np.sort(regions[pieces.pairs], axis=1)
    edges = np.flatnonzero((ends[:, 0] != ends[:, 1]) & (ends[:, 0] > 0))
    order = edges[np.lexsort((ends[edges, 1], ends[edges, 0]))]
    sides = ends[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (sides[1:] != sides[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    return Contacts(regions=sides[starts], order=order, starts=np.append(starts, len(order)))


def features(pieces: Pieces, regions: Ints, found: Contacts) -> Floats:
    """Features of every contact, shape (m, `FEATURES`).

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), that the contacts are of.
        found: the contacts.
    """
    m = len(found.regions)
    if not m:
        return np.zeros((0, len(FEATURES)))
    counts = np.add.reduceat(pieces.counts[found.order], found.starts[:-1], axis=0).astype(np.float64)
    contact = np.add.reduceat(pieces.contact[found.order], found.starts[:-1], axis=0)
    whole = np.zeros((int(regions.max()) + 1, pieces.moments.shape[1]))
    np.add.at(whole, regions, pieces.moments)
    volume = whole[:, 0][found.regions] * pieces.voxel_nm3
    area = counts.sum(axis=1) * pieces.face_nm2
    hole = counts[:, :HOLE].sum(axis=1) * pieces.face_nm2
    sides = [_near(pieces, regions, found, side) for side in (0, 1)]
    return np.column_stack(
        [
            *(_quantile(counts, q) for q in QUANTILES),
            counts @ (np.arange(BINS) + 0.5) / (counts.sum(axis=1) * BINS),
            hole / area,
            np.log(area),
            np.log(hole + pieces.face_nm2),
            np.log(volume.min(axis=1)),
            np.log(volume.max(axis=1)),
            *_shapes(sides, contact, area),
            *_enclosed(pieces, regions, found, whole[:, 0]),
            *_greys(pieces, regions, found, whole[:, 0]),
        ]
    )


def _near(pieces: Pieces, regions: Ints, found: Contacts, side: int) -> Floats:
    """Moments of the fragments of one side that take part in each contact, shape (m, 10)."""
    m = len(found.regions)
    contact = np.repeat(np.arange(m), np.diff(found.starts))
    ends = pieces.pairs[found.order]
    wanted = found.regions[contact, side]
    fragment = np.where(regions[ends[:, 0]] == wanted, ends[:, 0], ends[:, 1])
    seen = np.unique(contact * len(regions) + fragment)
    total = np.zeros((m, pieces.moments.shape[1]))
    np.add.at(total, seen // len(regions), pieces.moments[seen % len(regions)])
    return total


def _shapes(sides: list[Floats], contact: Floats, area: Floats) -> list[Any]:
    """From "contact_fill" on."""
    (centre_a, axes_a, widths_a), (centre_b, axes_b, widths_b) = map(_ellipsoid, sides)
    _, axes_c, widths_c = _ellipsoid(contact)
    # a rod of radius r has a variance of r^2 / 4 across
    section_a, section_b = (4 * np.pi * w[:, 0] * w[:, 1] * 1e6 for w in (widths_a, widths_b))
    way = centre_b - centre_a
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    long_a, long_b = axes_a[:, :, 2], axes_b[:, :, 2]
    normal = axes_c[:, :, 0]
    longer = np.sort(np.log(np.stack([w[:, 2] / w[:, 1] for w in (widths_a, widths_b)])), axis=0)
    return [
        np.log(area / np.minimum(section_a, section_b)),
        0.5 * np.abs(np.log(section_a / section_b)),
        longer[0],
        longer[1],
        _cosine(long_a, long_b),
        np.minimum(_cosine(long_a, way), _cosine(long_b, way)),
        np.minimum(_cosine(long_a, normal), _cosine(long_b, normal)),
        np.log(widths_c[:, 1] / widths_c[:, 0]),
    ]


def _ordered(found: Contacts, voxels: Floats) -> tuple[Ints, Ints]:
    """The smaller and the larger region of every contact."""
    swap = voxels[found.regions[:, 0]] > voxels[found.regions[:, 1]]
    less = np.where(swap, found.regions[:, 1], found.regions[:, 0])
    return less, found.regions.sum(axis=1) - less


def _enclosed(pieces: Pieces, regions: Ints, found: Contacts, voxels: Floats) -> list[Floats]:
    """Shares of the surfaces; the ends of the volume are no surface."""
    faces = np.add.reduceat(pieces.contact[found.order, 0], found.starts[:-1])
    surface = np.zeros(len(voxels))
    for side in (0, 1):
        np.add.at(surface, found.regions[:, side], faces)
    return [faces / surface[region] for region in _ordered(found, voxels)]


def _greys(pieces: Pieces, regions: Ints, found: Contacts, voxels: Floats) -> list[Floats]:
    greys = np.zeros((len(voxels), pieces.grey.shape[1]))
    np.add.at(greys, regions, pieces.grey)
    total = pieces.grey[1:].sum(axis=0, keepdims=True)
    middle = float(_quantile(total, 0.5)[0])
    spread = max(float((_quantile(total, 0.75) - _quantile(total, 0.25))[0]), 1 / BINS)
    contact = np.add.reduceat(pieces.contact_grey[found.order], found.starts[:-1], axis=0)
    bright, median = (_quantile(np.maximum(greys, 1e-9), q) for q in (0.75, 0.5))
    less, more = _ordered(found, voxels)
    seen = _quantile(contact, 0.5)
    dip = np.minimum(median[less], median[more]) - seen
    return [(bright[less] - middle) / spread, np.abs(bright[less] - bright[more]) / spread, (seen - middle) / spread,
            dip / spread]  # fmt: skip


def _cosine(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.abs((a * b).sum(axis=1)))


def _ellipsoid(moments: Floats) -> tuple[Floats, Floats, Floats]:
    """Centre (m, 3), axes (m, 3, 3; columns, shortest first) and widths (m, 3), standard deviations, um."""
    n = moments[:, :1]
    centre = moments[:, 1:4] / n
    spread = np.empty((len(moments), 3, 3))
    for at, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        spread[:, i, j] = spread[:, j, i] = moments[:, 4 + at] / n[:, 0] - centre[:, i] * centre[:, j]
    values, axes = np.linalg.eigh(spread)
    return centre, axes, np.sqrt(np.maximum(values, 1e-6))  # no less than 1 nm


def _quantile(counts: Floats, share: float) -> Floats:
    """Of strengths counted in bins, 0 to 1, shape (m,)."""
    below = np.cumsum(counts, axis=1)
    wanted = share * below[:, -1:]
    at = (below < wanted).sum(axis=1)
    rows = np.arange(len(counts))
    inside = (wanted[:, 0] - (below[rows, at] - counts[rows, at])) / np.maximum(counts[rows, at], 1)
    return np.asarray((at + inside) / BINS)
