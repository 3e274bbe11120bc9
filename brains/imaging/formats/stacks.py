"""Sections as pictures: a folder of PNG or TIFF files, or one TIFF file of many pages."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import VolumeError
from .image import Image, Sections

PICTURES = (".png", ".tif", ".tiff")
PIXELS = 2**30  # of one section: more is taken for a bomb


def natural(path: Path) -> list[tuple[int, str]]:
    """Order in which a person numbers files: section9 before section10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def open_folder(path: Path, dataset: str | None) -> Image:
    """A folder of sections, one file each, in the order of the numbers in their names."""
    files = sorted((file for file in path.iterdir() if file.suffix.lower() in PICTURES), key=natural)
    if not files:
        raise VolumeError(f"{path}: no {', '.join(PICTURES)} sections in this folder, and neither Zarr nor precomputed")
    first = _picture(files[0])
    shape = (len(files), *first.shape)

    def read(section: int) -> NDArray[Any]:
        picture = _picture(files[section])
        if picture.shape != first.shape or picture.dtype != first.dtype:
            raise VolumeError(
                f"{files[section]}: section of {picture.shape} {picture.dtype}, but {files[0].name} has"
                f" {first.shape} {first.dtype}"
            )
        return picture

    return Image(data=Sections((shape[0], shape[1], shape[2]), first.dtype, read), path=path)


def _picture(path: Path) -> NDArray[Any]:
    """One section, grey."""
    if path.suffix.lower() != ".png":
        pages = open_tiff(path, None).data
        if pages.shape[0] != 1:
            raise VolumeError(f"{path}: {pages.shape[0]} pages, but in a folder every file is one section")
        page: NDArray[Any] = np.asarray(pages[0:1])[0]
        return page
    from imageio.v3 import improps, imread

    try:
        height_width = improps(path).shape
        if len(height_width) == 2 and height_width[0] * height_width[1] > PIXELS:
            raise VolumeError(f"{path}: a section of {height_width} pixels, more than {PIXELS}")
        picture: NDArray[Any] = np.asarray(imread(path))
    except (OSError, SyntaxError) as error:
        raise VolumeError(f"{path}: not a whole PNG file ({error})") from None
    if picture.ndim != 2:
        raise VolumeError(f"{path}: sections must be grey, this picture has shape {picture.shape}")
    return picture


def open_tiff(path: Path, dataset: str | None) -> Image:
    """A TIFF file, one page a section; the voxel size of an ImageJ or OME header where it is complete."""
    from tifffile import TiffFile, TiffFileError

    try:
        with _complaints() as complaints, TiffFile(path) as file:
            page = file.pages.first
            shape, dtype, pages = page.shape, page.dtype, len(file.pages)
    except (TiffFileError, OSError, ValueError, IndexError) as error:
        raise VolumeError(f"{path}: not a whole TIFF file ({error})") from None
    if complaints:
        raise VolumeError(f"{path}: not a whole TIFF file ({complaints[0]}); is it cut short?")
    if dtype is None or len(shape) != 2 or shape[0] * shape[1] > PIXELS:
        raise VolumeError(f"{path}: pages must be grey and of at most {PIXELS} pixels, got shape {shape}")

    def read(section: int) -> NDArray[Any]:
        try:
            with TiffFile(path) as file:
                picture = np.asarray(file.pages[section].asarray())
        except (TiffFileError, OSError, ValueError, IndexError, KeyError) as error:
            raise VolumeError(f"{path}: page {section} cannot be read ({error}); is the file cut short?") from None
        if picture.shape != shape or picture.dtype != dtype:
            raise VolumeError(f"{path}: page {section} is {picture.shape} {picture.dtype}, page 0 {shape} {dtype}")
        return picture

    return Image(data=Sections((pages, shape[0], shape[1]), dtype, read), path=path, voxel_nm=_tiff_voxel(path))


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What tifffile logs as errors meanwhile: it lists the pages before a cut without raising."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    logger, listener = logging.getLogger("tifffile"), Listener(logging.ERROR)
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)


def _tiff_voxel(path: Path) -> tuple[float, float, float] | None:
    """Voxel size of an ImageJ header, nm: spacing and unit in its text, pixels per unit in the tags."""
    from tifffile import TiffFile

    to_nm = {"nm": 1.0, "um": 1e3, "\\u00B5m": 1e3, "µm": 1e3, "micron": 1e3, "mm": 1e6}
    with TiffFile(path) as file:
        header = file.imagej_metadata or {}
        tags = file.pages.first.tags
        unit = to_nm.get(str(header.get("unit", "")))
        if unit is None or "spacing" not in header or "XResolution" not in tags or "YResolution" not in tags:
            return None
        (x_pixels, x_units), (y_pixels, y_units) = tags["XResolution"].value, tags["YResolution"].value
    if 0 in (x_pixels, y_pixels):
        return None
    return float(header["spacing"]) * unit, y_units / y_pixels * unit, x_units / x_pixels * unit
