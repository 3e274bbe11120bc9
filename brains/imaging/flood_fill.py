"""Flood-filling network inference, for users who bring weights; needs torch (extra `segmentation`).

Januszewski et al. 2018, Nat Methods 15:605, with the residual convolution stack of google/ffn (`convstack_3d`) and its
movement policy: the field of view moves to the strongest voxel of each face of a box around its centre. One object is
filled at a time, from its seed until no face is sure of it; what is filled is closed to later objects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .volume import VolumeError
from .weights import read_weights, write_weights

__all__ = ["ConvolutionStack", "FloodFill", "load_network", "save_network", "segment_objects"]

Place = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class FloodFill:
    """How a network was trained and is run; the defaults are those of google/ffn's FIB-25 example.

    Raises:
        ValueError: an even field of view, or a step that leaves it.
    """

    depth: int = 12  # residual modules and the first pair of convolutions
    width: int = 32  # channels
    view: Place = (33, 33, 33)  # voxels, field of view
    step: Place = (8, 8, 8)  # voxels, half sides of the box whose faces it moves to
    mean: float = 128.0  # grey value that becomes 0
    spread: float = 33.0  # grey values that become 1
    outside: float = 0.05  # probability before anything is known
    seed: float = 0.95  # probability of the voxel where an object starts
    move: float = 0.9  # probability from which a face is moved to
    inside: float = 0.6  # probability from which a voxel is of the object
    least_voxels: int = 1000  # smaller objects are given up

    def __post_init__(self) -> None:
        if any(side % 2 == 0 or step > side // 2 for side, step in zip(self.view, self.step, strict=True)):
            raise ValueError(f"FloodFill: view {self.view} must be odd and hold steps of {self.step} voxels")


class ConvolutionStack(nn.Module):  # type: ignore[misc]
    """What is added to the logits of the object in the field of view.

    Args:
        depth: pairs of convolutions; all but the first are residual.
        width: channels.
    """

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.first = nn.ModuleList(nn.Conv3d(width if k else 2, width, 3, padding=1) for k in range(depth))
        self.second = nn.ModuleList(nn.Conv3d(width, width, 3, padding=1) for _ in range(depth))
        self.last = nn.Conv3d(width, 1, 1)

    def forward(self, image: Tensor, logits: Tensor) -> Tensor:
        """New logits, shape (1, 1, z, y, x), from image and logits of the same shape."""
        values = self.second[0](torch.relu(self.first[0](torch.cat([image, logits], dim=1))))
        for first, second in zip(self.first[1:], self.second[1:], strict=True):
            values = values + second(torch.relu(first(torch.relu(values))))
        result: Tensor = logits + self.last(torch.relu(values))
        return result


def save_network(network: ConvolutionStack, settings: FloodFill, path: Path, notes: Mapping[str, str]) -> None:
    """Write a network and how it is run.

    Arrays are named `first.K.weight`, `first.K.bias`, `second.K...`, `last...` with shape (out, in, z, y, x): of a
    TensorFlow checkpoint of google/ffn these are `convK_a`, `convK_b` and `conv_lom`, transposed by (4, 3, 0, 1, 2).
    """
    arrays = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    write_weights(path, arrays, {"settings": asdict(settings), **notes})


@lru_cache(maxsize=2)
def load_network(path: Path) -> tuple[ConvolutionStack, FloodFill]:
    """What `save_network` wrote.

    Raises:
        VolumeError: no such file, or arrays that do not fit its settings.
    """
    arrays, notes = read_weights(path)
    try:
        kept: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in notes["settings"].items()}
        settings = FloodFill(**kept)
        network = ConvolutionStack(settings.depth, settings.width)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise VolumeError(f"{path}: no weights of a flood-filling network ({error})") from error
    return network.eval(), settings


def segment_objects(
    network: ConvolutionStack, settings: FloodFill, image: NDArray[np.uint8], seeds: NDArray[np.integer]
) -> NDArray[np.uint32]:
    """Fill objects from seeds, in their order.

    Args:
        network: of `load_network`.
        settings: of `load_network`.
        image: shape (z, y, x).
        seeds: shape (n, 3), voxels; one in an object that is already filled, or too near the end of the volume for a
            field of view, is passed over.

    Returns:
        Shape (z, y, x), 1 and up in the order they were filled; 0 in what no object took.
    """
    canvas = _Canvas(network, settings, image)
    for z, y, x in seeds.tolist():
        if canvas.is_free((z, y, x)):
            canvas.fill((z, y, x))
    return canvas.labels


class _Canvas:
    """A volume with the objects found so far."""

    def __init__(self, network: ConvolutionStack, settings: FloodFill, image: NDArray[np.uint8]) -> None:
        self.network, self.settings = network, settings
        self.image = (image.astype(np.float32) - settings.mean) / settings.spread
        self.labels = np.zeros(image.shape, dtype=np.uint32)
        self.logits = np.full(image.shape, _logit(settings.outside), dtype=np.float32)
        self.half = [side // 2 for side in settings.view]
        self.count = 0

    def is_free(self, place: Place) -> bool:
        """Whether a field of view fits there and its middle is of no object."""
        fits = all(h <= p < n - h for p, h, n in zip(place, self.half, self.image.shape, strict=True))
        return fits and self.labels[place] == 0

    def fill(self, seed: Place) -> None:
        """One object, breadth first; small ones are given up."""
        touched = [self._view(seed)]
        self.logits[seed] = _logit(self.settings.seed)
        waiting, done = deque([seed]), set()
        while waiting:
            place = waiting.popleft()
            cell = tuple((p - s + d // 2) // max(d, 1) for p, s, d in zip(place, seed, self.settings.step, strict=True))
            if cell in done or not self.is_free(place):
                continue
            done.add(cell)
            touched.append(self._view(place))
            waiting.extend(self._moves(place, self._update(touched[-1])))
        self._take(touched)

    def _view(self, place: Place) -> tuple[slice, ...]:
        return tuple(slice(p - h, p + h + 1) for p, h in zip(place, self.half, strict=True))

    def _update(self, view: tuple[slice, ...]) -> NDArray[np.float32]:
        image, logits = (torch.from_numpy(values[view].copy())[None, None] for values in (self.image, self.logits))
        with torch.inference_mode():
            self.logits[view] = self.network(image, logits)[0, 0].numpy()
        return self.logits[view]

    def _moves(self, place: Place, logits: NDArray[np.float32]) -> list[Place]:
        """The strongest voxel of each face that is sure enough, strongest face first."""
        step = self.settings.step
        box = logits[tuple(slice(h - d, h + d + 1) for h, d in zip(self.half, step, strict=True))]
        found = []
        for axis in (axis for axis in range(3) if step[axis]):
            for side in (0, 2 * step[axis]):
                face: NDArray[np.float32] = np.take(box, side, axis=axis)
                at = _strongest(face)
                at.insert(axis, side)
                score = float(face.max())
                if score >= _logit(self.settings.move):
                    z, y, x = (p + a - d for p, a, d in zip(place, at, step, strict=True))
                    found.append((-score, (z, y, x)))
        return [place for _, place in sorted(found)]

    def _take(self, touched: list[tuple[slice, ...]]) -> None:
        """Voxels the object is sure of and no other has; the logits are as before again."""
        low = [min(view[axis].start for view in touched) for axis in range(3)]
        high = [max(view[axis].stop for view in touched) for axis in range(3)]
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        mine = (self.logits[box] >= _logit(self.settings.inside)) & (self.labels[box] == 0)
        self.logits[box] = _logit(self.settings.outside)
        if mine.sum() >= self.settings.least_voxels:
            self.count += 1
            self.labels[box][mine] = self.count


def _strongest(face: NDArray[np.float32]) -> list[int]:
    """Place of the largest value; of equal ones the nearest to the middle, so that even objects are covered."""
    rows, columns = np.indices(face.shape)
    away = (rows - face.shape[0] // 2) ** 2 + (columns - face.shape[1] // 2) ** 2
    order = np.lexsort((away.ravel(), -face.ravel()))
    return [int(k) for k in np.unravel_index(int(order[0]), face.shape)]


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))
