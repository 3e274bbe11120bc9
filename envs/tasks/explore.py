"""Exploration: a worm on agar without food, which goes backward now and then with nothing having happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arenas import Arena
from ..measures import signed_speed
from ..turns import reversal_spans
from .task import Band
from .worm_task import WormTask

Floats = npt.NDArray[np.float64]

AGAR = Arena(medium="agar")


@dataclass(frozen=True, kw_only=True)
class Explore(WormTask):
    """Forward crawling broken by reversals without a stimulus: in animals a random switch between two command pools.

    What makes the switch random in animals is not known in detail; here it is noise in every membrane (a stochastic
    switch of the command neurons explains search tracks: Roberts et al. 2016, doi:10.7554/eLife.12572). Without noise
    the worm does not reverse unless it is touched. With it, it still does without AVA, AVD and AVE, so that these
    reversals are not the command neurons' (`animat controls worm --task explore --ablate AVA,AVD,AVE`).
    """

    name: str = "explore"
    arena: Arena = AGAR
    duration_s: float = 120.0  # s
    noise_mv: float = 4.0  # mV; chosen of 3, 4, 5, 6 for the rate of reversals, on seeds 50 and 51

    BANDS: ClassVar = {
        "reversals_per_min": Band(
            1.0, 3.0, "1.6 reorientations off food (n = 1631), fewer later: doi:10.7554/eLife.104972; range assumed"
        ),
        "reversal_s": Band(1.0, 6.0, "seconds; range assumed"),
        "speed_mm_s": Band(0.05, 0.30, "forward more than backward; range assumed"),
    }

    def track_measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Reversals a minute, and their mean length in s where there is one."""
        spans = reversal_spans(time_s, signed_speed(time_s, centreline_mm))
        step_s = float(time_s[1] - time_s[0])
        rate = {"reversals_per_min": len(spans) / (len(time_s) * step_s / 60)}
        if not spans:
            return rate
        return {**rate, "reversal_s": float(np.mean([(end - start) * step_s for start, end in spans]))}
