"""The search of a sense's pathway starts from the worm's tables, and its seeds are nobody else's."""

import numpy as np
import pytest

from animat.envs.tasks import TASKS
from animat.organisms.organism import make
from animat.scripts import bench_ablations, bench_behaviour
from animat.scripts.search_taxis import HELD_OUT, PATHWAYS, SEEDS, evaluate, worm_of

CONTROLLED = range(20)  # the seeds of `animat controls --seeds 20`


def shipped(task: str) -> dict[str, float]:
    """The values that the worm's tables hold for what a search frees; a synapse without a rule has the factor 1."""
    worm, way = make("worm"), PATHWAYS[task]
    senses, rules = worm.sensory.table, worm.gains.overrides
    assert rules is not None
    factors = rules.set_index(["pre", "post", "kind"])["factor"].astype(float).to_dict()
    values = {way.gain[0]: float(senses.loc[senses["neuron"] == way.cells[0], "gain"].iloc[0])}
    return values | {name: factors.get(rows[0][:3], 1.0) for name, rows in way.rows.items()}


@pytest.mark.parametrize("task", sorted(PATHWAYS))
def test_the_shipped_values_are_inside_their_ranges_and_rebuild_the_shipped_worm(task: str):
    values, worm = shipped(task), make("worm")
    for parameter in PATHWAYS[task].parameters:
        assert parameter.low <= values[parameter.name] <= parameter.high, parameter.name
    rebuilt = worm_of(task, tuple(values.items()))
    for kind in ("chemical", "electrical"):
        ours, theirs = (getattr(organism.brain("graded").network, kind).toarray() for organism in (rebuilt, worm))
        np.testing.assert_array_equal(ours, theirs)
    assert list(rebuilt.sensory.table["gain"]) == list(worm.sensory.table["gain"])


def test_a_stronger_synapse_of_the_pathway_is_stronger_in_the_network():
    values = shipped("chemotaxis")
    doubled = worm_of("chemotaxis", tuple((values | {"aib_rim": 2 * values["aib_rim"]}).items()))
    worm = make("worm")
    aib, rim = worm.connectome.index(["AIBL", "RIML"])
    now, before = (organism.brain("graded").network.chemical[rim, aib] for organism in (doubled, worm))
    assert now > before > 0


def test_the_seeds_of_the_search_are_neither_benchmarks_nor_controls_seeds():
    searched = {*SEEDS, *HELD_OUT}
    assert not set(SEEDS) & set(HELD_OUT)
    assert not searched & {*CONTROLLED, *bench_behaviour.SEEDS, *bench_ablations.SEEDS}


@pytest.mark.parametrize("task", sorted(PATHWAYS))
def test_an_evaluation_measures_the_index_and_depends_on_nothing_but_values_and_seed(task: str):
    values = shipped(task)
    first, again = (evaluate(values, SEEDS[0], task, seconds=2.0) for _ in range(2))
    assert task in TASKS
    assert np.isfinite(first["taxis_index"])
    assert first == again
