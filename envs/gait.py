"""Gait: what a footfall pattern says of stepping, from the forces of the feet on the ground alone.

A leg is in stance while its foot presses on the ground and in swing between. A step of a leg runs from one touchdown to
the next. The phase of a leg is when it touches down within the step of the reference leg, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FLY_UN = 10.0  # uN, weight of a fly of 1 mg
ON, OFF = 0.05, 0.01  # of the animal's weight: a foot lands above one and lifts below the other; assumed
LEAST_S = 0.01  # s, shorter stances and swings of a fly are chatter; real swings last 30 ms or more
LEAST_STEPS = 3  # whole steps of a leg, fewer are no gait


def stances(time_s: Floats, contacts_un: Floats, weight_un: float = FLY_UN, least_s: float = LEAST_S) -> Flags:
    """Which foot stands at which time, shape (T, legs).

    Args:
        time_s: evenly spaced, shape (T,).
        contacts_un: force of each foot on the ground, uN, shape (T, legs).
        weight_un: of the animal, uN.
        least_s: shortest stance and swing, s; what is shorter is chatter.
    """
    least = max(1, round(least_s / float(time_s[1] - time_s[0])))
    found = np.zeros(contacts_un.shape, bool)
    for leg, force in enumerate(contacts_un.T):
        found[:, leg] = _without_chatter(_with_hysteresis(force / weight_un), least)
    return found


def _with_hysteresis(force: Floats) -> Flags:
    """On from above `ON` to below `OFF`; what comes between the two at the very start counts as off."""
    events = np.where(force > ON, 1, np.where(force < OFF, -1, 0))
    events[0] = events[0] or -1
    last = np.maximum.accumulate(np.where(events != 0, np.arange(len(events)), 0))
    held: Flags = events[last] > 0
    return held


def _without_chatter(standing: Flags, least: int) -> Flags:
    """Breaks in a stance shorter than `least` samples are closed, then stances shorter than that are dropped."""
    kept = standing.copy()
    for value in (False, True):
        edges = np.flatnonzero(np.diff(kept.astype(np.int8))) + 1
        for start, end in pairwise(edges.tolist()):  # whole stretches only
            if end - start < least and kept[start] == value:
                kept[start:end] = not value
    return kept


@dataclass(frozen=True, eq=False, kw_only=True)
class Footfalls:
    """The steps of one leg: `touchdowns` one more than whole steps, and the `liftoffs` between them; times, s."""

    touchdowns: Floats  # (steps + 1,)
    liftoffs: Floats  # (steps,)

    @property
    def steps(self) -> int:
        """Whole steps."""
        return len(self.liftoffs)

    @property
    def frequency_hz(self) -> float:
        """Steps a second."""
        return self.steps / float(self.touchdowns[-1] - self.touchdowns[0])

    @property
    def duty(self) -> float:
        """Share of a step in stance."""
        return float((self.liftoffs - self.touchdowns[:-1]).sum() / (self.touchdowns[-1] - self.touchdowns[0]))

    @property
    def swing_s(self) -> float:
        """Mean length of a swing, s."""
        return float((self.touchdowns[1:] - self.liftoffs).mean())


def footfalls(time_s: Floats, standing: Flags) -> Footfalls:
    """The steps of a leg from when it stands, shape (T,)."""
    change = np.diff(standing.astype(np.int8))
    downs, ups = time_s[1:][change > 0], time_s[1:][change < 0]
    if not len(downs):
        return Footfalls(touchdowns=np.zeros(0), liftoffs=np.zeros(0))
    return Footfalls(touchdowns=downs, liftoffs=ups[(ups > downs[0]) & (ups < downs[-1])])


def phases(leg: Footfalls, reference: Footfalls) -> Floats:
    """When a leg touches down within the steps of the reference leg, 0 to 1, one value a touchdown within them."""
    within = leg.touchdowns[(leg.touchdowns >= reference.touchdowns[0]) & (leg.touchdowns < reference.touchdowns[-1])]
    step = np.searchsorted(reference.touchdowns, within, side="right") - 1
    length = np.diff(reference.touchdowns)[step]
    share: Floats = (within - reference.touchdowns[step]) / length
    return share


def mean_phase(values: Floats) -> tuple[float, float]:
    """Circular mean, 0 to 1, and how closely the values gather about it, 0 to 1."""
    vector = complex(np.exp(2j * np.pi * values).mean())
    return float(np.angle(vector) / (2 * np.pi)) % 1.0, abs(vector)


def phase_distance(a: float, b: float) -> float:
    """Distance of two phases round the circle, 0 to 0.5."""
    return abs((a - b + 0.5) % 1.0 - 0.5)


def gait_measures(
    time_s: Floats,
    contacts_un: Floats,
    feet_mm: Floats,
    legs: Sequence[str],
    real: Sequence[float],
    weight_un: float = FLY_UN,
    least_s: float = LEAST_S,
) -> dict[str, float]:
    """Stepping of an animal; what it has too little of to measure is left out.

    Args:
        time_s: evenly spaced, s, shape (T,).
        contacts_un: force of each foot on the ground, uN, shape (T, legs).
        feet_mm: places of the feet, mm, shape (T, legs, 3).
        legs: their names; phases are counted from the touchdowns of the first.
        real: phase of each leg in real animals.
        weight_un: of the animal, uN.
        least_s: as of `stances`.

    Returns:
        `stepping_legs`: how many legs make at least `LEAST_STEPS` whole steps; over these the means
        `step_frequency_hz`, `duty_factor`, `swing_ms` and `stride_mm` (from one touchdown of a foot to its next). If
        the first leg is among them, for every other one `phase_NAME`, the mean `coordination` (how closely a leg keeps
        its phase, 0 to 1), and if all are, `phase_error`: the largest distance from the real phases.
    """
    standing = stances(time_s, contacts_un, weight_un, least_s)
    steps = [footfalls(time_s, standing[:, k]) for k in range(len(legs))]
    walking = [k for k, leg in enumerate(steps) if leg.steps >= LEAST_STEPS]
    measures = {"stepping_legs": float(len(walking))}
    if not walking:
        return measures
    strides = [_stride(time_s, feet_mm[:, k], steps[k]) for k in walking]
    measures |= {
        "step_frequency_hz": float(np.mean([steps[k].frequency_hz for k in walking])),
        "duty_factor": float(np.mean([steps[k].duty for k in walking])),
        "swing_ms": 1e3 * float(np.mean([steps[k].swing_s for k in walking])),
        "stride_mm": float(np.mean(strides)),
    }
    return measures | _coordination(steps, walking, legs, real)


def _stride(time_s: Floats, foot_mm: Floats, leg: Footfalls) -> float:
    landed = foot_mm[np.searchsorted(time_s, leg.touchdowns), :2]
    return float(np.linalg.norm(np.diff(landed, axis=0), axis=1).mean())


def _coordination(
    steps: Sequence[Footfalls], walking: Sequence[int], legs: Sequence[str], real: Sequence[float]
) -> dict[str, float]:
    if walking[0] != 0:
        return {}
    found = {k: mean_phase(values) for k in walking[1:] if len(values := phases(steps[k], steps[0]))}
    if not found:
        return {}
    measures = {f"phase_{legs[k]}": phase for k, (phase, _) in found.items()}
    measures["coordination"] = float(np.mean([closeness for _, closeness in found.values()]))
    if len(found) == len(legs) - 1:
        measures["phase_error"] = max(phase_distance(phase, real[k] - real[0]) for k, (phase, _) in found.items())
    return measures
