"""A plume: puffs of odour that leave a source one after the other and that the wind carries away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import cos, exp, pi, sin, sqrt
from typing import Any, ClassVar

import numpy as np
from numba import njit

from .fields import KINDS, Field, Floats


@dataclass(frozen=True, kw_only=True)
class PlumeField(Field):
    """Round Gaussian puffs that drift with the wind, wander and spread, the same at every height.

    One puff leaves in every interval, at an irregular moment. Sideways it goes at a speed of its own, which changes
    slowly from puff to puff, so that the plume meanders; its width grows with its way and its peak falls as its area
    grows. The puffs follow from `seed`, which an episode draws (`begun`); after `lasts_s` they come again. In form the
    filament model of Farrell et al. 2002 (Environ Fluid Mech 2:143, from memory) in a level wind that is the same
    everywhere. All numbers below are assumed.
    """

    peak: float  # of a puff as it leaves the source, in the unit of the channel
    x_mm: float  # source
    y_mm: float
    speed_mm_s: float  # of the wind
    towards_rad: float = pi  # where the air goes, counted from +x
    puffs_hz: float = 10.0
    width_mm: float = 5.0  # standard deviation of a puff as it leaves
    spread: float = 0.05  # growth of that a mm of way
    meander: float = 0.1  # standard deviation of the sideways speed, as a share of the wind's
    meander_s: float = 1.0  # correlation time of it
    reach_mm: float = 200.0  # way after which a puff is gone
    lasts_s: float = 60.0
    seed: int = 0

    STEADY: ClassVar = False

    def __post_init__(self) -> None:
        positive = {name: getattr(self, name) for name in ("speed_mm_s", "puffs_hz", "width_mm", "reach_mm")}
        for name, value in positive.items():
            if not value > 0:
                raise ValueError(f"PlumeField {self.channel!r}: {name} ({value}) must be above 0")
        if not self.lasts_s > self.reach_mm / self.speed_mm_s:
            raise ValueError(
                f"PlumeField {self.channel!r}: lasts_s ({self.lasts_s} s) must be above the"
                f" {self.reach_mm / self.speed_mm_s:g} s that a puff is there"
            )

    def begun(self, rng: np.random.Generator) -> Field:
        """The same plume with puffs drawn from `rng`."""
        return replace(self, seed=int(rng.integers(2**32)))

    def at(self, x_mm: float, y_mm: float, z_mm: float = 0.0, time_s: float = 0.0) -> float:
        """The value at one place and time."""
        way, across = self._along_wind(x_mm - self.x_mm, y_mm - self.y_mm)
        now_s, reach_s = time_s % self.lasts_s, self.reach_mm / self.speed_mm_s
        total: float = _sum(way, across, now_s, reach_s, *self._puffs, self.speed_mm_s, self.width_mm, self.spread)
        return self.peak * total

    def values(self, places_mm: Floats, time_s: float = 0.0) -> Floats:
        """The value at many places at one time."""
        total: Floats = self._each(places_mm, time_s)[0].sum(axis=-1)
        return total

    def gradient(self, places_mm: Floats) -> Floats:
        """At time 0."""
        each, way, across, width = self._each(places_mm, 0.0)
        along, beside = (-(each * part / width**2).sum(axis=-1) for part in (way, across))
        return np.stack(
            [
                along * cos(self.towards_rad) - beside * sin(self.towards_rad),
                along * sin(self.towards_rad) + beside * cos(self.towards_rad),
            ],
            axis=-1,
        )

    def _each(self, places_mm: Floats, time_s: float) -> tuple[Floats, Floats, Floats, Floats]:
        """What each puff gives to each place, shape (..., puffs), where that is from the puff, and the puffs' width."""
        way, across = self._along_wind(places_mm[..., 0] - self.x_mm, places_mm[..., 1] - self.y_mm)
        middle, aside, width = self._puffs_at(time_s)
        way, across = way[..., None] - middle, across[..., None] - aside
        square = (way**2 + across**2) / width**2
        return self.peak * np.exp(-0.5 * square) * (self.width_mm / width) ** 2, way, across, width

    def _along_wind(self, x_mm: Any, y_mm: Any) -> tuple[Any, Any]:
        """Way along the wind and across it, mm, of places seen from the source; numbers or arrays."""
        c, s = cos(self.towards_rad), sin(self.towards_rad)
        return x_mm * c + y_mm * s, y_mm * c - x_mm * s

    def _puffs_at(self, time_s: float) -> tuple[Floats, Floats, Floats]:
        """Way along the wind and across it, and width, mm, of the puffs that are there."""
        left_s, sideways = self._puffs
        now_s = time_s % self.lasts_s
        first, end = np.searchsorted(left_s, (now_s - self.reach_mm / self.speed_mm_s, now_s))
        age = now_s - left_s[first:end]
        way = self.speed_mm_s * age
        return way, sideways[first:end] * age, self.width_mm + self.spread * way

    @cached_property
    def _puffs(self) -> tuple[Floats, Floats]:
        """When each puff leaves, s, and its sideways speed, mm/s; the last ones once more before time 0."""
        rng, n = np.random.default_rng(self.seed), round(self.lasts_s * self.puffs_hz)
        left_s = (np.arange(n) + rng.random(n)) / self.puffs_hz
        kept = exp(-1 / (self.puffs_hz * self.meander_s))
        sideways = rng.standard_normal(n)
        for k in range(1, n):
            sideways[k] = kept * sideways[k - 1] + sqrt(1 - kept**2) * sideways[k]
        sideways *= self.meander * self.speed_mm_s
        before = left_s > self.lasts_s - self.reach_mm / self.speed_mm_s
        times = np.concatenate([left_s[before] - self.lasts_s, left_s])
        return times, np.concatenate([sideways[before], sideways])


@njit(cache=True)
def _sum(
    way: float,
    across: float,
    now_s: float,
    reach_s: float,
    left_s: Floats,
    sideways: Floats,
    speed: float,
    width: float,
    spread: float,
) -> float:
    """What the puffs that are there give to one place, in peaks of a fresh one; compiled, for every organ asks it."""
    total = 0.0
    for k in range(np.searchsorted(left_s, now_s - reach_s), np.searchsorted(left_s, now_s)):
        age = now_s - left_s[k]
        wide = width + spread * speed * age
        square = (way - speed * age) ** 2 + (across - sideways[k] * age) ** 2
        total += exp(-0.5 * square / wide**2) * (width / wide) ** 2
    return total


KINDS[PlumeField.__name__] = PlumeField
