"""Skeletons of segments: trees of points along their middle, with radii.

TEASAR (Sato et al. 2000, doi:10.1109/PCCGA.2000.883951): from a far end, shortest paths that keep to the middle are
drawn to the farthest point not yet near a path, until all of the segment is near one.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from .coarse import Coarse

__all__ = ["Skeleton", "skeletonise", "write_swc"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEAR_SCALE = 1.5  # of the radius at a path, and ...
NEAR_NM = 120.0  # nm added to it: what lies within is the path's and gets no branch of its own; assumed
KEEP_TO_MIDDLE = 1e4  # cost of the wall over that of the middle
FALL_OFF = 8.0  # exponent of that cost


@dataclass(frozen=True, kw_only=True, eq=False)
class Skeleton:
    """A tree (or several, where a segment falls apart)."""

    label: int
    points_nm: Floats  # (n, 3), (z, y, x) from the corner of the volume
    parent: Ints  # (n,), row of the next point towards the root, -1 at a root
    radius_nm: Floats  # (n,), distance to the nearest wall

    @property
    def cable_um(self) -> float:
        """Summed length, um."""
        child = self.parent >= 0
        steps = self.points_nm[child] - self.points_nm[self.parent[child]]
        return float(np.linalg.norm(steps, axis=1).sum() * 1e-3)

    @property
    def ends(self) -> Ints:
        """Rows of the points that only one other, or none, is joined to."""
        joined = np.bincount(self.parent[self.parent >= 0], minlength=len(self.parent)) + (self.parent >= 0)
        return np.flatnonzero(joined <= 1)

    def direction(self, end: int, reach_nm: float = 400.0) -> Floats:
        """Unit vector (z, y, x) in which the skeleton runs on beyond an end; zero for a single point.

        Args:
            end: row of an end.
            reach_nm: how far back the direction is taken, nm.
        """
        neighbours = self._neighbours()
        at, before, gone = end, -1, 0.0
        while gone < reach_nm:
            onward = [row for row in neighbours[at] if row != before]
            if not onward or (at != end and len(onward) > 1):
                break
            gone += float(np.linalg.norm(self.points_nm[onward[0]] - self.points_nm[at]))
            before, at = at, onward[0]
        way = self.points_nm[end] - self.points_nm[at]
        return np.asarray(way / max(float(np.linalg.norm(way)), 1e-9), dtype=np.float64)

    def _neighbours(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.parent]
        for row, parent in enumerate(self.parent.tolist()):
            if parent >= 0:
                found[row].append(parent)
                found[parent].append(row)
        return found


def skeletonise(cells: Coarse, label: int) -> Skeleton:
    """The skeleton of one segment on the coarse grid.

    Raises:
        ValueError: there is no such segment.
    """
    inside, _ = cells.of(label)
    if not len(inside):
        raise ValueError(f"skeletonise: no segment {label}")
    low = inside.min(axis=0) - 1
    mask = np.zeros(inside.max(axis=0) - low + 2, dtype=np.bool_)
    mask[tuple((inside - low).T)] = True
    wall = ndimage.distance_transform_edt(mask, sampling=cells.cell_nm)
    node = np.full(mask.shape, -1, dtype=np.int64)
    place = np.argwhere(mask)
    node[mask] = np.arange(len(place))
    rows, parent = _trees(place, node, wall[mask], np.array(cells.cell_nm), NEAR_SCALE, NEAR_NM)
    points = (place[rows] + low + 0.5) * np.array(cells.cell_nm)
    return Skeleton(label=label, points_nm=points, parent=parent, radius_nm=wall[mask][rows])


def write_swc(path: Path, skeleton: Skeleton) -> None:
    """Write an SWC file: x, y, z and radius in um, one tree after the other, parents before children."""
    lines = ["# x y z radius in um; made by animat"]
    for row in range(len(skeleton.parent)):
        z, y, x = skeleton.points_nm[row] * 1e-3
        parent = int(skeleton.parent[row])
        lines.append(f"{row + 1} 0 {x:.3f} {y:.3f} {z:.3f} {skeleton.radius_nm[row] * 1e-3:.3f} {parent + 1 or -1}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(path)


def _trees(
    place: Ints,
    node: Ints,
    wall: Floats,
    size: Floats,
    scale: float,
    near: float,
) -> tuple[Ints, Ints]:
    """Nodes of the skeleton in an order in which parents come first, and the row of each one's parent."""
    steps = np.array([s for s in np.ndindex(3, 3, 3) if s != (1, 1, 1)]) - 1
    lengths = np.linalg.norm(steps * size, axis=1)
    rows: list[int] = []
    parent: list[int] = []
    row_of = np.full(len(place), -1, dtype=np.int64)
    left = np.ones(len(place), dtype=np.bool_)
    even = np.ones(len(place))
    middle = 1.0 + KEEP_TO_MIDDLE * (1.0 - wall / (wall.max() * 1.01)) ** FALL_OFF
    while left.any():
        distance, _ = _dijkstra(place, node, even, steps, lengths, int(left.argmax()))
        part = np.isfinite(distance)
        root = int(np.where(part, distance, -1.0).argmax())
        away, _ = _dijkstra(place, node, even, steps, lengths, root)
        _, back = _dijkstra(place, node, middle, steps, lengths, root)
        _append(root, -1, rows, parent, row_of)
        _clear(place, node, left, np.array([root]), wall, size, scale, near)
        while (left & part).any():
            target = int(np.where(left & part, away, -1.0).argmax())
            path = _way_back(target, back, row_of)
            at = int(row_of[back[path[-1]]])
            for new in path[::-1]:
                at = _append(new, at, rows, parent, row_of)
            _clear(place, node, left, np.array(path), wall, size, scale, near)
        left &= ~part
    return np.array(rows, dtype=np.int64), np.array(parent, dtype=np.int64)


