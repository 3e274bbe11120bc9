"""From seeing to a command: superior colliculus and brainstem, left and right, as populations.

What is dark and stands out in a place of an eye's image excites that place of the superficial colliculus of the other
side, through the retina and through layer 5 of V1. Deep cells sum the places by how far to the side they are. Their
crossed path to the gigantocellular nucleus shortens the steps of the side that the thing is on, so that the animal
turns to it; what grows dark above makes it run and turn away. CnF, PPN and LPGi make the speed. Every synapse is a row
of `data/brainstem_synapses.csv`; `kind` says tracer_regression, published_model or assumed.

    eyes = Tectum()
    brain = brainstem_brain()
    drive = eyes.drive(brain.names, contrast, et_rate_hz, duration_s)
    left, right = commands(brain.names, brain.step(drive, 0.02).release)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...brains.connectome import Connectome, Source
from ...brains.population import PARAMETERS, population_network
from ...brains.population_brain import PopulationBrain
from .retina import EyeView
from .v1_tables import DATA

Floats = NDArray[np.float64]

COLUMNS, LINES = 8, 3  # places of a side's map
SIDES = ("L", "R")
OTHER = {"L": "R", "R": "L"}
EYE_AZIMUTH_DEG = 65.0  # deg, to the side that an eye looks: `bodies.mouse_eyes`
SOURCE = Source(
    "Assembled, not one animal: brainstem of Ausborn, Shevtsova, Caggiano, Danner & Rybak 2019 (eLife 8:e43587), ratios"
    " of projections from the tracer regression of mouse_connectivity_models, the rest assumed row by row",
    doi="10.7554/eLife.43587",
)


@dataclass(frozen=True, kw_only=True)
class TectumSettings:
    """How images become input of the colliculus; all assumed."""

    gain: float = 1.5  # input of a place per contrast below its surround
    et_hz: float = 5.0  # Hz, rate of layer 5 ET cells above rest that counts as input 1
    et_rest_hz: float = 4.05  # Hz, their spontaneous rate (v1_neuropixels.csv), where no other is given
    et_tau_s: float = 0.4  # s, over which spikes of layer 5 ET cells are summed
    loom_gain: float = 1.0  # input per share of the upper field that turns dark in a second
    dark: float = -0.3  # contrast below which a point is dark
    explore: float = 0.4  # input of the drive to walk

    def __post_init__(self) -> None:
        for name in ("et_hz", "et_tau_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"TectumSettings: {name} ({getattr(self, name)}) must be above 0")


def azimuths(view: EyeView | None = None) -> Floats:
    """Deg of every column of the map from straight ahead to the side its eye is on, shape (COLUMNS,).

    Columns are those of the left eye's picture turned about; so they are the same on both sides.
    """
    width = (EyeView() if view is None else view).width_deg
    return np.asarray(EYE_AZIMUTH_DEG + ((np.arange(COLUMNS) + 0.5) / COLUMNS - 0.5) * width)


@cache
def connectome() -> Connectome:
    """Colliculus and brainstem, one neuron a population; synapses onto the cord are left to `joined`."""
    return Connectome(_neurons(), _synapses(joined=False), SOURCE)


def joined(cord: Connectome) -> Connectome:
    """Colliculus, brainstem and a cord that has `command_L` and `command_R` as one connectome."""
    names = ("name", "type", "role", "transmitter", "side", "x_um", "y_um", "z_um")
    neurons = pd.concat([_neurons(), cord.neurons[list(names)]], ignore_index=True)
    synapses = pd.concat([_synapses(joined=True), cord.synapses], ignore_index=True)
    return Connectome(neurons, synapses, cord.source.changed(f"joined to: {SOURCE.citation}"))


def dynamics() -> pd.DataFrame:
    """Model and parameters by type, as `population_network` takes them."""
    rows = _table("brainstem_populations").rename(columns={"type": "selector"})
    return rows[[name for name in rows if name in ("selector", "model", "provenance", "source", *PARAMETERS)]]


def brainstem_brain(wiring: Connectome | None = None, seed: int = 0, dt_ms: float = 0.05) -> PopulationBrain:
    """Colliculus and brainstem as a brain.

    Args:
        wiring: the whole by default; also an ablated or shuffled one.
        seed: of the noise and the starting state.
        dt_ms: step, ms.
    """
    wiring = connectome() if wiring is None else wiring
    return PopulationBrain(population_network(wiring, dynamics(), dt_ms, connectome()), seed)


def provenance() -> pd.Series:
    """Synapses of each kind: tracer_regression, published_model, assumed."""
    table = _table("brainstem_synapses")
    numbers = [sum(1 for _ in _expanded(row, joined=True)) for _, row in table.iterrows()]
    return pd.Series(numbers, index=table["kind"]).groupby(level=0).sum()


def commands(names: Sequence[str], release: Floats) -> tuple[float, float]:
    """Drive of the left and the right half of the cord, 0 or more, from the outputs of the brainstem."""
    rows = _table("brainstem_synapses")
    rows = rows[rows["post"] == "command"]
    at = {name: k for k, name in enumerate(names)}
    left, right = (
        sum(
            float(w) * int(s) * release[at[f"{pre}_{side}"]]
            for pre, w, s in rows[["pre", "weight", "sign"]].to_numpy()
            if f"{pre}_{side}" in at
        )
        for side in SIDES
    )
    return max(float(left), 0.0), max(float(right), 0.0)


class Tectum:
    """What the eyes and V1 tell the colliculus, with its state.

    Args:
        settings: see `TectumSettings`.
        view: of an eye's image.
    """

    def __init__(self, settings: TectumSettings | None = None, view: EyeView | None = None) -> None:
        self.settings = TectumSettings() if settings is None else settings
        self.view = EyeView() if view is None else view
        self.rest_hz = np.full((len(SIDES), LINES, COLUMNS), self.settings.et_rest_hz)  # of the ET cells of each place
        self.reset()

    def reset(self) -> None:
        """Forget what was dark, and all spikes but those at rest."""
        self._dark: Floats | None = None
        self._above = np.zeros((len(SIDES), LINES, COLUMNS))  # Hz, mean rate above rest

    def drive(self, names: Sequence[str], contrast: Floats, et_rate_hz: Floats | None, duration_s: float) -> Floats:
        """Drive of the populations.

        Args:
            names: of the brain.
            contrast: of the left and the right eye, as of `Retina.step`, shape (2, height, width).
            et_rate_hz: rate of layer 5 ET cells by place of the map, left and right side of the brain, shape
                (2, LINES, COLUMNS), from `et_map`; None without V1.
            duration_s: since the last call, s.
        """
        places = np.maximum(contrast.mean(axis=(1, 2))[:, None, None] - pooled(contrast), 0.0) * self.settings.gain
        rates = None if et_rate_hz is None else self._summed(et_rate_hz, duration_s) / self.settings.et_hz
        dark = (contrast[:, : contrast.shape[1] // 2] < self.settings.dark).mean(axis=(1, 2))
        grown = np.zeros(2) if self._dark is None else np.maximum(dark - self._dark, 0.0) / duration_s
        self._dark = dark
        values = {f"explore_{side}": self.settings.explore for side in SIDES}
        for eye, side in enumerate(reversed(SIDES)):  # the left eye's image reaches the right side
            values[f"loom_{side}"] = min(self.settings.loom_gain * float(grown[eye]), 2.0)
            for line, column in np.ndindex(LINES, COLUMNS):
                place = f"{side}_{line}_{column}"
                values[f"ret_{place}"] = float(places[eye, line, column])
                if rates is not None:
                    values[f"vis_{place}"] = max(float(rates[SIDES.index(side), line, column]), 0.0)
        return np.array([values.get(name, 0.0) for name in names])

    def _summed(self, et_rate_hz: Floats, duration_s: float) -> Floats:
        """Rates above those at rest, averaged over the last `et_tau_s`, Hz."""
        fresh = 1.0 - np.exp(-duration_s / self.settings.et_tau_s)
        self._above = self._above + fresh * (et_rate_hz - self.rest_hz - self._above)
        return self._above

    @property
    def state(self) -> dict[str, Floats]:
        """Share of the upper field that was dark, NaN before the first image, (2,), and rates above rest."""
        dark = np.full(2, np.nan) if self._dark is None else self._dark.copy()
        return {"dark": dark, "above_hz": self._above.copy()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Continue exactly from a `state`."""
        self._dark = None if np.isnan(state["dark"]).any() else state["dark"].copy()
        self._above = state["above_hz"].copy()


