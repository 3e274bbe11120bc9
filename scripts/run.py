"""`animat run`: one episode, recorded, measured and filmed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from .show import JsonOption


def run(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    task: Annotated[str, typer.Option(help="Name of a task.")] = "crawl",
    seconds: Annotated[float | None, typer.Option(help="Length of the episode, s; the task's own by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the episode.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the recording; runs/ORGANISM-TASK by default.")] = None,
    brain: Annotated[str, typer.Option(help="connectome, none, a control, or the folder of a Connectome.")] = (
        "connectome"
    ),
    model: Annotated[str, typer.Option(help="Neuron model.")] = "graded",
    engine: Annotated[str, typer.Option(help="Brain engine.")] = "numba",
    ablate: Annotated[str, typer.Option(help="Neurons to remove, separated by commas: AVAL,AVAR or DB.")] = "",
    drive: Annotated[str, typer.Option(help="Constant drive in mV: AVA=20,AVB=-5.")] = "",
    freeze_senses: Annotated[bool, typer.Option("--freeze-senses", help="Show the brain a resting body.")] = False,
    policy: Annotated[Path | None, typer.Option(help="A Stable-Baselines3 PPO to act on the muscles.")] = None,
    video: Annotated[bool, typer.Option("--video/--no-video", help="Film the episode.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Run an episode, save it, film it and print what it measured."""
    from ..envs.organism_env import OrganismEnv
    from ..envs.recorder import VIDEO, run_episode
    from ..envs.rendering import RenderingError
    from ..envs.video import render_video

    chosen = None if brain == "none" or policy is not None else brain
    env = OrganismEnv(
        organism,
        task,
        chosen,
        model=model,
        engine=engine,
        ablate=[name.strip() for name in ablate.split(",") if name.strip()],
        drive=_drives(drive),
        freeze_senses=freeze_senses,
        duration_s=seconds,
    )
    agent = None if policy is None else _load_policy(policy)
    started = time.perf_counter()
    with progress_bar("simulating") as progress:
        recording = run_episode(env, agent, seed=seed, progress=progress)
    wall_s = time.perf_counter() - started
    folder = recording.save(out or Path("runs") / f"{organism}-{task}")
    written = [str(folder / name) for name in ("episode.json", "series.npz")]
    if video:
        try:
            with progress_bar("filming") as progress:
                written.append(str(render_video(recording, folder / VIDEO, progress=progress)))
        except RenderingError as error:
            print(f"animat: no video: {error}", file=sys.stderr)
    duration_s = float(recording.series["time_s"][-1]) if len(recording.series["time_s"]) else 0.0
    summary = {
        "env_id": f"animat/{organism.capitalize()}{task.capitalize()}-v0",
        "seed": seed,
        "duration_s": duration_s,
        "wall_s": wall_s,
        "real_time_factor": duration_s / wall_s,
        "fingerprint": recording.episode["fingerprint"],
        "brain": brain if policy is None else str(policy),
        "model": model,
        "measures": recording.measures,
        "reason": recording.episode["reason"],
        "out": str(folder),
    }
    print(json.dumps(summary)) if as_json else _report(summary, written)


def _report(summary: dict[str, Any], written: list[str]) -> None:
    print(f"{summary['env_id']}  brain {summary['brain']}  model {summary['model']}  seed {summary['seed']}")
    print(f"{summary['duration_s']:.2f} s simulated in {summary['wall_s']:.2f} s", end="")
    print(f" ({summary['real_time_factor']:.1f}x real time)")
    for name, value in summary["measures"].items():
        print(f"  {name:34s}{value:10.4g}")
    if summary["reason"]:
        print(f"  ended early: {summary['reason']}")
    for path in written:
        print(f"wrote {path}")


def _drives(text: str) -> dict[str, float]:
    drives = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, value = part.partition("=")
        try:
            drives[name.strip()] = float(value)
        except ValueError:
            raise ValueError(f"--drive: {part!r} is not NAME=MILLIVOLTS, as in AVA=20") from None
    return drives


def _load_policy(path: Path) -> Any:
    try:
        from stable_baselines3 import PPO
    except ImportError:
        raise ImportError("--policy needs Stable-Baselines3: pip install 'animat[rl]'") from None
    if not path.is_file():
        raise FileNotFoundError(f"no policy {str(path)!r}")
    return PPO.load(path, device="cpu")


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, drawn only on a terminal."""
    from tqdm import tqdm

    bar = tqdm(desc=label, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, unit="step")

    def update(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield update
    finally:
        bar.close()
