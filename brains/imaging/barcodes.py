"""Molecular barcodes: a neuron is stained in some channels and not in others, all along its length.

Read by light, a channel is coarse, leaks into its neighbours, and fails in places (dropout). Each fragment gets the
level of every channel by least squares over coarse cells that several fragments share; channels are unmixed; levels
become log likelihood ratios of stained against not. Whether two sets of fragments are one neuron is then a likelihood
ratio: one code behind both readings, or two independent ones. (Simulated before by Yoon et al. 2017, Front Comput
Neurosci 11:97; done in tissue by PRISM, bioRxiv 2025.09.26.678648.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

from .candidates import Candidate, made
from .coarse import Coarse, coarse
from .pair_features import contacts
from .pieces import Pieces
from .volume import Array, Box, Segmentation, VolumeError
from .workspace import Workspace

__all__ = ["BarcodeSettings", "Readings", "cut_by_barcodes", "joins_by_barcodes", "read_barcodes", "same_code"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WELL_READ = 4.0  # cells a fragment needs to have, in all, for channels to be compared in it; assumed
LEAST_LEAK = 0.05  # of a channel's stain; below it chance gives as much; assumed


@dataclass(frozen=True, kw_only=True)
class BarcodeSettings:
    """How readings are judged."""

    cell_nm: float = 40.0  # nm, cells that channels are read in: what light resolves after expansion; assumed
    dropout: float = 0.2  # chance that a stained channel does not show in a place; the issue's
    spurious: float = 0.02  # chance that an unstained one shows; assumed
    patch_nm: float = 320.0  # nm, over which dropout is one event; assumed
    veto: float = 3.0  # log likelihood ratio for two neurons from which fragments are not held together; assumed
    join: float = 6.0  # log likelihood ratio for one neuron from which regions that touch are joined; assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class Readings:
    """What the channels say of every fragment.

    Args:
        level: shape (n + 1, channels), unmixed, 0 for the background and 1 for the typical stained level.
        odds: shape (n + 1, channels), log likelihood ratio of stained against not.
        crosstalk: shape (channels, channels), share of a channel (column) that shows in another (row).
    """

    level: Floats
    odds: Floats
    crosstalk: Floats


@dataclass(frozen=True, eq=False)
class _Numbered:
    """Fragments of the whole volume, as an array that is read slab by slab."""

    space: Workspace
    pieces: Pieces
    shape: tuple[int, ...]

    @property
    def dtype(self) -> Any:
        return np.dtype(np.uint64)

    def __getitem__(self, key: slice) -> Any:
        _, y, x = self.shape
        return self.pieces.fragments(self.space, Box((key.start, 0, 0), (key.stop, y, x))).astype(np.uint64)


def read_barcodes(space: Workspace, image: str, pieces: Pieces, settings: BarcodeSettings) -> Readings:
    """Read the channels "barcodes" of an image for every fragment.

    Args:
        space: the workspace.
        image: that has the channels.
        pieces: the fragments.
        settings: how.

    Raises:
        VolumeError: the image has no such channels.
    """
    channels = space.volume(image).channels
    if "barcodes" not in channels:
        raise VolumeError(f"{space.folder}: image {image!r} has no channels 'barcodes'; it has {sorted(channels)}")
    array = _Numbered(space, pieces, space.array(pieces.name).shape)
    cells = coarse(Segmentation(labels=array, voxel_nm=pieces.voxel_nm), settings.cell_nm)
    shares, row = _shares(cells, pieces.n + 1)
    seen = np.stack([_means(channels["barcodes"], k, cells)[row] for k in range(channels["barcodes"].shape[0])], axis=1)
    raw, spread, read = _levels(shares, seen)
    well = read >= WELL_READ
    crosstalk = _crosstalk(raw[well]) if well.sum() >= 2 * raw.shape[1] else np.eye(raw.shape[1])
    unmixed = np.asarray(np.linalg.solve(crosstalk, raw.T).T, dtype=np.float64)
    level, odds = _judged(unmixed, spread, read, settings)
    odds[0] = 0
    return Readings(level=level, odds=odds, crosstalk=crosstalk)


def _shares(cells: Coarse, n: int) -> tuple[sparse.csr_array, tuple[Any, ...]]:
    """Share of every cell (row) that each fragment (column) has, and the places of those cells."""
    place, index = np.unique(cells.cell, axis=0, return_inverse=True)
    index = index.ravel()
    total = np.bincount(index, weights=cells.voxels)
    shares = cells.voxels / total[index]
    return sparse.coo_array((shares, (index, cells.label.astype(np.int64))), shape=(len(place), n)).tocsr(), tuple(
        place.T
    )


def _means(channels: Array, channel: int, cells: Coarse) -> NDArray[np.float32]:
    """Mean of one channel in every cell of the grid."""
    shape, factor = channels.shape[1:], cells.factor
    grid = tuple(-(-n // f) for n, f in zip(shape, factor, strict=True))
    out = np.empty(grid, dtype=np.float32)
    for z in range(grid[0]):
        slab = np.asarray(channels[channel, z * factor[0] : (z + 1) * factor[0]], dtype=np.float32).mean(axis=0)
        for axis in (0, 1):
            starts = np.arange(0, slab.shape[axis], factor[axis + 1])
            widths = np.diff([*starts, slab.shape[axis]])
            slab = np.add.reduceat(slab, starts, axis=axis) / np.expand_dims(widths, 1 - axis)
        out[z] = slab
    return out


def _levels(shares: sparse.csr_array, seen: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Of all fragments at once: levels (n, channels), how much each may err (n,), and how many cells it has (n,)."""
    square = (shares.T @ shares).tocsr()
    most = seen.mean(axis=0)
    ridge = 0.1  # cells' worth of the mean level, for fragments that never have a cell to themselves; assumed
    matrix = square + ridge * sparse.eye_array(square.shape[0])
    wanted = shares.T @ (seen - most)
    found = np.stack([cg(matrix, column, rtol=1e-6, maxiter=500)[0] for column in wanted.T], axis=1)
    noise = np.sqrt(np.mean((shares @ found - (seen - most)) ** 2))
    read = square.diagonal()
    return found + most, noise / np.sqrt(read + ridge), read


