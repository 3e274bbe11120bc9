"""How sections are aligned, and what every block of that stage is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .artefacts import ArtefactSettings
from .mesh import Mesh
from .registration import Band
from .survey import HALF
from .workspace import Workspace

__all__ = ["AlignSettings", "Plan"]


@dataclass(frozen=True, kw_only=True)
class AlignSettings:
    """How sections are aligned; all assumed.

    The prior and the band were chosen on FIB-25 training_sample1, shifts of seeds 0 to 4 and warps of seeds 0 and 1;
    `local_height` and sizes in nm also with the VNC stack, seeds 0 and 1.
    """

    coarse_px: int = 256  # pixels, greatest side of the shrunken sections of the coarse registration
    coarse_reach: float = 0.25  # of that side: greatest shift looked for
    coarse_height: float = 4.0  # standard deviations by which the peak of a whole section must stand out
    steps: int = 3  # how many earlier sections each is compared with: one less may be missing in a row
    spacing_nm: float = 360.0  # nm between the nodes of the mesh
    window_nm: float = 480.0  # nm, side of the blocks compared: a few neurites
    least_px: int = 36  # pixels, least distance between nodes; a block is at least 4/3 of it
    reach_px: int = 14  # pixels, greatest local shift looked for
    local_height: float = 2.0  # standard deviations by which the peak of a block must stand out
    rounds: int = 2  # of block matching; 0 leaves it at the coarse registration
    band: Band = field(default_factory=Band)  # in pixels of the shrunken sections
    slant: float = 0.2  # standard deviation of the tangent of the slant of neurites
    memory_nm: float = 400.0  # nm across the sections, over which a slant is forgotten
    bend_px: float = 4.0  # pixels, standard deviation of the difference between neighbouring nodes
    error_px: float = 0.3  # pixels, standard deviation of a measured shift
    wander: float = 0.1  # the same of what neurites add to it, as a tangent
    artefacts: ArtefactSettings = field(default_factory=ArtefactSettings)

    def __post_init__(self) -> None:
        for name in (
            "coarse_px",
            "steps",
            "spacing_nm",
            "window_nm",
            "least_px",
            "reach_px",
            "slant",
            "memory_nm",
            "bend_px",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"AlignSettings: {name} ({getattr(self, name)}) must be above 0")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run of the stage; goes to other processes."""

    folder: Path
    image: str
    out: str
    settings: AlignSettings
    shape: tuple[int, int, int]
    voxel_nm: tuple[float, float, float]
    skip: tuple[bool, ...]  # damaged sections, which are not compared
    artefacts: tuple[dict[str, Any], ...]  # of `find_artefacts`

    @property
    def space(self) -> Workspace:
        """Where everything lies."""
        return Workspace(self.folder)

    @property
    def factor(self) -> int:
        """By which sections are shrunken for the coarse registration: a power of 2."""
        factor = HALF
        while max(self.shape[1:]) > self.settings.coarse_px * factor:
            factor *= 2
        return factor

    @property
    def mesh(self) -> Mesh:
        """On the sections as they are."""
        spacing = max(self.settings.spacing_nm / self.pixel_nm, self.settings.least_px)
        return Mesh(shape=(self.shape[1], self.shape[2]), spacing_px=spacing)

    @property
    def pixel_nm(self) -> float:
        """Side of a pixel of a section."""
        return float(np.sqrt(self.voxel_nm[1] * self.voxel_nm[2]))

    @property
    def window(self) -> int:
        """Side of the blocks compared, shrunken pixels, even."""
        side = max(self.settings.window_nm / self.pixel_nm, self.settings.least_px * 4 / 3)
        return 2 * round(side / HALF / 2)

    def kept(self, name: str) -> Path:
        """File of the numbers of that name that blocks hand on."""
        return self.folder / "align" / f"{name}.npy"
