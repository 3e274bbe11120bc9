"""Panoramas: scenes that are far away or move, given as brightness in each direction and never rendered.

Each is a small frozen description with `luminance(directions, position_mm, time_s)`, which is all a compound eye needs
(`animat.bodies.eyes.Panorama`). Brightness is relative, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..bodies.eyes import Panorama

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SkyAndGround:
    """A bright sky over a dark ground with a smooth horizon; it does not move."""

    sky: float = 0.7  # brightness of the zenith
    ground: float = 0.3  # brightness of the nadir
    horizon_deg: float = 10.0  # deg, half width of the change between them

    def __post_init__(self) -> None:
        _check_fraction("SkyAndGround", sky=self.sky, ground=self.ground)
        if not self.horizon_deg > 0:
            raise ValueError(f"SkyAndGround: horizon_deg ({self.horizon_deg} deg) must be above 0")

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness in world directions (m, 3), shape (m,)."""
        height = np.arcsin(np.clip(directions[:, 2], -1.0, 1.0)) / np.radians(self.horizon_deg)
        return np.asarray(self.ground + (self.sky - self.ground) * 0.5 * (1.0 + np.tanh(height)))


@dataclass(frozen=True, kw_only=True)
class Drum:
    """A striped drum at infinity that turns about an axis: the optomotor stimulus.

    A positive speed turns it about the axis by the right hand: with the axis up, leftward for an animal inside.
    """

    period_deg: float  # deg, of the stripes
    speed_deg_s: float = 0.0  # deg/s
    contrast: float = 0.5  # Michelson
    mean: float = 0.5  # mean brightness
    phase_deg: float = 0.0  # deg, at time 0
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)  # world
    height_deg: float = 90.0  # deg, half height of the stripes along the axis; beyond it the mean
    wave: Literal["sine", "square"] = "sine"

    def __post_init__(self) -> None:
        _check_fraction("Drum", contrast=self.contrast, mean=self.mean)
        if not self.period_deg > 0 or abs(360.0 / self.period_deg - round(360.0 / self.period_deg)) > 1e-6:
            raise ValueError(
                f"Drum: period_deg ({self.period_deg} deg) must divide 360 deg, or the stripes do not close"
            )
        if not np.linalg.norm(self.axis) > 0:
            raise ValueError(f"Drum: axis ({self.axis}) must not be zero")
        if self.wave not in ("sine", "square"):
            raise ValueError(f"Drum: wave ({self.wave!r}) must be 'sine' or 'square'")

    @property
    def temporal_frequency_hz(self) -> float:
        """Stripes that pass one place, Hz."""
        return self.speed_deg_s / self.period_deg

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness in world directions (m, 3), shape (m,)."""
        frame = _frame(np.array(self.axis, dtype=np.float64))
        turned = np.radians(self.phase_deg + self.speed_deg_s * time_s)
        limit = np.sin(np.radians(self.height_deg))
        stripes = round(360.0 / self.period_deg)
        seen: Floats = _drum(directions, frame, stripes, turned, limit, self.mean, self.contrast, self.wave == "square")
        return seen


@dataclass(frozen=True, kw_only=True)
class Ball:
    """A ball that flies straight in front of something else; coming closer it looms."""

    start_mm: tuple[float, float, float]  # mm, its centre at time 0
    velocity_mm_s: tuple[float, float, float] = (0.0, 0.0, 0.0)  # mm/s
    radius_mm: float = 5.0  # mm
    brightness: float = 0.0
    behind: Panorama = field(default_factory=SkyAndGround)

    def __post_init__(self) -> None:
        _check_fraction("Ball", brightness=self.brightness)
        if not self.radius_mm > 0:
            raise ValueError(f"Ball: radius_mm ({self.radius_mm} mm) must be above 0")

    def angular_radius_deg(self, position_mm: Floats, time_s: float) -> float:
        """Half the angle it fills, deg, seen from a place (3,); 180 from inside."""
        distance = float(np.linalg.norm(self._centre(time_s) - position_mm))
        return 180.0 if distance <= self.radius_mm else float(np.degrees(np.arcsin(self.radius_mm / distance)))

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness in world directions (m, 3), shape (m,)."""
        toward = self._centre(time_s) - position_mm
        edge = np.cos(np.radians(self.angular_radius_deg(position_mm, time_s)))
        toward = toward / max(float(np.linalg.norm(toward)), 1e-12)
        return np.where(
            directions @ toward >= edge, self.brightness, self.behind.luminance(directions, position_mm, time_s)
        )

    def _centre(self, time_s: float) -> Floats:
        return np.array(self.start_mm) + time_s * np.array(self.velocity_mm_s)


