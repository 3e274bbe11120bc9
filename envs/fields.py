"""Fields: what a place in the arena smells of or how warm it is, felt where the sense organs are.

A field gives one or more channels of one modality a value everywhere; each channel feels it where its own organ is. A
plume (plume.py) changes in time, the others do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import cos, exp, sin
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..registry import UnknownNameError, nearest

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Field:
    """The value that the channels have at every place; lengths in mm, values in the unit of the channels."""

    modality: str
    channel: str  # a channel of that modality, or a pattern that several answer to: "antenna_*"
    unit: str  # as it is written beside a value

    STEADY: ClassVar[bool] = True  # whether it is the same at all times

    def at(self, x_mm: float, y_mm: float, z_mm: float = 0.0, time_s: float = 0.0) -> float:
        """The value at one place and time; called every control step, so where it can be without arrays."""
        raise NotImplementedError

    def values(self, places_mm: Floats, time_s: float = 0.0) -> Floats:
        """The value at many places, shape (...), for places of shape (..., 2 or more)."""
        raise NotImplementedError

    def begun(self, rng: np.random.Generator) -> Field:
        """The field of one episode: itself, unless chance has a part in it."""
        return self

    def gradient(self, places_mm: Floats) -> Floats:
        """How steeply the value rises along x and y, per mm, shape (..., 2)."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class GaussianField(Field):
    """What diffuses from a spot, the same at every height: background + peak * exp(-r^2 / (2 sigma^2))."""

    peak: float  # above the background, in the unit of the channel
    sigma_mm: float
    x_mm: float  # centre
    y_mm: float = 0.0
    background: float = 0.0  # in the unit of the channel

    def __post_init__(self) -> None:
        if not self.sigma_mm > 0:
            raise ValueError(f"GaussianField {self.channel!r}: sigma_mm ({self.sigma_mm} mm) must be above 0")

    def at(self, x_mm: float, y_mm: float, z_mm: float = 0.0, time_s: float = 0.0) -> float:
        """The value at one place."""
        square = (x_mm - self.x_mm) ** 2 + (y_mm - self.y_mm) ** 2
        return self.background + self.peak * exp(-square / (2 * self.sigma_mm**2))

    def values(self, places_mm: Floats, time_s: float = 0.0) -> Floats:
        """The value at many places."""
        return self.background + self._excess(places_mm)

    def gradient(self, places_mm: Floats) -> Floats:
        """Towards the centre, steepest at sigma from it."""
        return -self._from_centre(places_mm) * (self._excess(places_mm) / self.sigma_mm**2)[..., None]

    def _from_centre(self, places_mm: Floats) -> Floats:
        away: Floats = places_mm[..., :2] - np.array([self.x_mm, self.y_mm])
        return away

    def _excess(self, places_mm: Floats) -> Floats:
        square = (self._from_centre(places_mm) ** 2).sum(axis=-1)
        excess: Floats = self.peak * np.exp(-square / (2 * self.sigma_mm**2))
        return excess


@dataclass(frozen=True, kw_only=True)
class LinearField(Field):
    """A gradient that is the same everywhere and level."""

    at_start: float  # value at the origin, in the unit of the channel
    per_mm: float  # rise along `towards_rad`, in the unit of the channel per mm
    towards_rad: float = 0.0  # rad, direction of the rise, counted from +x

    def at(self, x_mm: float, y_mm: float, z_mm: float = 0.0, time_s: float = 0.0) -> float:
        """The value at one place."""
        return self.at_start + self.per_mm * (x_mm * cos(self.towards_rad) + y_mm * sin(self.towards_rad))

    def values(self, places_mm: Floats, time_s: float = 0.0) -> Floats:
        """The value at many places."""
        values: Floats = self.at_start + places_mm[..., :2] @ self._slope
        return values

    def gradient(self, places_mm: Floats) -> Floats:
        """The same everywhere."""
        return np.broadcast_to(self._slope, (*places_mm.shape[:-1], 2))

    @property
    def _slope(self) -> Floats:
        return self.per_mm * np.array([cos(self.towards_rad), sin(self.towards_rad)])


@dataclass(frozen=True, kw_only=True)
class PatchField(Field):
    """A thin round patch on the ground: it is felt by what touches it."""

    value: float  # in the unit of the channel
    radius_mm: float
    x_mm: float  # centre
    y_mm: float = 0.0
    depth_mm: float = 0.1  # mm above the ground up to which an organ counts as in it

    def __post_init__(self) -> None:
        if not (self.radius_mm > 0 and self.depth_mm > 0):
            raise ValueError(
                f"PatchField {self.channel!r}: radius_mm ({self.radius_mm} mm) and depth_mm"
                f" ({self.depth_mm} mm) must be above 0"
            )

    def at(self, x_mm: float, y_mm: float, z_mm: float = 0.0, time_s: float = 0.0) -> float:
        """The value at one place."""
        inside = (x_mm - self.x_mm) ** 2 + (y_mm - self.y_mm) ** 2 <= self.radius_mm**2
        return self.value if inside and z_mm <= self.depth_mm else 0.0

    def values(self, places_mm: Floats, time_s: float = 0.0) -> Floats:
        """The value at many places on the ground."""
        away = places_mm[..., :2] - np.array([self.x_mm, self.y_mm])
        return np.where((away**2).sum(axis=-1) <= self.radius_mm**2, self.value, 0.0)

    def gradient(self, places_mm: Floats) -> Floats:
        """Zero but at the edge, where there is none."""
        return np.zeros((*places_mm.shape[:-1], 2))


KINDS: dict[str, type[Field]] = {kind.__name__: kind for kind in (GaussianField, LinearField, PatchField)}


def described(field: Field) -> dict[str, Any]:
    """A field as JSON can keep it."""
    return {"kind": type(field).__name__, **asdict(field)}


def from_description(description: Mapping[str, Any]) -> Field:
    """The field that `described` described.

    Raises:
        KeyError: no such kind of field, with the nearest that there is.
    """
    settings = dict(description)
    kind = str(settings.pop("kind", ""))
    if kind not in KINDS:
        raise UnknownNameError(f"no kind of field {kind!r}; {nearest(kind, KINDS)}")
    return KINDS[kind](**settings)
