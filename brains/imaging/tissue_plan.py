"""Where the neurites of synthetic tissue run: a lattice of cells, each owned by one, and skeletons through them.

The order is that of size: large processes that pass through, trunks of the neurons, then an axon's way to each of its
synapses, then thin passing fibres, and glia in what is left. A synapse is a cell of the axon beside a cell of the other
neuron: its shaft, or the head of a spine grown towards the axon.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .tissue_lattice import FREE, beside, neighbours, route, wander
from .tissue_settings import TissueSettings
from .volume import VolumeError

__all__ = ["PARTS", "Plan", "make_plan"]

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
PARTS = ("dendrite", "axon", "spine", "passing", "glia")
DENDRITE, AXON, SPINE, PASSING, GLIA = range(5)
SHORTEST = 4  # cells; assumed: shorter passing fibres are left to their neighbours
SPACING = 2  # cells; assumed: synapses nearer than this cannot be told apart
ATTEMPTS, LESS = 10, 0.7  # to fit a connectome: each leaves less room to thick processes; assumed
GLIA_CELLS = 6  # lattice cells; assumed: smaller gaps are left to their neighbours


@dataclass
class Plan:
    """Skeletons, nm from the volume's corner, and the sites of synapses; grows while it is made."""

    shape: tuple[int, int, int]  # lattice cells (z, y, x)
    pitch_nm: float
    owner: Ints  # label by cell, flat; FREE is none
    price: Floats  # of a way, by cell, flat
    jitter_nm: Floats  # shape (cells, 3)
    point_of: Ints  # point by cell, flat; -1 is none
    points: list[Floats] = field(default_factory=list)  # nm
    radius: list[float] = field(default_factory=list)  # nm
    label: list[int] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)  # points joined
    sites: list[tuple[int, int]] = field(default_factory=list)  # point before and after each synapse
    labels: int = 0  # how many there are

    def place(self, cell: int) -> Floats:
        """Where the skeleton passes a cell, nm."""
        where = np.array(np.unravel_index(cell, self.shape), dtype=np.float64)
        return np.asarray((where + 0.5) * self.pitch_nm + self.jitter_nm[cell])

    def add(self, cell: int, radius_nm: float, label: int, part: int, joined: int = -1) -> int:
        """A point of a skeleton in a cell, joined to another point; its number."""
        number = len(self.points)
        self.points.append(self.place(cell))
        self.radius.append(radius_nm)
        self.label.append(label)
        self.part.append(part)
        self.owner[cell], self.point_of[cell] = label, number
        if joined >= 0:
            self.links.append((joined, number))
        return number

    def draw(self, way: Ints, radius_nm: float, label: int, part: int) -> None:
        """A branch along a way; its first cell may be a point already."""
        last = self.point_of[way[0]] if self.owner[way[0]] == label else -1
        for cell in way[1:] if last >= 0 else way:
            last = self.add(int(cell), radius_nm, label, part, int(last))

    def owned(self, label: int) -> NDArray[np.bool_]:
        """Cells of a label, shape of the lattice."""
        return np.asarray(self.owner == label).reshape(self.shape)


def make_plan(
    edges: NDArray[np.int64], neurons: int, size_nm: Floats, rng: np.random.Generator, settings: TissueSettings
) -> Plan:
    """Grow all neurites.

    Args:
        edges: shape (synapses, 2), labels before and after each synapse, 1 to `neurons`.
        neurons: how many have a trunk.
        size_nm: of the volume, (z, y, x).
        rng: of everything.
        settings: of the tissue.

    Raises:
        VolumeError: the connectome does not fit the volume.
    """
    for attempt in range(ATTEMPTS):
        less = LESS**attempt
        large, trunk = settings.large_share * less, settings.trunk_share * less
        try:
            return _grow(edges, neurons, size_nm, rng, replace(settings, large_share=large, trunk_share=trunk))
        except VolumeError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _grow(
    edges: NDArray[np.int64], neurons: int, size_nm: Floats, rng: np.random.Generator, settings: TissueSettings
) -> Plan:
    plan = _empty(size_nm, rng, settings)
    plan.labels = neurons
    _grow_large(plan, rng, settings)
    _grow_trunks(plan, neurons, rng, settings)
    _grow_axons(plan, edges, rng, settings)
    _grow_passing(plan, rng, settings)
    _grow_glia(plan)
    return plan


def _empty(size_nm: Floats, rng: np.random.Generator, settings: TissueSettings) -> Plan:
    shape = tuple(int(n) for n in np.maximum(np.asarray(size_nm) / settings.pitch_nm, 1))
    cells = int(np.prod(shape))
    rough = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    price = 1.0 + settings.wiggle * (rng.random(cells) + np.clip(rough.ravel() / rough.std(), 0, None))
    jitter = rng.uniform(-0.28, 0.28, (cells, 3)) * settings.pitch_nm
    empty = np.full(cells, -1, dtype=np.int32)
    return Plan((shape[0], shape[1], shape[2]), settings.pitch_nm, np.zeros(cells, np.int32), price, jitter, empty)


