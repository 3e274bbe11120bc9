"""The hind limb over a step, as a camera and EMG electrodes record it: joint angles and motor pools against real mice.

A step runs from one start of a hind foot's swing to the next and has 20 bins, as the recordings have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..organisms.mouse.spinal import table
from .gait import LEAST_STEPS, stances

Floats = npt.NDArray[np.float64]
Series = Mapping[str, npt.NDArray[np.generic]]

BINS = 20
SIDES = ("LH", "RH")
JOINTS = ("hip", "knee", "ankle")  # of `hind_rad`


def mean_cycle(standing: npt.NDArray[np.bool_], values: Floats) -> Floats | None:
    """Mean over whole steps, shape (BINS, m); None where there are fewer than `LEAST_STEPS` or a sample a bin.

    Args:
        standing: whether the foot stands, shape (T,).
        values: what is averaged, shape (T, m).
    """
    starts = np.flatnonzero(np.diff(standing.astype(np.int8)) < 0) + 1
    if len(starts) <= LEAST_STEPS or np.diff(starts).min() < BINS:
        return None
    edges = [np.linspace(a, b, BINS + 1).round().astype(int) for a, b in pairwise(starts.tolist())]
    cycle: Floats = np.mean([[values[a:b].mean(axis=0) for a, b in pairwise(step)] for step in edges], axis=0)
    return cycle


def hindlimb_measures(
    series: Series, names: Mapping[str, Sequence[str]], weight_un: float, least_s: float
) -> dict[str, float]:
    """Correlation of joint angles (`hip_r` ...) and of motor pools (`emg_hip_flexor_r` ...) with mice over a step.

    Args:
        series: of a recording, with `contacts_un` and `hind_rad` of a mouse, and `excitation`.
        names: of its columns.
        weight_un: of the mouse, uN.
        least_s: shortest stance and swing, s.

    Returns:
        Each from the mean cycle of both sides; empty where a hind limb makes too few steps.
    """
    angles, pools = table("hindlimb_angles"), table("hindlimb_emg")
    muscles = [str(name).replace("-", "_") for name in pools if str(name).replace("-", "_") in _kinds(names)]
    standing = stances(series["time_s"], series["contacts_un"], weight_un, least_s)  # type: ignore[arg-type]
    cycles = []
    for side, leg in enumerate(SIDES):
        columns = [names["effectors"].index(f"{leg}_{muscle}") for muscle in muscles]
        values = np.hstack([series["hind_rad"][:, side], series["excitation"][:, columns]]).astype(np.float64)
        cycle = mean_cycle(standing[:, side], values)
        if cycle is None:
            return {}
        cycles.append(cycle)
    mean, n = np.mean(cycles, axis=0), len(JOINTS)
    found = {f"{joint}_r": _r(mean[:, k], angles[f"{joint}_deg"]) for k, joint in enumerate(JOINTS)}
    emg = {f"emg_{name}_r": _r(mean[:, n + k], pools[name.replace("_", "-")]) for k, name in enumerate(muscles)}
    return found | emg


def _kinds(names: Mapping[str, Sequence[str]]) -> set[str]:
    return {name.partition("_")[2] for name in names["effectors"]}


def _r(ours: Floats, theirs: object) -> float:
    """Correlation; 0 with what does not change."""
    measured = np.asarray(theirs, dtype=np.float64)
    return float(np.corrcoef(ours, measured)[0, 1]) if np.ptp(ours) > 0 else 0.0
