"""The mouse's cord: its tables, and the rhythms, gaits and lesions of the published model."""

from functools import cache

import numpy as np
import pytest

from animat.envs.quadruped import Coordination, coordination
from animat.organisms.maps import EffectorMap
from animat.organisms.mouse import spinal
from animat.scripts.bench_mouse_spinal import OTHERS, cord, emg_correlations, motor_cycle, rhythm

V0V, V0 = ("V0V*",), ("V0V*", "V0D*")


@cache
def walk(drive: float, lost: tuple[str, ...] = ()) -> Coordination:
    found = rhythm(cord(lost), drive, settle_s=3.0, measure_s=3.0)
    assert found is not None
    return found


def test_the_cord_has_the_56_published_populations_and_84_connections_between_them():
    wiring = spinal.connectome().ablate(("command", *OTHERS))
    assert (wiring.n, len(wiring.synapses)) == (56, 84)
    assert (wiring.synapses["provenance"] == "published").all()
    kinds = wiring.neurons["type"].value_counts()
    assert kinds[["RG-F", "RG-E", "V0V", "V0D", "V3"]].tolist() == [4] * 5
    assert kinds[["V0D-diag", "Sh2-hom-fh"]].tolist() == [2] * 2


@pytest.mark.parametrize(
    ("pre", "post", "weight"),
    [
        ("In-F_LH", "RG-E_LH", -1.0),  # within a limb
        ("V0D_RF", "RG-F_LF", -0.07),  # across
        ("Sh2-hom-hf_L", "RG-F_LF", 0.125),  # from hind to fore
        ("V0D-diag_L", "RG-F_RH", -0.075),  # from fore to the crossed hind limb
        ("RG-F_LH", "V0D-diag_L", 0.0),  # which hind limbs do not drive
        ("V0D_LH", "RG-F_RF", 0.0),
        ("command_R", "V0V_RF", -0.15),
    ],
)
def test_rules_expand_to_the_right_limbs(pre, post, weight):
    wiring = spinal.connectome()
    assert wiring.matrix("chemical")[*wiring.index([post, pre])] == weight


def test_left_and_right_of_the_cord_are_mirror_images():
    wiring = spinal.connectome()
    other = {"L": "R", "R": "L"}
    mirrored = [f"{kind}_{other[place[0]]}{place[1:]}" for kind, place in (name.rsplit("_") for name in wiring.names)]
    order, weights = wiring.index(mirrored), wiring.matrix("chemical").toarray()
    np.testing.assert_array_equal(weights, weights[np.ix_(order, order)])


def test_the_walking_drive_gives_the_measured_frequency_and_duty_of_mice():
    found = walk(0.12)
    assert found.frequency_hz == pytest.approx(3.16, rel=0.05)
    assert found.duty == pytest.approx(0.669, abs=0.03)


GAITS = [(0.05, 2.19, "walk"), (0.12, 3.16, "walk"), (0.2, 4.16, "trot"), (0.8, 8.9, "trot"), (0.9, 10.05, "gallop")]


@pytest.mark.parametrize(("drive", "hz", "gait"), [*GAITS, (1.0, 10.7, "bound")])
def test_gaits_follow_each_other_with_drive(drive, hz, gait):
    found = walk(drive)
    assert found.gait == gait
    assert found.frequency_hz == pytest.approx(hz, rel=0.05)
    assert found.closeness > 0.95


@pytest.mark.parametrize("drive", [0.2, 0.4, 0.8])
def test_without_v0v_there_is_no_trot(drive):
    assert walk(drive, V0V).gait in ("gallop", "bound")


@pytest.mark.parametrize("drive", [0.05, 0.2, 0.8])
def test_without_v0v_and_v0d_left_and_right_step_together(drive):
    right_hind = walk(drive, V0).phases[0]
    assert min(right_hind, 1.0 - right_hind) < 0.025


def test_without_v3_the_gallop_is_lost():
    gallops = {(): 0, ("V3",): 0}
    for lost in gallops:
        for seed in range(4):
            found = rhythm(cord(lost, seed), 0.9, settle_s=4.0, measure_s=0.6)
            gallops[lost] += found is not None and found.gait == "gallop"
    assert gallops[()] >= 2  # at this drive the start decides between trot and gallop
    assert gallops["V3",] == 0


def test_without_v0d_the_slow_walk_is_lost_and_the_trot_kept():
    assert walk(0.05).frequency_hz < 2.3
    assert walk(0.05, ("V0D*",)).frequency_hz > 3.0
    assert walk(0.4, ("V0D*",)).gait == "trot"


def test_flexor_pools_are_active_when_the_measured_muscles_are_and_extensors_less_so():
    found = emg_correlations(spinal.brain(), 0.12)
    assert set(found) == {"ankle-flexor", "hip-flexor", "ankle-extensor", "knee-extensor"}
    assert found["ankle-flexor"] > 0.6
    assert min(found["hip-flexor"], found["ankle-extensor"]) > 0.2


