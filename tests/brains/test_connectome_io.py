"""A saved connectome is checked when it is loaded, down to the row and column of what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from animat.brains.connectome import Connectome, ConnectomeError, Source

NEURONS = """name,type,role,transmitter,side,x_um,y_um,z_um
ASEL,ASE,sensory,glutamate,L,4.125,-263.675,40.05
AIYL,AIY,inter,acetylcholine,L,,,
NA,,motor,,M,0.0,1e-07,0.1
"""
SYNAPSES = """pre,post,kind,count,sign,provenance,sign_provenance
ASEL,AIYL,chemical,12.0,-1,measured,published
AIYL,NA,chemical,0.30000000000000004,0,measured,none
AIYL,NA,electrical,2.0,1,measured,derived
NA,AIYL,electrical,2.0,1,measured,derived
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    for name, text in {"neurons.csv": NEURONS, "synapses.csv": SYNAPSES}.items():
        (tmp_path / name).write_text(text)
    neurons = pd.read_csv(tmp_path / "neurons.csv", keep_default_na=False)
    unknown = float("nan")
    neurons = neurons.assign(x_um=[4.125, unknown, 0], y_um=[-263.675, unknown, 1e-7], z_um=[40.05, unknown, 0.1])
    synapses = pd.read_csv(tmp_path / "synapses.csv", keep_default_na=False).assign(count=[12, 0.1 + 0.2, 2, 2])
    Connectome(neurons, synapses, Source("a paper", "10.1/x", "CC-BY", ("ablated X",))).save(tmp_path)
    return tmp_path


def refused(folder: Path) -> str:
    with pytest.raises(ConnectomeError) as error:
        Connectome.load(folder)
    return str(error.value)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_folder_holds_the_documented_text_and_nothing_else(saved: Path):
    assert sorted(path.name for path in saved.iterdir()) == ["connectome.json", "neurons.csv", "synapses.csv"]
    assert (saved / "neurons.csv").read_text() == NEURONS
    assert (saved / "synapses.csv").read_text() == SYNAPSES
    header = json.loads((saved / "connectome.json").read_text())
    assert header["source"]["changes"] == ["ablated X"]
    assert header["fingerprint"] == Connectome.load(saved).fingerprint


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "neurons.csv",
            "AIY,inter",
            "AIY,intr",
            "neurons.csv, row 3, column 'role': no role 'intr'; did you mean 'inter'",
        ),
        ("neurons.csv", "4.125", "four", "neurons.csv, row 2, column 'x_um': must be a number; got 'four'"),
        ("neurons.csv", "4.125,", "", "neurons.csv, row 2, column 'z_um': the row has 7 fields, the header 8"),
        ("neurons.csv", "NA,,motor", "ASEL,,motor", "neurons.csv, row 4, column 'name': neuron 'ASEL' is listed twice"),
        ("neurons.csv", "side", "hand", "neurons.csv, column 'side': is missing"),
        ("neurons.csv", "side", "name", "neurons.csv, column 'side': is missing"),
        ("neurons.csv", "NA,,motor", "\nNA,,motor", "neurons.csv, row 4, column 'name': the row has 0 fields"),
        ("synapses.csv", "ASEL,AIYL", "ASEL,AIZL", "row 2, column 'post': no neuron 'AIZL'; did you mean 'AIYL'"),
        ("synapses.csv", "12.0", "-12.0", "row 2, column 'count': must be positive and finite; got -12.0"),
        ("synapses.csv", "12.0", "", "synapses.csv, row 2, column 'count': must be a number; got ''"),
        ("synapses.csv", "12.0,-1", "12.0,-3", "row 2, column 'sign': must be -1, 0 (unknown) or 1; got -3.0"),
        ("synapses.csv", "12.0", "13.0", "a table was changed after it was saved"),
        ("synapses.csv", "ASEL,AIYL,chemical,12.0,-1,measured,published\n", "", "changed after it was saved"),
        ("connectome.json", '"version": 1', '"version": 9', "version is 9; this animat reads version 1"),
        ("connectome.json", "animat connectome", "other", "is not the header of a saved connectome"),
        ("connectome.json", "{", "", "connectome.json, row 2, column 11: is not JSON"),
        ("connectome.json", '"licence"', '"license"', "source must have citation, doi, licence, changes"),
        ("connectome.json", '"a paper"', "7", "source must hold text"),
    ],
)
def test_a_damaged_file_is_refused_by_file_row_and_column(saved: Path, file: str, old: str, new: str, message: str):
    edit(saved / file, old, new)
    assert message in refused(saved)


@pytest.mark.parametrize("file", ["connectome.json", "neurons.csv", "synapses.csv"])
def test_a_missing_file_is_named(saved: Path, file: str):
    (saved / file).unlink()
    assert f"{file}: no such file" in refused(saved)


@pytest.mark.parametrize("file", ["connectome.json", "neurons.csv", "synapses.csv"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00junk", b"\x89PNG\r\n\x1a\n", b"[1, 2]", b'"' + b"x" * 200_000])
def test_a_foreign_file_is_refused_by_name(saved: Path, file: str, content: bytes):
    (saved / file).write_bytes(content)
    assert file in refused(saved)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    assert "nowhere/connectome.json: no such file" in refused(tmp_path / "nowhere")


def test_saving_over_a_connectome_replaces_it(saved: Path):
    smaller = Connectome.load(saved).ablate("NA")
    smaller.save(saved)
    assert Connectome.load(saved) == smaller
