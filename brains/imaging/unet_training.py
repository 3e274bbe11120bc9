"""Training of the affinity U-Net: targets, augmentation and the loop; needs torch (extra `segmentation`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .augmentation import Augmentation, Patch, draw
from .unet import DESCRIPTORS, OFFSETS, WIDTHS, AffinityUNet, network_input

__all__ = ["Training", "affinity_targets", "descriptor_targets", "train"]

Labelled = tuple[NDArray[np.uint8], NDArray[Any]]  # image and labels, (z, y, x)
COARSE = 4  # voxels: descriptors are compared on every fourth voxel


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the U-Net is trained; all assumed, chosen on training data."""

    steps: int = 300  # patches; 1.7 s of processor time each (two cores of an AMD EPYC with AVX2)
    patch: int = 64  # voxels, side
    voxel_nm: tuple[float, float, float] = (10.0, 10.0, 10.0)  # nm, of the data
    rate: float = 3e-3  # peak learning rate of Adam, one cycle
    decay: float = 1e-4  # weight decay
    descriptor_weight: float = 1.0  # of the auxiliary loss
    descriptor_sigma: float = 8.0  # voxels, width of the window of the descriptors
    seed: int = 0

    def __post_init__(self) -> None:
        if self.patch % 8 or self.patch < 32:
            raise ValueError(f"Training: patch ({self.patch} voxels) must be a multiple of 8, 32 or more")


