"""The picture of `animat controls`: a panel a measure, a dot a seed, the mean and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

INK, FAINT, LIVE, BAND = "#2b2b2b", "#8a8578", "#cc2924", "#3f7d63"
DPI, PER_ROW = 120, 3
UNITS = {"_mm_s": "mm/s", "_hz": "Hz", "_rad": "rad", "_deg": "deg", "_mm": "mm", "_body_lengths": "body lengths"}


def save_picture(
    path: Path, runs: pd.DataFrame, table: pd.DataFrame, measures: Sequence[str], bands: Mapping[str, Any]
) -> None:
    """Write the PNG.

    Args:
        path: of the file.
        runs: one row a run, from `Experiment.run`.
        table: from `compare`.
        measures: which to draw, in order.
        bands: measure -> `Band`, drawn where finite.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = ceil(len(measures) / PER_ROW), min(PER_ROW, len(measures))
    order = list(dict.fromkeys(runs["condition"]))
    figure = Figure(figsize=(4.6 * columns + 1.2, (0.32 * len(order) + 1.5) * rows), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name in zip(panels, measures, strict=False):
        _panel(axes, name, runs, table[table["measure"] == name], order, bands.get(name))
    for axes in panels[len(measures) :]:
        axes.set_axis_off()
    for k, axes in enumerate(panels[: len(measures)]):
        axes.set_yticks(range(len(order)), order if k % columns == 0 else [""] * len(order))
    seeds = runs["seed"].nunique()
    figure.suptitle(f"every dot a seed ({seeds}), bars 95 % bootstrap intervals of the mean", color=INK, fontsize=10)
    temporary = path.with_name(f".{path.stem}.tmp.png")
    canvas.print_png(temporary)  # type: ignore[no-untyped-call]
    temporary.replace(path)


def _panel(axes: Any, name: str, runs: pd.DataFrame, rows: pd.DataFrame, order: list[str], band: Any) -> None:
    """One measure; conditions from top to bottom."""
    edges = [] if band is None else [edge for edge in (band.low, band.high) if isfinite(edge)]
    if len(edges) == 2:
        axes.axvspan(*edges, color=BAND, alpha=0.15, linewidth=0)
    for edge in edges:
        axes.axvline(edge, color=BAND, linewidth=1)
    for row in rows.to_dict("records"):
        y, colour = order.index(row["condition"]), LIVE if row["condition"] == "live" else INK
        values = runs.loc[runs["condition"] == row["condition"], name].dropna()
        axes.plot(values, [y + 0.18] * len(values), "o", color=FAINT, markersize=3, alpha=0.6)
        if isfinite(row["low"]):
            axes.plot([row["low"], row["high"]], [y - 0.12] * 2, color=colour, linewidth=2)
        if row["n"]:
            axes.plot(row["mean"], y - 0.12, "D", color=colour, markersize=5)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_title(name, fontsize=10)
    axes.set_xlabel(next((unit for end, unit in UNITS.items() if name.endswith(end)), ""))
    axes.axvline(0, color=FAINT, linewidth=0.5)
