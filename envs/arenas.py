"""Arenas: what the world is made of and what it presents to the senses where the animal is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..bodies.eyes import Panorama
from ..bodies.pillars import Pillar
from ..registry import UnknownNameError, nearest
from .fields import Field

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Arena:
    """A uniform medium at one temperature, with fields of whatever else the animal can sense."""

    medium: str = "agar"
    temperature_c: float = 20.0  # Celsius, a standard cultivation temperature of C. elegans
    fields: tuple[Field, ...] = ()
    panorama: Panorama | None = None  # what eyes see behind all things; none: it is dark
    pillars: tuple[Pillar, ...] = ()  # that stand in it; for animals whose body takes `pillars`
    wind_mm_s: tuple[float, float] = (0.0, 0.0)  # where the air goes, along x and y; the body feels and senses it

    def resting_senses(self, body: Body) -> Mapping[str, Floats]:
        """What the world presents to an untouched animal at the origin, one vector a modality, in the body's order.

        Senses of the body itself rest at 0; so does its sense of wind.
        """
        senses = {name: np.zeros(len(labels)) for name, labels in body.channels.items()}
        if "thermosensation" in senses:
            senses["thermosensation"][:] = self.temperature_c
        for field in self.fields:
            places = channels_of(field, body)
            senses[field.modality][places] = field.at(0.0, 0.0)
        return senses


def channels_of(field: Field, body: Body) -> list[int]:
    """Places of a field's channels within their modality, one or more.

    Raises:
        KeyError: the body has no such modality or channel, with the nearest that it has.
    """
    if field.modality not in body.channels:
        raise UnknownNameError(f"no modality {field.modality!r}; {nearest(field.modality, body.channels)}")
    labels = body.channels[field.modality]
    places = [k for k, label in enumerate(labels) if fnmatchcase(label, field.channel)]
    if not places:
        raise UnknownNameError(f"no channel {field.channel!r}; {nearest(field.channel, labels)}")
    return places
