"""Sensory and effector maps: what a table says is what the neurons and muscles get."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.brains.connectome import Connectome, Source
from animat.organisms.maps import EffectorMap, SensoryMap, channel_members
from animat.registry import UnknownNameError

CHANNELS = ("touch_01", "touch_02", "touch_03", "salt")
DT_S = 0.01
SENSES = "channel,neuron,gain,unit,encoding,delay_s,provenance,source\n"
MUSCLES = "effector,neuron,weight,sign,provenance,source\n"


@pytest.fixture(scope="module")
def connectome() -> Connectome:
    neurons = pd.DataFrame(
        {
            "name": ["AL", "AR", "B", "C"],
            "type": ["A", "A", "B", "C"],
            "role": ["sensory", "sensory", "inter", "motor"],
            "transmitter": "acetylcholine",
            "side": ["L", "R", "", ""],
            "x_um": 0.0,
            "y_um": 0.0,
            "z_um": 0.0,
        }
    )
    synapses = pd.DataFrame(
        {"pre": ["AL"], "post": ["B"], "kind": ["chemical"], "count": [2.0], "sign": [1], "provenance": ["measured"]}
    ).assign(sign_provenance="derived")
    return Connectome(neurons, synapses, Source(citation="made for a test", doi="", licence="CC0"))


def senses(tmp_path: Path, connectome: Connectome, *rows: str, names=None):
    path = tmp_path / "senses.csv"
    path.write_text(SENSES + "".join(row + "\n" for row in rows))
    return SensoryMap.from_csv(path).compile(names or connectome.names, CHANNELS, DT_S, connectome)


def test_a_range_is_the_mean_of_its_channels_and_a_type_is_all_its_neurons(tmp_path, connectome):
    drive = senses(tmp_path, connectome, "touch[01:03],A,2,mV/uN,linear,0,measured,x")
    assert drive(np.array([1.0, 2.0, 6.0, 9.0])).tolist() == [6.0, 6.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("encoding", "value", "expected"),
    [("linear", -2, -2), ("rectified", -2, 0), ("rectified", 2, 2), ("stretch", 1, 0.8), ("stretch", -1, -1.2)],
)
def test_encodings(tmp_path, connectome, encoding, value, expected):
    drive = senses(tmp_path, connectome, f"salt,B,1,mV,{encoding},0,measured,x")
    assert drive(np.array([0, 0, 0, value]))[2] == pytest.approx(expected)


def test_an_adapting_code_answers_a_step_and_forgets_it(tmp_path, connectome):
    drive = senses(
        tmp_path, connectome, "salt,AL,1,mV,adapting_on,0,measured,x", "salt,AR,1,mV,adapting_off,0,measured,x"
    )
    quiet = drive(np.array([0, 0, 0, 5.0]))
    rise = drive(np.array([0, 0, 0, 8.0]))
    for _ in range(5000):
        late = drive(np.array([0, 0, 0, 8.0]))
    fall = drive(np.array([0, 0, 0, 5.0]))
    assert quiet[:2].tolist() == [0.0, 0.0]
    assert rise[:2] == pytest.approx([3.0, 0.0])
    assert late[:2] == pytest.approx([0.0, 0.0], abs=1e-3)
    assert fall[:2] == pytest.approx([0.0, 3.0], abs=1e-3)


def test_a_delay_shows_a_value_that_many_steps_later(tmp_path, connectome):
    drive = senses(tmp_path, connectome, "salt,B,1,mV,linear,0.03,measured,x")
    seen = [drive(np.array([0, 0, 0, float(k)]))[2] for k in range(6)]
    assert seen == [0, 0, 0, 0, 1, 2]


def test_restoring_a_state_repeats_the_drive_exactly(tmp_path, connectome):
    rows = ("salt,AL,1,mV,adapting,0,measured,x", "salt,B,1,mV,linear,0.02,measured,x")
    drive, values = senses(tmp_path, connectome, *rows), np.random.default_rng(0).normal(size=(20, 4))
    for value in values[:10]:
        drive(value)
    state = drive.state
    first = [drive(value) for value in values[10:]]
    drive.restore(state)
    assert np.array_equal(first, [drive(value) for value in values[10:]])


def test_rows_of_ablated_neurons_drop_out(tmp_path, connectome):
    drive = senses(tmp_path, connectome, "salt,A,1,mV,linear,0,measured,x", names=("AR", "B", "C"))
    assert drive(np.array([0, 0, 0, 4.0])).tolist() == [4.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("slat,B,1,mV,linear,0,measured,x", UnknownNameError, "no channel 'slat'; did you mean 'salt'"),
        ("touch[01:04],B,1,mV,linear,0,measured,x", UnknownNameError, "no channel 'touch_04'"),
        ("touch[03:01],B,1,mV,linear,0,measured,x", ValueError, "runs backward"),
        ("salt,BB,1,mV,linear,0,measured,x", UnknownNameError, "'BB'"),
        ("salt,B,x,mV,linear,0,measured,x", ValueError, "senses.csv: row 1, column gain: 'x' is not finite"),
        ("salt,B,1,mV,linaer,0,measured,x", ValueError, "row 1, column encoding: no 'linaer'; did you mean 'linear'"),
        ("salt,B,1,mV,linear,0,guessed,x", ValueError, "row 1, column provenance: no 'guessed'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, connectome, row, error, message):
    with pytest.raises(error) as caught:
        senses(tmp_path, connectome, row)
    assert message in str(caught.value)


def muscles(tmp_path: Path, connectome: Connectome, *rows: str, names=None, gain=2.0):
    path = tmp_path / "effectors.csv"
    path.write_text(MUSCLES + "".join(row + "\n" for row in rows))
    return EffectorMap.from_csv(path, gain=gain).compile(names or connectome.names, ("M1", "M2"), connectome)


def test_an_effector_gets_the_signed_share_of_its_input(tmp_path, connectome):
    excite = muscles(tmp_path, connectome, "M1,B,3,1,measured,x", "M1,C,1,1,measured,x", "M1,AL,2,-1,measured,x")
    assert excite(np.array([0, 0, 0.5, 0])) == pytest.approx([0.75, 0.0])
    assert excite(np.array([1.0, 0, 0.5, 0])) == pytest.approx([0.0, 0.0])
    assert excite(np.ones(4)) == pytest.approx([1.0, 0.0])


def test_ablation_never_strengthens_what_is_left(tmp_path, connectome):
    rows = ("M1,B,3,1,measured,x", "M1,C,1,1,measured,x")
    whole = muscles(tmp_path, connectome, *rows)(np.array([0, 0, 0, 1.0]))
    without_b = muscles(tmp_path, connectome, *rows, names=("AL", "AR", "C"))(np.array([0, 0, 1.0]))
    assert without_b[0] == whole[0] == pytest.approx(0.5)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_excitation_stays_between_0_and_1(tmp_path_factory, connectome, release):
    folder = tmp_path_factory.mktemp("maps")
    excite = muscles(folder, connectome, "M1,B,3,1,measured,x", "M2,C,1,-1,measured,x", "M2,AL,1,0,assumed,x", gain=9.0)
    assert ((excite(np.array(release)) >= 0) & (excite(np.array(release)) <= 1)).all()


def test_unknown_effectors_and_neurons_are_refused(tmp_path, connectome):
    with pytest.raises(UnknownNameError, match="no effector 'M3'; known: 'M1', 'M2'"):
        muscles(tmp_path, connectome, "M3,B,1,1,measured,x")
    with pytest.raises(UnknownNameError, match="no neuron 'D'"):
        muscles(tmp_path, connectome, "M1,D,1,1,measured,x")
    with pytest.raises(ValueError, match=r"gain \(0\) must be finite and above 0"):
        muscles(tmp_path, connectome, gain=0)


def test_a_missing_table_or_column_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        SensoryMap.from_csv(tmp_path / "nowhere.csv")
    (tmp_path / "foreign.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"foreign\.csv: no column 'channel' among a, b"):
        SensoryMap.from_csv(tmp_path / "foreign.csv")


def test_a_plain_channel_is_itself():
    assert channel_members("salt", CHANNELS) == [3]
