"""Arenas: what the world is made of and what it presents to the senses where the animal is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Arena:
    """A uniform medium at one temperature."""

    medium: str = "agar"
    temperature_c: float = 20.0  # Celsius, a standard cultivation temperature of C. elegans

    def resting_senses(self, body: Body) -> Mapping[str, Floats]:
        """What the world presents to an untouched animal, one vector a modality, in the body's channel order."""
        senses = {name: np.zeros(len(labels)) for name, labels in body.channels.items()}
        if "thermosensation" in senses:
            senses["thermosensation"][:] = self.temperature_c
        return senses
