"""The environment's contract, for every registered id, and what it refuses."""

import subprocess
import sys
import warnings
from dataclasses import fields, replace
from functools import cache

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import animat  # noqa: F401  registers the environments
from animat.bodies.worm import WormBody
from animat.brains.controls import CONTROLS
from animat.envs.organism_env import OrganismEnv
from animat.envs.policy import BrainPolicy
from animat.envs.recorder import run_episode
from animat.organisms.organism import Organism, make
from animat.registry import UnknownNameError

IDS = sorted(name for name in gymnasium.registry if name.startswith("animat/"))


def test_the_worm_is_registered():
    behaviours = ("Crawl", "Swim", "Touch", "Chemotaxis", "Thermotaxis")
    assert {f"animat/Worm{name}-v0" for name in behaviours} <= set(IDS)


@pytest.mark.parametrize("brain", ["connectome", None])
@pytest.mark.parametrize("env_id", IDS)
def test_every_environment_passes_gymnasiums_checker_without_a_warning(env_id, brain):
    env = gymnasium.make(env_id, brain=brain)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("env_id", IDS)
def test_a_rendered_environment_gives_a_picture(env_id):
    env = gymnasium.make(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    env.close()
    assert (picture.shape, picture.dtype) == ((480, 640, 3), np.uint8)
    assert picture.std() > 5


def physics(env: OrganismEnv) -> tuple[bytes, float]:
    """All that moves a body: MuJoCo's model, byte for byte, and the control step."""
    model = np.empty(mujoco.mj_sizeModel(env.body.model), np.uint8)
    mujoco.mj_saveModel(env.body.model, None, model)
    return model.tobytes(), env.control_s


@cache
def first_of_each_physics() -> list[str]:
    """One environment of each body and medium."""
    ids = {physics(gymnasium.make(env_id, brain=None).unwrapped): env_id for env_id in reversed(IDS)}
    return list(ids.values())


@pytest.mark.parametrize("env_id", IDS)
def test_random_full_range_actions_never_make_a_nan_ten_thousand_in_each_body_and_medium(env_id):
    env = gymnasium.make(env_id, brain=None, duration_s=1e6).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    # the others of one physics differ in what is sensed and rewarded, which two thousand show
    count = 10_000 if env_id in first_of_each_physics() else 2_000
    actions = rng.integers(0, 2, (count, *env.action_space.shape)).astype(np.float32)
    for action in actions:
        observation, reward, terminated, _, info = env.step(action)
        assert "physics failed" not in info.get("reason", "")
        assert np.isfinite(reward)
        assert all(np.isfinite(values).all() for values in observation.values())
        if terminated:  # it fell over
            env.reset()
    assert np.isfinite(env.data.qpos).all()


def episode(seed: int, steps: int = 50, **options) -> np.ndarray:
    env = OrganismEnv(**options)
    env.reset(seed=seed)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
    return env.data.qpos.copy()


@pytest.mark.parametrize("options", [{}, {"brain": None}, {"model": "lif"}, {"brain": "shuffled"}, {"brain": "random"}])
def test_the_same_seed_gives_the_same_episode_bit_for_bit(options):
    assert np.array_equal(episode(3, **options), episode(3, **options))
    assert not np.array_equal(episode(3, **options), episode(4, **options))


def test_a_reused_environment_repeats_itself():
    env = OrganismEnv(duration_s=0.3)
    runs = []
    for _ in range(2):
        env.reset(seed=5)
        while not env.step(np.zeros(env.action_space.shape, np.float32))[3]:
            pass
        runs.append(env.data.qpos.copy())
    assert np.array_equal(*runs)


def test_an_episode_is_truncated_after_its_duration():
    env = OrganismEnv(duration_s=0.25)
    env.reset(seed=0)
    ends = [env.step(np.zeros(env.action_space.shape, np.float32))[2:4] for _ in range(25)]
    assert ends == [(False, False)] * 24 + [(False, True)]
    assert env.data.time == pytest.approx(0.25)


def test_failing_physics_ends_the_episode_with_a_reason():
    env = OrganismEnv(brain=None)
    env.reset(seed=0)
    env.data.qpos[3] = np.nan
    observation, reward, terminated, truncated, info = env.step(np.zeros(95, np.float32))
    assert (terminated, truncated, reward) == (True, False, 0.0)
    assert "physics failed" in info["reason"]
    assert all(np.isfinite(values).all() for values in observation.values())


@pytest.mark.parametrize(("action", "message"), [(np.zeros(3), r"\(3,\)"), (np.full(95, np.nan), "not finite")])
def test_a_bad_action_raises_with_its_values(action, message):
    env = OrganismEnv(brain=None)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(action)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"organism": "wrom"}, "no organism 'wrom'; did you mean 'worm'"),
        ({"task": "crwal"}, "organism 'worm' has no task 'crwal'; did you mean 'crawl'"),
        ({"brain": "shufled"}, "no brain 'shufled', and no folder of that name; did you mean 'shuffled'"),
        ({"model": "grded"}, "did you mean 'graded'"),
        ({"engine": "nmba"}, "did you mean 'numba'"),
        ({"ablate": ("AVAX",)}, "AVAX"),
        ({"drive": {"AVQ": 1.0}}, "AVQ"),
        ({"stimulate": ("AVQ",)}, "AVQ"),
        ({"planr": True}, "no option 'planr' of the environment or the worm's body; did you mean 'planar'"),
        ({"modle": "lif"}, "no option 'modle' of the environment or the worm's body; did you mean 'model'"),
    ],
)
def test_a_wrong_name_gets_the_near_one(options, message):
    with pytest.raises(UnknownNameError) as caught:
        OrganismEnv(**options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"medium": "agr"}, "did you mean 'agar'"),
        ({"duration_s": -1.0}, r"duration_s \(-1.0 s\)"),
        ({"render_mode": "human"}, "no render mode 'human'"),
        ({"drive": {"AVA": float("nan")}}, "AVA"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OrganismEnv(**options)


def test_zero_action_leaves_the_brain_alone_and_full_action_depolarises_the_named_neuron():
    def voltage(value: float) -> float:
        env = OrganismEnv(stimulate=("AVAL",), stimulation_mv=30.0)
        env.reset(seed=0)
        for _ in range(20):
            env.step(np.array([value], np.float32))
        return float(env.activity.voltage[env.brain.names.index("AVAL")])

    assert voltage(1.0) > voltage(0.0) + 3.0 > voltage(-1.0) + 6.0


def test_frozen_senses_show_the_brain_a_resting_body():
    env = OrganismEnv(freeze_senses=True)
    env.reset(seed=0)
    before = env.senses.resting.copy()
    env.step(np.zeros(env.action_space.shape, np.float32))
    assert np.array_equal(env.senses.resting, before)
    assert not np.array_equal(env._observed, before)


def test_an_ablated_worm_has_no_such_neuron_and_another_fingerprint():
    env = OrganismEnv(ablate=("AVA", "DB"))
    assert not {"AVAL", "AVAR", "DB1"} & set(env.brain.names)
    assert env.fingerprint != make("worm").connectome.fingerprint


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_every_control_brain_runs(name):
    env = OrganismEnv(brain=name, duration_s=0.1)
    env.reset(seed=0)
    assert np.isfinite(env.step(np.zeros(env.action_space.shape, np.float32))[1])


def test_a_saved_connectome_runs_as_the_brain(tmp_path):
    make("worm").connectome.save(tmp_path / "wiring")
    assert np.array_equal(episode(0, brain=str(tmp_path / "wiring")), episode(0))


def test_media_differ_and_any_drag_pair_can_be_given():
    from animat.bodies.drag import Medium

    gel = Medium(name="gel", c_par=1e3, c_perp=2e4, timestep_s=0.002)
    ends = [episode(0, medium=medium) for medium in ("agar", "water", gel)]
    assert len({end.tobytes() for end in ends}) == 3


def test_the_three_dimensional_worm_runs():
    assert episode(0, planar=False, steps=5).shape == (7 + 48,)


def test_observations_are_the_same_schema_in_every_environment_of_an_animal():
    schemas = {
        animal: {tuple(gymnasium.make(env_id).observation_space.spaces) for env_id in IDS if animal in env_id}
        for animal in ("Worm", "Fly")
    }
    fly = ("antenna", "balance", "load", "olfaction", "proprioception", "taste", "touch", "vision")
    assert schemas == {"Worm": {("chemosensation", "proprioception", "thermosensation", "touch")}, "Fly": {fly}}


def test_environments_work_in_spawned_vector_workers():
    code = (
        "import gymnasium\n"
        "if __name__ == '__main__':\n"
        "    envs = gymnasium.make_vec('animat:animat/WormCrawl-v0', num_envs=2, vectorization_mode='async',\n"
        "        vector_kwargs={'context': 'spawn'})\n"
        "    envs.reset(seed=0); envs.step(envs.action_space.sample()); envs.close(); print('done')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.stdout.strip() == "done", run.stderr


class Limp(WormBody):
    """A worm that has fallen once its nose has gone 50 micrometres; a recording keeps the place of the nose twice."""

    def fallen(self, data):
        return abs(self.nose(data)[0] - 0.5) > 0.05

    def extras(self, data):
        return {"noses_mm": np.stack([self.nose(data)] * 2)}


def limp(**changes) -> Organism:
    def body(**options):
        made = make("worm").body(**options)
        return Limp(**{field.name: getattr(made, field.name) for field in fields(made)})

    return replace(make("worm"), body=body, **changes)


def test_an_animal_that_falls_over_ends_the_episode_with_that_reason():
    env = OrganismEnv(limp())
    env.reset(seed=0)
    for _ in range(300):
        _, _, terminated, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
        if terminated:
            break
    assert (terminated, truncated, info["reason"]) == (True, False, "fell over")
    assert env.body.fallen(env.data)


def test_what_a_body_keeps_besides_is_recorded_at_every_step():
    env = OrganismEnv(limp(), brain=None, duration_s=0.1)
    recording = run_episode(env, seed=0)
    assert recording.series["noses_mm"].shape == (10, 2, 3)
    assert recording.series["noses_mm"][-1] == pytest.approx(np.stack([env.body.nose(env.data)] * 2), rel=1e-6)


def test_the_control_step_is_the_organisms_in_time_maps_and_noise():
    fast = replace(make("worm"), control_s=0.004)
    env = OrganismEnv(fast, "swim", duration_s=0.02)
    env.reset(seed=0)
    ends = [env.step(np.zeros(env.action_space.shape, np.float32))[3] for _ in range(5)]
    assert ends == [False] * 4 + [True]
    assert env.data.time == pytest.approx(0.02)
    assert env.controller.control_s == env.options["control_s"] == 0.004
    assert BrainPolicy(fast)._controller.control_s == 0.004


def test_a_control_step_that_physics_cannot_keep_is_refused():
    with pytest.raises(ValueError, match=r"0\.005 s is not a whole number of physics steps of 0\.002 s"):
        OrganismEnv(replace(make("worm"), control_s=0.005))


def test_the_model_is_the_organisms_unless_another_is_asked_for():
    spiking = replace(make("worm"), model="lif")
    assert OrganismEnv(spiking).options["model"] == "lif"
    assert set(OrganismEnv(spiking).brain.network.cells.model) == {"lif"}
    assert OrganismEnv(spiking, model="graded").options["model"] == "graded"


def test_physics_runs_the_declared_control_step():
    for task in ("crawl", "swim"):
        env = OrganismEnv(task=task)
        assert env.body.model.opt.timestep * round(env.control_s / env.body.model.opt.timestep) == pytest.approx(0.01)
    assert mujoco.mj_version() >= 320
