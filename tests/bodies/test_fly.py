"""The fly's body against published figures and plain mechanics."""

import csv
import json
from pathlib import Path

import mujoco
import numpy as np
import pytest

import animat.bodies.fly_tables
from animat.bodies.fly import FlyBody, fly
from animat.bodies.fly_leg import leg_geometry
from animat.bodies.fly_medium import FLUIDS, Fluid
from animat.bodies.fly_spec import GRIP, PARTS
from animat.bodies.fly_tables import LEG_JOINTS, LEGS, leg_segment, neutral_angles, table
from animat.registry import UnknownNameError
from animat.scripts.bench_fly import Tripod, random_actions, reader_share, walk

WEIGHT = 9.81  # uN, of 1 mg

# walking excursions of NeuroMechFly's single step, deg (flygym single_steps_untethered), by our joint and pair
EXCURSIONS = {
    "coxa_promotion": {"F": (9, 41), "M": (-11, 23), "H": (15, 43)},  # ThC pitch
    "trochanter_extension": {"F": (-157, -100), "M": (-98, -63), "H": (-121, -79)},  # CTr
    "tibia_extension": {"F": (73, 124), "M": (106, 127), "H": (70, 133)},  # FTi
}
PUBLISHED = {  # our joint: NeuroMechFly's angle and the sign with which it grows
    "coxa_promotion": ("pitch", -1),
    "trochanter_extension": ("trochanter", 1),
    "tibia_extension": ("tibia", -1),
}


@pytest.fixture(scope="module")
def body() -> FlyBody:
    return fly()


@pytest.fixture(scope="module")
def weightless() -> FlyBody:
    body = fly(medium="vacuum", floor=False)
    body.model.opt.gravity[:] = 0
    return body


def standing(body: FlyBody, seed: int = 0) -> mujoco.MjData:
    data = body.new_data()
    body.reset(data, np.random.default_rng(seed))
    return data


def run(body: FlyBody, data: mujoco.MjData, seconds: float, **excitations: float) -> mujoco.MjData:
    for name, value in excitations.items():
        data.actuator(name).ctrl = value
    mujoco.mj_step(body.model, data, round(seconds / body.model.opt.timestep))
    return data


# mass, air, gravity


def test_the_fly_weighs_1_mg_of_which_each_part_is_as_published(body: FlyBody) -> None:
    masses = {body.model.body(k).name: 1e3 * body.model.body_mass[k] for k in range(body.model.nbody)}
    assert sum(masses.values()) == pytest.approx(0.99978, rel=1e-3)  # mg, NeuroMechFly
    legs = [sum(mass for name, mass in masses.items() if name.startswith(leg)) for leg in LEGS]
    assert all(0.0130 < mass < 0.0168 for mass in legs)
    assert (masses["abdomen"], masses["wing_L"]) == (pytest.approx(0.450, rel=0.01), pytest.approx(0.0025))


def test_its_feet_carry_its_weight_of_9_8_uN(body: FlyBody) -> None:
    data = run(body, standing(body), 0.2)
    assert body.contacts(data).sum() == pytest.approx(WEIGHT, rel=0.01)
    assert (body.contacts(data) > 0.2).all()


def test_a_fly_falls_as_everything_does_in_a_vacuum() -> None:
    body = fly(medium="vacuum", floor=False)
    data = standing(body)
    start = data.subtree_com[1, 2]
    run(body, data, 0.1)
    mujoco.mj_forward(body.model, data)
    assert start - data.subtree_com[1, 2] == pytest.approx(0.5 * 9810 * 0.1**2, rel=0.01)  # mm


def test_air_slows_the_fall_a_little_and_water_nearly_stops_it() -> None:
    def fallen(medium: str) -> float:
        body = fly(medium=medium, floor=False)
        data = standing(body)
        height = data.qpos[2]
        return float(height - run(body, data, 0.1).qpos[2])

    vacuum, air, water = (fallen(medium) for medium in ("vacuum", "air", "water"))
    assert 0.5 * vacuum < air < 0.99 * vacuum
    assert water < 0.2 * vacuum


def test_air_is_833_times_thinner_than_water_and_55_times_less_viscous(body: FlyBody) -> None:
    air, water = FLUIDS["air"], FLUIDS["water"]
    assert (body.model.opt.density, body.model.opt.viscosity) == (air.density, air.viscosity)
    assert air.density * 1e9 == pytest.approx(1.2e3)  # g/m^3
    assert air.viscosity == pytest.approx(1.8e-5)  # Pa s, which is g/(mm s)
    assert water.density / air.density == pytest.approx(833, rel=0.01)
    assert water.viscosity / air.viscosity == pytest.approx(55, rel=0.02)


