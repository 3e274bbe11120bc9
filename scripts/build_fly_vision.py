"""Rebuild the fly's optic-lobe tables: the columns from flyvis 1.2.0, the lobula plate from FlyWire's type counts.

Usage: pip download flyvis==1.2.0 --no-deps -d DIR
       python -m animat.scripts.build_fly_vision DIR/flyvis-1.2.0-py3-none-any.whl [COUNTS] [--check]
COUNTS is `type_to_type_connection_and_synapse_counts.csv` (.gz) of github.com/murthylab/visual-system-parts-list. With
--check nothing is written and a difference is an error. The wheel's JSON by itself is accepted too.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

MEMBER = "flyvis/connectome/fib25-fib19_v2.2.json"
FOLDER = Path(__file__).resolve().parents[1] / "organisms" / "fly"
MOTION = tuple(f"T{number}{layer}" for number in (4, 5) for layer in "abcd")
INHIBITORY = ("LPi09", "LPi11", "LPi14", "LPi15")  # carry one layer's motion to the layer of the opposite direction
EDGES = ("Tm2", "Tm3", "Tm4")
WIDE_FIELD = ("HSN", "HSE", "HSS", "H2", *(f"VS{i}" for i in range(1, 9)))
POPULATIONS = ("LPLC2", "LC4")


def read_graph(path: Path) -> dict[str, Any]:
    """The published graph, from the wheel or from its JSON."""
    if path.suffix == ".json":
        graph: dict[str, Any] = json.loads(path.read_text())
        return graph
    with zipfile.ZipFile(path) as wheel:
        graph = json.loads(wheel.read(MEMBER))
    return graph


def column_table(graph: dict[str, Any]) -> pd.DataFrame:
    """One row for every source type, target type and column offset.

    The published offsets (du, dv) are target minus source in the axes of flyvis; here they are in the axes p, q of the
    eye (`animat.bodies.eyes`): p = -u - v, q = -u. Synapses are means per target cell, kept to four decimals.
    """
    rows = [
        (edge["src"], edge["tar"], -du - dv, -du, round(float(count), 4), int(edge["alpha"]))
        for edge in graph["edges"]
        for (du, dv), count in edge["offsets"]
    ]
    return pd.DataFrame(rows, columns=["source", "target", "dp", "dq", "synapses", "sign"])


def as_bytes(table: pd.DataFrame) -> bytes:
    """The table as gzipped CSV, the same bytes every time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(table.to_csv(index=False, lineterminator="\n").encode())
    return buffer.getvalue()


def lobula_plate_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Synapses from the motion pathway onto wide-field and looming cells, and onto the cells that oppose directions."""
    targets, sources = (*WIDE_FIELD, *INHIBITORY, *POPULATIONS), (*MOTION, *INHIBITORY, *EDGES)
    rows = counts[counts["to type"].isin(targets) & counts["from type"].isin(sources)]
    table = pd.DataFrame(
        {
            "source": rows["from type"],
            "target": rows["to type"],
            "synapses_right": rows["synapses RHS"],
            "synapses_left": rows["synapses LHS"],
            "sign": (~rows["from type"].isin(INHIBITORY)).astype(int) * 2 - 1,
        }
    )
    return table.sort_values(["target", "source"], ignore_index=True)


def write(path: Path, table: pd.DataFrame, check: bool) -> bool:
    """Write a table unless only checking; whether it was the same before."""
    same = path.is_file() and pd.read_csv(path).equals(table)
    if not check:
        text = table.to_csv(index=False, lineterminator="\n").encode()
        path.with_suffix(".tmp").write_bytes(as_bytes(table) if path.suffix == ".gz" else text)
        path.with_suffix(".tmp").replace(path)
    print(f"{path.name}: {len(table)} rows, {'same' if same else 'different' if check else 'written'}")
    return same


def main() -> int:
    """Write the tables, or compare them with what is there."""
    paths, check = [Path(text) for text in sys.argv[1:] if text != "--check"], "--check" in sys.argv[1:]
    if len(paths) not in (1, 2):
        print(__doc__)
        return 2
    same = [write(FOLDER / "optic_columns.csv.gz", column_table(read_graph(paths[0])), check)]
    if len(paths) == 2:
        same.append(write(FOLDER / "lobula_plate.csv", lobula_plate_table(pd.read_csv(paths[1])), check))
    return int(check and not all(same))


if __name__ == "__main__":
    raise SystemExit(main())
