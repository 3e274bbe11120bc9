"""Connectomes as folders and as NetworkX graphs.

A saved connectome is a folder of three plain files:

* neurons.csv: one neuron a line, columns name,type,role,transmitter,side,x_um,y_um,z_um; an empty position is unknown.
* synapses.csv: one directed edge a line, columns pre,post,kind,count,sign,provenance,sign_provenance.
* connectome.json: format ("animat connectome"), version (1), fingerprint (SHA-256 of the canonical tables) and source
  (citation, doi, licence, changes).

The tables are UTF-8 with a header line, fields quoted only where they must be, numbers in their shortest exact form.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .connectome_tables import (
    KINDS,
    NEURON_COLUMNS,
    NEURON_FLOATS,
    NEURON_TEXT,
    SYNAPSE_COLUMNS,
    ConnectomeError,
    Place,
    csv_text,
)

if TYPE_CHECKING:
    import networkx as nx

FORMAT = "animat connectome"
VERSION = 1
SOURCE_KEYS = ("citation", "doi", "licence", "changes")


@dataclass(frozen=True, kw_only=True)
class SavedTables:
    """What a folder holds, read but not yet validated."""

    neurons: pd.DataFrame
    synapses: pd.DataFrame
    source: dict[str, Any]
    fingerprint: str
    neuron_place: Place
    synapse_place: Place
    header: Path


def write_folder(
    folder: str | os.PathLike[str],
    neurons: pd.DataFrame,
    synapses: pd.DataFrame,
    source: Mapping[str, Any],
    fingerprint: str,
) -> None:
    """Write the three files, each under a temporary name first and the header last.

    A save that is interrupted leaves a folder that `read_folder` or the fingerprint refuses, never a half-new one.
    """
    header = {"format": FORMAT, "version": VERSION, "fingerprint": fingerprint, "source": dict(source)}
    texts = {
        "neurons.csv": csv_text(neurons),
        "synapses.csv": csv_text(synapses),
        "connectome.json": json.dumps(header, indent=2, ensure_ascii=False) + "\n",
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        temporary = folder / f".{name}.tmp"
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(folder / name)


def read_folder(folder: str | os.PathLike[str]) -> SavedTables:
    """Read the three files.

    Raises:
        ConnectomeError: a file is missing, is not what its name says, or a line of it cannot be read.
    """
    folder = Path(folder)
    header = folder / "connectome.json"
    source, fingerprint = _read_header(header)
    neurons, synapses = folder / "neurons.csv", folder / "synapses.csv"
    return SavedTables(
        neurons=_read_table(neurons),
        synapses=_read_table(synapses),
        source=source,
        fingerprint=fingerprint,
        neuron_place=Place(str(neurons), first_row=2),
        synapse_place=Place(str(synapses), first_row=2),
        header=header,
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ConnectomeError(f"{path}: no such file; a saved connectome has one") from None
    except UnicodeDecodeError as error:
        raise ConnectomeError(f"{path}: is not UTF-8 text: {error}") from None


def _read_header(path: Path) -> tuple[dict[str, Any], str]:
    try:
        header = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise ConnectomeError(f"{path}, row {error.lineno}, column {error.colno}: is not JSON: {error.msg}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ConnectomeError(f"{path}: is not the header of a saved connectome (its format is not {FORMAT!r})")
    if header.get("version") != VERSION:
        raise ConnectomeError(f"{path}: version is {header.get('version')!r}; this animat reads version {VERSION}")
    source, fingerprint = header.get("source"), header.get("fingerprint")
    if not isinstance(fingerprint, str):
        raise ConnectomeError(f"{path}: fingerprint must be text; got {fingerprint!r}")
    if not isinstance(source, dict) or set(source) != set(SOURCE_KEYS):
        raise ConnectomeError(f"{path}: source must have {', '.join(SOURCE_KEYS)}; got {source!r}")
    changes = source["changes"]
    if not isinstance(changes, list) or not all(isinstance(v, str) for v in [*changes, *list(source.values())[:3]]):
        raise ConnectomeError(f"{path}: source must hold text, and changes a list of text; got {source!r}")
    return {**source, "changes": tuple(changes)}, fingerprint


def _read_table(path: Path) -> pd.DataFrame:
    text = _read_text(path)
    try:
        _check_row_lengths(path, text)
    except csv.Error as error:
        raise ConnectomeError(f"{path}: is not a CSV table: {error}") from None
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)
    for column in set(NEURON_FLOATS) & set(table.columns):
        table[column] = table[column].replace("", "nan")
    return table


def _check_row_lengths(path: Path, text: str) -> None:
    """Refuse rows of the wrong length, which pandas would fill up or cut."""
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    if not header:
        raise ConnectomeError(f"{path}: is empty; it needs a header line")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            column = header[min(len(row), len(header) - 1)]
            raise ConnectomeError(
                f"{path}, row {number}, column {column!r}: the row has {len(row)} fields, the header {len(header)}"
            )


def to_networkx(neurons: pd.DataFrame, synapses: pd.DataFrame) -> nx.MultiDiGraph:
    """Nodes and edges in table order, columns as attributes, the kind also as edge key."""
    import networkx as nx

    graph = nx.MultiDiGraph()
    graph.add_nodes_from((row.pop("name"), row) for row in neurons.to_dict("records"))
    edges = synapses.to_dict("records")
    graph.add_edges_from((row.pop("pre"), row.pop("post"), row["kind"], row) for row in edges)
    return graph


def from_networkx(graph: nx.DiGraph | nx.MultiDiGraph) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The neuron and synapse tables of a directed graph; `Connectome.from_networkx` says what is filled in.

    Raises:
        TypeError: the graph is undirected.
    """
    if not graph.is_directed():
        raise TypeError(f"a connectome needs a directed graph; got {type(graph).__name__}")
    blank: dict[str, Any] = {**dict.fromkeys(NEURON_TEXT, ""), "role": "unclassified"}
    blank |= dict.fromkeys(NEURON_FLOATS, float("nan"))
    neurons = [blank | {"name": str(node)} | attributes for node, attributes in graph.nodes(data=True)]
    if graph.is_multigraph():
        edges = [_edge(pre, post, key, attributes) for pre, post, key, attributes in graph.edges(keys=True, data=True)]
    else:
        edges = [_edge(pre, post, None, attributes) for pre, post, attributes in graph.edges(data=True)]
    return (
        pd.DataFrame(neurons, columns=_columns(NEURON_COLUMNS, neurons)),
        pd.DataFrame(edges, columns=_columns(SYNAPSE_COLUMNS, edges)),
    )


def _columns(expected: tuple[str, ...], rows: list[dict[str, Any]]) -> list[str]:
    """Expected columns, then foreign ones, so that validation can name those."""
    return list(dict.fromkeys([*expected, *(column for row in rows for column in row)]))


def _edge(pre: object, post: object, key: object, attributes: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(attributes)
    count = given.pop("weight", 1.0)
    kind = given.get("kind", key if key in KINDS else "chemical")
    sign = given.get("sign", 1 if kind == "electrical" else 0)
    filled = {"kind": kind, "count": count, "sign": sign, "provenance": "assumed"}
    filled["sign_provenance"] = "none" if sign == 0 else "assumed"
    return {"pre": str(pre), "post": str(post)} | filled | given
