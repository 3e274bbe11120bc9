"""The mouse's body against measured figures and plain mechanics."""

import csv
import json
from pathlib import Path

import mujoco
import numpy as np
import pytest

import animat.bodies.mouse_tables
from animat.bodies.mouse import MouseBody, mouse
from animat.bodies.mouse_leg import leg_geometry
from animat.bodies.mouse_spec import PARTS
from animat.bodies.mouse_tables import LEGS, LIMBS, joint_row, leg_joints, place, table
from animat.bodies.pillars import Pillar
from animat.scripts.bench_mouse_body import random_actions, reader_share
from animat.scripts.bench_mouse_walk import ClockWalk, walk

WEIGHT_MN = 24.94 * 9.81  # mN
RANGES_DEG = {  # stac-mjx's skeleton: widths of its ranges (reference/mouse.md 1.2)
    "hip": 80,
    "hip_abduction": 60,
    "knee": 105,
    "ankle": 100,
    "shoulder": 90,
    "shoulder_abduction": 54,
    "elbow": 93,
    "wrist": 70,
}
CYCLE_DEG = {"hip": (61, 88), "knee": (45, 72), "ankle": (55, 109)}  # dannerlab, mean cycle of 266 strides


@pytest.fixture(scope="module")
def body() -> MouseBody:
    return mouse()


@pytest.fixture(scope="module")
def floating() -> MouseBody:
    body = mouse(floor=False)
    body.model.opt.gravity[:] = 0
    return body


def standing(body: MouseBody, seed: int = 0) -> mujoco.MjData:
    data = body.new_data()
    body.reset(data, np.random.default_rng(seed))
    return data


def run(body: MouseBody, data: mujoco.MjData, seconds: float) -> mujoco.MjData:
    mujoco.mj_step(body.model, data, round(seconds / body.model.opt.timestep))
    return data


def other_side(name: str) -> str:
    if name.endswith(("_left", "_right")):
        return name.replace("left", "@").replace("right", "left").replace("@", "right")
    return {"L": "R", "R": "L"}.get(name[0], name[0]) + name[1:] if name[:2] in LEGS else name


# mass, lengths, ranges, gravity


def test_a_mouse_weighs_25_g_with_the_shares_of_the_skeleton(body: MouseBody) -> None:
    masses = {body.model.body(k).name: body.model.body_mass[k] for k in range(body.model.nbody)}
    assert 22 < sum(masses.values()) < 30
    assert masses["head"] / sum(masses.values()) == pytest.approx(4.03 / 33, rel=0.1)
    assert masses["LH_thigh"] == pytest.approx(0.593 * 25 / 33, rel=0.01)
    assert masses["LH_shank"] == pytest.approx(0.670 * 25 / 33, rel=0.01)
    assert masses["LF_upper_arm"] == pytest.approx(0.246 * 25 / 33, rel=0.01)
    assert masses["LF_forearm"] == pytest.approx((0.139 + 0.061) * 25 / 33, rel=0.01)
    assert all(mass == masses[other_side(name)] for name, mass in masses.items())


def test_segments_and_girdles_have_the_measured_lengths(body: MouseBody) -> None:
    data = body.new_data()
    mujoco.mj_kinematics(body.model, data)
    for leg, expected in (("LH", (14.4, 16.8, 9.5)), ("RF", (14.3 * 0.69, 14.9 * 0.69))):
        names = [f"{leg}_{row['segment']}" for row in table("segments") if row["limb"] == LIMBS[leg[1]]]
        places = [data.body(name).xpos for name in names[: len(expected) + 1]]
        assert np.linalg.norm(np.diff(places, axis=0), axis=1) == pytest.approx(expected, rel=0.01)
    assert np.linalg.norm(place("crest") - place("hip")) == pytest.approx(8.55, rel=0.01)
    hip, shoulder = data.body("LH_thigh").xpos, data.body("LF_upper_arm").xpos
    scale = (25 / 33) ** (1 / 3)
    assert 2 * hip[1] == pytest.approx(11.4 * scale, rel=0.02)
    assert 2 * shoulder[1] == pytest.approx(13.7 * scale, rel=0.02)
    assert np.linalg.norm(shoulder - hip) == pytest.approx(55.4 * scale, rel=0.02)


