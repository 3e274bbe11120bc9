"""The picture of `animat validate`: ROC curves, and the AUC of everything beside its controls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..brains.validation import Floats, Pairs

INK, FAINT = "#2b2b2b", "#c9c4b8"
CURVES = {  # row -> colour; the rows worth comparing by eye
    "default": "#cc2924",
    "conductance": "#215cbf",
    "locomotion": "#3f7d63",
    "soma distance": "#2b2b2b",
    "shortest path": "#7d5ba6",
    "chemical + gap contacts": "#6fb1c9",
    "number of trials": "#c79aa8",
    "default, degree shuffle": "#d0912b",
    "default, label shuffle": "#8a8578",
}
SHUFFLES = {"degree": ("o", "#d0912b"), "label": ("s", "#8a8578")}  # marker and colour
DPI = 120


def save_picture(path: Path, report: dict[str, Any], predictions: dict[str, Floats], pairs: Pairs) -> None:
    """Write the PNG.

    Args:
        path: of the file.
        report: what `animat validate` prints as JSON.
        predictions: row name -> strengths, shape (n, n).
        pairs: the observed ones.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.5, 6.2), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=[1.0, 1.25])
    _roc(left, predictions, pairs)
    _aucs(right, report)
    what = f"{report['organism']} ({report['atlas']['strain']}), doi:{report['atlas']['doi']}"
    figure.suptitle(f"{what}: {report['significant']} of {report['pairs']} pairs are significant", color=INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.tmp.png")
    canvas.print_png(temporary)  # type: ignore[no-untyped-call]
    temporary.replace(path)


def _roc(axes: Any, predictions: dict[str, Floats], pairs: Pairs) -> None:
    from ..brains.ranks import auc, roc

    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for name in (name for name in CURVES if name in predictions):
        strength = predictions[name][pairs.at]
        label = f"{name} ({auc(strength, pairs.significant):.3f})"
        axes.plot(*roc(strength, pairs.significant), color=CURVES[name], linewidth=1.6, label=label)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="lower right", frameon=False, fontsize=8)


def _aucs(axes: Any, report: dict[str, Any]) -> None:
    rows = report["rows"]
    for y, row in enumerate(rows):
        found = row["score"]["auc"]
        axes.plot([found["low"], found["high"]], [y, y], color=INK, linewidth=1.4)
        axes.plot(
            found["value"],
            y,
            "D",
            color=INK,
            markersize=5,
            label="value, 95 % over stimulated neurons" if y == 0 else None,
        )
        for k, (method, (marker, colour)) in enumerate(SHUFFLES.items(), start=1):
            if method in row.get("controls", {}):
                drawn = row["controls"][method]["auc"]
                axes.plot([drawn["low"], drawn["high"]], [y + 0.2 * k] * 2, color=colour, linewidth=3, alpha=0.6)
                axes.plot(drawn["mean"], y + 0.2 * k, marker, color=colour, markersize=5)
    for method, (marker, colour) in SHUFFLES.items():
        axes.plot([], [], marker, color=colour, label=f"{method} shuffles, 95 %")
    axes.axvline(0.5, color=FAINT, linewidth=1)
    axes.axvline(
        report["bar"]["auc"], color="#cc2924", linewidth=1, linestyle="--", label=f"bar {report['bar']['auc']}"
    )
    axes.set_yticks(range(len(rows)), [f"{row['kind']}: {row['name']}" for row in rows], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("AUC for significant pairs")
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=4, frameon=False, fontsize=8)
