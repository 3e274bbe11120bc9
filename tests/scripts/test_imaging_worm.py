"""The worm's touch circuit, taken out and put back."""

import numpy as np
import pytest

from animat.organisms.worm.wiring import connectome
from animat.scripts.imaging_worm import put_back, touch_circuit


@pytest.fixture(scope="module")
def circuit():
    return touch_circuit()


def test_the_circuit_leads_from_touch_to_the_command_cells(circuit):
    reached = circuit.paths_subgraph(["ALM*", "AVM"], ["AVA*"], 2).names
    assert {"ALML", "AVM", "AVAL", "AVDL"} <= set(reached)
    assert circuit.n == 13


def test_a_perfect_reconstruction_gives_the_worm_back(circuit):
    worm = connectome()
    found = put_back(circuit, {name: name for name in circuit.names}, 1.0)
    change = abs(found.matrix("chemical", signed=False) - worm.matrix("chemical", signed=False))
    assert change.sum() == 0
    assert abs(found.matrix("electrical") - worm.matrix("electrical")).sum() == 0


def test_what_was_not_reconstructed_is_missing_in_the_worm_and_nothing_else(circuit):
    worm, lost = connectome(), "AVDL"
    found = put_back(circuit, {name: name for name in circuit.names if name != lost}, 1.0)
    change = (worm.matrix("chemical", signed=False) - found.matrix("chemical", signed=False)).tocoo()
    inside = set(worm.index(circuit.names))
    assert change.nnz > 0
    for post, pre, value in zip(change.row, change.col, change.data, strict=True):
        if value:
            assert worm.index([lost])[0] in (pre, post)
            assert {pre, post} <= inside


def test_counts_are_scaled_back_to_those_of_the_worm(circuit):
    fine = put_back(circuit, {name: name for name in circuit.names}, 0.5)
    names = list(circuit.names)
    rows = fine.index(names)
    whole, doubled = (wiring.matrix("chemical", signed=False)[rows][:, rows] for wiring in (connectome(), fine))
    off = ~np.eye(len(names), dtype=bool)
    np.testing.assert_allclose(doubled.toarray()[off], 2 * whole.toarray()[off])
