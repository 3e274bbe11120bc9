"""How an animal steers in a field: pirouettes against the change it meets, curving against the gradient beside it.

Pirouettes: Pierce-Shimomura, Morse & Lockery 1999, J. Neurosci. 19:9557. Curving (klinotaxis, "weathervane"): Iino &
Yoshida 2009, J. Neurosci. 29:5370. Everything is measured on the path of the centroid, averaged over `SMOOTH_S` so that
the undulation does not count as steering.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .fields import Field
from .measures import moving_average
from .turns import pirouette_spans

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SMOOTH_S = 3.0  # s, about two undulations on agar
SLOWEST_MM_S = 0.02  # mm/s, a slower path has no direction to speak of
LEAST_PATH_MM = 1.0  # mm, a body length; whoever went less far has not steered
LEAST_RISE = 1e-6  # share of the field's range over the path; flatter than this is no gradient


def path(time_s: Floats, centreline_mm: Floats) -> tuple[Floats, Floats]:
    """Smoothed centroid, mm, and its velocity, mm/s, each shape (T, 2)."""
    centroid = centreline_mm[..., :2].mean(axis=1)
    smooth = moving_average(centroid, round(SMOOTH_S / float(time_s[1] - time_s[0])))
    return smooth, np.gradient(smooth, time_s, axis=0)


def steering(time_s: Floats, centreline_mm: Floats, field: Field, attraction: float = 1.0) -> dict[str, float]:
    """Measures of one episode; what the episode has too little of to measure is left out.

    Args:
        time_s: sample times, s, shape (T,).
        centreline_mm: points along the body, nose first, mm, shape (T, P, 3).
        field: what the animal steers by.
        attraction: 1 where more of the field is the goal, -1 where less is.

    Returns:
        `mean_bearing_deg`: mean angle between the path and the way to the goal, 0 straight at it, 90 by chance.
        `curving_per_gradient`: degrees of turn per mm of path for a unit per mm of gradient to the side; positive
        towards the goal. `pirouettes_per_min_worse` and `pirouettes_per_min_better`: bouts begun while the field
        changed away from or towards the goal over the last `SMOOTH_S`, per minute of such running.
    """
    where, velocity = path(time_s, centreline_mm)
    bouts = pirouette_spans(time_s, centreline_mm)
    running = np.ones(len(time_s), bool)
    for start, end in bouts:
        running[start:end] = False
    rise = attraction * field.gradient(where)
    whole = (time_s - time_s[0] >= SMOOTH_S / 2) & (time_s[-1] - time_s >= SMOOTH_S / 2)  # of the averaging window
    moving = running & whole & (np.linalg.norm(velocity, axis=1) > SLOWEST_MM_S)
    measures = _pirouettes(time_s, attraction * field.values(where), running, [start for start, _ in bouts])
    if moving.sum() < 2 or not np.abs(rise).max() > 0:
        return measures
    return {
        "mean_bearing_deg": float(np.degrees(_bearing(velocity[moving], rise[moving])).mean()),
        **_curving(time_s, velocity, rise, moving),
        **measures,
    }


def _bearing(velocity: Floats, rise: Floats) -> Floats:
    cross = velocity[:, 0] * rise[:, 1] - velocity[:, 1] * rise[:, 0]
    angle: Floats = np.abs(np.arctan2(cross, (velocity * rise).sum(axis=1)))
    return angle


def _curving(time_s: Floats, velocity: Floats, rise: Floats, moving: Flags) -> dict[str, float]:
    """Slope of the regression of curving rate, deg/mm, on the gradient to the left, per mm."""
    speed = np.linalg.norm(velocity, axis=1)
    if speed[moving].sum() * float(time_s[1] - time_s[0]) < LEAST_PATH_MM:
        return {}
    heading = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    rate = np.degrees(np.gradient(heading, time_s)) / np.maximum(speed, SLOWEST_MM_S)
    left = np.stack([-velocity[:, 1], velocity[:, 0]], axis=1) / np.maximum(speed, SLOWEST_MM_S)[:, None]
    beside = (rise * left).sum(axis=1)[moving]
    if np.ptp(beside) <= LEAST_RISE * np.abs(rise).max():
        return {}
    return {"curving_per_gradient": float(np.polyfit(beside, rate[moving], 1)[0])}


def _pirouettes(time_s: Floats, value: Floats, running: Flags, starts: list[int]) -> dict[str, float]:
    step_s = float(time_s[1] - time_s[0])
    back = max(1, round(SMOOTH_S / step_s))
    change = value - np.concatenate([np.full(back, value[0]), value[:-back]])[: len(value)]
    rates = {}
    for name, sign in (("worse", -1.0), ("better", 1.0)):
        minutes = float((running & (sign * change > 0)).sum()) * step_s / 60
        begun = sum(1 for start in starts if sign * change[max(start - 1, 0)] > 0)
        if minutes > 0:
            rates[f"pirouettes_per_min_{name}"] = begun / minutes
    return rates
