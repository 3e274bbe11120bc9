"""One pass over an image: what its tiles look like, and sections of half the size for what needs whole sections."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .blocks import CHUNK, Block, Workers, grid, run_blocks
from .registration import shrink
from .store import load, save
from .workspace import Workspace

__all__ = ["HALF", "TILE", "half", "survey"]

Floats = NDArray[np.float32]
HALF = 2  # pixels to one of a shrunken section
TILE = CHUNK  # pixels, side of a tile; what is left over at the far ends is a smaller tile


def half(image: str) -> str:
    """Name of the array of shrunken sections of an image."""
    return f"{image}_half"


def survey(space: Workspace, image: str, stage: str, workers: Workers, halve: bool = False) -> Floats:
    """Statistics of the valid pixels of every tile.

    Args:
        space: holds the image; receives `IMAGE_half` if asked.
        image: its name.
        stage: whose markers and folder are used.
        workers: who does it.
        halve: whether shrunken sections are made.

    Returns:
        Shape (sections, rows of tiles, columns of tiles, 4): share of valid pixels; mean and standard deviation, grey
        values; mean absolute difference between neighbouring pixels, grey values.
    """
    shape = space.array(image).shape
    if halve:
        z, y, x = space.voxel_nm(image)
        small = shape[0], -(-shape[1] // HALF), -(-shape[2] // HALF)
        space.create(half(image), small, np.uint8, (z, y * HALF, x * HALF))
    size = [min(side, n) for side, n in zip((CHUNK, 4 * TILE, 4 * TILE), shape, strict=True)]
    blocks = grid(shape, size, (0, 0, 0))
    task = partial(_look, space.folder, image, stage, halve)
    run_blocks(task, blocks, space.markers(f"{stage}/survey"), workers, f"{stage}: survey of {image}")
    return _gather(space.folder / stage, blocks, shape)


def _gather(folder: Path, blocks: list[Block], shape: tuple[int, ...]) -> Floats:
    whole = np.zeros((shape[0], -(-shape[1] // TILE), -(-shape[2] // TILE), 4), dtype=np.float32)
    for block in blocks:
        z, rows, columns = _part(block, TILE)
        whole[z, rows, columns] = load(folder / f"tiles-{block.name}.npy")
    return whole


def _part(block: Block, side: int) -> tuple[slice, slice, slice]:
    """Where the core of a block lies when squares of pixels become one."""
    z, *plane = block.core.slices
    rows, columns = (slice(axis.start // side, -(-axis.stop // side)) for axis in plane)
    return z, rows, columns


def _look(folder: Path, image: str, stage: str, halve: bool, block: Block) -> None:
    space = Workspace(folder)
    volume = space.volume(image)
    values = volume.read(block.core)
    save(folder / stage / f"tiles-{block.name}.npy", _tiles(values, ~volume.read_invalid(block.core), TILE))
    if halve:
        space.array(half(image))[_part(block, HALF)] = shrink(values, HALF)


@njit(cache=True)
def _tiles(image: Any, valid: Any, side: int) -> Any:
    sections, height, width = image.shape
    made = np.zeros((sections, -(-height // side), -(-width // side), 4), dtype=np.float32)
    for k in range(sections):
        for i in range(made.shape[1]):
            for j in range(made.shape[2]):
                count, total, squares, steps, pairs = 0, np.int64(0), np.int64(0), np.int64(0), 0
                bottom, right = min((i + 1) * side, height), min((j + 1) * side, width)
                for y in range(i * side, bottom):
                    for x in range(j * side, right):
                        if not valid[k, y, x]:
                            continue
                        value = np.int64(image[k, y, x])
                        count += 1
                        total += value
                        squares += value * value
                        if x + 1 < right and y + 1 < bottom:
                            steps += abs(np.int64(image[k, y, x + 1]) - value)
                            steps += abs(np.int64(image[k, y + 1, x]) - value)
                            pairs += 2
                mean = total / max(count, 1)
                made[k, i, j, 0] = count / ((bottom - i * side) * (right - j * side))
                made[k, i, j, 1] = mean
                made[k, i, j, 2] = np.sqrt(max(squares / max(count, 1) - mean * mean, 0.0))
                made[k, i, j, 3] = steps / max(pairs, 1)
    return made
