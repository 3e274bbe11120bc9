"""Who says where boundaries are, by name: without training, the affinity U-Net, or a flood-filling network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...registry import UnknownNameError, nearest
from .agglomerate import Agglomeration
from .boundary import Classical, classical_boundary
from .fragments import Fragments, middles
from .volume import VolumeError, Voxel
from .weights import read_notes

__all__ = ["PREDICTORS", "SHIPPED", "Predictor", "predictor", "settings_of", "weights_of"]

SHIPPED = Path(__file__).parent / "data" / "unet_fib25.npz"
Prediction = tuple[NDArray[np.uint8], NDArray[np.uint32] | None]  # boundary; objects that are fragments as they are


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """A source of boundaries and what goes with it."""

    predict: Callable[[NDArray[np.uint8], Voxel, Path | None], Prediction]
    shipped: Path | None  # weights that come with animat
    needs_weights: bool
    fragments: Fragments  # where its weights carry none
    agglomeration: Agglomeration  # the same


def _classical(image: NDArray[np.uint8], voxel_nm: Voxel, weights: Path | None) -> Prediction:
    return classical_boundary(image, voxel_nm, Classical()), None


def _unet(image: NDArray[np.uint8], voxel_nm: Voxel, weights: Path | None) -> Prediction:
    from .unet import load_weights, predict_boundary

    assert weights is not None
    return predict_boundary(load_weights(weights), image, voxel_nm), None


def _flood_filling(image: NDArray[np.uint8], voxel_nm: Voxel, weights: Path | None) -> Prediction:
    from .flood_fill import load_network, segment_objects

    assert weights is not None
    network, settings = load_network(weights)
    boundary = classical_boundary(image, voxel_nm, Classical())
    seeds = middles(boundary, voxel_nm, Fragments())
    return boundary, segment_objects(network, settings, image, seeds)


PREDICTORS = {
    "classical": Predictor(
        predict=_classical, shipped=None, needs_weights=False, fragments=Fragments(), agglomeration=Agglomeration()
    ),
    "unet": Predictor(
        predict=_unet, shipped=SHIPPED, needs_weights=True, fragments=Fragments(), agglomeration=Agglomeration()
    ),
    "ffn": Predictor(
        predict=_flood_filling,
        shipped=None,
        needs_weights=True,
        fragments=Fragments(),
        agglomeration=Agglomeration(),
    ),
}


def predictor(name: str) -> Predictor:
    """A predictor by name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in PREDICTORS:
        raise UnknownNameError(f"no boundary predictor {name!r}; {nearest(name, PREDICTORS)}")
    return PREDICTORS[name]


def settings_of(name: str, weights: Path | None) -> tuple[Fragments, Agglomeration]:
    """What fits a predictor: chosen with its weights on what they were trained on, or its own."""
    own, chosen = predictor(name), read_notes(weights).get("chosen") if weights else None
    if chosen is None:
        return own.fragments, own.agglomeration
    return Fragments(**chosen["fragments"]), Agglomeration(**chosen["agglomeration"])


def weights_of(name: str, given: Path | None) -> tuple[Path | None, str]:
    """Weights to use, and the hash of their bytes ("" without any).

    Raises:
        VolumeError: the predictor needs weights and there are none.
    """
    path = given or predictor(name).shipped
    if not predictor(name).needs_weights:
        return None, ""
    if path is None or not path.is_file():
        hint = "; `python -m animat.scripts.train_unet` makes them" if name == "unet" else ""
        raise VolumeError(f"predictor {name!r} needs weights (an .npz file); got {path}{hint}")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()