def _thick(
    plan: Plan, radius_nm: float, label: int, part: int, rng: np.random.Generator, settings: TissueSettings
) -> bool:
    """A thick process from one face to another, with the cells around it; whether there was room."""
    reach = radius_nm / plan.pitch_nm
    room = ndimage.distance_transform_edt((plan.owner == FREE).reshape(plan.shape)) if plan.points else None
    open_cells = np.ones(plan.owner.size, np.bool_) if room is None else (room > reach + 0.3).ravel()
    face, other = rng.permutation(6)[:2]
    starts = np.flatnonzero(_face(plan.shape, face).ravel() & open_cells)
    ends = np.flatnonzero(_face(plan.shape, other).ravel() & open_cells)
    if not len(starts) or not len(ends):
        return False
    goal = np.zeros(plan.owner.size, np.bool_)
    goal[rng.choice(ends)] = True
    start = np.array([rng.choice(starts)], dtype=np.int32)
    way = route(plan.shape, plan.price, open_cells, start, goal)
    if len(way) < 3:
        return False
    first = len(plan.points)
    plan.draw(way, radius_nm, label, part)
    wave = ndimage.gaussian_filter1d(rng.standard_normal(len(way)), 2.0)
    thin = (wave - wave.min()) / (np.ptp(wave) + 1e-9) * settings.beading
    plan.radius[first:] = (radius_nm * (1 - thin)).tolist()
    _claim(plan, way, reach, label)
    return True


