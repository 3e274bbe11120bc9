"""Receptors: the table itself, and what it does to the edges of a connectome."""

import numpy as np
import pandas as pd
import pytest

from animat.brains.connectome import Connectome, Source
from animat.brains.engines.dense_engine import DenseEngine
from animat.brains.engines.event_engine import EventEngine
from animat.brains.models import AdEx, LifCond, LifExp, LifPsc
from animat.brains.receptors import (
    MONOAMINES,
    Receptors,
    edge_receptors,
    receptor_counts,
    receptor_model,
    receptors,
)
from animat.brains.spiking import spiking_network
from animat.brains.spiking_brain import SpikingBrain
from animat.organisms.worm.wiring import connectome as worm
from animat.registry import UnknownNameError

ANIMALS = ("worm", "fly", "mouse")
ROWS = [pytest.param(row, id=f"{row.organism} {row.receptor}") for animal in ANIMALS for row in receptors(animal).rows]


def small(*edges: tuple[str, str, int]) -> Connectome:
    """Cells S0, S1, ... onto one cell T; an edge is the transmitters of its sender, its kind (or ""), its sign."""
    names = [f"S{k}" for k in range(len(edges))]
    neurons = pd.DataFrame({"name": [*names, "T"], "transmitter": [edge[0] for edge in edges] + [""]})
    neurons = neurons.assign(type="", role="inter", side="", x_um=0.0, y_um=0.0, z_um=0.0)
    synapses = pd.DataFrame({"pre": names, "post": "T", "kind": [edge[1] or "chemical" for edge in edges]})
    synapses = synapses.assign(count=2.0, sign=[edge[2] for edge in edges], provenance="measured")
    return Connectome(neurons, synapses, Source("a test"))


def chosen(animal: str, transmitters: str, kind: str = "chemical", sign: int = 0) -> tuple:
    edge = edge_receptors(small((transmitters, kind, sign)), receptors(animal)).iloc[0]
    return edge["receptor"], int(edge["sign"]), edge["sign_from"], edge["sign_provenance"]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_source_that_says_what_is_assumed(row):
    assert len(row.source) > 20
    used = (row.sign_provenance, row.decay_provenance, row.reversal_provenance)
    assert ("assumed" in used) == ("assumed" in row.source)


@pytest.mark.parametrize("row", [case for case in ROWS if case.values[0].kind == "fast"])
def test_a_channel_pulls_to_the_side_of_its_sign(row):
    assert (row.reversal_mv > -30.0) if row.sign > 0 else (row.reversal_mv < -40.0)