def _append(new: int, parent_row: int, rows: list[int], parent: list[int], row_of: Ints) -> int:
    row_of[new] = len(rows)
    rows.append(new)
    parent.append(parent_row)
    return len(rows) - 1


def _way_back(target: int, back: Ints, row_of: Ints) -> list[int]:
    """Nodes from a target towards the root, up to but without the first that is on the skeleton."""
    path = [target]
    while row_of[back[path[-1]]] < 0:
        path.append(int(back[path[-1]]))
    return path


@njit(cache=True)
def _clear(
    place: Ints, node: Ints, left: Bools, path: Ints, wall: Floats, size: Floats, scale: float, near: float
) -> None:
    """Take away what lies near a path."""
    for at in path:
        radius = scale * wall[at] + near
        reach = np.ceil(radius / size).astype(np.int64)
        z0, y0, x0 = place[at]
        for z in range(max(z0 - reach[0], 0), min(z0 + reach[0] + 1, node.shape[0])):
            for y in range(max(y0 - reach[1], 0), min(y0 + reach[1] + 1, node.shape[1])):
                for x in range(max(x0 - reach[2], 0), min(x0 + reach[2] + 1, node.shape[2])):
                    far = ((z - z0) * size[0]) ** 2 + ((y - y0) * size[1]) ** 2 + ((x - x0) * size[2]) ** 2
                    if node[z, y, x] >= 0 and far <= radius * radius:
                        left[node[z, y, x]] = False
        left[at] = False


@njit(cache=True)
def _dijkstra(place: Ints, node: Ints, cost: Floats, steps: Ints, lengths: Floats, source: int) -> tuple[Floats, Ints]:
    """Cheapest distance from a node to every other through the 26 neighbours, and the node before each."""
    distance = np.full(len(place), np.inf)
    back = np.full(len(place), -1, dtype=np.int64)
    distance[source] = 0.0
    heap = [(0.0, source)]
    while len(heap):
        reached, at = heapq.heappop(heap)
        if reached > distance[at]:
            continue
        for k in range(len(steps)):
            other = node[place[at, 0] + steps[k, 0], place[at, 1] + steps[k, 1], place[at, 2] + steps[k, 2]]
            if other < 0:
                continue
            longer = reached + lengths[k] * 0.5 * (cost[at] + cost[other])
            if longer < distance[other]:
                distance[other] = longer
                back[other] = at
                heapq.heappush(heap, (longer, other))
    return distance, back