# shape


def test_legs_have_the_published_lengths_in_the_neutral_pose(body: FlyBody) -> None:
    data = body.new_data()
    mujoco.mj_kinematics(body.model, data)
    for leg in LEGS:
        places = [data.body(f"{leg}_{segment}").xpos for segment in ("coxa", "femur", "tibia", "tarsus", "claw")]
        lengths = np.linalg.norm(np.diff([*places, data.site(f"{leg}_tip").xpos], axis=0), axis=1)
        names = ("coxa", "femur", "tibia", "tarsus", "claw")
        assert lengths == pytest.approx([leg_segment(leg[1], name)[0] for name in names])
    assert leg_segment("M", "femur")[0] == 0.784  # mm, NeuroMechFly


@pytest.mark.parametrize("pair", "FMH")
def test_right_legs_mirror_left_ones(body: FlyBody, pair: str) -> None:
    data, angles = body.new_data(), np.random.default_rng(0).uniform(-0.4, 0.4, 7)
    for side in "LR":
        for joint, angle in zip(LEG_JOINTS, angles, strict=True):
            data.joint(f"{side}{pair}_{joint}").qpos[0] = angle
    mujoco.mj_kinematics(body.model, data)
    left, right = (data.site(f"{side}{pair}_tip").xpos for side in "LR")
    assert left * [1, -1, 1] == pytest.approx(right)


def test_it_has_seven_driven_joints_a_leg_and_a_passive_tarsus(body: FlyBody) -> None:
    assert body.model.nv == 6 + 6 * 8 + 2 * 3 + 3 + 2 + 2 + 1
    assert fly(parts=()).model.nv == 6 + 6 * 7
    assert sum(name.startswith("LF_") for name in body.effectors) == 2 * 7 + 1


def test_the_foot_moves_the_way_the_joint_is_called(body: FlyBody) -> None:
    def shift(leg: str, joint: str) -> np.ndarray:
        data = body.new_data()
        data.joint(f"{leg}_{joint}").qpos[0] = 0.05
        mujoco.mj_kinematics(body.model, data)
        moved = body.feet(data)[LEGS.index(leg)]
        return (moved - leg_geometry(leg).points[-1] - data.body("thorax").xpos + thorax) * outwards(leg)

    thorax = animat.bodies.fly_tables.attachment("thorax")
    for leg in LEGS:
        assert shift(leg, "coxa_promotion")[0] > 0.04  # forward
        assert shift(leg, "coxa_abduction")[[1, 2]].min() > 0.02  # out and up
        assert shift(leg, "trochanter_extension")[2] < -0.04  # down
        assert shift(leg, "tibia_extension")[[1, 2]].min() > 0.02  # out and up
        assert shift(leg, "tarsus_depression")[2] < -0.01  # down


def outwards(leg: str) -> np.ndarray:
    return np.array([1, 1 if leg[0] == "L" else -1, 1])


# muscles


def test_every_driven_joint_has_two_antagonists() -> None:
    rows = table("muscles")
    for joint in {row["joint"] for row in rows}:
        assert sorted(row["sign"] for row in rows if row["joint"] == joint) == ["-1", "1"]


def test_each_muscle_moves_its_own_joint_its_own_way(weightless: FlyBody) -> None:
    joints = {(row["group"], row["muscle"]): (row["joint"], int(row["sign"])) for row in table("muscles")}
    prefixes = {"leg": tuple(f"{leg}_" for leg in LEGS), "midline": ("",), "side": ("L_", "R_")}
    for (group, muscle), (joint, sign) in joints.items():
        for prefix in prefixes[group]:
            data = run(weightless, weightless.new_data(), 0.02, **{f"{prefix}{muscle}": 0.3})
            assert sign * data.joint(f"{prefix}{joint}").qpos[0] > 0.01, f"{prefix}{muscle}"


@pytest.mark.parametrize("joint", sorted(EXCURSIONS))
@pytest.mark.parametrize("leg", ["LF", "RM", "LH"])
def test_one_muscle_alone_spans_most_of_the_walking_excursion(weightless: FlyBody, leg: str, joint: str) -> None:
    angle, sign = PUBLISHED[joint]
    ends = sign * (np.deg2rad(EXCURSIONS[joint][leg[1]]) - neutral_angles(leg[1])[angle])
    for row in table("muscles"):
        if row["joint"] == joint:
            data = run(weightless, weightless.new_data(), 0.08, **{f"{leg}_{row['muscle']}": 1.0})
            reach = int(row["sign"]) * data.joint(f"{leg}_{joint}").qpos[0]
            assert reach > 0.8 * (int(row["sign"]) * ends).max()


