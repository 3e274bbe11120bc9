"""Recordings: run an episode and keep it as a folder that can be measured and rendered again without simulating.

A recording is a folder with `episode.json` (versions, seed, fingerprint, options, names, measures) and `series.npz`
(one array a quantity, first axis time). Nothing in it depends on the wall clock: the same seed gives the same bytes.
"""

from __future__ import annotations

import json
import platform
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..registry import nearest
from .organism_env import OrganismEnv
from .sensing import Observation

FORMAT = 1
EPISODE, SERIES, VIDEO = "episode.json", "series.npz", "video.mp4"
ALWAYS = ("time_s", "qpos", "centreline_mm", "excitation", "activation", "stimulus", "reward")
BRAIN = ("voltage_mv", "release", "spikes")
NAMES = ("neurons", "types", "effectors", "modalities", "panel")
LEAST_STEPS = 10  # control steps; shorter episodes are not measured
FIELDS = ("format", "versions", "seed", "fingerprint", "options", "names", "measures", "reason")


class Policy(Protocol):
    """Anything with Stable-Baselines3's predict."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[npt.NDArray[np.float32], Any]:
        """Action and next state for one observation."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A finished episode.

    Attributes:
        episode: what `episode.json` holds.
        series: name -> array, first axis time. `time_s` (T,), `qpos` (T, nq), `centreline_mm` (T, P, 3),
            `excitation` and `activation` (T, n_effectors), `stimulus` (T, n_modalities; sum of what the task adds),
            `reward` (T,), the body's own extras, where the arena has fields `field` (T, n_felt; where each channel that
            feels one has its organ), where there is something to see `seen` (T, n_facets; 255 is the brightness 1), and
            with a brain inside `voltage_mv`, `release`, `spikes` (T, n_neurons).
    """

    episode: Mapping[str, Any]
    series: Mapping[str, npt.NDArray[Any]]

    @property
    def measures(self) -> dict[str, float]:
        """Measures of the episode by name."""
        return dict(self.episode["measures"])

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the recording into `folder`, each file under a temporary name first."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.episode, indent=1, sort_keys=True) + "\n"
        _write(path / SERIES, _packed(self.series))
        _write(path / EPISODE, text.encode())
        return path

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Recording:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: no recording in that folder.
            ValueError: a damaged or foreign recording, naming file and field.
        """
        path = Path(folder)
        for name in (EPISODE, SERIES):
            if not (path / name).is_file():
                raise FileNotFoundError(f"no recording in {str(path)!r}: it has no {name}")
        episode, series = _episode(path / EPISODE), _series(path / SERIES)
        _check_widths(path / SERIES, series, episode["names"])
        return cls(episode, series)


