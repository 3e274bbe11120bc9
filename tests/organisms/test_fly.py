"""The fly's own wiring: what is measured is as published, what is assumed says so, and nothing in it is a clock."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animat.bodies.fly_tables import LEGS
from animat.organisms.fly import build, dynamics
from animat.organisms.fly.wiring import connectome, table

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "fly"


@pytest.fixture(scope="module")
def synapses():
    return connectome().synapses


def test_330_typed_motor_neurons_move_six_legs_as_in_the_male_nerve_cord():
    motor = table("motor_neurons")
    assert len(motor) == 330  # Marin et al. 2024, MANC v1.2.1
    count = motor.groupby(["type", "leg"]).size()
    assert [count[("Tr flexor MN", leg)] for leg in LEGS] == [8, 7, 5, 8, 7, 7]
    assert not set(motor["leg"][motor["pool"] == "promotor"]) - {"LF", "RF"}
    assert connectome().n == 10 + 6 + 18 + 228 + 2 + 9 + 6 * (9 + 21 + 7) + 330


def test_the_leg_rhythm_has_the_published_links_and_no_other(synapses):
    core = ["IN17A001", "INXXX466", "IN16B036"]
    inside = synapses[
        synapses["pre"].str.split("_").str[0].isin(core) & synapses["post"].str.split("_").str[0].isin(core)
    ]
    links = {(row["pre"][:-3], row["post"][:-3]): row["count"] * row["sign"] for row in inside.to_dict("records")}
    assert links == {
        ("IN17A001", "INXXX466"): 455.5,
        ("INXXX466", "IN16B036"): 74.2,
        ("IN16B036", "IN17A001"): -617.5,
    }
    assert set(inside["provenance"]) == {"measured"}
    assert len(inside) == 3 * 6


def test_each_dng100_drives_the_legs_of_the_other_side(synapses):
    driven = synapses[(synapses["pre"] == "DNg100_L") & synapses["post"].str.startswith("IN17A001")]
    assert sorted(driven["post"].str[-2:]) == ["RF", "RH", "RM"]


def test_premotor_groups_have_the_measured_synapses_and_only_the_measured_leg_says_so(synapses):
    rows = table("premotor")
    assert (
        rows["cells"].groupby([rows["sign"], rows["group"]]).first().sum() == 671
    )  # local and intersegmental, with a transmitter
    promotor = rows[(rows["sign"] == "excitatory") & (rows["group"] == "promotor") & (rows["pool"] == "promotor")]
    assert promotor["synapses"].item() == 2171
    pre = synapses[synapses["pre"].str.startswith("preE_promotor") & synapses["post"].str.startswith("Tergopleural")]
    assert set(pre["count"]) == {2171 / 4}
    by_leg = synapses[synapses["pre"].str.startswith("pre")].groupby(synapses["pre"].str[-2:])["provenance"].unique()
    assert {leg: list(kinds) for leg, kinds in by_leg.items()} == {
        leg: ["derived"] if leg == "LF" else ["assumed"] for leg in LEGS
    }


def test_what_the_rhythm_does_to_premotor_groups_how_legs_couple_and_every_reflex_is_called_assumed():
    for name in ("pattern", "coupling", "reflexes", "commands", "senses"):
        assert set(table(name)["provenance"]) == {"assumed"}


def test_left_and_right_legs_are_wired_alike(synapses):
    named = synapses.assign(leg=synapses["pre"].str.extract(r"_([LR][FMH])$")[0])
    sums = named.groupby("leg")["count"].sum()
    for pair in "FMH":  # but for the few motor neurons that are found on one side only
        assert sums[f"L{pair}"] == pytest.approx(sums[f"R{pair}"], rel=0.1)


def test_nothing_fires_by_itself_and_nothing_is_a_clock():
    rows = dynamics()
    assert "tonic_mv" not in rows.columns
    brain = build().brain()
    brain.reset(0)
    rates = [brain.step(np.zeros(brain.n), 0.05).voltage for _ in range(400)]  # 28 time constants of the slowest cell
    assert np.abs(rates[-1]).max() < 1e-6


def test_threshold_and_slope_grow_with_the_size_of_the_cell():
    rows = dynamics().set_index("selector")
    sized = rows[rows["slope_mv"] != ""]  # others have a row for their time constant
    ratio = pd.to_numeric(sized["slope_mv"]) / pd.to_numeric(sized["v_half_mv"])
    assert np.allclose(ratio, 200 / 7.5, rtol=1e-3)
    assert float(rows.loc["IN17A001", "v_half_mv"]) == pytest.approx(7.5 * 3939072421 / 666270409, rel=1e-3)


def test_parameters_of_a_cell_of_assumed_size_are_called_assumed():
    rows = dynamics().set_index("selector")["provenance"]
    assert rows["IN17A001"] == "derived"
    assert set(rows[["MDN", "back_IN17A001", "back_INXXX466", "back_relay"]]) == {"assumed"}


def test_the_table_of_effectors_is_what_its_script_makes():
    run = subprocess.run(
        [sys.executable, "-m", "animat.scripts.build_fly_maps", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.skipif(not DATA.is_dir(), reason="the published tables (../shared/data/fly) are not here")
def test_the_shipped_tables_are_what_the_published_ones_make():
    from animat.scripts import build_fly_tables as make

    for name, made in (
        ("motor_neurons", make.motor_neurons(DATA)),
        ("premotor", make.premotor(DATA)),
        ("sensory_neurons", make.sensory_neurons(DATA)),
    ):
        pd.testing.assert_frame_equal(
            made.reset_index(drop=True).astype(str), table(name).astype(str), check_dtype=False
        )
