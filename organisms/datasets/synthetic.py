"""A synthetic central nervous system in the files of MaleCNS v1.0: same columns, same counts by superclass, same size.

For measuring cost and for tests. Degrees are log-normal, counts geometric, ends at random: its activity says nothing
about an animal. Shares of superclasses, sides and transmitters are those of the release.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...brains.synthetic import MV_PER_SYNAPSE, fly_sized
from . import tables
from .registry import dataset, table

NEURONS = 166_700
EDGES = 25_582_938
BATCH = 65_536  # rows of a batch in the released files
OTHERS = 44_877  # annotated bodies without a superclass: 211,577 - 166,700
TRANSMITTERS = {  # consensus_nt of the neurons of the release
    "acetylcholine": 103_720,
    "glutamate": 29_302,
    "gaba": 22_069,
    "histamine": 7_891,
    "unclear": 3_177,
    "dopamine": 392,
    "octopamine": 101,
    "serotonin": 48,
}
TEXT = (
    *("flywireType", "instance", "somaSide", "statusLabel", "superclass", "type", "vfbId", "hemibrainType", "itoleeHl"),
    *("supertype", "birthtime", "mancType", "subclass", "synonyms", "class", "rootSide", "somaNeuromere", "trumanHl"),
    *("dimorphism", "matchingNotes", "entryNerve", "serialMotif", "fruDsx", "exitNerve", "receptorType", "status"),
)
NUMBERS = ("assignedOlHex1", "assignedOlHex2", "group", "mancBodyid", "mancGroup", "mancSerial", "mcnsSerial")
PLACES = ("somaLocation", "tosomaLocation")


def write_cns(folder: Path, rng: np.random.Generator, neurons: int = NEURONS, edges: int = EDGES) -> int:
    """Write the three files that `animat data pull malecns` fetches; returns the number of edges.

    Args:
        folder: made if it is not there.
        rng: of everything.
        neurons: how many; at least 100.
        edges: connected pairs, all different; of their order.
    """
    arrow = tables.pyarrow()
    folder.mkdir(parents=True, exist_ok=True)
    bodies, neurotransmitters, weights = (folder / file.name for file in dataset("malecns").files[:3])
    ids = np.sort(rng.choice(1_571_815_087, neurons, replace=False)) + 10_001
    annotated = _annotations(arrow, rng, ids)
    _write(arrow, bodies, [annotated])
    _write(arrow, neurotransmitters, [_neurotransmitters(arrow, rng, ids)])
    network = fly_sized(rng, neurons, edges)
    count = np.rint(np.abs(network.weight) / np.float32(MV_PER_SYNAPSE)).astype(np.int64)
    pre = np.repeat(np.arange(neurons, dtype=np.int32), np.diff(network.start))
    order = np.argsort(-count, kind="stable")  # the released file is sorted by weight, descending
    types = annotated["type"].combine_chunks()[:neurons]
    _write(arrow, weights, _edges(arrow, ids, types, pre, network.target, count, order))
    return network.edges


def _annotations(arrow: Any, rng: np.random.Generator, ids: NDArray[np.int64]) -> Any:
    """Bodies with all 36 columns; those that carry nothing here are empty."""
    n, others = ids.size, max(1, OTHERS * ids.size // NEURONS)
    counts = {row["superclass"]: int(row["neurons"]) for row in table("roles.csv") if row["dataset"] == "malecns"}
    superclass = _shares(rng, counts, n)
    kind = rng.integers(0, max(1, n // 14), n)
    types = np.array([f"{name[:3]}{k:05d}" for name, k in zip(superclass.tolist(), kind.tolist(), strict=True)])
    side = _shares(rng, {"L": 75_215, "R": 75_119, "M": 392}, n)
    sensory = np.char.find(superclass.astype(str), "sensory") >= 0
    nothing = np.full(n, None, dtype=object)
    values = {
        "superclass": superclass,
        "type": types,
        "instance": np.char.add(np.char.add(types, "_"), side.astype(str)),
        "somaSide": np.where(sensory, nothing, side),
        "rootSide": np.where(sensory, side, nothing),
        "class": np.where(sensory, np.full(n, "unknown_sensory", dtype=object), nothing),
        "status": np.full(n, "Traced", dtype=object),
    }
    blank = arrow.nulls(others, arrow.string())
    columns = {name: _text(arrow, values.get(name), n, blank) for name in TEXT}
    columns |= {name: arrow.nulls(n + others, arrow.float64()) for name in NUMBERS}
    soma = [
        None if absent else place
        for absent, place in zip(sensory, rng.integers(0, 90_000, (n, 3)).tolist(), strict=True)
    ]
    columns["somaLocation"] = arrow.array(soma + [None] * others, arrow.list_(arrow.int64()))
    columns["tosomaLocation"] = arrow.nulls(n + others, arrow.list_(arrow.int64()))
    columns["statusLabel"] = columns["statusLabel"].dictionary_encode()
    columns["bodyId"] = arrow.array(np.concatenate([ids, ids.max() + 1 + np.arange(others)]))
    return arrow.table(columns)


def _neurotransmitters(arrow: Any, rng: np.random.Generator, ids: NDArray[np.int64]) -> Any:
    label = arrow.array(_shares(rng, TRANSMITTERS, ids.size).tolist(), arrow.string())
    return arrow.table(
        {
            "body": ids,
            "cell_type": arrow.nulls(ids.size, arrow.string()),
            "total_nt_predictions": np.ones(ids.size, dtype=np.int32),
            "predicted_nt": label,
            "predicted_nt_confidence": np.full(ids.size, 0.9),
            "ground_truth": arrow.nulls(ids.size, arrow.string()),
            "celltype_total_nt_predictions": np.ones(ids.size, dtype=np.int32),
            "celltype_predicted_nt": label,
            "celltype_predicted_nt_confidence": np.full(ids.size, 0.9),
            "consensus_nt": label,
        }
    )


def _edges(
    arrow: Any,
    ids: NDArray[np.int64],
    types: Any,
    pre: NDArray[np.int32],
    post: NDArray[np.int32],
    count: NDArray[np.int64],
    order: NDArray[np.intp],
) -> Iterator[Any]:
    for first in range(0, order.size, BATCH):
        rows = order[first : first + BATCH]
        yield arrow.table(
            {
                "body_pre": ids[pre[rows]],
                "body_post": ids[post[rows]],
                "weight": count[rows],
                "type_pre": types.take(arrow.array(pre[rows])),
                "type_post": types.take(arrow.array(post[rows])),
            }
        )


def _write(arrow: Any, path: Path, parts: Any) -> None:
    """A Feather file (Arrow IPC, LZ4) of some tables."""
    options = arrow.ipc.IpcWriteOptions(compression="lz4")
    parts = iter(parts)
    first = next(parts)
    with arrow.OSFile(str(path), "wb") as sink, arrow.ipc.new_file(sink, first.schema, options=options) as file:
        file.write_table(first, max_chunksize=BATCH)
        for part in parts:
            file.write_table(part)


def _shares(rng: np.random.Generator, counts: dict[str, int], n: int) -> NDArray[Any]:
    """Labels in the shares of some counts, at least one of each, in random order."""
    total = sum(counts.values())
    whole = [max(1, count * n // total) for count in counts.values()]
    labels = np.repeat(np.array([*counts], dtype=object), whole)
    return rng.permutation(np.resize(labels, n))


def _text(arrow: Any, values: Any, n: int, blank: Any) -> Any:
    column = arrow.nulls(n, arrow.string()) if values is None else arrow.array(values.tolist(), arrow.string())
    return arrow.concat_arrays([column, blank])