def test_joints_have_the_published_ranges_and_reach_the_angles_of_walking(body: MouseBody) -> None:
    for leg in LEGS:
        for name in leg_joints(leg):
            joint = name[3:]
            low, high = np.degrees(body.model.joint(name).range)
            if joint in RANGES_DEG:
                assert high - low == pytest.approx(RANGES_DEG[joint])
            if joint in CYCLE_DEG:
                assert low < CYCLE_DEG[joint][0]
                assert high > CYCLE_DEG[joint][1]


def test_hip_knee_and_ankle_angles_are_those_a_camera_at_the_side_measures(body: MouseBody) -> None:
    points = leg_geometry("LH").points
    chain = np.vstack([place("crest"), points])
    measured = []
    for before, here, after in zip(chain[:-2], chain[1:-1], chain[2:], strict=True):
        one, two = before - here, after - here
        measured.append(np.degrees(np.arccos(one @ two / np.linalg.norm(one) / np.linalg.norm(two))))
    standing_deg = [float(joint_row(joint)["standing_deg"]) for joint in ("hip", "knee", "ankle")]
    assert measured[1:3] == pytest.approx(standing_deg[1:])
    assert measured[0] == pytest.approx(standing_deg[0], abs=2.5)  # the leg is tilted against the crest


def test_units_are_mm_g_s_a_mouse_falls_9_81_m_in_s_squared() -> None:
    body = mouse(medium="vacuum", floor=False)
    data = standing(body)
    start = data.subtree_com[1, 2]
    mujoco.mj_forward(body.model, run(body, data, 0.1))
    assert start - data.subtree_com[1, 2] == pytest.approx(0.5 * 9810 * 0.1**2, rel=0.02)  # mm


def test_water_slows_its_fall_and_air_is_left_out() -> None:
    def fallen(medium: str) -> float:
        body = mouse(medium=medium, floor=False)
        data = standing(body)
        height = data.qpos[2]
        return float(height - run(body, data, 0.1).qpos[2])

    assert fallen("water") < 0.9 * fallen("air")
    assert fallen("air") == fallen("vacuum")


# standing, falling, not breaking


def test_it_stands_at_the_measured_hip_height_on_constant_tone(body: MouseBody) -> None:
    data = standing(body)
    start = data.qpos[:7].copy()
    for _ in range(10):
        assert 22.7 <= body.hip_height(run(body, data, 0.2)) <= 25.3  # mm, dannerlab
    assert np.abs(data.qpos[:3] - start[:3]).max() < 0.3  # mm
    touching = {body.model.geom(geom).name for contact in data.contact for geom in contact.geom}
    assert touching == {"floor", "LH_toes", "RH_toes", "LF_digits", "RF_digits"}
    assert body.contacts(data).sum() / 1000 == pytest.approx(WEIGHT_MN, rel=0.01)
    assert (body.contacts(data) / 1000 > 0.15 * WEIGHT_MN).all()


def test_it_stands_from_every_start_and_after_a_push(body: MouseBody) -> None:
    for seed in range(5):
        data = standing(body, seed)
        data.qvel[:2] = np.random.default_rng(seed).normal(0, 60, 2)  # mm/s
        run(body, data, 0.5)
        assert 22.0 < body.hip_height(data) < 25.3
        assert data.xmat[1, 8] > 0.99


def test_with_muscles_off_it_collapses(body: MouseBody) -> None:
    data = standing(body)
    data.ctrl[:] = 0
    assert body.hip_height(run(body, data, 1.0)) < 14  # mm
    touching = {body.model.geom(geom).name for contact in data.contact for geom in contact.geom}
    assert {"thorax", "pelvis"} & touching


def test_random_full_range_actions_do_not_blow_it_up() -> None:
    steps, fastest, highest = random_actions(1000, seed=1)
    assert steps == 1000
    assert fastest < 1000  # mm/s or rad/s
    assert highest < 60  # mm: it does not fly either


@pytest.mark.slow
def test_10_000_random_full_range_actions_do_not_blow_it_up() -> None:
    steps, fastest, highest = random_actions(10_000)
    assert (steps, fastest < 1000, highest < 60) == (10_000, True, True)


def test_unforced_and_relaxed_it_never_gains_energy(floating: MouseBody) -> None:
    model, data = floating.model, floating.new_data()
    model.opt.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    floating.pose(data)
    data.qvel[6:] = np.random.default_rng(0).normal(0, 5, model.nv - 6)
    mujoco.mj_forward(model, data)
    energy = [data.energy.sum()]
    for _ in range(20):
        mujoco.mj_forward(model, run(floating, data, 0.01))
        energy.append(data.energy.sum())
    model.opt.enableflags = 0
    assert (np.diff(energy) < 1e-3 * energy[0]).all()


