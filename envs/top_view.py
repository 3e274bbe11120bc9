"""How an animal that lies in a plane is filmed: from above, its muscles as coloured bands, beside plots of the run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from .arenas import channels_of
from .camera import Tube
from .fieldmap import FieldMap
from .fields import from_description
from .measures import moving_average
from .muscles import muscle_sides
from .overlay import Plate, annotate, stimulus
from .panels import TimePanel
from .recorder import Recording
from .rendering import GROUND, BodyCamera
from .tubes import BodyTubes, trail

Frame = npt.NDArray[np.uint8]

VIEW_BODIES = 672 / 464  # body lengths that the camera's view is high: the grid falls on whole pixels
FOLLOW_S = 1.5  # s, the camera follows the centroid averaged over this long, so that it does not shake
TRAIL_S = 12.0  # s, how long the path of the centroid stays
TRAIL_STEP_S = 0.05  # s, between points of the path
TRAIL_PIXELS = 1.6  # half its width
TRAIL = np.array([0.62, 0.57, 0.48])
SAMPLES = 4  # a pixel: smooth edges, at a quarter of the speed


class TopView:
    """The pictures of a recording, under the title; it owns a camera.

    Args:
        recording: what is shown.
        body: that the recording was made with.
        width: of the pictures, pixels.
        height: of the pictures, pixels.
    """

    def __init__(self, recording: Recording, body: Body, width: int, height: int) -> None:
        self.recording, self.body, self.data = recording, body, body.new_data()
        series, side = recording.series, (width // 2, height)
        step_s = float(series["time_s"][1] - series["time_s"][0])
        self.centroid = series["centreline_mm"].mean(axis=1)
        self.looked_at = moving_average(self.centroid, round(FOLLOW_S / step_s))
        self.trail_steps, self.trail_every = round(TRAIL_S / step_s), max(1, round(TRAIL_STEP_S / step_s))
        self.sides = muscle_sides(recording.episode["names"]["effectors"], series["activation"])
        self.tubes = BodyTubes(body) if self.sides is not None and BodyTubes.fit(body) else None
        self.fields = [from_description(field) for field in recording.episode["options"].get("fields", [])]
        self.map = FieldMap(self.fields[0], self.centroid) if self.fields else None
        self.panel = TimePanel(recording, *side)
        self.camera = BodyCamera(body, *side, VIEW_BODIES * body.length_mm, SAMPLES)

    def close(self) -> None:
        """Free the camera."""
        self.camera.close()

    def frame(self, step: int) -> Frame:
        """The picture of a control step, shape (height, width, 3)."""
        import mujoco

        series = self.recording.series
        self.data.qpos[:] = series["qpos"][step]
        mujoco.mj_kinematics(self.body.model, self.data)
        flat = [*self._contours(step), self._trail(step)]
        view = self.camera.frame(self.data, self.looked_at[step], self._tubes(step), flat)
        state = (float(self.panel.speed[step]), stimulus(self.recording, step), self.tubes is not None)
        view = annotate(view, self.camera.pixels_per_mm, *state, self.plate(step))
        return np.hstack([view, self.panel.at(float(series["time_s"][step]))])

    def plate(self, step: int) -> Plate | None:
        """The map of the first field at a control step; None without fields."""
        if self.map is None:
            return None
        values = self.recording.series["field"][step].tolist()
        felt = [
            f"{self.body.channels[field.modality][k]} {values.pop(0):.1f} {field.unit}"
            for field in self.fields
            for k in channels_of(field, self.body)
        ]
        return Plate(*self.map.at(step), ", ".join(felt))

    def _tubes(self, step: int) -> list[Tube]:
        if self.tubes is None or self.sides is None:
            return []
        return self.tubes.at(self.data, self.sides[0][step], self.sides[1][step])

    def _contours(self, step: int) -> list[Tube]:
        if self.map is None:
            return []
        camera = self.camera
        return self.map.contours(self.looked_at[step], camera.view_mm, camera.depth_mm * 0.9, camera.pixels_per_mm)

    def _trail(self, step: int) -> Tube:
        # multiples of the spacing, or the points would slide along the path from frame to frame
        first = max(0, step - self.trail_steps) // self.trail_every * self.trail_every
        rows = [*range(first, step, self.trail_every), step]
        width = TRAIL_PIXELS / self.camera.pixels_per_mm
        return trail(self.centroid[rows], self.camera.depth_mm * 0.8, width, TRAIL, np.array(GROUND))
