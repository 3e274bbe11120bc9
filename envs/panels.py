"""The pictures beside the body: neurons, muscles and speed over time, drawn once; a cursor moves over them."""

from __future__ import annotations

from fnmatch import fnmatch
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from .measures import moving_average, signed_speed
from .muscles import muscle_sides
from .recorder import Recording

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

INK, FAINT, PAPER = "#2b2b2b", "#c9c4b8", "#ffffff"
CURSOR = (214, 96, 20)
DPI = 100
SMOOTH_S = 0.25  # s, the speed is averaged over
LABEL_ROWS = 6  # rows of the neuron picture that one label needs, or a share of all if that is more
LABEL_SHARE = 0.035
RELEASE_COLOURS = ("#ffffff", "#d9e3d2", "#8fb08c", "#3f7d63", "#123f3c")
MUSCLE_COLOURS = ("#215cbf", "#8fb0e3", "#ffffff", "#e79a90", "#cc2924")
SATURATION = 0.6  # activation difference of the full colour


class TimePanel:
    """A picture with time along x, and where a time is in it.

    Attributes:
        picture: shape (height, width, 3).
        speed: smoothed speed along the body, mm/s, shape (T,).
        left, right: pixel columns of the start and the end of the recording.
        rows: of each plot, the pixel rows between which the cursor runs.
    """

    def __init__(self, recording: Recording, width: int, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.time_s = recording.series["time_s"]
        self.speed = smooth_speed(recording)
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        canvas = FigureCanvasAgg(figure)
        brain = "release" in recording.series
        axes = figure.subplots(3 if brain else 2, 1, sharex=True, height_ratios=[6, 2.2, 1.5] if brain else [3, 1.5])
        figure.subplots_adjust(left=0.105, right=0.965, top=0.955, bottom=0.068, hspace=0.2)
        if brain:
            plot_neurons(axes[0], recording)
        _muscles(axes[-2], recording)
        plot_speed(axes[-1], recording)
        canvas.draw()  # type: ignore[no-untyped-call]
        self.picture: Frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
        columns = [float(axes[-1].transData.transform((t, 0.0))[0]) for t in (self.time_s[0], self.time_s[-1])]
        self.left, self.right = columns
        boxes = [axis.get_window_extent() for axis in axes]
        self.rows = [slice(height - round(box.y1), height - round(box.y0)) for box in boxes]

    def at(self, time_s: float) -> Frame:
        """The picture with the cursor at a time, a fresh array."""
        picture = self.picture.copy()
        span = float(self.time_s[-1] - self.time_s[0]) or 1.0
        column = round(self.left + (time_s - float(self.time_s[0])) / span * (self.right - self.left))
        column = min(max(column, 0), picture.shape[1] - 2)
        for rows in self.rows:
            picture[rows, column : column + 2] = CURSOR
        return picture


def smooth_speed(recording: Recording) -> Floats:
    """Speed of the centroid along the body, mm/s, averaged over `SMOOTH_S`, shape (T,)."""
    time_s = recording.series["time_s"]
    speed = signed_speed(time_s, recording.series["centreline_mm"])
    return moving_average(speed, round(SMOOTH_S / float(time_s[1] - time_s[0])))


def watched(recording: Recording) -> list[tuple[str, list[int]]]:
    """Neurons to show: (group label, indices in head-to-tail or name order), for every selector of the panel."""
    names, types = recording.episode["names"]["neurons"], recording.episode["names"]["types"]
    groups = []
    for selector in recording.episode["names"]["panel"]:
        rows = [
            i
            for i, (name, kind) in enumerate(zip(names, types, strict=True))
            if selector in (name, kind) or fnmatch(name, selector)
        ]
        rows.sort(key=lambda i: (len(names[i]), names[i]))
        if rows:
            groups.append((selector.rstrip("*"), rows))
    return groups


def plot_neurons(axis: Any, recording: Recording) -> None:
    """What the watched neurons do over time, a row a neuron: transmitter release, or the rate of a rate model."""
    series, groups = recording.series, watched(recording)
    time_s, what, values, top = series["time_s"], "transmitter release", series["release"], 1.0
    if recording.episode["options"]["model"] == "rate":  # whose "voltage" is the rate, Hz
        what, values = "firing rate, Hz", series["voltage_mv"]
        most_hz = float(values[:, [i for _, rows in groups for i in rows]].max(initial=0.0))
        top = max(10.0, 10.0 * ceil(most_hz / 10.0))
    # a pair of cells is repeated to the height that its label needs
    least = max(LABEL_ROWS, round(LABEL_SHARE * sum(len(rows) for _, rows in groups)))
    thick = [[i for i in rows for _ in range(-(-least // len(rows)))] for _, rows in groups]
    order = [i for rows in thick for i in rows]
    picture = _heat(axis, values[:, order].T, RELEASE_COLOURS, (0.0, top), (time_s[0], time_s[-1]))
    ends = np.cumsum([len(rows) for rows in thick])
    middles = ends - np.array([len(rows) for rows in thick]) / 2
    axis.set_yticks(middles - 0.5, [label for label, _ in groups], fontsize=8.5, color=INK)
    axis.hlines(ends[:-1] - 0.5, time_s[0], time_s[-1], color=FAINT, linewidth=0.6)
    shown = sum(len(rows) for _, rows in groups)
    title(axis, f"Neurons, {shown} of {values.shape[1]}: {what}")
    _key(axis, picture, (0.0, top), ("0", f"{top:g}"))


def _muscles(axis: Any, recording: Recording) -> None:
    time_s, activation = recording.series["time_s"], recording.series["activation"]
    sides = muscle_sides(recording.episode["names"]["effectors"], activation)
    span = (time_s[0], time_s[-1])
    if sides is None:
        picture = _heat(axis, activation.T, RELEASE_COLOURS, (0.0, 1.0), span)
        title(axis, "Effectors: activation")
        _key(axis, picture, (0.0, 1.0), ("0", "1"))
        axis.set_yticks([])
        return
    difference = (sides[0] - sides[1]).T
    picture = _heat(axis, difference, MUSCLE_COLOURS, (-SATURATION, SATURATION), span)
    axis.set_yticks([0, len(difference) - 1], ["head", "tail"], fontsize=8.5, color=INK)
    title(axis, "Body-wall muscles: dorsal minus ventral activation")
    _key(axis, picture, (-SATURATION, SATURATION), ("ventral", "dorsal"))


def plot_speed(axis: Any, recording: Recording) -> None:
    """Smoothed speed along the body over time, and when there was a stimulus."""
    time_s, speed = recording.series["time_s"], smooth_speed(recording)
    axis.plot(time_s, speed, color=INK, linewidth=1.3)
    axis.axhline(0.0, color=FAINT, linewidth=0.8, zorder=0)
    axis.fill_between(time_s, speed, 0, where=speed < 0, color="#215cbf", alpha=0.25, linewidth=0)
    touched = recording.series["stimulus"].sum(axis=1) > 0
    axis.fill_between(time_s, 0, 1, where=touched, transform=axis.get_xaxis_transform(), color="#e8b04a", alpha=0.35)
    axis.set_xlim(time_s[0], time_s[-1])
    low, high = min(float(speed.min()), -0.02), max(float(speed.max()), 0.1)
    axis.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
    axis.set_xlabel("time (s)", fontsize=8.5, color=INK, labelpad=1)
    axis.tick_params(labelsize=8.5, colors=INK, length=3)
    title(axis, "Speed along the body, mm/s" + ("   (shaded: stimulus)" if touched.any() else ""))


def _heat(
    axis: Any, rows: npt.NDArray[Any], colours: tuple[str, ...], limits: tuple[float, float], span: tuple[float, float]
) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    axis.tick_params(length=0)
    return axis.imshow(
        rows,
        aspect="auto",
        interpolation="nearest",
        cmap=LinearSegmentedColormap.from_list("animat", colours),
        vmin=limits[0],
        vmax=limits[1],
        extent=(*span, len(rows) - 0.5, -0.5),
    )


def _key(axis: Any, picture: Any, limits: tuple[float, float], labels: tuple[str, str]) -> None:
    """A small colour scale at the right end of the title line."""
    height = axis.get_window_extent().height
    place = axis.inset_axes([0.80, 1 + 6 / height, 0.12, 7 / height])
    bar = axis.figure.colorbar(picture, cax=place, orientation="horizontal", ticks=[])
    bar.outline.set_edgecolor(FAINT)
    for x, label, side in ((-0.06, labels[0], "right"), (1.06, labels[1], "left")):
        place.text(x, 0.4, label, transform=place.transAxes, fontsize=8, color=INK, ha=side, va="center")


def title(axis: Any, text: str) -> None:
    """The title of a plot, and the colour of its frame."""
    # not set_title, which moves up to clear the colour key
    axis.text(0, 1 + 5 / axis.get_window_extent().height, text, transform=axis.transAxes, fontsize=9.5, color=INK)
    for spine in axis.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.8)
