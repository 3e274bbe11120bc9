"""The worm's touch circuit as tissue, and what was reconstructed of it put back into the worm.

Touch of the front makes a worm back away, touch of the rear makes it go faster (Chalfie et al. 1985, J Neurosci 5:956):
ALM and AVM act through AVD on AVA, PLM through PVC on AVB. Only the chemical synapses among these cells are rendered
and put back; their electrical synapses, and the rest of the worm, stay as published.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..brains.connectome import Connectome, Source
from ..organisms.worm.wiring import connectome as worm_connectome

__all__ = ["CELLS", "PER_COUNT", "put_back", "touch_circuit"]

PER_COUNT = 0.2  # synapses in the tissue for a count of 1 in the worm: 131 in place of 629
CELLS = ("ALM", "AVM", "PLM", "AVD", "PVC", "AVA", "AVB")


def touch_circuit() -> Connectome:
    """The touch receptors and the interneurons they drive, 13 cells."""
    return worm_connectome().subset(CELLS)


def put_back(found: Connectome, match: Mapping[str, str], synapses_per_count: float) -> Connectome:
    """The whole worm with the circuit's chemical synapses as they were reconstructed.

    Args:
        found: the reconstruction.
        match: the worm's neuron by the reconstruction's name, of `RoundTrip`.
        synapses_per_count: of the tissue's settings; counts are divided by it.

    Signs of edges that the worm does not have are those of most edges of the neuron before them: tissue shows none.
    """
    worm = worm_connectome()
    edges = found.synapses.query("kind == 'chemical'")
    edges = edges[edges["pre"].isin(list(match)) & edges["post"].isin(list(match))]
    edges = edges.assign(pre=edges["pre"].map(dict(match)), post=edges["post"].map(dict(match)), provenance="derived")
    sign = _signs(worm.synapses.query("kind == 'chemical'"))
    edges["sign"] = edges["pre"].map(sign).fillna(0).astype(np.int64)
    edges["sign_provenance"] = np.where(edges["sign"] == 0, "none", "derived")
    circuit = touch_circuit()
    part = Connectome(circuit.neurons, edges, Source(found.source.citation))
    return worm.graft(part, circuit.names, 1 / synapses_per_count)


def _signs(edges: pd.DataFrame) -> pd.Series[int]:
    """Sign of most edges of each neuron, by count."""
    weighted = (edges["sign"] * edges["count"]).groupby(edges["pre"]).sum()
    return weighted.map(np.sign).astype(np.int64)
