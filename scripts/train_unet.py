"""Train the affinity U-Net that ships with animat: `python -m animat.scripts.train_unet fib25.npz unet_fib25.npz`.

The data is FIB-25 `training_sample2` of janelia-flyem/neuroproof_examples (fly medulla, 10 nm; terms: see
brains/imaging/data/SOURCES.md) as an NPZ with `raw` and `gt`. Sections 0 to 99 are used, for the weights and for the
settings that go with them; nothing from 110 on, where the network is judged.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

SOURCE = "janelia-flyem/neuroproof_examples training_sample2 (FIB-25), HHMI; attribution, see SOURCES.md"
SECTIONS = 100  # trained on those before it; 110 on judge


def train_unet(
    data: Annotated[Path, typer.Argument(help="NPZ with `raw` (uint8) and `gt`, (z, y, x).")],
    out: Annotated[Path, typer.Argument(help="Weights to write, .npz.")],
    seed: Annotated[int, typer.Option(help="Of the weights and the patches.")] = 0,
    steps: Annotated[int, typer.Option(help="Patches to train on.")] = 300,
    minutes: Annotated[float, typer.Option(help="Stop after so long; the same command goes on.")] = float("inf"),
    threads: Annotated[int, typer.Option(help="Of torch.")] = 2,
) -> None:
    """Train, with a checkpoint beside the weights; when all steps are done, settings are chosen and it is written."""
    import torch

    from ..brains.imaging.augmentation import Augmentation
    from ..brains.imaging.choosing import choose
    from ..brains.imaging.unet import load_weights, predict_boundary, save_weights
    from ..brains.imaging.unet_training import Training, train

    torch.set_num_threads(threads)
    with np.load(data, allow_pickle=False) as file:
        volume = file["raw"][:SECTIONS], file["gt"][:SECTIONS]
    settings, augmentation, losses = Training(steps=steps, seed=seed), Augmentation(), []

    def report(step: int, loss: float) -> None:
        losses.append(loss)
        if step % 20 == 0:
            typer.echo(f"step {step}: loss {np.mean(losses[-20:]):.4f}")

    checkpoint = out.with_suffix(".checkpoint.npz")
    network = train([volume], settings, augmentation, checkpoint, 60 * minutes, report)
    if network is None:
        typer.echo("time is up; the same command goes on")
        return
    notes = {"data": SOURCE, "sections": [0, SECTIONS], "training": asdict(settings)}
    notes |= {"augmentation": asdict(augmentation)}
    save_weights(network, out, notes)
    boundary = predict_boundary(load_weights(out), volume[0], settings.voxel_nm)
    error, fragments, agglomeration = choose(boundary, volume[1], settings.voxel_nm)
    chosen = {"arand": error, "fragments": asdict(fragments), "agglomeration": asdict(agglomeration)}
    save_weights(network, out, {**notes, "chosen": chosen})
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.2f} MB, ARAND on what it was trained on {error:.3f}")


if __name__ == "__main__":
    typer.run(train_unet)
