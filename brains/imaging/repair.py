"""What a section would show, from the healthy ones before and after it, along the way tissue moves between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, median_filter

from .mesh import Mesh, match
from .registration import Band

__all__ = ["Gap", "between", "find_gaps", "flow", "spread_mask"]

Floats = NDArray[np.float32]
WINDOW = 64  # pixels, side of the blocks compared
REACH = 12  # pixels, greatest movement looked for
FAR = 4.0  # robust standard deviations by which damage differs from what neighbours show
BLUR = 2.0  # pixels, sigma over which that difference is averaged
LEAST = 4.5  # standard deviations by which the peak of a block must stand out


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A damaged section and the nearest healthy ones; None where there is none near enough."""

    section: int
    before: int | None
    after: int | None

    @property
    def part(self) -> float:
        """How far the section lies on the way from the one before to the one after, 0 to 1."""
        if self.before is None or self.after is None:
            return 0.0 if self.after is None else 1.0
        return (self.section - self.before) / (self.after - self.before)


def find_gaps(broken: NDArray[np.bool_], reach: int) -> list[Gap]:
    """For every broken section the nearest whole ones, at most `reach` sections away."""
    gaps = []
    for z in np.flatnonzero(broken).tolist():
        before = next((k for k in range(z - 1, max(z - reach, 0) - 1, -1) if not broken[k]), None)
        after = next((k for k in range(z + 1, min(z + reach, len(broken) - 1) + 1) if not broken[k]), None)
        gaps.append(Gap(section=z, before=before, after=after))
    return gaps


def flow(pair: NDArray[np.uint8], valid: NDArray[np.bool_], mesh: Mesh, band: Band) -> Floats:
    """How far tissue moves from the first section to the second at every node, shape (nodes, 2), pixels.

    Args:
        pair: shape (2, y, x).
        valid: shape (2, y, x).
        mesh: on these sections.
        band: which detail is compared.
    """
    found = np.zeros((len(mesh.places), 2), dtype=np.float32)
    known = np.zeros(len(found), dtype=np.bool_)
    for k, place in enumerate(mesh.places):
        corner = np.round(place).astype(int) - WINDOW // 2
        ((shift, height),) = match(pair, valid, (int(corner[0]), int(corner[1])), WINDOW, REACH, (1,), band)
        found[k], known[k] = shift[0], height[0] >= LEAST
    found[~known] = np.median(found[known], axis=0) if known.any() else 0
    smooth: Floats = median_filter(found.reshape(*mesh.nodes, 2), (3, 3, 1), mode="nearest")
    return smooth.reshape(-1, 2)


def between(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    valid: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    part: float,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Mean of two sections that were moved to a place between them, by nearness; what one lacks the other gives.

    Args:
        first: shape (y, x).
        second: shape (y, x).
        valid: which pixels of either count.
        part: 0 at the first, 1 at the second.

    Returns:
        Grey values, and where either counts.
    """
    weights = (1 - part) * valid[0], part * valid[1]
    either = valid[0] | valid[1]
    alone = either & (weights[0] + weights[1] == 0)
    total = np.where(alone, 1, np.maximum(weights[0] + weights[1], 1e-6))
    mixed = (weights[0] * first + weights[1] * second) / total
    mixed = np.where(alone, np.where(valid[0], first, second), mixed)
    return np.where(either, np.round(mixed), 0).astype(np.uint8), either


def spread_mask(
    seeds: NDArray[np.bool_], values: NDArray[np.uint8], expected: NDArray[np.uint8], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The mask of a fold or streak, grown into what is connected with it and unlike its neighbours too.

    Args:
        seeds: shape (y, x), what is masked already.
        values: grey values of the section.
        expected: grey values its neighbours let expect.
        known: where they do.
    """
    rest = np.where(known & ~seeds, values.astype(np.float32) - expected, 0)
    rest = gaussian_filter(rest, BLUR)
    spread = 1.4826 * float(np.median(np.abs(rest[known]))) if known.any() else 0.0
    parts, _ = label(seeds | (np.abs(rest) > FAR * max(spread, 1.0)), structure=np.ones((3, 3)))
    touched = np.unique(parts[seeds])
    return np.asarray(np.isin(parts, touched[touched > 0]))
