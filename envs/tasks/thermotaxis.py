"""Thermotaxis: a worm grown at 20 degrees on a plate that is warmer where it starts and colder ahead along x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arenas import Arena
from ..fields import LinearField
from .task import Band
from .taxis import Taxis

Floats = npt.NDArray[np.float64]

GROWN_C = 20.0  # Celsius, the temperature the worm was grown at and looks for (Mori & Ohshima 1995, Nature 376:344)
PER_MM = 0.1  # Celsius per mm; linear plates have 0.03 to 0.1 (Goodman et al. 2014, WormBook; from memory)
AHEAD_MM = 5.0  # mm from the start to the isotherm of GROWN_C

WARMTH = LinearField(
    modality="thermosensation",
    channel="temperature",
    unit="°C",
    at_start=GROWN_C + PER_MM * AHEAD_MM,
    per_mm=-PER_MM,
)
PLATE = Arena(medium="agar", temperature_c=GROWN_C, fields=(WARMTH,))


@dataclass(frozen=True, kw_only=True)
class Thermotaxis(Taxis):
    """Go down to the temperature of cultivation: the isotherm is the goal, the one as far up is the control place.

    Above that temperature a worm moves down the gradient (Ryu & Samuel 2002, J. Neurosci. 22:5727). The memory of the
    temperature is the animal's; nothing here tells it.
    """

    name: str = "thermotaxis"
    arena: Arena = PLATE
    duration_s: float = 120.0  # s
    distance_mm: float = AHEAD_MM
    attraction: float = -1.0

    BANDS: ClassVar = {
        "taxis_index": Band(0.2, 1.0, "sign: Mori & Ohshima 1995 Nature 376:344; size assumed"),
    }

    def away(self, places_mm: Floats, side: float) -> Floats:
        """Distance to the isotherm, mm."""
        distance: Floats = np.abs(places_mm[..., 0] - side * self.distance_mm)
        return distance
