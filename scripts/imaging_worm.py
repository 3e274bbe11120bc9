"""The worm's touch circuit as tissue, and what was reconstructed of it put back into the worm.

Touch of the front makes a worm back away, touch of the rear makes it go faster (Chalfie et al. 1985, J Neurosci 5:956):
ALM and AVM act through AVD on AVA, PLM through PVC on AVB. Only the chemical synapses among these cells are rendered
and put back; their electrical synapses, and the rest of the worm, stay as published.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..brains.connectome import Connectome
from ..organisms.worm.wiring import connectome as worm_connectome

__all__ = ["CELLS", "put_back", "touch_circuit"]

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

    Signs are those of the worm's neuron before the synapse, by most of its published edges: tissue shows none.
    """
    worm, circuit = worm_connectome(), touch_circuit()
    table = worm.synapses
    inside = table["pre"].isin(circuit.names) & table["post"].isin(circuit.names) & (table["kind"] == "chemical")
    inside &= table["pre"] != table["post"]  # a neuron's synapses with itself are not rendered
    edges = found.synapses.query("kind == 'chemical' and pre != post")
    edges = edges[edges["pre"].isin(list(match)) & edges["post"].isin(list(match))]
    edges = edges.assign(
        pre=edges["pre"].map(dict(match)), post=edges["post"].map(dict(match)),
        count=edges["count"] / synapses_per_count, provenance="derived",
    )  # fmt: skip
    sign = _signs(table[table["kind"] == "chemical"])
    edges["sign"] = edges["pre"].map(sign).fillna(0).astype(np.int64)
    edges["sign_provenance"] = np.where(edges["sign"] == 0, "none", "derived")
    joined = pd.concat([table[~inside], edges[table.columns]], ignore_index=True)
    change = f"{int(inside.sum())} chemical edges of the touch circuit replaced by {len(edges)} reconstructed ones"
    return Connectome(worm.neurons, joined, worm.source.changed(change))


def _signs(edges: pd.DataFrame) -> pd.Series[int]:
    """Sign of most edges of each neuron, by count."""
    weighted = (edges["sign"] * edges["count"]).groupby(edges["pre"]).sum()
    return weighted.map(np.sign).astype(np.int64)