def pooled(images: Floats) -> Floats:
    """Means of the eyes' images over the places of the map, shape (2, LINES, COLUMNS), columns outward on both sides.

    The left eye's picture has the animal's left at its left, so outward is leftward there and rightward in the other.
    """
    height, width = images.shape[1] // LINES, images.shape[2] // COLUMNS
    blocks = images[:, : LINES * height, : COLUMNS * width].reshape(2, LINES, height, COLUMNS, width).mean(axis=(2, 4))
    return np.stack([blocks[0, :, ::-1], blocks[1]])


def et_map(centres_deg: Floats, spikes: NDArray[np.int64], duration_s: float, side: str, view: EyeView) -> Floats:
    """Mean rate, Hz, of cells by place of the map of a side, shape (LINES, COLUMNS); resting where there are none.

    Args:
        centres_deg: of the receptive fields in the image of the eye of the other side, shape (n, 2).
        spikes: of the cells, shape (n,).
        duration_s: in which they were counted, s.
        side: of the brain.
        view: of the image.
    """
    across = centres_deg[:, 0] / view.width_deg + 0.5
    if side == "R":  # sees through the left eye
        across = 1.0 - across
    column = np.clip((across * COLUMNS).astype(np.int64), 0, COLUMNS - 1)
    line = np.clip(((0.5 - centres_deg[:, 1] / view.height_deg) * LINES).astype(np.int64), 0, LINES - 1)
    place = line * COLUMNS + column
    cells = np.bincount(place, minlength=LINES * COLUMNS)
    total = np.bincount(place, weights=spikes, minlength=LINES * COLUMNS) / duration_s
    rest = TectumSettings().et_rest_hz
    return np.where(cells > 0, total / np.maximum(cells, 1), rest).reshape(LINES, COLUMNS)


