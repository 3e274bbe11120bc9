"""One file over HTTP, resumable: what has arrived is kept in NAME.part until the file is whole and its hash is right.

Only urllib of the standard library, no account. A part is continued with a range request under `If-Range`; a server
that has another file by now, or that knows no ranges, sends the file from its start, and the part begins anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

CHUNK = 1 << 18  # most bytes read at a time; what has come is written at once
AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP answers worth another attempt

Progress = Callable[[int, int | None], None]  # bytes there, bytes in all where known


class DownloadError(OSError):
    """A file that could not be fetched; the message says what is kept and how to go on."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try."""

    attempts: int = 20  # connections per file, each continuing where the last was cut
    in_vain: int = 3  # connections in a row that bring nothing
    timeout_s: float = 60.0  # s without a byte before a connection counts as cut
    wait_s: float = 1.0  # s before the next attempt, doubled after each that brought nothing


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that is whole."""

    path: Path
    bytes: int
    sha256: str
    already: bool  # it was there before


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def part_of(target: Path) -> Path:
    """Where the bytes of an unfinished file are."""
    return target.with_name(target.name + ".part")


def fetch(
    address: str,
    target: Path,
    size: int | None = None,
    sha256: str = "",
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Fetched:
    """Fetch a file, continuing its part if there is one.

    Args:
        address: http or https.
        target: where it goes; its folder is made. A file that is there is checked, not fetched.
        size: bytes it must have; None where not known.
        sha256: hash it must have; "" where not known.
        progress: called as bytes arrive.
        patience: how long to try.

    Raises:
        DownloadError: not reachable, refused by the server, cut too often, of another size or hash, or no room; what
            has arrived is kept and named, but for a file with a wrong hash, which is set aside.
        ValueError: an address that is neither http nor https.
    """
    if urlsplit(address).scheme not in ("http", "https"):
        raise ValueError(f"download: the address must be http or https, got {address!r}")
    if target.exists():
        return _accept(target, target, address, size, sha256, already=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(part_of(target), address, size, progress or (lambda there, total: None))
    with part.held():
        _fill(part, patience or Patience())
        return _accept(part.path, target, address, size, sha256, already=False)


def _accept(path: Path, target: Path, address: str, size: int | None, sha256: str, already: bool) -> Fetched:
    """Hold a whole file to what is known of it; then it gets its name."""
    found, length = sha256_of(path), path.stat().st_size
    if (size is not None and length != size) or (sha256 and found != sha256):
        aside = target.with_name(target.name + ".refused")
        path.replace(aside)
        raise DownloadError(
            f"{target.name}: not the file that was published. Expected {_bytes(size)}, SHA-256 {sha256 or 'unknown'};"
            f" got {length:,} bytes, SHA-256 {found}. It was set aside as {aside}. Pull again; if it happens again, the"
            f" file at {address} was changed"
        )
    path.replace(target)
    return Fetched(path=target, bytes=length, sha256=found, already=already)


class _Part:
    """The bytes that have arrived and what they are part of."""

    def __init__(self, path: Path, address: str, size: int | None, progress: Progress) -> None:
        self.path, self.address, self.size, self.progress = path, address, size, progress
        self.note = path.with_name(path.name + ".json")
        self.whole = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from writing the same part."""
        with self.path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DownloadError(f"{self.path}: another animat is fetching this file now") from None
            try:
                yield
            finally:
                if not self.there:  # nothing came, or the file has its name by now
                    self.path.unlink(missing_ok=True)
                    self.note.unlink(missing_ok=True)

    @property
    def there(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def tag(self) -> dict[str, str]:
        """What the server said of the file that the part belongs to; empty where nothing is known."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        known = isinstance(note, dict) and note.get("address") == self.address
        return {key: str(value) for key, value in note.items()} if known else {}

    def begin(self, tag: dict[str, str]) -> None:
        """Forget the bytes and remember which file comes now."""
        os.truncate(self.path, 0)
        self.note.write_text(json.dumps({"address": self.address} | tag), encoding="utf-8")

    def kept(self) -> str:
        """A sentence about what is there."""
        if not self.there:
            return "Nothing has arrived yet; pull again to try again"
        return f"{self.there:,} of {_bytes(self.size)} are kept in {self.path}; pull again to continue from there"


def _fill(part: _Part, patience: Patience) -> None:
    """Read until the part is whole.

    Raises:
        DownloadError: it is not whole after all attempts.
    """
    in_vain = 0
    error: Exception = ConnectionError("the connection was cut")
    for attempt in range(1, patience.attempts + 1):
        before = part.there
        try:
            _read(part, patience.timeout_s)
        except DownloadError:
            raise
        except (http.client.HTTPException, OSError) as problem:
            error = problem
        if part.whole:
            return
        in_vain = 0 if part.there > before else in_vain + 1
        if attempt == patience.attempts or in_vain == patience.in_vain:
            raise _failed(part, error, attempt)
        time.sleep(patience.wait_s * 2**in_vain)


def _failed(part: _Part, error: Exception, attempts: int) -> DownloadError:
    host = urlsplit(part.address).hostname
    reason = getattr(error, "reason", None) or error
    tries = f"{attempts} attempts" if attempts > 1 else "1 attempt"
    return DownloadError(
        f"{part.path.name.removesuffix('.part')}: cannot fetch it from {host} ({reason}) after {tries}."
        f" {part.kept()}. Address: {part.address}"
    )


def _read(part: _Part, timeout_s: float) -> None:
    """One connection: append what it brings."""
    tag = part.tag()
    if part.there and not tag:
        part.begin({})
    if part.there and tag.get("size") == str(part.there):
        part.whole = True
        return
    request = Request(part.address, headers={"Accept-Encoding": "identity", "User-Agent": "animat"})
    if part.there:
        request.add_header("Range", f"bytes={part.there}-")
        validator = tag.get("etag", "") if not tag.get("etag", "").startswith("W/") else ""
        if validator := validator or tag.get("modified", ""):
            request.add_header("If-Range", validator)
    try:
        with urlopen(request, timeout=timeout_s) as answer:
            total = _place(part, answer, tag)
            _room(part, total)
            with part.path.open("ab") as file:
                _copy(answer, file, part, total)
            part.whole = part.there == total if total is not None else True
    except HTTPError as error:
        _refused(part, error)


def _place(part: _Part, answer: http.client.HTTPResponse, tag: dict[str, str]) -> int | None:
    """Decide from the answer where its bytes go; returns the bytes of the whole file where known.

    Raises:
        DownloadError: the server has a file of another size than was published.
    """
    length = answer.headers.get("Content-Length")
    now = {"etag": answer.headers.get("ETag", ""), "modified": answer.headers.get("Last-Modified", "")}
    if answer.status == 206:
        first, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        now["size"] = total
        same = all(not tag.get(key) or not value or tag[key] == value for key, value in now.items())
        if first.partition("-")[0] != str(part.there) or not total.isdecimal() or not same:
            part.begin({})
            raise ConnectionError("the file was changed at its source; it begins anew")
    else:
        now["size"] = total = length or ""
        part.begin(now)
    whole = int(total) if total.isdecimal() else part.size
    if part.size is not None and whole != part.size:
        part.begin({})
        raise DownloadError(
            f"{part.path.name.removesuffix('.part')}: the server has {_bytes(whole)}, but {_bytes(part.size)} were"
            f" published; the file at {part.address} was changed and is not fetched"
        )
    return whole


def _room(part: _Part, total: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and free < total - part.there:
        raise DownloadError(
            f"{part.path.name.removesuffix('.part')}: needs {total - part.there:,} more bytes in {part.path.parent},"
            f" which has {free:,} left. {part.kept()}"
        )


def _copy(answer: http.client.HTTPResponse, file: IO[bytes], part: _Part, total: int | None) -> None:
    there = part.there
    part.progress(there, total)
    while chunk := answer.read1(CHUNK):
        file.write(chunk)
        there += len(chunk)
        part.progress(there, total)


def _refused(part: _Part, error: HTTPError) -> None:
    """An answer that is not a file: worth another attempt, or the end.

    Raises:
        DownloadError: it is the end.
        ConnectionError: it is worth another attempt.
    """
    error.close()
    if error.code == 416:  # the part is longer than the file
        part.begin({})
        raise ConnectionError("the part was longer than the file; it begins anew")
    if error.code in AGAIN:
        raise ConnectionError(f"HTTP {error.code} {error.reason}")
    raise DownloadError(
        f"{part.path.name.removesuffix('.part')}: {urlsplit(part.address).hostname} answers HTTP {error.code}"
        f" {error.reason}; the address may have moved. {part.kept()}. Address: {part.address}"
    )


def _bytes(size: int | None) -> str:
    return "an unknown number of bytes" if size is None else f"{size:,} bytes"
