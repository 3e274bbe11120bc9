"""Where every section, or every node of a mesh on it, lies: sparse least squares over all sections at once.

Registration measures the difference of two sections' offsets plus the slant of the neurites between them; to chain it
straightens slanted neurites. What tells the two apart is memory. The offset of a section knows nothing of its
neighbours', the slant goes on for hundreds of nanometres. So the most probable offsets and courses of the neurites are
sought together, given that offsets are independent with zero mean, and that slants are an Ornstein-Uhlenbeck process
around upright.

A steady drift of the microscope looks like slant and stays: nothing in the images alone tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded

__all__ = ["Links", "Prior", "offset_spread", "relax"]

Doubles = NDArray[np.float64]
SPREADS = 0.1 * 2.0 ** (np.arange(20) / 2)  # pixels, standard deviations of offsets that are tried: 0.1 to 72
RUN = 100  # sections whose shifts are judged together
SHORT_RUN = 12  # the same of a mesh, of which rarely a node is measured for long
Matrix = Any  # a scipy.sparse matrix, whose types no checker follows


@dataclass(frozen=True, kw_only=True, eq=False)
class Links:
    """Measured shifts of sections against earlier ones.

    Args:
        step: how many sections apart.
        shifts: shape (sections - step, nodes, 2), pixels.
        weights: shape (sections - step, nodes); 0 where nothing was measured.
    """

    step: int
    shifts: NDArray[np.float32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known before anything is measured, in pixels of the sections."""

    offset_px: float  # standard deviation of an offset
    slant_px: float  # standard deviation of the slant of neurites, pixels a section
    memory: float  # sections over which a slant is forgotten
    bend_px: float = np.inf  # standard deviation of the difference of offsets of two neighbouring nodes
    error_px: float = 0.2  # standard deviation of a measured shift


def offset_spread(links: Links, prior: Prior) -> float:
    """The standard deviation of offsets, pixels, that makes the measured shifts most likely; 0.1 or more.

    Args:
        links: of neighbouring sections. Of a mesh, the nodes that were measured throughout a run of sections count.
        prior: the slant, its memory and the error of a shift; its own `offset_px` is not used.
    """
    sums, run = np.zeros(len(SPREADS)), RUN if links.shifts.shape[1] == 1 else SHORT_RUN
    for start in range(0, len(links.shifts), run):
        here = slice(start, start + run)
        rows = (links.weights[here] > 0).any(axis=1)
        nodes = (links.weights[here][rows] > 0).all(axis=0)
        if rows.sum() >= 2 and nodes.any():
            values = links.shifts[here][rows][:, nodes].reshape(int(rows.sum()), -1).astype(np.float64)
            sums += [_log_likelihood(values, np.flatnonzero(rows), spread, prior) for spread in SPREADS]
    return float(SPREADS[np.argmax(sums)])


def _log_likelihood(shifts: Doubles, places: NDArray[np.int64], spread: float, prior: Prior) -> float:
    """Of independent columns of shifts into the sections at `places`, each from the section before."""
    away = np.abs(places[:, None] - places[None, :])
    covariance = spread**2 * (2.0 * (away == 0) - (away == 1)) + prior.error_px**2 * (away == 0)
    factor = np.linalg.cholesky(covariance + prior.slant_px**2 * np.exp(-away / prior.memory))
    rest = np.linalg.solve(factor, shifts)
    return float(-0.5 * (rest**2).sum() - shifts.shape[1] * np.log(np.diag(factor)).sum())


def relax(links: Sequence[Links], sections: int, mesh: tuple[int, int], prior: Prior, rounds: int = 4) -> Doubles:
    """The most probable offsets.

    Args:
        links: measured shifts, one entry a step.
        sections: how many.
        mesh: nodes along (y, x); (1, 1) for one offset a section.
        prior: what is known beforehand.
        rounds: how often outliers are weighted down (Cauchy weights) and all is solved again.

    Returns:
        Offsets, shape (sections, nodes, 2), pixels.
    """
    nodes = mesh[0] * mesh[1]
    known, aparts = _known(sections, nodes, mesh, prior), [_apart(sections, nodes, link.step) for link in links]
    state, factors = np.zeros((nodes * sections * 2, 2)), [np.ones(link.weights.shape) for link in links]
    for _ in range(rounds):
        matrix, right = known.copy(), np.zeros_like(state)
        for link, factor, apart in zip(links, factors, aparts, strict=True):
            weight = (factor * link.weights / (prior.error_px**2 * link.step)).T.ravel()
            matrix = matrix + apart.T @ sparse.diags(weight) @ apart
            right += apart.T @ (weight[:, None] * link.shifts.transpose(1, 0, 2).reshape(-1, 2))
        state = _solve(matrix.tocsr(), right, state)
        factors = [_trust(apart @ state, link, prior) for link, apart in zip(links, aparts, strict=True)]
    return state.reshape(nodes, sections, 2, 2)[:, :, 0].transpose(1, 0, 2)


