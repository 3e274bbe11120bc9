"""A volume of any size from one piece of synthetic tissue, mirrored at every face so that neurites go on across it.

For measuring cost: every tile holds the same tissue, so this is no larger circuit.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from .tissue import Tissue
from .volume import Volume
from .workspace import Workspace

__all__ = ["write_tiles"]


def write_tiles(tissue: Tissue, space: Workspace, tiles: tuple[int, int, int]) -> Volume:
    """Write the workspace's `raw` volume, one tile in memory at a time.

    Args:
        tissue: its image as it was taken is the tile.
        space: where `raw` is written.
        tiles: how many along (z, y, x).
    """
    tile = np.asarray(tissue.volume.data)
    shape = tuple(n * times for n, times in zip(tile.shape, tiles, strict=True))
    raw = space.create("raw", shape, np.uint8, tissue.volume.voxel_nm)
    for index in product(*(range(n) for n in tiles)):
        place = tuple(slice(i * n, (i + 1) * n) for i, n in zip(index, tile.shape, strict=True))
        raw[place] = mirrored(tile, index)
    return space.volume("raw", (*tissue.volume.source, f"tiled {tiles}, mirrored at every face"))


def mirrored(tile: NDArray[np.uint8], index: tuple[int, ...]) -> NDArray[np.uint8]:
    """The tile at a place of the grid: turned round along an axis at every odd place."""
    return tile[tuple(slice(None, None, -1 if i % 2 else 1) for i in index)]
