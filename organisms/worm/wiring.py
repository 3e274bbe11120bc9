"""The wiring of C. elegans from the published tables in `data`; data/README.md names each source."""

from __future__ import annotations

import gzip
from functools import cache
from importlib import resources
from io import BytesIO

import pandas as pd

from ...brains.connectome import Connectome, Source

# body-wall muscles by quadrant (dorsal or ventral, left or right), head to tail; MVL24 does not exist
MUSCLES: tuple[str, ...] = tuple(
    f"{quadrant}{row:02d}"
    for quadrant, rows in {"MDL": 24, "MDR": 24, "MVL": 23, "MVR": 24}.items()
    for row in range(1, rows + 1)
)

SOURCE = Source(
    citation=(
        "Cook et al. 2019, Nature 571:63 (chemical and electrical synapses, SI 5 corrected July 2020); "
        "Bentley et al. 2016, PLoS Comput Biol 12:e1005283 (monoamines); "
        "Fenyves et al. 2020, PLoS Comput Biol 16:e1007974 (signs); "
        "Wang et al. 2024, eLife 13:RP95402 (transmitters); Virtual Worm through c302 (somata)"
    ),
    doi="10.1038/s41586-019-1352-7",
    licence="tables taken with attribution, see organisms/worm/data/README.md",
)


def _table(name: str, dtype: type[str] | None = None) -> pd.DataFrame:
    packed = (resources.files(__package__ or __name__) / "data" / f"{name}.csv.gz").read_bytes()
    return pd.read_csv(BytesIO(gzip.decompress(packed)), keep_default_na=False, dtype=dtype)


@cache
def connectome() -> Connectome:
    """All 302 neurons of the adult hermaphrodite: chemical, electrical and (monoamine) modulatory synapses.

    Synapse counts are the Cook et al. 2019 weights: serial EM sections of each contact, summed. A modulatory edge says
    only that one cell makes a monoamine and the other a receptor for it: count 1, sign unknown.
    """
    # as text: Connectome reads every decimal exactly, pandas to the last bit only in some versions
    return Connectome(_table("neurons", str), _table("synapses", str), SOURCE)


def neuromuscular() -> pd.DataFrame:
    """Chemical synapses on body-wall muscles: neuron, muscle, count (EM sections), sign, sign_provenance.

    The sign follows the neuron's first-listed transmitter: acetylcholine +1, GABA -1, anything else 0 (unknown).
    """
    return _table("neuromuscular")


def neuromuscular_gap() -> pd.DataFrame:
    """Gap junctions between neurons and body-wall muscles, one row a pair: neuron, muscle, count (EM sections)."""
    return _table("neuromuscular_gap")


def muscle_gap() -> pd.DataFrame:
    """Gap junctions between body-wall muscles, listed both ways: pre, post, count (EM sections)."""
    return _table("muscle_gap")
