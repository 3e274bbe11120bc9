"""A small 3-D U-Net that predicts affinities and local shape descriptors; needs torch (extra `segmentation`).

It halves the volume in its first convolution and undoes that in its last (a pixel shuffle), so that the costly
layers see an eighth of the voxels. What it learns is added to the affinities that the training-free boundary implies,
so that an untrained network is as good as none. Affinities of 1, 3 and 9 voxels along each axis follow Lee et al. 2017
(arXiv:1706.00120), local shape descriptors as an auxiliary target Sheridan et al. 2023 (Nat Methods 20:295).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from .boundary import Classical, classical_boundary
from .normalise import local_contrast
from .volume import VolumeError, Voxel
from .weights import read_weights, write_weights

__all__ = [
    "DESCRIPTORS",
    "OFFSETS",
    "AffinityUNet",
    "boundary_of",
    "load_weights",
    "predict_affinities",
    "predict_boundary",
    "probabilities",
    "save_weights",
]

REACHES = (1, 3, 9)  # voxels
OFFSETS = tuple(
    (reach * (axis == 0), reach * (axis == 1), reach * (axis == 2)) for reach in REACHES for axis in range(3)
)  # voxels (z, y, x): channel k says whether v and v + OFFSETS[k] are of one object
INPUTS = 2  # grey values and the boundary found without training
DESCRIPTORS = 10  # mean offset (3), variances (3), covariances (3), size (1)
STRIDE = 8  # voxels: sides of an input are multiples of it
WINDOW = (33, 33, 33)  # voxels, local contrast; assumed: several neurites wide
WIDTHS = (24, 48, 96)  # channels at 1/2, 1/4 and 1/8 of the resolution


class AffinityUNet(nn.Module):  # type: ignore[misc]
    """Affinities and shape descriptors of a volume.

    Args:
        widths: channels at a half, a quarter and an eighth of the resolution.
        norm: batch normalisation, for training; `folded` gives the network without it.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS, norm: bool = True) -> None:
        super().__init__()
        one, two, three = widths
        self.widths = widths
        self.stem = _layer(INPUTS, one, norm, size=4, stride=2)
        self.down1 = _layer(one, one, norm)
        self.down2 = nn.Sequential(_layer(one, two, norm, size=2, stride=2), _layer(two, two, norm))
        self.down3 = nn.Sequential(
            _layer(two, three, norm, size=2, stride=2), _layer(three, three, norm), _layer(three, three, norm)
        )
        self.from3, self.up2 = nn.Conv3d(three, two, 1), _layer(two, two, norm)
        self.from2, self.up1 = nn.Conv3d(two, one, 1), nn.Sequential(_layer(one, one, norm), _layer(one, one, norm))
        self.affinities = nn.Conv3d(one, 8 * len(OFFSETS), 1)
        self.descriptors = nn.Conv3d(one, DESCRIPTORS, 1)
        self.offset = nn.Parameter(torch.full((1, len(OFFSETS), 1, 1, 1), 1.5))
        self.slope = nn.Parameter(torch.full((1, len(OFFSETS), 1, 1, 1), 1.5))
        nn.init.zeros_(self.affinities.weight)
        nn.init.zeros_(self.affinities.bias)

    def features(self, image: Tensor) -> Tensor:
        """Shape (n, channels, z/2, y/2, x/2)."""
        half = self.down1(self.stem(functional.pad(image, (1,) * 6)))
        quarter = self.down2(half)
        quarter = self.up2(quarter + _double(self.from3(self.down3(quarter))))
        features: Tensor = self.up1(half + _double(self.from2(quarter)))
        return features

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the affinities, (n, 9, z, y, x), and descriptors, (n, 10, z/2, y/2, x/2).

        Args:
            image: of `network_input`, shape (n, 2, z, y, x), sides multiples of 8.
        """
        features = self.features(image)
        return self.logits(features, image), self.descriptors(features)

    def logits(self, features: Tensor, image: Tensor) -> Tensor:
        """Of the affinities: what the training-free boundary between two voxels implies, and what was learned."""
        implied = _strongest_between(image[:, 1:2].contiguous())
        result: Tensor = self.offset - self.slope * implied + shuffle(self.affinities(features))
        return result

    def folded(self) -> AffinityUNet:
        """The same function without batch normalisation, for inference."""
        from torch.nn.utils.fusion import fuse_conv_bn_eval

        plain = AffinityUNet(self.widths, norm=False)
        same = plain.state_dict().keys() & self.state_dict().keys()
        plain.load_state_dict({name: self.state_dict()[name] for name in same}, strict=False)
        self.eval()
        with_norm = [m for m in self.modules() if isinstance(m, nn.Sequential) and isinstance(m[0], nn.Conv3d)]
        without = [m for m in plain.modules() if isinstance(m, nn.Sequential) and isinstance(m[0], nn.Conv3d)]
        for source, target in zip(with_norm, without, strict=True):
            target[0].load_state_dict(fuse_conv_bn_eval(source[0], source[1]).state_dict())
        plain.eval()
        return plain


def _layer(channels: int, out: int, norm: bool, size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv3d(channels, out, size, stride, padding=1 if size == 3 else 0)
    return nn.Sequential(convolution, *([nn.BatchNorm3d(out)] if norm else []), nn.ReLU(inplace=True))


def _strongest_between(values: Tensor) -> Tensor:
    """Maximum of a map from each voxel to the one `OFFSETS` away, (n, 9, z, y, x); the last ones see less."""
    found: list[Tensor] = []
    steps = (1, 2, 4, 2)  # windows of 2, 4, 8 and 10 voxels, each the maximum of two of the one before
    for axis in (2, 3, 4):
        windows = [values]
        for step in steps:
            longer = windows[-1].clone()
            n = longer.shape[axis] - step
            torch.maximum(
                longer.narrow(axis, 0, n), longer.narrow(axis, step, n).clone(), out=longer.narrow(axis, 0, n)
            )
            windows.append(longer)
        found += [windows[1], windows[2], windows[4]]
    return torch.cat([found[k] for k in (0, 3, 6, 1, 4, 7, 2, 5, 8)], dim=1)


def _double(values: Tensor) -> Tensor:
    return functional.interpolate(values, scale_factor=2.0, mode="nearest")


def shuffle(values: Tensor) -> Tensor:
    """(n, 8 c, z, y, x) to (n, c, 2 z, 2 y, 2 x): eight channels become the eight voxels of a cell."""
    n, c, z, y, x = values.shape
    cells = values.view(n, c // 8, 2, 2, 2, z, y, x).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return cells.reshape(n, c // 8, 2 * z, 2 * y, 2 * x)


def save_weights(network: AffinityUNet, path: Path, notes: Mapping[str, Any]) -> None:
    """Write a network for inference, float16, with what is to be known of its training."""
    arrays = {name: value.numpy().astype(np.float16) for name, value in network.folded().state_dict().items()}
    write_weights(path, arrays, {"widths": network.widths, **notes})


@lru_cache(maxsize=2)
def load_weights(path: Path) -> AffinityUNet:
    """A network for inference.

    Raises:
        VolumeError: no file of `save_weights`.
    """
    arrays, notes = read_weights(path)
    try:
        one, two, three = notes["widths"]
        network = AffinityUNet((one, two, three), norm=False)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()})
    except (KeyError, ValueError, RuntimeError) as error:
        raise VolumeError(f"{path}: no weights of the affinity U-Net ({error})") from error
    network.eval().to(memory_format=torch.channels_last_3d)
    return network


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere it is a hundred times slower than float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def network_input(image: NDArray[np.uint8], voxel_nm: Voxel) -> NDArray[np.float32]:
    """What the network sees: local contrast and the boundary found without training, shape (2, z, y, x)."""
    found = classical_boundary(image, voxel_nm, Classical())
    return np.stack([local_contrast(image, WINDOW), found.astype(np.float32) / 64 - 1])


def predict_affinities(
    network: AffinityUNet, image: NDArray[np.uint8], voxel_nm: Voxel, tile: int = 128, margin: int = 16
) -> NDArray[np.uint8]:
    """Affinities of a volume, tile by tile.

    Args:
        network: of `load_weights`.
        image: shape (z, y, x).
        voxel_nm: size of a voxel along (z, y, x), nm.
        tile: side of a tile's core, voxels, a multiple of 8.
        margin: seen around it, voxels, a multiple of 8.

    Returns:
        Shape (9, z, y, x), 0 to 255 for 0 to 1.
    """
    shape = image.shape
    padded = np.pad(image, [(0, -n % STRIDE) for n in shape], mode="edge")
    values = network_input(padded, voxel_nm)
    result = np.zeros((len(OFFSETS), *padded.shape), dtype=np.uint8)
    for start in product(*(range(0, n, tile) for n in padded.shape)):
        low = [max(a - margin, 0) for a in start]
        high = [min(a + tile + margin, n) for a, n in zip(start, padded.shape, strict=True)]
        stop = [min(a + tile, n) for a, n in zip(start, padded.shape, strict=True)]
        seen = values[(slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))]
        core = tuple(slice(a - o, b - o) for a, b, o in zip(start, stop, low, strict=True))
        target = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        result[(slice(None), *target)] = probabilities(network, seen)[(slice(None), *core)]
    return result[(slice(None), *(slice(n) for n in shape))]


def probabilities(network: AffinityUNet, seen: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Affinities of a tile of `network_input`, (9, z, y, x), 0 to 255; bf16 where the processor has it."""
    image = torch.from_numpy(np.ascontiguousarray(seen))[None].to(memory_format=torch.channels_last_3d)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        logits = network.logits(network.features(image), image).float()
        result: NDArray[np.uint8] = (torch.sigmoid_(logits) * 255).round_().to(torch.uint8)[0].numpy()
    return result