@pytest.mark.parametrize("animal", ANIMALS)
def test_monoamines_are_slower_than_every_channel(animal):
    rows = receptors(animal).rows
    slow = [row.decay_ms for row in rows if row.kind == "slow" and row.transmitter in MONOAMINES]
    assert len(slow) >= 4
    assert min(slow) >= 500.0 > max(row.decay_ms for row in rows if row.kind == "fast")
    assert sorted(slow)[len(slow) // 2] >= 1000.0  # of seconds


@pytest.mark.parametrize(
    ("animal", "transmitter", "signs"),
    [
        ("worm", "glutamate", {1, -1}),  # GLR-1 against AVR-14
        ("worm", "GABA", {1, -1}),  # UNC-49 against EXP-1
        ("worm", "acetylcholine", {1, -1}),  # nicotinic against ACC-1
        ("fly", "acetylcholine", {1}),
        ("fly", "glutamate", {-1}),  # GluClalpha: Liu and Wilson 2013
        ("fly", "GABA", {-1}),
        ("mouse", "glutamate", {1}),
        ("mouse", "GABA", {-1}),
    ],
)
def test_the_signs_of_fast_transmission_are_those_of_the_animal(animal, transmitter, signs):
    assert {row.sign for row in receptors(animal).of(transmitter, "fast")} == signs


def test_the_mouse_has_the_four_receptors_of_its_cortex():
    for name, kind, sign in (("AMPA", "fast", 1), ("NMDA", "fast", 1), ("GABA-A", "fast", -1), ("GABA-B", "slow", -1)):
        assert (receptors("mouse")[name].kind, receptors("mouse")[name].sign) == (kind, sign)
    assert receptors("mouse")["NMDA"].decay_ms > 10 * receptors("mouse")["AMPA"].decay_ms


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (("worm", "glutamate"), ("GLR-1", 1, "receptors", "assumed")),  # the animal has both signs
        (("fly", "glutamate"), ("GluClalpha", -1, "receptors", "derived")),  # it has but one
        (("worm", "glutamate", "chemical", -1), ("AVR-14", -1, "connectome", "assumed")),  # a known sign chooses
        (("worm", "GABA", "chemical", 1), ("EXP-1", 1, "connectome", "assumed")),
        (("worm", "dopamine+glutamate"), ("GLR-1", 1, "receptors", "assumed")),  # the first with a channel decides
        (("worm", "acetylcholine+serotonin", "modulatory"), ("SER-4", -1, "receptors", "assumed")),  # monoamines first
        (("worm", "glutamate+tyramine+betaine", "modulatory"), ("SER-2", -1, "receptors", "assumed")),
        (("worm", "dopamine"), ("", 0, "none", "none")),  # no channel of it is the default
        (("worm", ""), ("", 0, "none", "none")),
        (("worm", "", "chemical", -1), ("", -1, "connectome", "assumed")),
        (("fly", "gaba"), ("Rdl", -1, "receptors", "derived")),
    ],
)
def test_an_edge_has_the_receptor_of_its_sender(case, expected):
    assert chosen(*case) == expected


def test_the_default_can_be_chosen():
    table = receptors("worm").prefer("AVR-14", "DOP-1")
    edges = edge_receptors(small(("glutamate", "", 0), ("dopamine", "modulatory", 0), ("GABA", "", 0)), table)
    assert edges["receptor"].tolist() == ["AVR-14", "DOP-1", "UNC-49"]
    assert receptors("worm").choose("glutamate", "fast", 0).receptor == "GLR-1"  # the table itself is as it was


def test_in_the_worm_no_known_sign_changes_and_every_edge_is_counted_once():
    edges = edge_receptors(worm(), receptors("worm"))
    before = worm().synapses
    before = before[before["kind"] != "electrical"].reset_index(drop=True)
    known = before["sign"] != 0
    pd.testing.assert_series_equal(edges["sign"][known], before["sign"][known], check_dtype=False)
    assert (edges["sign_from"][known] == "connectome").all()
    assert (edges["sign_provenance"][known] == before["sign_provenance"][known]).all()
    counts = receptor_counts(edges)
    assert counts["edges"].sum() == len(before)
    assert counts["synapses"].sum() == before["count"].sum()
    assert not ((counts["sign_from"] == "none") & (counts["sign"] != 0)).any()


def test_the_worms_unknown_signs_and_monoamines_are_those_of_its_tables():
    counts = receptor_counts(edge_receptors(worm(), receptors("worm")))
    new = counts[(counts["kind"] == "chemical") & counts["sign_from"].isin(["receptors", "none"])]
    assert new["edges"].sum() == 985  # organisms/worm/data/README.md
    assert set(new[new["sign_from"] == "receptors"]["sign_provenance"]) == {"assumed"}
    slow = counts[counts["kind"] == "modulatory"].set_index("transmitter")["edges"]
    assert slow.to_dict() == {"dopamine": 1176, "serotonin": 492, "tyramine": 228, "octopamine": 56}  # Bentley 2016


