"""The mouse's retina, as far as the model has one: from the brightness of an eye's image to local contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue, ITU-R BT.601


@dataclass(frozen=True, kw_only=True)
class EyeView:
    """What an eye's camera covers; degrees are taken as linear over the image (assumed)."""

    width_px: int = 64
    height_px: int = 48
    width_deg: float = 170.0  # deg: `bodies.mouse_eyes`
    height_deg: float = 127.5  # deg: the same

    def __post_init__(self) -> None:
        for name in ("width_px", "height_px", "width_deg", "height_deg"):
            if not getattr(self, name) > 0:
                raise ValueError(f"EyeView: {name} ({getattr(self, name)}) must be above 0")

    @property
    def azimuth(self) -> Floats:
        """Deg of every column of pixels from the middle, rightward, shape (width_px,)."""
        return np.asarray(((np.arange(self.width_px) + 0.5) / self.width_px - 0.5) * self.width_deg)

    @property
    def elevation(self) -> Floats:
        """Deg of every row of pixels from the middle, upward; the first row is the top, shape (height_px,)."""
        return np.asarray((0.5 - (np.arange(self.height_px) + 0.5) / self.height_px) * self.height_deg)


@dataclass(frozen=True, kw_only=True)
class RetinaSettings:
    """How brightness becomes contrast; both numbers assumed."""

    adaptation_s: float = 2.0  # s, each eye follows the mean brightness of its image
    dark: float = 0.02  # brightness (of 1) that cannot be told from darkness

    def __post_init__(self) -> None:
        for name in ("adaptation_s", "dark"):
            if not getattr(self, name) > 0:
                raise ValueError(f"RetinaSettings: {name} ({getattr(self, name)}) must be above 0")


class Retina:
    """Light adaptation of one or two eyes, with its state.

    Args:
        eyes: how many.
        view: of each eye.
        settings: see `RetinaSettings`.
    """

    def __init__(self, eyes: int, view: EyeView | None = None, settings: RetinaSettings | None = None) -> None:
        self.eyes = eyes
        self.view = EyeView() if view is None else view
        self.settings = RetinaSettings() if settings is None else settings
        self._mean: Floats | None = None

    def reset(self) -> None:
        """The next images are taken as what the eyes are adapted to."""
        self._mean = None

    def step(self, images: NDArray[np.generic], duration_s: float) -> Floats:
        """Contrast to the brightness that each eye is adapted to, -1 to 1, shape (eyes, height, width).

        Args:
            images: brightness 0 to 1, or 0 to 255 as whole numbers, shape (eyes, height, width) or with three colours.
            duration_s: how long they are seen, s.

        Raises:
            ValueError: images of another shape, or a brightness below 0 or not finite.
        """
        light = self._brightness(images)
        mean = light.mean(axis=(1, 2))
        if self._mean is None:
            self._mean = mean
        contrast = (light - self._mean[:, None, None]) / (self._mean + self.settings.dark)[:, None, None]
        self._mean = self._mean + (1.0 - np.exp(-duration_s / self.settings.adaptation_s)) * (mean - self._mean)
        return np.asarray(np.clip(contrast, -1.0, 1.0))

    def _brightness(self, images: NDArray[np.generic]) -> Floats:
        values = np.asarray(images)
        light = values.astype(np.float64) / (255.0 if values.dtype == np.uint8 else 1.0)
        if light.ndim == 4 and light.shape[-1] == 3:
            light = light @ LUMA
        shape = (self.eyes, self.view.height_px, self.view.width_px)
        if light.shape != shape:
            raise ValueError(f"Retina: images must have shape {shape}, got {values.shape}")
        if not (np.isfinite(light).all() and (light >= 0.0).all()):
            raise ValueError("Retina: a brightness is below 0 or not finite")
        return np.asarray(light)

    @property
    def state(self) -> Floats:
        """Brightness that each eye is adapted to, NaN before the first image, shape (eyes,)."""
        return np.full(self.eyes, np.nan) if self._mean is None else self._mean.copy()

    def restore(self, state: Floats) -> None:
        """Continue exactly from a `state`."""
        self._mean = None if np.isnan(state).any() else state.copy()
