"""What the fly or the mouse is in: its density and viscosity, in their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..registry import nearest


@dataclass(frozen=True, kw_only=True)
class Fluid:
    """A Newtonian fluid in mm, g, s. 1 kg/m^3 = 1e-6 g/mm^3 and 1 Pa s = 1 g/(mm s)."""

    name: str
    density: float  # g/mm^3
    viscosity: float  # g/(mm s)

    def __post_init__(self) -> None:
        if not (self.density >= 0 and self.viscosity >= 0):
            raise ValueError(
                f"Fluid {self.name!r}: density ({self.density} g/mm^3) and viscosity ({self.viscosity} g/(mm s)) "
                "must not be negative"
            )


FLUIDS = {  # at 20 degrees and one atmosphere, textbook values
    "air": Fluid(name="air", density=1.2e-6, viscosity=1.8e-5),
    "water": Fluid(name="water", density=1e-3, viscosity=1e-3),
    "vacuum": Fluid(name="vacuum", density=0.0, viscosity=0.0),
}


def as_fluid(name: str | Mapping[str, Any] | Fluid, animal: str = "fly") -> Fluid:
    """The fluid of that name or with those fields, as JSON keeps it, or the fluid itself.

    Raises:
        ValueError: no fluid has that name.
    """
    if isinstance(name, Fluid):
        return name
    if isinstance(name, Mapping):
        return Fluid(**name)
    if name not in FLUIDS:
        raise ValueError(f"no medium {name!r} for the {animal}; {nearest(name, FLUIDS)}")
    return FLUIDS[name]
