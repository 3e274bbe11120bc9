"""Stops a build whose rooms under src/animat are not links; everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup

for entry in (Path(__file__).parent / "src" / "animat").iterdir():
    if entry.is_file() and not entry.suffix:
        raise SystemExit(
            f"{entry} must be a symbolic link to a folder, not a file; "
            "run: git config core.symlinks true && git checkout -- src"
        )

setup()