@pytest.mark.parametrize("drive", [0.05, 0.2, 0.4])
def test_flexor_and_extensor_pools_of_a_joint_alternate_at_other_drives_too(drive):
    cycle = motor_cycle(spinal.brain(), drive, 2.0)
    for joint in ("hip", "knee", "ankle"):
        flexor, extensor = cycle[f"{joint}-flexor"], cycle[f"{joint}-extensor"]
        assert min(flexor.max(), extensor.max()) > 0.1
        assert np.corrcoef(flexor, extensor)[0, 1] < -0.3


def driven(selector: str, amount: float) -> Coordination:
    brain = spinal.brain()
    extra = amount * np.array([name.startswith(selector) for name in brain.names])
    command = spinal.command(brain.names, 0.12) + extra
    brain.step(command, 3.0)
    rows = [brain.names.index(f"RG-F_{limb}") for limb in spinal.LIMBS]
    active = np.array([brain.step(command, 0.001).release[rows] for _ in range(3000)]) > 0.1
    found = coordination(np.arange(3000) * 0.001, active)
    assert found is not None
    return found


def test_load_on_the_limbs_lengthens_stance_and_stretch_of_their_flexors_shortens_it():
    plain = walk(0.12)
    loaded, stretched = driven("load", 0.3), driven("limb-stretch", 0.3)
    stance = [found.duty / found.frequency_hz for found in (loaded, plain, stretched)]
    assert stance[0] > 1.05 * stance[1]
    assert stance[1] > 1.05 * stance[2]


def test_a_fall_to_one_side_excites_the_extensors_of_that_side_and_inhibits_those_of_the_other():
    names = spinal.brain().names
    outputs = []
    for roll in (0.0, 0.5):
        brain = spinal.brain()
        halted = np.array([name.startswith("halt") + roll * (name == "vestibular-roll_L") for name in names])
        outputs.append(brain.step(halted, 2.0).release)
    rise = dict(zip(names, outputs[1] - outputs[0], strict=True))
    assert min(rise[f"Mn-{pool}"] for pool in ("knee-extensor_LH", "ankle-extensor_LH", "elbow-extensor_LF")) > 0.05
    assert max(rise[f"Mn-{pool}"] for pool in ("knee-extensor_RH", "ankle-extensor_RH", "elbow-extensor_RF")) < -0.05
    assert abs(rise["Mn-hip-flexor_LH"]) < 1e-3


def test_every_motor_pool_has_a_muscle_and_every_limb_muscle_a_pool():
    rows = EffectorMap.from_csv(spinal.DATA / "effectors.csv", gain=1.0).table
    pools = [name for name in spinal.brain().names if name.startswith("Mn-")]
    assert sorted(rows["neuron"]) == sorted(pools)
    assert {"LH_hip_flexor", "RF_elbow_extensor"} <= set(rows["effector"])
    assert len(rows) == 2 * (9 + 8) + 12  # and both sides of spine and neck


def test_a_halt_command_stops_the_rhythm_and_leaves_the_limbs_in_extension():
    brain = spinal.brain()
    drive = spinal.command(brain.names, 0.12) + np.array([name.startswith("halt") for name in brain.names])
    brain.step(drive, 2.0)
    outputs = np.array([brain.step(drive, 0.01).release for _ in range(100)])
    flexors, extensors = ([brain.names.index(f"{kind}_{limb}") for limb in spinal.LIMBS] for kind in ("RG-F", "RG-E"))
    assert outputs[:, flexors].max() == 0.0
    assert outputs[:, extensors].min() > 0.1


def test_a_command_reaches_the_two_sides_by_name():
    names = spinal.brain().names
    drive = spinal.command(names, 0.1, 0.2)
    assert {names[k]: drive[k] for k in np.flatnonzero(drive)} == {"command_L": 0.1, "command_R": 0.2}


def test_fifty_spiking_cells_a_population_step_alike_at_the_walking_drive():
    brain = spinal.brain(spinal.connectome().ablate(OTHERS), cells=50)
    found = rhythm(brain, 0.12, settle_s=2.0, measure_s=3.0)
    assert found is not None
    assert found.frequency_hz == pytest.approx(3.16, rel=0.05)
    assert found.duty > 0.55
    assert 0.4 < found.phases[0] < 0.6
    assert found.closeness > 0.9
    assert brain.step(spinal.command(brain.names, 0.12), 0.3).spikes.sum() > 1000


def test_one_seed_is_one_rhythm_bit_for_bit_and_another_seed_another():
    ends = []
    for seed in (3, 3, 4):
        brain = spinal.brain(seed=seed)
        ends.append(brain.step(spinal.command(brain.names, 0.12), 1.0).voltage)
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()
