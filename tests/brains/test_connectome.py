"""What a Connectome promises, on small random wirings."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.connectome import Connectome, ConnectomeError, Source
from animat.registry import UnknownNameError

SOURCE = Source("a test", doi="10.0/none", licence="CC0")
NAMES = ["AVAL", "AVAR", "DB1", "DB2", "DB10", "PVT", "x y", 'quo"te', "com,ma", "Ω7"]
KINDS = ["chemical", "electrical", "modulatory"]
PROVENANCES = ["measured", "derived", "published", "assumed"]
NEURON_ROW = {"type": "", "role": "inter", "transmitter": "", "side": "", "x_um": np.nan, "y_um": 1.5, "z_um": 0.0}


def neuron_table(names: list[str]) -> pd.DataFrame:
    types = {"AVAL": "AVA", "AVAR": "AVA", "DB1": "DB", "DB2": "DB", "DB10": "DB"}
    return pd.DataFrame([{**NEURON_ROW, "name": name, "type": types.get(name, "")} for name in names])


def synapse_table(rows: list[tuple]) -> pd.DataFrame:
    columns = ["pre", "post", "kind", "count", "sign", "provenance", "sign_provenance"]
    return pd.DataFrame(rows, columns=columns)


def chemical(pre: str, post: str, count: float = 1.0, sign: int = 1) -> tuple:
    return pre, post, "chemical", count, sign, "measured", "derived" if sign else "none"


def electrical(one: str, other: str, count: float = 1.0) -> list[tuple]:
    pairs = {(one, other), (other, one)}
    return [(pre, post, "electrical", count, 1, "measured", "derived") for pre, post in sorted(pairs)]


def small() -> Connectome:
    edges = [chemical("AVAL", "DB1", 3.0), chemical("DB2", "AVAL", 2.0, -1), chemical("DB1", "DB2", 4.0, 0)]
    return Connectome(neuron_table(NAMES[:6]), synapse_table(edges + electrical("AVAL", "AVAR", 5.0)), SOURCE)


@st.composite
def connectomes(draw: st.DrawFn) -> Connectome:
    names = draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names))
    counts = st.floats(1e-3, 1e6)
    rows = []
    for pre, post in draw(st.sets(ends, max_size=30)):
        kind = draw(st.sampled_from(["chemical", "modulatory"]))
        sign = draw(st.sampled_from([-1, 0, 1]))
        known = draw(st.sampled_from(PROVENANCES)) if sign else "none"
        rows.append((pre, post, kind, draw(counts), sign, draw(st.sampled_from(PROVENANCES)), known))
    for one, other in draw(st.sets(ends.map(sorted).map(tuple), max_size=10)):
        rows += electrical(one, other, draw(counts))
    return Connectome(neuron_table(names), synapse_table(draw(st.permutations(rows))), SOURCE)


def edge_set(connectome: Connectome) -> set[tuple]:
    return set(connectome.synapses.itertuples(index=False, name=None))


def degrees(connectome: Connectome) -> tuple[dict, dict]:
    synapses = connectome.synapses
    return synapses.groupby(["kind", "pre"]).size().to_dict(), synapses.groupby(["kind", "post"]).size().to_dict()


@given(connectomes())
@settings(max_examples=30, deadline=None)
def test_a_graft_of_its_own_subset_changes_nothing(connectome: Connectome):
    part = connectome.subset(list(connectome.names[:3]))
    grafted = connectome.graft(part)
    assert grafted.fingerprint == connectome.fingerprint


def test_a_graft_replaces_the_chemical_edges_among_its_neurons_and_no_other():
    whole = Connectome(
        neuron_table(["A", "B", "C"]),
        synapse_table([chemical("A", "B", 3.0, -1), chemical("B", "C", 2.0), *electrical("A", "B")]),
        SOURCE,
    )
    part = Connectome(
        neuron_table(["A", "B", "n7"]),
        synapse_table([chemical("A", "B", 5.0, 1), chemical("B", "A", 1.0), chemical("n7", "A", 4.0)]),
        SOURCE,
    )
    table = whole.graft(part).synapses
    found = {(e["pre"], e["post"], e["kind"]): (e["count"], e["sign"]) for e in table.to_dict("records")}
    assert found == {
        ("A", "B", "chemical"): (5.0, -1),  # the count that was reconstructed, the sign that was known
        ("B", "A", "chemical"): (1.0, 1),
        ("B", "C", "chemical"): (2.0, 1),
        ("A", "B", "electrical"): (1.0, 1),
        ("B", "A", "electrical"): (1.0, 1),
    }


@given(connectomes())
@settings(max_examples=30, deadline=None)
def test_saving_and_loading_is_the_identity(tmp_path_factory: pytest.TempPathFactory, connectome: Connectome):
    folder = tmp_path_factory.mktemp("saved")
    connectome.save(folder)
    loaded = Connectome.load(folder)
    assert loaded == connectome
    pd.testing.assert_frame_equal(loaded.neurons, connectome.neurons, check_exact=True)
    pd.testing.assert_frame_equal(loaded.synapses, connectome.synapses, check_exact=True)


@given(connectomes())
@settings(max_examples=30, deadline=None)
def test_networkx_and_back_is_the_identity(connectome: Connectome):
    assert Connectome.from_networkx(connectome.to_networkx(), connectome.source) == connectome


@given(connectomes(), st.data())
@settings(max_examples=30, deadline=None)
def test_ablation_never_adds_an_edge_and_keeps_all_others(connectome: Connectome, data: st.DataObject):
    gone = data.draw(st.sets(st.sampled_from(connectome.names), max_size=len(connectome.names) - 1))
    left = connectome.ablate(sorted(gone))
    assert edge_set(left) == {edge for edge in edge_set(connectome) if not gone & {edge[0], edge[1]}}
    assert left.names == tuple(name for name in connectome.names if name not in gone)


@given(connectomes(), st.data())
@settings(max_examples=30, deadline=None)
def test_a_subset_is_the_ablation_of_the_rest(connectome: Connectome, data: st.DataObject):
    kept = data.draw(st.sets(st.sampled_from(connectome.names), min_size=1))
    rest = [name for name in connectome.names if name not in kept]
    assert connectome.subset(sorted(kept)).fingerprint == connectome.ablate(rest).fingerprint


@given(connectomes(), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_degree_shuffle_keeps_every_degree_and_what_leaves_each_neuron(connectome: Connectome, seed: int):
    shuffled = connectome.shuffle(np.random.default_rng(seed), "degree")
    assert degrees(shuffled) == degrees(connectome)
    outgoing = [
        sorted(s[s["kind"] != "electrical"][["pre", "kind", "count", "sign"]].itertuples(index=False, name=None))
        for s in (connectome.synapses, shuffled.synapses)
    ]
    assert outgoing[0] == outgoing[1]
    own = [{edge[:3] for edge in edge_set(c) if edge[0] == edge[1]} for c in (connectome, shuffled)]
    assert own[0] == own[1]


@given(connectomes(), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_label_shuffle_is_the_same_graph_with_other_names(connectome: Connectome, seed: int):
    shuffled = connectome.shuffle(np.random.default_rng(seed), "label")
    place = np.random.default_rng(seed).permutation(np.array(connectome.names, dtype=object))
    rows = connectome.index(place)
    for kind in KINDS:
        before, after = (c.matrix(kind).toarray() for c in (connectome, shuffled))
        np.testing.assert_array_equal(after[np.ix_(rows, rows)], before)


@given(connectomes(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_fingerprint_does_not_depend_on_row_order(connectome: Connectome, random):
    neuron_order, synapse_order = list(range(connectome.n)), list(range(len(connectome.synapses)))
    random.shuffle(neuron_order)
    random.shuffle(synapse_order)
    neurons, synapses = connectome.neurons.iloc[neuron_order], connectome.synapses.iloc[synapse_order]
    assert Connectome(neurons, synapses, SOURCE).fingerprint == connectome.fingerprint


CHANGES = {
    ("neurons", "type"): "other",
    ("neurons", "role"): "motor",
    ("neurons", "transmitter"): "GABA",
    ("neurons", "side"): "M",
    ("neurons", "x_um"): 3.0,
    ("neurons", "y_um"): float(np.nextafter(1.5, 2)),
    ("neurons", "z_um"): 3.0,
    ("synapses", "post"): "DB10",
    ("synapses", "kind"): "modulatory",
    ("synapses", "count"): float(np.nextafter(3.0, 4)),
    ("synapses", "sign"): -1,
    ("synapses", "provenance"): "assumed",
    ("synapses", "sign_provenance"): "published",
}


@pytest.mark.parametrize(("table", "column"), CHANGES)
def test_fingerprint_feels_any_change(table: str, column: str):
    tables = {"neurons": small().neurons, "synapses": small().synapses}
    tables[table].loc[0, column] = CHANGES[table, column]
    assert Connectome(**tables, source=SOURCE).fingerprint != small().fingerprint


def test_fingerprint_does_not_depend_on_the_source_and_equality_does():
    other = Connectome(small().neurons, small().synapses, Source("another"))
    assert other.fingerprint == small().fingerprint
    assert other != small()


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "message"),
    [
        ("neurons", 2, "name", "AVAL", "neurons, row 2, column 'name': neuron 'AVAL' is listed twice"),
        ("neurons", 1, "name", "", "neurons, row 1, column 'name': a neuron needs a name"),
        ("neurons", 1, "name", "a\nb", "row 1, column 'name': must be printable"),
        ("neurons", 3, "role", "moter", "row 3, column 'role': no role 'moter'; did you mean 'motor'?"),
        ("neurons", 3, "side", "left", "row 3, column 'side'"),
        ("neurons", 4, "z_um", np.inf, "row 4, column 'z_um': must be finite"),
        ("synapses", 1, "pre", "AVAX", "synapses, row 1, column 'pre': no neuron 'AVAX'; did you mean 'AVA"),
        ("synapses", 1, "post", "AVAX", "row 1, column 'post': no neuron 'AVAX'"),
        ("synapses", 0, "kind", "chemicle", "column 'kind': no kind 'chemicle'; did you mean 'chemical'?"),
        ("synapses", 0, "count", -2.0, "row 0, column 'count': must be positive and finite; got -2.0"),
        ("synapses", 0, "count", np.nan, "row 0, column 'count': must be positive and finite; got nan"),
        ("synapses", 0, "count", np.inf, "row 0, column 'count': must be positive and finite; got inf"),
        ("synapses", 2, "provenance", "guess", "row 2, column 'provenance'"),
        ("synapses", 2, "sign_provenance", "measured", "row 2, column 'sign_provenance': got 'measured'"),
        ("synapses", 0, "sign_provenance", "none", "row 0, column 'sign_provenance': got 'none'"),
        ("synapses", 3, "count", 6.0, "electrical edge AVAL to AVAR must have a twin"),
        ("synapses", 3, "post", "PVT", "electrical edge AVAL to PVT must have a twin"),
    ],
)
def test_a_table_that_does_not_hold_together_is_refused(table, row, column, value, message):
    tables = {"neurons": small().neurons, "synapses": small().synapses}
    tables[table].loc[row, column] = value
    with pytest.raises(ConnectomeError) as error:
        Connectome(**tables, source=SOURCE)
    assert message in str(error.value)


@pytest.mark.parametrize("sign", [2, 0.5, np.nan])
def test_a_sign_is_minus_one_zero_or_one(sign):
    synapses = small().synapses.astype({"sign": float})
    synapses.loc[0, "sign"] = sign
    with pytest.raises(ConnectomeError, match=r"row 0, column 'sign': must be -1, 0 \(unknown\) or 1"):
        Connectome(small().neurons, synapses, SOURCE)


def test_an_edge_is_listed_once_a_kind():
    twice = synapse_table([chemical("AVAL", "DB1"), chemical("AVAL", "DB1", 2.0)])
    with pytest.raises(ConnectomeError, match="row 1, column 'pre': chemical edge AVAL to DB1 is listed twice"):
        Connectome(small().neurons, twice, SOURCE)


def test_missing_and_foreign_columns_are_named():
    with pytest.raises(ConnectomeError, match="neurons, column 'role': is missing"):
        Connectome(small().neurons.drop(columns="role"), small().synapses, SOURCE)
    with pytest.raises(ConnectomeError, match="synapses, column 'weight': is not a column"):
        Connectome(small().neurons, small().synapses.assign(weight=1.0), SOURCE)


def test_signs_without_provenance_count_as_assumed():
    synapses = Connectome(small().neurons, small().synapses.drop(columns="sign_provenance"), SOURCE).synapses
    assert synapses["sign_provenance"].tolist() == ["assumed", "assumed", "none", "assumed", "assumed"]


def test_a_selector_is_a_name_then_a_type_then_a_glob():
    connectome = small()
    assert connectome.select("DB1") == ("DB1",)
    assert connectome.select("AVA") == ("AVAL", "AVAR")
    assert connectome.select("DB?") == ("DB1", "DB2")
    with pytest.raises(UnknownNameError, match="no neuron, type or glob 'AVBL'; did you mean 'AVAL'"):
        connectome.select("AVBL")
    with pytest.raises(UnknownNameError, match="no neuron, type or glob 'Q\\*'"):
        connectome.select("Q*")


def test_index_is_the_row_order():
    assert small().index(["PVT", "AVAL"]).tolist() == [5, 0]
    with pytest.raises(UnknownNameError, match="no neuron 'PVX'; did you mean 'PVT'"):
        small().index(["PVX"])


def test_every_change_is_named_in_the_source():
    rng = np.random.default_rng(0)
    changed = small().ablate("AVA").shuffle(rng, "label").shuffle(rng).subset(["DB*"])
    assert changed.source.changes == (
        "ablated AVAL, AVAR",
        "shuffled (label)",
        "shuffled (degree)",
        "kept 3 of 4 neurons: DB1, DB2, DB10",
    )
    assert small().ablate([]).source.changes == ()


def test_matrix_has_post_rows_pre_columns_and_count_times_sign():
    connectome = small()
    aval, avar, db1, db2 = connectome.index(["AVAL", "AVAR", "DB1", "DB2"])
    signed, unsigned = connectome.matrix("chemical"), connectome.matrix("chemical", signed=False)
    assert (signed[db1, aval], signed[aval, db2], signed[db2, db1]) == (3.0, -2.0, 0.0)
    assert (unsigned[db1, aval], unsigned[aval, db2], unsigned[db2, db1]) == (3.0, 2.0, 4.0)
    gap = connectome.matrix("electrical").toarray()
    assert gap[aval, avar] == gap[avar, aval] == 5.0
    with pytest.raises(UnknownNameError, match="no synapse kind 'chemicle'; did you mean 'chemical'"):
        connectome.matrix("chemicle")


def test_shuffles_move_edges_repeat_from_a_seed_and_are_not_called_measured():
    rng = np.random.default_rng(3)
    names = [f"n{i}" for i in range(40)]
    pairs = sorted({(a, b) for a, b in rng.choice(names, (200, 2)).tolist()})
    connectome = Connectome(neuron_table(names), synapse_table([chemical(a, b) for a, b in pairs]), SOURCE)
    for method in ("degree", "label"):
        one, two = (connectome.shuffle(np.random.default_rng(1), method) for _ in range(2))
        assert one == two
        kept = {edge[:2] for edge in edge_set(one)} & set(pairs)
        assert len(kept) < 0.35 * len(pairs)  # a random graph of this density shares about an eighth
        assert set(one.synapses["provenance"]) == {"derived"}
    with pytest.raises(UnknownNameError, match="no shuffle method 'degrees'; did you mean 'degree'"):
        connectome.shuffle(rng, "degrees")


def test_a_change_to_a_returned_table_does_not_reach_the_connectome():
    connectome = small()
    before = connectome.fingerprint
    neurons, synapses = connectome.neurons, connectome.synapses
    neurons.loc[0, "role"] = "motor"
    synapses["count"] *= 2
    assert Connectome(connectome.neurons, connectome.synapses, SOURCE).fingerprint == before


def test_a_plain_digraph_becomes_a_connectome_of_unknowns():
    connectome = Connectome.from_networkx(nx.DiGraph([(1, 2, {"weight": 2.5}), (2, 3)]), SOURCE)
    assert connectome.names == ("1", "2", "3")
    assert connectome.synapses["count"].tolist() == [2.5, 1.0]
    assert set(connectome.synapses["sign"]) == {0}
    with pytest.raises(TypeError, match="needs a directed graph; got Graph"):
        Connectome.from_networkx(nx.Graph([(1, 2)]), SOURCE)
    with pytest.raises(ConnectomeError, match="column 'colour': is not a column"):
        Connectome.from_networkx(nx.DiGraph([(1, 2, {"colour": "red"})]), SOURCE)
