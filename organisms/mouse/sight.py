"""The mouse's sight as a neuropil: two eyes' pictures through retina and V1 to the inputs of the colliculus.

Its outputs have the names of the inputs of `colliculus.connectome`: `ret_L_0_3` (retina onto a place of the left
colliculus), `vis_L_0_3` (layer 5 of V1 onto it), `loom_L`. Pictures are taken at the frame rate of V1, however often it
is stepped; in between the outputs stay as they were. In the dark nothing is computed, and V1 is not even built.

The wiring of V1 is the animal's own and always the same; the seed of an episode is that of the background noise of V1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .colliculus import COLUMNS, LINES, SIDES, Tectum, connectome, et_map
from .retina import Retina
from .v1 import V1, V1Settings
from .v1_tables import tables

Floats = npt.NDArray[np.float64]

RADIUS_UM = 71.0  # um of each side's column: 4,194 cells in all
WIRING_SEED = 0  # of the animal's V1
REST_S, GREY = 2.0, 0.5  # s and brightness, of the grey field that gives the resting rate of every place; assumed


class Sight:
    """Retina, V1 and what both tell the colliculus, with their state.

    Args:
        v1: of both sides; None builds one of `radius_um` at the first light.
        cortex: whether V1 runs; without it the colliculus sees through the retina alone.
        radius_um: of each column of the V1 that is built, um: the scale knob, 1 k to 200 k cells.
        rewired: seed of a control in which inputs of V1 are dealt anew, see `v1_rewired`; None for the animal's V1.
    """

    modality = "vision"
    channels = tuple(
        name for name in connectome().names if name.startswith(("ret_", "vis_", "loom_"))
    )  # in the order of the connectome

    def __init__(
        self, v1: V1 | None = None, cortex: bool = True, radius_um: float = RADIUS_UM, rewired: int | None = None
    ) -> None:
        if v1 is not None and v1.sides != SIDES:
            raise ValueError(f"Sight: v1 must have the sides {SIDES}, got {v1.sides}")
        self.v1, self.cortex, self.radius_um, self.rewired = v1, cortex, radius_um, rewired
        self.frame_s = (V1Settings() if v1 is None else v1.settings).frame_s
        self.tectum = Tectum()
        self.retina = Retina(len(SIDES), self.tectum.view)
        self.seed = 0
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        """Back to darkness; the first pictures that are not dark are taken as what the eyes are adapted to.

        Args:
            seed: of the background noise of V1; None keeps the one before.
        """
        self.seed = self.seed if seed is None else seed
        self._awake = False
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
            Outputs, 0 or more, shape (channels,); all 0 until there is light.
        """
        if self._waited_s >= self.frame_s - 1e-9:
            self._waited_s -= self.frame_s
            if not self._awake and values.any():
                self._wake()
            if self._awake:
                self._see(values.reshape(len(SIDES), self.tectum.view.height_px, self.tectum.view.width_px))
        self._waited_s += duration_s
        return self._told.copy()

    def _wake(self) -> None:
        self._awake = True
        if self.v1 is None and self.cortex:
            dealt = None if self.rewired is None else np.random.default_rng(self.rewired)
            self.v1 = V1(self.radius_um, np.random.default_rng(WIRING_SEED), rewiring=dealt)
            self.tectum.rest_hz = self._resting(self.v1)
        if self.v1 is not None and self.cortex:
            self.v1.reset(self.seed)

    def _resting(self, v1: V1) -> Floats:
        """Rate of layer 5 ET cells by place in a grey field, to which the colliculus is used, (2, LINES, COLUMNS)."""
        view, frames = self.tectum.view, round(REST_S / self.frame_s)
        grey = np.full((len(SIDES), view.height_px, view.width_px), GREY, np.float32)
        v1.reset(WIRING_SEED)
        seen: Floats = np.mean([self._cortex(v1, grey) for _ in range(frames)], axis=0)
        return seen

    def _see(self, images: npt.NDArray[np.float32]) -> None:
        rates = self._cortex(self.v1, images) if self.v1 is not None and self.cortex else None
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
            "v1": self.v1.state if self.v1 is not None and self._awake else None,
            "tectum": self.tectum.state,
            "retina": self.retina.state,
            "waited_s": self._waited_s,
            "told": self._told.copy(),
            "awake": self._awake,
            "seed": self.seed,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.seed = int(state["seed"])
        if state["awake"]:
            self._wake()
        self._awake = bool(state["awake"])
        if self.v1 is not None and state["v1"] is not None:
            self.v1.restore(state["v1"])
        self.tectum.restore(state["tectum"])
        self.retina.restore(state["retina"])
        self._waited_s, self._told = float(state["waited_s"]), np.array(state["told"])
