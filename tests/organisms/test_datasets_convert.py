"""Every dataset's tables, small and with the schema of the published files, become the connectome they describe."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animat.brains.connectome_tables import ConnectomeError
from animat.organisms.datasets import labels
from animat.organisms.datasets.convert import connectome
from animat.organisms.datasets.edges import collect
from animat.organisms.datasets.registry import dataset, table
from animat.organisms.datasets.synthetic import write_cns

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "fly"
ROOT = 720575940600000000  # FlyWire ids are near it: above 2**53, so a float cannot tell neighbours apart
INTS, TEXTS = pa.int64(), pa.string()


def names(dataset_name: str) -> list[str]:
    return [file.name for file in dataset(dataset_name).files]


def edges_of(made) -> dict[tuple[str, str], tuple[int, int]]:
    """Count and sign by the names of both ends."""
    pre = np.repeat(np.array(made.names), np.diff(made.start))
    post = np.array(made.names)[made.target]
    ends = zip(pre.tolist(), post.tolist(), strict=True)
    return dict(zip(ends, zip(made.count.tolist(), made.sign.tolist(), strict=True), strict=True))


def write_malecns(folder: Path) -> None:
    """Five neurons and a fragment, in the files of MaleCNS v1.0."""
    write_cns(folder, np.random.default_rng(0), 100, 500)
    bodies, transmitters, weights = (folder / name for name in names("malecns")[:3])
    schema = pa.feather.read_table(bodies).schema
    rows = [
        {"bodyId": 10, "superclass": "cb_sensory", "class": "gustatory", "type": "LB3c", "rootSide": "L"},
        {
            "bodyId": 20,
            "superclass": "cb_intrinsic",
            "type": "GNG232",
            "somaSide": "R",
            "somaLocation": [1000, 2000, 0],
        },
        {"bodyId": 30, "superclass": "cb_motor", "subclass": "pm", "type": "MN9", "instance": "MN9_M"},
        {
            "bodyId": 40,
            "superclass": "descending_neuron",
            "type": "DNp01",
            "entryNerve": "MxLbN",
            "rootSide": "unknown",
        },
        {"bodyId": 50, "superclass": "ol_sensory", "type": "R7", "assignedOlHex1": 3.0},
        {"bodyId": 60, "type": "fragment"},
    ]
    pa.feather.write_feather(pa.Table.from_pylist(rows, schema), bodies, compression="lz4")
    known = {10: "acetylcholine", 20: "gaba", 30: "unclear", 50: "histamine", 60: "acetylcholine", 70: "glutamate"}
    schema = pa.feather.read_table(transmitters).schema
    rows = [{"body": body, "consensus_nt": name, "predicted_nt": "serotonin"} for body, name in known.items()]
    pa.feather.write_feather(pa.Table.from_pylist(rows, schema), transmitters, compression="lz4")
    schema = pa.feather.read_table(weights).schema
    ends = [(10, 20, 9), (20, 30, 7), (50, 40, 5), (10, 60, 4), (70, 10, 3), (20, 20, 2), (30, 40, 2), (10, 30, 1)]
    rows = [{"body_pre": pre, "body_post": post, "weight": weight} for pre, post, weight in ends]
    pa.feather.write_feather(pa.Table.from_pylist(rows, schema), weights, compression="lz4")


def write_flywire(folder: Path, version: str = "783") -> None:
    """Four neurons in the files of Shiu et al. and of Codex."""
    folder.mkdir(parents=True)
    pairs, order = (folder / name for name in names(f"flywire-{version}")[:2])
    order.write_text(",Completed\n" + "".join(f"{ROOT + k},True\n" for k in (5, 1, 3, 2)))
    rows = [(5, 1, 3, 1), (1, 3, 4, -1), (1, 2, 1, -1), (3, 5, 2, 1), (3, 2, 6, 1)]
    place = {5: 0, 1: 1, 3: 2, 2: 3}
    columns = {
        "Presynaptic_ID": [ROOT + pre for pre, *_ in rows],
        "Postsynaptic_ID": [ROOT + post for _, post, *_ in rows],
        "Presynaptic_Index": [place[pre] for pre, *_ in rows],
        "Postsynaptic_Index": [place[post] for _, post, *_ in rows],
        "Connectivity": [count for *_, count, _ in rows],
        "Excitatory": [sign for *_, sign in rows],
        "Excitatory x Connectivity": [count * sign for *_, count, sign in rows],
    }
    pa.parquet.write_table(pa.table(columns), pairs)


def write_codex(folder: Path) -> None:
    """What Codex says of two of the neurons, in the files of v783."""
    classes = "root_id,flow,super_class,class,sub_class,hemilineage,side,nerve\n"
    classes += f"{ROOT + 5},afferent,sensory,gustatory,,,right,\n{ROOT + 2},efferent,motor,,,,left,\n"
    types = f"root_id,primary_type,additional_type(s)\n{ROOT + 2},MN9,\n"
    for name, content in (("classification.csv.gz", classes), ("consolidated_cell_types.csv.gz", types)):
        with gzip.open(folder / name, "wt") as file:
            file.write(content)


def write_compiled(folder: Path, name: str, id_column: str) -> None:
    """Four neurons and a glial cell in the files of the BANC project: ids as text."""
    folder.mkdir(parents=True)
    meta, pairs = (folder / file for file in names(name))
    rows = [
        ("1", "sensory", "leg_bristle", "SNta01", "left", "acetylcholine", "TRUE", "FALSE"),
        ("2", "ventral_nerve_cord_intrinsic", "", "IN1", "right", "gaba", "FALSE", "TRUE"),
        ("3", "motor", "leg_motor_neuron", "MN1", "center", "unclear", "TRUE", "FALSE"),
        ("4", "glia", "", "", "", "", "TRUE", "FALSE"),
        ("5", "descending", "", "DNa02", "left", "acetylcholine", "FALSE", "FALSE"),
    ]
    columns = ("super_class", "cell_class", "cell_type", "side", "neurotransmitter_predicted")
    meta_table = {id_column: [f"{ROOT + int(row[0])}" for row in rows], "cell_sub_class": [None] * len(rows)}
    meta_table |= {column: [row[k + 1] or None for row in rows] for k, column in enumerate(columns)}
    meta_table |= {"proofread": [row[6] for row in rows], "roughly_proofread": [row[7] for row in rows]}
    meta_table["nerve"] = ["ProLN"] + [None] * 4
    pa.feather.write_feather(pa.table(meta_table, schema=pa.schema([(key, TEXTS) for key in meta_table])), meta)
    ends = [(1, 2, 5), (2, 3, 4), (1, 1, 8), (4, 3, 6), (5, 3, 2)]
    edge_table = {
        "pre": [f"{ROOT + pre}" for pre, *_ in ends],
        "post": [f"{ROOT + post}" for _, post, _ in ends],
        "count": pa.array([count for *_, count in ends], pa.int32()),
        "norm": [0.5] * len(ends),
    }
    pa.feather.write_feather(pa.table(edge_table), pairs)


def write_hemibrain(folder: Path) -> None:
    """Three neurons in the archive of the flat export."""
    folder.mkdir(parents=True)
    inside = "exported-traced-adjacencies-v1.2"
    members = {
        "README.md": "text",
        "traced-neurons.csv": "bodyId,type,instance\n11,KCg,KCg_R\n12,,\n13,MBON01,MBON01(y5b'2a)_L\n",
        "traced-roi-connections.csv": "bodyId_pre,bodyId_post,roi,weight\n11,13,MB(R),4\n",
        "traced-total-connections.csv": "bodyId_pre,bodyId_post,weight\n11,13,4\n12,13,1\n13,11,2\n11,99,3\n",
    }
    with tarfile.open(folder / names("hemibrain-1.2.1")[0], "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"{inside}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))


def write_larva(folder: Path) -> None:
    """The published tables of the larva, from the copies at hand, in the files of their repository."""
    folder.mkdir(parents=True)
    listed, pairs = (folder / name for name in names("larva"))
    neurons = pd.read_csv(DATA / "larva_winding2023_neurons.csv.gz", dtype="str", keep_default_na=False)
    neurons.rename(columns={"skid": ""}).to_csv(listed, index=False)
    edges = pd.read_csv(DATA / "larva_winding2023_edges.csv.gz")
    edges.assign(syn=edges["syn"].astype(float)).to_csv(pairs, sep=" ", header=False, index=False)


def test_malecns_keeps_bodies_with_a_superclass_and_the_edges_among_them(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    made = connectome("malecns", base=tmp_path)
    assert made.names == ("10", "20", "30", "40", "50")
    assert edges_of(made) == {
        ("10", "20"): (9, 1),
        ("10", "30"): (1, 1),
        ("20", "30"): (7, -1),
        ("30", "40"): (2, 0),
        ("50", "40"): (5, -1),
    }
    assert made.neurons["role"].tolist() == ["sensory", "inter", "motor", "inter", "sensory"]
    assert made.neurons["side"].tolist() == ["L", "R", "M", "", ""]
    assert made.neurons["transmitter"].tolist() == ["acetylcholine", "gaba", "", "", "histamine"]
    assert made.neurons.loc[1, ["x_um", "y_um", "z_um"]].tolist() == [8.0, 16.0, 0.0]
    assert made.where(superclass="cb_*", **{"class": "gustatory"}).tolist() == [0]
    assert made.where(entryNerve="MxLbN").tolist() == [3]
    assert made.select("MN9").tolist() == [2]
    assert made.neurons["assignedOlHex1"].tolist()[4] == 3.0


def test_malecns_says_what_was_done_to_it(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    source = connectome("malecns", base=tmp_path, min_count=5).source
    assert source.licence == "CC BY 4.0"
    assert source.doi == "10.1016/j.cell.2026.08.015"
    assert source.changes == (
        "kept 5 bodies that have a superclass",
        "side: 1 by the soma, 1 by the root, 1 by the name",
        "edges of connectome-weights-male-cns-v1.0-minconf-0.5-traced-only.feather",
        "signs by the transmitter, rule shiu2024; 2 neurons of unknown transmitter have none",
        "left out 2 of 8 rows with an end that is no neuron of the table",
        "dropped 1 edges of a neuron with itself",
        "dropped 2 pairs of fewer than 5 synapses in all (3 synapses)",
    )


def test_malecns_reads_the_file_of_all_segments_where_it_was_pulled(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    traced, everything = (tmp_path / "malecns" / name for name in names("malecns")[2:])
    read = pa.feather.read_table(traced).select(["body_pre", "body_post", "weight"])
    pa.feather.write_feather(read.slice(0, 2), everything, compression="lz4")
    assert connectome("malecns", base=tmp_path).edges == 2


def test_flywire_has_the_order_and_the_signs_of_the_model(tmp_path: Path):
    write_flywire(tmp_path / "flywire-783")
    made = connectome("flywire-783", base=tmp_path)
    assert made.names == tuple(str(ROOT + k) for k in (5, 1, 3, 2))
    short = {(pre[-1] + post[-1]): value for (pre, post), value in edges_of(made).items()}
    assert short == {"51": (3, 1), "13": (4, -1), "12": (1, -1), "35": (2, 1), "32": (6, 1)}
    assert made.sign_provenance == "published"
    assert set(made.neurons["role"]) == {"unclassified"}


def test_flywire_takes_classes_sides_and_types_from_codex_where_they_are(tmp_path: Path):
    write_flywire(tmp_path / "flywire-783")
    write_codex(tmp_path / "flywire-783")
    neurons = connectome("flywire-783", base=tmp_path).neurons
    assert neurons["role"].tolist() == ["sensory", "unclassified", "unclassified", "motor"]
    assert neurons["side"].tolist() == ["R", "", "", "L"]
    assert neurons["type"].tolist() == ["", "", "", "MN9"]
    assert neurons["class"].tolist() == ["gustatory", "", "", ""]


def test_a_flywire_neuron_of_both_signs_is_refused(tmp_path: Path):
    write_flywire(tmp_path / "flywire-630", "630")
    pairs = tmp_path / "flywire-630" / names("flywire-630")[0]
    read = pa.parquet.read_table(pairs).to_pandas()
    read.loc[1, "Excitatory x Connectivity"] *= -1
    pa.parquet.write_table(pa.Table.from_pandas(read, preserve_index=False), pairs)
    with pytest.raises(ConnectomeError, match=f"neuron {ROOT + 1} has synapses of both signs"):
        connectome("flywire-630", base=tmp_path)


def test_banc_keeps_proofread_neurons_and_drops_self_edges(tmp_path: Path):
    write_compiled(tmp_path / "banc-888", "banc-888", "banc_888_id")
    made = connectome("banc-888", base=tmp_path)
    assert made.names == tuple(str(ROOT + k) for k in (1, 2, 3))
    short = {(pre[-1] + post[-1]): value for (pre, post), value in edges_of(made).items()}
    assert short == {"12": (5, 1), "23": (4, -1)}
    assert made.neurons["role"].tolist() == ["sensory", "inter", "motor"]
    assert made.neurons["side"].tolist() == ["L", "R", "M"]
    assert "dropped 1 edges of a neuron with itself" in made.source.changes
    assert "kept 3 of 5 rows: proofread or roughly_proofread, and no glia, trachea, not_a_neuron" in made.source.changes


def test_manc_keeps_every_traced_neuron(tmp_path: Path):
    write_compiled(tmp_path / "manc-1.2.1", "manc-1.2.1", "manc_121_id")
    made = connectome("manc-1.2.1", base=tmp_path)
    assert made.names == tuple(str(ROOT + k) for k in (1, 2, 3, 5))
    assert made.where(nerve="ProLN").tolist() == [0]
    assert made.edges == 3


def test_hemibrain_comes_out_of_its_archive_without_signs(tmp_path: Path):
    write_hemibrain(tmp_path / "hemibrain-1.2.1")
    made = connectome("hemibrain-1.2.1", base=tmp_path)
    assert made.names == ("11", "12", "13")
    assert edges_of(made) == {("11", "13"): (4, 0), ("12", "13"): (1, 0), ("13", "11"): (2, 0)}
    assert made.neurons["type"].tolist() == ["KCg", "", "MBON01"]


@pytest.mark.skipif(not DATA.exists(), reason=f"the larval tables are not at {DATA}")
def test_the_larva_has_its_published_counts(tmp_path: Path):
    """Winding et al. 2023; counts of the tables in neurodata/bilateral-connectome at 2f56a81."""
    write_larva(tmp_path / "larva")
    made = connectome("larva", base=tmp_path)
    known = dataset("larva")
    assert made.n == known.neurons == 3554
    assert "dropped 577 edges of a neuron with itself" in made.source.changes
    assert made.edges + 577 == known.edges == 119_010
    own = pd.read_csv(DATA / "larva_winding2023_edges.csv.gz").query("pre == post")["syn"].sum()
    assert made.synapses + own == known.synapses == 376_091
    assert made.count.max() == 121
    listed = pd.read_csv(DATA / "larva_winding2023_neurons.csv.gz")
    published = {"KCs": 222, "MBONs": 48, "dVNCs": 182, "sensories": 434, "RGNs": 54}
    assert {name: int((listed["simple_group"] == name).sum()) for name in published} == published
    linked = listed[listed["skid"].astype(str).isin(made.names)]["simple_group"].value_counts()
    assert {name: made.where(superclass=name).size for name in published} == {n: linked[n] for n in published}
    assert made.where(superclass="dVNCs").size == 182
    assert set(made.where(superclass="sensories")) <= set(made.where(role="sensory"))


@pytest.mark.skipif(not DATA.exists(), reason=f"the larval tables are not at {DATA}")
def test_paths_through_the_larva_keep_all_descending_neurons_at_four_edges(tmp_path: Path):
    write_larva(tmp_path / "larva")
    made = connectome("larva", base=tmp_path, min_count=2)
    sensory, descending = made.where(superclass="sensories"), made.where(superclass="dVNCs")
    reached = [made.paths_subgraph(sensory, descending, k).where(superclass="dVNCs").size for k in (1, 2, 3, 4)]
    assert reached == [7, 68, 176, 182]


def test_counts_of_a_pair_are_summed_before_the_threshold():
    ids = np.array([5, 7, 9], dtype=np.int64) + ROOT
    rows = [(0, 1, 2), (0, 1, 3), (1, 2, 4), (2, 0, 5), (0, 1, 1)]
    columns = tuple(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    edges = collect(lambda: iter([(ids[columns[0]], ids[columns[1]], columns[2])]), ids, min_count=5)
    assert edges.start.tolist() == [0, 1, 1, 2]
    assert (edges.target.tolist(), edges.count.tolist()) == ([1, 0], [6, 5])
    assert (edges.repeated, edges.weak, edges.weak_synapses) == (2, 1, 4)


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(1, 9)), max_size=60),
    st.integers(1, 12),
    st.integers(1, 20),
)
@settings(max_examples=60, deadline=None)
def test_collected_edges_are_those_of_pandas_whatever_the_batches(rows, min_count: int, batch: int):
    ids = ROOT + np.array([3, 1, 4, 2, 9, 6], dtype=np.int64)  # rows may name 6 and 7, which are no neurons
    outside = np.concatenate([ids, [ROOT - 1, 5]])
    pre, post, count = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))

    def batches():
        for first in range(0, len(rows), batch):
            part = slice(first, first + batch)
            yield outside[pre[part]], outside[post[part]], count[part]

    edges = collect(batches, ids, min_count)
    frame = pd.DataFrame({"pre": pre, "post": post, "count": count}).query("pre < 6 and post < 6 and pre != post")
    wanted = frame.groupby(["pre", "post"])["count"].sum()
    wanted = wanted[wanted >= min_count]
    source = np.repeat(np.arange(6), np.diff(edges.start))
    assert list(zip(source.tolist(), edges.target.tolist(), strict=True)) == wanted.index.tolist()
    assert edges.count.tolist() == wanted.tolist()
    assert edges.rows == len(rows)


def test_neighbouring_64_bit_ids_stay_apart():
    ids = np.array([2**60, 2**60 + 1, 2**60 + 2], dtype=np.int64)
    assert float(ids[0]) == float(ids[1])
    edges = collect(lambda: iter([(ids[:2], ids[1:], np.array([3, 4]))]), ids)
    assert edges.target.tolist() == [1, 2]


def test_a_repeated_neuron_a_count_of_nothing_and_a_bad_threshold_are_refused():
    ids = np.array([1, 2], dtype=np.int64)
    one = np.array([1], dtype=np.int64)
    with pytest.raises(ValueError, match="edges: neuron 2 is listed twice"):
        collect(lambda: iter([]), np.array([1, 2, 2], dtype=np.int64))
    with pytest.raises(ValueError, match="edges: counts must be positive, got 0"):
        collect(lambda: iter([(one, one + 1, one - 1)]), ids)
    with pytest.raises(ValueError, match="edges: min_count must be 1 or more, got 0"):
        collect(lambda: iter([]), ids, 0)


def test_signs_follow_the_named_rule():
    signs = labels.signs()
    assert {name for name, sign in signs.items() if sign < 0} == {"gaba", "glutamate", "histamine"}
    names = labels.transmitters(pd.Series(["ACH", "Glut", "5-HT", "unclear", "", "peptide"], dtype="str"))
    assert names.tolist() == ["acetylcholine", "glutamate", "serotonin", "", "", ""]
    assert labels.sign_of(names).tolist() == [1, -1, 1, 0, 0, 0]
    assert all(row["source"] for row in table("transmitters.csv"))


def test_the_superclasses_of_malecns_are_all_its_neurons():
    rows = [row for row in table("roles.csv") if row["dataset"] == "malecns"]
    assert sum(int(row["neurons"]) for row in rows) == dataset("malecns").neurons
    motor = sum(int(row["neurons"]) for row in rows if row["role"] == "motor")
    assert motor == 708 + 107


def damaged(tmp_path: Path, name: str, file: int, content: bytes | None) -> str:
    path = tmp_path / name / names(name)[file]
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises((ConnectomeError, FileNotFoundError)) as error:
        connectome(name, base=tmp_path)
    return str(error.value)


def test_a_dataset_that_was_not_pulled_says_how_to():
    with pytest.raises(FileNotFoundError, match=r"Fetch it with: animat data pull manc-1\.2\.1"):
        connectome("manc-1.2.1", base="nowhere")


def test_a_damaged_file_is_named(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    for file in range(3):
        write_malecns(tmp_path / "malecns")
        assert f"{names('malecns')[file]}: is not a Feather file" in damaged(tmp_path, "malecns", file, b"junk" * 99)
    write_hemibrain(tmp_path / "hemibrain-1.2.1")
    assert "is not a tar archive" in damaged(tmp_path, "hemibrain-1.2.1", 0, b"junk")
    write_flywire(tmp_path / "flywire-783")
    assert "is not a Parquet file" in damaged(tmp_path, "flywire-783", 0, b"PAR1junk")


def test_missing_columns_and_ids_that_are_no_whole_numbers_are_named(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    weights = tmp_path / "malecns" / names("malecns")[2]
    read = pa.feather.read_table(weights)
    pa.feather.write_feather(read.rename_columns(["pre", *read.column_names[1:]]), weights)
    with pytest.raises(ConnectomeError, match="has no column 'body_pre'; did you mean 'body_post'"):
        connectome("malecns", base=tmp_path)
    floats = read.set_column(0, "body_pre", read["body_pre"].cast(pa.float64()))
    pa.feather.write_feather(floats, weights)
    with pytest.raises(
        ConnectomeError, match="column 'body_pre': must hold whole numbers, or ids as text; it holds dou"
    ):
        connectome("malecns", base=tmp_path)
    gaps = read.set_column(0, "body_pre", pa.array([None, *read["body_pre"].to_pylist()[1:]], INTS))
    pa.feather.write_feather(gaps, weights)
    with pytest.raises(ConnectomeError, match="column 'body_pre': 1 rows are empty"):
        connectome("malecns", base=tmp_path)


def test_an_id_that_is_no_number_is_named(tmp_path: Path):
    write_compiled(tmp_path / "manc-1.2.1", "manc-1.2.1", "manc_121_id")
    pairs = tmp_path / "manc-1.2.1" / names("manc-1.2.1")[1]
    read = pa.feather.read_table(pairs)
    pa.feather.write_feather(read.set_column(0, "pre", pa.array(["x1", *read["pre"].to_pylist()[1:]])), pairs)
    with pytest.raises(ConnectomeError, match=r"column 'pre': must hold whole numbers: .*x1"):
        connectome("manc-1.2.1", base=tmp_path)


def test_what_was_converted_is_kept_and_made_again_when_a_file_changes(tmp_path: Path):
    write_malecns(tmp_path / "malecns")
    first = connectome("malecns", base=tmp_path)
    kept = tmp_path / "malecns" / "compact-1"
    date = (kept / "target.npy").stat().st_mtime_ns
    assert connectome("malecns", base=tmp_path).fingerprint == first.fingerprint
    assert (kept / "target.npy").stat().st_mtime_ns == date
    (kept / "target.npy").write_bytes(b"damaged")
    assert connectome("malecns", base=tmp_path).fingerprint == first.fingerprint
    weights = tmp_path / "malecns" / names("malecns")[2]
    pa.feather.write_feather(pa.feather.read_table(weights).slice(0, 1), weights)
    assert connectome("malecns", base=tmp_path).edges == 1


def test_the_synthetic_cns_has_the_columns_and_shares_of_malecns(tmp_path: Path):
    edges = write_cns(tmp_path / "malecns", np.random.default_rng(0), 3000, 60_000)
    bodies, transmitters, weights = (pa.feather.read_table(tmp_path / "malecns" / n) for n in names("malecns")[:3])
    assert (len(bodies.column_names), len(transmitters.column_names)) == (36, 10)
    assert weights.column_names == ["body_pre", "body_post", "weight", "type_pre", "type_post"]
    assert weights.num_rows == edges
    made = connectome("malecns", base=tmp_path)
    assert made.n == 3000
    assert abs(made.where(superclass="ol_intrinsic").size / 3000 - 89_403 / 166_700) < 0.02
    excites = np.array([(made.sign[made.start[i]] > 0) for i in range(made.n) if made.start[i] < made.start[i + 1]])
    assert abs(excites.mean() - 0.62) < 0.04


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch):
    write_malecns(tmp_path / "malecns")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"need pyarrow, which is not installed: pip install 'animat\[fly\]'"):
        connectome("malecns", base=tmp_path)
