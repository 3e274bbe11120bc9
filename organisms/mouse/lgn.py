"""Cells of the lateral geniculate nucleus as published filters: contrast of an eye's image to rates.

Every cell is one or two linear filters, Gaussian in space and a sum of two raised cosines of the logarithm of time,
each followed by a rectification above a spontaneous rate (Billeh et al. 2020 Neuron 106:388; the fits are those of
bmtk). Tiles of 16 x 12 deg of the visual field hold 116 cells each, as published.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from .retina import EyeView
from .v1_tables import DATA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TILE_DEG = (16.0, 12.0)  # published model
KERNEL_MS = 400  # ms; all kernels have ended by then
LOG_WIDTH = math.log(200.3) - math.log(100.3)  # of a raised cosine, bmtk's fitfuns.py
TWO_FILTERS = {  # class -> non-dominant kernel, zero crossings (ms) of both, greatest rates of both (Hz), apart (deg)
    "sONsOFF_001": ("sON_TF4", (115.0, 121.0), (35.0, 21.0), 6.0),
    "sONtOFF_001": ("sON_TF4", (64.8, 93.5), (46.0, 31.0), 4.0),
}  # bmtk's cell_loaders.py and node_funcs.py of the published model
OFF_SCALE = {"sONsOFF_001": 1.0, "sONtOFF_001": 0.7}  # the same
SMALLEST_PX = 0.5  # sigma of a filter that is finer than the image


def kernel(weights: tuple[float, float], peaks_ms: tuple[float, float], delays_ms: tuple[float, float]) -> Floats:
    """A temporal kernel at every ms, shape (KERNEL_MS,)."""
    time = np.log(np.arange(KERNEL_MS) + 0.3)
    total = np.zeros(KERNEL_MS)
    for weight, peak, delay in zip(weights, peaks_ms, delays_ms, strict=True):
        bump = 0.5 * (1.0 + np.cos(np.clip((time - math.log(peak)) * math.pi / LOG_WIDTH / 2.0, -math.pi, math.pi)))
        bump /= np.sqrt((bump**2).sum())
        shift = round(delay)
        total[shift:] += weight * bump[: KERNEL_MS - shift]
    return total


@dataclass(frozen=True, kw_only=True, eq=False)
class LgnCells:
    """The cells behind one eye; the filters of a cell that has two are rows `n + k` as well as its own."""

    name: NDArray[np.object_]  # (n,) class
    azimuth: Floats  # (n,) deg
    elevation: Floats
    angle: Floats  # (n,) rad, axis of the two subfields; NaN for the others
    cell: Ints  # (filters,) whose it is
    at: Floats  # (filters, 2) deg
    sigma_deg: Floats  # (filters,)
    time: Floats  # (filters, KERNEL_MS) Hz per ms of full contrast, signed
    spontaneous_hz: Floats  # (filters,)

    @property
    def n(self) -> int:
        """Number of cells."""
        return int(self.azimuth.size)


def lgn_cells(view: EyeView, rng: np.random.Generator) -> LgnCells:
    """Draw the cells behind one eye.

    Args:
        view: what the eye sees, which is tiled.
        rng: of places, sizes and axes.
    """
    table = pd.read_csv(DATA / "lgn_filters.csv").set_index("name")
    across, down = (
        max(round(size / tile), 1) for size, tile in zip((view.width_deg, view.height_deg), TILE_DEG, strict=True)
    )
    kinds = np.tile(np.repeat(table.index.to_numpy(dtype=object), table["cells"]), across * down)
    n, per_tile = kinds.size, int(table["cells"].sum())
    tile = np.repeat(np.arange(across * down), per_tile)
    azimuth = ((tile % across + rng.random(n)) / across - 0.5) * view.width_deg
    elevation = ((tile // across + rng.random(n)) / down - 0.5) * view.height_deg
    low, high = (table.loc[kinds, name].to_numpy(np.float64) for name in ("min_deg", "max_deg"))
    size = np.where(low == high, low, rng.triangular(low, np.minimum(low + 1.0, high), np.maximum(high, low + 1.0)))
    two = np.flatnonzero(np.isin(kinds.astype(str), list(TWO_FILTERS)))
    angle = np.full(n, np.nan)
    angle[two] = rng.uniform(0.0, 2.0 * math.pi, two.size)
    away = np.array([TWO_FILTERS[kind][3] for kind in kinds[two]])
    own, second = _kernels(table)
    spontaneous = table.loc[kinds, "spontaneous_hz"].to_numpy(np.float64, copy=True)
    spontaneous[two] *= 0.5
    places = np.stack([azimuth, elevation], axis=1)
    beside = places[two] + away[:, None] * np.stack([np.cos(angle[two]), np.sin(angle[two])], axis=1)
    return LgnCells(
        name=kinds,
        azimuth=azimuth,
        elevation=elevation,
        angle=angle,
        cell=np.concatenate([np.arange(n), two]),
        at=np.concatenate([places, beside]),
        sigma_deg=np.concatenate([size, size[two]]) / 3.0,
        time=np.stack([own[kind] for kind in kinds] + [second[kind] for kind in kinds[two]]),
        spontaneous_hz=np.concatenate([spontaneous, spontaneous[two]]),
    )


def _kernels(table: pd.DataFrame) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Signed kernels of every class, and those of the second filter of the classes that have one."""
    plain = {str(name): _fitted(row) for name, row in table.iterrows()}
    own = {name: (-values if "OFF" in name else values) for name, values in plain.items()}
    second = {}
    for name, (other, crossings, most, _) in TWO_FILTERS.items():
        spont = float(table["spontaneous_hz"].to_dict()[name])
        off, off_sum = _crossing_at(plain[name], crossings[0])
        on, on_sum = _crossing_at(plain[other], crossings[1])
        ratio = most[0] / most[1]
        size = OFF_SCALE[name] * ratio * on_sum / off_sum + spont * (most[0] - most[1]) / (most[1] * off_sum)
        own[name], second[name] = -size * off, on
    return own, second


