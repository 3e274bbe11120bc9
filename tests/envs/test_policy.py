"""The policy seam: a brain outside the environment does what the brain inside does, and a trained agent fits in."""

import numpy as np
import pytest

from animat.envs.organism_env import OrganismEnv
from animat.envs.policy import BrainPolicy
from animat.envs.recorder import run_episode


@pytest.mark.parametrize("model", ["graded", "lif"])
def test_a_brain_outside_moves_the_worm_bit_for_bit_like_the_brain_inside(model):
    inside, outside = OrganismEnv(model=model), OrganismEnv(brain=None)
    _, info = inside.reset(seed=7)
    observation, same = outside.reset(seed=7)
    assert same["brain_seed"] == info["brain_seed"]
    policy, state = BrainPolicy("worm", model=model, seed=info["brain_seed"]), None
    for _ in range(100):
        inside.step(np.zeros(inside.action_space.shape, np.float32))
        action, state = policy.predict(observation, state)
        observation, *_ = outside.step(action)
    assert np.array_equal(inside.data.qpos, outside.data.qpos)


def test_the_brain_policy_crawls_like_the_environment_with_the_brain_inside(crawl):
    policy = run_episode(OrganismEnv(brain=None), BrainPolicy("worm", seed=1), seed=0).measures
    assert policy["speed_mm_s"] == pytest.approx(crawl.measures["speed_mm_s"], rel=0.25)
    assert policy["undulation_hz"] == pytest.approx(crawl.measures["undulation_hz"], rel=0.15)


def test_predict_is_a_function_of_observation_and_state():
    env, policy = OrganismEnv(brain=None), BrainPolicy("worm")
    observation, _ = env.reset(seed=0)
    _, state = policy.predict(observation)
    action, later = policy.predict(observation, state)
    policy.predict(observation, later)
    again, _ = policy.predict(observation, state)
    assert np.array_equal(action, again)


def test_an_episode_start_forgets_the_last_episode():
    env, policy = OrganismEnv(brain=None), BrainPolicy("worm")
    observation, _ = env.reset(seed=0)
    first, state = policy.predict(observation)
    for _ in range(5):
        _, state = policy.predict(observation, state)
    again, _ = policy.predict(observation, state, episode_start=np.array([True]))
    assert np.array_equal(first, again)


def test_a_batch_of_one_works_and_a_larger_one_is_refused():
    env, policy = OrganismEnv(brain=None), BrainPolicy("worm")
    observation, _ = env.reset(seed=0)
    batch = {name: values[None] for name, values in observation.items()}
    assert policy.predict(batch)[0].shape == (1, 95)
    with pytest.raises(ValueError, match="a batch of 2 observations"):
        policy.predict({name: np.repeat(values, 2, axis=0) for name, values in batch.items()})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's and Stable-Baselines3's own
def test_a_stable_baselines3_agent_trains_on_the_worm_and_runs_through_the_same_runner(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3", reason="the extra 'rl' is not installed")
    env = OrganismEnv(brain=None, duration_s=2.0)
    agent = sb3.PPO("MultiInputPolicy", env, n_steps=500, batch_size=100, seed=0, device="cpu")
    agent.learn(2000)
    agent.save(tmp_path / "ppo.zip")
    recording = run_episode(env, sb3.PPO.load(tmp_path / "ppo.zip", device="cpu"), seed=0)
    assert len(recording.series["time_s"]) == 200
    assert recording.episode["reason"] == ""


def test_a_driven_brain_outside_does_what_a_driven_brain_inside_does():
    inside, outside = OrganismEnv(drive={"AVA": 15.0}), OrganismEnv(brain=None)
    _, info = inside.reset(seed=1)
    observation, _ = outside.reset(seed=1)
    policy, state = BrainPolicy("worm", seed=info["brain_seed"], drive={"AVA": 15.0}), None
    for _ in range(50):
        inside.step(np.zeros(inside.action_space.shape, np.float32))
        action, state = policy.predict(observation, state)
        observation, *_ = outside.step(action)
    assert np.array_equal(inside.data.qpos, outside.data.qpos)