def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv", keep_default_na=False, dtype=str)


def _places(copies: str, side: str) -> list[str]:
    if copies == "side":
        return [side]
    return [f"{side}_{line}_{column}" for line, column in np.ndindex(LINES, COLUMNS)]


def _neurons() -> pd.DataFrame:
    rows = [
        (f"{row.type}_{place}", row.type, row.role, row.transmitter, side)
        for row in _table("brainstem_populations").itertuples()
        for side in SIDES
        for place in _places(str(row.copies), side)
    ]
    frame = pd.DataFrame(rows, columns=["name", "type", "role", "transmitter", "side"])
    return frame.assign(x_um=np.nan, y_um=np.nan, z_um=np.nan)


def _synapses(joined: bool) -> pd.DataFrame:
    edges = [edge for _, row in _table("brainstem_synapses").iterrows() for edge in _expanded(row, joined)]
    frame = pd.DataFrame(edges, columns=["pre", "post", "count", "sign", "provenance"])
    return frame.assign(kind="chemical", sign_provenance=frame["provenance"])


def _expanded(row: pd.Series, joined: bool) -> Iterator[tuple[str, str, float, int, str]]:
    """Every synapse that a row stands for; from a map to a map place by place, to a side by the sine of the azimuth."""
    copies = dict(_table("brainstem_populations")[["type", "copies"]].to_numpy())
    if row["post"] not in copies and not joined:  # a population of the cord
        return
    weight, sign = float(row["weight"]), int(row["sign"])
    sines = np.maximum(np.sin(np.radians(azimuths())), 0.0)
    for side in SIDES:
        goal = side if row["side"] == "same" else OTHER[side]
        for place in _places(copies[row["pre"]], side):
            to_side = copies.get(row["post"], "side") == "side"
            share = float(sines[int(place.split("_")[2])]) if to_side and place != side else 1.0
            if share > 0.0:
                post = goal if to_side else place
                yield f"{row['pre']}_{place}", f"{row['post']}_{post}", weight * share, sign, row["provenance"]
