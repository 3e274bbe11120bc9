"""A neuropil: a part of the brain that is computed beside the connectome because it repeats itself by the column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Neuropil(Protocol):
    """Stands between one modality of the body and named outputs, which a sensory map treats as further channels."""

    modality: str  # of the body, all of whose channels it reads
    channels: tuple[str, ...]  # its outputs

    def reset(self, seed: int | None = None) -> None:
        """Back to rest; the next values are taken as those it is adapted to.

        `seed` replaces that of whatever chance is in it, None keeps the one before.
        """

    def step(self, values: npt.NDArray[np.float32], duration_s: float) -> Floats:
        """Advance under constant input, shape (channels of the modality,); returns its outputs."""

    @property
    def state(self) -> Mapping[str, Any]:
        """All that changes, for an exact checkpoint."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