def test_a_network_gains_the_edges_whose_sign_the_table_gives():
    edges = small(("glutamate", "", 0), ("GABA", "", 0), ("acetylcholine", "", 1), ("", "", 0), ("dopamine", "", 0))
    assert spiking_network(edges, 0.5).weight.tolist() == [1.0]
    network = spiking_network(edges, 0.5, receptors=receptors("worm"))
    assert network.weight.tolist() == [1.0, -1.0, 1.0]
    assert np.flatnonzero(np.diff(network.start)).tolist() == [0, 1, 2]
    assert isinstance(SpikingBrain(network)._engine, EventEngine)  # a model of one receptor stays event-driven


@pytest.mark.parametrize("model", [LifCond(), LifPsc(), AdEx()])
def test_every_edge_has_its_place_among_the_two_receptors_of_a_model(model):
    network = spiking_network(worm(), 1.0, model, receptors=receptors("worm"))
    edges = edge_receptors(worm(), receptors("worm"))
    edges = edges[(edges["kind"] == "chemical") & (edges["sign"] != 0)]
    assert np.bincount(network.receptor).tolist() == [(edges["sign"] > 0).sum(), (edges["sign"] < 0).sum()]
    if model.UNSIGNED:
        assert (network.weight > 0).all()
    else:
        assert ((network.weight < 0) == (network.receptor == 1)).all()


@pytest.mark.parametrize("model", [LifCond(), LifPsc()])
def test_where_all_signs_are_known_the_table_changes_no_spike(model):
    known = small(*[(name, "", sign) for name, sign in (("acetylcholine", 1), ("GABA", -1), ("glutamate", 1)) * 4])
    weight = 20.0 if model.UNSIGNED else 500.0
    runs = []
    for table in (None, receptors("worm")):
        engine = DenseEngine(spiking_network(known, weight, model, receptors=table))
        engine.drive(np.linspace(12.0, 30.0, 13))
        runs.append(([part.tolist() for part in engine.run(3000)], engine.voltage.tolist()))
    assert runs[0] == runs[1]
    assert 12 in runs[0][0][1]


def test_a_model_takes_decays_and_reversals_from_the_table():
    table = receptors("mouse")
    model = receptor_model(LifCond(), table["AMPA"], table["GABA-A"])
    assert (model.tau_e_ms, model.tau_i_ms, model.e_e_mv, model.e_i_mv) == (2.0, 10.0, 0.0, -70.0)
    model = receptor_model(LifPsc(tau_m_ms=15.0), table["NMDA"], table["GABA-A"])  # which has no reversals to set
    assert (model.tau_e_ms, model.tau_i_ms) == (100.0, 10.0)
    with pytest.raises(ValueError, match="LifExp has no two receptors"):
        receptor_model(LifExp(), table["AMPA"], table["GABA-A"])
    with pytest.raises(ValueError, match=r"receptor GABA-A of GABA .mouse. has sign -1, but is given for 1"):
        receptor_model(LifCond(), table["GABA-A"], table["AMPA"])


def test_unknown_names_get_the_near_one():
    with pytest.raises(UnknownNameError, match="no receptors of 'wrom'; did you mean 'worm'"):
        receptors("wrom")
    with pytest.raises(UnknownNameError, match="no receptor 'AVR14'; did you mean 'AVR-14'"):
        receptors("worm").prefer("AVR14")


def test_a_table_with_two_defaults_or_one_name_twice_is_refused():
    first, second = receptors("worm")["GLR-1"], receptors("worm")["NMR-1"]
    with pytest.raises(ValueError, match="two default fast receptors of glutamate"):
        Receptors((first, type(second)(**{**second.__dict__, "default": True})))
    with pytest.raises(ValueError, match="a name is there twice"):
        Receptors((second, second))
    with pytest.raises(ValueError, match=r"receptor GLR-1 of glutamate .worm.: decay_ms .0.0 ms. must be above 0"):
        type(first)(**{**first.__dict__, "decay_ms": 0.0})
    with pytest.raises(ValueError, match="no provenance 'guessed'"):
        type(first)(**{**first.__dict__, "sign_provenance": "guessed"})
