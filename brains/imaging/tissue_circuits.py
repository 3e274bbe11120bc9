"""Small random connectomes for tissue and tests; they are no animal's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..connectome import Connectome, Source

__all__ = ["random_circuit"]


def random_circuit(
    n: int, rng: np.random.Generator, out_degree: float = 4.0, mean_count: float = 1.6, inhibitory: float = 0.3
) -> Connectome:
    """A connectome in which every pair is joined with the same chance; each neuron has one edge or more.

    Args:
        n: neurons, two or more.
        rng: of everything.
        out_degree: mean number of neurons each reaches.
        mean_count: mean synapses of an edge, geometric, 1 or more.
        inhibitory: share of neurons that make GABA, sign -1; the others make acetylcholine.

    Raises:
        ValueError: fewer than two neurons, or a mean count below 1.
    """
    if n < 2 or mean_count < 1:
        raise ValueError(f"random_circuit: n ({n}) must be 2 or more and mean_count ({mean_count}) 1 or more")
    joined = rng.random((n, n)) < out_degree / (n - 1)
    lonely = np.flatnonzero(~joined.any(axis=1))
    joined[lonely, (lonely + rng.integers(1, n, len(lonely))) % n] = True
    np.fill_diagonal(joined, False)
    pre, post = np.nonzero(joined)
    names = np.array([f"N{i:03d}" for i in range(n)])
    blocks = rng.random(n) < inhibitory
    neurons = pd.DataFrame({"name": names, "transmitter": np.where(blocks, "GABA", "acetylcholine")})
    neurons = neurons.assign(type="", role="inter", side="", x_um=np.nan, y_um=np.nan, z_um=np.nan)
    synapses = pd.DataFrame({"pre": names[pre], "post": names[post], "count": rng.geometric(1 / mean_count, len(pre))})
    synapses = synapses.assign(kind="chemical", sign=np.where(blocks[pre], -1, 1), provenance="assumed")
    return Connectome(neurons, synapses, Source(f"random circuit of {n} neurons, made by animat"))
