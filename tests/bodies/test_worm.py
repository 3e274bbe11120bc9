"""The worm's body against its published figures and against ElegansBot, an independent implementation."""

import mujoco
import numpy as np
import pytest

from animat.bodies.drag import MEDIA, Medium
from animat.bodies.muscles import ActiveMuscle
from animat.bodies.worm import WormBody, worm
from animat.bodies.worm_spec import WormShape

AGAR_GAIT = {"amplitude": 0.7, "waves": 1.832, "hz": 0.625, "seconds": 6.4}  # ElegansBot's own example
SERVO = {"stiffness": 175.0, "damping": 31.25}  # nN mm/rad and nN mm s/rad, ElegansBot's joint


def gait_speed(body: WormBody, amplitude: float, waves: float, hz: float, seconds: float) -> float:
    """Speed, mm/s, over the last two periods of a prescribed travelling wave."""
    model, data = body.model, body.new_data()
    joints = [model.joint(f"bend_{k:02d}") for k in range(1, 25)]
    angles = np.array([joint.qposadr[0] for joint in joints])
    model.jnt_stiffness[[joint.id for joint in joints]] = SERVO["stiffness"]
    model.dof_damping[[joint.dofadr[0] for joint in joints]] = SERVO["damping"]
    along, track, sample = np.linspace(0, 1, 24), [], max(1, round(1e-3 / model.opt.timestep))
    for _ in range(round(seconds / model.opt.timestep / sample)):
        model.qpos_spring[angles] = amplitude * np.cos(2 * np.pi * (waves * along - hz * data.time))
        mujoco.mj_step(model, data, sample)
        track.append(body.centreline(data).mean(axis=0))
    two_periods = round(2 / hz / (sample * model.opt.timestep))
    return float(np.linalg.norm(track[-1] - track[-1 - two_periods]) / (2 / hz))


def elegansbot_speed(amplitude: float, waves: float, hz: float, seconds: float) -> float:
    elegansbot = pytest.importorskip("elegansbot", reason="the oracle is in the dev extra")
    bot = elegansbot.Worm(simTime=seconds, dt_snapshot=1e-3)
    track = []
    for _ in range(bot.n_snapshot):
        bot.act = amplitude * np.cos(2 * np.pi * (waves * np.linspace(0, 1, 24) - hz * bot.t))
        bot.steps()
        track.append([bot.x.mean(), bot.y.mean()])
    two_periods = round(2 / hz / 1e-3)
    return float(np.linalg.norm(np.subtract(track[-1], track[-1 - two_periods])) / (2 / hz))


@pytest.fixture(scope="module")
def agar_speed() -> float:
    return gait_speed(worm(timestep_s=1e-3), **AGAR_GAIT)


@pytest.mark.filterwarnings("ignore")  # elegansbot's own
def test_a_prescribed_wave_on_agar_travels_as_fast_as_in_elegansbot(agar_speed: float) -> None:
    assert agar_speed == pytest.approx(elegansbot_speed(**AGAR_GAIT), rel=0.03)


def test_isotropic_drag_gives_no_thrust() -> None:
    isotropic = Medium(name="isotropic", c_par=128e3, c_perp=128e3, timestep_s=1e-3)
    assert gait_speed(worm(medium=isotropic), **AGAR_GAIT) < 0.005


def test_speed_at_1_ms_agrees_with_0_1_ms(agar_speed: float) -> None:
    assert gait_speed(worm(timestep_s=1e-4), **AGAR_GAIT) == pytest.approx(agar_speed, rel=0.02)


def test_speed_at_the_default_step_agrees_with_1_ms(agar_speed: float) -> None:
    assert gait_speed(worm(), **AGAR_GAIT) == pytest.approx(agar_speed, rel=0.02)


def test_the_three_dimensional_worm_crawls_in_the_plane_as_the_planar_one(agar_speed: float) -> None:
    assert gait_speed(worm(planar=False, timestep_s=1e-3), **AGAR_GAIT) == pytest.approx(agar_speed, rel=0.005)


@pytest.mark.parametrize("planar", [True, False])
def test_the_worm_weighs_2_ug_and_is_1_mm_long(planar: bool) -> None:
    body = worm(planar=planar)
    data = body.new_data()
    mujoco.mj_forward(body.model, data)
    line = body.centreline(data)
    assert body.model.body_mass.sum() == pytest.approx(2e-3)  # mg
    assert np.linalg.norm(line[0] - line[-1]) + WormShape().segment_length == pytest.approx(1.0)  # mm
    assert (body.model.geom_size[:, 0].max(), body.model.opt.gravity.tolist()) == (
        pytest.approx(0.04, rel=0.02),
        [0] * 3,
    )