def _face(shape: tuple[int, int, int], number: int) -> NDArray[np.bool_]:
    """Cells of one of the six faces."""
    mask = np.zeros(shape, np.bool_)
    np.moveaxis(mask, number // 2, 0)[-(number % 2)] = True
    return mask


def _claim(plan: Plan, way: Ints, reach: float, label: int) -> None:
    """Free cells within `reach` cells of a way become the label's; each knows its nearest point."""
    outside = np.ones(plan.owner.size, np.bool_)
    outside[way] = False
    distance, nearest = ndimage.distance_transform_edt(outside.reshape(plan.shape), return_indices=True)
    cells = np.flatnonzero((distance.ravel() <= reach) & (plan.owner == FREE))
    source = np.ravel_multi_index(tuple(nearest.reshape(3, -1)[:, cells]), plan.shape)
    plan.owner[cells] = label
    plan.point_of[cells] = plan.point_of[source]


def _grow_trunks(plan: Plan, neurons: int, rng: np.random.Generator, settings: TissueSettings) -> None:
    side_nm = float(np.prod(plan.shape) ** (1 / 3)) * plan.pitch_nm
    widest = np.sqrt(settings.trunk_share * side_nm**2 / (np.pi * max(neurons, 1)))
    for label in range(1, neurons + 1):
        drawn = float(rng.lognormal(np.log(settings.trunk_nm), settings.trunk_spread))
        radius = max(min(drawn, widest, side_nm / 6), settings.thin_nm)
        for _ in range(40):
            if _thick(plan, radius, label, DENDRITE, rng, settings):
                break
            radius = max(0.8 * radius, settings.thin_nm)
        else:
            raise VolumeError(f"tissue: neuron {label} of {neurons} finds no room; take a larger shape")
        _grow_branches(plan, label, rng, settings)


def _grow_branches(plan: Plan, label: int, rng: np.random.Generator, settings: TissueSettings) -> None:
    for _ in range(settings.branches):
        free = plan.owner == FREE
        if not free.any():
            return
        goal = np.zeros(plan.owner.size, np.bool_)
        goal[rng.choice(np.flatnonzero(free))] = True
        starts = np.flatnonzero(plan.owner == label).astype(np.int32)
        way = route(plan.shape, plan.price, free, starts, goal)
        if len(way) > 2:
            plan.draw(way[: 2 + len(way) // 2], settings.thin_nm * 1.2, label, DENDRITE)


def _grow_large(plan: Plan, rng: np.random.Generator, settings: TissueSettings) -> None:
    """Thick processes of neurons outside the connectome, until their share is reached or there is no room."""
    side_nm = float(np.prod(plan.shape) ** (1 / 3)) * plan.pitch_nm
    wanted, failures, own = settings.large_share * plan.owner.size, 0, 0
    while own < wanted and failures < 20:
        drawn = float(rng.lognormal(np.log(settings.large_nm), settings.large_spread))
        radius = min(drawn, side_nm / 4) * 0.93**failures
        if radius < settings.thin_nm * 1.5 or not _thick(plan, radius, plan.labels + 1, PASSING, rng, settings):
            failures += 1
            continue
        plan.labels += 1
        own += int((plan.owner == plan.labels).sum())


def _grow_axons(plan: Plan, edges: NDArray[np.int64], rng: np.random.Generator, settings: TissueSettings) -> None:
    used = np.zeros(plan.shape, np.bool_)  # cells that hold a synapse already
    for pre, post in edges[rng.permutation(len(edges))]:
        on_spine = bool(rng.random() < settings.spine_share)
        ways = [
            (spine, sprout, crowded)
            for crowded in (False, True)
            for sprout in (False, True)
            for spine in (on_spine, not on_spine)
        ]
        if not any(_reach(plan, int(pre), int(post), *way, used, settings) for way in ways):
            raise VolumeError(
                f"tissue: no way from neuron {pre} to neuron {post} is left in {plan.shape} cells of "
                f"{plan.pitch_nm} nm; take a larger shape, fewer synapses or a smaller large_share"
            )


def _reach(
    plan: Plan,
    pre: int,
    post: int,
    spine: bool,
    sprout: bool,
    crowded: bool,
    used: NDArray[np.bool_],
    settings: TissueSettings,
) -> bool:
    """Lead the axon to a synapse; whether a way was found.

    Args:
        plan: changed.
        pre: label of the axon.
        post: label it is led to.
        spine: whether to meet the head of a new spine, not the shaft.
        sprout: whether a new axon may leave the neuron anywhere.
        crowded: whether the synapse may lie beside another.
        used: cells that hold a synapse; changed.
        settings: of the tissue.
    """
    free, part = plan.owner == FREE, np.array(plan.part)[plan.point_of]
    open_to = ~used if crowded else ~ndimage.binary_dilation(used, iterations=SPACING)
    dendrite = plan.owned(post) & np.isin(part, (DENDRITE, SPINE)).reshape(plan.shape) & ~used
    near = beside(dendrite)
    if spine:
        near = beside(near & free.reshape(plan.shape))
    mine = (plan.owner == pre) & (part == AXON)
    goal = (near & open_to).ravel() & (free | mine)
    starts = np.flatnonzero(mine if mine.any() and not sprout else plan.owner == pre).astype(np.int32)
    way = route(plan.shape, plan.price, free, starts, goal)
    pairs = _partners(plan, way, dendrite.ravel(), spine)
    if not pairs:
        return False
    head, shaft = min(pairs, key=lambda pair: float(plan.price[pair[1]]))
    _draw_synapse(plan, pre, post, way, (head, shaft), settings)
    used.flat[[int(way[-1]), head if spine else shaft]] = True
    return True


def _partners(plan: Plan, way: Ints, dendrite: NDArray[np.bool_], spine: bool) -> list[tuple[int, int]]:
    """Cells of a spine's head (-1 for none) and of the dendrite, beside the end of a way."""
    if not len(way):
        return []
    ends = neighbours(plan.shape, int(way[-1]))
    if not spine:
        return [(-1, int(cell)) for cell in ends if dendrite[cell]]
    heads = [int(cell) for cell in ends if plan.owner[cell] == FREE and cell not in way]
    return [(head, int(cell)) for head in heads for cell in neighbours(plan.shape, head) if dendrite[cell]]


def _draw_synapse(plan: Plan, pre: int, post: int, way: Ints, pair: tuple[int, int], settings: TissueSettings) -> None:
    head, shaft = pair
    plan.draw(way, settings.thin_nm, pre, AXON)
    before = int(plan.point_of[way[-1]])
    plan.radius[before] = max(plan.radius[before], settings.bouton_nm)
    stem = int(plan.point_of[shaft])
    if np.linalg.norm(plan.points[stem] - plan.place(shaft)) > 1e-6:  # a cell claimed around a thick trunk
        stem = plan.add(int(shaft), settings.thin_nm, post, DENDRITE, stem)
    if head >= 0:
        plan.radius[stem] = max(plan.radius[stem], settings.neck_nm)
        stem = plan.add(int(head), settings.head_nm, post, SPINE, stem)
    plan.sites.append((before, stem))


def _grow_passing(plan: Plan, rng: np.random.Generator, settings: TissueSettings) -> None:
    """Thin fibres of other neurons through what is free, long ones first."""
    left = (1 - settings.passing_share) * (plan.owner == FREE).sum()
    for start in rng.permutation(np.flatnonzero(plan.owner == FREE)):
        if (plan.owner == FREE).sum() <= left:
            return
        if plan.owner[start] != FREE:
            continue
        way = wander(plan.shape, plan.owner, int(start), 0.75, rng, 400)
        if len(way) >= SHORTEST:
            plan.labels += 1
            plan.draw(way, settings.thin_nm * float(rng.uniform(0.8, 1.25)), plan.labels, PASSING)


def _grow_glia(plan: Plan) -> None:
    """Every connected gap of some size is a piece of glia."""
    pieces, count = ndimage.label((plan.owner == FREE).reshape(plan.shape))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    for piece in np.flatnonzero(sizes[1:] >= GLIA_CELLS) + 1:
        plan.labels += 1
        cells = np.flatnonzero(pieces.ravel() == piece)
        for cell in cells:
            plan.add(int(cell), 0.5 * plan.pitch_nm, plan.labels, GLIA)
        for cell in cells:
            for other in neighbours(plan.shape, int(cell)):
                if other > cell and plan.owner[other] == plan.labels:
                    plan.links.append((int(plan.point_of[cell]), int(plan.point_of[other])))
