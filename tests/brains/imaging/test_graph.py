"""Segments and synapses become the connectome they describe."""

import numpy as np
import pandas as pd
import pytest

from animat.brains.connectome import Connectome
from animat.brains.imaging.graph import GraphSettings, graph
from animat.brains.imaging.names import read_names
from animat.brains.imaging.tables import read_table, write_table
from animat.brains.imaging.volume import VolumeError
from animat.brains.imaging.workspace import Workspace

BIG = 2**60 + 1  # a label that a float would change


def synapse(pre, post, confidence=0.9, transmitter="", block="0-0-0"):
    place = {"z_um": 0.1, "y_um": 0.1, "x_um": 0.1, "voxels": 30, "model": "classical"}
    return {"pre": pre, "post": post, "confidence": confidence, "transmitter": transmitter, "block": block, **place}


def cell(label, glia=0.0):
    return {"label": label, "voxels": 9, "volume_um3": 1.0, "z_um": 3.0, "y_um": 2.0, "x_um": 1.0, "glia": glia} | {
        "type": "",
        "type_probability": 0.0,
        "barcode": "101",
    }


@pytest.fixture
def space(tmp_path):
    workspace = Workspace(tmp_path)
    labels = np.zeros((20, 20, 20), dtype=np.uint64)
    for row, label in enumerate((BIG, 2, 3, 4)):
        labels[:, 5 * row : 5 * row + 5] = label
    workspace.create("labels", labels.shape, np.uint64, (100, 100, 100))[:] = labels
    write_table(workspace, "cells", pd.DataFrame([cell(BIG), cell(2), cell(3), cell(4, glia=0.9), cell(5)]))
    found = [synapse(BIG, 2, block="0-0-1"), synapse(BIG, 2), synapse(2, 3, 0.4), synapse(3, BIG), synapse(2, 2)]
    write_table(workspace, "synapses", pd.DataFrame([*found, synapse(BIG, 4)]))
    return workspace


def edges(connectome):
    table = connectome.synapses
    return {(pre, post): n for pre, post, n in zip(table["pre"], table["post"], table["count"], strict=True)}


def test_synapses_that_count_become_edges(space):
    found = graph(space, GraphSettings())
    assert edges(found) == {(f"n{BIG}", "n2"): 2, ("n3", f"n{BIG}"): 1}
    assert set(found.names) == {f"n{BIG}", "n2", "n3"}  # 4 is glia, 5 has no synapse


def test_what_is_left_out_is_in_the_source(space):
    text = " ".join(graph(space, GraphSettings()).source.changes)
    assert "6 synapses found, 5 at confidence 0.5 or more" in text
    assert "1 segments taken for glia, 1 synapses of a segment with itself" in text


def test_a_lower_confidence_lets_more_edges_in(space):
    assert ("n2", "n3") in edges(graph(space, GraphSettings(min_confidence=0.3)))


def test_points_name_the_segments_they_lie_in(space, tmp_path):
    (tmp_path / "names.csv").write_text(
        "name,z_um,y_um,x_um,role,side\nAVAL,0.5,0.2,0.5,inter,L\nALML,0.5,0.7,0.5,sensory,L\nVA1,9,9,9,motor,M\n"
    )
    found = graph(space, GraphSettings(), read_names(tmp_path / "names.csv"))
    assert edges(found) == {("AVAL", "ALML"): 2, ("n3", "AVAL"): 1}
    assert found.neurons.set_index("name")["role"].to_dict() == {
        "AVAL": "inter",
        "ALML": "sensory",
        "n3": "unclassified",
    }


def test_transmitters_give_signs_where_the_animal_is_known(space):
    write_table(
        space,
        "synapses",
        pd.DataFrame([synapse(BIG, 2, transmitter="GABA"), synapse(3, 2, transmitter="acetylcholine"), synapse(2, 3)]),
    )
    signs = graph(space, GraphSettings(organism="fly")).synapses.set_index("pre")["sign"].to_dict()
    assert signs == {f"n{BIG}": -1, "n3": 1, "n2": 0}
    assert set(graph(space, GraphSettings()).synapses["sign"]) == {0}


def test_where_an_edge_was_seen_is_kept_beside_it(space):
    graph(space, GraphSettings())
    seen = pd.read_parquet(space.folder / "edges.parquet").set_index("post")
    assert seen.loc[2, "blocks"] == "0-0-0 0-0-1"
    assert seen.loc[2, "confidence"] == pytest.approx(0.9)
    nodes = pd.read_parquet(space.folder / "nodes.parquet")
    assert set(nodes["label"]) == {BIG, 2, 3}
    assert set(nodes["barcode"]) == {"101"}


def test_a_saved_graph_loads_as_any_connectome(space, tmp_path):
    found = graph(space, GraphSettings())
    found.save(tmp_path / "graph")
    assert Connectome.load(tmp_path / "graph") == found


def test_labels_do_not_pass_through_a_float(space):
    assert BIG in set(read_table(space, "synapses")["pre"].tolist())


def test_a_missing_table_or_column_is_named(space, tmp_path):
    with pytest.raises(VolumeError, match=r"no table 'cells'"):
        read_table(Workspace(tmp_path / "empty"), "cells")
    with pytest.raises(VolumeError, match="table 'cells': column 'voxels' is missing"):
        write_table(space, "cells", pd.DataFrame({"label": [1]}))
    (tmp_path / "bad.csv").write_text("name,z_um\nA,1\n")
    with pytest.raises(VolumeError, match=r"bad\.csv: not a table of names"):
        read_names(tmp_path / "bad.csv")
