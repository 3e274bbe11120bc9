"""The fly's wiring that needs no download: six copies of the published leg rhythm, premotor groups, motor neurons.

Every table lies in `data/`; SOURCES.md says where each comes from. Measured: the rhythm's synapses, the premotor matrix
of one leg, the motor and sensory neurons by leg. Assumed: that the other legs' premotor wiring is that leg's, what the
rhythm does to the premotor groups (`pattern.csv`), how legs are coupled, what the senses end on (`reflexes.csv`), and
what turns a command to turn into shorter steps (`commands.csv`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ...bodies.fly_tables import LEGS
from ...brains.connectome import Connectome, Source

DATA = Path(str(resources.files(__package__ or __name__))) / "data"
SIGN = {"excitatory": 1, "inhibitory": -1}
LISTED = ("visual", "taste", "odour", "lateral_horn", "wind")  # parts whose cells and synapses are listed one by one
PREFIX = {"excitatory": "preE", "inhibitory": "preI"}
SOURCE = Source(
    citation=(
        "Assembled, not one animal: leg rhythm of Pugliese et al. 2025 (MANC); premotor groups of Lesser, Azevedo"
        " et al. 2024 (FANC, left front leg, copied to six); motor and sensory neurons of Marin et al. 2024 (MANC)"
    ),
    doi="10.1101/2025.09.12.675944; 10.1038/s41586-024-07600-z; 10.7554/eLife.97766",
    licence="CC BY 4.0",
)


class Neuron(NamedTuple):
    """A row of the neuron table."""

    name: str
    type: str
    role: str
    transmitter: str
    side: str


class Edge(NamedTuple):
    """A row of the synapse table."""

    pre: str
    post: str
    contacts: float
    sign: int
    provenance: str


def table(name: str) -> pd.DataFrame:
    """A table of `data/` by its stem."""
    return pd.read_csv(DATA / f"{name}.csv", keep_default_na=False, comment="#")


def premotor_type(sign: str, group: str) -> str:
    """Type of the cell that stands for a premotor group: preE_promotor, preI_tibia_flexor, ..."""
    return f"{PREFIX[sign]}_{group}"


def opposite(leg: str) -> str:
    """The leg across: LF of RF."""
    return f"{'L' if leg[0] == 'R' else 'R'}{leg[1]}"


@cache
def connectome() -> Connectome:
    """All of it. Cells that stand for a group have its type's name; `n` cells of one type in a leg share one body."""
    cells = (
        _central(),
        _rhythm_cells(),
        _premotor_cells(),
        _motor_cells(),
        _sensory_cells(),
        *map(_listed_cells, LISTED),
    )
    neurons = pd.DataFrame([cell for group in cells for cell in group])
    neurons = neurons.assign(x_um=float("nan"), y_um=float("nan"), z_um=float("nan"))
    edges = [*_rhythm(), *_coupling(), *_pattern(), *_premotor(), *_reflexes(), *_commands()]
    edges += [edge for stem in LISTED for edge in _listed_synapses(stem)]
    synapses = pd.DataFrame(edges).groupby(["pre", "post", "sign", "provenance"], as_index=False, sort=False).sum()
    synapses = synapses.rename(columns={"contacts": "count"}).assign(
        kind="chemical", sign_provenance=synapses["provenance"]
    )
    return Connectome(neurons, synapses, SOURCE)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    yield from table(name).to_dict("records")  # type: ignore[misc]


def _central() -> Iterator[Neuron]:
    for row in _rows("descending"):
        yield Neuron(row["name"], row["type"], "inter", row["transmitter"], row["side"])


def _rhythm_cells() -> Iterator[Neuron]:
    kinds = {"IN17A001": "acetylcholine", "INXXX466": "acetylcholine", "IN16B036": "glutamate"}
    back = ("back_IN17A001", "back_INXXX466", "back_relay", "back_inhibitor")
    kinds |= dict.fromkeys(("relay", "coupling", *back), "")
    for leg in LEGS:
        for kind, transmitter in kinds.items():
            yield Neuron(f"{kind}_{leg}", kind, "inter", transmitter, leg[0])


