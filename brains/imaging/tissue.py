"""Synthetic tissue with known truth, grown from a Connectome.

What is grown is a model of tissue, not data: the graph of its chemical synapses is the connectome's, the shapes are
random. Every synapse is a place where the axon of one neuron meets a shaft or spine of the other; neurites touch in
many other places too. Processes of neurons outside the connectome and glia fill the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ..connectome import Connectome
from .tissue_damage import GRID, Damage, Distortion, choose_damaged, damage_sections, make_distortion, move
from .tissue_flood import Skeleton, Warp, bend, bend_points, flood, keep_whole, make_warp
from .tissue_looks import add_grain, edge_distance, paint, paint_capsule, paint_synapse
from .tissue_plan import GLIA, PARTS, PASSING, Plan, make_plan
from .tissue_settings import TissueSettings
from .volume import Segmentation, Volume, VolumeError

__all__ = ["Tissue", "TissueSettings", "grow"]

Floats = NDArray[np.float64]
Labels = NDArray[np.uint32]
SMOOTHINGS = 3  # of skeletons; assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class Tissue:
    """Tissue and all that is true of it.

    Args:
        volume: the image as it was taken: sections out of place and damaged where the settings say so.
        clean: image without damage, aligned.
        truth: labels of every voxel, aligned; 1 to n are the neurons of the connectome in its order.
        truth_moved: labels as the sections of `volume` lie, 0 outside the tissue.
        distortion: where they lie.
        damaged: one row a damaged section: z and damage.
        cells: one row a label: label, name (empty outside the connectome), kind (neuron, passing or glia).
        synapses: one row a synapse: pre and post (names), pre_label and post_label, z_nm, y_nm, x_nm (in the cleft,
            aligned), on_spine, y_moved_nm and x_moved_nm (as the section lies), and
            pre_z_nm ... and post_z_nm ... (30 nm into either side).
        connectome: what was really grown: chemical edges, counted in synapses.
    """

    volume: Volume
    clean: Volume
    truth: Segmentation
    truth_moved: Segmentation
    cells: pd.DataFrame
    synapses: pd.DataFrame
    connectome: Connectome
    distortion: Distortion
    damaged: pd.DataFrame


def grow(
    connectome: Connectome,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
    settings: TissueSettings | None = None,
) -> Tissue:
    """Grow tissue in which the chemical synapses are those of a connectome.

    Args:
        connectome: neurons and edges; electrical and modulatory edges and those of a neuron onto itself have no
            place in the picture and are left out.
        shape: voxels (z, y, x).
        rng: of everything.
        settings: of the tissue; the default is an isotropic stack without damage.

    Raises:
        VolumeError: the connectome does not fit the volume.
    """
    settings = settings or TissueSettings()
    voxel = np.array(settings.voxel_nm)
    size_nm = np.array(shape) * voxel
    edges = _edges(connectome, settings)
    plan = make_plan(_each(edges, connectome), connectome.n, size_nm, rng, settings)
    skeleton = _skeleton(plan, voxel)
    waves = (settings.warp_nm, settings.sway_nm), (settings.warp_scale_nm, settings.sway_scale_nm)
    warp = make_warp(size_nm, *waves, rng)
    labels = keep_whole(bend(flood(skeleton, shape, voxel), warp, voxel))
    synapses, patches = _find_synapses(plan, labels, warp, voxel, settings, connectome)
    image = _image(plan, labels, synapses, patches, warp, rng, settings)
    line = f"synthetic tissue of {connectome.n} neurons and {len(synapses)} synapses, grown, not imaged"
    distortion = make_distortion(shape, rng, settings.damage)
    damaged = choose_damaged(shape[0], rng, settings.damage)
    taken, moved = _take(image, labels, distortion, settings.damage)
    damage_sections(taken, damaged, rng, settings.damage)
    synapses = _moved(synapses, distortion, voxel)
    return Tissue(
        volume=Volume(data=taken, voxel_nm=settings.voxel_nm, source=(line,)),
        clean=Volume(data=image, voxel_nm=settings.voxel_nm, source=(line,)),
        truth=Segmentation(labels=labels, voxel_nm=settings.voxel_nm, source=(line,)),
        truth_moved=Segmentation(labels=moved, voxel_nm=settings.voxel_nm, source=(line,)),
        distortion=distortion,
        damaged=damaged,
        cells=_cells(plan, connectome),
        synapses=synapses,
        connectome=_grown(connectome, synapses),
    )


def _take(
    image: NDArray[np.uint8], labels: Labels, distortion: Distortion, damage: Damage
) -> tuple[NDArray[np.uint8], Labels]:
    """Image and labels with the sections where they lie."""
    if not damage.moves:
        return image.copy(), labels
    taken, moved = np.empty_like(image), np.empty_like(labels)
    for z in range(len(image)):
        pull = distortion.dense(z, (image.shape[1], image.shape[2]))
        taken[z], moved[z] = move(image[z], pull, order=1), move(labels[z], pull, order=0)
    return taken, moved


def _moved(synapses: pd.DataFrame, distortion: Distortion, voxel: Floats) -> pd.DataFrame:
    """With the places of synapses as the sections lie."""
    pixels = synapses[["z_nm", "y_nm", "x_nm"]].to_numpy() / voxel
    z, at = pixels[:, 0].astype(int), pixels[:, 1:] - 0.5
    grid = [z, at[:, 0] / GRID, at[:, 1] / GRID]
    push = [map_coordinates(distortion.push_px[..., k], grid, order=1) for k in (0, 1)]
    return synapses.assign(
        y_moved_nm=synapses["y_nm"] + push[0] * voxel[1], x_moved_nm=synapses["x_nm"] + push[1] * voxel[2]
    )


def _edges(connectome: Connectome, settings: TissueSettings) -> pd.DataFrame:
    """Chemical edges between different neurons and how many synapses each gets."""
    edges = connectome.synapses
    edges = edges[(edges["kind"] == "chemical") & (edges["pre"] != edges["post"])]
    wanted = np.maximum(np.rint(edges["count"] * settings.synapses_per_count), 1)
    return edges.assign(synapses=wanted.astype(np.int64)).reset_index(drop=True)


def _each(edges: pd.DataFrame, connectome: Connectome) -> NDArray[np.int64]:
    """One row a synapse: labels before and after."""
    pairs = np.stack([connectome.index(edges["pre"]), connectome.index(edges["post"])], axis=1) + 1
    return np.asarray(np.repeat(pairs, edges["synapses"], axis=0), dtype=np.int64)


def _skeleton(plan: Plan, voxel: Floats) -> Skeleton:
    """Smoothed lines of the plan, with both sides of a synapse led up to one another."""
    points = np.array(plan.points)
    links = np.array(plan.links, dtype=np.int32).reshape(-1, 2)
    points = _smooth(points, links, 0.25 * plan.pitch_nm)
    radius, label = np.array(plan.radius), np.array(plan.label, dtype=np.uint32)
    sites = np.array(plan.sites, dtype=np.int32).reshape(-1, 2)
    between = points[sites[:, 1]] - points[sites[:, 0]]
    length = np.linalg.norm(between, axis=1, keepdims=True)
    share = np.clip(0.5 - 0.9 * voxel.max() / np.maximum(length, 1e-9), 0, 0.5)
    first, second = points[sites[:, 0]] + share * between, points[sites[:, 1]] - share * between
    ends = len(points) + np.arange(2 * len(sites), dtype=np.int32)
    starts = sites.T.ravel()
    return Skeleton(
        points=np.concatenate([points, first, second]),
        radius=np.concatenate([radius, np.full(2 * len(sites), 0.75 * plan.pitch_nm / 2)]),
        label=np.concatenate([label, label[starts]]),
        links=np.concatenate([links, np.stack([starts, ends], axis=1)]),
    )


def _smooth(points: Floats, links: NDArray[np.int32], most_nm: float) -> Floats:
    """Points drawn towards the mean of those they are joined to, by at most `most_nm` along an axis."""
    inner = np.bincount(links.ravel(), minlength=len(points)) == 2
    moved = points.copy()
    for _ in range(SMOOTHINGS):
        total = np.zeros_like(points)
        for a, b in ((0, 1), (1, 0)):
            np.add.at(total, links[:, a], moved[links[:, b]])
        wanted = 0.5 * (moved[inner] + total[inner] / 2)
        moved[inner] = points[inner] + np.clip(wanted - points[inner], -most_nm, most_nm)
    return moved


def _find_synapses(
    plan: Plan, labels: Labels, warp: Warp, voxel: Floats, settings: TissueSettings, connectome: Connectome
) -> tuple[pd.DataFrame, list[NDArray[np.int64]]]:
    """Where the two sides of every synapse really touch, and the voxels they touch at."""
    points, sites = np.array(plan.points), np.array(plan.sites, dtype=np.int64).reshape(-1, 2)
    middle = bend_points((points[sites[:, 0]] + points[sites[:, 1]]) / 2, warp)
    rows, patches = [], []
    for (before, after), near in zip(sites, middle, strict=True):
        pre, post = plan.label[before], plan.label[after]
        patch = _contact(labels, pre, post, near, voxel, settings.cleft_radius_nm)
        names = connectome.names[pre - 1], connectome.names[post - 1]
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


def _image(
    plan: Plan,
    labels: Labels,
    synapses: pd.DataFrame,
    patches: list[NDArray[np.int64]],
    warp: Warp,
    rng: np.random.Generator,
    settings: TissueSettings,
) -> NDArray[np.uint8]:
    voxel = np.array(settings.voxel_nm)
    distance = edge_distance(labels, voxel)
    image = paint(labels, distance, rng, settings)
    _organelles(plan, image, labels, distance, warp, voxel, rng, settings)
    sites = synapses[["pre_z_nm", "pre_y_nm", "pre_x_nm"]].to_numpy(dtype=np.float64)
    pairs = synapses[["pre_label", "post_label"]].to_numpy(dtype=np.int64)
    reach = settings.cleft_radius_nm + 60
    for site, (pre, post), patch in zip(sites, pairs, patches, strict=True):
        _vesicles(image, labels, distance, site, pre, voxel, rng)
        paint_synapse(image, labels, patch, site, pre, post, voxel, reach, settings.density)
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
        if rng.random() > settings.mitochondria_share:
            continue
        size = min(radius * float(rng.uniform(0.4, 0.65)), float(rng.uniform(80.0, 160.0)))
        off = rng.normal(0, 0.3 * radius, 3)
        dark = settings.mitochondrion + float(rng.normal(0, 5))
        paint_capsule(
            image, labels, distance, points[a] + off, points[b] + off, size, plan.label[a], voxel, dark, dark - 12, 18.0
        )


def _cells(plan: Plan, connectome: Connectome) -> pd.DataFrame:
    """One row a label."""
    kinds = np.full(plan.labels + 1, "neuron", dtype=object)
    kinds[np.array(plan.label)[np.array(plan.part) == PASSING]] = "passing"
    kinds[np.array(plan.label)[np.array(plan.part) == GLIA]] = "glia"
    names = [*connectome.names, *[""] * (plan.labels - connectome.n)]
    return pd.DataFrame({"label": np.arange(1, plan.labels + 1), "name": names, "kind": kinds[1:]})


def _grown(connectome: Connectome, synapses: pd.DataFrame) -> Connectome:
    """The connectome of what was grown."""
    counts = synapses.groupby(["pre", "post"], sort=True).size().rename("count").reset_index()
    signs = connectome.synapses.query("kind == 'chemical'")[["pre", "post", "sign", "sign_provenance"]]
    table = counts.merge(signs, on=["pre", "post"]).assign(kind="chemical", provenance="assumed")
    source = connectome.source.changed(f"grown into synthetic tissue: {len(synapses)} chemical synapses")
    return Connectome(connectome.neurons, table, source)
