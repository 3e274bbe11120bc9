"""Crawl forward on agar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..arenas import Arena
from .task import Band
from .worm_task import WormTask

AGAR = Arena(medium="agar")


@dataclass(frozen=True, kw_only=True)
class Crawl(WormTask):
    """Forward crawling on the surface of agar."""

    name: str = "crawl"
    arena: Arena = AGAR

    BANDS: ClassVar = {
        "speed_mm_s": Band(0.10, 0.30, "0.15 in Randi et al. 2023, 0.22 in Izquierdo & Beer 2018; range assumed"),
        "undulation_hz": Band(0.3, 0.8, "Berri et al. 2009 HFSP J. 3:186; Fang-Yen et al. 2010 PNAS 107:20323"),
        "wavelength_body_lengths": Band(0.5, 0.8, "0.65 in the same two; range assumed"),
    }
