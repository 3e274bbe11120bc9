"""Poisson input for copies of a network, from the counters of the other engines, laid out for a block of steps.

Drawn on the CPU, whatever jax runs on: so it is the same, event by event, on every engine. Every copy counts its steps
from its own reset.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .poisson_background import Background, count_events
from .poisson_trains import Trains, draw

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
Floats = NDArray[np.float64]


@njit(cache=True)
def _fill_events(trains: Trains, first: int, offset: int, table: Shorts, count: Shorts) -> None:
    """Enter the events of one copy from its step `first` on, and draw the next ones."""
    for k in range(trains.neuron.size):
        while trains.next[k] < first + count.size:
            row = trains.next[k] - first
            table[row, count[row]] = offset + trains.neuron[k]
            count[row] += 1
            draw(trains, k, trains.next[k])


@njit(cache=True)
def _fill_background(background: Background, first: int, table: Floats) -> None:
    """Enter what one copy receives from its step `first` on."""
    for row in range(table.shape[0]):
        for i in range(background.miss.size):
            table[row, i] = background.weight[i] * count_events(background, i, first + row)


def events(trains: list[Trains], firsts: Ints, steps: int, n: int, rows: int) -> Shorts:
    """Who has an event at each step, shape (rows, width): the most of a step, or 16, 64, ... so as to compile rarely.

    Args:
        trains: of each copy; they move on by `steps`.
        firsts: step of each copy at which the block begins.
        steps: of the block.
        n: neurons of a copy.
        rows: of the table, of which the last stay empty; an empty place holds the number of all neurons.
    """
    widest = sum(made.neuron.size for made in trains)
    table = np.full((rows, widest), len(trains) * n, np.int32)
    count = np.zeros(steps, np.int32)
    for b, made in enumerate(trains):
        _fill_events(made, firsts[b], b * n, table, count)
    most = int(count.max(initial=0))
    width = 16 * 4 ** (((max(most - 1, 0) // 16).bit_length() + 1) // 2)
    return np.ascontiguousarray(table[:, : min(width, widest)])


def background_rows(outside: list[Background], firsts: Ints, steps: int, n: int, rows: int) -> Floats:
    """What comes from the background at each step, shape (rows, copies * n), or (rows, 0) where there is none."""
    if not any(one.miss.size for one in outside):
        return np.zeros((rows, 0))
    table = np.zeros((rows, len(outside), n))
    for b, one in enumerate(outside):
        _fill_background(one, firsts[b], table[:steps, b])
    return table.reshape(rows, -1)
