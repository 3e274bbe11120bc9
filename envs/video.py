"""The video of a recording: the body from a tracking camera beside what its neurons and muscles do."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..organisms.organism import make
from .legged_view import LeggedView
from .opengl import RenderingError
from .overlay import HEADER, Header
from .recorder import Recording
from .top_view import TopView

Frame = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720


class View(Protocol):
    """How a kind of animal is shown: made of a recording, its body, and the width and height of the pictures."""

    def frame(self, step: int) -> Frame:
        """The picture of a control step, shape (height, width, 3)."""

    def close(self) -> None:
        """Free what it owns."""


def body_of(recording: Recording) -> Body:
    """The body a recording was made with."""
    options = recording.episode["options"]
    return make(options["organism"]).rebuild(options["body"])


def view_of(body: Body) -> Callable[[Recording, Body, int, int], View]:
    """The view that suits a body."""
    return LeggedView if body.legs else TopView


def render_video(
    recording: Recording,
    path: str | PathLike[str],
    fps: int = 25,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the recording as an mp4 of 1280 x 720, in real time.

    Args:
        recording: what to show.
        path: of the video; written under a temporary name first.
        fps: frames a second.
        progress: called with frames done and frames in all.

    Raises:
        RenderingError: there is no OpenGL here, or less than two control steps to show.
    """
    from imageio import v2 as imageio

    target = Path(path)
    temporary = target.with_name(f".{target.stem}.part.mp4")
    target.parent.mkdir(parents=True, exist_ok=True)
    time_s = recording.series["time_s"]
    if len(time_s) < 2:
        raise RenderingError(f"a video needs at least 2 control steps, the recording has {len(time_s)}")
    picks = np.searchsorted(time_s, np.arange(time_s[0], time_s[-1] + 1e-9, 1 / fps))
    try:
        with Film(recording) as film, imageio.get_writer(temporary, fps=fps, macro_block_size=8, quality=8) as writer:
            for done, step in enumerate(picks, start=1):
                writer.append_data(film.frame(int(step)))  # type: ignore[attr-defined]
                if progress is not None:
                    progress(done, len(picks))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


class Film:
    """What is drawn once, and a frame for every step. Use it as a context manager: its view owns a camera."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.header = recording, Header(recording, WIDTH)
        body = body_of(recording)
        self.view = view_of(body)(recording, body, WIDTH, HEIGHT - HEADER)

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self.view.close()

    def frame(self, step: int) -> Frame:
        """The picture of a control step, shape (720, 1280, 3)."""
        time_s = float(self.recording.series["time_s"][step])
        return np.vstack([self.header.at(time_s), self.view.frame(step)])