def predict_boundary(network: AffinityUNet, image: NDArray[np.uint8], voxel_nm: Voxel) -> NDArray[np.uint8]:
    """Boundary strength: the mean of what the network and what the training-free detector say, shape (z, y, x).

    Their errors differ: on the training sections the mean is better than either.
    """
    learned = boundary_of(predict_affinities(network, image, voxel_nm))
    plain = classical_boundary(image, voxel_nm, Classical())
    return (learned & plain) + ((learned ^ plain) >> 1)  # the mean without leaving uint8


def boundary_of(affinities: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Boundary strength of every voxel from affinities of one and three voxels.

    Along each axis the pairs that span the voxel are averaged (two of one voxel, two of three); the axis with the
    lowest affinity counts.

    Args:
        affinities: shape (9, z, y, x), 0 to 255.

    Returns:
        Shape (z, y, x), 255 for a certain boundary.
    """
    lowest = np.full(affinities.shape[1:], 255, dtype=np.uint8)
    for axis in range(3):
        near, far = affinities[axis], affinities[3 + axis]
        total = near.astype(np.uint16)
        for values, shift in ((near, 1), (far, 1), (far, 2)):
            total += _shifted(values, shift, axis)
        np.minimum(lowest, ((total + 2) // 4).astype(np.uint8), out=lowest)
    return 255 - lowest


def _shifted(values: NDArray[np.uint8], shift: int, axis: int) -> NDArray[np.uint8]:
    """Values `shift` voxels earlier along the axis; the first ones are repeated."""
    index = np.maximum(np.arange(values.shape[axis]) - shift, 0)
    result: NDArray[np.uint8] = values.take(index, axis=axis)
    return result
