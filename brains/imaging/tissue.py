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
from .tissue_channels import SectionImages, make_barcodes, stain_barcodes, stain_transmitters
from .tissue_damage import GRID, Damage, Distortion, choose_damaged, damage_sections, make_distortion, move
from .tissue_flood import Skeleton, bend, flood, keep_whole, make_warp
from .tissue_organelles import draw_image
from .tissue_plan import GLIA, PASSING, Plan, make_plan
from .tissue_settings import TissueSettings
from .tissue_synapses import find_synapses
from .volume import Segmentation, Volume

__all__ = ["Tissue", "TissueSettings", "grow"]

Floats = NDArray[np.float64]
Labels = NDArray[np.uint32]
THIN_NM = 10.0  # nm; assumed: sections are drawn in slices of about this thickness
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
        barcodes: which channels stain each label; seen in the channel images of `volume`.
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
    barcodes: pd.DataFrame


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
    slices = max(round(voxel[0] / max(voxel[1], voxel[2], THIN_NM)), 1)  # a section shows the mean of so many
    fine = voxel / (slices, 1, 1)
    edges = _edges(connectome, settings)
    plan = make_plan(_each(edges, connectome), connectome.n, size_nm, rng, settings)
    skeleton = _skeleton(plan, fine)
    waves = (settings.warp_nm, settings.sway_nm), (settings.warp_scale_nm, settings.sway_scale_nm)
    warp = make_warp(size_nm, *waves, rng)
    labels = keep_whole(bend(flood(skeleton, (slices * shape[0], shape[1], shape[2]), fine), warp, fine))
    synapses, patches = find_synapses(plan, labels, warp, fine, settings, connectome.names)
    image = draw_image(plan, labels, synapses, patches, warp, slices, rng, settings)
    if slices > 1:
        labels = keep_whole(np.ascontiguousarray(labels[slices // 2 :: slices]))
    line = f"synthetic tissue of {connectome.n} neurons and {len(synapses)} synapses, grown, not imaged"
    distortion = make_distortion(shape, rng, settings.damage)
    damaged = choose_damaged(shape[0], rng, settings.damage)
    taken, moved = _take(image, labels, distortion, settings.damage)
    damage_sections(taken, damaged, rng, settings.damage)
    synapses = _moved(synapses, distortion, voxel)
    barcodes = make_barcodes(plan.labels, rng, settings)
    channels = _channels(labels, synapses, connectome, barcodes, distortion, damaged, rng, settings)
    return Tissue(
        volume=Volume(data=taken, voxel_nm=settings.voxel_nm, source=(line,), channels=channels),
        clean=Volume(data=image, voxel_nm=settings.voxel_nm, source=(line,)),
        truth=Segmentation(labels=labels, voxel_nm=settings.voxel_nm, source=(line,)),
        truth_moved=Segmentation(labels=moved, voxel_nm=settings.voxel_nm, source=(line,)),
        distortion=distortion,
        damaged=damaged,
        barcodes=barcodes,
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


def _channels(
    labels: Labels,
    synapses: pd.DataFrame,
    connectome: Connectome,
    barcodes: pd.DataFrame,
    distortion: Distortion,
    damaged: pd.DataFrame,
    rng: np.random.Generator,
    settings: TissueSettings,
) -> dict[str, SectionImages]:
    """Images by light that the settings ask for."""
    made = {}
    if settings.barcodes:
        made["barcodes"] = stain_barcodes(labels, barcodes, rng, settings)
    if settings.transmitters:
        sites = synapses[["pre_z_nm", "pre_y_nm", "pre_x_nm"]].to_numpy()
        makes = dict(zip(connectome.names, connectome.neurons["transmitter"], strict=True))
        pre = [makes[name] for name in synapses["pre"]]
        shape = (labels.shape[0], labels.shape[1], labels.shape[2])
        made["transmitters"] = stain_transmitters(shape, sites, pre, rng, settings)
    missing = tuple(int(z) for z in damaged.loc[damaged["damage"] == "missing", "z"])
    lies = distortion if settings.damage.moves else None
    return {
        name: SectionImages(coarse, zoom, (len(coarse), *labels.shape), lies, missing)
        for name, (coarse, zoom) in made.items()
    }


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
