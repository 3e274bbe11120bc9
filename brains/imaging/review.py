"""A local web page on which a person decides what automatic proofreading was not sure of.

Served on 127.0.0.1 only. Every request must name this host (so that no foreign name that resolves here gets in) and,
but for the page itself, carry a random token that only the printed address holds (so that no other page can post).
Decisions go to the log of edits at once; running the stage "proofread" again writes them to the labels.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from .blocks import Workers
from .candidates import Candidate
from .edits import AUTOMATIC, Edit, live, replay
from .overlays import Picture
from .pieces import read_pieces
from .proofread import edit_log, read_queue
from .volume import Box, VolumeError
from .workspace import Workspace

__all__ = ["Review", "ReviewServer"]

HOST = "127.0.0.1"
HALF = 80  # pixels from the middle of a picture to its edge
LIMIT = 10_000  # bytes of a request
FIRST, SECOND = (255, 140, 0), (0, 140, 255)  # colours of the two sides


class Review:
    """The queue, the log, and pictures of candidates.

    Args:
        space: a workspace whose stage "proofread" is finished.
        who: name of the person, as it stands in the log.
        out: name of the corrected labels.

    Raises:
        VolumeError: the stage is not finished, or the name is not one of a person.
    """

    def __init__(self, space: Workspace, who: str, out: str = "proofread") -> None:
        if not who or who == AUTOMATIC:
            raise VolumeError(f"review: {who!r} is no name of a person")
        image, labels, self.candidates = read_queue(space, out)
        self.who, self.space, self.image = who, space, image
        self.pieces = read_pieces(space, image, labels, Workers(progress=False))
        self.log = edit_log(space, self.pieces)

    @cached_property
    def volume(self) -> Any:
        """What is shown."""
        return self.space.volume(self.image)

    def queue(self) -> list[dict[str, Any]]:
        """All candidates in order, with what a person decided."""
        decided = {edit.pairs: edit.kind for edit in live(self.log.edits) if edit.who != AUTOMATIC}
        return [
            {
                "kind": c.kind,
                "confidence": c.confidence,
                "reason": c.reason,
                "place_nm": c.place_nm,
                "decided": None if c.pairs not in decided else decided[c.pairs] == c.kind,
            }
            for c in self.candidates
        ]

    def candidate(self, index: Any) -> Candidate:
        """By its place in the queue.

        Raises:
            VolumeError: there is none.
        """
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(self.candidates):
            raise VolumeError(f"review: no candidate {index!r}; there are {len(self.candidates)}")
        return self.candidates[index]

    def decide(self, index: Any, accept: Any) -> Edit:
        """Log a decision: the edit itself, or what holds it off."""
        candidate = self.candidate(index)
        if not isinstance(accept, bool):
            raise VolumeError(f"review: accept must be true or false, got {accept!r}")
        kind = candidate.kind if accept else {"join": "split", "split": "join"}[candidate.kind]
        reason = f"{'accepted' if accept else 'rejected'}: {candidate.reason}"
        return self.log.append(kind, candidate.pairs, place_nm=candidate.place_nm, who=self.who, reason=reason)

    def undo(self) -> Edit:
        """Take back the person's last decision that counts.

        Raises:
            VolumeError: there is none.
        """
        own = [edit for edit in live(self.log.edits) if edit.who == self.who]
        if not own:
            raise VolumeError(f"review: nothing of {self.who!r} to undo")
        return self.log.undo(own[-1].id, self.who)

    def picture(self, index: Any, deeper: int = 0) -> Picture:
        """The place in the image, and with both sides coloured in a section and across sections; (y, x, 3)."""
        candidate = self.candidate(index)
        at = np.array(candidate.place_nm) / self.pieces.voxel_nm
        at[0] += deeper
        z, y, x = np.clip(np.floor(at).astype(int), 0, np.array(self.volume.shape) - 1).tolist()
        table = self._sides(candidate)
        section = self._cut(table, Box((z, y - HALF, x - HALF), (z + 1, y + HALF, x + HALF)))
        deep = max(1, round(HALF * self.pieces.voxel_nm[2] / self.pieces.voxel_nm[0]))
        across = self._cut(table, Box((z - deep, y, x - HALF), (z + deep, y + 1, x + HALF)))
        gap = np.full((2 * HALF, 4, 3), 255, dtype=np.uint8)
        return np.concatenate([section[0], gap, section[1], gap, across[0], gap, across[1]], axis=1)

    def _sides(self, candidate: Candidate) -> NDArray[np.uint8]:
        """For every fragment 1 or 2 for the side it is on, else 0."""
        edits = [edit for edit in self.log.edits if edit.pairs != candidate.pairs]
        edits.append(Edit(id=len(self.log), kind="split", pairs=candidate.pairs, who=self.who))
        regions = replay(self.pieces.pairs, self.pieces.regions, edits)
        first, second = candidate.pairs[0]
        return np.where(regions == regions[first], 1, np.where(regions == regions[second], 2, 0)).astype(np.uint8)

    def _cut(self, table: NDArray[np.uint8], box: Box) -> tuple[Picture, Picture]:
        """A plane of the image, without and with the sides; black beyond the volume."""
        z, y, x = (max(start, 0) for start in box.start)
        c, b, a = (min(stop, n) for stop, n in zip(box.stop, self.volume.shape, strict=True))
        inside = Box((z, y, x), (c, b, a))
        grey, sides = np.zeros(box.shape, np.uint8), np.zeros(box.shape, np.uint8)
        grey[inside.within(box)] = self.volume.read(inside)
        sides[inside.within(box)] = table[self.pieces.fragments(self.space, inside)]
        rows = np.arange(2 * HALF) * grey.size // (2 * HALF) ** 2  # square pixels where sections are thick
        grey, sides = (plane.reshape(-1, 2 * HALF)[rows] for plane in (grey, sides))
        plain = np.repeat(grey[..., None], 3, axis=2)
        colour = np.array([(0, 0, 0), FIRST, SECOND])[sides]
        tinted = np.where(colour.any(axis=2, keepdims=True), 0.65 * plain + 0.35 * colour, plain)
        return plain, tinted.astype(np.uint8)


class ReviewServer(ThreadingHTTPServer):
    """Serves a review; `serve_forever` until interrupted.

    Args:
        review: what is shown.
        port: of 127.0.0.1; 0 for a free one.
    """

    daemon_threads = True

    def __init__(self, review: Review, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.review, self.token, self.lock = review, secrets.token_urlsafe(24), Lock()

    @property
    def names(self) -> tuple[str, str]:
        """What a request may call this host."""
        return f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def address(self) -> str:
        """To open in a browser; the part after # never leaves it."""
        return f"http://{HOST}:{self.server_port}/#{self.token}"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: decisions are in the log of edits."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/":
            if self._welcome(token=False):
                page = files(__package__).joinpath("review_page.html").read_bytes()
                self._send(HTTPStatus.OK, page, "text/html; charset=utf-8")
            return
        routes = {"/queue": self._queue, "/picture": self._picture}
        if self._welcome():
            self._answer(routes.get(parts.path), {key: values[0] for key, values in parse_qs(parts.query).items()})

    def do_POST(self) -> None:
        routes = {"/decide": self._decide, "/undo": self._undo}
        if not self._welcome():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LIMIT:
            self.close_connection = True
            self._error(HTTPStatus.BAD_REQUEST, f"a request has at most {LIMIT} bytes")
            return
        try:
            fields = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            self._error(HTTPStatus.BAD_REQUEST, "a JSON object was expected")
            return
        self._answer(routes.get(self.path), fields)

    def _welcome(self, token: bool = True) -> bool:
        """Whether the request names this host, comes from this page, and knows the token."""
        origin = self.headers.get("Origin")
        given = self.headers.get("X-Token", "")
        known = self.headers.get("Host") in self.server.names
        known &= origin is None or origin.removeprefix("http://") in self.server.names
        if known and (not token or secrets.compare_digest(given.encode(), self.server.token.encode())):
            return True
        self.close_connection = True
        self._error(HTTPStatus.FORBIDDEN, "open the address that was printed when the review was started")
        return False

    def _answer(self, route: Any, fields: Mapping[str, Any]) -> None:
        if route is None:
            self._error(HTTPStatus.NOT_FOUND, "there is no such page")
            return
        try:
            with self.server.lock:
                body, kind = route(fields)
        except (VolumeError, ValueError) as error:
            self._error(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._send(HTTPStatus.OK, body, kind)

    def _queue(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        review = self.server.review
        return _json({"who": review.who, "candidates": review.queue()})

    def _picture(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        from imageio.v3 import imwrite

        picture = self.server.review.picture(int(fields.get("index", -1)), int(fields.get("deeper", 0)))
        return imwrite("<bytes>", picture, extension=".png"), "image/png"

    def _decide(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        return _json({"id": self.server.review.decide(fields.get("index"), fields.get("accept")).id})

    def _undo(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        return _json({"undone": self.server.review.undo().undoes})

    def _error(self, status: HTTPStatus, message: str) -> None:
        body, kind = _json({"error": message})
        self._send(status, body, kind)

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(body)


def _json(content: Any) -> tuple[bytes, str]:
    return json.dumps(content).encode(), "application/json"
