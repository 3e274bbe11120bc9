"""`animat controls`: an organism's behaviour beside its controls, as a table and a picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .run import drives, progress_bar
from .show import JsonOption

if TYPE_CHECKING:
    import pandas as pd

    from ..envs.experiment import Experiment

PICTURE = "controls.png"
ALWAYS = ("speed_mm_s",)  # shown whatever the task has bands for


def controls(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    task: Annotated[str | None, typer.Option(help="Name of a task; the organism's first by default.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 0,
    seconds: Annotated[float | None, typer.Option(help="Length of an episode, s; the task's own by default.")] = None,
    ablate: Annotated[
        list[str] | None, typer.Option(help="Neurons to remove, as ASEL,ASER; may be repeated; the task's by default.")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="Only this condition beside the live animal; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Neuron model; the organism's own by default.")] = None,
    engine: Annotated[str, typer.Option(help="Brain engine.")] = "numba",
    drive: Annotated[str, typer.Option(help="Constant drive in mV: AVA=20,AVB=-5.")] = "",
    medium: Annotated[str | None, typer.Option(help="What the body is in; the task's own by default.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a core by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; runs/controls-ORGANISM-TASK by default.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Print every measure, not only those with a band.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run live, with frozen senses, shuffled, silent and random brains and ablations; compare on the same seeds.

    An interrupted command continues where it was when it is given again; more seeds or conditions extend the folder.
    """
    from ..envs.experiment import Experiment, compare
    from ..envs.experiment_folder import RESULTS, SETTINGS, SUMMARY
    from ..envs.tasks import choose_task
    from ..organisms.organism import make
    from .controls_picture import save_picture

    animal = make(organism)
    chosen = choose_task(animal, task)
    lost = tuple(ablate) if ablate else animal.ablations.get(chosen.name, ())
    options: dict[str, Any] = {"model": model, "engine": engine, "drive": drives(drive), "medium": medium}
    experiment = Experiment(
        organism=organism,
        task=chosen.name,
        seeds=tuple(range(seed, seed + seeds)),
        ablations=lost,
        neuropils=() if chosen.arena.panorama is None else tuple(animal.neuropil_controls),
        chosen=tuple(condition or ()),
        options=options | {"duration_s": seconds},
    )
    folder = out or Path("runs") / f"controls-{organism}-{chosen.name}"
    runs = _run(experiment, folder, workers)
    table, bands = compare(runs), chosen.BANDS
    shown = [name for name in dict.fromkeys([*bands, *ALWAYS, *table["measure"]]) if name in set(table["measure"])]
    main = shown if every else [name for name in shown if name in bands or name in ALWAYS]
    save_picture(folder / PICTURE, runs, table, main, bands)
    written = [str(folder / name) for name in (SETTINGS, RESULTS, SUMMARY, PICTURE)]
    if as_json:
        print(json.dumps(_report(experiment, runs, table, written)))
        return
    print(f"{organism}, {chosen.name}, {seeds} seeds from {seed}, live and {len(experiment.conditions) - 1} controls")
    for name in main:
        print("\n".join(_block(name, table[table["measure"] == name], bands.get(name))))
    print("\n".join(f"wrote {path}" for path in written))


def _run(experiment: Experiment, folder: Path, workers: int | None) -> pd.DataFrame:
    """Run what is missing; an interrupt says how to go on."""
    try:
        with progress_bar("runs") as progress:
            return experiment.run(folder, workers, progress)
    except KeyboardInterrupt:
        typer.echo(f"animat: interrupted; finished runs are in {folder}, the same command goes on", err=True)
        raise typer.Exit(130) from None


def _block(name: str, rows: pd.DataFrame, band: Any) -> list[str]:
    """The table of one measure."""
    where = "" if band is None else f"  (real animals {band.low:g} to {band.high:g}: {band.source})"
    width = max(len(str(text)) for text in rows["condition"])
    lines = [f"\n{name}{where}", f"  {'':{width}s}   mean [95 % interval]          n   control - live [95 %]      g"]
    for row in rows.to_dict("records"):
        own = _with_interval(row["mean"], row["low"], row["high"])
        gap = _with_interval(row["difference"], row["difference_low"], row["difference_high"])
        live = row["condition"] == "live"
        lines.append(
            f"  {row['condition']:{width}s}  {own:28s} {row['n']:3d}" + ("" if live else f"   {gap:28s} {row['g']:.3g}")
        )
    return lines


def _with_interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")


def _report(experiment: Experiment, runs: pd.DataFrame, table: pd.DataFrame, written: list[str]) -> dict[str, Any]:
    """What `--json` prints; a number that is not one is null."""
    return {
        **experiment.settings(),
        "seeds": list(experiment.seeds),
        "conditions": experiment.conditions,
        "comparison": [_plain(row) for row in table.to_dict("records")],
        "runs": [_plain(row) for row in runs.to_dict("records")],
        "wrote": written,
    }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(key): None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()
    }
