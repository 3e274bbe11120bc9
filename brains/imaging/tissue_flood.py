"""From skeletons to voxels: every voxel goes to the neurite whose surface is nearest.

Labels flood outwards from the skeletons, nearest surface first, through voxels that share a face: a neurite whose
skeleton is connected is connected. Then the space is bent smoothly, so that membranes are wavy and not flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Skeleton", "Warp", "bend", "flood", "make_warp"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int32]
Labels = NDArray[np.uint32]
FINE = 4  # steps of priority a voxel; assumed


@dataclass(frozen=True)
class Skeleton:
    """All neurites as lines between points."""

    points: Floats  # nm, shape (n, 3)
    radius: Floats  # nm, shape (n,)
    label: Labels  # shape (n,)
    links: Ints  # shape (m, 2), points joined


@njit(cache=True)
def _seeds(
    points: Floats, radius: Floats, links: Ints, voxel: Floats, shape: tuple[int, int, int]
) -> tuple[Any, Any, Any]:
    """Dense samples along all links: place in voxels, radius in nm, point they belong to."""
    room = 0
    for i in range(len(links)):
        a, b = links[i]
        longest = max(abs(points[a, 0] - points[b, 0]) / voxel[0], abs(points[a, 1] - points[b, 1]) / voxel[1])
        room += 2 + int(2 * max(longest, abs(points[a, 2] - points[b, 2]) / voxel[2]))
    where = np.empty((room, 3), np.float32)
    size = np.empty(room, np.float32)
    who = np.empty(room, np.int32)
    n = 0
    for i in range(len(links)):
        a, b = links[i]
        longest = 0.0
        for k in range(3):
            longest = max(longest, abs(points[a, k] - points[b, k]) / voxel[k])
        steps = 1 + int(2 * longest)
        for j in range(steps + 1):
            t = j / steps
            for k in range(3):
                place = ((1 - t) * points[a, k] + t * points[b, k]) / voxel[k]
                where[n, k] = min(max(place, 0.01), shape[k] - 0.01)
            size[n] = (1 - t) * radius[a] + t * radius[b]
            who[n] = a
            n += 1
    return where[:n], size[:n], who[:n]


@njit(cache=True)
def _spread(
    where: Singles, size: Singles, who: Ints, label_of: Labels, voxel: Floats, shape: tuple[int, int, int]
) -> Labels:
    """Labels of all voxels from seeds, by a bucket queue over the distance to the nearest surface."""
    nz, ny, nx = shape
    count = nz * ny * nx
    label = np.zeros(count, np.uint32)
    best = np.full(count, 65535, np.uint16)
    fine = FINE / min(voxel[0], min(voxel[1], voxel[2]))
    start = size.max()
    heads = np.full(4096, -1, np.int32)
    room = count // 2 + 4 * len(where) + 1024
    following, at, source = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    free, used = -1, 0
    for i in range(len(where)):
        v = (int(where[i, 0]) * ny + int(where[i, 1])) * nx + int(where[i, 2])
        if label[v] == 0:  # a seed's own voxel is its for good
            label[v] = label_of[who[i]]
            rank = min(int((start - size[i]) * fine), 4095)
            best[v] = 0
            following[used], at[used], source[used] = heads[rank], v, i
            heads[rank] = used
            used += 1
    for rank in range(4096):
        while heads[rank] >= 0:
            entry = heads[rank]
            heads[rank] = following[entry]
            v, i = at[entry], source[entry]
            following[entry] = free
            free = entry
            mine = label_of[who[i]]
            if best[v] != 0:
                if label[v] != 0:
                    continue
                label[v] = mine
            elif label[v] != mine:
                continue
            z, y, x = v // (ny * nx), v // nx % ny, v % nx
            for step in range(6):
                oz, oy, ox = z, y, x
                if step == 0:
                    oz -= 1
                elif step == 1:
                    oz += 1
                elif step == 2:
                    oy -= 1
                elif step == 3:
                    oy += 1
                elif step == 4:
                    ox -= 1
                else:
                    ox += 1
                if oz < 0 or oy < 0 or ox < 0 or oz >= nz or oy >= ny or ox >= nx:
                    continue
                o = (oz * ny + oy) * nx + ox
                if label[o] != 0:
                    continue
                dz = (oz + 0.5 - where[i, 0]) * voxel[0]
                dy = (oy + 0.5 - where[i, 1]) * voxel[1]
                dx = (ox + 0.5 - where[i, 2]) * voxel[2]
                cost = int((np.sqrt(dz * dz + dy * dy + dx * dx) - size[i] + start) * fine)
                cost = min(max(cost, max(rank, 1)), 4095)
                if cost >= best[o]:
                    continue
                best[o] = cost
                if free >= 0:
                    slot = free
                    free = following[slot]
                else:
                    slot = used
                    used += 1
                following[slot], at[slot], source[slot] = heads[cost], o, i
                heads[cost] = slot
    return label


def flood(skeleton: Skeleton, shape: tuple[int, int, int], voxel_nm: Floats) -> Labels:
    """Labels of every voxel, shape (z, y, x)."""
    voxel = np.asarray(voxel_nm, dtype=np.float64)
    where, size, who = _seeds(skeleton.points, skeleton.radius, skeleton.links, voxel, shape)
    return np.asarray(_spread(where, size, who, skeleton.label, voxel, shape)).reshape(shape)


@njit(cache=True)
def _first(pieces: Ints, count: int) -> NDArray[np.int64]:
    """A voxel of every piece, 1 and up; voxel 0 for piece 0, which is none."""
    found = np.zeros(count, np.int64)
    for v, piece in enumerate(pieces.ravel()):
        found[piece] = v
    return found


@njit(cache=True)
def _fill(labels: Labels) -> None:
    """One layer of empty voxels takes the label of a neighbour."""
    nz, ny, nx = labels.shape
    empty = np.argwhere(labels == 0)
    taken = np.zeros(len(empty), np.uint32)
    for i in range(len(empty)):
        z, y, x = empty[i]
        if z > 0:
            taken[i] = max(taken[i], labels[z - 1, y, x])
        if z + 1 < nz:
            taken[i] = max(taken[i], labels[z + 1, y, x])
        if y > 0:
            taken[i] = max(taken[i], labels[z, y - 1, x])
        if y + 1 < ny:
            taken[i] = max(taken[i], labels[z, y + 1, x])
        if x > 0:
            taken[i] = max(taken[i], labels[z, y, x - 1])
        if x + 1 < nx:
            taken[i] = max(taken[i], labels[z, y, x + 1])
    for i in range(len(empty)):
        labels[empty[i, 0], empty[i, 1], empty[i, 2]] = taken[i]


def keep_whole(labels: Labels) -> Labels:
    """Every label in one piece of voxels that share faces: loose crumbs go to what lies around them, in place."""
    from skimage.measure import label

    pieces = label(labels, connectivity=1, background=-1)
    sizes = np.bincount(pieces.ravel())
    first = _first(pieces, len(sizes))
    owner = labels.ravel()[first]
    order = np.lexsort((np.arange(len(sizes)), -sizes, owner))
    loose = np.ones(len(sizes), np.bool_)
    loose[order[np.unique(owner[order], return_index=True)[1]]] = False
    labels[loose[pieces]] = 0
    while not labels.all():
        _fill(labels)
    return labels


@dataclass(frozen=True)
class Warp:
    """A smooth displacement of space, nm, known on a coarse grid; zero at the volume's faces."""

    field: Singles  # shape (3, gz, gy, gx), nm
    pitch_nm: float  # of the grid


