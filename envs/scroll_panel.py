"""Plots over time that move past a fixed cursor, for recordings whose events are short against their length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .panels import CURSOR, DPI, PAPER
from .recorder import Recording

Frame = npt.NDArray[np.uint8]
Plot = tuple[Callable[[Any, Recording], None], float]
"""Draws one plot into a matplotlib axis, time along x; and its height against the others'."""

BEFORE_S, AFTER_S = 1.5, 0.5  # s, what is seen of the past and of what is to come
LONGEST_S = 120.0  # s, longer recordings are drawn to a smaller scale
LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 0.125, 0.965, 0.955, 0.068, 0.2  # of the plots in the picture


class ScrollPanel:
    """A frame with titles and scales that is drawn once, and a strip a plot as long as the recording that moves in it.

    Args:
        recording: what is shown.
        width: of the picture, pixels.
        height: of the picture, pixels.
        plots: from top to bottom.
    """

    def __init__(self, recording: Recording, width: int, height: int, plots: Sequence[Plot]) -> None:
        time_s = recording.series["time_s"]
        self._start_s, end_s = float(time_s[0]), float(time_s[-1])
        scale = max(1.0, (end_s - self._start_s) / LONGEST_S)
        self._before_s, self._window_s = scale * BEFORE_S, scale * (BEFORE_S + AFTER_S)
        figure, axes = self._frame(recording, width, height, plots)
        self.picture = _pixels(figure)
        boxes = [axis.get_window_extent() for axis in axes]
        left, right = round(boxes[0].x0) + 1, round(boxes[0].x1) - 1  # within the frames
        self._columns, self._per_s = slice(left, right), (right - left) / self._window_s
        self._rows = [slice(height - round(box.y1) + 1, height - round(box.y0) - 1) for box in boxes]
        span = (self._start_s - self._before_s, end_s + self._window_s - self._before_s)
        self._strips = [
            _strip(recording, draw, span, self._per_s, rows.stop - rows.start)
            for (draw, _), rows in zip(plots, self._rows, strict=True)
        ]

    def _frame(self, recording: Recording, width: int, height: int, plots: Sequence[Plot]) -> tuple[Any, Any]:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        axes = figure.subplots(len(plots), 1, sharex=True, height_ratios=[share for _, share in plots], squeeze=False)
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM, hspace=BETWEEN)
        for (draw, _), axis in zip(plots, axes[:, 0], strict=True):
            draw(axis, recording)
            axis.set(xticks=[], ylim=axis.get_ylim())
            for drawn in (*axis.images, *axis.lines, *axis.collections):  # these are for the strips
                drawn.remove()
        last, after_s = axes[-1, 0], self._window_s - self._before_s
        last.set_xlim(self._start_s, self._start_s + self._window_s)
        last.set_xticks(self._start_s + self._before_s + after_s * np.arange(-3, 2))
        last.set_xticklabels([f"{after_s * k:+g}" if k else "now" for k in range(-3, 2)])
        last.set_xlabel("time (s)", labelpad=1)
        return figure, axes[:, 0]

    def at(self, time_s: float) -> Frame:
        """The picture at a time, a fresh array."""
        picture = self.picture.copy()
        first = round((time_s - self._start_s) * self._per_s)
        width = self._columns.stop - self._columns.start
        cursor = self._columns.start + round(self._before_s * self._per_s)
        for strip, rows in zip(self._strips, self._rows, strict=True):
            picture[rows, self._columns] = strip[:, first : first + width]
            picture[rows, cursor : cursor + 2] = CURSOR
        return picture


def _strip(
    recording: Recording, draw: Callable[[Any, Recording], None], span: tuple[float, float], per_s: float, height: int
) -> Frame:
    """One plot over the whole of `span`, s, without its frame."""
    from matplotlib.figure import Figure

    width = int(np.ceil((span[1] - span[0]) * per_s)) + 2
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    axis = figure.add_axes((0, 0, 1, 1))
    draw(axis, recording)
    axis.set_xlim(span[0], span[0] + width / per_s)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return _pixels(figure)


def _pixels(figure: Any) -> Frame:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels: Frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
    return pixels
