"""How well labels and alignment agree with the truth: variation of information, adapted Rand error, offsets.

Protocol: crop first, then give every connected piece of a truth label its own label (`relabel_components`): two pieces
that joined outside the crop cannot be asked to be one inside it. Voxels of truth label 0 do not count; label 0 of what
was found is a label like any other, so leaving tissue unsegmented costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from .volume import VolumeError

__all__ = [
    "AlignmentScore",
    "SegmentationScore",
    "contingency",
    "relabel_components",
    "score_alignment",
    "score_segmentation",
]

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class SegmentationScore:
    """Agreement of two label volumes; every error is 0 where they are the same up to names.

    Source: VOI, Meila 2007, J Multivar Anal 98:873; adapted Rand error as in SNEMI3D and CREMI, Arganda-Carreras et al.
    2015, Front Neuroanat 9:142.
    """

    voi_split: float  # bits, H(found | truth): over-segmentation
    voi_merge: float  # bits, H(truth | found): under-segmentation
    rand_precision: float  # chance that two voxels of one found label are of one truth label; merges lower it
    rand_recall: float  # chance that two voxels of one truth label are of one found label; splits lower it

    @property
    def voi(self) -> float:
        """Variation of information, bits."""
        return self.voi_split + self.voi_merge

    @property
    def arand(self) -> float:
        """Adapted Rand error, 1 - F of precision and recall."""
        return 1.0 - harmonic(self.rand_precision, self.rand_recall)

    @property
    def cremi(self) -> float:
        """CREMI's combined score: geometric mean of VOI and adapted Rand error."""
        return float(np.sqrt(self.voi * max(self.arand, 0.0)))

    def __str__(self) -> str:
        return (
            f"VOI {self.voi:.3f} bits (split {self.voi_split:.3f}, merge {self.voi_merge:.3f}), ARAND {self.arand:.3f}"
        )


def harmonic(precision: float, recall: float) -> float:
    """F1: harmonic mean of precision and recall, 0 where both are."""
    return 2.0 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def relabel_components(labels: Labels, connectivity: int = 3) -> NDArray[np.uint32]:
    """Give every connected piece of a label a label of its own, 1 and up; 0 stays 0.

    Args:
        labels: shape (z, y, x), after cropping.
        connectivity: 1 joins voxels that share a face, 3 also those that share an edge or a corner.
    """
    from skimage.measure import label

    return np.asarray(label(labels, background=0, connectivity=connectivity), dtype=np.uint32)


def contingency(found: Labels, truth: Labels) -> tuple[sparse.csr_array, Labels, Labels]:
    """Voxels shared by every pair of labels, over voxels whose truth is not 0.

    Args:
        found: labels, any shape.
        truth: labels, same shape.

    Returns:
        Counts, float64, shape (truth labels, found labels); the truth labels of its rows; the found labels of its
        columns, both ascending.

    Raises:
        VolumeError: the shapes differ, or truth has no label.
    """
    if found.shape != truth.shape:
        raise VolumeError(f"scoring: found has shape {found.shape}, truth {truth.shape}")
    inside = truth.ravel() != 0
    if not inside.any():
        raise VolumeError("scoring: the truth has no voxel with a label")
    truth_names, rows = _renumber(truth.ravel()[inside])
    found_names, columns = _renumber(found.ravel()[inside])
    pairs = (np.ones(len(rows)), (rows, columns))
    return sparse.coo_array(pairs, shape=(len(truth_names), len(found_names))).tocsr(), truth_names, found_names


def _renumber(values: Labels) -> tuple[Labels, NDArray[np.int32]]:
    """Distinct values, ascending, and the place of each in them; without a sort where the values are small."""
    top = int(values.max())
    if int(values.min()) < 0 or top > 4 * len(values) + 1_000_000:
        names, places = np.unique(values, return_inverse=True)
        return names, places.astype(np.int32)
    present = np.zeros(top + 1, dtype=np.bool_)
    present[values] = True
    lookup = np.cumsum(present, dtype=np.int32) - 1
    return np.flatnonzero(present).astype(values.dtype), lookup[values].astype(np.int32)


def score_segmentation(found: Labels, truth: Labels) -> SegmentationScore:
    """Compare labels with the truth, voxel by voxel; crop and `relabel_components` the truth before.

    Raises:
        VolumeError: the shapes differ, or truth has no label.
    """
    counts, _, _ = contingency(found, truth)
    total = counts.sum()
    joint = counts.data / total
    by_truth, by_found = np.asarray(counts.sum(axis=1)) / total, np.asarray(counts.sum(axis=0)) / total
    both = _entropy(joint)
    together = float(np.square(joint).sum())
    return SegmentationScore(
        voi_split=max(both - _entropy(by_truth), 0.0),
        voi_merge=max(both - _entropy(by_found), 0.0),
        rand_precision=together / float(np.square(by_found).sum()),
        rand_recall=together / float(np.square(by_truth).sum()),
    )


def _entropy(shares: NDArray[np.float64]) -> float:
    """Of shares that sum to 1, bits."""
    known = shares[shares > 0]
    return float(-(known * np.log2(known)).sum())


@dataclass(frozen=True, kw_only=True)
class AlignmentScore:
    """Distance of found from known offsets of the sections, px; one shift of the whole stack is free."""

    pairwise_mean: float  # px, between neighbouring sections
    pairwise_max: float
    cumulative_mean: float  # px, of each section in the whole stack: what chained registrations lose
    cumulative_max: float


def score_alignment(found_px: ArrayLike, truth_px: ArrayLike, present: ArrayLike | None = None) -> AlignmentScore:
    """Compare offsets with the known ones; agreement with the neighbour is no measure, it can be gamed.

    Args:
        found_px: shape (sections, ..., 2), px: where aligning took (y, x) from; a shift a section, or a field of them.
        truth_px: the same for the perfect alignment.
        present: shape (sections,), bool: False where a section was not imaged and is not judged; None for all.

    Raises:
        VolumeError: the shapes differ or hold fewer than two sections.
    """
    found, truth = np.asarray(found_px, dtype=np.float64), np.asarray(truth_px, dtype=np.float64)
    if found.shape != truth.shape or found.ndim < 2 or found.shape[-1] != 2:
        raise VolumeError(f"scoring: offsets must be (sections, ..., 2) twice, got {found.shape} and {truth.shape}")
    rest = (found - truth).reshape(len(found), -1, 2)
    if present is not None:
        rest = rest[np.asarray(present, dtype=np.bool_)]
    if len(rest) < 2:
        raise VolumeError(f"scoring: alignment needs two sections, got {len(rest)}")
    pairwise = np.linalg.norm(np.diff(rest, axis=0), axis=-1)
    cumulative = np.linalg.norm(rest - rest.mean(axis=(0, 1)), axis=-1)
    return AlignmentScore(
        pairwise_mean=float(pairwise.mean()),
        pairwise_max=float(pairwise.max()),
        cumulative_mean=float(cumulative.mean()),
        cumulative_max=float(cumulative.max()),
    )
