"""What a block leaves behind for its neighbours, and the graph of all fragments that comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import Block
from .region_graph import RegionGraph, face_graph, joined

__all__ = ["BlockGraph", "read_graph", "stitched", "write_graph"]

Faces = Mapping[str, NDArray[Any]]
Index = tuple[int, int, int]  # place of a block in the grid
Plane = tuple[NDArray[np.int64], NDArray[np.uint8]]  # fragments and boundary


@dataclass(frozen=True, eq=False)
class BlockGraph:
    """Fragments of one core.

    Args:
        sizes: of fragments 0 to n, voxels.
        graph: edges within the core.
        faces: fragments and boundary on the six sides of the core: "labels_0_low" is the first section.
    """

    sizes: NDArray[np.int64]
    graph: RegionGraph
    faces: Faces

    @classmethod
    def of(
        cls, labels: NDArray[np.uint32], sizes: NDArray[np.int64], boundary: NDArray[np.uint8], graph: RegionGraph
    ) -> BlockGraph:
        """From the arrays of a core."""
        arrays: dict[str, NDArray[Any]] = {"labels": labels, "boundary": boundary}
        faces = {
            f"{name}_{axis}_{side}": values.take(place, axis=axis)
            for name, values in arrays.items()
            for axis in range(3)
            for side, place in (("low", 0), ("high", -1))
        }
        return cls(sizes, graph, faces)


def write_graph(path: Path, block: BlockGraph) -> None:
    """Write under a temporary name and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        arrays: dict[str, Any] = {"pairs": block.graph.pairs, "counts": block.graph.counts, **block.faces}
        np.savez_compressed(file, sizes=block.sizes, **arrays)
    temporary.replace(path)


def read_graph(path: Path) -> BlockGraph:
    """What `write_graph` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    graph = RegionGraph(arrays.pop("pairs"), arrays.pop("counts"))
    return BlockGraph(arrays.pop("sizes"), graph, arrays)


def stitched(blocks: Sequence[Block], folder: Path) -> tuple[RegionGraph, NDArray[np.int64], dict[Index, int]]:
    """The graph of all blocks, with edges across their faces; faces are held for one layer of blocks at a time.

    Args:
        blocks: of `grid`.
        folder: of their files, `NAME.npz`.

    Returns:
        The graph of fragments 1 to n of the whole volume, the voxels of fragments 0 to n, and by the place of a block
        what is added to its own numbers to give those.
    """
    offsets: dict[Index, int] = {}
    graphs, sizes, total = [], [np.zeros(1, dtype=np.int64)], 0
    waiting: dict[tuple[Index, int], Plane] = {}
    for block in blocks:
        part = read_graph(folder / f"{block.name}.npz")
        offsets[block.index] = total
        graphs.append(RegionGraph(part.graph.pairs + total, part.graph.counts))
        graphs.extend(_across(block.index, part.faces, total, waiting))
        sizes.append(part.sizes[1:])
        total += len(part.sizes) - 1
    return joined(graphs), np.concatenate(sizes), offsets


def _across(index: Index, faces: Faces, offset: int, waiting: dict[tuple[Index, int], Plane]) -> Iterator[RegionGraph]:
    """Edges between a block and those before it; its own far sides then wait for those after it."""
    for axis in range(3):
        before = (index[0] - (axis == 0), index[1] - (axis == 1), index[2] - (axis == 2))
        if (before, axis) in waiting:
            (low, low_boundary), (high, high_boundary) = waiting.pop((before, axis)), _plane(faces, axis, "low", offset)
            yield face_graph(low, high, low_boundary, high_boundary)
        waiting[index, axis] = _plane(faces, axis, "high", offset)


def _plane(faces: Faces, axis: int, side: str, offset: int) -> Plane:
    """Fragments of the whole volume and boundary on one side of a block."""
    labels = faces[f"labels_{axis}_{side}"].astype(np.int64)
    return np.where(labels > 0, labels + offset, 0), faces[f"boundary_{axis}_{side}"]