def test_left_and_right_are_mirror_images(body: MouseBody) -> None:
    excitations = np.random.default_rng(0).uniform(0, 0.5, len(body.effectors))
    mirrored = excitations[[body.effectors.index(other_side(name)) for name in body.effectors]]
    ends = []
    for each in (excitations, mirrored):
        data = body.new_data()
        body.pose(data)
        body.put_down(data)
        data.ctrl[body.effector_ids] = each
        ends.append(run(body, data, 0.06))
    assert abs(ends[0].qpos[1]) > 0.05  # mm
    assert ends[1].qpos[:3] == pytest.approx(ends[0].qpos[:3] * [1, -1, 1], abs=0.02)
    feet = body.feet(ends[0])[[1, 0, 3, 2]] * [1, -1, 1]
    assert body.feet(ends[1]) == pytest.approx(feet, abs=0.05)


def test_its_muscles_can_walk_it_upright_and_faster_when_the_feet_are_drawn_back_faster(body: MouseBody) -> None:
    slow, fast = (walk(body, 3.0, ClockWalk(speed_mm_s=speed), seed=1) for speed in (80, 155))
    assert slow.upright > 0.95
    assert fast.upright > 0.95
    assert 40 < slow.speed_mm_s < 80
    assert 100 < fast.speed_mm_s < 155
    assert (np.abs(fast.duty - 0.67) < 0.2).all()


def test_the_default_step_walks_as_a_quarter_of_it_does(body: MouseBody) -> None:
    coarse, fine = (walk(each, 2.5, ClockWalk(), seed=1) for each in (body, mouse(timestep_s=2.5e-4)))
    assert coarse.speed_mm_s == pytest.approx(fine.speed_mm_s, rel=0.1)


def test_without_reflexes_the_same_walk_falls(body: MouseBody) -> None:
    assert walk(body, 3.0, ClockWalk(), seed=1, reflexes=False).seconds < 2.9


# muscles


def test_about_nine_muscles_a_leg_and_every_joint_has_an_antagonist(body: MouseBody) -> None:
    counts = [sum(name.startswith(leg) for name in body.effectors) for leg in LEGS]
    assert counts == [9, 9, 8, 8]
    signs: dict[str, set[str]] = {}
    for row in table("muscles"):
        signs.setdefault(row["joint"], set()).add(row["sign"])
    assert {joint for joint, both in signs.items() if len(both) < 2} == {"toe"}  # whose antagonist is elastic


@pytest.mark.parametrize("muscle", [row["muscle"] for row in table("muscles")])
def test_every_muscle_moves_its_joint_in_the_named_direction_and_shortens(floating: MouseBody, muscle: str) -> None:
    row = next(row for row in table("muscles") if row["muscle"] == muscle)
    prefixes = {"hind": ("LH_", "RH_"), "fore": ("LF_", "RF_"), "midline": ("",)}[row["limb"]]
    for prefix in prefixes:
        data = floating.new_data()
        floating.pose(data)
        mujoco.mj_forward(floating.model, data)
        data.actuator(prefix + muscle).ctrl = 0.3
        before = Senses(floating, data)
        after = Senses(floating, run(floating, data, 0.03))
        joint = f"{prefix}{row['joint']}_angle"
        assert int(row["sign"]) * (after[joint] - before[joint]) > 0.02
        assert after[f"{prefix}{muscle}_length"] < before[f"{prefix}{muscle}_length"] - 0.02
        assert after[f"{prefix}{muscle}_velocity"] < 0
        assert after[f"{prefix}{muscle}_force"] > 0


