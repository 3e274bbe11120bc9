"""Swim forward in water, with the brain and body that crawl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..arenas import Arena
from .task import Band
from .worm_task import WormTask

WATER = Arena(medium="water")


@dataclass(frozen=True, kw_only=True)
class Swim(WormTask):
    """Forward swimming in water."""

    name: str = "swim"
    arena: Arena = WATER

    BANDS: ClassVar = {
        "undulation_hz": Band(1.4, 2.5, "1.7 to 2.0: Fang-Yen et al. 2010 PNAS 107:20323; range assumed"),
        "wavelength_body_lengths": Band(1.2, 2.5, "about 1.5: Fang-Yen et al. 2010 PNAS 107:20323; range assumed"),
    }
