"""`animat run`: one episode, recorded, measured and filmed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .show import JsonOption

if TYPE_CHECKING:
    from ..envs.recorder import Recording
    from ..organisms.organism import Organism


def run(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    task: Annotated[str | None, typer.Option(help="Name of a task; the organism's first by default.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of the episode, s; the task's own by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the recording; runs/ORGANISM-TASK by default.")] = None,
    brain: Annotated[str, typer.Option(help="connectome, none, a control, or the folder of a Connectome.")] = (
        "connectome"
    ),
    connectome: Annotated[
        str, typer.Option(help="Another wiring: the folder of one, or for the fly a dataset that was pulled (malecns).")
    ] = "",
    model: Annotated[str | None, typer.Option(help="Neuron model; the organism's own by default.")] = None,
    engine: Annotated[str, typer.Option(help="Brain engine.")] = "numba",
    ablate: Annotated[str, typer.Option(help="Neurons to remove, separated by commas: AVAL,AVAR or DB.")] = "",
    drive: Annotated[str, typer.Option(help="Constant drive in mV: AVA=20,AVB=-5; of a whole fly in Hz.")] = "",
    noise: Annotated[
        float | None, typer.Option(help="Membrane noise of every neuron, mV; the task's own by default.")
    ] = None,
    medium: Annotated[str | None, typer.Option(help="What the body is in; the task's own by default.")] = None,
    freeze_senses: Annotated[bool, typer.Option("--freeze-senses", help="Show the brain a resting body.")] = False,
    policy: Annotated[Path | None, typer.Option(help="A Stable-Baselines3 PPO to act on the muscles.")] = None,
    video: Annotated[bool, typer.Option("--video/--no-video", help="Film the episode.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Run an episode, save it, film it and print what it measured."""
    from ..envs import opengl

    no_opengl = opengl.prepare(video)
    from ..envs.organism_env import OrganismEnv
    from ..envs.recorder import EPISODE, SERIES, run_episode

    env = OrganismEnv(
        animal(organism, connectome),
        task,
        None if brain == "none" or policy is not None else brain,
        model=model,
        engine=engine,
        ablate=[name.strip() for name in ablate.split(",") if name.strip()],
        drive=drives(drive),
        noise_mv=noise,
        medium=medium,
        freeze_senses=freeze_senses,
        duration_s=seconds,
    )
    agent = None if policy is None else _load_policy(policy)
    folder = out or Path("runs") / f"{organism}-{env.task.name}"
    folder.mkdir(parents=True, exist_ok=True)  # now rather than after the simulation
    with progress_bar("simulating") as progress:
        started = time.perf_counter()
        recording = run_episode(env, agent, seed=seed, progress=progress)
        wall_s = time.perf_counter() - started
    recording.save(folder)
    written = [folder / EPISODE, folder / SERIES]
    if video:
        written += _film(recording, folder, no_opengl)
    summary = _summary(recording, wall_s, brain if policy is None else str(policy), folder)
    print(json.dumps(summary)) if as_json else _report(summary, written)


def animal(organism: str, connectome: str) -> str | Organism:
    """The organism, on another wiring if one is named."""
    if not connectome:
        return organism
    if organism == "fly":
        from ..organisms.fly.whole import load

        return load(connectome)
    from ..brains.connectome import Connectome
    from ..organisms.organism import make

    return make(organism).with_connectome(Connectome.load(connectome))


def _film(recording: Recording, folder: Path, no_opengl: str) -> list[Path]:
    """The video of a recording, or a line on standard error: an episode does not fail for want of a picture."""
    from ..envs.opengl import RenderingError
    from ..envs.recorder import VIDEO
    from ..envs.video import render_video

    reason = no_opengl
    if not reason:
        try:
            with progress_bar("filming") as progress:
                return [render_video(recording, folder / VIDEO, progress=progress)]
        except RenderingError as error:
            reason = str(error)
    print(f"animat: no video: {reason}", file=sys.stderr)
    return []


def _summary(recording: Recording, wall_s: float, brain: str, folder: Path) -> dict[str, Any]:
    from .. import env_id

    options, time_s = recording.episode["options"], recording.series["time_s"]
    duration_s = float(time_s[-1]) if len(time_s) else 0.0
    return {
        "env_id": env_id(options["organism"], options["task"]),
        "seed": recording.episode["seed"],
        "duration_s": duration_s,
        "wall_s": wall_s,
        "real_time_factor": duration_s / wall_s,
        "fingerprint": recording.episode["fingerprint"],
        "brain": brain,
        "model": options["model"],
        "measures": recording.measures,
        "reason": recording.episode["reason"],
        "out": str(folder),
    }


def _report(summary: dict[str, Any], written: list[Path]) -> None:
    print(f"{summary['env_id']}  brain {summary['brain']}  model {summary['model']}  seed {summary['seed']}")
    print(f"{summary['duration_s']:.2f} s simulated in {summary['wall_s']:.2f} s", end="")
    print(f" ({summary['real_time_factor']:.1f}x real time)")
    for name, value in summary["measures"].items():
        print(f"  {name:34s}{value:10.4g}")
    if summary["reason"]:
        print(f"  ended early: {summary['reason']}")
    for path in written:
        print(f"wrote {path}")


def drives(text: str) -> dict[str, float]:
    """Constant drives in mV by selector, from "AVA=20,AVB=-5".

    Raises:
        ValueError: a part that is not NAME=MILLIVOLTS.
    """
    found = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise ValueError(f"--drive: {part!r} is not NAME=MILLIVOLTS, as in AVA=20") from None
    return found


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