def _crosstalk(raw: Floats) -> Floats:
    """How much of each channel (column) shows in each other (row), of levels of well-read fragments.

    Codes are independent, so what a channel's stain adds to the low (unstained) quarter of another's levels is leak.
    Most channels do not leak into one another: what the median of them shows is of other origin (light from
    neighbours, cells that express more of everything) and is taken off.
    """
    n = raw.shape[1]
    mix = np.eye(n)
    low, high = _two_levels(raw)
    for source in range(n):
        shown = raw[:, source] > (low[source] + high[source]) / 2
        if not 0 < shown.sum() < len(raw):
            continue
        with_it, without = (np.quantile(raw[part], 0.25, axis=0) for part in (shown, ~shown))
        leak = (with_it - without) / (high[source] - low[source])
        leak -= np.median(np.delete(leak, source)) if n > 2 else 0.0
        leak[source] = 1.0
        mix[:, source] = np.where(leak > LEAST_LEAK, np.minimum(leak, 1.0), 0.0)
    return mix


def _two_levels(raw: Floats) -> tuple[Floats, Floats]:
    """Unstained and stained level of every channel: medians of two clusters.

    A channel in which nothing or everything is stained has one cluster; it gets the others' distance.
    """
    low, high = np.quantile(raw, 0.02, axis=0), np.quantile(raw, 0.98, axis=0)
    for channel in range(raw.shape[1]):
        values = raw[:, channel]
        for _ in range(20):
            up = values > (low[channel] + high[channel]) / 2
            if up.all() or not up.any():
                break
            low[channel], high[channel] = np.median(values[~up]), np.median(values[up])
    return low, np.maximum(high, low + max(0.5 * float(np.median(high - low)), 1e-9))


def _judged(unmixed: Floats, spread: Floats, read: Floats, settings: BarcodeSettings) -> tuple[Floats, Floats]:
    """Levels from 0 to 1 and log likelihood ratios, between the two levels of each channel."""
    well = unmixed[read >= min(WELL_READ, float(np.quantile(read[1:], 0.5)))]
    low, high = _two_levels(well)
    level = (unmixed - low) / np.maximum(high - low, 1e-9)
    width = np.hypot(0.2, spread[:, None] / np.maximum(high - low, 1e-9))  # 0.2: expression differs between cells
    stained, bare = _normal(level - 1, width), _normal(level, width)
    between = 0.5 * ((level > -0.5) & (level < 1.5))  # staining that fails in a part of the fragment; uniform
    yes = (1 - settings.dropout) * (0.8 * stained + 0.2 * between) + settings.dropout * bare
    no = (1 - settings.spurious) * bare + settings.spurious * (0.5 * stained + 0.5 * between)
    return level, np.log((yes + 1e-6) / (no + 1e-6))


