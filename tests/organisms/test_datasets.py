"""The registry names real files, and pulling, listing and verifying a dataset say what is there."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from animat.organisms.datasets import store
from animat.organisms.datasets.download import DownloadError, Patience
from animat.organisms.datasets.registry import USES, Dataset, RemoteFile, dataset, datasets
from animat.registry import UnknownNameError

NOW = Patience(wait_s=0.0)
ONE, TWO, THREE = b"one" * 1000, b"two" * 2000, b"three" * 10


@pytest.fixture
def small(server) -> Dataset:
    """A dataset of three small files on the local server: one whose hash is known, one not, one optional."""
    server.files = {"/one": ONE, "/two": TWO, "/three": THREE}
    known = dataset("larva")

    def file(name: str, **values) -> RemoteFile:
        blank = {"bytes": None, "sha256": "", "hash_source": "", "use": "needed", "holds": ""}
        return RemoteFile(**(blank | values), name=name, address=f"{server.address}/{name}")

    digest = hashlib.sha256(ONE).hexdigest()
    files = (file("one", bytes=len(ONE), sha256=digest), file("two"), file("three", use="optional"))
    return dataclasses.replace(known, name="small", files=files)


def test_the_registry_holds_the_datasets_of_the_fly():
    names = ["malecns", "flywire-783", "flywire-630", "banc-888", "manc-1.2.1", "hemibrain-1.2.1", "larva"]
    assert list(datasets()) == names
    malecns = dataset("malecns")
    assert (malecns.neurons, malecns.edges, malecns.licence) == (166_700, 25_582_938, "CC BY 4.0")
    with pytest.raises(UnknownNameError, match="no dataset 'malcns'; did you mean 'malecns'"):
        dataset("malcns")


@pytest.mark.parametrize("known", datasets().values(), ids=list(datasets()))
def test_every_file_has_an_address_a_whole_hash_or_none_and_a_use(known: Dataset):
    assert known.doi.startswith("10.")
    for file in known.files:
        assert urlsplit(file.address).scheme == "https"
        assert file.address.endswith("/" + file.name)
        assert re.fullmatch(r"[0-9a-f]{64}|", file.sha256)
        assert file.hash_source
        assert file.use in USES
        assert (file.bytes is None) == (file.sha256 == "")


def test_the_folder_is_an_argument_or_a_variable_or_the_cache(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(store.VARIABLE, raising=False)
    assert store.data_folder("larva") == tmp_path / "cache" / "animat" / "data" / "larva"
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "mine"))
    assert store.data_folder("larva") == tmp_path / "mine" / "larva"
    assert store.data_folder("larva", tmp_path) == tmp_path / "larva"
    monkeypatch.delenv(store.VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.data_folder("larva") == tmp_path / ".cache" / "animat" / "data" / "larva"


def test_pull_fetches_every_file_once(small: Dataset, server, tmp_path: Path):
    assert store.missing(small, tmp_path) == ["one", "two"]
    found, problems = store.pull(small, tmp_path, patience=NOW)
    assert ([file.path.name for file in found], problems) == (["one", "two", "three"], [])
    assert store.missing(small, tmp_path) == []
    again, _ = store.pull(small, tmp_path, patience=NOW)
    assert all(file.already for file in again)
    assert len(server.asked) == 3
    assert {state.state for state in store.verify(small, tmp_path)} == {"right"}


def test_an_unpublished_hash_is_recorded_and_held_to(small: Dataset, tmp_path: Path):
    store.pull(small, tmp_path, patience=NOW)
    (tmp_path / "two").write_bytes(b"twx" + TWO[3:])
    states = {state.file.name: state for state in store.verify(small, tmp_path)}
    assert (states["one"].state, states["two"].state) == ("right", "wrong")
    seen = hashlib.sha256(TWO).hexdigest()
    assert states["two"].problem == f"has SHA-256 {states['two'].sha256}, expected {seen}"
    with pytest.raises(DownloadError, match=f"Expected .* SHA-256 {seen}; got"):
        store.pull(small, tmp_path, patience=NOW)
    (tmp_path / store.HASHES).unlink()
    (tmp_path / "two").write_bytes(TWO)
    problem = next(state.problem for state in store.verify(small, tmp_path) if state.file.name == "two")
    assert problem == f"has SHA-256 {seen}, but none was published nor seen by a download"


def test_verify_tells_missing_partial_short_and_right_apart(small: Dataset, server, tmp_path: Path):
    assert [state.state for state in store.verify(small, tmp_path)] == ["missing"] * 3
    server.cuts = [100] * 20
    with pytest.raises(DownloadError, match="cannot fetch it"):
        store.pull(small, tmp_path, patience=Patience(attempts=1))
    assert [state.state for state in store.verify(small, tmp_path)] == ["partial", "partial", "right"]
    (tmp_path / "one").write_bytes(ONE[:-1])
    state = store.verify(small, tmp_path)[0]
    assert (state.state, state.problem) == ("wrong", "has 2,999 bytes, published were 3,000")


def test_a_missing_optional_file_is_a_note_and_a_needed_one_an_error_after_the_others(small, server, tmp_path: Path):
    del server.files["/three"]
    found, problems = store.pull(small, tmp_path / "a", patience=NOW)
    assert [file.path.name for file in found] == ["one", "two"]
    assert "three: 127.0.0.1 answers HTTP 404" in problems[0]
    del server.files["/one"]
    with pytest.raises(DownloadError, match=r"one: 127\.0\.0\.1 answers HTTP 404"):
        store.pull(small, tmp_path / "b", patience=NOW)
    assert [path.name for path in (tmp_path / "b").iterdir() if path.name == "two"] == ["two"]


def test_a_mirror_serves_the_same_files_under_the_name_of_the_dataset(small: Dataset, server, tmp_path: Path):
    server.files = {"/at/small/one": ONE, "/at/small/two": TWO, "/at/small/three": THREE}
    found, _ = store.pull(small, tmp_path, patience=NOW, mirror=f"{server.address}/at/")
    assert len(found) == 3
    server.files["/at/small/one"] = TWO[:3000]
    with pytest.raises(DownloadError, match="not the file that was published"):
        store.pull(small, tmp_path / "other", patience=NOW, mirror=f"{server.address}/at")


def test_the_larger_alternative_is_fetched_only_when_asked_for():
    malecns = dataset("malecns")
    assert [file.use for file in malecns.chosen()] == ["needed"] * 3
    assert sum(file.bytes or 0 for file in malecns.chosen()) == 565_791_790
    assert malecns.chosen(full=True)[-1].bytes == 1_051_241_946
