"""Stage 1, Align: sections are moved and bent so that tissue continues from one to the next.

Coarse: whole shrunken sections are registered against several earlier ones, and the most probable offset of each is
sought. Local: the sections, moved so far, are compared block by block around the nodes of a mesh, which is relaxed
over all sections at once; twice. Then every voxel is taken from where it was, once.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .align_plan import AlignSettings, Plan
from .artefacts import damage_mask, damaged, find_artefacts
from .blocks import CHUNK, Block, Workers, grid, run_blocks
from .offsets import find_offsets
from .store import load, save
from .volume import Volume
from .warp import reach, warp
from .workspace import Workspace

__all__ = ["AlignSettings", "align", "offsets_of"]

STAGE = "align"
Floats = NDArray[np.float32]


def align(
    space: Workspace,
    settings: AlignSettings | None = None,
    workers: Workers | None = None,
    image: str = "raw",
    out: str = "aligned",
) -> Volume:
    """Align the sections of an image, with its mask and channels.

    Args:
        space: holds the image; receives `out`, `out_invalid`, `out_CHANNEL`, and the record of stage "align".
        settings: how.
        workers: who does it.
        image: name of what is aligned.
        out: name of the result, of the same shape; what was moved in from outside is 0 and invalid.
    """
    settings, workers = settings or AlignSettings(), workers or Workers()
    volume = space.volume(image)
    if space.begin(STAGE, {"image": image, "out": out, "shape": volume.shape, **asdict(settings)}):
        found = find_artefacts(space, settings.artefacts, workers, image)
        plan = Plan(
            folder=space.folder,
            image=image,
            out=out,
            settings=settings,
            shape=volume.shape,
            voxel_nm=volume.voxel_nm,
            skip=tuple(damaged(found, volume.shape[0]).tolist()),
            artefacts=tuple(found),
        )
        offsets = find_offsets(plan, workers)
        save(plan.kept("offsets"), offsets)
        _move(plan, volume, offsets, workers)
        space.finish(STAGE, _record(plan, offsets))
    return space.volume(out, source=(*volume.source, f"aligned from {image!r}"))


def offsets_of(space: Workspace) -> Floats:
    """Offsets that the finished stage used, shape (sections, rows of nodes, columns of nodes, 2), (y, x) pixels."""
    nodes = space.record(STAGE)["nodes"]
    offsets: Floats = load(space.folder / STAGE / "offsets.npy")
    return offsets.reshape(len(offsets), *nodes, 2)


def _move(plan: Plan, volume: Volume, offsets: Floats, workers: Workers) -> None:
    """Make the aligned arrays block by block."""
    space = plan.space
    space.create(plan.out, plan.shape, np.uint8, plan.voxel_nm)
    space.create(f"{plan.out}_invalid", plan.shape, np.bool_, plan.voxel_nm)
    for name, channel in volume.channels.items():
        space.create(f"{plan.out}_{name}", channel.shape, channel.dtype, plan.voxel_nm)
    size = [min(side, n) for side, n in zip((CHUNK, 4 * CHUNK, 4 * CHUNK), plan.shape, strict=True)]
    blocks = grid(plan.shape, size, (0, reach(offsets), reach(offsets)))
    task = partial(_warp, plan, tuple(volume.channels))
    run_blocks(task, blocks, space.markers(f"{STAGE}/warp"), workers, "align: move")


def _warp(plan: Plan, channels: tuple[str, ...], block: Block) -> None:
    space, (sections, rows, columns) = plan.space, block.padded.slices
    volume = space.volume(plan.image)
    offsets = load(plan.kept("offsets"))[sections]
    valid = ~(volume.read_invalid(block.padded) | damage_mask(space, plan.image, block.padded))
    layout = (rows.start, columns.start), block.core.slices[1:], offsets, plan.mesh
    moved, counts = warp(volume.read(block.padded), valid, *layout)
    space.array(plan.out)[block.core.slices] = moved
    space.array(f"{plan.out}_invalid")[block.core.slices] = ~counts
    for name in channels:
        source, target = volume.channels[name], space.array(f"{plan.out}_{name}")
        for k in range(source.shape[0]):
            target[k, *block.core.slices] = warp(source[k, *block.padded.slices], valid, *layout)[0]


def _record(plan: Plan, offsets: Floats) -> dict[str, Any]:
    """What is told of the stage: every section's mean offset, and how much it was bent."""
    mean = offsets.mean(axis=1)
    bent = np.sqrt(((offsets - mean[:, None]) ** 2).sum(axis=2).mean(axis=1))
    return {
        "image": plan.image,
        "out": plan.out,
        "nodes": list(plan.mesh.nodes),
        "spacing_px": list(plan.mesh.spacing),
        "offsets_file": "align/offsets.npy",
        "artefacts": list(plan.artefacts),
        "offset_yx_px": np.round(mean, 3).tolist(),
        "bent_px": np.round(bent, 3).tolist(),
    }