def test_co_contraction_moves_nothing_but_stiffens(body: FlyBody) -> None:
    def sag(**excitations: float) -> float:
        return float(neutral - run(body, standing(body), 0.2, **excitations).qpos[2])

    neutral = 1.2  # mm, any height above it
    both = {f"{leg}_trochanter_{way}": 1.0 for leg in LEGS for way in ("extensor", "flexor")}
    assert 0.005 < sag() - sag(**both) < 0.05
    one = run(body, standing(body), 0.2, LF_tibia_extensor=1.0)
    two = run(body, standing(body), 0.2, LF_tibia_extensor=1.0, LF_tibia_flexor=1.0)
    assert abs(two.joint("LF_tibia_extension").qpos[0]) < 0.1 * one.joint("LF_tibia_extension").qpos[0]


def test_activation_follows_excitation_with_10_ms_in_muscles_and_claws(body: FlyBody) -> None:
    data = standing(body)
    data.ctrl[body.effector_ids] = 1.0
    mujoco.mj_step(body.model, data, 20)
    assert data.act[body.activation_ids] == pytest.approx(1 - np.exp(-1), rel=1e-3)


def test_extending_trochanters_lifts_the_body_against_its_weight(body: FlyBody) -> None:
    rest = run(body, standing(body), 0.2).qpos[2]
    up = run(body, standing(body), 0.2, **{f"{leg}_trochanter_extensor": 0.5 for leg in LEGS}).qpos[2]
    assert up > rest + 0.2  # mm


def test_a_fly_hangs_from_the_ceiling_by_its_claws_and_falls_without(body: FlyBody) -> None:
    def height(grip: float) -> float:
        data = run(body, standing(body), 0.1, **{f"{leg}_claw_grip": grip for leg in LEGS})
        body.model.opt.gravity[2] = 9810
        run(body, data, 0.2)
        body.model.opt.gravity[2] = -9810
        return float(data.qpos[2])

    assert height(1.0) < 1.6
    assert height(0.0) > 50


def test_the_grip_presses_the_foot_on_the_floor_but_loads_no_leg(body: FlyBody) -> None:
    senses = Senses(body, run(body, standing(body), 0.2))
    gripping = Senses(body, run(body, standing(body), 0.2, LM_claw_grip=1.0))
    assert body.contacts(gripping.data)[1] - body.contacts(senses.data)[1] == pytest.approx(GRIP, rel=0.1)
    assert gripping["LM_load"] == pytest.approx(senses["LM_load"], abs=0.5)


# standing, walking, not breaking


def test_it_stands_on_six_feet_with_all_muscles_off(body: FlyBody) -> None:
    data = standing(body)
    start = data.qpos[:7].copy()
    run(body, data, 1.0)
    assert np.abs(data.qpos[:7] - start).max() < 0.03
    assert data.xmat[body.model.body("thorax").id].reshape(3, 3)[2, 2] > 0.99
    touching = {body.model.geom(geom).name for contact in data.contact for geom in contact.geom}
    assert touching == {"floor", *(f"{leg}_foot" for leg in LEGS)}


def test_without_tone_it_falls_as_a_fly_does_whose_motor_neurons_are_silenced() -> None:
    limp = fly(tone=0.0)
    data = standing(limp)
    touching = {limp.model.geom(geom).name for contact in data.contact for geom in contact.geom}
    assert {"thorax", "abdomen"} & touching


@pytest.fixture(scope="module")
def track(body: FlyBody):
    return walk(body, 0.7, Tripod())


def test_open_loop_excitation_of_its_muscles_walks_it_upright_at_real_speed(track) -> None:
    assert 5 < track.speed_mm_s < 30
    assert track.upright > 0.98


def test_the_default_step_walks_as_0_1_ms_does(track) -> None:
    fine = walk(fly(timestep_s=1e-4), 0.7, Tripod())
    assert track.speed_mm_s == pytest.approx(fine.speed_mm_s, rel=0.05)


def test_a_longer_stride_walks_faster_and_a_reversed_one_backward(body: FlyBody, track) -> None:
    assert walk(body, 0.5, Tripod(stride_mm=1.4)).speed_mm_s > 1.2 * track.speed_mm_s
    assert walk(body, 0.5, Tripod(stride_mm=-1.0)).speed_mm_s < -5


def test_random_full_range_actions_do_not_blow_it_up() -> None:
    steps, fastest = random_actions(600, seed=1)
    assert steps == 600
    assert fastest < 1000  # mm/s or rad/s


