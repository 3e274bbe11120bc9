"""Any MJCF becomes a body through a map of names: a one-legged hopper in metres, written here."""

import copy
import json

import mujoco
import numpy as np
import pytest

from animat.bodies.body import Body
from animat.bodies.external import external
from animat.registry import UnknownNameError

HOPPER = """
<mujoco model="hopper">
  <compiler angle="radian"/>
  <option timestep="0.002"/>
  <worldbody>
    <geom name="ground" type="plane" size="0 0 1"/>
    <body name="torso" pos="0 0 0.5">
      <freejoint name="root"/>
      <geom type="sphere" size="0.05" mass="1"/>
      <body name="head" pos="0.1 0 0.02">
        <geom type="sphere" size="0.03" mass="0.1"/>
        <site name="snout" pos="0.03 0 0"/>
      </body>
      <body name="tail" pos="-0.2 0 0"><geom type="sphere" size="0.01" mass="0.01"/></body>
      <body name="thigh">
        <joint name="hip" axis="0 1 0" range="-1 1" limited="true" damping="0.01"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.02" mass="0.1"/>
        <body name="shank" pos="0 0 -0.2">
          <joint name="knee" axis="0 1 0" range="-1 1" limited="true" damping="0.01"/>
          <geom name="shank" type="capsule" fromto="0 0 0 0 0 -0.2" size="0.02" mass="0.1"/>
          <site name="sole" pos="0 0 -0.2" size="0.05"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position name="hip_servo" joint="hip" kp="5" dampratio="1" ctrlrange="-1 1"/>
    <muscle name="knee_muscle" joint="knee" gear="0.01" lengthrange="-0.02 0.02"/>
  </actuator>
  <sensor><touch name="sole_touch" site="sole"/><actuatorpos name="muscle_length" actuator="knee_muscle"/></sensor>
  <keyframe><key name="crouch" qpos="0 0 0.4 1 0 0 0 0.4 -0.8"/></keyframe>
</mujoco>
"""
NAMES = {
    "name": "hopper",
    "mm_per_unit": 1000.0,
    "effectors": {
        "hip_forward": {"actuator": "hip_servo", "scale": -1.0},
        "hip_back": {"actuator": "hip_servo", "scale": 1.0},
        "knee_flexor": "knee_muscle",
    },
    "channels": {
        "proprioception": {
            "unit": "rad",
            "low": -1.0,
            "high": 1.0,
            "of": {"hip_angle": {"joint": "hip"}, "knee_speed": {"velocity": "knee", "scale": 0.1}},
        },
        "touch": {"unit": "N", "low": 0.0, "high": 100.0, "of": {"sole": {"sensor": "sole_touch"}}},
        "chemosensation": {"unit": "mM", "low": 0.0, "high": 1e6, "of": {"salt": None}},
    },
    "centreline": ["head", "torso", "tail"],
    "nose": "snout",
    "keyframe": "crouch",
}


def changed(*path: str, to: object) -> dict:
    names = copy.deepcopy(NAMES)
    inner = names
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return names


@pytest.fixture(scope="module")
def hopper() -> Body:
    return external(HOPPER, NAMES)


def test_the_map_names_effectors_channels_and_units(hopper: Body) -> None:
    assert hopper.effectors == ("hip_forward", "hip_back", "knee_flexor")
    assert hopper.channels["proprioception"] == ("hip_angle", "knee_speed")
    assert (hopper.units["touch"], hopper.bounds["touch"]) == ("N", (0.0, 100.0))
    assert hopper.length_mm == pytest.approx(np.hypot(100, 20) + 200)


def test_a_servo_and_its_two_effectors_agree_with_the_original_servo(hopper: Body) -> None:
    original = mujoco.MjModel.from_xml_string(HOPPER)
    hopper.model.opt.gravity[:] = original.opt.gravity[:] = 0
    ours, theirs = hopper.new_data(), mujoco.MjData(original)
    ours.ctrl[hopper.effector_ids[:2]] = 0.25, 1.0
    theirs.actuator("hip_servo").ctrl = 0.75
    mujoco.mj_step(hopper.model, ours, 2000)
    mujoco.mj_step(original, theirs, 2000)
    hopper.model.opt.gravity[:] = 0, 0, -9.81
    assert ours.joint("hip").qpos[0] == pytest.approx(theirs.joint("hip").qpos[0], abs=1e-3)
    assert abs(theirs.joint("hip").qpos[0]) > 0.5


def test_every_effector_has_an_activation_that_follows_its_excitation(hopper: Body) -> None:
    data = hopper.new_data()
    data.ctrl[hopper.effector_ids] = 1.0
    mujoco.mj_step(hopper.model, data, 5)
    assert data.act[hopper.activation_ids[:2]] == pytest.approx(1 - np.exp(-1), rel=1e-3)
    assert 0 < data.act[hopper.activation_ids[2]] < 1


