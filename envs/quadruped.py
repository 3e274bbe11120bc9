"""How four limbs go together, from when each swings: the same for a spinal cord by itself and for feet on the ground.

A step of a limb runs from one start of its swing to the next, and the phase of a limb is when its swing starts within
the step of the left hind limb, 0 to 1, as Danner et al. 2017 (eLife 6:e31050) count them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .gait import LEAST_STEPS, footfalls, mean_phase, phase_distance, phases

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LIMBS = ("LH", "RH", "LF", "RF")
# phase differences at which a gait begins, as the published analysis of that model draws the lines
TOGETHER, ALTERNATING, DIAGONAL = 0.025, 0.25, 0.1


@dataclass(frozen=True, kw_only=True)
class Coordination:
    """Steps of the left hind limb, and when the others start theirs within them."""

    frequency_hz: float
    duty: float  # share of a step in stance
    phases: tuple[float, float, float]  # of RH, LF and RF, 0 to 1
    closeness: float  # how closely the limbs keep their phases, 0 to 1, the least of the three

    @property
    def gait(self) -> str:
        """Bound, gallop, trot, walk, or other; all but a walk need fore and hind limbs of a side to alternate."""
        right_hind, left_fore, right_fore = self.phases
        across = phase_distance(right_hind, 0.0)
        alternate_sides = phase_distance(left_fore, 0.0) >= ALTERNATING
        diagonal = phase_distance(right_fore, 0.0)
        if across <= TOGETHER and alternate_sides:
            return "bound"
        if across < ALTERNATING and across > TOGETHER and alternate_sides:
            return "gallop"
        if across >= ALTERNATING and diagonal <= DIAGONAL and alternate_sides:
            return "trot"
        if across >= ALTERNATING and DIAGONAL < diagonal <= 0.5 - DIAGONAL and self.duty > 0.5:
            return "walk"
        return "other"


def coordination(time_s: Floats, swinging: Flags) -> Coordination | None:
    """Coordination of four limbs; None where one of them makes fewer than `LEAST_STEPS` whole steps.

    Args:
        time_s: evenly spaced, s, shape (T,).
        swinging: which limb swings at which time, in the order of `LIMBS`, shape (T, 4).
    """
    steps = [footfalls(time_s, swinging[:, k]) for k in range(len(LIMBS))]
    if min(limb.steps for limb in steps) < LEAST_STEPS:
        return None
    found = [mean_phase(phases(limb, steps[0])) for limb in steps[1:]]
    return Coordination(
        frequency_hz=steps[0].frequency_hz,
        duty=1.0 - steps[0].duty,
        phases=(found[0][0], found[1][0], found[2][0]),
        closeness=min(closeness for _, closeness in found),
    )