def looming_ball(
    *,
    azimuth_deg: float,
    l_over_v_s: float,
    radius_mm: float = 5.0,
    contact_s: float = 1.0,
    elevation_deg: float = 0.0,
    target_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    recede: bool = False,
    behind: Panorama | None = None,
) -> Ball:
    """A ball on a collision course: half its size over its speed is `l_over_v_s`, its centre arrives at `contact_s`.

    Args:
        azimuth_deg: where it comes from, deg to the left of the world's x axis.
        l_over_v_s: radius over speed, s; 0.01 to 0.04 is the range of the published looming experiments.
        radius_mm: mm.
        contact_s: when its centre would be at the target, s.
        elevation_deg: deg above the horizon.
        target_mm: the place it flies to, mm.
        recede: start near the target and leave by the same path.
        behind: what it flies in front of; default sky and ground.
    """
    if not l_over_v_s > 0 or not contact_s > 0:
        raise ValueError(f"looming_ball: l_over_v_s ({l_over_v_s} s) and contact_s ({contact_s} s) must be above 0")
    az, el = np.radians(azimuth_deg), np.radians(elevation_deg)
    away = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
    speed = radius_mm / l_over_v_s
    start = np.array(target_mm) + away * (radius_mm if recede else speed * contact_s)
    velocity = away * (speed if recede else -speed)
    return Ball(
        start_mm=(float(start[0]), float(start[1]), float(start[2])),
        velocity_mm_s=(float(velocity[0]), float(velocity[1]), float(velocity[2])),
        radius_mm=radius_mm,
        behind=SkyAndGround() if behind is None else behind,
    )


def _frame(axis: Floats) -> Floats:
    """Rows: two directions across an axis and the axis itself, so that angles run by the right hand, (3, 3)."""
    along = axis / np.linalg.norm(axis)
    start = np.array([1.0, 0.0, 0.0]) if abs(along[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    first = start - along * (along @ start)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(along, first), along])


@njit(cache=True)
def _drum(
    directions: Floats,
    frame: Floats,
    stripes: int,
    turned: float,
    limit: float,
    mean: float,
    contrast: float,
    square: bool,
) -> Floats:
    """Brightness of a drum in each direction; see `Drum`.

    The sine of a whole multiple of an angle is the imaginary part of a power of the unit vector: far faster than going
    through the angle.
    """
    seen = np.empty(directions.shape[0])
    shift = complex(np.cos(stripes * turned), -np.sin(stripes * turned))
    for i in range(directions.shape[0]):
        a = directions[i, 0] * frame[0, 0] + directions[i, 1] * frame[0, 1] + directions[i, 2] * frame[0, 2]
        b = directions[i, 0] * frame[1, 0] + directions[i, 1] * frame[1, 1] + directions[i, 2] * frame[1, 2]
        h = directions[i, 0] * frame[2, 0] + directions[i, 1] * frame[2, 1] + directions[i, 2] * frame[2, 2]
        across = np.sqrt(a * a + b * b)
        wave = 0.0
        if across > 0.0 and abs(h) <= limit:
            power, wound, left = complex(a / across, b / across), shift, stripes
            while left > 0:
                if left & 1:
                    wound = wound * power
                power, left = power * power, left >> 1
            wave = wound.imag
            if square:
                wave = 1.0 if wave >= 0.0 else -1.0
        seen[i] = mean * (1.0 + contrast * wave)
    return seen


def _check_fraction(who: str, **values: float) -> None:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{who}: {name} ({value}) must be between 0 and 1")