@pytest.mark.parametrize("planar", [True, False])
def test_the_95_muscles_have_their_anatomical_names(planar: bool) -> None:
    rows = {"MDL": 24, "MDR": 24, "MVL": 23, "MVR": 24}
    expected = {f"{row}{k:02d}" for row, n in rows.items() for k in range(1, n + 1)}
    body = worm(planar=planar)
    assert set(body.effectors) == expected
    assert len(body.effectors) == 95


@pytest.mark.parametrize(("planar", "degrees"), [(True, 27), (False, 54)])
def test_degrees_of_freedom(planar: bool, degrees: int) -> None:
    assert worm(planar=planar).model.nv == degrees


def bend_after(body: WormBody, seconds: float, **excitation: float) -> np.ndarray:
    data = body.new_data()
    for row, value in excitation.items():
        for name in body.effectors:
            if name.startswith(row):
                data.actuator(name).ctrl = value
    mujoco.mj_step(body.model, data, round(seconds / body.model.opt.timestep))
    return body.bends(data)


@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize(("side", "sign"), [("MD", 1), ("MV", -1)])
def test_a_contracted_side_becomes_the_inside_of_the_bend(planar: bool, side: str, sign: int) -> None:
    bends = bend_after(worm(planar=planar, medium="water"), 1.0, **{side: 1.0})
    assert (np.sign(bends) == sign).all()


def test_co_contraction_bends_nothing_but_stiffens() -> None:
    body = worm(medium="water")
    alone = bend_after(body, 1.0, MD=0.3)
    both = bend_after(body, 1.0, MD=0.3, MVR=0.3, MVL=0.3)
    assert np.abs(both[:-1]).max() < 0.05 * np.abs(alone).max()


def test_left_right_contraction_turns_only_the_three_dimensional_worm_sideways() -> None:
    body = worm(planar=False, medium="water")
    data = body.new_data()
    for name in body.effectors:
        data.actuator(name).ctrl = float(name[2] == "L")
    mujoco.mj_step(body.model, data, 500)
    sideways = [data.joint(f"side_{k:02d}").qpos[0] for k in range(1, 24)]
    assert np.abs(sideways).min() > 0.1
    assert np.abs(body.bends(data)[:-1]).max() < 0.02


def test_muscle_activation_follows_its_command_with_100_ms() -> None:
    body = worm(timestep_s=1e-3)
    data = body.new_data()
    data.ctrl[body.effector_ids] = 1.0
    mujoco.mj_step(body.model, data, 100)
    assert data.act[body.activation_ids] == pytest.approx(1 - np.exp(-1), rel=1e-3)


def test_strain_is_opposite_on_the_two_sides_and_in_channel_order() -> None:
    body = worm()
    data = body.new_data()
    data.qpos[body.model.joint("bend_03").qposadr[0]] = 0.25
    vector = np.zeros(48, np.float32)
    body.reader(data)(vector)
    strain = dict(zip(body.channels["proprioception"], vector.tolist(), strict=True))
    assert strain["strain_dorsal_03"] == -strain["strain_ventral_03"] == pytest.approx(-0.25)
    assert sum(map(abs, strain.values())) == pytest.approx(0.5)


def test_reset_is_a_function_of_the_generator() -> None:
    body = worm()
    postures = []
    for seed in (1, 1, 2):
        data = body.new_data()
        body.reset(data, np.random.default_rng(seed))
        postures.append(data.qpos.copy())
    assert np.array_equal(postures[0], postures[1])
    assert not np.array_equal(postures[0], postures[2])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: worm(medium="agr"), "no medium 'agr'; did you mean 'agar'"),
        (lambda: Medium(name="x", c_par=-1, c_perp=1, timestep_s=1e-3), r"c_par \(-1 mg/s\)"),
        (lambda: Medium(name="x", c_par=1, c_perp=1, timestep_s=1), r"timestep_s \(1 s\)"),
        (lambda: WormShape(mass=0), r"mass \(0\) must be positive"),
        (lambda: WormShape(segments=2), r"segments \(2\) must be at least 3"),
        (lambda: ActiveMuscle(force=1, stiffness=1, damping=1, tau_s=0), r"tau_s \(0 s\) must be positive"),
    ],
)
def test_impossible_bodies_are_refused(build, message) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_published_drag_of_agar_and_water() -> None:
    agar, water = MEDIA["agar"], MEDIA["water"]
    assert (agar.c_par, agar.c_perp, water.c_par, water.c_perp) == (3.2e3, 128e3, 3.3, 5.2)  # Boyle 2012, mg/s
