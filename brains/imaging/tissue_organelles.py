"""What lies in the neurites of synthetic tissue: mitochondria, vacuoles, reticulum, vesicles, densities at synapses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .tissue_flood import Warp, bend_points
from .tissue_looks import add_grain, edge_distance, paint, paint_capsule, paint_synapse
from .tissue_plan import GLIA, Plan
from .tissue_settings import TissueSettings

__all__ = ["draw_image"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Labels = NDArray[np.uint32]


def draw_image(
    plan: Plan,
    labels: Labels,
    synapses: pd.DataFrame,
    patches: list[NDArray[np.int64]],
    warp: Warp,
    slices: int,
    rng: np.random.Generator,
    settings: TissueSettings,
) -> NDArray[np.uint8]:
    """The clean image, shape (z, y, x).

    Args:
        plan: of the neurites.
        labels: of the voxels.
        synapses: of `find_synapses`.
        patches: of `find_synapses`.
        warp: from the plan to the voxels.
        slices: of the labels, that one section shows together.
        rng: of greys, organelles, grain and noise.
        settings: of the tissue.
    """
    voxel = np.array(settings.voxel_nm) / (slices, 1, 1)
    distance = edge_distance(labels, voxel)
    image = paint(labels, distance, voxel, rng, settings)
    _organelles(plan, image, labels, distance, warp, voxel, rng, settings)
    sites = synapses[["pre_z_nm", "pre_y_nm", "pre_x_nm"]].to_numpy(dtype=np.float64)
    pairs = synapses[["pre_label", "post_label"]].to_numpy(dtype=np.int64)
    reach = settings.cleft_radius_nm + 60
    for site, (pre, post), patch in zip(sites, pairs, patches, strict=True):
        _vesicles(image, labels, distance, site, pre, voxel, rng)
        paint_synapse(image, labels, patch, site, pre, post, voxel, reach, settings.density)
    image = image.reshape(-1, slices, *image.shape[1:]).mean(axis=1, dtype=np.float32)
    return add_grain(image, rng, settings)


def _vesicles(
    image: NDArray[np.float32],
    labels: Labels,
    distance: NDArray[np.float32],
    site: Floats,
    pre: int,
    voxel: Floats,
    rng: np.random.Generator,
) -> None:
    for place in site + rng.normal(0, 75, (int(rng.integers(20, 45)), 3)):
        paint_capsule(image, labels, distance, place, place, 20.0, pre, voxel, 150.0, 100.0, 12.0)


def _organelles(
    plan: Plan,
    image: NDArray[np.float32],
    labels: Labels,
    distance: NDArray[np.float32],
    warp: Warp,
    voxel: Floats,
    rng: np.random.Generator,
    settings: TissueSettings,
) -> None:
    """Mitochondria along thick neurites."""
    points = bend_points(np.array(plan.points), warp)
    for a, b in plan.links:
        radius, part = plan.radius[a], plan.part[a]
        thick = radius > 1.5 * settings.thin_nm and part != GLIA
        if not thick:
            continue
        for _ in range(rng.poisson(settings.tubules * plan.pitch_nm / 100)):
            start = points[a] + rng.normal(0, 0.5 * radius, 3)
            end = start + rng.normal(0, 90, 3)
            paint_capsule(
                image, labels, distance, start, end, float(rng.uniform(9, 16)), plan.label[a], voxel, 100.0, 100.0, 20.0
            )
        if rng.random() < settings.vacuole_share:
            place = points[a] + rng.normal(0, 0.4 * radius, 3)
            width = float(rng.uniform(25, 80))
            paint_capsule(image, labels, distance, place, place, width, plan.label[a], voxel, 165.0, 95.0, 15.0)
        if rng.random() > settings.mitochondria_share:
            continue
        size = min(radius * float(rng.uniform(0.4, 0.65)), float(rng.uniform(80.0, 160.0)))
        off = rng.normal(0, 0.3 * radius, 3)
        dark = settings.mitochondrion + float(rng.normal(0, 5))
        paint_capsule(
            image, labels, distance, points[a] + off, points[b] + off, size, plan.label[a], voxel, dark, dark - 12, 18.0
        )
