"""Where the two sides of every synapse of synthetic tissue really touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .tissue_flood import Warp, bend_points
from .tissue_lattice import beside
from .tissue_plan import PARTS, Plan
from .tissue_settings import TissueSettings
from .volume import VolumeError

__all__ = ["find_synapses"]

Floats = NDArray[np.float64]
Labels = NDArray[np.uint32]
DEEP_NM = 30.0  # nm, of the points on either side from the cleft; assumed


@dataclass(frozen=True)
class Contact:
    """Where two labels touch."""

    site: Floats  # nm, in the middle of the patch
    before: Floats  # nm, inside the label before it
    after: Floats  # nm, inside the label after it
    voxels: NDArray[np.int64]  # shape (n, 3), of the label before, that share a face with the label after


def find_synapses(
    plan: Plan, labels: Labels, warp: Warp, voxel: Floats, settings: TissueSettings, names_of: Sequence[str]
) -> tuple[pd.DataFrame, list[NDArray[np.int64]]]:
    """All synapses of a plan, as `Tissue.synapses`, and the voxels each touches at."""
    points, sites = np.array(plan.points), np.array(plan.sites, dtype=np.int64).reshape(-1, 2)
    middle = bend_points((points[sites[:, 0]] + points[sites[:, 1]]) / 2, warp)
    rows, patches = [], []
    for (first, second), near in zip(sites, middle, strict=True):
        pre, post = plan.label[first], plan.label[second]
        names = names_of[pre - 1], names_of[post - 1]
        contact = _contact(labels, (pre, post), near, voxel, settings.cleft_radius_nm)
        if contact is None:
            raise VolumeError(f"tissue: {names[0]} and {names[1]} do not touch at {near.round()} nm; try another seed")
        patches.append(contact.voxels)
        spine = PARTS[plan.part[second]] == "spine"
        rows.append([*names, pre, post, *contact.site, *contact.before, *contact.after, spine])
    axes = [f"{side}{axis}_nm" for side in ("", "pre_", "post_") for axis in "zyx"]
    return pd.DataFrame(rows, columns=["pre", "post", "pre_label", "post_label", *axes, "on_spine"]), patches


def _contact(labels: Labels, pair: tuple[int, int], near_nm: Floats, voxel: Floats, radius_nm: float) -> Contact | None:
    """The patch where two labels touch, near a place; looked for in a small and then in a larger window."""
    for reach in (1.5 * radius_nm, 3 * radius_nm):
        low = np.maximum((near_nm - reach) / voxel, 0).astype(int)
        high = np.minimum((near_nm + reach) / voxel + 2, labels.shape).astype(int)
        window = labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        touching = _touching(window == pair[0], window == pair[1]) + low
        if not len(touching):
            continue
        places = (touching + 0.5) * voxel
        middle = places[np.linalg.norm(places - near_nm, axis=1).argmin()]
        close = np.linalg.norm(places - middle, axis=1) <= radius_nm
        site = places[np.linalg.norm(places - places[close].mean(axis=0), axis=1).argmin()]
        sides = [(np.argwhere(window == label) + low + 0.5) * voxel for label in pair]
        ahead = _around(sides[1], site, radius_nm) - _around(sides[0], site, radius_nm)
        ahead *= DEEP_NM / max(float(np.linalg.norm(ahead)), 1e-9)
        return Contact(site, _nearest(sides[0], site - ahead), _nearest(sides[1], site + ahead), touching[close])
    return None


def _around(places: Floats, site: Floats, radius_nm: float) -> Floats:
    """Centre of the places near the site."""
    away = np.linalg.norm(places - site, axis=1)
    return np.asarray(places[away <= max(radius_nm, float(away.min()))].mean(axis=0))


def _nearest(places: Floats, wanted: Floats) -> Floats:
    return np.asarray(places[np.linalg.norm(places - wanted, axis=1).argmin()])


def _touching(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Voxels of ours that share a face with one of theirs, shape (n, 3)."""
    return np.argwhere(ours & beside(theirs))
