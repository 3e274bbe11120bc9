"""Compound eyes: where each facet looks, and how bright it is there.

An eye is a list of viewing directions in the head's frame (x forward, y left, z up) with their places on the hexagonal
lattice. Nothing is rendered: a facet sees what is far or moving through a `Panorama`, brightness as a function of
direction, and what stands in the MuJoCo world through rays.

Lattice coordinates are those of Zhao et al. 2024 and Nern et al. 2024: the p axis points up and back, the q axis up and
forward, so that (1, 1) is one facet straight up and (-1, 1) is forward by the square root of 3 facets.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .rays import cast

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Side = Literal["left", "right"]

SIDES: tuple[Side, Side] = ("left", "right")
NEIGHBOURS = np.array([(1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (-1, -1)])  # (p, q) steps to the six next facets
LUMA = np.array([0.2126, 0.7152, 0.0722])  # grey of a colour, ITU-R BT.709


class Panorama(Protocol):
    """What surrounds the animal, as brightness in each direction."""

    def luminance(self, directions: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness, 0 to 1, shape (m,), along world unit vectors (m, 3) from a place (3,), at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Eye:
    """One eye of n points, or facets, each of which sees one direction."""

    side: Side
    directions: Floats  # (n, 3) unit vectors in the head's frame
    acceptance_deg: float = 5.0  # deg, full width at half sensitivity; assumed, about the distance of the facets

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if self.side not in SIDES:
            raise ValueError(f"{kind}: side ({self.side!r}) must be one of {', '.join(SIDES)}")
        if self.directions.shape != (self.n, 3):
            raise ValueError(f"{kind}: directions must have shape (n, 3), got {self.directions.shape}")
        worst = float(np.abs(np.linalg.norm(self.directions, axis=1) - 1.0).max())
        if not worst < 1e-6:
            raise ValueError(f"{kind}: directions must have length 1, one is off by {worst}")
        if not 0 <= self.acceptance_deg < 90:
            raise ValueError(f"{kind}: acceptance_deg ({self.acceptance_deg} deg) must be from 0 to below 90")

    @property
    def n(self) -> int:
        """Number of facets."""
        return len(self.directions)

    @cached_property
    def samples(self) -> Floats:
        """Directions that stand for each facet's Gaussian field of view, shape (n, 7, 3).

        The middle with weight 1/2 and six directions two standard deviations off with weight 1/12: the rule of degree 5
        for a Gaussian in the plane.
        """
        sigma = np.radians(self.acceptance_deg) / np.sqrt(8.0 * np.log(2.0))
        across = np.cross(self.directions, np.where(np.abs(self.directions[:, 2:]) < 0.9, (0, 0, 1.0), (1.0, 0, 0)))
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        upward = np.cross(across, self.directions)
        turn = np.arange(6) * np.pi / 3.0
        ring = across[:, None] * np.cos(turn)[:, None] + upward[:, None] * np.sin(turn)[:, None]
        around = self.directions[:, None] * np.cos(2.0 * sigma) + ring * np.sin(2.0 * sigma)
        return np.concatenate([self.directions[:, None], around], axis=1)

    def look(self, panorama: Panorama, rotation: Floats, position_mm: Floats, time_s: float) -> Floats:
        """Brightness seen by every facet, 0 to 1, shape (n,).

        Args:
            panorama: what is around.
            rotation: of the head, (3, 3), head to world.
            position_mm: of the eye, (3,).
            time_s: s.
        """
        world = self.samples.reshape(-1, 3) @ rotation.T
        seen = panorama.luminance(world, position_mm, time_s).reshape(self.n, 7)
        return np.asarray(0.5 * seen[:, 0] + seen[:, 1:].sum(axis=1) / 12.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureEye(Eye):
    """An eye whose points stand in lines, the highest first and from the animal's left to its right."""

    width: int  # points of a line
    height: int  # lines

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n != self.width * self.height:
            raise ValueError(f"PictureEye: {self.n} points are not {self.height} lines of {self.width}")


@dataclass(frozen=True, kw_only=True, eq=False)
class CompoundEye(Eye):
    """An eye whose facets stand on a hexagonal lattice."""

    columns: Ints  # (n, 2) lattice coordinates p, q

    def __post_init__(self) -> None:
        if self.directions.shape != (self.n, 3) or self.columns.shape != (self.n, 2):
            shapes = f"{self.directions.shape} and {self.columns.shape}"
            raise ValueError(f"CompoundEye: directions and columns must have shapes (n, 3) and (n, 2), got {shapes}")
        super().__post_init__()
        if len(np.unique(self.columns, axis=0)) != self.n:
            raise ValueError("CompoundEye: two facets have the same column (p, q)")

    @cached_property
    def neighbours(self) -> Ints:
        """The six next facets of every facet, shape (n, 6), in the order of `NEIGHBOURS`; -1 where the eye ends."""
        place = {(int(p), int(q)): i for i, (p, q) in enumerate(self.columns)}
        return np.array([[place.get((int(p + a), int(q + b)), -1) for a, b in NEIGHBOURS] for p, q in self.columns])

    def neighbour_angles_deg(self) -> Floats:
        """Angle between each facet and each of its neighbours, deg, shape (pairs,)."""
        here, step = np.nonzero(self.neighbours >= 0)
        cosine = np.einsum("ij,ij->i", self.directions[here], self.directions[self.neighbours[here, step]])
        return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def hexagon(radius: int) -> Ints:
    """All columns (p, q) at most `radius` steps from the middle, 3 r (r + 1) + 1 of them, shape (n, 2)."""
    if radius < 0:
        raise ValueError(f"hexagon: radius ({radius} columns) must be 0 or more")
    p, q = (axis.ravel() for axis in np.meshgrid(*[np.arange(-radius, radius + 1)] * 2, indexing="ij"))
    return np.asarray(np.stack([p, q], axis=1)[np.abs(p - q) <= radius], dtype=np.int64)


