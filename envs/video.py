"""The video of a recording: the body from a tracking camera beside what its neurons and muscles do."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..organisms.organism import make
from .arenas import channels_of
from .fieldmap import FieldMap
from .fields import from_description
from .measures import moving_average
from .muscles import muscle_sides
from .overlay import HEADER, Header, Plate, annotate
from .panels import TimePanel
from .recorder import Recording
from .rendering import GROUND, BodyCamera, RenderingError, Tube
from .tubes import BodyTubes, trail

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT = 1280, 720
VIEW_BODIES = 672 / 464  # body lengths that the camera's view is high: the grid falls on whole pixels
FOLLOW_S = 1.5  # s, the camera follows the centroid averaged over this long, so that it does not shake
TRAIL_S = 12.0  # s, how long the path of the centroid stays
TRAIL_STEP_S = 0.05  # s, between points of the path
TRAIL_PIXELS = 1.6  # half its width
TRAIL = np.array([0.62, 0.57, 0.48])
SAMPLES = 4  # a pixel: smooth edges, at a quarter of the speed


def body_of(recording: Recording) -> Body:
    """The body a recording was made with."""
    options = recording.episode["options"]
    return make(options["organism"]).rebuild(options["body"])


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
    """Everything that is drawn once, and a frame for every step. Use it as a context manager: it owns a camera."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.body = recording, body_of(recording)
        self.data = self.body.new_data()
        series, side = recording.series, (WIDTH // 2, HEIGHT - HEADER)
        step_s = float(series["time_s"][1] - series["time_s"][0])
        self.centroid = series["centreline_mm"].mean(axis=1)
        self.looked_at = moving_average(self.centroid, round(FOLLOW_S / step_s))
        self.trail_steps, self.trail_every = round(TRAIL_S / step_s), max(1, round(TRAIL_STEP_S / step_s))
        self.sides = muscle_sides(recording.episode["names"]["effectors"], series["activation"])
        self.tubes = BodyTubes(self.body) if self.sides is not None and BodyTubes.fit(self.body) else None
        fields = [from_description(field) for field in recording.episode["options"].get("fields", [])]
        self.fields, self.map = fields, FieldMap(fields[0], self.centroid) if fields else None
        self.panel, self.header = TimePanel(recording, *side), Header(recording, WIDTH)
        self.camera = BodyCamera(self.body, *side, VIEW_BODIES * self.body.length_mm, SAMPLES)

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self.camera.close()

    def frame(self, step: int) -> Frame:
        """The picture of a control step, shape (720, 1280, 3)."""
        import mujoco

        series = self.recording.series
        self.data.qpos[:] = series["qpos"][step]
        mujoco.mj_kinematics(self.body.model, self.data)
        flat = [*self._contours(step), self._trail(step)]
        view = self.camera.frame(self.data, self.looked_at[step], self._tubes(step), flat)
        state = (float(self.panel.speed[step]), self._stimulus(step), self.tubes is not None)
        view = annotate(view, self.camera.pixels_per_mm, *state, self._plate(step))
        time_s = float(series["time_s"][step])
        return np.vstack([self.header.at(time_s), np.hstack([view, self.panel.at(time_s)])])

    def _tubes(self, step: int) -> list[Tube]:
        if self.tubes is None or self.sides is None:
            return []
        return self.tubes.at(self.data, self.sides[0][step], self.sides[1][step])

    def _contours(self, step: int) -> list[Tube]:
        if self.map is None:
            return []
        camera = self.camera
        return self.map.contours(self.looked_at[step], camera.view_mm, camera.depth_mm * 0.9, camera.pixels_per_mm)

    def _plate(self, step: int) -> Plate | None:
        if self.map is None:
            return None
        values = self.recording.series["field"][step].tolist()
        felt = [
            f"{self.body.channels[field.modality][k]} {values.pop(0):.1f} {field.unit}"
            for field in self.fields
            for k in channels_of(field, self.body)
        ]
        return Plate(*self.map.at(step), ", ".join(felt))

    def _trail(self, step: int) -> Tube:
        # multiples of the spacing, or the points would slide along the path from frame to frame
        first = max(0, step - self.trail_steps) // self.trail_every * self.trail_every
        rows = [*range(first, step, self.trail_every), step]
        width = TRAIL_PIXELS / self.camera.pixels_per_mm
        return trail(self.centroid[rows], self.camera.depth_mm * 0.8, width, TRAIL, np.array(GROUND))

    def _stimulus(self, step: int) -> str:
        values, names = self.recording.series["stimulus"][step], self.recording.episode["names"]["modalities"]
        return ", ".join(name for name, value in zip(names, values, strict=True) if value)
