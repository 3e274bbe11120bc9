"""The shipped worm tables are the published ones."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files

import pytest

from animat.brains.connectome import Connectome
from animat.organisms.worm.wiring import MUSCLES, connectome, muscle_gap, neuromuscular, neuromuscular_gap


@pytest.fixture(scope="module")
def worm() -> Connectome:
    return connectome()


def edges(worm: Connectome, kind: str):
    return worm.synapses[worm.synapses["kind"] == kind]


def test_shipped_tables_are_the_ones_the_build_script_wrote():
    data = files("animat.organisms.worm") / "data"
    lines = (data / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 5
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256(gzip.decompress((data / f"{name}.gz").read_bytes())).hexdigest() == digest


def test_302_neurons_of_118_classes(worm: Connectome):
    assert worm.n == 302
    assert worm.neurons["type"].nunique() == 118  # White et al. 1986
    assert worm.neurons["role"].value_counts().to_dict() == {
        "motor": 123,
        "inter": 89,
        "sensory": 83,
        "unclassified": 7,  # CANL/R and five polymodal cells of the pharynx
    }


def test_a_type_is_never_the_name_of_a_neuron_of_another_type(worm: Connectome):
    type_of = dict(zip(worm.neurons["name"], worm.neurons["type"], strict=True))
    assert {name for name in type_of if name in type_of.values() and type_of[name] != name} == set()


@pytest.mark.parametrize(
    ("group", "members"),
    {"AVA": 2, "DB": 7, "VB": 11, "DA": 9, "VA": 12, "DD": 6, "VD": 13, "AS": 11, "VC": 6, "SMD": 4, "RMD": 6}.items(),
)
def test_classes_have_their_known_size(worm: Connectome, group: str, members: int):
    assert len(worm.select(group)) == members


def test_cord_motor_neurons_are_cholinergic_or_gabaergic(worm: Connectome):
    transmitter = worm.neurons.groupby("type")["transmitter"].agg(set)
    for group in ("AS", "DA", "DB", "VA", "VB"):
        assert transmitter[group] == {"acetylcholine"}
    for group in ("DD", "VD"):
        assert transmitter[group] == {"GABA"}


def test_every_soma_lies_inside_the_virtual_worm_and_left_is_left(worm: Connectome):
    neurons = worm.neurons.set_index("name")
    assert neurons[["x_um", "y_um", "z_um"]].notna().all(axis=None)
    assert neurons["y_um"].between(-312, 411).all()  # nose to tail
    left = neurons[neurons["side"] == "L"]
    right = neurons.loc[[name[:-1] + "R" for name in left.index]]
    assert (left["x_um"].to_numpy() > right["x_um"].to_numpy()).mean() > 0.95
    assert neurons.loc["ASEL", "y_um"] < neurons.loc["DB1", "y_um"] < neurons.loc["PLML", "y_um"]


def test_cook_chemical_edges(worm: Connectome):
    chemical = edges(worm, "chemical")
    assert (len(chemical), chemical["count"].sum()) == (3709, 20965)
    assert set(chemical["provenance"]) == {"measured"}


def test_cook_electrical_edges(worm: Connectome):
    electrical = edges(worm, "electrical")
    undirected = electrical[electrical["pre"] <= electrical["post"]]
    assert (len(electrical), len(undirected)) == (2196, 1105)
    assert (electrical["pre"] == electrical["post"]).sum() == 14
    assert undirected["count"].sum() == 5779


def test_bentley_monoamine_edges(worm: Connectome):
    modulatory = edges(worm, "modulatory")
    assert len(modulatory) == 1952
    assert set(modulatory["sign"]) == {0}
    assert set(modulatory["provenance"]) == {"derived"}


def test_signs_are_predicted_where_published_and_else_follow_the_transmitter(worm: Connectome):
    chemical = edges(worm, "chemical")
    assert chemical.groupby(["sign_provenance", "sign"]).size().to_dict() == {
        ("published", 1): 1296,
        ("published", -1): 409,
        ("derived", 1): 895,
        ("derived", -1): 124,
        ("none", 0): 985,
    }
    transmitter = worm.neurons.set_index("name")["transmitter"]
    derived = chemical[chemical["sign_provenance"] == "derived"]
    first = derived["pre"].map(transmitter).str.split("+").str[0]
    assert set(zip(first, derived["sign"], strict=True)) == {("acetylcholine", 1), ("GABA", -1)}


def test_neuromuscular_edges_reach_all_95_body_wall_muscles():
    table = neuromuscular()
    assert len(MUSCLES) == len(set(MUSCLES)) == 95
    assert (len(table), table["count"].sum(), table["neuron"].nunique()) == (956, 5515, 162)
    assert set(table["muscle"]) == set(MUSCLES)
    assert set(table["neuron"]) <= set(connectome().names)
    signs = table.assign(group=table["neuron"].str.rstrip("0123456789")).groupby("group")["sign"].agg(set)
    assert signs["DB"] == signs["VB"] == signs["DA"] == signs["VA"] == {1}
    assert signs["DD"] == signs["VD"] == {-1}


def test_dorsal_classes_meet_dorsal_muscles_and_ventral_classes_ventral_ones():
    table = neuromuscular()
    table = table.assign(group=table["neuron"].str.rstrip("0123456789"), dorsal=table["muscle"].str.startswith("MD"))
    dorsal = table[table["dorsal"]].groupby("group")["count"].sum() / table.groupby("group")["count"].sum()
    assert dorsal[["DA", "DB", "DD", "AS"]].min() > 0.9
    assert dorsal[["VA", "VB", "VD"]].fillna(0).max() < 0.1


def test_muscle_gap_junctions_are_symmetric():
    table = muscle_gap()
    assert (len(table), table["count"].sum()) == (192, 2854)
    counts = table.set_index(["pre", "post"])["count"].to_dict()
    assert {(post, pre): count for (pre, post), count in counts.items()} == counts
    assert set(table["pre"]) <= set(MUSCLES)


def test_few_neurons_are_electrically_coupled_to_muscle():
    assert (len(neuromuscular_gap()), neuromuscular_gap()["count"].sum()) == (5, 9)


def test_command_interneurons_are_the_hubs_they_are_known_to_be(worm: Connectome):
    incoming = edges(worm, "chemical").groupby("post")["count"].sum().sort_values(ascending=False)
    assert incoming.index[:5].tolist() == ["AVAR", "AVAL", "RIAL", "RIAR", "AVBL"]
    assert incoming.iloc[:5].tolist() == [685, 667, 434, 414, 338]
