"""The published behaviour of the whole-brain model of Shiu et al. 2024, on the connectome it was published with.

These run where the user has pulled flywire-630 (`animat data pull flywire-630`, 90 MB) and are skipped otherwise. The
model has the paper's constants (`LifExp`) and one free parameter, 0.275 mV per synapse, fitted there and not here.
"""

from __future__ import annotations

import numpy as np
import pytest

from animat.brains.compact import CompactConnectome
from animat.brains.paths import on_paths
from animat.brains.spiking_brain import SpikingBrain
from animat.organisms.datasets.convert import connectome
from animat.organisms.datasets.registry import dataset, table
from animat.organisms.datasets.store import data_folder, missing

NAME = "flywire-630"
FOLDER = data_folder(NAME)
TRIALS = 30  # as published
CONTRALATERAL, IPSILATERAL = "720575940660219265", "720575940645521262"  # MN9 of either side of the sugar neurons

pytestmark = [
    pytest.mark.skipif(
        bool(missing(dataset(NAME), FOLDER)), reason=f"{NAME} is not in {FOLDER}; animat data pull {NAME} fetches it"
    ),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def fly() -> CompactConnectome:
    """The connectome of the published model."""
    return connectome(NAME)


@pytest.fixture(scope="module")
def brain(fly: CompactConnectome) -> SpikingBrain:
    """The published model."""
    return SpikingBrain(fly.network())


def neurons(whole: CompactConnectome, group: str) -> np.ndarray:
    """Rows of a published list of neurons."""
    return whole.index([row["root_id"] for row in table("shiu_neurons.csv") if row["group"] == group])


def spikes(model: SpikingBrain, driven: np.ndarray, rate_hz: float, trials: int = TRIALS) -> np.ndarray:
    """Spikes of every neuron in one second, shape (trials, n)."""
    found = np.zeros((trials, model.n), dtype=np.int64)
    for trial in range(trials):
        model.reset(seed=trial + 1)
        model.poisson(driven, rate_hz)
        found[trial] = model.step(None, 1.0).spikes
    return found


def test_the_connectome_has_the_published_size(fly: CompactConnectome):
    known = dataset(NAME)
    assert (fly.n, fly.edges, fly.synapses) == (known.neurons, known.edges, known.synapses)


@pytest.mark.parametrize(("rate_hz", "mn9_hz", "active"), [(100.0, (58.0, 76.0), 404), (200.0, (83.0, 103.0), 448)])
def test_sugar_neurons_drive_mn9(fly: CompactConnectome, brain: SpikingBrain, rate_hz: float, mn9_hz, active: int):
    """Published: 67.0 and 93.3 Hz, 404 and 448 neurons that spike in any of 30 trials (results/example of the code)."""
    found = spikes(brain, neurons(fly, "sugar"), rate_hz)
    contralateral, ipsilateral = found[:, fly.index([CONTRALATERAL, IPSILATERAL])].mean(axis=0)
    assert mn9_hz[0] <= contralateral <= mn9_hz[1]
    assert contralateral > ipsilateral
    assert abs((found.sum(axis=0) > 0).sum() - active) <= 0.1 * active


def test_antennal_neurons_drive_the_grooming_interneuron(fly: CompactConnectome, brain: SpikingBrain):
    """Published: JO-CE at 150 Hz drives aBN1 at 50.8 Hz, JO-F at 1.2 Hz."""
    abn1 = neurons(fly, "aBN1")[0]
    assert abs(spikes(brain, neurons(fly, "JO-CE"), 150.0)[:, abn1].mean() - 50.8) <= 0.15 * 50.8
    assert spikes(brain, neurons(fly, "JO-F"), 150.0)[:, abn1].mean() < 3.0


def test_shuffled_wiring_does_not_drive_mn9(fly: CompactConnectome):
    """Published: one of 100 shuffles does; three of them here, each a few trials."""
    for seed in range(3):
        shuffled = fly.shuffle(np.random.default_rng(seed))
        found = spikes(SpikingBrain(shuffled.network()), neurons(fly, "sugar"), 100.0, trials=3)
        assert found[:, fly.index([CONTRALATERAL])].mean() < 5.0


def test_the_circuit_from_sugar_to_mn9_has_the_published_size(fly: CompactConnectome):
    """447 neurons, 24,403 edges, 218,932 synapses: williamrusya/virtual-fly-lab at 775a94c, taste-circuit.json.

    Its selection: all neurons on paths of at most 3 edges from the 21 sugar neurons to the contralateral MN9, and those
    of the 21 that are on none.
    """
    sugar, mn9 = neurons(fly, "sugar"), fly.index([CONTRALATERAL])
    circuit = fly.subset(np.union1d(on_paths(fly.start, fly.target, sugar, mn9, 3), sugar))
    assert (circuit.n, circuit.edges, circuit.synapses) == (447, 24_403, 218_932)
    paths = fly.paths_subgraph(sugar, mn9, 3)
    assert set(paths.names) <= set(circuit.names)
    assert set(circuit.names) - set(paths.names) <= {fly.names[row] for row in sugar}
