"""What a fly sees moves it: it turns with its surround, and its giant fibres fire at what comes at it."""

import numpy as np
import pytest

from animat.bodies.fly import fly
from animat.envs.arenas import Arena
from animat.envs.organism_env import OrganismEnv
from animat.envs.panorama import SkyAndGround, looming_ball
from animat.envs.policy import BrainPolicy
from animat.envs.recorder import run_episode
from animat.envs.tasks import Crawl, Looming
from animat.organisms.fly.sight import Sight


def measures(task, **options):
    return run_episode(OrganismEnv("fly", task, **options), seed=3).measures


def test_a_walking_fly_turns_with_the_drum_and_only_by_what_it_sees():
    assert 0.3 < measures("turn", duration_s=4.0)["optomotor_gain"] < 1.2
    assert abs(measures("turn", duration_s=4.0, freeze_senses=True)["optomotor_gain"]) < 0.1
    assert abs(measures("turn", duration_s=4.0, ablate=("HS", "H2"))["optomotor_gain"]) < 0.1


@pytest.mark.parametrize("l_over_v_s", [0.02, 0.04])
def test_the_giant_fibre_fires_before_contact(l_over_v_s):
    ball = looming_ball(azimuth_deg=60.0, l_over_v_s=l_over_v_s, contact_s=1.5, elevation_deg=20.0)
    found = measures(Looming(arena=Arena(medium="air", panorama=ball)))
    assert found["alarm"] == 1.0
    assert 0 < found["alarm_before_contact_ms"] < 300


def test_what_goes_away_and_what_is_not_there_alarms_nothing():
    away = looming_ball(azimuth_deg=60.0, l_over_v_s=0.04, contact_s=1.5, elevation_deg=20.0, recede=True)
    assert measures(Looming(arena=Arena(medium="air", panorama=away)))["alarm"] == 0.0
    assert measures(Looming(arena=Arena(medium="air", panorama=SkyAndGround())))["alarm"] == 0.0
    assert measures("looming", ablate=("LPLC2",))["alarm"] == 0.0


def test_an_animal_without_eyes_refuses_something_to_see():
    with pytest.raises(ValueError, match="task 'crawl' has something to see, and the worm has no eyes"):
        OrganismEnv("worm", Crawl(arena=Arena(medium="agar", panorama=SkyAndGround())))


def test_sight_sleeps_in_a_steady_world_and_wakes_as_if_it_had_not_slept():
    rng = np.random.default_rng(0)
    steady, other = rng.random(1442, dtype=np.float32), rng.random(1442, dtype=np.float32)
    slept, awake = Sight(), Sight()
    assert not np.concatenate([slept.step(steady, 0.005) for _ in range(50)]).any()
    awake.step(steady, 0.005)
    for _ in range(10):
        told = slept.step(other, 0.005)
        np.testing.assert_array_equal(told, awake.step(other, 0.005))
    assert told.any()


def test_sight_continues_exactly_from_a_checkpoint():
    rng = np.random.default_rng(1)
    frames = rng.random((6, 1442), dtype=np.float32)
    sight = Sight()
    for frame in frames[:3]:
        sight.step(frame, 0.005)
    other = Sight()
    other.restore(sight.state)
    for frame in frames[3:]:
        np.testing.assert_array_equal(sight.step(frame, 0.005), other.step(frame, 0.005))


def test_the_brain_as_a_policy_sees_what_the_brain_inside_sees():
    inside, outside = OrganismEnv("fly", "turn"), OrganismEnv("fly", "turn", brain=None)
    _, info = inside.reset(seed=7)
    observation, _ = outside.reset(seed=7)
    policy, state = BrainPolicy("fly", seed=info["brain_seed"], drive={"DNg100": 400.0}), None
    for _ in range(60):
        inside.step(np.zeros(inside.action_space.shape, np.float32))
        action, state = policy.predict(observation, state)
        observation, *_ = outside.step(action)
    assert np.array_equal(inside.data.qpos, outside.data.qpos)


def test_the_eyes_of_the_body_have_as_many_facets_as_its_channels():
    body = fly()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    seen = body.retina().look(data, SkyAndGround(), 0.0)
    assert seen.size == len(body.channels["vision"])
    assert 0.0 <= seen.min() < seen.max() <= 1.0
