"""An atlas is read as it was written, and what is none is refused by name."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from animat.brains.atlas import Atlas, AtlasError
from animat.registry import UnknownNameError

NAMES = ("AVAL", "AVAR", "AWCL", "AWCR")
SHAPE = (4, 4)


def atlas(**changes) -> Atlas:
    response = np.arange(16.0).reshape(SHAPE) / 7 - 1.0
    response[0, 1] = np.nan
    q = np.where(np.isnan(response), np.nan, np.linspace(0.0, 1.0, 16).reshape(SHAPE))
    return replace(Atlas(names=NAMES, response=response, q=q, observations=np.arange(16).reshape(SHAPE)), **changes)


def same(one: Atlas, other: Atlas) -> None:
    assert (one.names, one.strain, one.citation, one.doi) == (other.names, other.strain, other.citation, other.doi)
    for name in ("response", "q", "observations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("atlas")


@settings(max_examples=20, deadline=None)
@given(
    arrays(np.float64, SHAPE, elements=st.floats(-1e3, 1e3) | st.just(np.nan)),
    arrays(np.float64, SHAPE, elements=st.floats(0.0, 1.0) | st.just(np.nan)),
    arrays(np.int64, SHAPE, elements=st.integers(0, 99)),
)
def test_save_then_load_is_the_identity(folder, response, q, observations):
    before = atlas(response=response, q=q, observations=observations, strain="unc31")
    before.save(folder)
    same(Atlas.load(folder, "unc31"), before)


def test_a_saved_line_reads_from_the_stimulated_to_the_responding_neuron(tmp_path):
    atlas().save(tmp_path)
    lines = (tmp_path / "pairs.csv").read_text().splitlines()
    assert lines[0] == "stimulated,responding,response,q,observations"
    one = atlas()  # row 1 responds, column 0 is stimulated
    assert lines[2] == f"AVAL,AVAR,{float(one.response[1, 0])!r},{float(one.q[1, 0])!r},4"


def test_awc_on_and_off_get_a_side_by_convention(tmp_path):
    atlas(names=("AVAL", "AVAR", "AWCOFF", "AWCON")).save(tmp_path)
    assert Atlas.load(tmp_path).names == NAMES


def test_an_observed_neuron_that_the_connectome_lacks_is_named_and_an_unobserved_one_is_not():
    one = atlas(names=("AVAL", "AVAR", "AWCL", "AWCZ"))
    with pytest.raises(UnknownNameError, match=r"atlas neuron 'AWCZ' is not there; did you mean"):
        one.index_in(NAMES)
    response = one.response.copy()
    response[3], response[:, 3] = np.nan, np.nan
    assert replace(one, response=response).index_in(("AVAR", "AVAL", "AWCL")).tolist() == [1, 0, 2, -1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"q": np.zeros((3, 4))}, r"q must have shape \(4, 4\) for 4 names, got \(3, 4\)"),
        ({"q": np.full(SHAPE, 1.5)}, "q must be between 0 and 1, got 1.5 to 1.5"),
        ({"response": np.full(SHAPE, np.inf)}, "infinite"),
        ({"observations": np.full(SHAPE, -1)}, "0 or more, got -1"),
        ({"names": ("AVAL", "AVAR", "AVAL", "AWCR")}, "'AVAL' is named twice"),
    ],
)
def test_matrices_that_do_not_hold_together_are_refused(changes, message):
    with pytest.raises(AtlasError, match=message):
        atlas(**changes)


def spoil_header(tmp_path, **changes):
    header = json.loads((tmp_path / "atlas.json").read_text())
    (tmp_path / "atlas.json").write_text(json.dumps({**header, **changes}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "pairs.csv").unlink(), r"no pairs\.csv"),
        (lambda path: (path / "atlas.json").write_text("{"), "is not JSON"),
        (lambda path: spoil_header(path, version=2), "not the header of a saved atlas of version 1"),
        (lambda path: spoil_header(path, more=1), "must have format, version"),
        (lambda path: spoil_header(path, names=["AVAR", "AWCL", "AWCR", "AVBL"]), r"row 2, column .*no neuron 'AVAL'"),
        (lambda path: (path / "pairs.csv").write_text("a,b\n"), "columns must be stimulated"),
    ],
)
def test_a_spoilt_folder_is_refused(tmp_path, spoil, message):
    atlas().save(tmp_path)
    spoil(tmp_path)
    with pytest.raises(AtlasError, match=message):
        Atlas.load(tmp_path)


def test_a_missing_path_a_wrong_strain_and_the_other_strain_are_refused(tmp_path):
    atlas().save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no atlas at .*nowhere"):
        Atlas.load(tmp_path / "nowhere")
    with pytest.raises(UnknownNameError, match="no strain 'wtt'; did you mean 'wt'"):
        Atlas.load(tmp_path, "wtt")
    with pytest.raises(AtlasError, match="holds strain 'wt', not 'unc31'"):
        Atlas.load(tmp_path, "unc31")


def write_original(path, h5py, drop: str = "", **changes) -> None:
    one = atlas()
    values = {"dFF": one.response, "q": one.q, "occ1": one.observations, **changes}
    with h5py.File(path, "w") as file:
        file["neuron_ids"] = np.array([b"AVAL", b"AVAR", b"AWCOF", b"AWCON"])
        for name, value in values.items():
            if name != drop:
                file[f"wt/{name}"] = value


def test_the_original_file_is_read_and_a_wrong_one_refused(tmp_path):
    h5py = pytest.importorskip("h5py", reason="the original file is HDF5 and h5py is not installed")
    path = tmp_path / "funatlas.h5"
    write_original(path, h5py)
    same(Atlas.load(path), atlas())
    write_original(path, h5py, drop="occ1")
    with pytest.raises(AtlasError, match=r"no dataset 'wt/occ1'; known: 'neuron_ids'"):
        Atlas.load(path)
    write_original(path, h5py, q=np.zeros((2, 2)))
    with pytest.raises(AtlasError, match=r"funatlas\.h5: Atlas: q must have shape \(4, 4\)"):
        Atlas.load(path)
    path.write_text("no HDF5")
    with pytest.raises(AtlasError, match="is not an HDF5 file"):
        Atlas.load(path)
