"""A task: the arena, what happens to the animal, what is rewarded and what is measured besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body, Posture
from ..arenas import Arena

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]


class Band(NamedTuple):
    """Where a measure of real animals lies, in the unit of the measure, and who says so."""

    low: float
    high: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """Move forward: the reward of a step is the speed of the centroid along the body axis, mm/s."""

    name: str
    arena: Arena
    duration_s: float = 10.0  # s, then the episode is truncated
    noise_mv: float = 0.0  # mV, standard deviation of the membrane noise of every neuron

    BANDS: ClassVar[Mapping[str, Band]] = {}  # measure -> published band

    def __post_init__(self) -> None:
        if not (np.isfinite(self.duration_s) and self.duration_s > 0):
            raise ValueError(f"task {self.name!r}: duration_s ({self.duration_s} s) must be above 0")

    def start(self, body: Body, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """Put the animal where the task begins; by default it stays at the origin with its nose at +x."""

    def reward(self, before: Posture, after: Posture, dt_s: float) -> float:
        """Forward speed over one control step, mm/s.

        Args:
            before: posture before the step.
            after: posture after the step.
            dt_s: length of the step, s.
        """
        x, y, z, ax, ay, az, _ = after
        return ((x - before[0]) * ax + (y - before[1]) * ay + (z - before[2]) * az) / dt_s

    def stimuli(self, time_s: float, body: Body) -> Mapping[str, Floats]:
        """What the task adds to the senses at this time, one vector a modality; nothing by default."""
        return {}

    def measures(self, time_s: Floats, centreline_mm: Floats) -> dict[str, float]:
        """Measures of this task beside the general ones, from a recording."""
        return {}
