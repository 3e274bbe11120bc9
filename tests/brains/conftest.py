"""Small networks for the brain tests; fixtures that return builders, since test modules cannot import each other."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from animat.brains.connectome import Connectome, Source
from animat.brains.models import MODELS, Graded, Lif, Rate
from animat.brains.network import Cells, Network

MakeNetwork = Callable[..., Network]
PARAMETERS = [name for name in Cells.__dataclass_fields__ if name not in ("names", "model")]


def _default(model: str, name: str) -> float:
    return next(getattr(p, name) for p in (MODELS[model](), Graded(), Lif(), Rate()) if hasattr(p, name))


def _cells(models: Sequence[str], **values: float) -> Cells:
    arrays = {name: np.array([values.get(name, _default(model, name)) for model in models]) for name in PARAMETERS}
    return Cells(names=tuple(f"N{i}" for i in range(len(models))), model=np.array(models), **arrays)


@pytest.fixture(scope="session")
def make_network() -> MakeNetwork:
    """Builder of a network: models of its neurons, dense matrices (post, pre), parameters that are not the default."""

    def build(models, chemical=None, electrical=None, dt_ms=1.0, **values):
        models = [models] if isinstance(models, str) else list(models)
        none = np.zeros((len(models), len(models)))
        matrices = [csr_array(none if m is None else np.asarray(m, dtype=float)) for m in (chemical, electrical)]
        cells = _cells(models, **values)
        return Network(cells=cells, chemical=matrices[0], electrical=matrices[1], dt_ms=dt_ms)

    return build


@pytest.fixture(scope="session")
def random_network(make_network: MakeNetwork) -> MakeNetwork:
    """Builder of a random network of one kind of cell or mixed, with inhibition and, but for rates, gap junctions."""

    def build(kind: str, n: int = 12, seed: int = 0, **values):
        rng = np.random.default_rng(seed)
        models = [kind if kind != "mixed" else ("graded", "lif")[i % 2] for i in range(n)]
        chemical = rng.normal(0.0, 6.0, (n, n)) * (rng.random((n, n)) < 0.3)
        coupling = np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.2), 1)
        if kind == "rate":
            return make_network(models, chemical, plateau_mv=5.0, **{"slope_mv": 10.0, **values})
        return make_network(models, chemical, coupling + coupling.T, plateau_mv=5.0, **values)

    return build


@pytest.fixture(scope="session")
def little_worm() -> Connectome:
    """Six neurons with every kind of synapse; A is a type of two cells, the sign of PVT's synapse is unknown."""
    neurons = pd.DataFrame(
        [
            ("AL", "A", "inter", "acetylcholine", "L"),
            ("AR", "A", "inter", "acetylcholine", "R"),
            ("DB1", "DB", "motor", "acetylcholine", "M"),
            ("DD1", "DD", "motor", "GABA", "M"),
            ("PVT", "PVT", "inter", "", "M"),
            ("ALM", "ALM", "sensory", "glutamate", "L"),
        ],
        columns=["name", "type", "role", "transmitter", "side"],
    ).assign(x_um=0.0, y_um=0.0, z_um=0.0)
    rows = [
        ("AL", "DB1", "chemical", 6.0, 1),
        ("AR", "DB1", "chemical", 2.0, 1),
        ("DD1", "DB1", "chemical", 4.0, -1),
        ("DB1", "DD1", "chemical", 5.0, 1),
        ("PVT", "AL", "chemical", 3.0, 0),
        ("ALM", "AL", "chemical", 1.0, 1),
        ("ALM", "AR", "modulatory", 9.0, 0),
        ("AL", "AR", "electrical", 3.0, 1),
        ("AR", "AL", "electrical", 3.0, 1),
        ("AL", "DB1", "electrical", 1.0, 1),
        ("DB1", "AL", "electrical", 1.0, 1),
        ("DD1", "DD1", "electrical", 2.0, 1),
    ]
    synapses = pd.DataFrame(rows, columns=["pre", "post", "kind", "count", "sign"]).assign(provenance="measured")
    synapses["sign_provenance"] = np.where(synapses["sign"] == 0, "none", "derived")
    return Connectome(neurons, synapses, Source("a test", doi="10.0/none", licence="CC0"))
