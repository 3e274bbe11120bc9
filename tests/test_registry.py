"""Names that do not exist are answered with the nearest that does."""

from __future__ import annotations

import pytest

from animat.registry import Registry, UnknownNameError, nearest


def test_nearest_suggests_a_close_name_and_otherwise_lists_what_is_known():
    assert nearest("wrom", ["worm", "fly"]) == "did you mean 'worm'?"
    assert nearest("WORM", ["worm", "fly"]) == "did you mean 'worm'?"
    assert nearest("q", ["worm", "fly"]) == "known: 'fly', 'worm'"
    assert nearest("q", []) == "known: none"
    assert nearest("q", (f"name{i}" for i in range(99))).endswith(", ...")


def test_an_unknown_name_raises_a_key_error_that_reads_as_a_sentence():
    registry: Registry[int] = Registry("organism")
    registry.add("worm", int)
    with pytest.raises(UnknownNameError) as error:
        registry["wrom"]
    assert str(error.value) == "no organism 'wrom'; did you mean 'worm'?"
    assert isinstance(error.value, KeyError)
    assert registry.get("wrom") is None


def test_a_name_is_taken_once():
    registry: Registry[int] = Registry("engine")
    registry.add("numba", int)
    registry.add("numba", int)
    with pytest.raises(ValueError, match="engine 'numba' is already registered"):
        registry.add("numba", float)
    assert list(registry) == ["numba"]


def test_another_distribution_adds_a_plugin_through_an_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "plugin_demo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin-demo\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[animat.test_group]\nworm = plugin_demo:build\nbroken = not_there:build\n")
    (tmp_path / "plugin_demo.py").write_text("def build():\n    return 'a worm'\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[str] = Registry("organism", "animat.test_group")
    registry.add("fly", str)
    assert list(registry) == ["broken", "fly", "worm"]  # listing loads nothing
    assert "worm" in registry
    assert len(registry) == 3
    assert registry["worm"]() == "a worm"
