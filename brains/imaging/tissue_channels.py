"""Further images of synthetic tissue, by light: molecular barcodes of the cells, and transmitters at their synapses.

They are coarser than the electron image and lie as the sections do. A barcode is a set of channels a cell is stained
in; staining fails in places, and channels leak into one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from .tissue_damage import Distortion
from .tissue_settings import TissueSettings

__all__ = ["TRANSMITTERS", "SectionImages", "make_barcodes", "stain_barcodes", "stain_transmitters"]

Labels = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Singles = NDArray[np.float32]
TRANSMITTERS = ("acetylcholine", "GABA", "glutamate")
STAINED, UNSTAINED = 150.0, 20.0  # grey values; assumed
NOISE = 20.0  # standard deviation of a coarse voxel; assumed
PATCH = 8  # coarse voxels, side of a place where staining fails at once; assumed
BLOB_NM = 90.0  # nm, radius of the stain of a synapse's vesicles; assumed


@dataclass(frozen=True, eq=False)
class SectionImages:
    """Coarse images seen at the voxels of the sections: an array (channel, z, y, x), made where it is read."""

    coarse: Bytes  # (channel, z, y, x), aligned
    zoom: tuple[int, int, int]  # voxels a coarse voxel
    shape: tuple[int, int, int, int]
    distortion: Distortion | None  # None where the sections lie aligned
    missing: tuple[int, ...] = ()  # sections that show nothing

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Of a voxel."""
        return np.dtype(np.uint8)

    @property
    def ndim(self) -> int:
        """Axes."""
        return 4

    def __getitem__(self, key: Any) -> Any:
        """A part, as numpy gives it for integers and slices of step 1."""
        key = key if isinstance(key, tuple) else (key,)
        if Ellipsis in key:
            at = key.index(Ellipsis)
            key = (*key[:at], *(slice(None),) * (5 - len(key)), *key[at + 1 :])
        key = (*key, *(slice(None),) * (4 - len(key)))
        spans = [np.arange(n)[k] for n, k in zip(self.shape, key, strict=True)]
        channels, *places = (np.atleast_1d(span) for span in spans)
        part = np.stack([self._section(int(z), channels, places[1], places[2]) for z in places[0]], axis=1)
        return part[tuple(0 if np.ndim(span) == 0 else slice(None) for span in spans)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype=dtype)

    def _section(self, z: int, channels: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> Bytes:
        if z in self.missing:
            return np.zeros((len(channels), len(y), len(x)), np.uint8)
        rows, columns = np.meshgrid(y, x, indexing="ij")
        if self.distortion is not None:
            pull = np.rint(self.distortion.dense(z, (self.shape[2], self.shape[3]))).astype(int)[:, y][:, :, x]
            rows, columns = rows + pull[0], columns + pull[1]
        inside = (rows >= 0) & (rows < self.shape[2]) & (columns >= 0) & (columns < self.shape[3])
        i, j = rows.clip(0, self.shape[2] - 1) // self.zoom[1], columns.clip(0, self.shape[3] - 1) // self.zoom[2]
        return np.asarray(self.coarse[channels][:, z // self.zoom[0], i, j] * inside.astype(np.uint8))


def make_barcodes(labels: int, rng: np.random.Generator, settings: TissueSettings) -> pd.DataFrame:
    """The barcode of every cell: columns label and channel_0, channel_1, ... (bool, each as likely as not)."""
    codes = rng.random((labels, settings.barcodes)) < 0.5
    table = pd.DataFrame(codes, columns=[f"channel_{k}" for k in range(settings.barcodes)])
    table.insert(0, "label", np.arange(1, labels + 1))
    return table


def _zoom(settings: TissueSettings) -> tuple[int, int, int]:
    z, y, x = (max(round(settings.stain_voxel_nm / side), 1) for side in settings.voxel_nm)
    return z, y, x


@njit(cache=True)
def _add_up(labels: Labels, levels: Singles, zoom: tuple[int, int, int], out: Singles, count: Singles) -> None:
    """Mean level of every coarse voxel."""
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                a, b, c = z // zoom[0], y // zoom[1], x // zoom[2]
                count[a, b, c] += 1
                for k in range(levels.shape[1]):
                    out[k, a, b, c] += levels[labels[z, y, x], k]
    for k in range(levels.shape[1]):
        out[k] /= count


def stain_barcodes(
    labels: Labels, codes: pd.DataFrame, rng: np.random.Generator, settings: TissueSettings
) -> tuple[Bytes, tuple[int, int, int]]:
    """Coarse images of the barcodes, aligned, (channel, z, y, x), and how many voxels a coarse voxel has."""
    zoom = _zoom(settings)
    coarse = tuple(-(-n // side) for n, side in zip(labels.shape, zoom, strict=True))
    expression = rng.lognormal(0, 0.2, (len(codes), 1))
    levels = np.zeros((len(codes) + 1, settings.barcodes), np.float32)
    levels[1:] = codes.drop(columns="label").to_numpy() * expression
    out = np.zeros((settings.barcodes, *coarse), np.float32)
    _add_up(labels, levels, zoom, out, np.zeros(coarse, np.float32))
    places = tuple(-(-n // PATCH) for n in coarse)
    works = rng.random((settings.barcodes, *places)) >= settings.barcode_dropout
    for axis in (1, 2, 3):
        works = works.repeat(PATCH, axis=axis)
    out *= works[:, : coarse[0], : coarse[1], : coarse[2]]
    return _expose(out, rng, settings), zoom


def stain_transmitters(
    shape: tuple[int, int, int],
    sites_nm: NDArray[np.float64],
    transmitters: list[str],
    rng: np.random.Generator,
    settings: TissueSettings,
) -> tuple[Bytes, tuple[int, int, int]]:
    """Coarse images of TRANSMITTERS, aligned: a blob before every synapse of a neuron that makes one of them.

    Args:
        shape: of the tissue, voxels.
        sites_nm: shape (synapses, 3), before each.
        transmitters: what the neuron before each makes, several joined by "+".
        rng: of the noise.
        settings: of the tissue.
    """
    zoom = _zoom(settings)
    coarse = tuple(-(-n // side) for n, side in zip(shape, zoom, strict=True))
    size = np.array(settings.voxel_nm) * zoom
    out = np.zeros((len(TRANSMITTERS), *coarse), np.float32)
    at = np.minimum((sites_nm / size).astype(int), np.array(coarse) - 1)
    for place, made in zip(at, transmitters, strict=True):
        for k, name in enumerate(TRANSMITTERS):
            if name in made.split("+"):
                out[k][tuple(place)] = 1.0
    blob = ndimage.gaussian_filter(out, (0, *(BLOB_NM / size / 1.5)))
    single = float(np.prod(np.sqrt(2 * np.pi) * np.maximum(BLOB_NM / size / 1.5, 0.4)))
    return _expose(np.minimum(blob * single, 1.5).astype(np.float32), rng, settings), zoom


def _expose(stain: Singles, rng: np.random.Generator, settings: TissueSettings) -> Bytes:
    """Leak between channels, blur by light, noise; 8 bits."""
    leak = settings.crosstalk
    seen = stain.copy()
    seen[1:] += leak * stain[:-1]
    seen[:-1] += leak * stain[1:]
    seen = ndimage.gaussian_filter(seen, (0, 0.5, 0.5, 0.5))
    grey = UNSTAINED + (STAINED - UNSTAINED) * seen + rng.normal(0, NOISE, seen.shape)
    return np.asarray(grey.clip(0, 255).astype(np.uint8))
