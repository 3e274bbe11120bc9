"""Rebuild the fly's optic-lobe column table from the wheel of flyvis 1.2.0.

Usage: pip download flyvis==1.2.0 --no-deps -d DIR
       python -m animat.scripts.build_fly_vision DIR/flyvis-1.2.0-py3-none-any.whl [--check]
With --check nothing is written and a difference is an error. The wheel's JSON by itself is accepted too.
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
TARGET = Path(__file__).resolve().parents[1] / "organisms" / "fly" / "optic_columns.csv.gz"


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


def main() -> int:
    """Write the table, or compare it with what is there."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        print(__doc__)
        return 2
    table, check = column_table(read_graph(Path(arguments[0]))), "--check" in sys.argv[1:]
    same = TARGET.is_file() and pd.read_csv(TARGET).equals(table)
    if not check:
        TARGET.with_suffix(".tmp").write_bytes(as_bytes(table))
        TARGET.with_suffix(".tmp").replace(TARGET)
    pairs = len(table.groupby(["source", "target"]))
    state = "same" if same else "different" if check else "written"
    print(f"{TARGET.name}: {pairs} type pairs, {len(table)} offsets, {table['synapses'].sum():.0f} synapses, {state}")
    return int(check and not same)


if __name__ == "__main__":
    raise SystemExit(main())
