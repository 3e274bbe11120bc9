"""How an animal with legs is filmed: in perspective with its footprints, beside neurons, footfalls and speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..bodies.eyes import CompoundEye, Eye, PictureEye
from .arenas import channels_of
from .eye_maps import EyeMaps
from .eye_pictures import EyePictures
from .fieldmap import FieldMap
from .fields import PatchField, from_description
from .follow_camera import FollowCamera, Patch, Print
from .gait import footfalls, stances
from .measures import body_axis, moving_average
from .overlay import MARGIN, Plate, stimulus, with_plate, write
from .panels import INK, PAPER, plot_neurons, plot_speed, smooth_speed, title
from .recorder import Recording
from .scroll_panel import Plot, ScrollPanel

Frame = npt.NDArray[np.uint8]

FOLLOW_S, TURN_S = 0.5, 1.5  # s, the camera follows the place and the heading averaged over this long
PRINT_S = 1.5  # s, how long a footprint stays
SAMPLES = 4  # a pixel
MAP_PIXELS = 200  # of the map of a field
BAR, GAP = 3, 1  # rows of a leg's bar and of the space below it


class LeggedView:
    """The pictures of a recording, under the title; it owns a camera.

    Args:
        recording: what is shown.
        body: that the recording was made with; it has legs.
        width: of the pictures, pixels.
        height: of the pictures, pixels.
    """

    def __init__(self, recording: Recording, body: Body, width: int, height: int) -> None:
        self.recording, self.body, self.data = recording, body, body.new_data()
        series, side = recording.series, (width // 2, height)
        step_s = float(series["time_s"][1] - series["time_s"][0])
        line = series["centreline_mm"]
        axis = body_axis(line)
        heading = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
        self.looked_at = moving_average(line.mean(axis=1), round(FOLLOW_S / step_s))
        self.heading = moving_average(heading, round(TURN_S / step_s))
        self.speed = smooth_speed(recording)
        self.prints = _prints(recording, weight_un(body))
        self.panel = ScrollPanel(recording, *side, _plots(recording, body))
        self.camera = FollowCamera(body, *side, SAMPLES)
        retina = body.retina() if "seen" in series else None
        self.eyes = None if retina is None else _eyes(retina.eyes)
        fields = [from_description(field) for field in recording.episode["options"].get("fields", [])]
        patches = [field for field in fields if isinstance(field, PatchField)]
        self.camera.patches = [Patch(field.x_mm, field.y_mm, field.radius_mm) for field in patches]
        self.fields = [field for field in fields if not isinstance(field, PatchField)]
        self.map = FieldMap(self.fields[0], line.mean(axis=1), MAP_PIXELS) if self.fields else None
        self.felt = [field in self.fields[:1] for field in fields for _ in channels_of(field, body)]

    def close(self) -> None:
        """Free the camera."""
        self.camera.close()

    def frame(self, step: int) -> Frame:
        """The picture of a control step, shape (height, width, 3)."""
        import mujoco

        time_s = float(self.recording.series["time_s"][step])
        self.data.qpos[:] = self.recording.series["qpos"][step]
        mujoco.mj_kinematics(self.body.model, self.data)
        mujoco.mj_comPos(self.body.model, self.data)
        mujoco.mj_camlight(self.body.model, self.data)
        self.camera.aim(float(self.heading[step]))
        self.camera.prints = [
            Print(x, y, 1 - (time_s - landed_s) / PRINT_S)
            for landed_s, x, y in self.prints
            if 0 <= time_s - landed_s < PRINT_S
        ]
        view = self.camera.frame(self.data, self.looked_at[step])
        way = "forward" if self.speed[step] > 0 else "backward"
        state = f"{abs(self.speed[step]):.1f} mm/s {way}"
        if self.eyes is not None:
            view = self.eyes.drawn(view, self.recording.series["seen"][step], MARGIN, MARGIN)
        view = self._with_map(view, step)
        view = write(view, f"grid {self.camera.grid_mm:g} mm", state, stimulus(self.recording, step))
        return np.hstack([view, self.panel.at(time_s)])

    def _with_map(self, view: Frame, step: int) -> Frame:
        """The view with a map of the first field that is not a patch on the ground, and the most that is felt of it."""
        if self.map is None:
            return view
        field, series = self.fields[0], self.recording.series
        felt = f"{field.modality} {series['field'][step][self.felt].max():.2f} {field.unit}".rstrip()
        return with_plate(view, Plate(*self.map.at(step, float(series["time_s"][step])), felt))


def _eyes(eyes: tuple[Eye, ...]) -> EyeMaps | EyePictures:
    """What draws the pictures of eyes of their kind."""
    pictures = [eye for eye in eyes if isinstance(eye, PictureEye)]
    return EyePictures(pictures) if pictures else EyeMaps([eye for eye in eyes if isinstance(eye, CompoundEye)])


def weight_un(body: Body) -> float:
    """Weight of an animal whose body is in g and mm, uN."""
    return float(-body.model.body_mass.sum() * body.model.opt.gravity[2])


def plot_footfalls(axis: Any, recording: Recording, body: Body) -> None:
    """A row a leg, black while its foot stands."""
    from matplotlib.colors import ListedColormap

    time_s = recording.series["time_s"]
    legs, standing = body.legs, stances(time_s, recording.series["contacts_un"], weight_un(body)).T
    rows = np.zeros((len(legs), BAR + GAP, len(time_s)), bool)
    rows[:, :BAR] = standing[:, None]
    half_s = (time_s[1] - time_s[0]) / 2  # a sample is drawn about its own time
    span = (time_s[0] - half_s, time_s[-1] + half_s, len(legs) - 0.5, -0.5)
    colours = ListedColormap([PAPER, INK])
    axis.imshow(
        rows.reshape(-1, len(time_s)), aspect="auto", interpolation="nearest", cmap=colours, extent=span, vmin=0, vmax=1
    )
    axis.set_yticks(np.arange(len(legs)) - 0.5 * GAP / (BAR + GAP), legs, fontsize=8.5, color=INK)
    axis.tick_params(length=0)
    title(axis, "Footfalls: black while the foot stands")


def _plots(recording: Recording, body: Body) -> list[Plot]:
    def footfall_plot(axis: Any, recording: Recording) -> None:
        plot_footfalls(axis, recording, body)

    brain: list[Plot] = [(plot_neurons, 6.0)] if "release" in recording.series else []
    return [*brain, (footfall_plot, 2.4), (plot_speed, 1.5)]


def _prints(recording: Recording, weight: float) -> list[tuple[float, float, float]]:
    """When and where a foot has landed: time, s, x and y, mm."""
    time_s, feet = recording.series["time_s"], recording.series["feet_mm"]
    standing = stances(time_s, recording.series["contacts_un"], weight)
    found = []
    for leg in range(standing.shape[1]):
        landed = footfalls(time_s, standing[:, leg]).touchdowns
        for row, at in zip(np.searchsorted(time_s, landed), landed, strict=True):
            found.append((float(at), float(feet[row, leg, 0]), float(feet[row, leg, 1])))
    return found
