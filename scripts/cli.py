"""The `animat` command."""

from __future__ import annotations

import sys

import typer

from . import bench, controls, data, imaging, render, run, show, upload, validate

app = typer.Typer(
    help="Virtual organisms: a connectome-driven brain in a MuJoCo body.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(show.list_names)
app.command("show")(show.show)
app.command("run")(run.run)
app.command("render")(render.render)
app.command("controls")(controls.controls)
app.command("bench")(bench.bench)
app.command("validate")(validate.validate)
app.command("upload")(upload.upload)
app.add_typer(imaging.app, name="imaging")
app.add_typer(data.app, name="data")


EXTRAS = {  # modules that come with an extra of pyproject.toml
    **dict.fromkeys(("crackle", "dask", "distributed", "h5py", "imagecodecs", "skimage", "sklearn"), "imaging"),
    **dict.fromkeys(("pyarrow", "tifffile", "zarr"), "imaging"),
    "torch": "segmentation",
}


def main() -> None:
    """Run the command; an error of the library is one line on standard error and exit status 2."""
    try:
        app()
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        hint = f"; this command needs the extra {extra!r}: pip install 'animat[{extra}]'" if extra else ""
        print(f"animat: {error}{hint}", file=sys.stderr)
        raise SystemExit(2) from None
    except (KeyError, ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"animat: {error}", file=sys.stderr)
        raise SystemExit(2) from None