def lattice_places(columns: Ints) -> Floats:
    """Places of columns in a flat eye, in facet distances: forward and up, shape (n, 2)."""
    p, q = columns[:, 0], columns[:, 1]
    return np.stack([(q - p) * np.sqrt(0.75), (p + q) * 0.5], axis=1)


def hexagonal_eye(
    side: Side,
    radius: int = 15,
    spacing_deg: float = 5.0,
    overlap_deg: float = 15.0,
    acceptance_deg: float = 5.0,
) -> CompoundEye:
    """A regular eye: a flat hexagonal lattice laid on the sphere with true distances from its middle.

    Args:
        side: "left" or "right"; the right eye is the mirror image.
        radius: columns from the middle to a corner; 15 gives 721 facets.
        spacing_deg: between facets in the middle, deg (Drosophila: 4.8 measured by Zhao et al. 2024).
        overlap_deg: width of the field in front that both eyes see, deg; assumed.
        acceptance_deg: see `CompoundEye`.

    The field of one eye is then 130 deg wide and 150 deg high; the real one is wider (the measured map reaches 138 deg
    back in 95 % of its facets).
    """
    columns = hexagon(radius)
    forward, up = (np.radians(spacing_deg) * lattice_places(columns)).T
    middle = np.radians(radius * spacing_deg * np.sqrt(0.75) - overlap_deg / 2.0)
    reach = np.hypot(forward, up)
    if not reach.max(initial=0.0) < np.pi:
        raise ValueError(f"hexagonal_eye: radius {radius} times spacing {spacing_deg} deg must stay below 180 deg")
    scale = np.sinc(reach / np.pi)  # sin(reach) / reach
    outward, ahead, high = np.cos(reach), forward * scale, up * scale
    mirror = 1.0 if side == "left" else -1.0
    x = outward * np.cos(middle) + ahead * np.sin(middle)
    y = mirror * (outward * np.sin(middle) - ahead * np.cos(middle))
    directions = np.stack([x, y, high], axis=1)
    return CompoundEye(side=side, directions=directions, columns=columns, acceptance_deg=acceptance_deg)


def measured_eye(path: str | Path, side: Side, acceptance_deg: float = 5.0) -> CompoundEye:
    """The 852 measured axes of a right eye (Zhao et al. 2024), or their mirror image as a left eye.

    Args:
        path: `ucl_hex_right_20240701_tomale.csv` with the columns x, y, z, p, q, as the PyPI package
            connectome-interpreter carries it (MIT). Its x points forward, y left and z up, read off the map itself.
        side: "left" or "right".
        acceptance_deg: see `CompoundEye`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a column is missing.
    """
    with Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [name for name in "xyzpq" if not rows or name not in rows[0]]
    if missing:
        raise ValueError(f"measured_eye: {path} lacks the columns {', '.join(missing)}")
    directions = np.array([[float(row[name]) for name in "xyz"] for row in rows])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    if side == "left":
        directions[:, 1] *= -1.0
    columns = np.array([[int(row["p"]), int(row["q"])] for row in rows])
    return CompoundEye(side=side, directions=directions, columns=columns, acceptance_deg=acceptance_deg)


def geom_luminance(model: Any) -> Floats:
    """Grey of every geom of an MjModel by its material or its own colour, 0 to 1, shape (ngeom,)."""
    colour = model.geom_rgba[:, :3].astype(np.float64)
    own = model.geom_matid >= 0
    colour[own] = model.mat_rgba[model.geom_matid[own], :3]
    return np.asarray(np.clip(colour @ LUMA, 0.0, 1.0))


def ray_luminance(
    model: Any,
    data: Any,
    origin: Floats,
    directions: Floats,
    shades: Floats,
    behind: Floats,
    groups: NDArray[np.uint8] | None = None,
    own_body: int = -1,
    reach: float = 1e3,
) -> Floats:
    """Brightness along rays from one point: the first geom's shade, or what is behind everything; shape (m,).

    Args:
        model: MjModel.
        data: MjData, with kinematics done.
        origin: of all rays, (3,).
        directions: world unit vectors, (m, 3).
        shades: of every geom, see `geom_luminance`, (ngeom,).
        behind: brightness where a ray meets nothing, (m,).
        groups: geom groups that are seen, (6,) of 0 and 1; None sees all. Keep the animal's own geoms in a group that
            is not seen, which also makes it fast.
        own_body: a body to leave out, -1 for none.
        reach: beyond this distance nothing is seen, in the model's unit of length.
    """
    geom, _ = cast(model, data, origin, directions, groups, own_body, reach)
    return np.where(geom >= 0, shades[geom], behind)
