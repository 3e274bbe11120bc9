"""Where each section and each node of its mesh was: coarse registration, then block matching and relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .align_plan import Plan
from .blocks import CHUNK, Block, Workers, grid, run_blocks
from .mesh import match
from .registration import shifts, shrink, spectra
from .relaxation import Links, Prior, offset_spread, relax
from .store import load, save
from .survey import HALF, half
from .warp import reach, warp

__all__ = ["find_offsets"]

Floats = NDArray[np.float32]
TILE = 8 * CHUNK  # pixels, side of the part of a section that one block works on


def find_offsets(plan: Plan, workers: Workers) -> Floats:
    """Offset of every node, shape (sections, nodes, 2), (y, x) pixels: `warp` takes p from p + offset(p)."""
    space, settings, nodes = plan.space, plan.settings, len(plan.mesh.places)
    slabs = _blocks(plan, max(plan.shape), 0)
    run_blocks(partial(_register, plan), slabs, space.markers("align/coarse"), workers, "align: whole sections")
    links = _gather(plan, "coarse", slabs, 1)
    offsets = relax(links, plan.shape[0], (1, 1), _prior(plan, links)).repeat(nodes, axis=1).astype(np.float32)
    for k in range(settings.rounds):
        save(plan.kept(f"offsets-{k}"), offsets)
        blocks = _blocks(plan, TILE, _around(plan, offsets))
        label = f"align: blocks, round {k + 1} of {settings.rounds}"
        run_blocks(partial(_match, plan, k), blocks, space.markers(f"align/local-{k}"), workers, label)
        offsets = _relaxed(plan, _gather(plan, f"local-{k}", blocks, nodes))
    return offsets


def _blocks(plan: Plan, tile: int, around: int) -> list[Block]:
    """Parts of shrunken sections, read with the earlier sections they are compared with."""
    shape = plan.space.array(half(plan.image)).shape
    size = [min(side, n) for side, n in zip((CHUNK, tile, tile), shape, strict=True)]
    return grid(shape, size, (plan.settings.steps, around, around))


def _around(plan: Plan, offsets: Floats) -> int:
    """Shrunken pixels that block matching reads around a block."""
    return plan.window // 2 + reach(offsets) // HALF + 2


def _register(plan: Plan, block: Block) -> None:
    """Whole shrunken sections against earlier ones; kept as (step, section of the core, 1, (y, x, height))."""
    settings, band = plan.settings, plan.settings.band
    factor, first, image = plan.factor, block.padded.start[0], plan.space.array(half(plan.image))
    values = shrink(np.asarray(image[first : block.core.stop[0]]), factor // HALF)
    found, limit = spectra(values, band), [round(settings.coarse_reach * n) for n in values.shape[1:]]
    kept = np.zeros((settings.steps, block.core.shape[0], 1, 3), dtype=np.float32)
    for step in range(1, min(settings.steps, len(values) - 1) + 1):
        place, height = shifts(found[step:], found[:-step], values.shape[1:], limit)
        _keep(kept[step - 1, :, 0], place * factor, height)
    save(plan.kept(f"coarse-{block.name}"), kept)


def _keep(kept: Floats, place: Floats, height: Floats) -> None:
    """Of what was measured, the last sections are those of the core."""
    count = min(len(kept), len(place))
    kept[len(kept) - count :, :2], kept[len(kept) - count :, 2] = place[-count:], height[-count:]


def _match(plan: Plan, turn: int, block: Block) -> None:
    """Blocks around the nodes in the core; kept as (step, section of the core, node, (y, x, height))."""
    settings, first = plan.settings, block.padded.start[0]
    offsets = load(plan.kept(f"offsets-{turn}"))[first : block.core.stop[0]]
    values, valid, corner = _moved(plan, block, offsets)
    mine, places = _nodes(plan, block), plan.mesh.places
    kept = np.zeros((settings.steps, block.core.shape[0], len(mine), 3), dtype=np.float32)
    steps = range(1, min(settings.steps, len(values) - 1) + 1)
    window, limit = plan.window, settings.reach_px // HALF
    for k, node in enumerate(mine):
        y, x = np.round((places[node] + 0.5) / HALF - 0.5).astype(int) - window // 2 - corner
        found = match(values, valid, (int(y), int(x)), window, limit, steps, settings.band)
        for step, (place, height) in zip(steps, found, strict=True):
            total = place * HALF + offsets[step:, node] - offsets[:-step, node]
            _keep(kept[step - 1, :, k], total, height)
    save(plan.kept(f"local-{turn}-{block.name}"), kept)


def _moved(plan: Plan, block: Block, offsets: Floats) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """Shrunken sections as far as they are aligned by now, with what counts of them and where they begin."""
    _, rows, columns = block.padded.slices
    values = np.asarray(plan.space.array(half(plan.image))[block.padded.start[0] : block.core.stop[0], rows, columns])
    corner = rows.start, columns.start
    mesh = plan.mesh.shrunken(HALF)
    moved, valid = warp(
        values, np.ones(values.shape, np.bool_), corner, (rows, columns), (offsets / HALF).astype(np.float32), mesh
    )
    return moved, valid, np.array(corner)


def _nodes(plan: Plan, block: Block) -> list[int]:
    """Nodes that lie in the core of a block of shrunken sections."""
    place = plan.mesh.places / HALF
    inside = (place >= block.core.start[1:]) & (place < block.core.stop[1:])
    return [int(k) for k in np.flatnonzero(inside.all(axis=1))]


def _gather(plan: Plan, name: str, blocks: Sequence[Block], nodes: int) -> list[Links]:
    """What all blocks measured."""
    settings = plan.settings
    whole = np.zeros((settings.steps, plan.shape[0], nodes, 3), dtype=np.float32)
    for block in blocks:
        mine = [0] if nodes == 1 else _nodes(plan, block)
        whole[:, block.core.slices[0], mine] = load(plan.kept(f"{name}-{block.name}"))
    least = settings.coarse_height if nodes == 1 else settings.local_height
    weights: Floats = np.clip((whole[..., 2] - least) / np.float32(3), 0, 1)
    good = np.array([not skip for skip in plan.skip], dtype=np.bool_)
    steps = range(1, min(settings.steps, plan.shape[0] - 1) + 1)
    links = []
    for k in steps:
        both = (good[k:] & good[: len(good) - k])[:, None]
        used = np.asarray(weights[k - 1, k:] * both, dtype=np.float32)
        links.append(Links(step=k, shifts=whole[k - 1, k:, :, :2], weights=used))
    return links


def _prior(plan: Plan, links: Sequence[Links]) -> Prior:
    """What is known of offsets and slants, in pixels and sections of this volume."""
    settings, step = plan.settings, plan.voxel_nm[0] / plan.pixel_nm
    prior = Prior(
        offset_px=1.0,
        slant_px=settings.slant * step,
        memory=settings.memory_nm / plan.voxel_nm[0],
        bend_px=settings.bend_px,
        error_px=float(np.hypot(settings.error_px, settings.wander * step)),
    )
    return replace(prior, offset_px=offset_spread(links[0], prior) if links else prior.error_px)


def _relaxed(plan: Plan, links: Sequence[Links]) -> Floats:
    """Offsets of whole sections from the median over nodes, and of nodes from what differs from it."""
    common, own = [], []
    for link in links:
        used = np.where(link.weights[..., None] > 0, link.shifts, np.nan)
        seen = np.asarray((link.weights > 0).any(axis=1))
        middle = np.zeros((len(used), 1, 2), dtype=np.float32)
        middle[seen, 0] = np.nanmedian(used[seen], axis=1)
        common.append(Links(step=link.step, shifts=middle, weights=seen[:, None].astype(np.float32)))
        own.append(Links(step=link.step, shifts=link.shifts - middle, weights=link.weights))
    whole = relax(common, plan.shape[0], (1, 1), _prior(plan, common))
    return (whole + relax(own, plan.shape[0], plan.mesh.nodes, _prior(plan, own))).astype(np.float32)
