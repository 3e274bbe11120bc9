"""What every task of a worm is measured by: its undulation, its turns and its muscles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..measures import measure
from ..muscles import co_contraction
from ..turns import turn_measures
from .task import Names, Series, Task

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WormTask(Task):
    """A task of a limbless animal that moves by undulation."""

    ANIMALS: ClassVar = ("worm",)

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """Speed, undulation, turns and co-contraction, and what the task measures besides."""
        time_s, line = series["time_s"], series["centreline_mm"]
        return {
            **measure(time_s, line),
            **turn_measures(time_s, line),
            **self.track_measures(time_s, line),
            **co_contraction(names["effectors"], series["activation"]),
        }

    def track_measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Measures of this task from times (T,), s, and points along the body (T, P, 3), mm; nose first."""
        return {}
