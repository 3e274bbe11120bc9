"""What is written over a video: the title line, the scale bar, the key of colours and the state of the moment."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .recorder import Recording
from .tubes import DORSAL, VENTRAL

Frame = npt.NDArray[np.uint8]

HEADER = 48  # pixels, height of the title line
INK, PAPER, SOFT = (43, 43, 43), (250, 248, 243), (178, 172, 160)
ALERT = (201, 127, 12)
MARGIN = 20  # pixels
BAR_MM = 0.5  # mm, length of the scale bar


def title(recording: Recording) -> tuple[str, str]:
    """What was run, in two parts: the animal and its task; brain, model and everything that was changed."""
    options = recording.episode["options"]
    words = [f"brain: {options['brain'] or 'policy'}"]
    if options["brain"]:
        words.append(f"{options['model']} model, {len(recording.episode['names']['neurons'])} neurons")
    if options["ablate"]:
        words.append("without " + " ".join(options["ablate"]))
    if options["drive"] and options["brain"]:
        unit = "" if options["model"] in ("rate", "population") else " mV"  # whose input has no unit
        words.append("driven: " + ", ".join(f"{name} {value:+g}{unit}" for name, value in options["drive"].items()))
    if options["freeze_senses"]:
        words.append("senses frozen")
    words.append(f"seed {recording.episode['seed']}")
    return f"{options['organism']}, {options['task']}", "   ·   ".join(words)


@cache
def font(size: int, bold: bool = False) -> Any:
    """The font of the panels at a size in pixels."""
    from matplotlib import font_manager
    from PIL import ImageFont

    chosen = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(font_manager.findfont(chosen), size)


class Header:
    """The title line; only the clock changes."""

    def __init__(self, recording: Recording, width: int) -> None:
        from PIL import Image, ImageDraw

        animal, rest = title(recording)
        self._strip, self._width = Image.new("RGB", (width, HEADER), INK), width
        draw = ImageDraw.Draw(self._strip)
        draw.text((MARGIN, HEADER / 2), animal, fill=PAPER, font=font(19, True), anchor="lm")
        start = MARGIN + draw.textlength(animal, font=font(19, True)) + 28
        room = width - 130 - start
        draw.text((start, HEADER / 2), _fitted(draw, rest, room), fill=SOFT, font=font(15), anchor="lm")

    def at(self, time_s: float) -> Frame:
        """The line with the clock at a time, shape (HEADER, width, 3)."""
        from PIL import ImageDraw

        strip = self._strip.copy()
        place = (self._width - MARGIN, HEADER / 2)
        ImageDraw.Draw(strip).text(place, f"{time_s:.2f} s", fill=PAPER, font=font(19, True), anchor="rm")
        return np.asarray(strip)


class Plate(NamedTuple):
    """A small map of a field: its picture, the path on it in pixels, and what the animal feels, in words."""

    picture: Frame
    path: list[tuple[float, float]]
    felt: str


def stimulus(recording: Recording, step: int) -> str:
    """Modalities that the task stimulates at a control step, or ''."""
    values, names = recording.series["stimulus"][step], recording.episode["names"]["modalities"]
    return ", ".join(name for name, value in zip(names, values, strict=True) if value)


def write(view: Frame, left: str, right: str, alert: str = "") -> Frame:
    """The view with words at the bottom left and right, and what must not be missed at the top right."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(view)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    draw.text((MARGIN, height - MARGIN), left, fill=INK, font=font(14), anchor="ls")
    draw.text((width - MARGIN, height - MARGIN), right, fill=INK, font=font(17, True), anchor="rs")
    draw.text((width - MARGIN, MARGIN), alert, fill=ALERT, font=font(17, True), anchor="ra")
    return np.asarray(image)


def annotate(
    view: Frame, pixels_per_mm: float, speed_mm_s: float, stimulus: str, muscles: bool, plate: Plate | None = None
) -> Frame:
    """The view with scale bar, key and the state of the moment.

    Args:
        view: picture of the body, shape (height, width, 3).
        pixels_per_mm: its scale.
        speed_mm_s: signed speed along the body.
        stimulus: what the animal is exposed to at this moment, or ''.
        muscles: whether the picture shows dorsal and ventral muscles.
        plate: the map of a field, if there is one.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(view)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    base, length = height - MARGIN, round(BAR_MM * pixels_per_mm)
    draw.rectangle((MARGIN, base - 5, MARGIN + length, base), fill=INK)
    draw.text((MARGIN + length / 2, base - 11), f"{BAR_MM:g} mm", fill=INK, font=font(14), anchor="ms")
    way = "forward" if speed_mm_s > 0 else "backward"
    draw.text((width - MARGIN, base), f"{abs(speed_mm_s):.2f} mm/s {way}", fill=INK, font=font(17, True), anchor="rs")
    if muscles:
        _swatches(draw)
    if plate is not None:
        _plate(image, plate)
    if stimulus:
        top = MARGIN if plate is None else 2 * MARGIN + len(plate.picture) + MARGIN
        draw.text((width - MARGIN, top), stimulus, fill=ALERT, font=font(17, True), anchor="ra")
    return np.asarray(image)


def with_plate(view: Frame, plate: Plate) -> Frame:
    """The view with the map of a field at the top right."""
    from PIL import Image

    image = Image.fromarray(view)
    _plate(image, plate)
    return np.asarray(image)


def _plate(image: Any, plate: Plate) -> None:
    from PIL import Image, ImageDraw

    small = Image.fromarray(plate.picture)
    draw = ImageDraw.Draw(small)
    if len(plate.path) > 1:
        draw.line(plate.path, fill=INK, width=1)
    x, y = plate.path[-1]
    draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=INK)
    draw.rectangle((0, 0, small.width - 1, small.height - 1), outline=SOFT)
    right = image.width - MARGIN
    image.paste(small, (right - small.width, MARGIN))
    place = (right, MARGIN + small.height + 6)
    ImageDraw.Draw(image).text(place, plate.felt, fill=INK, font=font(14), anchor="ra")


def _swatches(draw: Any) -> None:
    for row, (label, colour) in enumerate((("dorsal muscle", DORSAL), ("ventral muscle", VENTRAL))):
        y = MARGIN + 22 * row
        shade = tuple(round(255 * float(part)) for part in colour)
        draw.rounded_rectangle((MARGIN, y, MARGIN + 18, y + 12), 4, fill=shade)
        draw.text((MARGIN + 26, y + 6), label, fill=INK, font=font(14), anchor="lm")
    draw.ellipse((MARGIN + 5, MARGIN + 46, MARGIN + 13, MARGIN + 54), fill=INK)
    draw.text((MARGIN + 26, MARGIN + 50), "head", fill=INK, font=font(14), anchor="lm")


def _fitted(draw: Any, text: str, room: float) -> str:
    """The text, cut with an ellipsis where it is longer than `room` pixels."""
    if draw.textlength(text, font=font(15)) <= room:
        return text
    while text and draw.textlength(text + "…", font=font(15)) > room:
        text = text[:-1]
    return text + "…"