def _premotor_cells() -> Iterator[Neuron]:
    groups = table("premotor")[["sign", "group"]].drop_duplicates()
    for leg in LEGS:
        for sign, group in groups.itertuples(index=False):
            kind = premotor_type(sign, group)
            transmitter = "acetylcholine" if sign == "excitatory" else "GABA+glutamate"
            yield Neuron(f"{kind}_{leg}", kind, "inter", transmitter, leg[0])


def _motor_cells() -> Iterator[Neuron]:
    for row in _rows("motor_neurons"):
        yield Neuron(row["name"], row["type"], "motor", "glutamate", row["leg"][0])


def _sensory_cells() -> Iterator[Neuron]:
    for kind in table("sensory_neurons")["type"].unique():
        for leg in LEGS:  # a leg of which none were found (SNpp53 in LF) is taken to have them: the nerve is damaged
            yield Neuron(f"{kind}_{leg}", kind, "sensory", "acetylcholine", leg[0])


def _listed_cells(stem: str) -> Iterator[Neuron]:
    for row in _rows(f"{stem}_neurons"):
        yield Neuron(row["name"], row["type"], row["role"], row["transmitter"], row["side"])


def _rhythm() -> Iterator[Edge]:
    for row in _rows("rhythm"):
        for leg in LEGS:
            for pre in _sources(row["pre"], leg):
                yield Edge(pre, f"{row['post']}_{leg}", row["count"], row["sign"], row["provenance"])


def _coupling() -> Iterator[Edge]:
    for row in _rows("coupling"):
        yield Edge(f"coupling_{row['from_leg']}", f"IN17A001_{row['to_leg']}", row["count"], 1, row["provenance"])


def _pattern() -> Iterator[Edge]:
    for row in _rows("pattern"):
        for leg in (f"L{row['pair']}", f"R{row['pair']}"):
            for pre in _sources(row["pre"], leg):
                yield Edge(pre, f"{row['post']}_{leg}", row["count"], row["sign"], row["provenance"])


def _sources(kind: str, leg: str) -> list[str]:
    """Cells of a type that reach a leg: its own, or those of the other side of a descending type, as with DNg100."""
    return _descending().get((kind, opposite(leg)[0]), []) or [f"{kind}_{leg}"]


@cache
def _descending() -> dict[tuple[str, str], list[str]]:
    """Names of the descending cells by type and side."""
    return dict(table("descending").groupby(["type", "side"])["name"].apply(list))


def _premotor() -> Iterator[Edge]:
    """Every motor neuron of a pool gets what one of the measured leg's has on the average."""
    motor = table("motor_neurons").groupby(["leg", "pool"])["name"].apply(list)
    for row in _rows("premotor"):
        if row["synapses"] == 0:
            continue
        each, kind = row["synapses"] / row["motor_neurons"], premotor_type(row["sign"], row["group"])
        for leg in LEGS:
            for name in motor.get((leg, row["pool"]), []):
                provenance = "derived" if leg == "LF" else "assumed"
                yield Edge(f"{kind}_{leg}", name, each, SIGN[row["sign"]], provenance)


def _reflexes() -> Iterator[Edge]:
    motor = table("motor_neurons").groupby(["type", "leg"])["name"].apply(list)
    for row in _rows("reflexes"):
        for leg in LEGS:
            for name in motor.get((row["post"], leg), [f"{row['post']}_{leg}"]):
                yield Edge(f"{row['pre']}_{leg}", name, row["count"], row["sign"], row["provenance"])


def _listed_synapses(stem: str) -> Iterator[Edge]:
    for row in _rows(f"{stem}_synapses"):
        yield Edge(row["pre"], row["post"], row["count"], row["sign"], row["provenance"])


def _commands() -> Iterator[Edge]:
    """Descending cells onto premotor groups of the legs on one side; `side` says which, seen from the cell."""
    for row in _rows("commands"):
        for leg in (leg for leg in LEGS if leg[1] in row["pairs"]):
            side = leg[0] if row["side"] == "same" else opposite(leg)[0]
            for name in _descending()[row["pre"], side]:
                yield Edge(name, f"{row['post']}_{leg}", row["count"], row["sign"], row["provenance"])
