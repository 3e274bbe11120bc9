"""The log of edits only grows, survives a cut, and gives the same labels whenever it is replayed."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.brains.imaging.edits import Edit, EditLog, live, numbered, replay
from animat.brains.imaging.volume import VolumeError
from animat.registry import UnknownNameError

CHAIN = np.array([[1, 2], [2, 3], [3, 4], [4, 5], [5, 6]])  # fragments in a row
BASE = np.array([0, 1, 1, 1, 2, 2, 2])


def labels(log):
    return replay(CHAIN, BASE, log.edits).tolist()


@pytest.fixture
def log(tmp_path):
    return EditLog(tmp_path / "edits" / "edits.jsonl")


def test_without_edits_the_segmentation_stands(log):
    assert labels(log) == [0, 1, 1, 1, 2, 2, 2]


def test_a_join_makes_two_labels_one_and_a_split_one_two(log):
    log.append("join", [(4, 3)])
    assert labels(log) == [0, 1, 1, 1, 1, 1, 1]
    log.append("split", [(1, 2), (5, 6)])
    assert labels(log) == [0, 1, 2, 2, 2, 2, 3]


def test_undo_is_a_new_entry_and_can_be_undone(log):
    joined = log.append("join", [(3, 4)])
    undone = log.undo(joined.id, "somebody")
    assert labels(log) == [0, 1, 1, 1, 2, 2, 2]
    log.undo(undone.id, "somebody")
    assert labels(log) == [0, 1, 1, 1, 1, 1, 1]
    assert [edit.kind for edit in log.edits] == ["join", "undo", "undo"]


def test_what_a_person_decided_counts_over_what_is_automatic_later(log):
    log.append("split", [(1, 2)], who="somebody")
    log.append("join", [(1, 2)])
    assert labels(log) == [0, 1, 2, 2, 3, 3, 3]


def test_entries_are_on_the_disk_when_append_returns(log):
    edit = log.append("join", [(3, 4)], place_nm=(1.0, 2.5, 3.0), confidence=0.75, who="somebody", reason="a reason")
    assert EditLog(log.path).edits == (edit,)


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_cut_last_line_is_dropped_with_a_warning_and_written_over(log, kept):
    first = log.append("join", [(3, 4)])
    log.append("split", [(1, 2)])
    whole = log.path.read_bytes()
    last = whole[len(first.line) :]
    log.path.write_bytes(first.line + last[:kept])
    with pytest.warns(UserWarning, match="the last line was cut and is dropped"):
        again = EditLog(log.path)
    assert again.edits == (first,)
    with pytest.warns(UserWarning, match="the last line was cut"):
        again.append("split", [(1, 2)])
    assert log.path.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(log):
    log.append("join", [(3, 4)])
    log.append("split", [(1, 2)])
    lines = log.path.read_bytes().split(b"\n")
    log.path.write_bytes(b"\n".join([b"{}", *lines[1:]]))
    with pytest.raises(VolumeError, match="line 1 is no entry"):
        EditLog(log.path)


def test_a_missing_entry_is_an_error(log):
    log.append("join", [(3, 4)])
    second = log.append("split", [(1, 2)])
    log.path.write_bytes(second.line)
    with pytest.raises(VolumeError, match="line 1 is entry 1; 0 was expected"):
        EditLog(log.path)


def test_two_logs_of_one_file_see_each_other_s_entries(log):
    other = EditLog(log.path)
    log.append("join", [(3, 4)])
    assert other.append("split", [(1, 2)]).id == 1
    assert EditLog(log.path).edits == other.edits


@pytest.mark.parametrize(
    ("fields", "error", "match"),
    [
        ({"kind": "jion", "pairs": [(1, 2)]}, UnknownNameError, "did you mean 'join'"),
        ({"kind": "join", "pairs": [(2, 2)]}, VolumeError, "lower first"),
        ({"kind": "join", "pairs": []}, VolumeError, "needs pairs"),
        ({"kind": "undo", "undoes": 3}, VolumeError, "no entry 3 to undo; there are 0"),
        ({"kind": "join", "pairs": [(1, 2)], "confidence": float("nan")}, VolumeError, "confidence nan"),
        ({"kind": "join", "pairs": [(1, 2)], "place_nm": (0.0, float("inf"), 0.0)}, VolumeError, "cannot be"),
    ],
)
def test_an_impossible_entry_is_refused_and_nothing_is_written(log, fields, error, match):
    with pytest.raises(error, match=match):
        log.append(**fields)
    assert log.path.read_bytes() == b""
    assert len(log) == 0


def test_an_edit_of_a_fragment_that_does_not_exist_is_an_error(log):
    log.append("join", [(3, 9)])
    with pytest.raises(VolumeError, match="fragment 9 of 6"):
        labels(log)


pairs = st.sampled_from(list(combinations(range(1, 7), 2)))
steps = st.lists(st.tuples(st.sampled_from(["join", "split", "undo"]), st.lists(pairs, min_size=1, max_size=3)))


def history(drawn):
    edits = []
    for kind, some in drawn:
        if kind != "undo":
            edits.append(Edit(id=len(edits), kind=kind, pairs=tuple(some)))
        elif edits:
            edits.append(Edit(id=len(edits), kind="undo", undoes=some[0][0] % len(edits)))
    return edits


@given(steps)
def test_undoing_everything_gives_the_segmentation_back(drawn):
    edits = history(drawn)
    for edit in live(edits):
        edits.append(Edit(id=len(edits), kind="undo", undoes=edit.id))
    assert live(edits) == []
    assert replay(CHAIN, BASE, edits).tolist() == BASE.tolist()


@given(steps)
def test_lines_of_the_file_read_back_as_they_were(drawn):
    edits = history(drawn)
    assert [Edit.read(edit.line) for edit in edits] == edits


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_numbers_keep_groups_and_rise_with_the_lowest_fragment(regions):
    found = numbered(np.array([0, *regions])).tolist()
    assert found[0] == 0
    assert list(dict.fromkeys(found[1:])) == list(range(1, len(set(regions)) + 1))
    assert len(set(zip(found[1:], regions, strict=True))) == len(set(regions))
