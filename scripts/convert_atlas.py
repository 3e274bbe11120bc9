"""Turns the original file of the signal-propagation atlas into the plain folder that `Atlas.load` reads without h5py.

    pip download --no-deps wormneuroatlas==0.0.7.3 && unzip wormneuroatlas-*.whl wormneuroatlas/data/funatlas.h5
    pip install h5py
    python -m animat.scripts.convert_atlas wormneuroatlas/data/funatlas.h5 FOLDER [--strain unc31]

The package is GPL-3.0: its data file is read, none of its code is used, and neither is distributed with animat.
"""

from __future__ import annotations

import argparse

from ..brains.atlas import STRAINS, Atlas


def main() -> None:
    """Convert one strain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="funatlas.h5")
    parser.add_argument("folder", help="where to write atlas.json and pairs.csv")
    parser.add_argument("--strain", choices=STRAINS, default="wt")
    options = parser.parse_args()
    atlas = Atlas.load(options.source, options.strain)
    atlas.save(options.folder)
    print(f"wrote {options.folder}: {(atlas.observations > 0).sum()} observed pairs of {len(atlas.names)} neurons")


if __name__ == "__main__":
    main()