def make_warp(size_nm: Floats, rms_nm: Sequence[float], scale_nm: Sequence[float], rng: np.random.Generator) -> Warp:
    """A random displacement: the sum of waves of that root mean square, smooth over that scale."""
    pitch = min(scale_nm) / 2
    shape = tuple(int(n) + 2 for n in np.ceil(np.asarray(size_nm) / pitch))
    field = np.zeros((3, *shape))
    for rms, scale in zip(rms_nm, scale_nm, strict=True):
        smooth = ndimage.gaussian_filter(rng.standard_normal(field.shape), (0, *(scale / pitch / 2,) * 3))
        field += smooth * (rms / smooth.std())
    for axis, n in enumerate(shape):
        edge = np.clip(np.minimum(np.arange(n), np.floor(size_nm[axis] / pitch) - np.arange(n)) / 2, 0, 1)
        field *= edge.reshape([-1 if k == axis else 1 for k in range(3)])
    return Warp(field.astype(np.float32), pitch)


@njit(cache=True)
def _at(field: Singles, pitch: float, z: float, y: float, x: float, out: Singles) -> None:
    """The displacement at a place, nm, trilinear."""
    a, b, c = z / pitch, y / pitch, x / pitch
    i, j, k = int(a), int(b), int(c)
    a, b, c = a - i, b - j, c - k
    for n in range(3):
        f = field[n]
        low = (1 - c) * f[i, j, k] + c * f[i, j, k + 1]
        low = (1 - b) * low + b * ((1 - c) * f[i, j + 1, k] + c * f[i, j + 1, k + 1])
        high = (1 - c) * f[i + 1, j, k] + c * f[i + 1, j, k + 1]
        high = (1 - b) * high + b * ((1 - c) * f[i + 1, j + 1, k] + c * f[i + 1, j + 1, k + 1])
        out[n] = (1 - a) * low + a * high


@njit(cache=True)
def _bend(labels: Labels, field: Singles, pitch: float, voxel: Floats) -> Labels:
    out = np.empty_like(labels)
    nz, ny, nx = labels.shape
    shift = np.zeros(3, np.float32)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                _at(field, pitch, (z + 0.5) * voxel[0], (y + 0.5) * voxel[1], (x + 0.5) * voxel[2], shift)
                a = min(max(int(np.floor(z + 0.5 + shift[0] / voxel[0])), 0), nz - 1)
                b = min(max(int(np.floor(y + 0.5 + shift[1] / voxel[1])), 0), ny - 1)
                c = min(max(int(np.floor(x + 0.5 + shift[2] / voxel[2])), 0), nx - 1)
                out[z, y, x] = labels[a, b, c]
    return out


def bend(labels: Labels, warp: Warp, voxel_nm: Floats) -> Labels:
    """Labels in bent space."""
    return np.asarray(_bend(labels, warp.field, warp.pitch_nm, np.asarray(voxel_nm, dtype=np.float64)))


@njit(cache=True)
def _bent_points(points: Floats, field: Singles, pitch: float) -> Floats:
    out = points.copy()
    shift = np.zeros(3, np.float32)
    for i in range(len(points)):
        for _ in range(12):
            for k in range(3):
                out[i, k] = min(max(out[i, k], 0.0), (field.shape[k + 1] - 1.001) * pitch)
            _at(field, pitch, out[i, 0], out[i, 1], out[i, 2], shift)
            for k in range(3):
                out[i, k] = points[i, k] - shift[k]
    return out


def bend_points(points: Floats, warp: Warp) -> Floats:
    """Where places (nm, shape (n, 3)) of the flood lie in bent space."""
    return np.asarray(_bent_points(np.asarray(points, dtype=np.float64), warp.field, warp.pitch_nm))