def affinity_targets(labels: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Whether v and v + offset are of one object, and where that is known.

    Args:
        labels: shape (z, y, x); 0 is unknown.

    Returns:
        Targets and mask, each shape (9, z, y, x), 0 or 1.
    """
    targets = np.zeros((len(OFFSETS), *labels.shape), dtype=np.float32)
    mask = np.zeros_like(targets)
    for k, offset in enumerate(OFFSETS):
        here: Any = tuple(slice(0, n - o) for n, o in zip(labels.shape, offset, strict=True))
        there: Any = tuple(slice(o, n) for n, o in zip(labels.shape, offset, strict=True))
        targets[(k, *here)] = labels[here] == labels[there]
        mask[(k, *here)] = (labels[here] != 0) & (labels[there] != 0)
    return targets, mask


def descriptor_targets(labels: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    """Local shape descriptors: moments of each object under a Gaussian window.

    Args:
        labels: shape (z, y, x); 0 has none.
        sigma: of the window, voxels.

    Returns:
        Shape (10, z, y, x): mean offset over sigma (z, y, x), variances over sigma^2 (zz, yy, xx), covariances over
        sigma^2 (zy, zx, yx), share of the window.
    """
    from scipy.ndimage import find_objects

    result = np.zeros((DESCRIPTORS, *labels.shape), dtype=np.float32)
    ids, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape) + (0 if ids[0] == 0 else 1)
    for k, box in enumerate(find_objects(dense), start=1):
        if box is not None:
            inside = dense[box] == k
            result[(slice(None), *box)][:, inside] = _moments(inside, sigma)[:, inside]
    return result


def _moments(inside: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    def window(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return gaussian_filter(values, sigma, mode="constant", truncate=2.5)

    weight = inside.astype(np.float32)
    places = [p.astype(np.float32) / sigma for p in np.meshgrid(*map(np.arange, inside.shape), indexing="ij")]
    share = window(weight)
    below = np.maximum(share, 1e-3)
    means = [window(weight * place) / below for place in places]
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    second = [window(weight * places[a] * places[b]) / below - means[a] * means[b] for a, b in pairs]
    offsets = [mean - place for mean, place in zip(means, places, strict=True)]
    return np.stack([*offsets, *second, share])


def _loss(network: AffinityUNet, patch: Patch, settings: Training) -> Tensor:
    image = torch.from_numpy(network_input(patch.image, settings.voxel_nm))[None]
    image = image.to(memory_format=torch.channels_last_3d)
    targets, mask = (torch.from_numpy(values)[None] for values in affinity_targets(patch.labels))
    logits, descriptors = network(image)
    apart = (mask * (1 - targets)).sum((0, 2, 3, 4)) / mask.sum((0, 2, 3, 4)).clamp(min=1)
    apart = apart.clamp(0.05, 0.95)[None, :, None, None, None]
    weight = mask * torch.where(targets > 0, 0.5 / (1 - apart), 0.5 / apart)
    affinity = functional.binary_cross_entropy_with_logits(logits, targets, weight, reduction="sum") / mask.sum()
    coarse = patch.labels[::COARSE, ::COARSE, ::COARSE]
    shapes = torch.from_numpy(descriptor_targets(coarse, settings.descriptor_sigma / COARSE))[None]
    known = torch.from_numpy((coarse != 0).astype(np.float32))
    error = functional.mse_loss(descriptors[..., ::2, ::2, ::2], shapes, reduction="none").mean(dim=1) * known
    return affinity + settings.descriptor_weight * error.sum() / known.sum().clamp(min=1)


def train(
    volumes: Sequence[Labelled],
    settings: Training,
    augmentation: Augmentation,
    checkpoint: Path | None = None,
    limit_s: float = np.inf,
    report: Callable[[int, float], object] = lambda step, loss: None,
) -> AffinityUNet | None:
    """Train a network, going on from the checkpoint where there is one.

    Args:
        volumes: image and labels of each; 0 is unknown; drawn from in proportion to their voxels.
        settings: how long and how.
        augmentation: of the patches.
        checkpoint: file of the state, read if there and written once a minute and at the end.
        limit_s: stop this call after so many seconds, before all steps are done.
        report: called with the step and its loss.

    Returns:
        The network, with batch normalisation (`folded` is for inference); None where the limit came first.
    """
    torch.manual_seed(settings.seed)
    network = AffinityUNet(WIDTHS).to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
    state = _State(network, optimiser, checkpoint)
    network.train()
    began = time.monotonic()
    while state.step < settings.steps and time.monotonic() - began < limit_s:
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * _cycle(state.step / settings.steps)
        loss = _loss(network, _patch(volumes, settings, augmentation, state.step), settings)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        state.step += 1
        report(state.step, float(loss.detach()))
        state.save_now_and_then()
    state.save()
    return network if state.step == settings.steps else None


class _State:
    """Network, optimiser and step, kept in a file of plain arrays."""

    def __init__(self, network: AffinityUNet, optimiser: torch.optim.Optimizer, path: Path | None) -> None:
        self.network, self.optimiser, self.path = network, optimiser, path
        self.step, self.saved = 0, time.monotonic()
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: torch.from_numpy(file[name]) for name in file.files}
            self.step = int(arrays.pop("step"))
            network.load_state_dict({k[8:]: v for k, v in arrays.items() if k.startswith("network.")})
            for k, weight in enumerate(network.parameters()):
                optimiser.state[weight] = {name: arrays[f"{k}.{name}"] for name in ("step", "exp_avg", "exp_avg_sq")}

    def save_now_and_then(self, every_s: float = 60.0) -> None:
        if time.monotonic() - self.saved > every_s:
            self.save()

    def save(self) -> None:
        self.saved = time.monotonic()
        if self.path is None:
            return
        arrays = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for k, weight in enumerate(self.network.parameters()):
            arrays |= {f"{k}.{name}": value for name, value in self.optimiser.state[weight].items()}
        temporary = self.path.with_name(self.path.name + ".part")
        with temporary.open("wb") as file:
            np.savez(file, step=np.array(self.step), **{name: value.numpy() for name, value in arrays.items()})
        temporary.replace(self.path)


def _patch(volumes: Sequence[Labelled], settings: Training, augmentation: Augmentation, step: int) -> Patch:
    """Each step draws from its own seed, so that a resumed training sees the same patches."""
    rng = np.random.default_rng((settings.seed, step))
    sizes = np.array([labels.size for _, labels in volumes], dtype=float)
    image, labels = volumes[rng.choice(len(volumes), p=sizes / sizes.sum())]
    return draw(image, labels, settings.patch, augmentation, rng)


def _cycle(used: float, warm: float = 0.06) -> float:
    """Learning rate over its peak: a linear rise, then half a cosine."""
    return (
        (used + 0.002) / (warm + 0.002)
        if used < warm
        else 0.5 * (1 + np.cos(np.pi * (used - warm) / (1 - warm))) + 1e-3
    )
