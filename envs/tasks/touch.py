"""Gentle touch: a crawling worm is touched first on the front half, then on the rear half of its body.

A real animal backs away from the first and speeds up at the second (Chalfie et al. 1985, J. Neurosci. 5:956).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body
from ..arenas import Arena
from ..measures import bend_angles, signed_speed
from .task import Band
from .worm_task import WormTask

Floats = npt.NDArray[np.float64]


AGAR = Arena(medium="agar")


@dataclass(frozen=True, kw_only=True)
class Touch(WormTask):
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
    after_s: float = 3.0  # s, after the response to the first touch, in which a turn may follow
    head: int = 6  # inner points of the centreline that make up the head and neck, a quarter of the body

    BANDS: ClassVar = {
        "speed_anterior_mm_s": Band(-np.inf, 0.0, "it backs away: Chalfie et al. 1985 J. Neurosci. 5:956"),
        "speed_posterior_mm_s": Band(0.0, np.inf, "it moves forward, and faster: Chalfie et al. 1985"),
    }

    def stimuli(self, time_s: float, body: Body) -> Mapping[str, Floats]:
        """The hair's force on the touched segments, uN, at this time."""
        segments = len(body.channels["touch"])
        for start_s, first in ((self.anterior_s, segments // 5), (self.posterior_s, 3 * segments // 4)):
            if start_s <= time_s < start_s + self.touch_s:
                force = np.zeros(segments)
                force[first : first + self.touched] = self.force_un
                return {"touch": force}
        return {}

    def track_measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Responses to the touches; those in windows that a recording does not reach are left out.

        Returns:
            `speed_..._mm_s`: mean signed speed before and after each touch. `head_bend_anterior_rad`: how much the head
            swings in the response to the first touch, standard deviation of its bends. `ventral_bend_after_rad`: mean
            bend of the head towards the ventral side in the `after_s` that follow.
        """
        speed = signed_speed(time_s, centreline_mm)
        windows = {
            "before_anterior": (self.anterior_s - self.response_s, self.anterior_s),
            "anterior": (self.anterior_s + self.latency_s, self.anterior_s + self.response_s),
            "before_posterior": (self.posterior_s - self.response_s, self.posterior_s),
            "posterior": (self.posterior_s + self.latency_s, self.posterior_s + self.response_s),
        }
        inside = {name: _window(time_s, *window) for name, window in windows.items()}
        measures = {f"speed_{name}_mm_s": float(speed[rows].mean()) for name, rows in inside.items() if rows.any()}
        head = bend_angles(centreline_mm)[:, : self.head]  # positive is ventral
        if inside["anterior"].any():
            measures["head_bend_anterior_rad"] = float(head[inside["anterior"]].std(axis=0).mean())
        after = _window(time_s, windows["anterior"][1], windows["anterior"][1] + self.after_s)
        return measures | ({"ventral_bend_after_rad": float(head[after].mean())} if after.any() else {})


def _window(time_s: Floats, start_s: float, end_s: float) -> npt.NDArray[np.bool_]:
    """Which samples are in a window; none if the recording stops before its end."""
    return (time_s >= start_s) & (time_s < end_s) & bool(time_s[-1] >= end_s - 0.05)
