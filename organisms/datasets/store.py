"""Where datasets lie on this machine, what is there, and how they get there.

A dataset is a folder with its files as they were published; beside a finished file there is nothing. `hashes.json`
holds the SHA-256 seen at the first download of files that nobody published one of.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .download import DownloadError, Fetched, Patience, Progress, fetch, part_of, sha256_of
from .registry import Dataset, RemoteFile

VARIABLE = "ANIMAT_DATA"  # the environment variable that names the folder of all datasets
HASHES = "hashes.json"


@dataclass(frozen=True, kw_only=True)
class FileState:
    """What is known of one file on this machine."""

    file: RemoteFile
    path: Path
    state: str  # here, partial, missing; from `verify`: right, wrong, partial, missing
    bytes: int
    sha256: str = ""  # as found, from `verify` only
    problem: str = ""


def data_folder(name: str, base: str | os.PathLike[str] | None = None) -> Path:
    """The folder of a dataset.

    Args:
        name: of the dataset.
        base: folder of all datasets; None for $ANIMAT_DATA, else $XDG_CACHE_HOME/animat/data, else
            ~/.cache/animat/data.
    """
    chosen = base or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser() / name
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "animat" / "data" / name


def states(dataset: Dataset, folder: Path, full: bool = False) -> list[FileState]:
    """What is there of every file, by name and size only."""
    return [_state(file, folder / file.name) for file in dataset.chosen(full)]


def missing(dataset: Dataset, folder: Path) -> list[str]:
    """Names of the needed files that are not there."""
    needed = [state for state in states(dataset, folder) if state.file.use == "needed"]
    return [state.file.name for state in needed if state.state != "here"]


def pull(
    dataset: Dataset,
    folder: Path,
    full: bool = False,
    progress: Callable[[RemoteFile], Progress] | None = None,
    patience: Patience | None = None,
    mirror: str = "",
) -> tuple[list[Fetched], list[str]]:
    """Fetch every file that is not there; what is there is checked.

    Args:
        dataset: which.
        folder: where to.
        full: the larger alternatives too.
        progress: gives for each file what is called as its bytes arrive.
        patience: how long to try.
        mirror: address under which NAME/FILE of the dataset lies; "" for the addresses of the registry. The same sizes
            and hashes hold.

    Returns:
        The files that are there now, and the problems of optional files that are not.

    Raises:
        DownloadError: a needed file could not be had; the others are still tried first.
    """
    found: list[Fetched] = []
    problems: list[str] = []
    needed: list[str] = []
    for file in dataset.chosen(full):
        seen = file.sha256 or _seen(folder).get(file.name, "")
        report = progress(file) if progress else None
        address = f"{mirror.rstrip('/')}/{dataset.name}/{file.name}" if mirror else file.address
        try:
            fetched = fetch(address, folder / file.name, file.bytes, seen, report, patience)
        except DownloadError as error:
            (problems if file.use == "optional" else needed).append(str(error))
            continue
        found.append(fetched)
        if not file.sha256:
            _remember(folder, file.name, fetched.sha256)
    if needed:
        raise DownloadError("\n".join([*needed, *problems]))
    return found, problems


def verify(dataset: Dataset, folder: Path) -> list[FileState]:
    """Hold every file that is there to its size and hash; those of `full` only where they are there."""
    seen = _seen(folder)
    known = [file for file in dataset.files if file.use != "full" or (folder / file.name).exists()]
    return [_verified(file, folder / file.name, file.sha256 or seen.get(file.name, "")) for file in known]


def _state(file: RemoteFile, path: Path) -> FileState:
    if path.exists():
        return FileState(file=file, path=path, state="here", bytes=path.stat().st_size)
    part = part_of(path)
    if part.exists():
        return FileState(file=file, path=path, state="partial", bytes=part.stat().st_size)
    return FileState(file=file, path=path, state="missing", bytes=0)


def _verified(file: RemoteFile, path: Path, expected: str) -> FileState:
    state = _state(file, path)
    if state.state != "here":
        return state
    found = sha256_of(path)
    problem = ""
    if file.bytes is not None and state.bytes != file.bytes:
        problem = f"has {state.bytes:,} bytes, published were {file.bytes:,}"
    elif not expected:
        problem = f"has SHA-256 {found}, but none was published nor seen by a download"
    elif found != expected:
        problem = f"has SHA-256 {found}, expected {expected}"
    return FileState(
        file=file, path=path, state="wrong" if problem else "right", bytes=state.bytes, sha256=found, problem=problem
    )


def _seen(folder: Path) -> dict[str, str]:
    try:
        seen = json.loads((folder / HASHES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in seen.items()} if isinstance(seen, dict) else {}


def _remember(folder: Path, name: str, sha256: str) -> None:
    temporary = folder / f".{HASHES}.tmp"
    temporary.write_text(json.dumps(_seen(folder) | {name: sha256}, indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / HASHES)
