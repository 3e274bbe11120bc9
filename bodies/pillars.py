"""Upright pillars that stand in an animal's world: it sees them, touches them and bumps into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True, kw_only=True)
class Pillar:
    """A cylinder that stands on the floor and does not move."""

    x_mm: float  # mm, of its axis
    y_mm: float  # mm
    radius_mm: float = 10.0  # mm
    height_mm: float = 100.0  # mm
    shade: float = 0.05  # brightness, 0 black to 1 white

    def __post_init__(self) -> None:
        if not (self.radius_mm > 0 and self.height_mm > 0):
            raise ValueError(f"Pillar: radius_mm ({self.radius_mm}) and height_mm ({self.height_mm}) must be positive")
        if not 0 <= self.shade <= 1:
            raise ValueError(f"Pillar: shade ({self.shade}) must be in [0, 1]")

    def add(self, spec: mujoco.MjSpec, name: str) -> None:
        """Put the pillar into a world whose unit of length is mm."""
        import mujoco

        geom = spec.worldbody.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_CYLINDER)
        geom.size, geom.pos = [self.radius_mm, self.height_mm / 2, 0], [self.x_mm, self.y_mm, self.height_mm / 2]
        geom.rgba, geom.contype, geom.conaffinity = [self.shade] * 3 + [1.0], 1, 0


def as_pillar(pillar: Mapping[str, Any] | Pillar) -> Pillar:
    """The pillar itself, or the one with those fields, as JSON keeps it."""
    return pillar if isinstance(pillar, Pillar) else Pillar(**pillar)
