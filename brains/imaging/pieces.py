"""Fragments of a whole volume as the segmentation left them: the graph they form, and their shapes.

Shapes are sums (voxels, places, products of places), so that those of any union of fragments are sums of sums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .blocks import Block, Workers, grid, run_blocks
from .stitch import stitched
from .volume import Box, Voxel
from .workspace import Workspace

__all__ = ["GREYS", "MOMENTS", "Numbering", "Pieces", "read_pieces"]

GREYS = 32  # bins of grey values, 0 to 255
MOMENTS = 10  # voxels or faces; sums of z, y, x (um); of zz, yy, xx, zy, zx, yx (um^2)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Numbering:
    """What is added to a block's own numbers to give those of the whole volume.

    Args:
        size: of a block, voxels.
        offsets: shape (blocks along z, y, x).
    """

    size: tuple[int, int, int]
    offsets: Ints

    def read(self, space: Workspace, name: str, box: Box) -> Ints:
        """Fragments of a part, numbered over the whole volume; 0 is nothing."""
        own = np.asarray(space.array(name)[box.slices]).astype(np.int64)
        where = [np.arange(a, b) // side for a, b, side in zip(box.start, box.stop, self.size, strict=True)]
        return np.where(own > 0, own + self.offsets[np.ix_(*where)], 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Fragments 1 to n of a volume.

    Args:
        pairs: shape (edges, 2), fragments that touch, the lower first, sorted.
        counts: shape (edges, 32), faces by strength of the boundary there.
        contact: shape (edges, 10), moments of the faces, of places in um.
        moments: shape (n + 1, 10), of the voxels of each fragment.
        grey: shape (n + 1, 32), its voxels by grey value.
        contact_grey: shape (edges, 32), faces by the grey value of their darker voxel.
        regions: shape (n + 1,), the label that the segmentation gave each.
        voxel_nm: size of a voxel along (z, y, x), nm.
        numbering: of the blocks.
        name: of the labels.
        fingerprint: SHA-256 of the graph and the labels, the same for the same segmentation.
    """

    pairs: Ints
    counts: NDArray[np.int32]
    contact: Floats
    moments: Floats
    grey: Floats
    contact_grey: Floats
    regions: Ints
    voxel_nm: Voxel
    numbering: Numbering
    name: str
    fingerprint: str

    @property
    def n(self) -> int:
        """How many fragments."""
        return len(self.regions) - 1

    @property
    def face_nm2(self) -> float:
        """Mean area of a voxel's face, nm2."""
        z, y, x = self.voxel_nm
        return (z * y + z * x + y * x) / 3

    @property
    def voxel_nm3(self) -> float:
        """Volume of a voxel, nm3."""
        return float(np.prod(self.voxel_nm))

    def place_nm(self, edges: Ints) -> tuple[float, float, float]:
        """Centre of the faces of some edges, (z, y, x), nm."""
        total = self.contact[edges].sum(axis=0)
        z, y, x = (1e3 * total[1:4] / total[0]).tolist()
        return z, y, x

    def fragments(self, space: Workspace, box: Box) -> Ints:
        """Fragments of a part of the volume."""
        return self.numbering.read(space, f"{self.name}_fragments", box)


