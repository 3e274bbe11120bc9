"""*Caenorhabditis elegans*: 302 neurons, 95 body-wall muscles."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from ...bodies.drag import Medium
from ...bodies.worm import WormBody, worm
from ...bodies.worm_spec import WormShape
from ...brains.network import SynapseGains
from ..maps import EffectorMap, SensoryMap
from ..organism import Organism
from .wiring import connectome

FOLDER = Path(str(resources.files(__package__ or __name__)))
STIMULATED = ("AVA", "AVB", "AVD", "AVE", "PVC")
PANEL = (
    *("ASEL", "ASER", "AIB", "ALM", "AVM", "PLM", "AVB", "PVC", "AVA", "AVD", "AVE", "RIM"),
    *("SMDD*", "SMDV*", "DB", "VB", "DA", "VA", "DD", "VD"),
)
TASKS = ("crawl", "swim", "touch", "chemotaxis", "thermotaxis", "explore")
ABLATIONS = {
    "crawl": ("DB,VB", "DD,VD"),
    "swim": ("DB,VB", "DD,VD"),
    "touch": ("AVA,AVD,AVE", "ALM,AVM", "PLM"),
    "explore": ("AVA,AVD,AVE", "AIB", "AIY"),
    "chemotaxis": ("ASEL,ASER",),
    "thermotaxis": ("AFD",),
}


def gain_table() -> dict[str, float]:
    """The worm's global gains by name; gains.csv has units, provenance and sources."""
    table = pd.read_csv(FOLDER / "gains.csv")
    return dict(zip(table["name"], table["value"].astype(float), strict=True))


def build() -> Organism:
    """The worm, from the tables of this folder."""
    gains, wiring = gain_table(), connectome()
    return Organism(
        name="worm",
        connectome=wiring,
        reference=wiring,
        dynamics=_parameters("dynamics"),
        gains=SynapseGains(
            chemical_mv=gains["chemical_mv"],
            electrical=gains["electrical"],
            inhibition=gains["inhibition"],
            overrides=_parameters("synapse_rules"),
        ),
        sensory=SensoryMap.from_csv(FOLDER / "senses.csv", FOLDER / "proprioception.csv"),
        effectors=EffectorMap.from_csv(FOLDER / "effectors.csv", gain=gains["muscle"]),
        body=body,
        rebuild=rebuild,
        tasks=TASKS,
        stimulated=STIMULATED,
        panel=PANEL,
        ablations=ABLATIONS,
    )


def body(medium: str | Medium = "agar", planar: bool = True) -> WormBody:
    """The worm's body with the tissue of gains.csv."""
    return worm(medium=medium, planar=planar, shape=WormShape(**_tissue()))


def rebuild(options: Mapping[str, Any]) -> WormBody:
    """The worm whose `options`, read from JSON, these are."""
    medium, shape = Medium(**options["medium"]), WormShape(**options["shape"])
    return worm(medium=medium, planar=options["planar"], shape=shape, timestep_s=options["timestep_s"])


def _tissue() -> dict[str, Any]:
    gains, published = gain_table(), WormShape()
    ratio = gains["passive_rigidity_ratio"]
    return {
        "passive_rigidity": published.passive_rigidity * ratio,
        "active_ratio": published.active_ratio * gains["muscle_strength_ratio"] / ratio,
        "active_damping_s": gains["active_damping_s"],
    }


def _parameters(stem: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{stem}.csv", keep_default_na=False, dtype=str)
