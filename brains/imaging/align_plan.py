"""How sections are aligned, and what every block of that stage is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .artefacts import ArtefactSettings
from .mesh import Mesh
from .registration import Band
from .survey import HALF
from .workspace import Workspace

__all__ = ["AlignSettings", "Plan"]


@dataclass(frozen=True, kw_only=True)
class AlignSettings:
    """How sections are aligned; all assumed, chosen on FIB-25 training_sample1 with seeds 0 to 4."""

    coarse_px: int = 256  # pixels, greatest side of the shrunken sections of the coarse registration
    coarse_reach: float = 0.25  # of that side: greatest shift looked for
    coarse_height: float = 4.0  # standard deviations by which the peak of a whole section must stand out
    steps: int = 3  # how many earlier sections each is compared with: one less may be missing in a row
    spacing_px: float = 36.0  # pixels between the nodes of the mesh
    window_px: int = 48  # pixels, side of the blocks compared
    reach_px: int = 14  # pixels, greatest local shift looked for
    local_height: float = 3.5  # standard deviations by which the peak of a block must stand out
    rounds: int = 2  # of block matching; 0 leaves it at the coarse registration
    band: Band = field(default_factory=Band)  # in pixels of the shrunken sections
    slant: float = 0.2  # standard deviation of the tangent of the slant of neurites
    memory_nm: float = 200.0  # nm across the sections, over which a slant is forgotten
    bend_px: float = 4.0  # pixels, standard deviation of the difference between neighbouring nodes
    error_px: float = 0.3  # pixels, standard deviation of a measured shift
    artefacts: ArtefactSettings = field(default_factory=ArtefactSettings)

    def __post_init__(self) -> None:
        for name in ("coarse_px", "steps", "spacing_px", "window_px", "reach_px", "slant", "memory_nm", "bend_px"):
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
        return Mesh(shape=(self.shape[1], self.shape[2]), spacing_px=self.settings.spacing_px)

    def kept(self, name: str) -> Path:
        """File of the numbers of that name that blocks hand on."""
        return self.folder / "align" / f"{name}.npy"