@pytest.mark.slow
def test_10_000_random_full_range_actions_do_not_blow_it_up() -> None:
    steps, fastest = random_actions(10_000)
    assert steps == 10_000
    assert fastest < 1000


# senses


class Senses:
    """What a state feels like, by name of the channel."""

    def __init__(self, body: FlyBody, data: mujoco.MjData) -> None:
        self.data = data
        names = [name for group in body.channels.values() for name in group]
        self.vector = np.full(len(names), 7.0, np.float32)
        self.posture = body.reader(data)(self.vector)
        self.at = {name: k for k, name in enumerate(names)}

    def __getitem__(self, name: str) -> float:
        return float(self.vector[self.at[name]])


def test_channels_are_unique_and_those_of_the_world_are_left_alone(body: FlyBody) -> None:
    senses = Senses(body, standing(body))
    assert len(senses.at) == len(senses.vector) == 2 * 42 + 6 + 6 + 6 + 4 + 21 + 4 + 2 * 721
    world = [name for group in ("taste", "olfaction", "vision") for name in body.channels[group]]
    assert {senses[name] for name in world} == {7.0}
    assert set(body.bounds) == set(body.units) == set(body.channels)


def test_proprioception_is_the_angle_and_velocity_of_every_leg_joint(body: FlyBody) -> None:
    data = standing(body)
    rng = np.random.default_rng(0)
    data.qpos[7:] += rng.normal(0, 0.1, body.model.nq - 7)
    data.qvel[:] = rng.normal(0, 1, body.model.nv)
    senses = Senses(body, data)
    for leg in LEGS:
        for joint in LEG_JOINTS:
            state = data.joint(f"{leg}_{joint}")
            assert senses[f"{leg}_{joint}_angle"] == pytest.approx(state.qpos[0])
            assert senses[f"{leg}_{joint}_velocity"] == pytest.approx(state.qvel[0])


def test_touch_and_load_belong_to_legs_on_the_floor(body: FlyBody) -> None:
    lifted = {"LM_trochanter_flexor": 0.7, "LM_coxa_abductor": 0.5}
    senses = Senses(body, run(body, standing(body), 0.2, **lifted))
    assert (senses["LM_touch"], senses["LM_load"]) == (0.0, 0.0)
    assert [senses[f"{leg}_touch"] for leg in LEGS if leg != "LM"] == [1.0] * 5
    assert sum(senses[f"{leg}_load"] for leg in LEGS) == pytest.approx(WEIGHT, rel=0.02)


def test_balance_is_the_spin_in_the_frame_of_thorax_and_head(body: FlyBody) -> None:
    data = standing(body)
    body.turn(data, 1.0)
    data.qvel[3:6] = 1.0, 2.0, 3.0
    data.joint("head_yaw").qvel[0] = 5.0
    mujoco.mj_forward(body.model, data)
    senses, spin = Senses(body, data), np.empty(6)
    assert [senses[f"thorax_spin_{axis}"] for axis in "xyz"] == pytest.approx([1.0, 2.0, 3.0], rel=1e-4)
    head = body.model.body("head").id
    mujoco.mj_objectVelocity(body.model, data, mujoco.mjtObj.mjOBJ_XBODY, head, spin, 1)
    assert [senses[f"head_spin_{axis}"] for axis in "xyz"] == pytest.approx(spin[:3].tolist(), rel=1e-4)
    assert spin[2] > 7


def test_wind_from_the_left_is_felt_by_the_left_antenna(body: FlyBody) -> None:
    data = standing(body)
    body.turn(data, np.pi / 2)  # it looks along +y, so its left is -x
    body.model.opt.wind[:] = 1000 * np.sqrt(0.5), -1000 * np.sqrt(0.5), 0
    try:
        run(body, data, 0.05)
        senses = Senses(body, data)
    finally:
        body.model.opt.wind[:] = 0
    assert senses["antenna_L_wind"] == pytest.approx(1000, rel=0.02)  # mm/s
    assert senses["antenna_R_wind"] == pytest.approx(0, abs=50)
    assert senses["antenna_L_deflection"] > Senses(body, standing(body))["antenna_L_deflection"]


def test_moving_and_turning_the_head_is_felt_as_wind(body: FlyBody) -> None:
    data, velocity = standing(body), np.empty(6)
    data.qvel[:6] = 20.0, 0.0, 0.0, 0.0, 3.0, 9.0
    mujoco.mj_forward(body.model, data)
    senses, head = Senses(body, data), body.model.body("head").id
    mujoco.mj_objectVelocity(body.model, data, mujoco.mjtObj.mjOBJ_XBODY, head, velocity, 1)
    _, _, _, ahead, left, _ = velocity
    assert senses["antenna_L_wind"] == pytest.approx((ahead + left) * np.sqrt(0.5), rel=1e-4)
    assert senses["antenna_R_wind"] == pytest.approx((ahead - left) * np.sqrt(0.5), rel=1e-4)
    assert ahead == pytest.approx(20, rel=0.2)
    assert left > 3  # the head swings to the left, against the air there


