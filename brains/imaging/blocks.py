"""Work on a volume block by block, on one machine or many, and go on after a kill.

A block has a core, which it alone writes, and a halo around it, which it reads. Cores are whole chunks of the array
they are written to, so two blocks never touch one chunk. Each finished block leaves a marker; a second run does the
rest. Nothing may depend on the order in which blocks finish: then a run that was
killed and one that was not end alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from .volume import Box, VolumeError

__all__ = ["CHUNK", "Block", "Workers", "grid", "run_blocks"]

CHUNK = 64  # voxels, side of a chunk of every array that blocks write


@dataclass(frozen=True)
class Block:
    """One piece of work."""

    index: tuple[int, int, int]  # place in the grid
    core: Box  # what it writes
    padded: Box  # what it reads

    @property
    def name(self) -> str:
        """Of its marker."""
        return "-".join(map(str, self.index))

    @property
    def inner(self) -> tuple[slice, slice, slice]:
        """Where the core lies in an array that holds the padded box."""
        return self.core.within(self.padded)


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Who does the work: processes of this machine, or a dask.distributed cluster."""

    count: int = 1  # processes; 1 works in this one
    scheduler: str | None = None  # address of a dask scheduler, tcp://host:port; it must see the same folder
    progress: bool = True  # whether a bar is shown

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"Workers: count ({self.count}) must be 1 or more")


def grid(shape: Sequence[int], size: Sequence[int], halo: Sequence[int]) -> list[Block]:
    """All blocks of an array, z slowest.

    Args:
        shape: of the array, voxels (z, y, x).
        size: of a core; whole chunks unless it spans the array.
        halo: read around it.

    Raises:
        VolumeError: a size that would let two blocks write one chunk.
    """
    for n, side in zip(shape, size, strict=True):
        if side < 1 or (side < n and side % CHUNK):
            raise VolumeError(f"blocks: a core of {tuple(size)} voxels is no multiple of the chunk of {CHUNK} voxels")
    blocks = []
    for index in product(*(range(-(-n // side)) for n, side in zip(shape, size, strict=True))):
        start = tuple(i * side for i, side in zip(index, size, strict=True))
        stop = tuple(min(low + side, n) for low, side, n in zip(start, size, shape, strict=True))
        core = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
        padded = core.grow((halo[0], halo[1], halo[2]), tuple(shape))
        blocks.append(Block((index[0], index[1], index[2]), core, padded))
    return blocks


def _finished(task: Callable[[Block], object], blocks: Sequence[Block], workers: Workers) -> Iterator[Block]:
    """Blocks as they are done, in any order; one block alone is not worth another process."""
    if workers.scheduler is None and (workers.count == 1 or len(blocks) < 2):
        for block in blocks:
            task(block)
            yield block
        return
    with _executor(workers) as executor:
        waiting = {executor.submit(task, block): block for block in blocks}
        try:
            for future in as_completed(waiting):
                future.result()
                yield waiting[future]
        except BaseException:
            for future in waiting:
                future.cancel()
            raise


@cache
def _processes(count: int) -> ProcessPoolExecutor:
    """Processes that stay for the next stage: starting one, and importing numba in it, takes seconds."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


@contextmanager
def _executor(workers: Workers) -> Iterator[Executor]:
    if workers.scheduler is not None:
        from dask.distributed import Client

        with Client(workers.scheduler) as client:
            yield client.get_executor(pure=False)
        return
    try:
        yield _processes(workers.count)
    except BrokenProcessPool:
        _processes.cache_clear()
        raise


def run_blocks(
    task: Callable[[Block], object], blocks: Sequence[Block], markers: Path, workers: Workers, label: str
) -> None:
    """Do the task for every block that has no marker yet.

    Args:
        task: a module-level function or a `functools.partial` of one: it goes to other processes. It must write all it
            makes before it returns, and write the same whenever it is run.
        blocks: of `grid`.
        markers: folder of this stage's markers; made if absent.
        workers: who does it.
        label: of the progress bar.

    Raises:
        Exception: the first one that a task raised; blocks that finished keep their markers.
    """
    markers.mkdir(parents=True, exist_ok=True)
    left = [block for block in blocks if not (markers / block.name).exists()]
    done = len(blocks) - len(left)
    with tqdm(total=len(blocks), initial=done, desc=label, unit="block", disable=not workers.progress) as bar:
        for block in _finished(task, left, workers):
            (markers / block.name).touch()
            bar.update()
