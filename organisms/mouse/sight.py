"""The mouse's sight as a neuropil: two eyes' pictures through retina and V1 to the inputs of the colliculus.

Its outputs have the names of the inputs of `colliculus.connectome`: `ret_L_0_3` (retina onto a place of the left
colliculus), `vis_L_0_3` (layer 5 of V1 onto it), `loom_L`. Pictures are taken at the frame rate of V1, however often it
is stepped; in between the outputs stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .colliculus import COLUMNS, LINES, SIDES, Tectum, connectome, et_map
from .retina import Retina
from .v1 import V1
from .v1_tables import tables

Floats = npt.NDArray[np.float64]

RADIUS_UM = 50.0  # um of each side's column: 2,078 cells in all


class Sight:
    """Retina, V1 and what both tell the colliculus, with their state.

    Args:
        v1: of both sides; None builds one of `RADIUS_UM` and seed 0.
        cortex: whether V1 runs; without it the colliculus sees through the retina alone.
    """

    modality = "vision"
    channels = tuple(
        name for name in connectome().names if name.startswith(("ret_", "vis_", "loom_"))
    )  # in the order of the connectome

    def __init__(self, v1: V1 | None = None, cortex: bool = True) -> None:
        self.v1 = (V1(RADIUS_UM, np.random.default_rng(0)) if v1 is None else v1) if cortex else None
        if self.v1 is not None and self.v1.sides != SIDES:
            raise ValueError(f"Sight: v1 must have the sides {SIDES}, got {self.v1.sides}")
        self.frame_s = 0.02 if self.v1 is None else self.v1.settings.frame_s
        self.tectum = Tectum()
        self.retina = Retina(len(SIDES), self.tectum.view)
        self.reset()

    def reset(self) -> None:
        """Back to rest; the next pictures are taken as what the eyes are adapted to."""
        if self.v1 is not None:
            self.v1.reset(0)
        self.tectum.reset()
        self.retina.reset()
        self._waited_s = self.frame_s  # the first call sees
        self._told = np.zeros(len(self.channels))

    def step(self, values: npt.NDArray[np.float32], duration_s: float) -> Floats:
        """Advance.

        Args:
            values: brightness 0 to 1 of every point, left eye then right eye, line by line, shape (6144,).
            duration_s: s.

        Returns:
            Outputs, 0 or more, shape (channels,).
        """
        if self._waited_s >= self.frame_s - 1e-9:
            self._waited_s -= self.frame_s
            self._see(values.reshape(len(SIDES), self.tectum.view.height_px, self.tectum.view.width_px))
        self._waited_s += duration_s
        return self._told.copy()

    def _see(self, images: npt.NDArray[np.float32]) -> None:
        rates = None if self.v1 is None else self._cortex(self.v1, images)
        contrast = self.retina.step(images, self.frame_s)
        self._told = self.tectum.drive(self.channels, contrast, rates, self.frame_s)

    def _cortex(self, v1: V1, images: npt.NDArray[np.float32]) -> Floats:
        """Rate of layer 5 ET cells by place, shape (2, LINES, COLUMNS)."""
        spikes = v1.step(images, self.frame_s).spikes
        maps = np.empty((len(SIDES), LINES, COLUMNS))
        for part, side in enumerate(SIDES):
            rows = v1.rows("L5_ET", part)
            centres = v1.centres[part][v1.columns[part].kind == tables().names.index("L5_ET")]
            maps[part] = et_map(centres, spikes[rows], self.frame_s, side, self.tectum.view)
        return maps

    @property
    def state(self) -> Mapping[str, Any]:
        """All that changes, for an exact checkpoint."""
        return {
            "v1": None if self.v1 is None else self.v1.state,
            "tectum": self.tectum.state,
            "retina": self.retina.state,
            "waited_s": self._waited_s,
            "told": self._told.copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        if self.v1 is not None:
            self.v1.restore(state["v1"])
        self.tectum.restore(state["tectum"])
        self.retina.restore(state["retina"])
        self._waited_s, self._told = float(state["waited_s"]), np.array(state["told"])
