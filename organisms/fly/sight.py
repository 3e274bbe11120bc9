"""The optic lobes as a neuropil of the fly: from the brightness of 1,442 facets to HS, H2, VS and LPLC2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...bodies.eyes import hexagonal_eye
from .vision import OpticLobe

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
CELLS = ("HS", "H2", "VS", "LPLC2")


class Sight:
    """Both optic lobes, asleep until something changes in front of the eyes.

    In a steady world every cell of the lobes rests, exactly; so nothing is computed until a facet's brightness first
    differs from the one the eyes are adapted to. A fly that walks in the dark pays nothing for its eyes.
    """

    modality = "vision"
    channels = tuple(f"{cell}_{side}" for cell in CELLS for side in "LR")

    def __init__(self) -> None:
        self._lobe: OpticLobe | None = None
        self._adapted: Singles | None = None
        self._awake = False

    def reset(self, seed: int | None = None) -> None:
        """Back to sleep; nothing in the lobes is random."""
        self._adapted, self._awake = None, False

    def step(self, values: Singles, duration_s: float) -> Floats:
        """Advance.

        Args:
            values: brightness of every facet, left eye then right eye, 0 to 1, shape (1442,).
            duration_s: a whole number of the lobe's steps of 5 ms, s.

        Returns:
            Activity of `channels`, shape (8,): HS, H2 and VS from -1 to 1, LPLC2 0 or more.
        """
        if self._adapted is None:
            self._adapted = values.copy()
        if not self._awake and np.array_equal(values, self._adapted):
            return np.zeros(len(self.channels))
        if not self._awake:
            self._wake(duration_s)
        assert self._lobe is not None
        motion = self._lobe.step(_by_eye(values), duration_s)
        return np.fromiter(motion.channels().values(), dtype=np.float64, count=len(self.channels))

    def _wake(self, duration_s: float) -> None:
        if self._lobe is None:
            self._lobe = OpticLobe((hexagonal_eye("left"), hexagonal_eye("right")))
        assert self._adapted is not None
        self._lobe.reset()
        self._lobe.step(_by_eye(self._adapted), duration_s)
        self._awake = True

    @property
    def state(self) -> Mapping[str, Any]:
        """All that changes, for an exact checkpoint."""
        lobe = self._lobe.state if self._awake and self._lobe is not None else {}
        return {"adapted": None if self._adapted is None else self._adapted.copy(), "lobe": lobe}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._adapted = None if state["adapted"] is None else state["adapted"].copy()
        self._awake = bool(state["lobe"])
        if self._awake:
            self._lobe = self._lobe or OpticLobe((hexagonal_eye("left"), hexagonal_eye("right")))
            self._lobe.restore(state["lobe"])


def _by_eye(values: Singles) -> Floats:
    """Left eye, right eye, shape (2, 721)."""
    return values.reshape(2, -1).astype(np.float64)
