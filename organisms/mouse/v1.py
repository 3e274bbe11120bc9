"""The mouse's early visual system: retina, geniculate filters and one V1 column behind each eye.

    v1 = V1(radius_um=100.0, rng=np.random.default_rng(0))
    activity = v1.step(images, 0.02)       # images (2, 48, 64): left eye, right eye
    v1.rates(activity, 0.02)               # Hz of every type, by column

The eye's image reaches the column of the other side. Geniculate cells are rows of the network that spike at the rates
of their filters; what is measured, published and assumed is in `provenance` and in organisms/mouse/SOURCES.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.compact import CompactConnectome
from ...brains.models.lif_types import LifTypes
from ...brains.spiking import SpikingNetwork
from ...brains.spiking_brain import SpikingActivity, SpikingBrain
from .column import Column, column
from .lgn import LgnCells, LgnFilters, lgn_cells
from .lgn_wiring import LgnRule, Targets, lgn_edges
from .retina import EyeView, Retina
from .v1_input import background_rates, outside, psp_weights
from .v1_rewired import inputs_dealt
from .v1_sampling import Strength, count_groups, draw_delays, draw_weights, ranks
from .v1_tables import LGN, LGN_PSP_MV, Tables, tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KICK_MV = 1e3  # mV, what makes a geniculate cell of the network spike
SOURCE_MS = 10.0  # ms and mV: constants of geniculate cells, which only pass spikes on


@dataclass(frozen=True, kw_only=True)
class V1Settings:
    """How the parts are put together."""

    dt_ms: float = 1.0  # ms, step of the network
    frame_s: float = 0.02  # s, one image: vision at 50 Hz
    rule: LgnRule = field(default_factory=LgnRule)
    view: EyeView = field(default_factory=EyeView)
    like_weights: float = 0.95  # correlation of E to E weights with likeness: published order, with its jitter
    field_share: float = 0.8  # of the width and height of the eye's image that a column's centres span: assumed


class V1:
    """Retina, geniculate and V1 of both sides, with their state.

    Args:
        radius_um: of each column.
        rng: of columns, filters, synapses.
        sides: of the brain that are built, of "L" and "R".
        settings: see `V1Settings`.
        columns: made before, one a side, in place of new ones (a control, a CAVE export).
        background_hz: of every type, in place of the calibrated ones.
        rewiring: a control: inputs are dealt anew within types, across sides too, see `v1_rewired`.
    """

    def __init__(
        self,
        radius_um: float,
        rng: np.random.Generator,
        sides: tuple[str, ...] = ("L", "R"),
        settings: V1Settings | None = None,
        columns: tuple[Column, ...] | None = None,
        background_hz: Floats | None = None,
        rewiring: np.random.Generator | None = None,
    ) -> None:
        self.settings = V1Settings() if settings is None else settings
        self.sides = sides
        self.columns = tuple(column(radius_um, rng, side) for side in sides) if columns is None else columns
        view, known = self.settings.view, tables()
        self.eyes = tuple(lgn_cells(view, rng) for _ in sides)  # that each column sees
        self.retina = Retina(len(sides), view)
        self.filters = tuple(LgnFilters(cells, view, self.settings.frame_s) for cells in self.eyes)
        self.lgn_rows = np.arange(sum(cells.n for cells in self.eyes))
        sizes = [cells.n for cells in self.eyes] + [part.n for part in self.columns]
        self.first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)  # of every part: eyes, then columns
        self.kind = np.concatenate([np.full(self.lgn_rows.size, known.n, np.uint8), *(c.kind for c in self.columns)])
        self.angle = np.concatenate([np.zeros(self.lgn_rows.size), *(c.angle for c in self.columns)])  # rad
        self.centres = tuple(self._centres(part) for part in self.columns)
        self.connectome = self._join([self._lgn_edges(k, rng) for k in range(len(sides))])
        if rewiring is not None:
            self.connectome = inputs_dealt(self.connectome, self.kind, rewiring)
        self.model = lif_types(self.kind)
        self.network = self._network(known, rng)
        self.brain = SpikingBrain(self.network, engine="dense")
        self.outside(background_rates() if background_hz is None else background_hz)
        self.reset(0)

    @property
    def n(self) -> int:
        """Number of cells, geniculate and cortical."""
        return int(self.kind.size)

    def outside(self, background_hz: Floats) -> None:
        """Take other background rates of every type, Hz, shape (types,), from the next reset on."""
        parts = [outside(part, self.model, background_hz) for part in self.columns]
        none = np.zeros(self.lgn_rows.size)
        self._drive, self._rate, self._weight = (np.concatenate([none, *values]) for values in zip(*parts, strict=True))

    def reset(self, seed: int) -> None:
        """At rest in a grey field; `seed` of all Poisson input."""
        self.brain.reset(seed)
        self.brain.background(self._rate, self._weight)
        self._new = True
        self.retina.reset()
        for filters in self.filters:
            filters.reset()

    def step(self, images: NDArray[np.generic], duration_s: float) -> SpikingActivity:
        """See images and advance.

        Args:
            images: of the left and the right eye (of the eyes of the sides built), see `Retina.step`.
            duration_s: a whole number of frames, s.

        Raises:
            ValueError: images or a duration that do not fit.
        """
        frames = round(duration_s / self.settings.frame_s)
        if frames < 1 or abs(duration_s - frames * self.settings.frame_s) > 1e-9:
            raise ValueError(f"V1: duration_s ({duration_s} s) must be whole frames of {self.settings.frame_s} s")
        contrast = self.retina.step(self._crossed(images), duration_s)
        parts = [self._frame(contrast) for _ in range(frames)]
        return parts[0] if len(parts) == 1 else SpikingActivity.joined(parts)

    def _frame(self, contrast: Floats) -> SpikingActivity:
        rates = np.concatenate([f.step(image) for f, image in zip(self.filters, contrast, strict=True)])
        self.brain.poisson(self.lgn_rows, np.minimum(rates, 900.0 / self.settings.dt_ms), KICK_MV)
        drive = self._drive if self._new else None
        self._new = False
        return self.brain.step(drive, self.settings.frame_s)

    def _crossed(self, images: NDArray[np.generic]) -> NDArray[np.generic]:
        """The image of the eye of the other side for each column."""
        return np.asarray(images)[::-1] if len(self.sides) == 2 else np.asarray(images)

    def rows(self, kind: str, part: int = 0) -> Ints:
        """Rows of a type in a column."""
        known = tables()
        low, high = self.first[len(self.sides) + part], self.first[len(self.sides) + part + 1]
        return np.asarray(low + np.flatnonzero(self.kind[low:high] == known.names.index(kind)))

    def rates(self, activity: SpikingActivity, duration_s: float) -> pd.DataFrame:
        """Mean rate, Hz, of every type (rows) in every column (side)."""
        spikes, known = activity.spikes, tables()
        table = {
            side: [spikes[self.rows(kind, part)].mean() / duration_s for kind in known.names]
            for part, side in enumerate(self.sides)
        }
        return pd.DataFrame(table, index=list(known.names))

    @property
    def provenance(self) -> pd.DataFrame:
        """One row a pair of types that is connected: edges, provenance and the house's word for it."""
        groups = count_groups(self.connectome.start, self.connectome.target, self.kind, tables().n + 1)
        names = (*tables().names, LGN)
        pre, post = np.nonzero(groups)
        table = pd.DataFrame(
            {"pre": [names[k] for k in pre], "post": [names[k] for k in post], "edges": groups[pre, post]}
        )
        drawn = all(part.connectome.provenance != "measured" for part in self.columns)
        own = "em_statistics" if drawn else "em_connectome"
        table["provenance"] = np.where(table["pre"] == LGN, "published_model", own)
        table["house"] = table["provenance"].map(HOUSE)
        return table

    @property
    def state(self) -> dict[str, Any]:
        """All that changes, as copies, for an exact checkpoint."""
        return {
            "brain": self.brain.state,
            "retina": self.retina.state,
            "filters": [filters.state for filters in self.filters],
            "new": self._new,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue exactly from a `state`."""
        self.brain.restore(state["brain"])
        self.retina.restore(state["retina"])
        for filters, past in zip(self.filters, state["filters"], strict=True):
            filters.restore(past)
        self._new = bool(state["new"])

    def _centres(self, part: Column) -> Floats:
        """Deg in the eye's image of every cell's receptive field, shape (n, 2): assumed linear, nasal to medial."""
        view, neurons = self.settings.view, part.connectome.neurons
        scale = 0.5 * self.settings.field_share / part.radius_um * np.array([view.width_deg, view.height_deg])
        return np.asarray(neurons[["x_um", "y_um"]].to_numpy(np.float64) * scale)

    def _lgn_edges(self, k: int, rng: np.random.Generator) -> tuple[Ints, Ints, NDArray[np.int16]]:
        known, part = tables(), self.columns[k]
        types = {name: known.types[name].to_numpy(np.float64)[part.kind] for name in ("lgn_tf", "lgn_on", "lgn_share")}
        tf = np.maximum(rng.poisson(types["lgn_tf"]), 1).clip(max=15)
        rule, excitatory = self.settings.rule, known.sign[part.kind] > 0
        targets = Targets(
            azimuth=self.centres[k][:, 0],
            elevation=self.centres[k][:, 1],
            angle=part.angle,
            on=rng.random(part.n) < types["lgn_on"],
            tf=tf,
            synapses=rng.poisson(rule.synapses * types["lgn_share"] * np.where(excitatory, 1.0, rule.inhibitory)),
        )
        pre, post, count = lgn_edges(self.eyes[k], targets, self.settings.rule, rng)
        return pre + self.first[k], post + self.first[len(self.sides) + k], count

    def _join(self, edges: list[tuple[Ints, Ints, NDArray[np.int16]]]) -> CompactConnectome:
        """Geniculate cells and columns as one connectome, in the order of `first`."""
        parts = [part.connectome for part in self.columns]
        offset = self.first[len(self.sides) :]
        lgn_start = np.concatenate([[0], np.cumsum(np.bincount(np.concatenate([pre for pre, _, _ in edges]),
                                                              minlength=self.lgn_rows.size))])  # fmt: skip
        starts, end = [lgn_start.astype(np.int64)], int(lgn_start[-1])
        for part in parts:
            starts.append(part.start[1:] + end)
            end += part.edges
        neurons = [self._lgn_neurons(k, cells) for k, cells in enumerate(self.eyes)] + [part.neurons for part in parts]
        return replace(
            parts[0],
            neurons=pd.concat(neurons, ignore_index=True),
            start=np.concatenate(starts),
            target=np.concatenate(
                [post.astype(np.int32) for _, post, _ in edges]
                + [part.target + np.int32(first) for part, first in zip(parts, offset, strict=False)]
            ),
            count=np.concatenate([count for _, _, count in edges] + [part.count for part in parts]),
            sign=np.concatenate([np.ones(int(lgn_start[-1]), np.int8)] + [part.sign for part in parts]),
            source=parts[0].source.changed("joined geniculate cells by the published model's rule"),
        )

    def _lgn_neurons(self, k: int, cells: LgnCells) -> pd.DataFrame:
        side = self.sides[k]
        return pd.DataFrame(
            {
                "name": [f"LGN_{side}_{name}_{i}" for i, name in enumerate(cells.name)],
                "type": LGN,
                "role": "sensory",
                "transmitter": "glutamate",
                "side": side,
                "x_um": np.nan,
                "y_um": np.nan,
                "z_um": np.nan,
            }
        )

    def _network(self, known: Tables, rng: np.random.Generator) -> SpikingNetwork:
        mean, spread, ordered, delay = (np.zeros((known.n + 1, known.n + 1)) for _ in range(4))
        mean[: known.n, : known.n] = psp_weights(known, self.model)
        mean[known.n, : known.n] = LGN_PSP_MV * self.model.current_per_psp(self.model.tau_e_ms)[: known.n]
        spread[: known.n, : known.n] = known.psp_spread
        ordered[: known.n, : known.n] = self.settings.like_weights * (known.like > 0.0)
        delay[: known.n, : known.n] = known.delay_ms
        steps = np.maximum(np.rint(delay / self.settings.dt_ms), 1).astype(np.uint8)
        made = self.connectome
        return SpikingNetwork(
            start=made.start,
            target=made.target,
            weight=draw_weights(
                made.start,
                made.target,
                made.count,
                self.kind,
                self.angle,
                Strength(mean, spread, ordered, ranks()),
                rng,
            ),
            delay_steps=draw_delays(made.start, made.target, self.kind, steps),
            model=self.model,
            dt_ms=self.settings.dt_ms,
            names=None,
        )


HOUSE = {
    "em_connectome": "measured",
    "em_statistics": "derived",
    "tracer_regression": "derived",
    "published_model": "published",
    "assumed": "assumed",
}


def lif_types(kind: NDArray[np.uint8]) -> LifTypes:
    """The model of cells of the given types; the type after the last cortical one only passes spikes on."""
    table = tables().types
    columns = (np.append(table[name].to_numpy(np.float64), SOURCE_MS) for name in ("tau_m_ms", "gap_mv"))
    tau_m, gap = columns
    tau_e, tau_i = (np.append(table[name].to_numpy(np.float64), 0.5 * SOURCE_MS) for name in ("tau_e_ms", "tau_i_ms"))
    return LifTypes(kind=kind, tau_m_ms=tau_m, tau_e_ms=tau_e, tau_i_ms=tau_i, gap_mv=gap)