def run_episode(
    env: OrganismEnv,
    policy: Policy | None = None,
    *,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Run one episode to its end.

    Args:
        env: with a brain inside it is left alone (action zero) unless a policy is given.
        policy: acts on the environment; None for action zero.
        seed: of the episode.
        out: folder to save the recording in.
        progress: called with steps done and steps in all.
    """
    observation, info = env.reset(seed=seed)
    total = round(env.task.duration_s / env.control_s)
    series, steps = _allocate(env, total), 0
    action, state = np.zeros(env.action_space.shape or (0,), np.float32), None
    start, reason, done = np.ones(1, bool), "", False
    while not done and steps < total:
        if policy is not None:
            action, state = policy.predict(observation, state, start, deterministic=True)
            start = np.zeros(1, bool)
        observation, reward, terminated, truncated, info = env.step(action)
        done, reason = terminated or truncated, str(info.get("reason", ""))
        if not terminated:
            _keep(env, series, steps, reward, observation)
            steps += 1
        if progress is not None:
            progress(steps, total)
    recording = _finished(env, {name: values[:steps] for name, values in series.items()}, seed, reason)
    if out is not None:
        recording.save(out)
    return recording


def _allocate(env: OrganismEnv, steps: int) -> dict[str, npt.NDArray[Any]]:
    muscles, points = len(env.body.effectors), len(env.body.centreline(env.data))
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "time_s": ((), np.float64),
        "qpos": ((env.body.model.nq,), np.float64),
        "centreline_mm": ((points, 3), np.float64),
        "excitation": ((muscles,), np.float32),
        "activation": ((muscles,), np.float32),
        "stimulus": ((len(env.body.channels),), np.float32),
        "reward": ((), np.float32),
    }
    shapes |= {name: (values.shape, np.float32) for name, values in env.body.extras(env.data).items()}
    if env.senses.felt:
        shapes["field"] = ((len(env.senses.felt),), np.float32)
    if env.task.arena.panorama is not None:
        shapes["seen"] = ((len(env.body.channels["vision"]),), np.uint8)
    if env.brain is not None:
        n = len(env.brain.names)
        shapes |= {"voltage_mv": ((n,), np.float32), "release": ((n,), np.float32), "spikes": ((n,), np.uint8)}
    return {name: np.zeros((steps, *shape), dtype) for name, (shape, dtype) in shapes.items()}


def _keep(
    env: OrganismEnv, series: dict[str, npt.NDArray[Any]], step: int, reward: float, observation: Observation
) -> None:
    series["time_s"][step] = env.time_s
    series["qpos"][step] = env.data.qpos
    series["centreline_mm"][step] = env.body.centreline(env.data)
    series["excitation"][step] = env.excitation
    series["activation"][step] = env.data.act[env.body.activation_ids]
    series["reward"][step] = reward
    for name, values in env.task.stimuli(env.time_s, env.body).items():
        series["stimulus"][step, list(env.body.channels).index(name)] = values.sum()
    for name, values in env.body.extras(env.data).items():
        series[name][step] = values
    if "seen" in series:
        series["seen"][step] = np.rint(255 * observation["vision"])
    if env.senses.felt:
        series["field"][step] = env.senses.field_values(env.time_s)
    activity = env.activity
    if activity is not None:
        series["voltage_mv"][step] = activity.voltage
        series["release"][step] = activity.release
        series["spikes"][step] = np.minimum(activity.spikes, 255)


def _finished(env: OrganismEnv, series: dict[str, npt.NDArray[Any]], seed: int, reason: str) -> Recording:
    neurons = list(env.brain.names) if env.brain is not None else []
    table = env.organism.connectome.neurons
    types = dict(zip(table["name"], table["type"].astype(str), strict=True))
    names = {
        "neurons": neurons,
        "effectors": list(env.body.effectors),
        "modalities": list(env.body.channels),
        "panel": list(env.organism.panel),
        "types": [types[name] for name in neurons],
    }
    packages = {name: version(name) for name in ("animat", "mujoco", "numpy", "numba", "gymnasium")}
    episode = {
        "format": FORMAT,
        "versions": {**packages, "python": platform.python_version()},
        "seed": seed,
        "fingerprint": env.fingerprint,
        "options": env.options,
        "names": names,
        "measures": env.task.measures(series, names) if len(series["time_s"]) >= LEAST_STEPS else {},
        "reason": reason,
    }
    return Recording(episode, series)


def _packed(series: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """An npz archive with fixed time stamps; numpy's own carries the time of writing."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(series):
            array = BytesIO()
            np.save(array, np.ascontiguousarray(series[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, array.getvalue())
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _episode(path: Path) -> dict[str, Any]:
    try:
        episode = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a recording: {error}") from None
    missing = [field for field in FIELDS if not isinstance(episode, dict) or field not in episode]
    if missing:
        raise ValueError(f"{path}: not a recording of animat: no field {missing[0]!r}")
    if episode["format"] != FORMAT:
        raise ValueError(f"{path}: field 'format' is {episode['format']!r}, this version of animat reads {FORMAT}")
    wrong = [field for field in ("versions", "options", "names", "measures") if not isinstance(episode[field], dict)]
    wrong = wrong or [f"names.{field}" for field in NAMES if not isinstance(episode["names"].get(field), list)]
    if wrong:
        raise ValueError(f"{path}: field {wrong[0]!r} is missing or of the wrong kind")
    return dict(episode)


def _series(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            series = {name: archive[name] for name in archive.files}
    except (ValueError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise ValueError(f"{path}: damaged: {error}") from None
    for name in ALWAYS:
        if name not in series:
            raise ValueError(f"{path}: no array {name!r}; {nearest(name, series)}")
    lengths = {name: len(values) for name, values in series.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"{path}: arrays of different length: {lengths}")
    return series


def _check_widths(path: Path, series: Mapping[str, npt.NDArray[Any]], names: Mapping[str, list[str]]) -> None:
    widths = {"excitation": "effectors", "activation": "effectors", "stimulus": "modalities"}
    if names["neurons"]:
        widths |= dict.fromkeys(BRAIN, "neurons")
    for array, kind in widths.items():
        if array not in series:
            raise ValueError(f"{path}: no array {array!r}, though episode.json names {len(names[kind])} {kind}")
        shape = series[array].shape
        if shape[1:] != (len(names[kind]),):
            raise ValueError(f"{path}: array {array!r} has shape {shape}, episode.json names {len(names[kind])} {kind}")
