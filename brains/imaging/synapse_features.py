"""What speaks for a synapse at a place of contact, and for which side sends: darkness by depth and by distance.

Of every side: how dark it is at three depths from the membrane, near the middle of the place and farther out, how dark
and how varied it is deeper in, where vesicles lie, and how much of it there is. A bar stands before the synapse, a
broad density behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .clefts import PATCH_NM, Clefts, Tone
from .contacts import Contacts
from .volume import Voxel

__all__ = ["DETECTION", "DIRECTION", "REACH_NM", "Features", "features"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REACH_NM = 150.0  # nm from the place, how far its sides are looked at; assumed
MEMBRANE_NM = 110.0  # nm from the place, membrane that depth is measured from; assumed
DEPTHS_NM = np.array([18.0, 36.0, 60.0])  # nm, ends of the layers; assumed
MIDDLE_NM = 55.0  # nm from the place, end of its middle part; assumed
MOST = 64  # patches of membrane that depth is measured from
BINS = 8  # of a side: inner and outer part of each layer, what is deeper, and the place of a bar
BAR_NM = 30.0  # nm from the membrane, middle of that place; assumed
BAR_RADIUS_NM = 25.0  # nm, of it; assumed
SIDE = (  # features of one side
    *(f"{part}_{layer}" for layer in ("shallow", "middling", "deep") for part in ("inner", "outer")),
    "inside",  # darkness deeper than the layers
    "bar",  # darkness where a bar would stand
    "varied",  # standard deviation of darkness there
    "room",  # log of its volume within reach, nm3
)
DIRECTION = SIDE
DETECTION = (
    *(f"{name}_sum" for name in SIDE),
    *(f"{name}_difference" for name in SIDE),
    "score",  # of `Clefts`
    "lead",  # score less the best rival's
    "area",  # log of the area of contact around the place, nm2
    "flat",  # length of the mean normal of the patches there: 1 for a plane
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """Of k places.

    Args:
        detection: shape (k, len(DETECTION)); the same if the sides are swapped.
        direction: shape (k, len(DIRECTION)), first side less the second.
        voxels: shape (k,), voxels of the cleft: those beside the membrane that are darker than an ordinary one.
    """

    detection: Floats
    direction: Floats
    voxels: Ints


def features(
    labels: NDArray[Any],
    image: NDArray[np.uint8],
    voxel_nm: Voxel,
    corner: tuple[int, int, int],
    tones: Tone,
    found: Contacts,
    places: Clefts,
) -> Features:
    """Features of every place.

    Args:
        labels: shape (z, y, x), as `contacts` saw them.
        image: shape (z, y, x).
        voxel_nm: size of a voxel, nm.
        corner: voxel of the volume that the arrays begin at.
        tones: greys of the block.
        found: patches of contact.
        places: some of them.
    """
    size = np.array(voxel_nm)
    start = np.array(corner) * size
    sides, around = np.zeros((len(places.patch), 2, BINS, 3)), np.zeros((len(places.patch), 2))
    voxels = np.zeros(len(places.patch), dtype=np.int64)
    _look(
        np.ascontiguousarray(labels),
        image,
        size,
        found.place_nm - start,
        found.normal,
        found.area_nm2,
        found.pair,
        found.starts,
        places.patch,
        places.place_nm - start,
        (tones.membrane, tones.spread),
        sides,
        around,
        voxels,
        sum(corner) % 2,
    )
    side = _side(sides, 2 * float(np.prod(size)))
    both = [side.sum(axis=1), np.abs(side[:, 0] - side[:, 1])]
    more = [places.score, places.score - places.rival, np.log(around[:, 0] + 1.0), around[:, 1]]
    return Features(
        detection=np.concatenate([*both, np.stack(more, axis=1)], axis=1),
        direction=side[:, 0] - side[:, 1],
        voxels=voxels,
    )


def _side(sums: Floats, voxel_nm3: float) -> Floats:
    """Features of single sides, (k, 2, len(SIDE)), from count, sum and sum of squares of darkness in every bin."""
    count, total = sums[..., 0], sums[..., 1]
    whole = total[..., :-1].sum(axis=-1) / np.maximum(count[..., :-1].sum(axis=-1), 1.0)
    mean = np.where(count > 0, total / np.maximum(count, 1.0), whole[..., None])
    inside = sums[..., -2, :]
    varied = np.sqrt(np.maximum(inside[..., 2] / np.maximum(inside[..., 0], 1.0) - mean[..., -2] ** 2, 0.0))
    varied = np.where(inside[..., 0] > 0, varied, 0.0)
    room = np.log(count[..., :-1].sum(axis=-1) * voxel_nm3 + 1.0)
    return np.concatenate([mean, varied[..., None], room[..., None]], axis=-1)


@njit(cache=True)
def _patches(
    i: int, starts: Ints, nodes: Floats, area: Floats, normal: Floats, site: Floats, near: Floats, mean: Floats
) -> Any:
    """Patches of the pair around a place, copied to `near`: how many, their area, and their mean normal (to `mean`)."""
    k = np.searchsorted(starts, i, side="right") - 1
    count, total = 0, 0.0
    mean[:] = 0.0
    for j in range(starts[k], starts[k + 1]):
        z, y, x = nodes[j, 0] - site[0], nodes[j, 1] - site[1], nodes[j, 2] - site[2]
        far = z * z + y * y + x * x
        if far <= MEMBRANE_NM**2 and count < len(near):
            near[count] = nodes[j]
            count += 1
        if far <= PATCH_NM**2:
            total += area[j]
            mean += area[j] * normal[j]
    mean /= max(total, 1e-9)
    return count, total


@njit(cache=True)
def _bin(depth: float, far: float) -> int:
    """Number of the bin of a voxel that deep and that far from the place."""
    for layer in range(len(DEPTHS_NM)):
        if depth < DEPTHS_NM[layer]:
            return 2 * layer + int(far >= MIDDLE_NM)
    return BINS - 2


@njit(cache=True)
def _look(
    labels: Any,
    image: Any,
    size: Floats,
    nodes: Floats,
    normal: Floats,
    area: Floats,
    pair: Any,
    starts: Ints,
    patch: Ints,
    place: Floats,
    tones: tuple[float, float],
    sides: Floats,
    around: Floats,
    voxels: Ints,
    parity: int,
) -> None:
    """Fill the sums of all places from every other voxel; places in nm from the corner of the arrays.

    Args: as in `features`; `parity` that of the corner, so that the same voxels are used whatever the block.
    """
    near, way = np.empty((MOST, 3)), np.empty(3)
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for n in range(len(patch)):
        site = place[n]
        count, around[n, 0] = _patches(patch[n], starts, nodes, area, normal, site, near, way)
        around[n, 1] = np.sqrt((way**2).sum())
        way /= max(around[n, 1], 1e-9)
        for axis in range(3):
            low[axis] = max(int(np.floor((site[axis] - REACH_NM) / size[axis])), 0)
            high[axis] = min(int(np.ceil((site[axis] + REACH_NM) / size[axis])) + 1, labels.shape[axis])
        first, second = pair[patch[n], 0], pair[patch[n], 1]
        for z in range(low[0], high[0]):
            dz = (z + 0.5) * size[0]
            for y in range(low[1], high[1]):
                dy = (y + 0.5) * size[1]
                for x in range(low[2] + (low[2] + z + y + parity) % 2, high[2], 2):
                    here = labels[z, y, x]
                    if here != first and here != second:
                        continue
                    dx = (x + 0.5) * size[2]
                    far = (dz - site[0]) ** 2 + (dy - site[1]) ** 2 + (dx - site[2]) ** 2
                    if far > REACH_NM * REACH_NM:
                        continue
                    depth = 1e18
                    for k in range(count):
                        a, b, c = dz - near[k, 0], dy - near[k, 1], dx - near[k, 2]
                        depth = min(depth, a * a + b * b + c * c)
                    bin_ = _bin(np.sqrt(depth), np.sqrt(far))
                    dark = (tones[0] - image[z, y, x]) / tones[1]
                    side = int(here == second)
                    sides[n, side, bin_, 0] += 1.0
                    sides[n, side, bin_, 1] += dark
                    sides[n, side, bin_, 2] += dark * dark
                    voxels[n] += 2 * int(bin_ < 2 and dark > 0.0)
                    deep = BAR_NM if side == 1 else -BAR_NM
                    a, b, c = dz - site[0] - deep * way[0], dy - site[1] - deep * way[1], dx - site[2] - deep * way[2]
                    if a * a + b * b + c * c <= BAR_RADIUS_NM * BAR_RADIUS_NM:
                        sides[n, side, BINS - 1, 0] += 1.0
                        sides[n, side, BINS - 1, 1] += dark
