"""The neurons on short paths are those that a search of every walk finds, with all synapses among them."""

from __future__ import annotations

import gzip
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.connectome import Connectome, Source
from animat.brains.paths import FAR, distances_from, distances_to
from animat.registry import UnknownNameError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "fly"


@st.composite
def graphs(draw):
    """A small directed graph with self edges, and some of its nodes as sources and targets."""
    n = draw(st.integers(2, 9))
    node = st.integers(0, n - 1)
    edges = draw(st.sets(st.tuples(node, node), max_size=24))
    ends = st.sets(node, min_size=1, max_size=3)
    return n, edges, draw(ends), draw(ends), draw(st.integers(0, 5))


def connectome_of(n: int, edges: set[tuple[int, int]]) -> Connectome:
    neurons = pd.DataFrame({"name": [f"n{i}" for i in range(n)]}).assign(
        type="", role="inter", transmitter="", side="", x_um=np.nan, y_um=np.nan, z_um=np.nan
    )
    rows = [(f"n{i}", f"n{j}", "chemical" if (i + j) % 3 else "modulatory") for i, j in sorted(edges)]
    synapses = pd.DataFrame(rows, columns=["pre", "post", "kind"]).assign(count=1.0, sign=1, provenance="measured")
    return Connectome(neurons, synapses, Source("a test"))


def walked(graph: nx.DiGraph, sources: set[int], targets: set[int], max_edges: int) -> set[int]:
    """Every node of every walk of at most `max_edges` edges from a source to a target, walk by walk."""
    found: set[int] = set()
    walks = [(source,) for source in sources]
    while walks:
        found |= {node for walk in walks if walk[-1] in targets for node in walk}
        walks = [(*walk, after) for walk in walks if len(walk) <= max_edges for after in graph.successors(walk[-1])]
        walks = list({(frozenset(walk), walk[-1], len(walk)): walk for walk in walks}.values())
    return found


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_paths_subgraph_holds_what_a_search_of_every_walk_finds_and_all_synapses_among_them(case):
    n, edges, sources, targets, max_edges = case
    connectome = connectome_of(n, edges)
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(n))
    wanted = walked(graph, sources, targets, max_edges)
    part = connectome.paths_subgraph([f"n{i}" for i in sources], [f"n{i}" for i in targets], max_edges)
    assert set(part.names) == {f"n{i}" for i in wanted}
    induced = {(f"n{i}", f"n{j}") for i, j in edges if i in wanted and j in wanted}
    assert set(zip(part.synapses["pre"], part.synapses["post"], strict=True)) == induced


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_every_simple_path_is_in_the_subgraph(case):
    n, edges, sources, targets, max_edges = case
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(n))
    ends = [f"n{i}" for i in sources], [f"n{i}" for i in targets]
    kept = set(connectome_of(n, edges).paths_subgraph(*ends, max_edges).names)
    for source in sources:
        for target in targets - {source}:
            for path in nx.all_simple_paths(graph, source, target, cutoff=max_edges):
                assert {f"n{i}" for i in path} <= kept


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_distances_are_those_of_networkx(case):
    n, edges, sources, _, limit = case
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(range(n))
    ordered = sorted(edges)
    start = np.searchsorted([i for i, _ in ordered], np.arange(n + 1)).astype(np.int64)
    target = np.array([j for _, j in ordered], dtype=np.int32)
    for distances, walk in ((distances_from, graph), (distances_to, graph.reverse())):
        near = nx.multi_source_dijkstra_path_length(walk, sources)
        assert distances(start, target, sorted(sources)).tolist() == [near.get(i, FAR) for i in range(n)]
        within = [d if (d := near.get(i, FAR)) <= limit else FAR for i in range(n)]
        assert distances(start, target, sorted(sources), limit).tolist() == within


def test_a_path_of_three_edges_needs_three():
    line = connectome_of(5, {(0, 1), (1, 2), (2, 3), (3, 4)})
    assert line.paths_subgraph("n0", "n3", 3).names == ("n0", "n1", "n2", "n3")
    assert line.paths_subgraph("n0", "n3", 2).names == ()
    assert line.paths_subgraph("n0", "n0", 0).names == ("n0",)


def test_the_change_is_named_in_the_source_and_wrong_questions_are_refused():
    line = connectome_of(3, {(0, 1), (1, 2)})
    change = line.paths_subgraph("n0", "n2").source.changes[-1]
    assert change == "kept 3 of 3 neurons: those on paths of at most 3 edges from n0 to n2"
    with pytest.raises(ValueError, match="max_edges must be 0 or more, got -1"):
        line.paths_subgraph("n0", "n2", -1)
    with pytest.raises(UnknownNameError, match="no neuron, type or glob 'x'; known: 'n0', 'n1', 'n2'"):
        line.paths_subgraph("x", "n2")


def test_all_descending_neurons_of_the_larva_are_reached_from_the_senses_in_four_hops():
    """Winding et al. 2023, Science 379:eadd9330; table of neurodata/bilateral-connectome, counted there."""
    if not DATA.exists():
        pytest.skip(f"the larval tables are not at {DATA}")
    with gzip.open(DATA / "larva_winding2023_edges.csv.gz", "rt") as file:
        edges = pd.read_csv(file)
    with gzip.open(DATA / "larva_winding2023_neurons.csv.gz", "rt") as file:
        neurons = pd.read_csv(file)
    strong = edges[(edges["syn"] >= 2) & (edges["pre"] != edges["post"])]
    place = {skid: row for row, skid in enumerate(neurons["skid"])}
    pre, post = (strong[end].map(place).to_numpy() for end in ("pre", "post"))
    order = np.lexsort((post, pre))
    start = np.searchsorted(pre[order], np.arange(len(neurons) + 1)).astype(np.int64)
    hops = distances_from(start, post[order].astype(np.int32), np.flatnonzero(neurons["sensory"]))
    descending = hops[neurons["dVNCs"].to_numpy(dtype=bool)]
    assert np.bincount(descending).tolist() == [0, 7, 61, 108, 6]
