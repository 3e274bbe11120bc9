"""`animat render`: film a recording again, without simulating."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .run import progress_bar


def render(
    folder: Annotated[Path, typer.Argument(help="Folder of a recording.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The video; FOLDER/video.mp4 by default.")] = None,
    fps: Annotated[int, typer.Option(min=1, max=100, help="Frames a second.")] = 25,
) -> None:
    """Render the video of a recording."""
    from ..envs import opengl

    reason = opengl.prepare(True)
    if reason:
        raise opengl.RenderingError(reason)
    from ..envs.recorder import VIDEO, Recording
    from ..envs.video import render_video

    recording = Recording.load(folder)
    with progress_bar("filming") as progress:
        path = render_video(recording, out or folder / VIDEO, fps=fps, progress=progress)
    print(f"wrote {path}")