def _normal(x: Floats, width: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * (x / width) ** 2) / (width * np.sqrt(2 * np.pi)))


def same_code(first: Floats, second: Floats) -> Floats:
    """Log likelihood ratio of one code behind two readings against two independent ones.

    Args:
        first: shape (..., channels), log likelihood ratios of stained against not.
        second: the same of the other reading.

    Returns:
        Shape (...,); positive for one neuron.
    """
    each = np.logaddexp(0, first + second) - np.logaddexp(0, first) - np.logaddexp(0, second) + np.log(2)
    return np.asarray(each.sum(axis=-1))


def _evidence(pieces: Pieces, regions: Ints, readings: Readings, settings: BarcodeSettings) -> Floats:
    """Odds of fragments, weighted so that those of one region in one patch count as one: they fail together."""
    centre = 1e3 * pieces.moments[:, 1:4] / np.maximum(pieces.moments[:, :1], 1)
    patch = np.floor(centre / settings.patch_nm).astype(np.int64)
    _, index, counts = np.unique(
        np.column_stack([regions, patch]), axis=0, return_inverse=True, return_counts=True
    )  # fmt: skip
    return np.asarray(readings.odds / counts[index.ravel()][:, None])


def cut_by_barcodes(
    pieces: Pieces, regions: Ints, readings: Readings, chances: Floats, settings: BarcodeSettings
) -> tuple[Ints, list[Candidate]]:
    """Cut regions whose fragments have codes that contradict, where the boundary speaks most for it.

    The fragments of a region are put together again, the likeliest pair first, but never two groups whose codes
    contradict.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment.
        readings: of the fragments.
        chances: shape (edges,), that both fragments of each pair are one neuron, by their boundary and shape.
        settings: how sure it must be.

    Returns:
        Regions after it, and the splits.
    """
    evidence = _evidence(pieces, regions, readings, settings)
    inside = np.flatnonzero(regions[pieces.pairs[:, 0]] == regions[pieces.pairs[:, 1]])
    group = np.arange(len(regions))
    for edge in inside[np.lexsort((inside, -chances[inside]))]:
        a, b = (_root(group, int(end)) for end in pieces.pairs[edge])
        if a != b and same_code(evidence[a], evidence[b]) > -settings.veto:
            keep, gone = min(a, b), max(a, b)
            group[gone] = keep
            evidence[keep] += evidence[gone]
    roots = np.array([_root(group, k) for k in range(len(group))])
    found = contacts(pieces, roots)
    same = regions[found.regions[:, 0]] == regions[found.regions[:, 1]]
    splits = []
    for at in np.flatnonzero(same):
        odds = float(same_code(*evidence[found.regions[at]]))
        splits.append(made(pieces, "split", found.edges(at), _chance(-odds), "barcodes contradict"))
    return roots, splits


def _root(group: Ints, node: int) -> int:
    while group[node] != node:
        group[node] = group[group[node]]
        node = int(group[node])
    return node


def _chance(odds: float) -> float:
    return float(0.5 * (1 + np.tanh(0.5 * odds)))


def joins_by_barcodes(
    pieces: Pieces, regions: Ints, readings: Readings, chances: Floats, settings: BarcodeSettings
) -> list[Candidate]:
    """Regions that touch and have one code, the surest first.

    Args:
        pieces: the fragments.
        regions: shape (n + 1,), region of every fragment.
        readings: of the fragments.
        chances: shape (contacts,), that both regions are one neuron by boundary and shape, of `contacts`.
        settings: how sure it must be.
    """
    evidence = _evidence(pieces, regions, readings, settings)
    total = np.zeros((int(regions.max()) + 1, evidence.shape[1]))
    np.add.at(total, regions, evidence)
    found = contacts(pieces, regions)
    odds = same_code(total[found.regions[:, 0]], total[found.regions[:, 1]])
    both = odds + np.log(np.clip(chances, 1e-6, 1 - 1e-6) / (1 - np.clip(chances, 1e-6, 1 - 1e-6)))
    order = np.argsort(-both, kind="stable")
    chosen = order[(odds[order] >= settings.join) & (both[order] > 0)]
    return [made(pieces, "join", found.edges(at), _chance(float(both[at])), "one barcode") for at in chosen]
