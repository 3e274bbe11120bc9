"""The video of a recording: the body from a tracking camera beside what its neurons and muscles do."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..bodies.drag import Medium
from ..organisms.organism import make
from .measures import moving_average
from .panels import TimePanel
from .recorder import Recording
from .rendering import BodyCamera

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT, HEADER = 1280, 720, 44
VIEW_MM = 1.5  # mm, height of the camera's view for a body of 1 mm
FOLLOW_S = 1.5  # s, the camera follows the centroid averaged over this long, so that it does not shake
TRAIL_POINTS = 120
INK = (43, 43, 43)
BODY_RGB, DORSAL_RGB, VENTRAL_RGB = (np.array(c) for c in ([0.80, 0.68, 0.52], [0.84, 0.25, 0.18], [0.20, 0.40, 0.78]))


def body_of(recording: Recording) -> Body:
    """The body a recording was made with."""
    options = recording.episode["options"]
    built = options["body"]
    return make(options["organism"]).body(medium=Medium(**built["medium"]), planar=built["planar"])


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
        RenderingError: there is no OpenGL here.
    """
    from imageio import v2 as imageio

    target = Path(path)
    temporary = target.with_name(f".{target.stem}.part.mp4")
    target.parent.mkdir(parents=True, exist_ok=True)
    scene = _Scene(recording)
    time_s = recording.series["time_s"]
    picks = np.searchsorted(time_s, np.arange(time_s[0], time_s[-1] + 1e-9, 1 / fps))
    with scene.camera, imageio.get_writer(temporary, fps=fps, macro_block_size=8, quality=8) as writer:
        for done, step in enumerate(picks, start=1):
            writer.append_data(scene.frame(int(step)))  # type: ignore[attr-defined]
            if progress is not None:
                progress(done, len(picks))
    temporary.replace(target)
    return target


class _Scene:
    """Everything that is drawn once, and a frame for every step."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.body = recording, body_of(recording)
        self.data = self.body.new_data()
        self.panel = TimePanel(recording, WIDTH // 2, HEIGHT - HEADER)
        self.camera = BodyCamera(self.body, WIDTH // 2, HEIGHT - HEADER, VIEW_MM * self.body.length_mm)
        self.centroid = recording.series["centreline_mm"].mean(axis=1)
        step_s = float(np.diff(recording.series["time_s"][:2])[0])
        self.looked_at = moving_average(self.centroid, round(FOLLOW_S / step_s))
        self.colours = _muscle_colours(recording, self.body)
        self.title = _title(recording)

    def frame(self, step: int) -> Frame:
        import mujoco

        self.data.qpos[:] = self.recording.series["qpos"][step]
        mujoco.mj_kinematics(self.body.model, self.data)
        trail = self.centroid[: step + 1 : max(1, len(self.centroid) // TRAIL_POINTS)]
        view = self.camera.frame(self.data, self.looked_at[step], self.colours[step], trail)
        time_s = float(self.recording.series["time_s"][step])
        nose = self.recording.series["centreline_mm"][step, 0] - self.looked_at[step]
        both = np.hstack([_annotated(view, self.camera.pixels_per_mm, nose), self.panel.at(time_s)])
        return np.vstack([_header(self.title, f"{time_s:5.2f} s"), both])


def _muscle_colours(recording: Recording, body: Body) -> Floats:
    """Red, green, blue of each segment at each step: dorsal activation reddens, ventral turns blue, (T, ngeom, 3)."""
    names, activation = recording.episode["names"]["effectors"], recording.series["activation"]
    rows = sorted({name[-2:] for name in names})
    difference = np.stack(
        [
            activation[:, [n[1] == "D" and n[-2:] == row for n in names]].mean(axis=1)
            - activation[:, [n[1] == "V" and n[-2:] == row for n in names]].mean(axis=1)
            for row in rows
        ],
        axis=1,
    )
    at = np.linspace(0, len(rows) - 1, body.model.ngeom)
    left = np.floor(at).astype(int)
    right = np.minimum(left + 1, len(rows) - 1)
    shade = difference[:, left] * (1 - (at - left)) + difference[:, right] * (at - left)
    strength = np.clip(np.abs(shade) * 1.6, 0, 1)[..., None]
    target = np.where(shade[..., None] > 0, DORSAL_RGB, VENTRAL_RGB)
    return np.asarray(BODY_RGB * (1 - strength) + target * strength, dtype=np.float64)


def _title(recording: Recording) -> str:
    options = recording.episode["options"]
    brain = options["brain"] or "policy"
    words = [options["organism"], options["task"], f"brain: {brain}"]
    if options["brain"]:
        words.append(f"model: {options['model']}")
    if options["ablate"]:
        words.append("ablated: " + ",".join(options["ablate"]))
    if options["drive"]:
        words.append("driven: " + ",".join(f"{k} {v:g} mV" for k, v in options["drive"].items()))
    return "   ".join(words)


def _font(size: int) -> Any:
    from matplotlib import font_manager
    from PIL import ImageFont

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _header(title: str, clock: str) -> Frame:
    from PIL import Image, ImageDraw

    strip = Image.new("RGB", (WIDTH, HEADER), INK)
    draw = ImageDraw.Draw(strip)
    draw.text((16, 11), title, fill=(245, 243, 238), font=_font(18))
    draw.text((WIDTH - 100, 11), clock, fill=(245, 243, 238), font=_font(18))
    return np.asarray(strip)


def _annotated(view: Frame, pixels_per_mm: float, nose_mm: Floats, bar_mm: float = 0.5) -> Frame:
    """The view with a dot on the nose and a scale bar."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(view)
    draw = ImageDraw.Draw(image)
    x, y = view.shape[1] / 2 + nose_mm[0] * pixels_per_mm, view.shape[0] / 2 - nose_mm[1] * pixels_per_mm
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=INK)
    length, left, base = round(bar_mm * pixels_per_mm), 24, view.shape[0] - 28
    draw.rectangle((left, base, left + length, base + 4), fill=INK)
    draw.text((left, base - 22), f"{bar_mm:g} mm", fill=INK, font=_font(14))
    draw.text((left + length + 24, base - 8), "dot: nose", fill=INK, font=_font(14))
    return np.asarray(image)
