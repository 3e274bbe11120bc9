"""From tables to weights: who gets which parameters, and what a synapse count becomes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from animat.brains.models import Graded
from animat.brains.network import Network, SynapseGains, build_network, cells_from_table, members
from animat.organisms.worm.wiring import connectome as worm
from animat.registry import UnknownNameError


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(rows)


@pytest.fixture
def cells(little_worm):
    return cells_from_table(little_worm, table({"selector": "*"}))


def rules(*rows: tuple) -> pd.DataFrame:
    columns = ["pre", "post", "kind", "factor", "sign_override", "provenance", "source"]
    return pd.DataFrame([(*row, "assumed", "") for row in rows], columns=columns)


def weight(network, pre, post, kind="chemical"):
    return getattr(network, kind)[network.names.index(post), network.names.index(pre)]


# --- cells ------------------------------------------------------------------------------------------------------------


def test_later_rows_override_and_empty_fields_keep(little_worm):
    cells = cells_from_table(
        little_worm,
        table(
            {"selector": "*", "tau_m_ms": 50.0, "slope_mv": 4.0},
            {"selector": "A", "tau_m_ms": 20.0},
            {"selector": "AR", "slope_mv": 2.0, "tau_m_ms": ""},
        ),
    )
    assert dict(zip(cells.names, cells.tau_m_ms, strict=True))["DB1"] == 50.0
    assert cells.tau_m_ms[:2].tolist() == [20.0, 20.0]
    assert cells.slope_mv[:2].tolist() == [4.0, 2.0]
    assert (cells.v_rest_mv == Graded().v_rest_mv).all()


def test_a_row_for_one_model_leaves_the_cells_of_the_other_alone(little_worm):
    dynamics = table(
        {"selector": "*", "model": "graded", "v_half_mv": -30.0}, {"selector": "*", "model": "lif", "v_half_mv": -40.0}
    )
    cells = cells_from_table(little_worm, dynamics, model={"*": "lif", "DB": "graded"})
    assert cells.model.tolist() == ["lif", "lif", "graded", "lif", "lif", "lif"]
    assert cells.v_half_mv.tolist() == [-40.0, -40.0, -30.0, -40.0, -40.0, -40.0]


def test_a_selector_may_name_a_transmitter_or_a_role(little_worm):
    assert members(little_worm, "transmitter:GABA") == ("DD1",)
    assert members(little_worm, "role:motor") == ("DB1", "DD1")
    with pytest.raises(UnknownNameError, match="did you mean 'GABA'"):
        members(little_worm, "transmitter:GABBA")
    with pytest.raises(UnknownNameError, match="no attribute 'transmiter'; did you mean 'transmitter'"):
        members(little_worm, "transmiter:GABA")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"selector": "DBB"}, "DB"),
        ({"selector": "*", "tau_ms": 3.0}, "unknown column 'tau_ms'; did you mean 'tau_m_ms'"),
        ({"selector": "*", "model": "grade"}, "no neuron model 'grade'; did you mean 'graded'"),
        ({"selektor": "*"}, "no column 'selector'"),
    ],
)
def test_an_unknown_name_in_the_table_raises_with_the_nearest(little_worm, row, message):
    with pytest.raises(UnknownNameError, match=message):
        cells_from_table(little_worm, table(row))


def test_a_field_that_is_no_number_names_row_and_column(little_worm):
    with pytest.raises(ValueError, match=r"dynamics row 2 \('DB'\), column tau_m_ms: 'slow' is not a finite number"):
        cells_from_table(little_worm, table({"selector": "*"}, {"selector": "DB", "tau_m_ms": "slow"}))


def test_parameters_that_make_no_cell_name_the_neuron(little_worm):
    with pytest.raises(ValueError, match=r"neuron 'DD1': Graded: slope_mv \(-1.0\) must be above 0"):
        cells_from_table(little_worm, table({"selector": "DD1", "slope_mv": -1.0}))


def test_selectors_of_ablated_neurons_are_known_to_the_reference_only(little_worm):
    ablated = little_worm.ablate("DB")
    dynamics = table({"selector": "DB", "tau_m_ms": 9.0}, {"selector": "DD", "tau_m_ms": 8.0})
    with pytest.raises(UnknownNameError, match="DB"):
        cells_from_table(ablated, dynamics)
    cells = cells_from_table(ablated, dynamics, reference=little_worm)
    assert "DB1" not in cells.names
    assert cells.tau_m_ms[cells.names.index("DD1")] == 8.0


# --- weights ----------------------------------------------------------------------------------------------------------


def test_with_normalisation_one_the_inputs_of_each_neuron_sum_to_the_gain(little_worm, cells):
    network = build_network(little_worm, cells, SynapseGains(chemical_mv=12.0, electrical=0.5))
    assert weight(network, "AL", "DB1") == pytest.approx(12.0 * 6 / 12)
    assert weight(network, "DD1", "DB1") == pytest.approx(-12.0 * 4 / 12)
    assert np.abs(network.chemical).sum(axis=1) == pytest.approx([12.0, 0.0, 12.0, 12.0, 0.0, 0.0])
    assert network.electrical.sum(axis=1) == pytest.approx([0.5, 0.5, 0.5, 0.0, 0.0, 0.0])


def test_with_normalisation_zero_a_weight_is_gain_times_count(little_worm, cells):
    gains = SynapseGains(chemical_mv=2.0, electrical=0.1, normalisation=0.0, normalisation_electrical=0.0)
    network = build_network(little_worm, cells, gains)
    assert weight(network, "AL", "DB1") == pytest.approx(12.0)
    assert weight(network, "AR", "AL", "electrical") == pytest.approx(0.3)


@given(st.floats(0.0, 1.0))
def test_normalisation_is_a_power_of_the_input_count(little_worm, exponent):
    gains = SynapseGains(chemical_mv=3.0, electrical=0.0, normalisation=exponent)
    network = build_network(little_worm, cells_from_table(little_worm, table({"selector": "*"})), gains)
    count = little_worm.matrix("chemical", signed=False).sum(axis=1)
    has_input = count > 0
    total = np.abs(network.chemical).sum(axis=1)
    np.testing.assert_allclose(total[has_input], 3.0 * count[has_input] ** (1.0 - exponent))


def test_ablation_with_a_reference_does_not_rescale_what_is_left(little_worm, cells):
    gains = SynapseGains(chemical_mv=12.0, electrical=0.5)
    intact = build_network(little_worm, cells, gains)
    ablated = little_worm.ablate("DD")
    rest = cells_from_table(ablated, table({"selector": "*"}))
    kept = build_network(ablated, rest, gains, reference=little_worm)
    assert weight(kept, "AL", "DB1") == weight(intact, "AL", "DB1")
    assert weight(build_network(ablated, rest, gains), "AL", "DB1") > weight(intact, "AL", "DB1")


def test_a_reference_that_lacks_an_input_is_refused(little_worm, cells):
    with pytest.raises(ValueError, match="reference connectome has no chemical input to 'DB1'"):
        build_network(
            little_worm, cells, SynapseGains(chemical_mv=1.0, electrical=0.0), reference=little_worm.ablate("DB")
        )


def test_unknown_signs_take_the_sign_they_are_given_or_are_left_out(little_worm, cells):
    for sign, expected in ((1.0, 9.0), (-1.0, -9.0), (0.0, 0.0)):
        network = build_network(little_worm, cells, SynapseGains(chemical_mv=12.0, electrical=0.0, unknown_sign=sign))
        assert weight(network, "PVT", "AL") == pytest.approx(expected)


def test_overrides_apply_in_order_to_the_synapses_they_name(little_worm, cells):
    overrides = rules(
        ("A", "DB", "chemical", 2.0, ""),
        ("AL", "DB1", "chemical", 0.5, -1),
        ("transmitter:GABA", "*", "chemical", 3.0, ""),
        ("PVT", "*", "chemical", 1.0, -1.0),
    )
    plain = build_network(little_worm, cells, SynapseGains(chemical_mv=12.0, electrical=0.5))
    network = build_network(little_worm, cells, SynapseGains(chemical_mv=12.0, electrical=0.5, overrides=overrides))
    ratio = {
        pair: weight(network, *pair) / weight(plain, *pair) for pair in [("AL", "DB1"), ("AR", "DB1"), ("DD1", "DB1")]
    }
    assert ratio == pytest.approx({("AL", "DB1"): -1.0, ("AR", "DB1"): 2.0, ("DD1", "DB1"): 3.0})
    assert weight(network, "PVT", "AL") == pytest.approx(-9.0)
    assert (network.electrical != plain.electrical).nnz == 0


def test_a_gap_junction_rectifies_where_one_direction_is_switched_off(little_worm, cells):
    gains = SynapseGains(chemical_mv=0.0, electrical=0.5, overrides=rules(("DB1", "AL", "electrical", 0.0, "")))
    network = build_network(little_worm, cells, gains)
    assert weight(network, "DB1", "AL", "electrical") == 0.0
    assert weight(network, "AL", "DB1", "electrical") > 0.0


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (("AL", "DB", "chemicall", 1.0, ""), UnknownNameError, r"row 1 \('AL' to 'DB'\).*did you mean 'chemical'"),
        (("AL", "DB", "modulatory", 1.0, ""), UnknownNameError, "no synapse kind 'modulatory'"),
        (("AL", "ZZZ", "chemical", 1.0, ""), UnknownNameError, "ZZZ"),
        (("AL", "DB", "chemical", "much", ""), ValueError, "column factor: 'much' is not a finite number"),
        (("AL", "DB1", "electrical", -1.0, ""), ValueError, "electrical synapse has no sign"),
    ],
)
def test_a_bad_override_is_refused(little_worm, cells, row, error, message):
    with pytest.raises(error, match=message):
        build_network(little_worm, cells, SynapseGains(chemical_mv=1.0, electrical=0.5, overrides=rules(row)))


def test_modulatory_edges_are_not_in_the_fast_network(little_worm, cells):
    network = build_network(little_worm, cells, SynapseGains(chemical_mv=1.0, electrical=1.0))
    assert weight(network, "ALM", "AR") == 0.0
    assert weight(network, "ALM", "AR", "electrical") == 0.0


def test_a_step_too_long_for_euler_names_the_neuron_and_the_step_it_needs(little_worm):
    cells = cells_from_table(
        little_worm, table({"selector": "*", "tau_m_ms": 50.0}, {"selector": "AL", "tau_m_ms": 3.0})
    )
    with pytest.raises(
        ValueError, match=r"neuron 'AL': tau_m_ms \(3.0 ms\).* 4 times the leak need dt_ms below 0.6 ms"
    ):
        build_network(little_worm, cells, SynapseGains(chemical_mv=1.0, electrical=4.0))
    build_network(little_worm, cells, SynapseGains(chemical_mv=1.0, electrical=4.0), dt_ms=0.5)


def test_cells_of_another_connectome_are_refused(little_worm, cells):
    with pytest.raises(ValueError, match=r"cells \(6\) and connectome \(5 neurons\)"):
        build_network(little_worm.ablate("DB"), cells, SynapseGains(chemical_mv=1.0, electrical=0.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"chemical_mv": -1.0, "electrical": 0.0}, r"chemical_mv \(-1.0\)"),
        ({"chemical_mv": 1.0, "electrical": float("inf")}, r"electrical \(inf\)"),
        (
            {"chemical_mv": 1.0, "electrical": 0.0, "normalisation": 1.5},
            r"normalisation \(1.5\) must be between 0 and 1",
        ),
        ({"chemical_mv": 1.0, "electrical": 0.0, "unknown_sign": 2.0}, r"unknown_sign \(2.0\)"),
    ],
)
def test_gains_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        SynapseGains(**values)


def test_a_network_refuses_matrices_no_engine_can_run(cells):
    none = csr_array((6, 6))
    negative = csr_array(([-1.0], ([0], [1])), shape=(6, 6))
    with pytest.raises(ValueError, match=r"chemical must have shape \(6, 6\), got \(5, 5\)"):
        Network(cells=cells, chemical=csr_array((5, 5)), electrical=none)
    with pytest.raises(ValueError, match="negative conductance"):
        Network(cells=cells, chemical=none, electrical=negative)
    with pytest.raises(ValueError, match="not finite"):
        Network(cells=cells, chemical=negative * np.nan, electrical=none)
    with pytest.raises(ValueError, match="dt_ms"):
        Network(cells=cells, chemical=none, electrical=none, dt_ms=0.0)


def test_the_whole_worm_becomes_a_network():
    connectome = worm()
    cells = cells_from_table(connectome, table({"selector": "*"}))
    network = build_network(connectome, cells, SynapseGains(chemical_mv=10.0, electrical=1.0))
    assert network.n == 302
    assert network.chemical.nnz == 3709
    assert network.electrical.nnz == 2196 - 14  # a gap junction of a cell with itself carries no current
