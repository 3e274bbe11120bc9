"""Media and anisotropic linear drag that MuJoCo integrates implicitly.

A slender body in a viscous medium feels a force proportional to its velocity, larger across its axis than along it
(resistive force theory; Gray & Hancock 1955, doi:10.1242/jeb.32.4.802). MuJoCo's own fluid model is isotropic in the
viscous limit and gives no thrust, and drag written into `xfrc_applied` is explicit and diverges at a worm's true mass.
Here each segment carries velocity-biased site actuators: their forces have analytic velocity derivatives, which the
`implicitfast` integrator uses, so the drag is stable at any step that resolves the motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..registry import nearest

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True, kw_only=True)
class Medium:
    """Drag coefficients of a whole body, mg/s (1 mg/s = 1e-6 kg/s)."""

    name: str
    c_par: float  # mg/s, along the body axis
    c_perp: float  # mg/s, across it
    timestep_s: float  # s, largest physics step whose error was measured acceptable in this medium

    def __post_init__(self) -> None:
        if not (self.c_par > 0 and self.c_perp > 0):
            raise ValueError(
                f"Medium {self.name!r}: c_par ({self.c_par} mg/s) and c_perp ({self.c_perp} mg/s) must be positive"
            )
        if not 0 < self.timestep_s <= 0.01:
            raise ValueError(f"Medium {self.name!r}: timestep_s ({self.timestep_s} s) must be in (0, 0.01]")


MEDIA = {
    # Boyle, Berri & Cohen 2012, Front. Comput. Neurosci. 6:10, doi:10.3389/fncom.2012.00010
    "agar": Medium(name="agar", c_par=3.2e3, c_perp=128e3, timestep_s=0.002),
    "water": Medium(name="water", c_par=3.3, c_perp=5.2, timestep_s=0.001),
}


def as_medium(name: str | Medium) -> Medium:
    """The medium of that name, or the medium itself.

    Raises:
        ValueError: no medium has that name.
    """
    if isinstance(name, Medium):
        return name
    if name not in MEDIA:
        raise ValueError(f"no medium {name!r}; {nearest(name, MEDIA)}")
    return MEDIA[name]


def add_drag(spec: mujoco.MjSpec, sites: list[str], c_par: float, c_perp: float, planar: bool) -> None:
    """Give every site its share of the drag: along its x axis `c_par`, across it `c_perp`.

    Args:
        spec: the model being built.
        sites: one site a segment, x along the body axis.
        c_par: drag of the whole body along its axis, mg/s.
        c_perp: drag of the whole body across its axis, mg/s.
        planar: leave out the direction normal to the plane.
    """
    import mujoco

    axes = ((0, c_par), (1, c_perp)) if planar else ((0, c_par), (1, c_perp), (2, c_perp))
    for site in sites:
        for axis, whole in axes:
            gear = [0.0] * 6
            gear[axis] = 1.0
            actuator = spec.add_actuator(name=f"drag_{site}_{'xyz'[axis]}", target=site)
            actuator.trntype = mujoco.mjtTrn.mjTRN_SITE
            actuator.gear = gear
            actuator.gaintype = mujoco.mjtGain.mjGAIN_FIXED
            actuator.gainprm[0] = 0.0
            actuator.biastype = mujoco.mjtBias.mjBIAS_AFFINE
            actuator.biasprm[2] = -whole / len(sites)