@pytest.mark.parametrize(
    ("muscle", "axis", "sign"),
    [
        ("hip_flexor", 0, 1),  # the foot goes forwards
        ("hip_extensor", 0, -1),
        ("hip_abductor", 1, 1),  # outwards
        ("hip_adductor", 1, -1),
        ("knee_extensor", 2, -1),  # down
        ("knee_flexor", 2, 1),
        ("ankle_extensor", 2, -1),
        ("ankle_flexor", 2, 1),
        ("toe_flexor", 2, -1),
        ("shoulder_protractor", 0, 1),
        ("shoulder_retractor", 0, -1),
        ("shoulder_abductor", 1, 1),
        ("shoulder_adductor", 1, -1),
        ("elbow_extensor", 2, -1),
        ("elbow_flexor", 2, 1),
        ("wrist_flexor", 2, -1),
        ("wrist_extensor", 2, 1),
    ],
)
def test_muscles_move_the_foot_where_their_names_say(floating: MouseBody, muscle: str, axis: int, sign: int) -> None:
    for k, leg in enumerate(LEGS):
        if f"{leg}_{muscle}" in floating.effectors:
            data = floating.new_data()
            floating.pose(data)
            mujoco.mj_forward(floating.model, data)
            before = floating.feet(data)[k] - data.qpos[:3]
            data.actuator(f"{leg}_{muscle}").ctrl = 0.3
            moved = floating.feet(run(floating, data, 0.02))[k] - data.qpos[:3] - before
            outwards = -1 if axis == 1 and leg[0] == "R" else 1
            assert sign * outwards * moved[axis] > 0.1  # mm


def test_muscles_pull_only(body: MouseBody) -> None:
    rng, data = np.random.default_rng(0), standing(body)
    for _ in range(200):
        data.ctrl[body.effector_ids] = rng.random(len(body.effectors))
        run(body, data, 0.005)
        assert (data.actuator_force <= 0).all()


def test_co_contraction_makes_a_joint_stiffer(floating: MouseBody) -> None:
    def deflection(activation: float) -> float:
        data = floating.new_data()
        floating.pose(data)
        pair = ("LH_knee_flexor", "LH_knee_extensor")
        for name, strength in zip(pair, (10, 14), strict=True):  # in balance at rest, by the table
            data.actuator(name).ctrl = activation * 10 / strength
        data.qfrc_applied[floating.model.joint("LH_knee").dofadr[0]] = 3e5  # uN mm
        start = data.joint("LH_knee").qpos[0]
        return float(run(floating, data, 0.15).joint("LH_knee").qpos[0] - start)

    soft, stiff = deflection(0.15), deflection(0.6)
    assert 0 < stiff < 0.5 * soft


# senses


class Senses:
    """What a state feels like, by name of the channel."""

    def __init__(self, body: MouseBody, data: mujoco.MjData) -> None:
        names = [name for group in body.channels.values() for name in group]
        self.vector = np.full(len(names), 7.0, np.float32)
        self.posture = body.reader(data)(self.vector)
        self.at = {name: k for k, name in enumerate(names)}

    def __getitem__(self, name: str) -> float:
        return float(self.vector[self.at[name]])


def test_channels_are_unique_and_vision_is_left_to_the_world(body: MouseBody) -> None:
    senses = Senses(body, standing(body))
    muscles, joints = len(body.effectors), len(body.joints)
    assert len(senses.at) == len(senses.vector) == 2 * joints + 3 * muscles + 4 + 4 + 8 + 12 + 2 * 64 * 48
    assert {senses[name] for name in body.channels["vision"]} == {7.0}
    assert set(body.bounds) == set(body.units) == set(body.channels)


def test_senses_are_within_their_bounds_in_wild_motion(body: MouseBody) -> None:
    rng, data = np.random.default_rng(0), standing(body)
    for _ in range(100):
        data.ctrl[body.effector_ids] = rng.integers(0, 2, len(body.effectors))
        senses = Senses(body, run(body, data, 0.005))
        for modality, names in body.channels.items():
            low, high = body.bounds[modality]
            if modality != "vision":
                assert all(low <= senses[name] <= high for name in names)


def test_proprioception_is_the_angle_and_velocity_of_every_joint(body: MouseBody) -> None:
    data = standing(body)
    rng = np.random.default_rng(0)
    data.qpos[7:] += rng.normal(0, 0.1, body.model.nq - 7)
    data.qvel[:] = rng.normal(0, 1, body.model.nv)
    senses = Senses(body, data)
    for joint in body.joints:
        assert senses[f"{joint}_angle"] == pytest.approx(data.joint(joint).qpos[0])
        assert senses[f"{joint}_velocity"] == pytest.approx(data.joint(joint).qvel[0])