def test_senses_come_from_where_the_map_says_within_their_bounds(hopper: Body) -> None:
    data, vector = hopper.new_data(), np.full(4, 7.0, np.float32)
    data.joint("hip").qpos[0], data.joint("knee").qvel[0] = 2.0, -3.0
    data.joint("root").qpos[2] = 0.41
    mujoco.mj_forward(hopper.model, data)
    posture = hopper.reader(data)(vector)
    assert vector[[0, 1, 3]].tolist() == pytest.approx([1.0, -0.3, 7.0])  # clipped, scaled, left to the world
    assert vector[2] == pytest.approx(min(data.sensor("sole_touch").data[0], 100.0))
    assert posture[:3] == pytest.approx(hopper.centreline(data).mean(axis=0))
    assert posture[3] == pytest.approx(np.cos(np.arctan2(0.02, 0.3)))


def test_reset_is_the_keyframe_and_turn_goes_round_the_origin(hopper: Body) -> None:
    data = hopper.new_data()
    hopper.reset(data, np.random.default_rng(0))
    assert [data.joint(name).qpos[0] for name in ("hip", "knee")] == pytest.approx([0.4, -0.8], abs=0.05)
    before = hopper.nose(data)
    hopper.turn(data, np.pi / 2)
    assert hopper.nose(data) == pytest.approx([-before[1], before[0], before[2]])


def test_reset_is_a_function_of_the_generator(hopper: Body) -> None:
    postures = []
    for seed in (1, 1, 2):
        data = hopper.new_data()
        hopper.reset(data, np.random.default_rng(seed))
        postures.append(data.qpos.copy())
    assert np.array_equal(postures[0], postures[1])
    assert not np.array_equal(postures[0], postures[2])


def test_its_options_as_json_build_the_same_body_again(hopper: Body) -> None:
    again = external(**json.loads(json.dumps(hopper.options)))
    assert again.effectors == hopper.effectors
    assert np.array_equal(again.model.actuator_gainprm, hopper.model.actuator_gainprm)


def test_model_and_map_may_be_files(hopper: Body, tmp_path) -> None:
    (tmp_path / "hopper.xml").write_text(HOPPER)
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    body = external(tmp_path / "hopper.xml", tmp_path / "names.json", timestep_s=1e-3)
    assert (body.effectors, body.model.opt.timestep) == (hopper.effectors, 1e-3)


def test_a_body_without_a_free_joint_cannot_be_turned() -> None:
    fixed = external(HOPPER.replace('<freejoint name="root"/>', "").replace("0 0 0.4 1 0 0 0 ", ""), NAMES)
    with pytest.raises(ValueError, match="hopper: the model has no free joint"):
        fixed.turn(fixed.new_data(), 1.0)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            changed("effectors", "knee_flexor", to="knee_muscel"),
            "'knee_muscel'; did you mean 'knee_muscle'",
        ),
        (changed("centreline", to=["head", "tial"]), "no body 'tial'; did you mean 'tail'"),
        (changed("nose", to="snuot"), "no body 'snuot'"),
        (changed("keyframe", to="crouhc"), "no key 'crouhc'; did you mean 'crouch'"),
        (changed("channels", "touch", "of", to={"sole": {"sensor": "sole_tuoch"}}), "did you mean 'sole_touch'"),
        (changed("channels", "touch", "of", to={"sole": {"joint": "kne"}}), "no joint 'kne'; did you mean 'knee'"),
    ],
)
def test_a_name_that_the_model_lacks_is_answered_with_the_nearest(names: dict, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        external(HOPPER, names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"name": "x"}, "'effectors' is missing"),
        (changed("nsoe", to="head"), "no entry 'nsoe'; did you mean 'nose'"),
        (changed("mm_per_unit", to=0), r"mm_per_unit \(0.0\) must be positive"),
        (changed("centreline", to=["head"]), "at least 2 bodies"),
        (changed("channels", "touch", "low", to=200), r"low \(200.0\) must be below high \(100.0\), both in N"),
        (changed("channels", "touch", "of", to={"sole": {}}), "give one of joint, velocity, sensor"),
        (changed("effectors", "knee_flexor", to={"actuator": "knee_muscle"}), "'knee_muscle' has no fixed gain"),
        (changed("effectors", "hip_servo", to="knee_muscle"), "the model has an actuator of that name"),
        (
            changed("channels", "touch", "of", to={"x": {"sensor": "sole_touch", "index": 3}}),
            "1 values, no index 3",
        ),
        (changed("channels", "touch", "of", to={"x": {"joint": "root"}}), "'root' has 7 coordinates"),
    ],
)
def test_a_map_of_the_wrong_form_is_refused(names: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        external(HOPPER, names)
