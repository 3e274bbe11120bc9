"""The compact form of a connectome holds the same wiring, and its parts, files and network are those of the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.compact import CompactConnectome
from animat.brains.connectome import Connectome, ConnectomeError, Source
from animat.brains.spiking import spiking_network
from animat.brains.spiking_brain import SpikingBrain
from animat.registry import UnknownNameError

SOURCE = Source("a paper", "10.1/x", "CC0", ("made up",))
SIGN_PROVENANCE = "published"


@st.composite
def connectomes(draw):
    """A connectome of chemical synapses with whole counts."""
    n = draw(st.integers(1, 8))
    node = st.integers(0, n - 1)
    edges = draw(
        st.dictionaries(
            st.tuples(node, node), st.tuples(st.integers(1, 70_000), st.sampled_from((-1, 0, 1))), max_size=20
        )
    )
    neurons = pd.DataFrame(
        {
            "name": [f"n{i}" for i in range(n)],
            "type": draw(st.lists(st.sampled_from(("", "A", "B")), min_size=n, max_size=n)),
            "role": draw(st.lists(st.sampled_from(("sensory", "inter", "motor")), min_size=n, max_size=n)),
            "transmitter": "gaba",
            "side": draw(st.lists(st.sampled_from(("L", "R", "M", "")), min_size=n, max_size=n)),
            "x_um": draw(st.lists(st.floats(-1e3, 1e3), min_size=n, max_size=n)),
            "y_um": np.nan,
            "z_um": 0.1,
        }
    )
    rows = [(f"n{i}", f"n{j}", count, sign) for (i, j), (count, sign) in sorted(edges.items())]
    synapses = pd.DataFrame(rows, columns=["pre", "post", "count", "sign"]).assign(
        kind="chemical", provenance="measured"
    )
    synapses["sign_provenance"] = np.where(synapses["sign"] == 0, "none", SIGN_PROVENANCE)
    return Connectome(neurons, synapses, SOURCE)


def same(one: CompactConnectome, other: CompactConnectome) -> bool:
    return (one.fingerprint, one.source) == (other.fingerprint, other.source)


@pytest.fixture
def small() -> CompactConnectome:
    """Five neurons in a row, the last one back to the first; with a column of the dataset."""
    neurons = pd.DataFrame({"name": [f"n{i}" for i in range(5)], "type": ["A", "A", "B", "", "C"], "role": "inter"})
    neurons = neurons.assign(transmitter="gaba", side=["L", "R", "L", "", "M"], x_um=np.nan, y_um=np.nan, z_um=np.nan)
    neurons["superclass"] = pd.Categorical(["vnc_motor", "vnc_sensory", "cb_motor", "vnc_motor", ""])
    return CompactConnectome(
        neurons=neurons,
        start=np.arange(6, dtype=np.int64),
        target=np.array([1, 2, 3, 4, 0], dtype=np.int32),
        count=np.array([9, 1, 2, 3, 4], dtype=np.int16),
        sign=np.array([1, -1, 0, 1, -1], dtype=np.int8),
        source=SOURCE,
    )


@given(connectomes())
@settings(max_examples=60, deadline=None)
def test_there_and_back_is_the_identity(connectome: Connectome):
    compact = CompactConnectome.from_connectome(connectome)
    assert compact.to_connectome().fingerprint == connectome.fingerprint
    assert compact.to_connectome().source == connectome.source
    assert same(CompactConnectome.from_connectome(compact.to_connectome()), compact)


@given(connectomes())
@settings(max_examples=40, deadline=None)
def test_save_and_load_is_the_identity(tmp_path_factory, connectome: Connectome):
    compact = CompactConnectome.from_connectome(connectome)
    folder = tmp_path_factory.mktemp("compact")
    compact.save(folder)
    assert same(CompactConnectome.load(folder), compact)


@given(connectomes(), st.sets(st.integers(0, 7), min_size=1), st.sets(st.integers(0, 7), min_size=1), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_parts_are_those_of_the_connectome(connectome: Connectome, sources, targets, max_edges: int):
    compact = CompactConnectome.from_connectome(connectome)
    begin, end = (sorted(i % connectome.n for i in rows) for rows in (sources, targets))
    names = [[f"n{i}" for i in rows] for rows in (begin, end)]
    part = compact.paths_subgraph(np.array(begin), np.array(end), max_edges).to_connectome()
    assert part.fingerprint == connectome.paths_subgraph(*names, max_edges).fingerprint
    assert compact.subset(np.array(begin)).to_connectome().fingerprint == connectome.subset(names[0]).fingerprint


@given(connectomes())
@settings(max_examples=40, deadline=None)
def test_the_network_is_that_of_the_connectome_but_for_edges_of_no_sign(connectome: Connectome):
    compact = CompactConnectome.from_connectome(connectome)
    ours, theirs = compact.network(0.275), spiking_network(connectome, 0.275)
    felt = ours.weight != 0
    rows = np.repeat(np.arange(ours.n), np.diff(ours.start))
    assert rows[felt].tolist() == np.repeat(np.arange(ours.n), np.diff(theirs.start)).tolist()
    assert ours.target[felt].tolist() == theirs.target.tolist()
    np.testing.assert_allclose(ours.weight[felt], theirs.weight, rtol=1e-6)
    assert ours.names == theirs.names


def test_a_network_shares_its_targets_and_runs(small: CompactConnectome):
    network = small.network(20.0)
    assert np.shares_memory(network.target, small.target)
    brain = SpikingBrain(network)
    brain.poisson([0], 100.0)
    assert brain.step(None, 1.0).spikes[1] > 0


def test_a_loaded_connectome_runs_from_its_files(small: CompactConnectome, tmp_path: Path):
    small.save(tmp_path)
    loaded = CompactConnectome.load(tmp_path)
    spikes = []
    for connectome in (small, loaded):
        brain = SpikingBrain(connectome.network(20.0))
        brain.poisson([0], 100.0)
        spikes.append(brain.step(None, 1.0).spikes.tolist())
    assert spikes[0] == spikes[1]
    assert spikes[0][1] > 0


def test_selectors_are_names_types_globs_and_columns(small: CompactConnectome):
    assert small.select("n3").tolist() == [3]
    assert small.select("A").tolist() == [0, 1]
    assert small.select(["n[34]", "B"]).tolist() == [2, 3, 4]
    assert small.index(["n2", "n0"]).tolist() == [2, 0]
    assert small.where(superclass="vnc_*").tolist() == [0, 1, 3]
    assert small.where(superclass=["vnc_motor", "cb_motor"], side="L").tolist() == [0, 2]
    with pytest.raises(UnknownNameError, match="no neuron, type or glob 'Q'; known: 'A', 'B', 'C'"):
        small.select("Q")
    with pytest.raises(UnknownNameError, match="no neuron 'n9'; known: 'n0', 'n1'"):
        small.index(["n9"])
    with pytest.raises(UnknownNameError, match="no neuron column 'super'; did you mean 'superclass'"):
        small.where(super="x")
    with pytest.raises(UnknownNameError, match="no neuron with superclass 'vnc_moter'; did you mean 'vnc_motor'"):
        small.where(superclass="vnc_moter")


def test_a_threshold_drops_weak_edges_and_no_neurons(small: CompactConnectome):
    strong = small.at_least(3)
    assert (strong.n, strong.edges, strong.synapses) == (5, 3, 16)
    assert strong.start.tolist() == [0, 1, 1, 1, 2, 3]
    assert strong.source.changes[-1] == "dropped 2 edges of fewer than 3 synapses"


def degrees(compact: CompactConnectome) -> tuple[list, list, list]:
    rows = np.repeat(np.arange(compact.n), np.diff(compact.start))
    own = sorted(rows[rows == compact.target].tolist())
    incoming = np.bincount(compact.target, minlength=compact.n).tolist()
    outgoing = [sorted(zip(*(a[p:q].tolist() for a in (compact.count, compact.sign)), strict=True)) for p, q in
                zip(compact.start[:-1], compact.start[1:], strict=True)]  # fmt: skip
    return own, incoming, outgoing


def random_compact(n: int, edges: int, seed: int) -> CompactConnectome:
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, n, (edges, 2)), axis=0)
    names = [f"n{i}" for i in range(n)]
    neurons = pd.DataFrame({"name": names, "type": "", "role": "inter", "transmitter": "", "side": ""})
    return CompactConnectome(
        neurons=neurons.assign(x_um=np.nan, y_um=np.nan, z_um=np.nan),
        start=np.searchsorted(pairs[:, 0], np.arange(n + 1)).astype(np.int64),
        target=pairs[:, 1].astype(np.int32),
        count=rng.integers(1, 50, len(pairs)).astype(np.int16),
        sign=rng.choice(np.array([-1, 1], np.int8), len(pairs)),
        source=SOURCE,
    )


@given(st.integers(12, 60), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_degree_shuffle_keeps_both_degrees_and_what_leaves_a_neuron(n: int, seed: int):
    compact = random_compact(n, 3 * n, seed)
    shuffled = compact.shuffle(np.random.default_rng(seed))
    assert degrees(shuffled) == degrees(compact)
    assert shuffled.provenance == "derived"


@given(st.integers(2, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_label_shuffle_is_the_same_graph_with_other_names(n: int, seed: int):
    compact = random_compact(n, 4 * n, seed)
    shuffled = compact.shuffle(np.random.default_rng(seed), "label")
    place = np.random.default_rng(seed).permutation(n)

    def edges(one: CompactConnectome, who: np.ndarray) -> set[tuple[int, ...]]:
        rows = who[np.repeat(np.arange(n), np.diff(one.start))]
        return set(zip(*(a.tolist() for a in (rows, who[one.target], one.count, one.sign)), strict=True))

    assert edges(shuffled, np.arange(n)) == edges(compact, place)


def test_shuffles_move_most_edges_and_repeat_from_a_seed():
    compact = random_compact(300, 4000, 0)
    for method in ("degree", "label"):
        one, two = (compact.shuffle(np.random.default_rng(3), method) for _ in range(2))
        assert one.fingerprint == two.fingerprint
        pairs = [set(zip(np.repeat(np.arange(300), np.diff(c.start)).tolist(), c.target.tolist(), strict=True))
                 for c in (compact, one)]  # fmt: skip
        assert len(pairs[0] & pairs[1]) < 0.15 * compact.edges
        assert one.source.changes[-1] == f"shuffled ({method})"
    with pytest.raises(UnknownNameError, match="no shuffle method 'degrees'; did you mean 'degree'"):
        compact.shuffle(np.random.default_rng(0), "degrees")


def test_ablation_removes_neurons_and_their_edges(small: CompactConnectome):
    rest = small.ablate([1])
    assert rest.names == ("n0", "n2", "n3", "n4")
    assert rest.edges == 3
    assert rest.source.changes[-1] == "ablated 1 of 5 neurons"


def test_changes_are_named_in_the_source(small: CompactConnectome):
    assert small.subset(np.array([0, 1])).source.changes[-1] == "kept 2 of 5 neurons"
    paths = small.paths_subgraph(np.array([0]), np.array([2, 3]), 3)
    assert paths.source.changes[-1] == "kept 4 of 5 neurons: those on paths of at most 3 edges from 1 to 2 neurons"
    assert paths.names == ("n0", "n1", "n2", "n3")
    assert paths.edges == 3


def test_the_fingerprint_feels_any_change(small: CompactConnectome):
    prints = {small.fingerprint}
    for name in ("count", "sign"):
        values = small.arrays[name].copy()
        values[0] = 1 if name == "count" else -1
        prints.add(CompactConnectome(**(fields(small) | {name: values})).fingerprint)
    neurons = small.neurons.assign(side="L")
    prints.add(CompactConnectome(**(fields(small) | {"neurons": neurons})).fingerprint)
    prints.add(CompactConnectome(**(fields(small) | {"provenance": "assumed"})).fingerprint)
    assert len(prints) == 5


def fields(small: CompactConnectome) -> dict:
    return {name: getattr(small, name) for name in CompactConnectome.__dataclass_fields__}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("target", np.array([1, 2, 3, 4, 0]), "target must be one row of int32, got int64 of shape"),
        ("target", np.array([1, 2, 3, 9, 0], np.int32), "target must be rows 0 to 4, got 0 to 9"),
        ("start", np.array([0, 1, 2, 3, 4, 6]), "start must rise from 0 to the number of edges, 5"),
        ("start", np.array([0, 2, 1, 3, 4, 5]), "start must rise"),
        (
            "start",
            np.array([0, 5, 5, 5, 5, 5]),
            "the targets of a neuron must rise and be listed once; edge 4 does not",
        ),
        ("count", np.array([9, 0, 2, 3, 4], np.int16), "count must be positive, got 0"),
        ("count", np.array([9, 1, 2, 3], np.int16), "5 targets but 4 of count"),
        ("sign", np.array([1, 2, 0, 1, -1], np.int8), "sign must be -1, 0 or 1, got -1 to 2"),
    ],
)
def test_arrays_that_do_not_hold_together_are_refused(small: CompactConnectome, name: str, values, message: str):
    with pytest.raises(ConnectomeError, match=message):
        CompactConnectome(**(fields(small) | {name: values}))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("name", "n0", "neurons: 'n0' is listed twice"),
        ("role", "moter", "neurons: no role 'moter'; did you mean 'motor'"),
        ("side", "left", "neurons: no side 'left'"),
    ],
)
def test_a_neuron_table_that_does_not_hold_is_refused(small: CompactConnectome, column: str, value: str, message: str):
    with pytest.raises(ConnectomeError, match=message):
        CompactConnectome(**(fields(small) | {"neurons": small.neurons.assign(**{column: value})}))


def test_missing_columns_and_neurons_are_named(small: CompactConnectome):
    with pytest.raises(ConnectomeError, match="column 'side' is missing"):
        CompactConnectome(**(fields(small) | {"neurons": small.neurons.drop(columns="side")}))
    with pytest.raises(ConnectomeError, match="4 neurons but start is for 5"):
        CompactConnectome(**(fields(small) | {"neurons": small.neurons[:4]}))


def test_what_the_compact_form_cannot_hold_is_said(little_worm: Connectome):
    with pytest.raises(ConnectomeError, match="holds chemical synapses only; this connectome has 5 electrical"):
        CompactConnectome.from_connectome(little_worm)
    chemical = little_worm.synapses.query("kind == 'chemical'")
    for change, message in (
        ({"count": 1.5}, r"counts must be whole and below 2\*\*31, got 1.5"),
        (
            {"provenance": ["measured"] * 5 + ["assumed"]},
            "one provenance for all edges; this connectome has assumed, m",
        ),
    ):
        odd = Connectome(little_worm.neurons, chemical.assign(**change), SOURCE)
        with pytest.raises(ConnectomeError, match=message):
            CompactConnectome.from_connectome(odd)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("neurons.csv", "n3", "n7", "a file was changed after it was saved"),
        ("neurons.csv", "superclass", "class", "neurons.csv: columns must be name, type, role"),
        ("neurons.csv", "n0,A,inter,gaba,L,,", "n0,A,inter,gaba,L,x,", "neurons.csv, column 'x_um': must hold float64"),
        ("compact.json", "animat compact", "another", "is not the header of a compact connectome"),
        ("compact.json", '"version": 1', '"version": 3', "version is 3; this animat reads version 1"),
        ("compact.json", '"source"', '"sauce"', "is not a whole header: 'source'"),
        ("compact.json", "{", "", "is not JSON"),
    ],
)
def test_a_damaged_folder_is_refused_by_file(small: CompactConnectome, tmp_path: Path, file, old, new, message):
    small.save(tmp_path)
    edit(tmp_path / file, old, new)
    with pytest.raises(ConnectomeError, match=message):
        CompactConnectome.load(tmp_path)


@pytest.mark.parametrize("file", ["compact.json", "neurons.csv", "start.npy", "target.npy", "count.npy", "sign.npy"])
def test_missing_and_foreign_files_are_named(small: CompactConnectome, tmp_path: Path, file: str):
    small.save(tmp_path)
    (tmp_path / file).write_bytes(b"\x89PNG junk")
    with pytest.raises(ConnectomeError, match=file):
        CompactConnectome.load(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ConnectomeError, match=f"{file}: no such file"):
        CompactConnectome.load(tmp_path)


def test_a_pickle_is_not_opened(small: CompactConnectome, tmp_path: Path):
    small.save(tmp_path)
    np.save(tmp_path / "sign.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ConnectomeError, match=r"sign\.npy: is not an array of numbers"):
        CompactConnectome.load(tmp_path)


def test_a_changed_array_is_found_by_its_fingerprint(small: CompactConnectome, tmp_path: Path):
    small.save(tmp_path)
    np.save(tmp_path / "sign.npy", -small.sign)
    with pytest.raises(ConnectomeError, match="a file was changed after it was saved"):
        CompactConnectome.load(tmp_path)
    assert CompactConnectome.load(tmp_path, check=False).sign.tolist() == (-small.sign).tolist()


def test_an_interrupted_save_leaves_nothing_that_loads(small: CompactConnectome, tmp_path: Path):
    small.save(tmp_path)
    (tmp_path / "sign.npy").unlink()
    (tmp_path / "sign.npy").mkdir()  # the rename onto it fails
    with pytest.raises(OSError, match="sign"):
        small.save(tmp_path)
    with pytest.raises(ConnectomeError, match=r"compact\.json: no such file"):
        CompactConnectome.load(tmp_path)
