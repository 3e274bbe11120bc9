"""Gentle touch: a crawling worm is touched first on the front half, then on the rear half of its body.

A real animal backs away from the first and speeds up at the second (Chalfie et al. 1985, J. Neurosci. 5:956).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ..arenas import Arena
from ..measures import signed_speed
from .task import Task

Floats = npt.NDArray[np.float64]


AGAR = Arena(medium="agar")


@dataclass(frozen=True, kw_only=True)
class Touch(Task):
    """Two touches of equal force and length; response measures start `latency_s` after a touch begins."""

    name: str = "touch"
    arena: Arena = AGAR
    duration_s: float = 18.0  # s
    anterior_s: float = 6.0  # s, start of the touch of the front half
    posterior_s: float = 13.0  # s, start of the touch of the rear half
    touch_s: float = 1.5  # s, length of each touch
    force_un: float = 10.0  # uN on each touched segment, an eyelash's gentle stroke (order of magnitude, assumed)
    latency_s: float = 0.2  # s, muscle activation takes this long to turn the wave round
    response_s: float = 2.0  # s, end of the response measured from the start of the touch
    touched: int = 4  # segments under the hair

    def stimuli(self, time_s: float, body: Body) -> Mapping[str, Floats]:
        """The hair's force on the touched segments, uN, at this time."""
        segments = len(body.channels["touch"])
        for start_s, first in ((self.anterior_s, segments // 5), (self.posterior_s, 3 * segments // 4)):
            if start_s <= time_s < start_s + self.touch_s:
                force = np.zeros(segments)
                force[first : first + self.touched] = self.force_un
                return {"touch": force}
        return {}

    def measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Mean signed speed before and after each touch, mm/s; windows a recording does not reach are left out."""
        speed = signed_speed(time_s, centreline_mm)
        windows = {
            "before_anterior": (self.anterior_s - self.response_s, self.anterior_s),
            "anterior": (self.anterior_s + self.latency_s, self.anterior_s + self.response_s),
            "before_posterior": (self.posterior_s - self.response_s, self.posterior_s),
            "posterior": (self.posterior_s + self.latency_s, self.posterior_s + self.response_s),
        }
        inside = {name: (time_s >= start) & (time_s < end) for name, (start, end) in windows.items()}
        reached = {name: rows for name, rows in inside.items() if time_s[-1] >= windows[name][1] - 0.05 and rows.any()}
        return {f"speed_{name}_mm_s": float(speed[rows].mean()) for name, rows in reached.items()}