def _fitted(row: pd.Series) -> Floats:
    weights, peaks, delays = (
        (float(row[f"{part}_1{unit}"]), float(row[f"{part}_2{unit}"]))
        for part, unit in (("weight", ""), ("peak", "_ms"), ("delay", "_ms"))
    )
    return kernel(weights, peaks, delays)


def _crossing_at(values: Floats, at_ms: float) -> tuple[Floats, float]:
    """A kernel delayed so that its first lobe ends at a time, and the sum of that lobe."""
    peak = int(values.argmax())
    ends = peak + int((values[peak:] <= 0.0).argmax())
    late = max(round(at_ms) - ends, 0)
    return np.concatenate([np.zeros(late), values[: KERNEL_MS - late]]), float(values[:ends].sum())


class LgnFilters:
    """The filters of one eye's cells, run frame by frame.

    Args:
        cells: whose.
        view: of the image.
        frame_s: duration of a frame, s, a whole number of ms.

    Raises:
        ValueError: `frame_s` is not a whole number of ms.
    """

    def __init__(self, cells: LgnCells, view: EyeView, frame_s: float) -> None:
        frame_ms = round(frame_s * 1e3)
        if frame_ms < 1 or abs(frame_s * 1e3 - frame_ms) > 1e-6:
            raise ValueError(f"LgnFilters: frame_s ({frame_s} s) must be a whole number of ms")
        self.cells, self.frame_s = cells, frame_s
        self._space = spatial(cells, view)
        self._taps = _taps(cells.time, frame_ms).astype(np.float32)  # (taps, filters)
        self._spontaneous = cells.spontaneous_hz.astype(np.float32)
        self.reset()

    def reset(self) -> None:
        """Back to a grey field."""
        self._past = np.zeros(self._taps.shape, np.float32)  # newest first in a ring
        self._newest = 0

    def step(self, contrast: Floats) -> Floats:
        """Rates (Hz) of all cells during a frame of a contrast image, shape (n,)."""
        taps = self._taps.shape[0]
        self._newest = (self._newest - 1) % taps
        self._past[self._newest] = self._space @ contrast.ravel().astype(np.float32)
        drive = np.einsum("tf,tf->f", self._taps[: taps - self._newest], self._past[self._newest :])
        drive += np.einsum("tf,tf->f", self._taps[taps - self._newest :], self._past[: self._newest])
        rates = np.maximum(drive + self._spontaneous, 0.0)
        return np.bincount(self.cells.cell, weights=rates, minlength=self.cells.n).astype(np.float64)

    @property
    def state(self) -> Floats:
        """What was seen, newest first, shape (taps, filters)."""
        return np.roll(self._past, -self._newest, axis=0).astype(np.float64)

    def restore(self, state: Floats) -> None:
        """Continue exactly from a `state`."""
        self._past, self._newest = state.astype(np.float32), 0


def _taps(time: Floats, frame_ms: int) -> Floats:
    """Effect of the frame k frames ago on the mean of the present one, shape (taps, filters)."""
    taps = -(-KERNEL_MS // frame_ms) + 1
    lag = np.arange(frame_ms)[:, None] - np.arange(frame_ms)[None, :]  # now minus when it was seen, within frames
    found = np.zeros((taps, time.shape[0]))
    for k in range(taps):
        late = lag + k * frame_ms
        weight = np.bincount(late[(late >= 0) & (late < KERNEL_MS)], minlength=KERNEL_MS) / frame_ms
        found[k] = time @ weight
    return found


def spatial(cells: LgnCells, view: EyeView) -> sparse.csr_matrix:
    """Gaussian weights of every filter over the pixels, each row of sum 1, shape (filters, pixels)."""
    steps = np.array([view.width_deg / view.width_px, view.height_deg / view.height_px])
    sigma = np.maximum(cells.sigma_deg[:, None] / steps, SMALLEST_PX)  # px
    middle = (
        np.stack([cells.at[:, 0] / steps[0] + view.width_px / 2, view.height_px / 2 - cells.at[:, 1] / steps[1]], 1)
        - 0.5
    )
    reach = math.ceil(3.0 * sigma.max())
    offset = np.arange(-reach, reach + 1)
    px = np.rint(middle).astype(np.int64)[:, :, None] + offset  # (filters, 2, window)
    bell = np.exp(-0.5 * ((px - middle[:, :, None]) / sigma[:, :, None]) ** 2)
    bell *= np.abs(px - middle[:, :, None]) <= 3.0 * sigma[:, :, None] + 0.5
    px = np.clip(px, 0, np.array([view.width_px, view.height_px])[None, :, None] - 1)  # the border goes on outside
    weight = bell[:, 1, :, None] * bell[:, 0, None, :]
    place = px[:, 1, :, None] * view.width_px + px[:, 0, None, :]
    row = np.broadcast_to(np.arange(len(px))[:, None, None], weight.shape)
    used = weight > 0.0
    made = sparse.csr_matrix(
        (weight[used].astype(np.float32), (row[used], place[used])), shape=(len(px), view.width_px * view.height_px)
    )
    return sparse.csr_matrix(sparse.diags((1.0 / made.sum(axis=1).A1).astype(np.float32)) @ made)
