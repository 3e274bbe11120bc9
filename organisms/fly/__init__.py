"""The fruit fly, *Drosophila melanogaster*: a leg rhythm from the connectome in a body of a milligram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...bodies.fly import FlyBody, fly
from ...bodies.fly_medium import Fluid
from ...brains.network import SynapseGains
from ..maps import EffectorMap, SensoryMap
from ..organism import Organism
from .sight import Sight
from .wiring import DATA, connectome, table

MODEL = "rate"
PER_SYNAPSE = 0.03  # input per synapse and Hz: b of Pugliese et al. 2025, code
RATE_FULL_HZ = 200.0  # Hz: r_max there
THRESHOLD, SLOPE = 7.5, 200.0  # of a cell of median size there: theta, and r_max / a
MUSCLE_GAIN = 2.0  # excitation when all motor neurons of a muscle fire at the full rate; assumed: 100 Hz is all of it
CONTROL_S = 0.005  # s, a sixteenth of a step
TASKS = ("walk", "turn", "looming", "feed", "odour")
STIMULATED = ("DNg100", "DNa02", "DNp01", "MDN")
PANEL = (
    "HS",
    "LPLC2",
    "DNg100",
    "DNa02",
    "DNp01",
    "MDN",
    "sugarGRN",
    "MN9",
    "PN_DM1*",
    "WPN",
    "odourON",
    "upwind",
    "IN17A001",
    "INXXX466",
    "IN16B036",
    "relay",
)
ABLATIONS = {
    "walk": ("IN17A001", "INXXX466", "IN16B036", "coupling"),
    "turn": ("HS,H2", "DNa02"),
    "looming": ("LPLC2", "DNp01"),
    "feed": ("sugarGRN", "MN9"),
    "odour": ("ORN", "JO-C,JO-E", "odourON", "DNa02", "LHtoward"),
}
RHYTHM_SOURCE = "Pugliese et al. 2025 doi:10.1101/2025.09.12.675944, code: threshold and 1/gain grow with volume"


def build() -> Organism:
    """The fly, from the tables of `data/`."""
    wiring = connectome()
    return Organism(
        name="fly",
        connectome=wiring,
        reference=wiring,
        dynamics=dynamics(),
        gains=SynapseGains(chemical_mv=PER_SYNAPSE * RATE_FULL_HZ, electrical=0.0, normalisation=0.0),
        sensory=SensoryMap.from_csv(
            *(DATA / f"senses{part}.csv" for part in ("", "_visual", "_taste", "_odour", "_wind"))
        ),
        effectors=EffectorMap.from_csv(DATA / "effectors.csv", gain=MUSCLE_GAIN),
        body=body,
        rebuild=rebuild,
        tasks=TASKS,
        stimulated=STIMULATED,
        panel=PANEL,
        ablations=ABLATIONS,
        model=MODEL,
        control_s=CONTROL_S,
        neuropil=Sight,
    )


def body(medium: str | Fluid = "air") -> FlyBody:
    """The fly's body on a level floor."""
    return fly(medium=medium)


def rebuild(options: Mapping[str, Any]) -> FlyBody:
    """The fly whose `options`, read from JSON, these are."""
    return fly(**{**options, "medium": Fluid(**options["medium"])})


def dynamics() -> pd.DataFrame:
    """Parameters by cell type: threshold and slope of the rate grow with the size of the cell."""
    motor = table("motor_neurons").drop_duplicates("type")
    sizes = pd.concat([table("sizes"), motor[["type", "size", "provenance", "source"]]], ignore_index=True)
    rows = pd.DataFrame({"selector": sizes["type"], "model": "rate"})
    rows["v_half_mv"] = (THRESHOLD * sizes["size"].astype(np.float64)).round(4)
    rows["slope_mv"] = (SLOPE * sizes["size"].astype(np.float64)).round(3)
    rows["provenance"] = sizes["provenance"].replace("measured", "derived")  # a measured size, by the rule above
    rows["source"] = sizes["source"]
    slow = table("time_constants").rename(columns={"type": "selector"}).assign(model="rate")
    common = {"selector": "*", "model": "rate", "v_half_mv": THRESHOLD, "slope_mv": SLOPE, "provenance": "published"}
    parts = (pd.DataFrame([{**common, "source": RHYTHM_SOURCE}]), rows, slow)
    return pd.concat([part.astype(str) for part in parts], ignore_index=True).fillna("")
