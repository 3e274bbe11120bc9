"""The fly's vision: two eyes, the optic lobe behind each, and what it tells the brain.

    lobe = OpticLobe((hexagonal_eye("left"), hexagonal_eye("right")))
    luminance = np.stack([eye.look(drum, rotation, position_mm, time_s) for eye in lobe.eyes])
    motion = lobe.step(luminance, 0.01)
    motion.hs            # left and right: motion from front to back
    motion.rotation      # above 0: the surround turns left
    motion.looming       # left and right: something expands

Directions of motion are those on the eye: front to back is rightward on the right eye and leftward on the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...bodies.eyes import CompoundEye
from .lobula_plate import MOTION, WIDE_FIELD, LobulaPlate, LobulaPlateSettings
from .optic_lobe import ColumnNetwork, LobeSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ReceptorSettings:
    """How brightness becomes the input of the column network; both numbers assumed."""

    adaptation_s: float = 1.0  # s, each facet follows its own mean brightness
    dark: float = 0.01  # brightness that the receptors cannot tell from darkness

    def __post_init__(self) -> None:
        for name in ("adaptation_s", "dark"):
            if not getattr(self, name) > 0:
                raise ValueError(f"ReceptorSettings: {name} ({getattr(self, name)}) must be above 0")


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """What the lobula plate says after one step; every array is left eye, right eye."""

    hs: Floats  # (2,) HS, mean of HSN, HSE, HSS: front to back, -1 to 1
    h2: Floats  # (2,) H2: back to front, -1 to 1
    vs: Floats  # (2,) VS, mean of VS1 to VS8: downward, -1 to 1
    lplc2: Floats  # (2, cells) every LPLC2 cell, 0 at its threshold, 1 at twice its threshold

    @property
    def looming(self) -> Floats:
        """All LPLC2 cells of an eye together, shape (2,)."""
        return np.asarray(self.lplc2.sum(axis=1))

    @property
    def rotation(self) -> float:
        """How strongly the surround turns, above 0 to the left: HS of the two eyes against each other, H2 with them."""
        return float(self.hs[0] - self.hs[1] + self.h2[1] - self.h2[0])

    def channels(self) -> dict[str, float]:
        """Named values for a sensory map: HS, H2, VS and LPLC2 of both sides."""
        values = {"HS": self.hs, "H2": self.h2, "VS": self.vs, "LPLC2": self.looming}
        return {f"{name}_{side}": float(v) for name, both in values.items() for side, v in zip("LR", both, strict=True)}


class OpticLobe:
    """The visual system of both eyes, with its state.

    Args:
        eyes: left and right, with the same columns (mirror images).
        lobe: numbers of the column network.
        plate: numbers of the lobula plate.
        receptors: see `ReceptorSettings`.
        cells: another table of cells, as `optic_wiring.published_cells`.
        table: other wiring, as `optic_wiring.published_columns`; a control, for example.

    Raises:
        ValueError: the eyes are not a left and a right one of the same columns.
    """

    def __init__(
        self,
        eyes: tuple[CompoundEye, CompoundEye],
        lobe: LobeSettings | None = None,
        plate: LobulaPlateSettings | None = None,
        receptors: ReceptorSettings | None = None,
        cells: pd.DataFrame | None = None,
        table: pd.DataFrame | None = None,
    ) -> None:
        if [eye.side for eye in eyes] != ["left", "right"] or not np.array_equal(eyes[0].columns, eyes[1].columns):
            raise ValueError("OpticLobe: eyes must be a left and a right one with the same columns in the same order")
        self.eyes = eyes
        self.receptors = ReceptorSettings() if receptors is None else receptors
        self.network = ColumnNetwork(eyes[0].columns, cells, table, lobe)
        self.plate = LobulaPlate(eyes[0].columns, plate)
        self._mean: Floats | None = None

    def reset(self) -> None:
        """Back to rest; the next luminance is taken as the one the eyes are adapted to."""
        self.network.reset()
        self.plate.reset()
        self._mean = None

    def step(self, luminance: Floats, duration_s: float) -> Motion:
        """Advance under constant light.

        Args:
            luminance: of every facet, 0 or more, shape (2, n).
            duration_s: a whole number of the network's steps, s.

        Raises:
            ValueError: a luminance of the wrong shape, negative or not finite, or a duration that does not fit.
        """
        light = np.asarray(luminance, dtype=np.float64)
        shape = (2, self.eyes[0].n)
        if light.shape != shape or not (np.isfinite(light).all() and (light >= 0).all()):
            raise ValueError(f"OpticLobe: luminance must be finite, 0 or more and of shape {shape}, got {light.shape}")
        steps = duration_s * 1e3 / self.network.settings.dt_ms
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
            dt_ms = self.network.settings.dt_ms
            raise ValueError(f"OpticLobe: duration_s ({duration_s} s) must be a whole number of steps of {dt_ms} ms")
        self.network.step(self._contrast(light, duration_s), round(steps))
        self.plate.step(self.network.release(*MOTION), duration_s)
        return self.motion

    @property
    def motion(self) -> Motion:
        """What the lobula plate says now."""
        wide = {name: self.plate.activity(name) for name in WIDE_FIELD}
        mean = {
            cell: np.mean([v for name, v in wide.items() if name.startswith(cell)], axis=0) for cell in ("HS", "VS")
        }
        return Motion(hs=mean["HS"], h2=wide["H2"], vs=mean["VS"], lplc2=self.plate.lplc2.copy())

    @property
    def state(self) -> dict[str, Floats]:
        """All that changes, as copies, for an exact checkpoint."""
        mean = np.full((2, self.eyes[0].n), np.nan) if self._mean is None else self._mean.copy()
        return {"columns": self.network.state.astype(np.float64), "mean": mean, **self.plate.state}

    def restore(self, state: dict[str, Floats]) -> None:
        """Continue exactly from a `state`."""
        self.network.restore(state["columns"].astype(np.float32))
        self.plate.restore(state)
        self._mean = None if np.isnan(state["mean"]).any() else np.array(state["mean"])

    def _contrast(self, light: Floats, duration_s: float) -> Floats:
        """Twice the Naka-Rushton response about the mean, (L - M) / (L + M): -1 to 1, and 0 in a steady world."""
        if self._mean is None:
            self._mean = light.copy()
        contrast = (light - self._mean) / (light + self._mean + self.receptors.dark)
        self._mean += (1.0 - np.exp(-duration_s / self.receptors.adaptation_s)) * (light - self._mean)
        return np.asarray(contrast)