def _trust(shifts: Doubles, link: Links, prior: Prior) -> Doubles:
    """Cauchy weight of every measured shift by how far it is from what was found, node by node."""
    found = shifts.reshape(link.shifts.shape[1], -1, 2).transpose(1, 0, 2)
    miss = np.linalg.norm(found - link.shifts, axis=2) / (3 * prior.error_px * np.sqrt(link.step))
    return np.asarray(1 / (1 + miss**2))


def _apart(sections: int, nodes: int, step: int) -> Matrix:
    """From offset and course, interleaved section by section and node by node, to the shifts they make."""
    chain = sparse.eye(sections, format="csr")
    shift = sparse.kron(chain[step:] - chain[:-step], np.ones((1, 2)))
    return sparse.kron(sparse.eye(nodes), shift, format="csr")


def _known(sections: int, nodes: int, mesh: tuple[int, int], prior: Prior) -> Matrix:
    """Inverse covariance of offsets and courses before anything is measured."""
    course = sparse.kron(_course(sections, prior), np.diag([0.0, 1.0]))
    offset = sparse.kron(sparse.eye(sections), np.diag([1.0, 0.0]))
    elastic = sparse.eye(nodes) / prior.offset_px**2 + _laplacian(mesh) / prior.bend_px**2
    return (sparse.kron(sparse.eye(nodes), course) + sparse.kron(elastic, offset)).tocsr()


def _course(sections: int, prior: Prior) -> Matrix:
    """Inverse covariance of the sideways course of neurites whose slant forgets itself."""
    chain = sparse.eye(sections, format="csr")
    slants = chain[1:] - chain[:-1]
    keep = np.exp(-1 / prior.memory)
    turns = (slants[1:] - keep * slants[:-1]) / (prior.slant_px * np.sqrt(1 - keep**2))
    first = slants[:1] / prior.slant_px
    return turns.T @ turns + first.T @ first + 1e-6 * sparse.eye(sections)


def _laplacian(mesh: tuple[int, int]) -> Matrix:
    """Sum of squared differences of neighbouring nodes, as a matrix."""
    rows, columns = (sparse.eye(n - 1, n, k=1) - sparse.eye(n - 1, n) for n in mesh)
    return sparse.kron(rows.T @ rows, sparse.eye(mesh[1])) + sparse.kron(sparse.eye(mesh[0]), columns.T @ columns)


def _solve(matrix: Matrix, right: Doubles, start: Doubles, tolerance: float = 1e-5) -> Doubles:
    """Conjugate gradients on both axes at once, with the chains of single nodes solved exactly beforehand."""
    chains = _chains(matrix)
    state, rest = start.copy(), right - matrix @ start
    ahead = cho_solve_banded((chains, False), rest)
    direction, power = ahead.copy(), (rest * ahead).sum(axis=0)
    goal = tolerance**2 * np.maximum((right * cho_solve_banded((chains, False), right)).sum(axis=0), 1e-30)
    for _ in range(500):
        if (power <= goal).all():
            break
        image = matrix @ direction
        length = power / np.maximum((direction * image).sum(axis=0), 1e-300)
        state, rest = state + length * direction, rest - length * image
        ahead = cho_solve_banded((chains, False), rest)
        last, power = power, (rest * ahead).sum(axis=0)
        direction = ahead + power / np.maximum(last, 1e-300) * direction
    return state


def _chains(matrix: Matrix, width: int = 12) -> Doubles:
    """Banded Cholesky factor of the part of the matrix near its diagonal: every node's sections, uncoupled."""
    bands = np.zeros((width + 1, matrix.shape[0]))
    for k in range(width + 1):
        bands[width - k, k:] = matrix.diagonal(k)
    factor: Doubles = cholesky_banded(bands)
    return factor
