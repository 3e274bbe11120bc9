"""Wind and odour in the fly's brain: where the wind comes from, and that odour alone or wind alone turns nothing."""

from functools import cache

import numpy as np
import pytest

from animat.organisms.audit import audit
from animat.organisms.fly import build
from animat.organisms.fly.smell import smelling
from animat.organisms.fly.wiring import table

WIND_MM_S = 100.0


@pytest.fixture(scope="module")
def fly():
    return build()


@cache
def brain_of(organism):
    return organism.brain()


def rates(organism, odour, wind_mm_s=0.0, from_deg=0.0, duration_s=2.0, **commands):
    """Rate of every neuron, Hz, in that odour and wind; `from_deg` counts from the nose to the left."""
    left, right = (wind_mm_s * np.cos(np.radians(from_deg - side)) for side in (45.0, -45.0))
    felt = {"antenna_L_wind": left, "antenna_R_wind": right}
    brain = brain_of(organism)
    brain.reset(0)
    drive, place = np.zeros(brain.n), {name: i for i, name in enumerate(brain.names)}
    for row in organism.sensory.table.to_dict("records"):
        value = odour if row["channel"].startswith("odour_") else felt.get(row["channel"], 0.0)
        value = max(-value if row["encoding"] == "rectified_off" else value, 0.0)
        if value and row["neuron"] in place:
            drive[place[row["neuron"]]] += row["gain"] * value
    for name, value in commands.items():
        drive[place[name]] += value
    return dict(zip(brain.names, np.round(brain.step(drive, duration_s).voltage, 6), strict=True))


def test_wind_from_the_left_front_pushes_the_left_antenna_and_from_the_right_back_pulls_it(fly):
    front, back = rates(fly, 0.0, WIND_MM_S, 45.0), rates(fly, 0.0, WIND_MM_S, -135.0)
    assert front["JO-E_L"] > 50
    assert front["JO-E_R"] == front["JO-C_L"] == front["JO-C_R"] == 0
    assert back["JO-C_L"] == front["JO-E_L"]
    assert back["JO-E_L"] == back["JO-E_R"] == back["JO-C_R"] == 0


def test_the_two_antennae_together_tell_the_side_of_the_wind(fly):
    for angle in (20.0, 90.0, 160.0):
        left, right = rates(fly, 0.0, WIND_MM_S, angle), rates(fly, 0.0, WIND_MM_S, -angle)
        assert left["WPN_L"] == pytest.approx(right["WPN_R"])
        assert left["WPN_L"] > 5
        assert left["WPN_R"] == right["WPN_L"] == 0
    ahead = rates(fly, 0.0, WIND_MM_S)
    assert ahead["JO-E_L"] == pytest.approx(ahead["JO-E_R"])
    assert ahead["JO-E_L"] > 20
    assert ahead["WPN_L"] == ahead["WPN_R"] == 0


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -90.0, 150.0])
def test_wind_without_odour_turns_nothing(fly, angle):
    found = rates(fly, 0.0, WIND_MM_S, angle)
    assert not any(found[f"{kind}_{side}"] for kind in ("upwind", "DNa02", "DNg100") for side in "LR")


@pytest.mark.parametrize("odour", [0.1, 0.5, 1.0])
def test_odour_without_wind_turns_nothing_and_speeds_the_walk(fly, odour):
    found, clean = rates(fly, odour, DNg100_L=250.0), rates(fly, 0.0, DNg100_L=250.0)
    assert not any(found[f"{kind}_{side}"] for kind in ("upwind", "DNa02") for side in "LR")
    assert found["odourON"] > 5
    assert found["DNg100_L"] > clean["DNg100_L"]


def test_odour_in_the_wind_turns_the_fly_to_where_it_comes_from(fly):
    for odour in (0.2, 0.5, 1.0):
        turns = []
        for angle in (-90.0, -45.0, 0.0, 45.0, 90.0):
            found = rates(fly, odour, WIND_MM_S, angle)
            turns.append(found["DNa02_L"] - found["DNa02_R"])
        assert np.all(np.diff(turns) > 0)
        assert turns[-1] > 10
        assert turns[2] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("lost", [("ORN",), ("JO-C", "JO-E"), ("WPN",), ("odourON",), ("upwind",)])
def test_it_takes_both_senses_and_every_cell_of_the_path(fly, lost):
    found = rates(fly.ablate(lost), 0.5, WIND_MM_S, 90.0)
    assert found["DNa02_L"] == found["DNa02_R"] == 0


def test_geosmin_gates_nothing(fly):
    found = rates(smelling(fly, "geosmin"), 0.5, WIND_MM_S, 90.0)
    assert found["PN_DA2_L"] > 10
    assert found["odourON"] == pytest.approx(0.0, abs=0.2)  # what is left of the voltage it starts with
    assert found["DNa02_L"] == 0


def test_the_memory_of_odour_has_the_published_time_constant(fly):
    dynamics = fly.dynamics.set_index("selector")
    assert float(dynamics.loc["odourON", "tau_m_ms"]) == 720  # 36 samples at 50 Hz, Alvarez-Salvado et al. 2018
    early, late = (rates(fly, 0.5, duration_s=seconds)["odourON"] for seconds in (0.72, 6.0))
    assert early / late == pytest.approx(1 - np.exp(-1), abs=0.05)  # less what the lobe takes to answer


def test_everything_between_the_senses_and_the_commands_is_called_assumed(fly):
    assert set(table("wind_synapses")["provenance"]) == {"assumed"}
    assert set(table("senses_wind")["provenance"]) == {"assumed"}
    kinds = table("wind_neurons").set_index("name")["provenance"]
    assert set(kinds[["odourON", "upwind_L", "upwind_R"]]) == {"assumed"}
    assert not audit(fly).unreached
