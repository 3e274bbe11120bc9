"""What a reconstruction found, for a person (report.html with pictures) and for a machine (report.json)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .overlays import Picture, overlay, reslice, section, write_png
from .workspace import Workspace, write_json

__all__ = ["pictures", "write_report"]

WIDTH = 1000  # pixels; wider pictures are shown at this width
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; } td, th { border-bottom: 1px solid #ddd; padding: 3px 12px;
text-align: left; vertical-align: top; } th { font-weight: 600; } td.n { text-align: right; font-variant-numeric:
tabular-nums; } img { max-width: 100%; image-rendering: pixelated; border: 1px solid #ccc; } figure { margin: 1em 0; }
figcaption { color: #555; }
"""


def pictures(space: Workspace, folder: Path, image: str, labels: str) -> list[tuple[str, str]]:
    """Write the pictures of a report.

    Args:
        space: the workspace.
        folder: where they go.
        image: array of the image that was segmented.
        labels: array of its segments.

    Returns:
        File name and caption of each.
    """
    volume, segments = space.volume(image), space.segmentation(labels)
    raw = space.volume("raw")
    z, y, _ = (n // 2 for n in volume.shape)
    cut = np.asarray(segments.labels[:, y : y + 1])[:, 0]
    stretch = max(1, round(volume.voxel_nm[0] / volume.voxel_nm[2]))
    made: list[tuple[str, str, Picture]] = [
        ("section.png", f"Section {z} as it was imaged", section(raw, z)),
        ("segments.png", f"Section {z} aligned, cleaned and segmented", section(volume, z, segments)),
        ("across_raw.png", f"A cut across the sections at y = {y}, as imaged", reslice(raw, y)),
        (
            "across.png",
            "The same cut, aligned, cleaned and segmented",
            overlay(reslice(volume, y), np.repeat(cut, stretch, axis=0)),
        ),
    ]
    for name, _, picture in made:
        write_png(folder / name, picture)
    return [(name, caption) for name, caption, _ in made]


def write_report(
    out: Path,
    facts: Mapping[str, Any],
    figures: Sequence[tuple[str, str]],
    links: Sequence[tuple[str, str]],
    notes: Sequence[str],
) -> tuple[Path, Path]:
    """Write report.json and report.html.

    Args:
        out: folder; figures lie in its `pictures`.
        facts: section title -> {name: value} or a list of rows with the same keys.
        figures: file name and caption of each picture.
        links: text and address of each.
        notes: what a reader must know before believing it.
    """
    write_json(out / "report.json", {"facts": facts, "notes": list(notes), "pictures": [name for name, _ in figures]})
    parts = [f"<h1>{escape(str(out.name))}: from volume to graph</h1>"]
    parts += [_section(title, content) for title, content in facts.items()]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    parts.append(f"<h2>What to know before believing it</h2><ul>{listed}</ul>")
    parts += [_figure(name, caption) for name, caption in figures]
    parts.append("<p>" + "<br>".join(f'<a href="{escape(to)}">{escape(text)}</a>' for text, to in links) + "</p>")
    head = f'<meta charset="utf-8"><title>{escape(out.name)}</title><style>{STYLE}</style>'
    page = f'<!doctype html><html lang="en">{head}'
    path = out / "report.html"
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(page + "\n".join(parts) + "</html>\n", encoding="utf-8")
    temporary.replace(path)
    return path, out / "report.json"


def _figure(name: str, caption: str) -> str:
    picture = f'<img width="{WIDTH}" src="pictures/{escape(name)}">'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _section(title: str, content: Any) -> str:
    heading = f"<h2>{escape(title)}</h2>"
    if isinstance(content, Mapping):
        rows = "".join(f"<tr><th>{escape(str(name))}</th>{_cell(value)}</tr>" for name, value in content.items())
        return f"{heading}<table>{rows}</table>"
    columns = list(content[0]) if content else []
    head = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    body = "".join("<tr>" + "".join(_cell(row[name]) for name in columns) + "</tr>" for row in content)
    return f"{heading}<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        return f"<td>{escape(text)}</td>"
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f'<td class="n">{value:.4g}</td>'
