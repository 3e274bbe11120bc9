"""Where the two sides of every synapse of synthetic tissue really touch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .tissue_flood import Warp, bend_points
from .tissue_plan import PARTS, Plan
from .tissue_settings import TissueSettings
from .volume import VolumeError

__all__ = ["find_synapses"]

Floats = NDArray[np.float64]
Labels = NDArray[np.uint32]


def find_synapses(
    plan: Plan, labels: Labels, warp: Warp, voxel: Floats, settings: TissueSettings, names_of: Sequence[str]
) -> tuple[pd.DataFrame, list[NDArray[np.int64]]]:
    """Where the two sides of every synapse really touch, and the voxels they touch at."""
    points, sites = np.array(plan.points), np.array(plan.sites, dtype=np.int64).reshape(-1, 2)
    middle = bend_points((points[sites[:, 0]] + points[sites[:, 1]]) / 2, warp)
    rows, patches = [], []
    for (before, after), near in zip(sites, middle, strict=True):
        pre, post = plan.label[before], plan.label[after]
        patch = _contact(labels, pre, post, near, voxel, settings.cleft_radius_nm)
        names = names_of[pre - 1], names_of[post - 1]
        if patch is None:
            raise VolumeError(f"tissue: {names[0]} and {names[1]} do not touch at {near.round()} nm")
        site, normal, voxels = patch
        patches.append(voxels)
        spine = PARTS[plan.part[after]] == "spine"
        rows.append([*names, pre, post, *site, *(site - 30 * normal), *(site + 30 * normal), spine])
    axes = [f"{side}{axis}_nm" for side in ("", "pre_", "post_") for axis in "zyx"]
    return pd.DataFrame(rows, columns=["pre", "post", "pre_label", "post_label", *axes, "on_spine"]), patches


def _contact(
    labels: Labels, pre: int, post: int, near_nm: Floats, voxel: Floats, radius_nm: float
) -> tuple[Floats, Floats, NDArray[np.int64]] | None:
    """Place in the cleft, direction from pre to post, and the voxels of both that touch, near a place."""
    for reach in (1.5 * radius_nm, 3 * radius_nm):
        low = np.maximum((near_nm - reach) / voxel, 0).astype(int)
        high = np.minimum((near_nm + reach) / voxel + 2, labels.shape).astype(int)
        window = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        ours, theirs = np.argwhere(window == pre), np.argwhere(window == post)
        touching = _touching(window == pre, window == post)
        if touching is None or not len(ours) or not len(theirs):
            continue
        pairs = (touching + low + 0.5) * voxel
        middle = pairs[np.linalg.norm(pairs - near_nm, axis=1).argmin()]
        close = np.linalg.norm(pairs - middle, axis=1) <= radius_nm
        site = pairs[close].mean(axis=0)
        site = pairs[np.linalg.norm(pairs - site, axis=1).argmin()]
        way = _centre(theirs, low, voxel, site, radius_nm) - _centre(ours, low, voxel, site, radius_nm)
        return site, way / max(float(np.linalg.norm(way)), 1e-9), np.rint(pairs[close] / voxel - 0.5).astype(np.int64)
    return None


def _centre(cells: NDArray[np.int64], low: NDArray[np.int64], voxel: Floats, site: Floats, radius_nm: float) -> Floats:
    places = (cells + low + 0.5) * voxel
    close = np.linalg.norm(places - site, axis=1) <= radius_nm
    return np.asarray(places[close].mean(axis=0)) if close.any() else np.asarray(places.mean(axis=0))


def _touching(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Voxels of ours that share a face with one of theirs."""
    found = np.zeros_like(ours)
    for axis in range(3):
        a = tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))
        b = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
        found[a] |= ours[a] & theirs[b]
        found[b] |= ours[b] & theirs[a]
    places = np.argwhere(found)
    return places if len(places) else None
