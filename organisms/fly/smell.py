"""What an odorant is to the fly: which receptor neurons it drives, from the responses of DoOR.

The body feels one number at each antenna and palp, the concentration; which odorant that is, the sensory map says. The
shipped map is for `DEFAULT`; `smelling` makes a fly that takes it for another.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ...registry import UnknownNameError, nearest
from ..maps import SENSORY_COLUMNS, SensoryMap
from ..organism import Organism
from .wiring import table

DEFAULT = "ethyl acetate"
GAIN = 150.0  # drive of a receptor neuron at response 1 and concentration 1; assumed
SOURCE = "response of DoOR (Muench & Galizia 2016) times 150; linear in concentration, gain assumed"


def odorants() -> tuple[str, ...]:
    """Those of which responses are shipped."""
    return tuple(sorted(set(table("odour_responses")["odorant"])))


def senses(odorant: str) -> pd.DataFrame:
    """Rows of the sensory map that make the channels of smell this odorant's concentration.

    Raises:
        KeyError: no responses to it are shipped, with the nearest name.
    """
    if odorant not in odorants():
        raise UnknownNameError(f"no odorant {odorant!r}; {nearest(odorant, odorants())}")
    responses = table("odour_responses")
    rows = [
        (f"odour_{row['organ']}_{side}", f"ORN_{row['glomerulus']}_{side}", round(GAIN * row["response"], 2))
        for row in responses[responses["odorant"] == odorant].to_dict("records")
        for side in "LR"
    ]
    found = pd.DataFrame(rows, columns=["channel", "neuron", "gain"])
    found = found.assign(unit="1", encoding="rectified", delay_s=0.0, provenance="assumed", source=SOURCE)
    return found[list(SENSORY_COLUMNS)]


def smelling(organism: Organism, odorant: str) -> Organism:
    """The same fly in an arena whose odour is this one.

    Raises:
        KeyError: no responses to it are shipped, with the nearest name.
    """
    rows = organism.sensory.table
    others = rows[~rows["channel"].str.startswith("odour_")]
    return replace(organism, sensory=SensoryMap(table=pd.concat([others, senses(odorant)], ignore_index=True)))
