"""Which sections are missing, dark, blurred, charged or folded, by how they differ from their neighbours.

It runs before alignment: what it looks at is of whole sections, of tiles larger than sections are shifted by, or of
pixels beyond all that healthy neighbours show. Deviations are in robust standard deviations: of the differences of
all sections from the median of their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .blocks import CHUNK, Block, Workers, grid, run_blocks
from .store import load, save
from .survey import HALF, half, survey
from .volume import Box
from .workspace import Workspace

__all__ = ["KINDS", "LOCAL", "ArtefactSettings", "damage_mask", "damaged", "find_artefacts"]

KINDS = ("missing", "dark", "blurred", "charged", "folded")
LOCAL = ("charged", "folded")  # kinds that spare most of a section
STAGE = "artefacts"
RIM = 2  # shrunken pixels around nothing that are mixed with it
GROUP = 16  # sections whose mask is written at once
Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ArtefactSettings:
    """What counts as damage; all assumed, chosen on FIB-25 training_sample1 with damage planted from seeds 0 to 4."""

    sigmas: float = 8.0  # robust standard deviations a section must differ by
    neighbours: int = 5  # sections on either side it is compared with
    floor: float = 0.02  # least standard deviation of the logarithms of brightness and sharpness
    contrast: float = 0.25  # of the neighbours': below it a section is missing
    tail: float = 0.001  # of a section's pixels: what is darkest, and what is brightest
    margin: float = 0.05  # of the range between the tails, that streaks and folds lie beyond those of neighbours
    area: float = 0.0008  # of a section: standard deviation of the area of such pixels
    length: float = 0.2  # of the shorter side of a section: least length of a fold
    grow_px: int = 4  # pixels around streaks and folds that are masked too

    def __post_init__(self) -> None:
        if self.sigmas <= 0 or self.neighbours < 1:
            raise ValueError(f"ArtefactSettings: sigmas ({self.sigmas}) and neighbours ({self.neighbours}) must be > 0")


def find_artefacts(space: Workspace, settings: ArtefactSettings, workers: Workers, image: str) -> list[dict[str, Any]]:
    """Damaged sections of an image.

    Args:
        space: holds the image; receives `IMAGE_half`, its sections at half the size, `IMAGE_damage`, True on streaks
            and folds and where sections were filled up with zeros, and the record of stage "artefacts".
        settings: what counts as damage.
        workers: who does it.
        image: name of the image.

    Returns:
        For every damaged section {"section": z, "kind": of `KINDS`, "sigmas": how far it stands out}, in order.
    """
    shape = space.array(image).shape
    if space.begin(STAGE, {"image": image, "shape": shape, **asdict(settings)}):
        tiles = survey(space, image, STAGE, workers, halve=True)
        areas, limits = _extremes(space, settings, workers, image)
        found = _judge(tiles, areas, settings)
        _mask(space, settings, workers, image, {entry["section"]: entry["kind"] for entry in found}, limits)
        space.finish(STAGE, {"image": image, "sections": found})
    sections: list[dict[str, Any]] = space.record(STAGE)["sections"]
    return sections


def damaged(found: Sequence[dict[str, Any]], sections: int) -> NDArray[np.bool_]:
    """Which sections show nothing that could be compared with others, shape (sections,)."""
    bad = np.zeros(sections, dtype=np.bool_)
    bad[[entry["section"] for entry in found if entry["kind"] == "missing"]] = True
    return bad


def damage_mask(space: Workspace, image: str, box: Box) -> NDArray[np.bool_]:
    """True on the streaks and folds of a part of an image."""
    name = f"{image}_damage"
    return np.asarray(space.array(name)[box.slices]) if space.has(name) else np.zeros(box.shape, dtype=np.bool_)


def _typical(values: Doubles, neighbours: int) -> Doubles:
    """Median of the neighbours of each section, itself left out, along the first axis."""
    n, away = len(values), [k for k in range(-neighbours, neighbours + 1) if k]
    around = np.arange(n)[:, None] + np.array(away)
    around = np.where(around < 0, around + 2 * neighbours + 1, around)
    around = np.where(around >= n, around - 2 * neighbours - 1, around).clip(0, n - 1)
    found: Doubles = np.median(values[around], axis=1)
    return found


def _far(values: Doubles, settings: ArtefactSettings, floor: float) -> Doubles:
    """How far each value lies from the median of its neighbours, in robust standard deviations."""
    rest = values - _typical(values, settings.neighbours)
    return rest / max(floor, 1.4826 * float(np.median(np.abs(rest - np.median(rest)))))


def _judge(tiles: NDArray[np.float32], areas: Doubles, settings: ArtefactSettings) -> list[dict[str, Any]]:
    """Kind of damage of every damaged section."""
    flat = tiles.reshape(len(tiles), -1, 4).astype(np.float64)
    mean, spread, steps = (np.median(flat[..., k], axis=1) for k in (1, 2, 3))
    missing = spread < settings.contrast * _typical(spread, settings.neighbours)
    dark = _far(np.log(mean + 1), settings, settings.floor)
    sharp = _far(np.log((steps + 0.1) / (spread + 0.1)), settings, settings.floor)
    long = areas[:, 2] >= settings.length
    scores = {
        "missing": np.where(missing, 100.0, 0.0),
        "dark": -dark,
        "blurred": -sharp,
        "folded": np.where(long, areas[:, 0] / settings.area, 0.0),
        "charged": areas[:, 1] / settings.area,
    }
    found = []
    for z in range(len(tiles)):
        kind = next((kind for kind, score in scores.items() if score[z] > settings.sigmas), None)
        if kind:
            found.append({"section": z, "kind": kind, "sigmas": round(min(float(scores[kind][z]), 100.0), 2)})
    return found


def _slabs(shape: tuple[int, ...]) -> list[Block]:
    """Whole sections, as many as a chunk is deep."""
    return grid(shape, (min(CHUNK, shape[0]), shape[1], shape[2]), (0, 0, 0))


def _extremes(space: Workspace, settings: ArtefactSettings, workers: Workers, image: str) -> tuple[Doubles, Doubles]:
    """Of every section: areas darker and brighter than neighbours ever are and length of the former; and the limits."""
    slabs, folder = _slabs(space.array(half(image)).shape), space.folder / STAGE
    task = partial(_count, space.folder, image)
    run_blocks(task, slabs, space.markers(f"{STAGE}/histograms"), workers, "artefacts: grey values")
    counts = np.concatenate([load(folder / f"histograms-{slab.name}.npy") for slab in slabs])
    limits = _limits(counts, settings)
    measure = partial(_measure, space.folder, image, limits)
    run_blocks(measure, slabs, space.markers(f"{STAGE}/areas"), workers, "artefacts: streaks and folds")
    return np.concatenate([load(folder / f"areas-{slab.name}.npy") for slab in slabs]), limits


def _count(folder: Path, image: str, slab: Block) -> None:
    values = np.asarray(Workspace(folder).array(half(image))[slab.core.slices])
    counts = np.stack([np.bincount(section[~_outside(section)], minlength=256) for section in values])
    save(folder / STAGE / f"histograms-{slab.name}.npy", counts)


def _limits(counts: NDArray[np.int64], settings: ArtefactSettings) -> Doubles:
    """Darkest and brightest grey value of a section that its neighbours would call healthy, shape (sections, 2)."""
    share = counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True).clip(1)
    low, first, middle, third, high = (
        (share < part).sum(axis=1).astype(np.float64) for part in (settings.tail, 0.25, 0.5, 0.75, 1 - settings.tail)
    )
    spread = np.maximum(third - first, 1.0)
    tails = np.stack([(low - middle) / spread, (high - middle) / spread], axis=1)
    usual = _typical(tails, settings.neighbours)
    usual += settings.margin * (usual[:, 1] - usual[:, 0])[:, None] * np.array([-1.0, 1.0])
    return np.asarray(middle[:, None] + spread[:, None] * usual)


def _measure(folder: Path, image: str, limits: Doubles, slab: Block) -> None:
    values, rows = np.asarray(Workspace(folder).array(half(image))[slab.core.slices]), []
    for section, (low, high) in zip(values, limits[slab.core.slices[0]], strict=True):
        dark = (section < low) & ~_outside(section)
        rows.append([dark.mean(), (section > high).mean(), _length(dark) / min(dark.shape)])
    save(folder / STAGE / f"areas-{slab.name}.npy", np.array(rows))


def _outside(section: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a shrunken section shows nothing: zeros that reach its edge, and the rim they are mixed with."""
    nothing = section == 0
    edges = nothing[0].any() or nothing[-1].any() or nothing[:, 0].any() or nothing[:, -1].any()
    if not edges or nothing.all():
        return np.zeros(section.shape, dtype=np.bool_)
    edge = np.zeros(section.shape, dtype=np.bool_)
    edge[[0, -1]], edge[:, [0, -1]] = nothing[[0, -1]], nothing[:, [0, -1]]
    reached = ndimage.binary_propagation(edge, mask=nothing)
    return np.asarray(ndimage.binary_dilation(reached, np.ones((3, 3), dtype=np.bool_), iterations=RIM))


