"""The pictures beside the body: neurons, muscles and speed over time, drawn once; a cursor moves over them."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import numpy as np
import numpy.typing as npt

from .measures import moving_average, signed_speed
from .recorder import Recording

Frame = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

INK = "#2b2b2b"
DPI = 100
SMOOTH_S = 0.25  # s, the speed is averaged over
LABEL_ROWS = 6  # rows of the neuron picture that one label needs


class TimePanel:
    """A picture with time along x, and where a time is in it.

    Attributes:
        picture: shape (height, width, 3).
        left, right: pixel columns of the start and the end of the recording.
        top, bottom: pixel rows between which the cursor runs.
    """

    def __init__(self, recording: Recording, width: int, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        brain = "release" in recording.series
        axes = figure.subplots(3 if brain else 2, 1, sharex=True, height_ratios=[6, 2.4, 1.4] if brain else [3, 1.4])
        figure.subplots_adjust(left=0.13, right=0.97, top=0.955, bottom=0.075, hspace=0.24)
        if brain:
            _neurons(axes[0], recording)
        _muscles(axes[-2], recording)
        _speed(axes[-1], recording)
        self.time_s = recording.series["time_s"]
        canvas.draw()  # type: ignore[no-untyped-call]
        self.picture: Frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
        columns = [float(axes[-1].transData.transform((t, 0.0))[0]) for t in (self.time_s[0], self.time_s[-1])]
        self.left, self.right = columns
        self.top = height - round(axes[0].get_window_extent().y1)
        self.bottom = height - round(axes[-1].get_window_extent().y0)

    def at(self, time_s: float) -> Frame:
        """The picture with the cursor at a time, a fresh array."""
        picture = self.picture.copy()
        span = float(self.time_s[-1] - self.time_s[0]) or 1.0
        column = round(self.left + (time_s - float(self.time_s[0])) / span * (self.right - self.left))
        column = min(max(column, 0), picture.shape[1] - 2)
        picture[self.top : self.bottom, column : column + 2] = (208, 58, 38)
        return picture


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


def _neurons(axis: Any, recording: Recording) -> None:
    series = recording.series
    time_s, groups = series["time_s"], watched(recording)
    # a pair of cells is repeated to the height that its label needs
    thick = [[i for i in rows for _ in range(-(-LABEL_ROWS // len(rows)))] for _, rows in groups]
    order = [i for rows in thick for i in rows]
    axis.imshow(
        series["release"][:, order].T,
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=0.0,
        vmax=1.0,
        extent=(time_s[0], time_s[-1], len(order), 0),
    )
    ends = np.cumsum([len(rows) for rows in thick])
    middles = ends - np.array([len(rows) for rows in thick]) / 2
    axis.set_yticks(middles, [label for label, _ in groups], fontsize=8, color=INK)
    axis.hlines(ends[:-1], time_s[0], time_s[-1], color="white", linewidth=0.5, alpha=0.6)
    axis.tick_params(length=0)
    shown = sum(len(rows) for _, rows in groups)
    _title(axis, f"neurons: release, 0 (dark) to 1 (bright); {shown} of {series['release'].shape[1]} shown")


def _muscles(axis: Any, recording: Recording) -> None:
    names, activation = recording.episode["names"]["effectors"], recording.series["activation"]
    rows = sorted({name[-2:] for name in names})
    side = {
        s: np.stack([activation[:, [n[1] == s and n[-2:] == row for n in names]].mean(axis=1) for row in rows])
        for s in "DV"
    }
    time_s = recording.series["time_s"]
    axis.imshow(
        side["D"] - side["V"],
        aspect="auto",
        interpolation="nearest",
        cmap="RdBu_r",
        vmin=-0.6,
        vmax=0.6,
        extent=(time_s[0], time_s[-1], len(rows) + 0.5, 0.5),
    )
    axis.set_yticks([1, len(rows)], ["head", "tail"], fontsize=8, color=INK)
    axis.tick_params(length=0)
    _title(axis, "muscles: dorsal (red) minus ventral (blue) activation")


def _speed(axis: Any, recording: Recording) -> None:
    time_s = recording.series["time_s"]
    speed = signed_speed(time_s, recording.series["centreline_mm"])
    width = round(SMOOTH_S / float(time_s[1] - time_s[0]))
    axis.plot(time_s, moving_average(speed, width), color=INK, linewidth=1.2)
    axis.axhline(0.0, color="#9a9a9a", linewidth=0.7)
    touched = recording.series["stimulus"].sum(axis=1) > 0
    axis.fill_between(time_s, 0, 1, where=touched, transform=axis.get_xaxis_transform(), color="#e8b04a", alpha=0.35)
    axis.set_xlim(time_s[0], time_s[-1])
    axis.set_xlabel("time, s", fontsize=8, color=INK, labelpad=1)
    axis.tick_params(labelsize=7, colors=INK)
    _title(axis, "speed along the body, mm/s" + (" (shaded: stimulus)" if touched.any() else ""))


def _title(axis: Any, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=9, color=INK, pad=4)
    for spine in axis.spines.values():
        spine.set_visible(False)