def test_posture_is_the_centre_of_mass_and_the_heading(body: FlyBody) -> None:
    data = standing(body)
    body.turn(data, np.pi / 2)
    posture = Senses(body, data).posture
    assert posture[:3] == pytest.approx(data.subtree_com[1])
    assert posture[3:6] == pytest.approx([0, 1, 0], abs=0.1)
    assert posture[6] == pytest.approx((data.qpos**2).sum())


def test_organs_are_where_the_animal_has_them(body: FlyBody) -> None:
    data = standing(body)
    assert body.organ(data, "taste_RH_sugar") == pytest.approx(body.feet(data)[5])
    assert body.organ(data, "odour_antenna_L")[1] > body.organ(data, "odour_antenna_R")[1]
    assert body.organ(data, "taste_proboscis_water")[2] < body.organ(data, "odour_palp_L")[2]
    with pytest.raises(UnknownNameError, match="no organ for 'taste_LF_suger'; did you mean 'taste_LF_sugar'"):
        body.organ(data, "taste_LF_suger")


def test_extending_the_proboscis_brings_its_tip_near_the_floor(body: FlyBody) -> None:
    rest = body.organ(standing(body), "taste_proboscis_sugar")
    out = {"rostrum_extensor": 1.0, "haustellum_extensor": 1.0, "head_pitch_down": 1.0}
    tip = body.organ(run(body, standing(body), 0.2, **out), "taste_proboscis_sugar")
    assert tip[2] < rest[2] - 0.15
    assert tip[2] < 0.35  # mm above the floor


def test_reading_all_senses_costs_under_a_tenth_of_the_physics() -> None:
    assert reader_share(repeats=3, calls=500) < 0.1


# reset, options, errors


def test_reset_is_a_function_of_the_generator(body: FlyBody) -> None:
    one, same, other = (standing(body, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.qpos, same.qpos)
    assert not np.array_equal(one.qpos, other.qpos)
    assert (one.time, np.abs(one.qvel).max()) == (0.0, 0.0)


def test_turn_goes_round_the_origin(body: FlyBody) -> None:
    data = standing(body)
    before = body.centreline(data)
    body.turn(data, np.pi / 2)
    assert body.centreline(data) == pytest.approx(before[:, [1, 0, 2]] * [-1, 1, 1], abs=1e-9)
    assert body.nose(data) == pytest.approx(body.centreline(data)[0])


def test_a_fly_on_its_back_has_fallen(body: FlyBody) -> None:
    data = standing(body)
    assert not body.fallen(data)
    data.qpos[3:7] = 0, 1, 0, 0
    mujoco.mj_forward(body.model, data)
    assert body.fallen(data)


def test_its_options_as_json_build_the_same_body_again() -> None:
    first = fly(medium="water", parts=("wings", "head"), tone=0.5, timestep_s=2e-4)
    again = fly(**json.loads(json.dumps(first.options)))
    assert again.options == first.options
    assert again.effectors == first.effectors
    assert np.array_equal(again.model.body_inertia, first.model.body_inertia)


def test_parts_that_do_not_move_still_weigh() -> None:
    stiff = fly(parts=())
    assert stiff.model.body_mass.sum() == pytest.approx(fly(parts=PARTS).model.body_mass.sum())
    assert Senses(stiff, standing(stiff))["antenna_L_deflection"] == 0.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fly(medium="watr"), "no medium 'watr' for the fly; did you mean 'water'"),
        (lambda: fly(parts=("wing",)), "no part 'wing'; did you mean 'wings'"),
        (lambda: fly(tone=-1), r"tone \(-1\)"),
        (lambda: fly(timestep_s=0.01), r"timestep_s \(0.01 s\)"),
        (lambda: Fluid(name="x", density=-1, viscosity=0), r"density \(-1 g/mm\^3\)"),
    ],
)
def test_impossible_bodies_are_refused(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_every_number_in_the_tables_has_a_provenance_and_a_source() -> None:
    tables = sorted((Path(animat.bodies.fly_tables.__file__).parent / "data").glob("fly_*.csv"))
    assert len(tables) >= 6
    for path in tables:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                assert row["provenance"] in ("measured", "derived", "published", "assumed"), path.name
                assert row["source"], path.name
