"""A task: the arena, what happens to the animal, what is rewarded and what is measured besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from ...bodies.body import Body, Posture
from ..arenas import Arena
from ..measures import signed_speed

if TYPE_CHECKING:
    import mujoco

Floats = npt.NDArray[np.float64]
Series = Mapping[str, npt.NDArray[Any]]
"""What a recording keeps, by name, first axis time; see `recorder.Recording`."""
Names = Mapping[str, Sequence[str]]
"""Names of its columns: "effectors", "modalities", "neurons" and their "types"."""


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
    drive: Mapping[str, float] = field(default_factory=dict)
    """Selector -> constant drive that the task asks for, such as a command to walk; the user's own comes before it."""

    ANIMALS: ClassVar[tuple[str, ...]] = ()  # names of the organisms it is for; none for any
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

    def measures(self, series: Series, names: Names) -> dict[str, float]:
        """What an episode of ten steps or more is measured by; here its speed and how far it got.

        Args:
            series: what was recorded, a row a control step.
            names: of its columns.
        """
        time_s, line = series["time_s"], series["centreline_mm"]
        ends = line[[0, -1]].mean(axis=1)
        return {
            "speed_mm_s": float(signed_speed(time_s, line).mean()),
            "travel_mm": float(np.linalg.norm(ends[1] - ends[0])),
        }
