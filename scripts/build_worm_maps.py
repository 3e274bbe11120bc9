"""Rebuild the worm's generated maps: effectors.csv from the neuromuscular table, proprioception.csv from its geometry.

Usage: python -m animat.scripts.build_worm_maps [--check]; with --check nothing is written and a difference is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from ..organisms.worm import FOLDER, gain_table
from ..organisms.worm.wiring import connectome, neuromuscular

JOINTS = 24
HEAD_REACH = 6.0  # joints; head motor neurons sense from their own neck region on, however long their muscle arms are
CLASSES = {  # class: (side that it senses, direction of the field)
    "DB": ("dorsal", 1),
    "VB": ("ventral", 1),
    "DA": ("dorsal", -1),
    "VA": ("ventral", -1),
    "SMDD": ("dorsal", 1),
    "SMDV": ("ventral", 1),
    "RMDD": ("dorsal", 1),
    "RMDV": ("ventral", 1),
}
SOURCES = {
    "B": "posterior field: Boyle Berri & Cohen 2012 doi:10.3389/fncom.2012.00010",
    "A": "anterior field mirrors the B-class (assumed); proprioception of A: Wen et al. 2012 supplement discusses it",
    "H": "SMD is proprioceptive: Yeon et al. 2018 doi:10.1371/journal.pbio.2004929; RMD by analogy",
}


def effectors() -> pd.DataFrame:
    """One row a chemical synapse on a body-wall muscle."""
    table = neuromuscular()
    provenance = np.where(table["sign_provenance"] == "none", "assumed", "derived")
    return pd.DataFrame(
        {
            "effector": table["muscle"],
            "neuron": table["neuron"],
            "weight": table["count"],
            "sign": table["sign"],
            "provenance": provenance,
            "source": "Cook et al. 2019 (count); sign from transmitter",
        }
    )


def proprioception(gains: dict[str, float]) -> pd.DataFrame:
    """One row a stretch-sensitive motor neuron: which joints it senses and how strongly, by the gains of gains.csv."""
    cells, arms = connectome().neurons, neuromuscular()
    rows = []
    for name in cells.loc[cells["name"].str.fullmatch(_pattern()), "name"]:
        cell_class = _class_of(name)
        mine = arms[arms["neuron"] == name]
        if mine.empty:
            continue
        joint = mine["muscle"].str[3:].astype(int) - 1
        position = float(np.average(joint, weights=mine["count"]))
        rows.append(_row(name, cell_class, position, gains))
    return pd.DataFrame(rows)


def _row(name: str, cell_class: str, position: float, gains: dict[str, float]) -> dict[str, object]:
    side, direction = CLASSES[cell_class]
    head = len(cell_class) == 4
    start = round(min(position, HEAD_REACH) if head else position)
    field = int(gains["stretch_field_joints"])
    first, last = (start, start + field) if direction > 0 else (start - field, start)
    first, last = max(first, 0), min(last, JOINTS)
    # Boyle 2012: the receptor weight rises towards the end the wave runs to, 0.4 + 0.04 per joint
    behind = position if direction > 0 else JOINTS - 1 - position
    if head:
        shape = gains["stretch_head"] * 0.4
    else:
        shape = (1.0 if direction > 0 else gains["stretch_a"]) * (0.4 + 0.04 * behind)
    gain = gains["stretch_mv"] * shape * np.sqrt(field / (last - first))
    return {
        "channel": f"strain_{side}[{first + 1:02d}:{last:02d}]",
        "neuron": name,
        "gain": f"{gain:.4g}",
        "unit": "mV",
        "encoding": "stretch" if side == "dorsal" else "linear",
        "delay_s": 0,
        "provenance": "assumed" if direction < 0 or head else "published",
        "source": SOURCES["H" if head else "B" if direction > 0 else "A"],
    }


def _pattern() -> str:
    return r"(?:DB|VB|DA|VA)\d+|(?:SMD|RMD)[DV][LR]"


def _class_of(name: str) -> str:
    return next(key for key in sorted(CLASSES, key=len, reverse=True) if name.startswith(key))


def main() -> int:
    """Write the tables, or compare with what is there."""
    check = "--check" in sys.argv[1:]
    different = 0
    for stem, table in {"effectors": effectors(), "proprioception": proprioception(gain_table())}.items():
        path, text = Path(str(FOLDER)) / f"{stem}.csv", table.to_csv(index=False, lineterminator="\n")
        same = path.is_file() and path.read_text() == text
        different += not same
        if not check:
            path.with_suffix(".tmp").write_text(text)
            path.with_suffix(".tmp").replace(path)
        print(f"{path.name}: {len(table)} rows, {'same' if same else 'different' if check else 'written'}")
    return int(check and different > 0)


if __name__ == "__main__":
    raise SystemExit(main())
