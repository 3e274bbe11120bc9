"""Neurons of the event-driven form: their state in closed form, their next spike, and the calendar it stands in.

The calendar is a ring of steps, each the head of a doubly linked list of neurons, so that a neuron moves from one step
to another at a constant cost. A neuron is one record of 32 bytes, and so one place in memory, whatever happens to it.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..models import lif_exp

HORIZON = 1000  # steps; a later crossing is looked for again then
RING = 2048  # steps, a power of two above HORIZON and the longest refractory period together
TABLE = 4096  # steps; at the 0.1 ms of Shiu et al. a voltage has decayed by exp(-20) then
NEVER = -1
LOWEST, PEAKS = -7.0, 2048  # range and size of the table of peaks

CELL = np.dtype(
    [
        ("v", np.float32),  # mV above where the neuron would settle, so that its threshold depends on its drive
        ("g", np.float32),  # mV, synaptic input
        ("since", np.int32),  # the step that v and g belong to; in the refractory period the last step of it
        ("free", np.int32),  # the step after the last refractory period; what arrives before is lost
        ("threshold", np.float32),  # mV, as v
        ("due", np.int32),  # the step of its next spike if nothing else happens, NEVER for none
        ("later", np.int32),  # next neuron of the same step, NEVER for the last
        ("earlier", np.int32),  # the one before, NEVER for the first
    ]
)

Cells = NDArray[np.void]
Singles = NDArray[np.float32]
Shorts = NDArray[np.int32]

_peak_time = njit(lif_exp.peak_time)


class Decays(NamedTuple):
    """Closed form of an undisturbed neuron."""

    after: Singles  # (TABLE, 4) after m steps: shares of v and of g left, share of g that became v, nothing
    tau_m: float  # steps
    tau_synapse: float  # steps
    peak: Singles  # (PEAKS + 1,) at v/g = LOWEST ... 1, the greatest voltage to come over g, rounded up


@njit
def first_crossing(decays: Decays, v: float, g: float, threshold: float) -> int:
    """Steps until an undisturbed neuron first exceeds `threshold`, NEVER, or HORIZON: look again then.

    A sum of two exponentials turns at most once, so each side of the turn is monotonic and is searched by halves.
    """
    turn = _peak_time(v, g, decays.tau_m, decays.tau_synapse)
    middle = min(max(int(turn), 1), HORIZON)
    above = NEVER
    for candidate in (1, middle, min(middle + 1, HORIZON), HORIZON):
        if above == NEVER and height(decays, v, g, candidate) > threshold:
            above = candidate
    if above == NEVER:
        return NEVER if threshold > 0.0 else HORIZON
    below = 0  # the curve rises from a step below threshold to one above it
    while above - below > 1:
        half = (above + below) >> 1
        if height(decays, v, g, half) > threshold:
            above = half
        else:
            below = half
    return above


@njit(inline="always")
def _highest(decays: Decays, v: float, g: float) -> float:
    """An upper bound, within a few per cent, of the voltage to come while it is above rest."""
    if v >= g:  # falls from here on
        return float(max(v, 0.0))
    if g <= 0.0:
        return 0.0
    place = int((max(v / g, LOWEST) - LOWEST) * (PEAKS / (1.0 - LOWEST)))
    return float(g * decays.peak[min(place + 1, PEAKS)])


@njit(inline="always")
def height(decays: Decays, v: float, g: float, m: int) -> np.float32:
    """Voltage after m steps."""
    return np.float32(v * decays.after[m, 0] + g * decays.after[m, 2])


@njit(inline="always")
def bring(cells: Cells, decays: Decays, i: int, step: int) -> None:
    """Move a neuron's state to `step`, unless it stands still until later."""
    cell = cells[i]
    m = step - cell.since
    if m <= 0:
        return
    if m >= TABLE:
        cell.v = cell.g = np.float32(0.0)
    else:
        cell.v = height(decays, cell.v, cell.g, m)
        cell.g *= decays.after[m, 1]
    cell.since = step


@njit(inline="always")
def foresee(cells: Cells, decays: Decays, head: Shorts, i: int) -> None:
    """Enter the step at which the neuron will spike if nothing else happens to it."""
    cell = cells[i]
    quiet = cell.v <= cell.threshold and _highest(decays, cell.v, cell.g) <= cell.threshold and cell.threshold > 0.0
    if not quiet or cell.due != NEVER:  # most neurons stay far below threshold: for them this is all
        _enter_anew(cells, decays, head, i, quiet)


@njit
def _enter_anew(cells: Cells, decays: Decays, head: Shorts, i: int, quiet: bool) -> None:
    cell = cells[i]
    wait = NEVER if quiet else first_crossing(decays, cell.v, cell.g, cell.threshold)
    due = NEVER if wait == NEVER else cell.since + wait
    if due != cell.due:
        remove(cells, head, i)
        if due != NEVER:
            enter(cells, head, i, due)


@njit
def remove(cells: Cells, head: Shorts, i: int) -> None:
    """Take a neuron out of the calendar."""
    cell = cells[i]
    if cell.due == NEVER:
        return
    if cell.earlier == NEVER:
        head[cell.due & (RING - 1)] = cell.later
    else:
        cells[cell.earlier].later = cell.later
    if cell.later != NEVER:
        cells[cell.later].earlier = cell.earlier
    cell.due = NEVER


@njit
def enter(cells: Cells, head: Shorts, i: int, step: int) -> None:
    """Put a neuron that stands nowhere into the calendar."""
    cell, slot = cells[i], step & (RING - 1)
    first = head[slot]
    cell.later, cell.earlier, cell.due = first, NEVER, step
    if first != NEVER:
        cells[first].earlier = i
    head[slot] = i


def decay_table(model: lif_exp.LifExp, dt_ms: float) -> Decays:
    """The closed form, tabulated."""
    of_voltage, of_synapse, gained = model.decays(np.arange(TABLE), dt_ms)
    ratios = np.linspace(LOWEST, 1.0, PEAKS + 1)
    peak = np.array([(ratio * of_voltage + gained).max() for ratio in ratios]) * (1 + 1e-5)
    return Decays(
        after=np.stack([of_voltage, of_synapse, gained, np.zeros(TABLE)], axis=1).astype(np.float32),
        tau_m=model.tau_m_ms / dt_ms,
        tau_synapse=model.tau_synapse_ms / dt_ms,
        peak=peak.astype(np.float32),
    )
