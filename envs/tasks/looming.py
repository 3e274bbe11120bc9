"""Escape: a dark ball on a collision course with a standing fly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arenas import Arena
from ..panorama import looming_ball
from .task import Band, Names, Series, Task

CONTACT_S = 1.5  # s, when the ball's centre would arrive
L_OVER_V_S = 0.04  # s, radius over speed; published experiments use 0.01 to 0.04
AZIMUTH_DEG = 60.0  # deg to the left of the fly's nose
ALARM_HZ = 5.0  # Hz, rate of the giant fibre that counts as a response; assumed
SKY = Arena(
    medium="air",
    temperature_c=25.0,
    panorama=looming_ball(azimuth_deg=AZIMUTH_DEG, l_over_v_s=L_OVER_V_S, contact_s=CONTACT_S, elevation_deg=20.0),
)


@dataclass(frozen=True, kw_only=True)
class Looming(Task):
    """Nothing drives the fly but what it sees: the ball grows, LPLC2 answer, the giant fibres fire the jump muscles."""

    name: str = "looming"
    arena: Arena = SKY
    duration_s: float = 2.0  # s

    ANIMALS: ClassVar = ("fly",)
    BANDS: ClassVar = {
        "alarm_before_contact_ms": Band(
            0.0,
            500.0,
            "before contact; flies prepare about 200 ms before: Card & Dickinson 2008 doi:10.1016/j.cub.2008.07.094",
        ),
    }

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """When the giant fibres answer, and what the body does.

        Returns:
            `alarm_before_contact_ms`: first moment at which a DNp01 fires above `ALARM_HZ`, before the ball
            would arrive; left out where none does. `alarm`: 1 if that was before contact, else 0. `rise_mm`: how far
            the thorax went up at the most, `shift_left_mm`: how far it went to the side of the ball until the end.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        middle = line.mean(axis=1)
        found = {
            "rise_mm": float((middle[:, 2] - middle[0, 2]).max()),
            "shift_left_mm": float(middle[-1, 1] - middle[0, 1]),
        }
        fibres = [k for k, kind in enumerate(names["types"]) if kind == "DNp01"]
        if not fibres or "voltage_mv" not in series:
            return {**super().measures(series, names), **found}
        firing = np.flatnonzero((series["voltage_mv"][:, fibres] > ALARM_HZ).any(axis=1))
        before_ms = 1e3 * (CONTACT_S - float(time_s[firing[0]])) if firing.size else float("-inf")
        found["alarm"] = float(before_ms > 0)
        if firing.size:
            found["alarm_before_contact_ms"] = before_ms
        return {**super().measures(series, names), **found}
