"""What all tests share: processes that run tests side by side keep apart, and a local HTTP server for downloads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from functools import wraps
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


def pytest_configure() -> None:
    """In a process of pytest-xdist, one thread for BLAS and OpenMP, and turns at numba's files of compiled code."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")  # read when numpy is imported, which numba does
        from numba.core.caching import IndexDataCacheFile

        for name in ("load", "save"):
            setattr(IndexDataCacheFile, name, in_turn(getattr(IndexDataCacheFile, name)))


def in_turn(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that one process at a time calls.

    Two processes that keep results of one function for different types at once may give both the same file name.
    """

    @wraps(method)
    def alone(*arguments: Any) -> Any:
        with open(__file__) as held:
            flock(held, LOCK_EX)
            return method(*arguments)

    return alone


@dataclass
class Server:
    """The local server of a download: what is served, how, and what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)  # path -> content
    ranges: bool = True  # whether range requests are understood
    if_range: bool = True  # whether If-Range is
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)  # bytes after which the next connections are cut
    answers: list[int] = field(default_factory=list)  # status of the next answers, before files are looked at
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range of every request
    hold: int | None = None  # bytes of a long file after which it waits until the client is gone
    holding: threading.Event = field(default_factory=threading.Event)  # set when it waits
    address: str = ""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            server.asked.append((self.path, self.headers["Range"]))
            content = server.files.get(self.path)
            if server.answers or content is None:
                self.close_connection = True
                return self.send_error(server.answers.pop(0) if server.answers else 404)
            first = self._first(len(content))
            if first > len(content) or (first and first == len(content)):
                return self.send_error(416)
            self._send(content, first)

        def _first(self, size: int) -> int:
            asked = self.headers["Range"]
            known = self.headers["If-Range"]
            fresh = not (server.if_range and known) or known == server.etag
            return int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges and fresh else 0

        def _send(self, content: bytes, first: int):
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            if server.etag:
                self.send_header("ETag", server.etag)
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            cut = server.cuts.pop(0) if server.cuts else None
            if server.hold is not None and len(content) > server.hold:
                self.wfile.write(content[first : server.hold])
                server.holding.set()
                with suppress(ConnectionError):
                    self.rfile.read(1)  # returns when the client hangs up
                self.close_connection = True
                return
            self.wfile.write(content[first:] if cut is None else content[first : first + cut])
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    """An HTTP server on this machine, on a port of its own."""
    served = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.address = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    http.shutdown()
    thread.join()
    http.server_close()
