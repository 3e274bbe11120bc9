"""The mouse's spinal cord: the populations and synapses of Danner et al. 2017 as a connectome, and the brain it makes.

To the 56 published populations come, assumed, two levels below (pattern formation and motor pools) and axons from
outside: the command and its opposite, load, stretch and vestibular afferents, which are inputs driven by name.

Both tables lie in `data/`, one row a type of population and one row a rule of connection; SOURCES.md says where each
comes from. They are expanded here to the limbs (LH, RH, LF, RF) or the sides (L, R): `RG-F` has `RG-F_LH` and three
others. The weight of a synapse is its `count`, in conductances of 10 nS at full output of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...brains.connectome import Connectome, Source
from ...brains.engines.spiking_populations import Cells
from ...brains.population import PARAMETERS, population_network
from ...brains.population_brain import PopulationBrain
from ...registry import UnknownNameError, nearest

Floats = npt.NDArray[np.float64]
Copies = Mapping[str, tuple[str, ...]]

DATA = Path(str(resources.files(__package__ or __name__))) / "data"
LIMBS = ("LH", "RH", "LF", "RF")  # left and right, hind and fore
PLACES = {"limb": LIMBS, "hind": LIMBS[:2], "fore": LIMBS[2:], "side": ("L", "R")}
GIRDLES = {"fore": "F", "hind": "H", "both": "HF", "own": "HF", "": ""}
SOURCE = Source(
    citation=(
        "Assembled, not one animal: spinal circuits of Danner, Shevtsova, Frigon & Rybak 2017 (eLife 6:e31050); "
        "a model fitted to behaviour and lesions, not a reconstruction"
    ),
    doi="10.7554/eLife.31050",
    licence="CC BY 4.0",
)


class Edge(NamedTuple):
    """A row of the synapse table of a connectome."""

    pre: str
    post: str
    weight: float
    sign: int
    provenance: str


def table(name: str) -> pd.DataFrame:
    """A table of `data/` by its stem, as text."""
    return pd.read_csv(DATA / f"{name}.csv", keep_default_na=False, comment="#", dtype=str)


@cache
def connectome() -> Connectome:
    """The whole cord, one neuron a population."""
    return assembled(table("spinal_populations"), table("spinal_synapses"))


def assembled(populations: pd.DataFrame, synapses: pd.DataFrame) -> Connectome:
    """The cord of two tables like those of `data/`, expanded to limbs and sides."""
    copies = {row["type"]: PLACES[row["copies"]] for row in _records(populations)}
    neurons = [
        (f"{row['type']}_{place}", row["type"], row["role"], row["transmitter"], place[0])
        for row in _records(populations)
        for place in copies[row["type"]]
    ]
    frame = pd.DataFrame(neurons, columns=["name", "type", "role", "transmitter", "side"])
    edges = pd.DataFrame([edge for row in _records(synapses) for edge in _expanded(row, copies)])
    synapses = edges.rename(columns={"weight": "count"}).assign(kind="chemical", sign_provenance=edges["provenance"])
    return Connectome(frame.assign(x_um=np.nan, y_um=np.nan, z_um=np.nan), synapses, SOURCE)


def dynamics(populations: pd.DataFrame | None = None) -> pd.DataFrame:
    """Model and parameters by type, as `population_network` takes them; of the table of `data/` unless given."""
    rows = (table("spinal_populations") if populations is None else populations).rename(columns={"type": "selector"})
    return rows[[name for name in rows if name in ("selector", "model", "provenance", "source", *PARAMETERS)]]


def brain(
    wiring: Connectome | None = None, seed: int = 0, dt_ms: float = 0.1, cells: int | None = None
) -> PopulationBrain:
    """The cord as a brain.

    Args:
        wiring: the whole cord by default; also an ablated or shuffled one.
        seed: of the noise and the starting state.
        dt_ms: step, ms.
        cells: spiking cells in each population; None for its mean.
    """
    wiring = connectome() if wiring is None else wiring
    network = population_network(wiring, dynamics(), dt_ms, connectome())
    return PopulationBrain(network, seed, None if cells is None else Cells(number=cells))


def command(names: Iterable[str], left: float, right: float | None = None) -> Floats:
    """Drive of every population, shape (n,), for a brainstem command to each side.

    Args:
        names: of the brain.
        left: alpha of the published model: 0.12 walks, 0.2 trots, 0.9 gallops, 1.0 bounds.
        right: that of the right side; default as on the left.
    """
    values = {"command_L": left, "command_R": left if right is None else right}
    return np.array([values.get(name, 0.0) for name in names])


def _records(rows: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    yield from rows.to_dict("records")  # type: ignore[misc]


def _expanded(row: Mapping[str, Any], copies: Copies) -> Iterator[Edge]:
    """Every synapse a rule stands for; where both ends have limbs and `post_limbs` is "own", within a girdle."""
    for pre in _places(row["pre"], row["pre_limbs"], copies):
        for post in _places(row["post"], row["post_limbs"], copies):
            across = pre[0] != post[0]
            if across == (row["side"] == "other") and (row["post_limbs"] != "own" or pre[1:] == post[1:]):
                names = f"{row['pre']}_{pre}", f"{row['post']}_{post}"
                yield Edge(*names, float(row["weight"]), int(row["sign"]), row["provenance"])


def _places(kind: str, limbs: str, copies: Copies) -> list[str]:
    if kind not in copies:
        raise UnknownNameError(f"spinal_synapses.csv: no population {kind!r}; {nearest(kind, copies)}")
    if limbs not in GIRDLES:
        raise UnknownNameError(f"spinal_synapses.csv: no limbs {limbs!r}; {nearest(limbs, GIRDLES)}")
    return [place for place in copies[kind] if place[1:] in GIRDLES[limbs]]