def _length(mask: NDArray[np.bool_]) -> int:
    """Longest side of the box around any connected part, pixels."""
    boxes = ndimage.find_objects(ndimage.label(mask, structure=np.ones((3, 3)))[0]) if mask.any() else []
    return max((max(side.stop - side.start for side in box) for box in boxes), default=0)


def _mask(
    space: Workspace,
    settings: ArtefactSettings,
    workers: Workers,
    image: str,
    kinds: dict[int, str],
    limits: Doubles,
) -> None:
    """Mark streaks and folds, voxel by voxel."""
    array = space.array(image)
    space.create(f"{image}_damage", array.shape, np.bool_, space.voxel_nm(image))
    local = {z: kind for z, kind in kinds.items() if kind in LOCAL}
    task = partial(_paint, space.folder, image, settings.grow_px, local, limits)
    run_blocks(task, _slabs(array.shape), space.markers(f"{STAGE}/mask"), workers, "artefacts: mask")


def _paint(folder: Path, image: str, grow_px: int, local: dict[int, str], limits: Doubles, slab: Block) -> None:
    space = Workspace(folder)
    small, target = space.array(half(image)), space.array(f"{image}_damage")
    for first in range(slab.core.start[0], slab.core.stop[0], GROUP):
        sections = slice(first, min(first + GROUP, slab.core.stop[0]))
        values = np.asarray(small[sections])
        masks = np.stack([_outside(section) for section in values])
        for z in local.keys() & set(range(sections.start, sections.stop)):
            section, empty = values[z - first], masks[z - first]
            mask = section > limits[z, 1] if local[z] == "charged" else (section < limits[z, 0]) & ~empty
            size = -(-grow_px // HALF)
            masks[z - first] |= ndimage.binary_dilation(mask, np.ones((3, 3), dtype=np.bool_), iterations=size)
        if masks.any():
            large = masks.repeat(HALF, axis=1).repeat(HALF, axis=2)
            target[sections] = large[:, : target.shape[1], : target.shape[2]]
