"""Poisson trains onto single neurons, drawn event by event from a counter, not from a running generator.

A draw depends on the seed, the neuron, the step its train began at and how many it has had since. So trains are the
same for every engine, number of threads and length of chunk, a checkpoint holds two numbers a neuron, and trains that
are given anew every few milliseconds, with rates that follow the senses, stay Poisson.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Shorts = NDArray[np.int32]

FAR = 1 << 30  # steps, later than any event that matters


class Trains(NamedTuple):
    """Neurons that receive events of their own, each with its next one."""

    neuron: Shorts  # (trains,) ascending
    weight: NDArray[np.float32]  # (trains,) mV onto v
    log_miss: NDArray[np.float64]  # (trains,) log(1 - probability per step); 0 for a silent train
    next: Shorts  # (trains,) step
    drawn: NDArray[np.uint64]  # (trains,) which number is drawn next
    seed: np.uint64
    soon: Shorts  # (trains,) scratch: trains with an event in this block


@njit
def gap(seed: np.uint64, neuron: int, drawn: np.uint64, log_miss: float) -> int:
    """Steps to the next event, geometric."""
    if log_miss == 0.0:
        return FAR
    return min(1 + int(np.log(uniform(seed, neuron, drawn)) / log_miss), FAR)


@njit
def uniform(seed: np.uint64, neuron: int, drawn: np.uint64) -> float:
    """A number above 0 and below 1, by SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195)."""
    x = seed + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(neuron) * np.uint64(0x100000001) + drawn)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (np.float64(x >> np.uint64(11)) + 0.5) / 9007199254740992.0


@njit
def draw(trains: Trains, k: int, step: int) -> None:
    """Draw the next event of a train after `step`."""
    wait = gap(trains.seed, trains.neuron[k], trains.drawn[k], trains.log_miss[k])
    trains.drawn[k] += np.uint64(1)
    trains.next[k] = min(step + wait, 2 * FAR - 1)


@njit
def collect(trains: Trains, first: int, last: int, before: int) -> int:
    """Put those of the trains first..last with an event before a step into `soon`, and say how many they are."""
    count = 0
    for k in range(first, last):
        if trains.next[k] < before:
            trains.soon[first + count] = k
            count += 1
    return count


@njit(cache=True)
def _draw_all(trains: Trains, step: int) -> None:
    for k in range(trains.neuron.size):
        draw(trains, k, step)


def trains(
    seed: int,
    neurons: ArrayLike = (),
    rate_hz: ArrayLike = 0.0,
    weight_mv: ArrayLike = 0.0,
    dt_ms: float = 0.1,
    step: int = -1,
    n: int | None = None,
) -> Trains:
    """Trains that start after a step.

    Args:
        seed: of all draws.
        neurons: who receives them, each at most once, shape (k,).
        rate_hz: of each train, Hz, shape () or (k,).
        weight_mv: jump of the voltage at each event, mV, shape () or (k,).
        dt_ms: length of a step, ms.
        step: the first event comes after it.
        n: number of neurons, for the check of their range.

    Raises:
        ValueError: a neuron twice or out of range, a rate below 0 or of one event a step or more, a weight not finite.
    """
    where = np.asarray(neurons, dtype=np.int64).reshape(-1)
    order = np.argsort(where, kind="stable")
    rate, weight = (np.broadcast_to(np.asarray(x, dtype=np.float64), where.shape)[order] for x in (rate_hz, weight_mv))
    _check(where[order], rate, weight, dt_ms, n)
    made = Trains(
        neuron=where[order].astype(np.int32),
        weight=weight.astype(np.float32),
        log_miss=np.log1p(-rate * dt_ms * 1e-3),
        next=np.zeros(where.size, np.int32),
        drawn=np.full(where.size, step + 1, np.uint64),  # never more draws than steps: none is made twice
        seed=np.uint64(seed),
        soon=np.zeros(where.size, np.int32),
    )
    _draw_all(made, step)
    return made


def _check(
    where: NDArray[np.int64], rate: NDArray[np.float64], weight: NDArray[np.float64], dt_ms: float, n: int | None
) -> None:
    if where.size and (where[0] < 0 or (n is not None and where[-1] >= n)):
        raise ValueError(
            f"Poisson trains: neurons must be 0 to {where.size if n is None else n - 1}, got {where[0]} to {where[-1]}"
        )
    if (np.diff(where) == 0).any():
        raise ValueError(f"Poisson trains: neuron {where[1:][np.diff(where) == 0][0]} is named twice")
    bad = ~(np.isfinite(rate) & (rate >= 0) & (rate * dt_ms * 1e-3 < 1))
    if bad.any():
        raise ValueError(f"Poisson trains: rate_hz must be 0 to {1e3 / dt_ms:g} Hz, got {rate[bad][0]} Hz")
    if not np.isfinite(weight).all():
        raise ValueError("Poisson trains: weight_mv is not finite")


def take_events(trains: Trains, before: int) -> tuple[Shorts, Shorts]:
    """Draw all events before a step, as (steps, neurons) in the order of time: for engines that take them as a list."""
    found: list[tuple[int, int]] = []
    for k in range(trains.neuron.size):
        while trains.next[k] < before:
            found.append((int(trains.next[k]), int(trains.neuron[k])))
            draw(trains, k, int(trains.next[k]))
    table = np.array(sorted(found), dtype=np.int32).reshape(-1, 2)
    return table[:, 0], table[:, 1]
