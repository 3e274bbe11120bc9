"""`animat data list|pull|verify`: public connectomes on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from ..organisms.datasets import store
from ..organisms.datasets.download import Fetched, Progress
from ..organisms.datasets.registry import Dataset, RemoteFile, dataset, datasets

app = typer.Typer(help="Public connectomes: what there is, fetching and checking them.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of a dataset; `animat data list` shows them.")]
Base = Annotated[
    Path | None,
    typer.Option("--folder", help=f"Folder of all datasets; default ${store.VARIABLE} or the cache."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.command("list")
def list_datasets(folder: Base = None, as_json: AsJson = False) -> None:
    """List the datasets, their size, licence, and what of them is on this machine."""
    lines = [_summary(known, store.data_folder(known.name, folder)) for known in datasets().values()]
    if as_json:
        print(json.dumps(lines))
        return
    for line in lines:
        size = f"{line['bytes'] / 1e6:.0f} MB" if line["bytes"] else "size unknown"
        print(f"{line['name']:16s}{line['state']:12s}{size:>13s}  {line['neurons']:>7,} neurons  {line['title']}")
    print(f"\nThey go to {store.data_folder('NAME', folder)}. Fetch one with: animat data pull NAME")


@app.command()
def pull(
    name: Name = "malecns",
    folder: Base = None,
    full: Annotated[bool, typer.Option("--full", help="Fetch the larger alternative files too.")] = False,
    mirror: Annotated[str, typer.Option(help="Address that holds NAME/FILE, in place of the publishers'.")] = "",
    as_json: AsJson = False,
) -> None:
    """Fetch a dataset over HTTPS, without an account; a download that was cut continues where it stopped."""
    known, there = dataset(name), store.data_folder(name, folder)
    if not as_json:
        print(_announcement(known, there, full), flush=True)
    with _interruptible(known, there), _bars(silent=as_json) as bars:
        found, problems = store.pull(known, there, full, bars, mirror=mirror)
    if as_json:
        print(json.dumps({"name": name, "folder": str(there), "files": _fetched(found), "problems": problems}))
        return
    print(_result(known, there, found, problems))


@app.command()
def verify(name: Name, folder: Base = None, as_json: AsJson = False) -> None:
    """Hold the files of a dataset to their sizes and SHA-256; exit status 1 where a needed one is not right."""
    known, there = dataset(name), store.data_folder(name, folder)
    states = store.verify(known, there)
    bad = any(state.state == "wrong" or (state.state != "right" and state.file.use == "needed") for state in states)
    if as_json:
        lines = [
            {"name": s.file.name, "state": s.state, "bytes": s.bytes, "sha256": s.sha256, "problem": s.problem}
            for s in states
        ]
        print(json.dumps({"name": name, "folder": str(there), "right": not bad, "files": lines}))
    else:
        print(f"{known.name} in {there}")
        for state in states:
            print(f"  {state.state:8s}{state.file.name}{': ' + state.problem if state.problem else ''}")
    raise typer.Exit(1 if bad else 0)


def _summary(known: Dataset, there: Path) -> dict[str, Any]:
    states = store.states(known, there)
    total = sum(file.bytes or 0 for file in known.chosen())
    arrived = sum(state.bytes for state in states)
    here = not store.missing(known, there)
    state = "here" if here else "absent" if not arrived else f"{arrived / 1e6:.0f} MB of it"
    return known.as_dict() | {"folder": str(there), "state": state, "here": here, "arrived": arrived, "bytes": total}


def _announcement(known: Dataset, there: Path, full: bool) -> str:
    lines = [
        f"{known.title} ({known.name}, version {known.version}): {known.neurons:,} neurons. {known.holds}.",
        f"Licence: {known.licence}. Cite: {known.citation}, doi:{known.doi}. {known.homepage}",
        f"To {there}:",
    ]
    for file in known.chosen(full):
        size = f"{file.bytes:,} bytes" if file.bytes is not None else "size not published"
        hashed = f"SHA-256 {file.sha256[:12]}..." if file.sha256 else "SHA-256 not published"
        lines.append(f"  {file.name}: {size}, {hashed} ({file.holds})\n    {file.address}")
    return "\n".join(lines)


def _result(known: Dataset, there: Path, found: list[Fetched], problems: list[str]) -> str:
    lines = [f"{'checked' if file.already else 'fetched'} {file.path} ({file.bytes:,} bytes)" for file in found]
    hashes = {file.name: file.sha256 for file in known.files}
    lines += [
        f"  its SHA-256 is {file.sha256}; none was published, verify holds it to this one"
        for file in found
        if not hashes[file.path.name]
    ]
    lines += [f"without an optional file: {problem}" for problem in problems]
    total = sum(file.bytes for file in found)
    lines += [f"{known.name} is here: {total:,} bytes in {there}", f"next: {known.next}"]
    return "\n".join(lines)


def _fetched(found: list[Fetched]) -> list[dict[str, Any]]:
    return [
        {"path": str(file.path), "bytes": file.bytes, "sha256": file.sha256, "already": file.already} for file in found
    ]


@contextmanager
def _bars(silent: bool) -> Iterator[Callable[[RemoteFile], Progress]]:
    """Progress bars on standard error, one at a time, each from its first byte to its last or to what ends it."""
    shown: list[Any] = []

    def close() -> None:
        while shown:
            shown.pop().close()

    def of(file: RemoteFile) -> Progress:
        def arrived(there: int, total: int | None) -> None:
            if not shown:
                shown.append(tqdm(desc=file.name[:40], unit="B", unit_scale=True, leave=False, disable=silent))
            shown[0].total = total
            shown[0].update(there - shown[0].n)
            if there == total:
                close()

        close()
        return arrived

    try:
        yield of
    finally:
        close()


@contextmanager
def _interruptible(known: Dataset, there: Path) -> Iterator[None]:
    """Ctrl-C ends with what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = sum(state.bytes for state in store.states(known, there))
        print(f"\ninterrupted; {kept:,} bytes are kept in {there}. Continue with: animat data pull {known.name}")
        raise typer.Exit(130) from None