def read_pieces(space: Workspace, image: str, labels: str, workers: Workers) -> Pieces:
    """Read what the stage "segment" left, and measure shapes block by block.

    Args:
        space: the workspace.
        image: name of the image that was segmented.
        labels: name of the labels.
        workers: who does it.

    Raises:
        VolumeError: the stage "segment" has not run.
    """
    settings = space.record(f"segment-{labels}")["settings"]
    shape, voxel = space.array(labels).shape, space.voxel_nm(labels)
    size = tuple(min(side, n) for side, n in zip(settings["block"], shape, strict=True))
    blocks, folder = grid(shape, size, (0, 0, 0)), space.folder / "graphs" / labels
    graph, sizes, offsets = stitched(blocks, folder)
    table = np.zeros([-(-n // side) for n, side in zip(shape, size, strict=True)], dtype=np.int64)
    for index, offset in offsets.items():
        table[index] = offset
    numbering, regions = Numbering((size[0], size[1], size[2]), table), _regions(blocks, folder)
    fingerprint = _fingerprint(graph.pairs, graph.counts, sizes, regions)
    stage, out = f"shapes-{labels}", space.folder / "graphs" / f"shapes-{labels}"
    if space.begin(stage, {"fragments": fingerprint, "image": image}):
        task = partial(_measure_block, space.folder, image, f"{labels}_fragments", numbering, graph.pairs, out)
        run_blocks(task, blocks, space.markers(stage) / "blocks", workers, "shapes")
        space.finish(stage, {"fragments": len(sizes) - 1})
    shapes = np.zeros((len(sizes), MOMENTS + GREYS))
    faces = np.zeros((len(graph.pairs), MOMENTS + GREYS))
    for block in blocks:
        with np.load(out / f"{block.name}.npz", allow_pickle=False) as file:
            shapes[file["fragments"]] += file["shapes"]
            faces[file["edges"]] += file["faces"]
    return Pieces(
        pairs=graph.pairs, counts=graph.counts, contact=faces[:, :MOMENTS], moments=shapes[:, :MOMENTS],
        grey=shapes[:, MOMENTS:], contact_grey=faces[:, MOMENTS:], regions=regions, voxel_nm=voxel,
        numbering=numbering, name=labels, fingerprint=fingerprint,
    )  # fmt: skip


def _regions(blocks: Sequence[Block], folder: Path) -> Ints:
    """Label of fragments 0 to n."""
    tables = [np.zeros(1, dtype=np.int64)]
    for block in blocks:
        with np.load(folder / f"{block.name}.regions.npz", allow_pickle=False) as file:
            tables.append(file["regions"][1:].astype(np.int64))
    return np.concatenate(tables)


def _fingerprint(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _measure_block(
    folder: Path, image: str, name: str, numbering: Numbering, pairs: Ints, out: Path, block: Block
) -> None:
    space = Workspace(folder)
    shape = space.array(name).shape
    z, y, x = (min(stop + 1, n) for stop, n in zip(block.core.stop, shape, strict=True))
    box = Box(block.core.start, (z, y, x))
    labels, grey = numbering.read(space, name, box), space.volume(image).read(box)
    here = np.unique(labels)
    here = here[here > 0]
    edges = np.flatnonzero(np.isin(pairs[:, 0], here) & np.isin(pairs[:, 1], here))
    keys = pairs[edges, 0] * 2**31 + pairs[edges, 1]
    voxel_um = np.array(space.voxel_nm(name)) * 1e-3
    start = np.array(block.core.start)
    shapes, faces = _measure(labels, grey, np.array(block.core.shape), here, keys, start, voxel_um)
    arrays: dict[str, NDArray[Any]] = {"fragments": here, "shapes": shapes, "edges": edges, "faces": faces}
    out.mkdir(parents=True, exist_ok=True)
    temporary = out / f"{block.name}.npz.part"
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    temporary.replace(out / f"{block.name}.npz")


@njit(cache=True)
def _add(row: Floats, grey: int, z: float, y: float, x: float) -> None:
    row[0] += 1
    row[1] += z
    row[2] += y
    row[3] += x
    row[4] += z * z
    row[5] += y * y
    row[6] += x * x
    row[7] += z * y
    row[8] += z * x
    row[9] += y * x
    row[MOMENTS + grey * GREYS // 256] += 1


@njit(cache=True)
def _measure(
    labels: Ints, greys: NDArray[np.uint8], core: Ints, here: Ints, keys: Ints, start: Ints, size: Floats
) -> tuple[Floats, Floats]:
    """Of the fragments in a core, and of the faces between them, each face counted by the voxel before it."""
    shapes, faces = np.zeros((len(here), MOMENTS + GREYS)), np.zeros((len(keys), MOMENTS + GREYS))
    for k in range(core[0]):
        for j in range(core[1]):
            row, last = -1, np.int64(0)
            for i in range(core[2]):
                one = labels[k, j, i]
                if one == 0:
                    continue
                if one != last:
                    row, last = np.searchsorted(here, one), one
                z, y, x = (start[0] + k + 0.5) * size[0], (start[1] + j + 0.5) * size[1], (start[2] + i + 0.5) * size[2]
                grey = np.int64(greys[k, j, i])
                _add(shapes[row], grey, z, y, x)
                for axis in range(3):
                    c, b, a = k + (axis == 0), j + (axis == 1), i + (axis == 2)
                    if c == labels.shape[0] or b == labels.shape[1] or a == labels.shape[2]:
                        continue
                    other = labels[c, b, a]
                    if other != one and other != 0:
                        at = np.searchsorted(keys, min(one, other) * 2**31 + max(one, other))
                        half = 0.5 * size[axis]
                        darker = min(grey, np.int64(greys[c, b, a]))
                        _add(faces[at], darker, z + half * (axis == 0), y + half * (axis == 1), x + half * (axis == 2))
    return shapes, faces
