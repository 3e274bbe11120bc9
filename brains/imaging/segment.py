"""Stage "segment": an image goes in, one label a neurite comes out, block by block.

Every block predicts boundaries and grows fragments in its core; the graph of all fragments, across the faces of blocks
too, is agglomerated at once; every block then gets its labels. Kept beside the labels are the boundary map
(`OUT_boundary`, uint8) and each block's fragments (`OUT_fragments`, numbered from 1 in every block).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .agglomerate import Agglomeration, agglomerate
from .blocks import Block, Workers, grid, run_blocks
from .fragments import Fragments, compact, fragments
from .predictors import predictor, settings_of, weights_of
from .region_graph import region_graph
from .stitch import BlockGraph, stitched, write_graph
from .volume import Segmentation
from .workspace import Workspace

__all__ = ["SegmentSettings", "segment"]


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """How a volume is segmented.

    Raises:
        UnknownNameError: a predictor that does not exist.
        VolumeError: a predictor that needs weights and has none.
    """

    predictor: str = "classical"  # of boundaries: one of `predictors.PREDICTORS`
    weights: Path | None = None  # of the predictor; None: those that come with animat
    block: tuple[int, int, int] = (128, 256, 256)  # voxels, core
    halo: tuple[int, int, int] = (16, 16, 16)  # voxels, seen around it
    fragments: Fragments | None = None  # None: the predictor's own
    agglomeration: Agglomeration | None = None  # None: the predictor's own

    def __post_init__(self) -> None:
        weights_of(self.predictor, self.weights)

    def key(self) -> dict[str, Any]:
        """All that the result depends on."""
        return {
            "predictor": self.predictor,
            "weights": weights_of(self.predictor, self.weights)[1],
            "block": self.block,
            "halo": self.halo,
            "fragments": asdict(self.resolved()[0]),
            "agglomeration": asdict(self.resolved()[1]),
        }

    def resolved(self) -> tuple[Fragments, Agglomeration]:
        """The settings given, and the predictor's own for those that were not."""
        fragments, agglomeration = settings_of(self.predictor, weights_of(self.predictor, self.weights)[0])
        return self.fragments or fragments, self.agglomeration or agglomeration


def segment(
    space: Workspace, settings: SegmentSettings, workers: Workers, image: str = "clean", out: str = "labels"
) -> Segmentation:
    """Segment an image of the workspace.

    Args:
        space: where the image is and the labels will be.
        settings: how.
        workers: who does it.
        image: name of the image.
        out: name of the labels.

    Returns:
        Labels, uint32, 1 and up; 0 only where nothing was imaged.
    """
    stage = f"segment-{out}"
    volume = space.volume(image)
    key = {"image": image, **settings.key()}
    if space.begin(stage, key):
        for name, dtype in ((out, np.uint32), (f"{out}_fragments", np.uint32), (f"{out}_boundary", np.uint8)):
            space.create(name, volume.shape, dtype, volume.voxel_nm)
        size = tuple(min(side, n) for side, n in zip(settings.block, volume.shape, strict=True))
        blocks = grid(volume.shape, size, settings.halo)
        task = partial(_fragment_block, space.folder, image, out, settings)
        run_blocks(task, blocks, space.markers(stage) / "fragments", workers, "fragments")
        count = _agglomerate(space, out, blocks, settings)
        task = partial(_label_block, space.folder, out)
        run_blocks(task, blocks, space.markers(stage) / "labels", workers, "labels")
        space.finish(stage, {"regions": count, "settings": key})
    line = f"segmented ({settings.predictor})"
    return space.segmentation(out, (*volume.source, line))


def _graphs(folder: Path, out: str) -> Path:
    return folder / "graphs" / out


def _fragment_block(folder: Path, image: str, out: str, settings: SegmentSettings, block: Block) -> None:
    space = Workspace(folder)
    volume = space.volume(image)
    weights, _ = weights_of(settings.predictor, settings.weights)
    seen = _filled(volume.read(block.padded), volume.read_invalid(block.padded))
    boundary, objects = predictor(settings.predictor).predict(seen, volume.voxel_nm, weights)
    grown = fragments(boundary, volume.voxel_nm, settings.resolved()[0], objects)
    boundary, grown = np.ascontiguousarray(boundary[block.inner]), grown[block.inner]
    labels, sizes = compact(np.where(volume.read_invalid(block.core), np.uint32(0), grown))
    space.array(f"{out}_boundary")[block.core.slices] = boundary
    space.array(f"{out}_fragments")[block.core.slices] = labels
    graph = region_graph(labels, boundary)
    write_graph(_graphs(folder, out) / f"{block.name}.npz", BlockGraph.of(labels, sizes, boundary, graph))


def _filled(image: NDArray[np.uint8], invalid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The image with the nearest valid grey value where nothing was imaged: black there would upset its contrast."""
    from scipy.ndimage import distance_transform_edt

    if not invalid.any() or invalid.all():
        return image
    nearest_valid = distance_transform_edt(invalid, return_distances=False, return_indices=True)
    filled: NDArray[np.uint8] = image[tuple(nearest_valid)]
    return filled


def _agglomerate(space: Workspace, out: str, blocks: list[Block], settings: SegmentSettings) -> int:
    """Regions of all fragments, as one table a block; returns how many there are."""
    graph, sizes, offsets = stitched(blocks, _graphs(space.folder, out))
    regions, strengths = agglomerate(graph, sizes, settings.resolved()[1])
    numbers, labels = np.unique(regions, return_inverse=True)
    ends = [*list(offsets.values())[1:], len(sizes) - 1]
    for block, end in zip(blocks, ends, strict=True):
        table = np.concatenate([[0], labels[offsets[block.index] + 1 : end + 1]]).astype(np.uint32)
        _save(_graphs(space.folder, out) / f"{block.name}.regions.npz", regions=table)
    _save(_graphs(space.folder, out) / "fragments.npz", pairs=graph.pairs, strengths=strengths, sizes=sizes)
    return len(numbers) - 1


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    temporary.replace(path)


def _label_block(folder: Path, out: str, block: Block) -> None:
    space = Workspace(folder)
    with np.load(_graphs(folder, out) / f"{block.name}.regions.npz", allow_pickle=False) as file:
        table = file["regions"]
    space.array(out)[block.core.slices] = table[space.array(f"{out}_fragments")[block.core.slices]]
