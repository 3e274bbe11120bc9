"""Chemotaxis: a worm on agar, five millimetres from the peak of a Gaussian field of NaCl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..arenas import Arena
from ..fields import GaussianField
from .task import Band
from .taxis import Taxis

Floats = npt.NDArray[np.float64]

SALT = GaussianField(
    modality="chemosensation",
    channel="salt",
    unit="mM",
    peak=50.0,  # mM, about that of the agar worms grow on (Kunitomo et al. 2013, doi:10.1038/ncomms3210)
    sigma_mm=5.4,  # mm, a third of the plate of Ward 1973 (16.1 mm in Ferree & Lockery 1999, equation 14)
    x_mm=5.0,  # mm, near the steepest place; on the full-size plate the start is 45 mm away and an assay takes an hour
)
PLATE = Arena(medium="agar", fields=(SALT,))


@dataclass(frozen=True, kw_only=True)
class Chemotaxis(Taxis):
    """Climb to the peak. Its disc is the goal; the disc as far on the other side of the start is the control place."""

    name: str = "chemotaxis"
    arena: Arena = PLATE
    duration_s: float = 120.0  # s, 23 mm of crawling, four times the way

    BANDS: ClassVar = {
        "taxis_index": Band(0.4, 1.0, "0.6 to 0.9 on plates: Ward 1973; Bargmann & Horvitz 1991; accepted above 0.4"),
        "curving_per_gradient": Band(0.0, np.inf, "sign: Iino & Yoshida 2009 doi:10.1523/JNEUROSCI.3633-08.2009"),
        "pirouettes_per_min": Band(1.0, 3.0, "about 2: Pierce-Shimomura et al. 1999 J. Neurosci. 19:9557"),
    }

    def away(self, places_mm: Floats, side: float) -> Floats:
        """Distance to the peak or to its mirror image, mm."""
        distance: Floats = np.hypot(places_mm[..., 0] - side * self.distance_mm, places_mm[..., 1])
        return distance