def test_load_and_contact_belong_to_feet_on_the_floor(body: MouseBody) -> None:
    data = standing(body)
    data.actuator("LF_elbow_flexor").ctrl, data.actuator("LF_elbow_extensor").ctrl = 0.9, 0.0
    data.actuator("LF_shoulder_protractor").ctrl = 0.9
    senses = Senses(body, run(body, data, 0.06))
    assert (senses["LF_contact"], senses["LF_load"]) == (0.0, 0.0)
    assert [senses[f"{leg}_contact"] for leg in ("LH", "RH", "RF")] == [1.0] * 3
    steady = Senses(body, run(body, standing(body), 0.3))
    assert sum(steady[f"{leg}_load"] for leg in LEGS) == pytest.approx(WEIGHT_MN, rel=0.01)


def test_balance_has_the_signs_it_names(body: MouseBody) -> None:
    data = standing(body)
    data.qvel[3:6] = 1.0, 2.0, 3.0
    for axis, (name, sign) in enumerate((("roll", 1), ("pitch", -1), ("yaw", 1))):
        turned, half = data.qpos.copy(), np.zeros(4)
        half[0], half[1 + axis] = np.cos(0.1), np.sin(0.1)
        data.qpos[3:7] = half
        mujoco.mj_forward(body.model, data)
        senses = Senses(body, data)
        assert senses[f"{name}_rate"] == pytest.approx(sign * (1.0, 2.0, 3.0)[axis], rel=0.03)
        if name != "yaw":
            assert senses[name] == pytest.approx(sign * 0.2, abs=0.02)
        left_ear, right_ear = data.site("eye_L").xpos[2], data.site("eye_R").xpos[2]
        assert (left_ear > right_ear + 1) == (name == "roll")  # rolled so, its right side is down
        data.qpos[:] = turned


def test_a_standing_mouse_feels_gravity_and_a_falling_one_nothing(body: MouseBody) -> None:
    still = Senses(body, run(body, standing(body), 0.3))
    assert [still[f"acceleration_{axis}"] for axis in "xyz"] == pytest.approx([0, 0, 9.81], abs=0.1)
    free = mouse(medium="vacuum", floor=False)
    falling = Senses(free, run(free, standing(free), 0.2))
    assert abs(falling["acceleration_z"]) < 0.3


@pytest.fixture(scope="module")
def beside_pillar() -> dict[str, MouseBody]:
    """A mouse with a dark pillar at its left, or at its right."""
    return {
        side: mouse(pillars=[Pillar(x_mm=60, y_mm=16 if side == "L" else -16, radius_mm=4, height_mm=35)])
        for side in "LR"
    }


class Grey:
    def luminance(self, directions, position_mm, time_s):
        return np.full(len(directions), 0.5)


@pytest.mark.parametrize(("side", "other"), ["LR", "RL"])
def test_whiskers_touch_on_the_side_where_the_thing_is(beside_pillar, side: str, other: str) -> None:
    senses = Senses(beside_pillar[side], standing(beside_pillar[side]))
    assert senses[f"whisker_{side}"] > 0.1
    assert senses[f"whisker_{other}"] == 0.0
    assert senses[f"whisker_{side}"] == max(senses[f"whisker_{side}_{row}"] for row in "ABCDE")


def test_whiskers_feel_nothing_in_the_open_and_the_floor_when_the_nose_is_down(body: MouseBody) -> None:
    data = standing(body)
    assert Senses(body, data)["whisker_L"] == Senses(body, data)["whisker_R"] == 0.0
    data.joint("neck_extension").qpos[0] = -0.9
    mujoco.mj_forward(body.model, data)
    senses = Senses(body, data)
    assert senses["whisker_L"] > 0.1
    assert senses["whisker_L"] == pytest.approx(senses["whisker_R"], abs=0.1)
    data.qpos[0] = 5000  # mm
    mujoco.mj_forward(body.model, data)
    assert Senses(body, data)["whisker_L"] == pytest.approx(senses["whisker_L"])


@pytest.mark.parametrize(("side", "eye"), [("L", 0), ("R", 1)])
def test_a_thing_at_one_side_is_seen_by_that_eye(beside_pillar, side: str, eye: int) -> None:
    body = beside_pillar[side]
    seen = body.retina().look(standing(body), Grey(), 0.0).reshape(2, 48, 64)
    dark = (seen < 0.1).sum(axis=(1, 2))
    assert dark[eye] > 200
    assert dark[1 - eye] == 0


