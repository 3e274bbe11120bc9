"""A mesh of nodes on every section, and block matching at its nodes.

Nodes lie on a regular grid in the middle of their cells; between nodes offsets are interpolated, beyond the outer ones
they stay as they are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .registration import Band, shifts, spectra

__all__ = ["Mesh", "match"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Nodes on sections of `shape` pixels, about `spacing_px` apart."""

    shape: tuple[float, float]
    spacing_px: float

    @property
    def nodes(self) -> tuple[int, int]:
        """Along (y, x)."""
        rows, columns = (max(1, round(n / self.spacing_px)) for n in self.shape)
        return rows, columns

    @property
    def spacing(self) -> tuple[float, float]:
        """Between nodes along (y, x), pixels."""
        return self.shape[0] / self.nodes[0], self.shape[1] / self.nodes[1]

    def shrunken(self, factor: int) -> Mesh:
        """The same nodes on sections shrunken by a factor, a power of 2."""
        shape = self.shape[0] / factor, self.shape[1] / factor
        return Mesh(shape=shape, spacing_px=self.spacing_px / factor)

    @property
    def places(self) -> Floats:
        """Pixel (y, x) of every node, shape (nodes, 2), row by row."""
        axes = [(np.arange(n) + 0.5) * step - 0.5 for n, step in zip(self.nodes, self.spacing, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)


def match(
    image: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    corner: tuple[int, int],
    window: int,
    reach: int,
    steps: Sequence[int],
    band: Band,
) -> list[tuple[Floats, Floats]]:
    """Shifts of the tissue around one node, section against section.

    Args:
        image: shape (sections, y, x).
        valid: shape (sections, y, x), False where a pixel does not count.
        corner: first pixel (y, x) of the window around the node; it may lie outside the image.
        window: side of what is compared, pixels.
        reach: greatest shift looked for, pixels.
        steps: how many sections apart.
        band: which detail is compared.

    Returns:
        For each step the shifts, shape (sections - step, 2), pixels; and the height of the peaks in standard
        deviations, shape (sections - step,), 0 where less than half of a window counts.
    """
    here, there = zip(*(_overlap(low, window, n) for low, n in zip(corner, image.shape[1:], strict=True)), strict=True)
    values = np.zeros((len(image), window, window), dtype=np.uint8)
    inside = np.zeros(values.shape, dtype=np.bool_)
    values[:, *there], inside[:, *there] = image[:, *here], valid[:, *here]
    found = spectra(values, band, inside)
    enough = np.array([np.count_nonzero(part) for part in inside]) >= window**2 / 2
    matches = []
    for step in steps:
        place, height = shifts(found[step:], found[:-step], (window, window), (reach, reach))
        matches.append((place, np.where(enough[step:] & enough[:-step], height, 0).astype(np.float32)))
    return matches


def _overlap(low: int, window: int, n: int) -> tuple[slice, slice]:
    """Along one axis: the part of `n` pixels that a window at `low` covers, and where in the window that part is."""
    first, last = min(max(low, 0), n), max(min(low + window, n), 0)
    return slice(first, last), slice(first - low, last - low)