def test_pictures_have_the_sky_above_and_left_on_the_left(body: MouseBody) -> None:
    class SkyAndLeft:
        def luminance(self, directions, position_mm, time_s):
            return 0.5 * (directions[:, 2] > 0) + 0.5 * (directions[:, 1] > 0)

    left, right = body.retina().look(standing(body), SkyAndLeft(), 0.0).reshape(2, 48, 64)
    assert left[:5].mean() > left[-5:].mean() + 0.3
    assert right[:5].mean() > right[-5:].mean() + 0.3
    assert right[24, 0] > right[24, 32]  # the leftmost points of the right eye look across the midline
    assert left[24, 32] > left[24, -1]


def test_both_eyes_see_300_degrees_around_and_40_in_front(body: MouseBody) -> None:
    bearings = np.radians(np.arange(-180, 180, 2))
    horizon = np.stack([np.cos(bearings), np.sin(bearings), 0 * bearings], axis=1)
    seen = [(horizon @ eye.directions.T).max(axis=1) > np.cos(np.radians(2.7)) for eye in body.retina().eyes]
    assert 280 <= 2 * (seen[0] | seen[1]).sum() <= 310
    assert 30 <= 2 * (seen[0] & seen[1]).sum() <= 60


def test_reading_all_senses_costs_under_a_tenth_of_the_physics() -> None:
    assert reader_share(repeats=3, calls=500) < 0.1


# reset, options, errors


def test_reset_is_a_function_of_the_generator(body: MouseBody) -> None:
    one, same, other = (standing(body, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.qpos, same.qpos)
    assert not np.array_equal(one.qpos, other.qpos)
    assert (one.time, np.abs(one.qvel).max()) == (0.0, 0.0)


def test_turn_goes_round_the_origin_and_posture_is_the_heading(body: MouseBody) -> None:
    data = standing(body)
    before = body.centreline(data)
    body.turn(data, np.pi / 2)
    assert body.centreline(data) == pytest.approx(before[:, [1, 0, 2]] * [-1, 1, 1], abs=1e-9)
    assert body.nose(data) == pytest.approx(body.centreline(data)[0])
    posture = Senses(body, data).posture
    assert posture[:3] == pytest.approx(data.subtree_com[1])
    assert posture[3:6] == pytest.approx([0, 1, 0], abs=0.1)


def test_a_mouse_on_its_back_has_fallen(body: MouseBody) -> None:
    data = standing(body)
    assert not body.fallen(data)
    data.qpos[3:7] = 0, 1, 0, 0
    mujoco.mj_forward(body.model, data)
    assert body.fallen(data)


def test_its_options_as_json_build_the_same_body_again() -> None:
    first = mouse(medium="water", parts=("neck",), pillars=[Pillar(x_mm=80, y_mm=0)], timestep_s=5e-4)
    again = mouse(**json.loads(json.dumps(first.options)))
    assert again.options == first.options
    assert again.effectors == first.effectors
    assert np.array_equal(again.model.body_inertia, first.model.body_inertia)


def test_parts_that_do_not_move_still_weigh_and_stand() -> None:
    stiff = mouse(parts=())
    assert stiff.model.body_mass.sum() == pytest.approx(mouse(parts=PARTS).model.body_mass.sum())
    assert not any(name.startswith(("spine", "neck")) for name in (*stiff.effectors, *stiff.joints))
    assert 22.7 <= stiff.hip_height(run(stiff, standing(stiff), 0.5)) <= 25.3


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mouse(medium="watr"), "no medium 'watr' for the mouse; did you mean 'water'"),
        (lambda: mouse(parts=("neks",)), "no part 'neks'; did you mean 'neck'"),
        (lambda: mouse(timestep_s=0.01), r"timestep_s \(0.01 s\)"),
        (lambda: mouse(pillars=[{"x_mm": 1, "y_mm": 1, "shade": 2}]), r"shade \(2\)"),
        (lambda: Pillar(x_mm=0, y_mm=0, radius_mm=0), r"radius_mm \(0\)"),
    ],
)
def test_impossible_bodies_are_refused(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_every_number_in_the_tables_has_a_provenance_and_a_source() -> None:
    tables = sorted((Path(animat.bodies.mouse_tables.__file__).parent / "data").glob("mouse_*.csv"))
    assert len(tables) == 5
    for path in tables:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                assert row["provenance"] in ("measured", "derived", "published", "assumed"), path.name
                assert row["source"], path.name
