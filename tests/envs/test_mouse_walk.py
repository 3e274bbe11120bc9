"""A mouse walks on its cord: measured bands, and what it cannot do without."""

from functools import cache

import numpy as np
import pytest

from animat.envs.gait import stances
from animat.envs.hindlimb import mean_cycle
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import Recording, run_episode
from animat.envs.tasks import choose_task
from animat.envs.tasks.mouse_walk import LEAST_S, WEIGHT_UN, MouseWalk
from animat.organisms.organism import make


@cache
def walk(seed: int = 0, drive: float = 0.12, duration_s: float = 2.5, **options) -> Recording:
    return run_episode(
        OrganismEnv("mouse", "walk", drive={"command": drive}, duration_s=duration_s, **options), seed=seed
    )


def test_the_same_name_of_a_task_is_each_animals_own():
    assert isinstance(choose_task(make("mouse"), "walk"), MouseWalk)
    assert not isinstance(choose_task(make("fly"), "walk"), MouseWalk)
    with pytest.raises(KeyError, match="'mouse' has no task 'wlk'; did you mean 'walk'"):
        choose_task(make("mouse"), "wlk")


@pytest.mark.parametrize("seed", [200, 201])
def test_a_mouse_walks_as_fast_as_real_ones_with_their_steps(seed):
    found = walk(seed)
    assert found.episode["reason"] == ""
    measures = found.measures
    assert 90 < measures["speed_mm_s"] < 220
    assert 2.58 < measures["step_frequency_hz"] < 4.2
    assert 0.55 < measures["duty_factor"] < 0.77
    assert min(measures[f"{joint}_r"] for joint in ("hip", "knee", "ankle")) > 0.6
    assert abs(measures["turn_deg_s"]) < 15
    assert measures["stepping_legs"] == 4


def test_more_command_makes_it_faster():
    assert walk(200, 0.14).measures["speed_mm_s"] > walk(200).measures["speed_mm_s"] + 2


def test_without_vestibular_axons_it_falls():
    assert walk(200, ablate=("vestibular-roll",)).episode["reason"] == "fell over"


def test_with_frozen_senses_it_falls():
    assert walk(200, freeze_senses=True).episode["reason"] == "fell over"


@pytest.mark.parametrize("brain", ["shuffled", "silent"])
def test_the_walk_is_owed_to_the_wiring(brain):
    assert walk(200, duration_s=2.0, brain=brain).measures.get("stepping_legs", 0) < 4


def test_without_v0_neurons_the_hind_limbs_flex_together():
    for lost, low, high in (((), -1.0, 0.0), (("V0V*", "V0D*"), 0.8, 1.0)):
        found = walk(200, ablate=lost)
        names = found.episode["names"]["neurons"]
        left, right = (found.series["release"][250:, names.index(f"RG-F_{leg}")] for leg in ("LH", "RH"))
        assert low <= np.corrcoef(left, right)[0, 1] <= high


def test_a_halted_mouse_stands():
    found = run_episode(OrganismEnv("mouse", "walk", drive={"command": 0.0, "halt": 1.0}, duration_s=1.5), seed=200)
    assert found.episode["reason"] == ""
    assert found.measures["travel_mm"] < 10
    assert found.measures["tilt_deg"] < 5


def test_one_seed_is_one_walk_bit_for_bit():
    one, two = (
        run_episode(OrganismEnv("mouse", "walk", duration_s=0.3), seed=5).series["qpos"].tobytes() for _ in range(2)
    )
    assert one == two


def test_a_hind_foot_stands_and_swings_with_its_flexor_half_centre():
    found = walk(200)
    names, series = found.episode["names"]["neurons"], found.series
    standing = stances(series["time_s"], series["contacts_un"], WEIGHT_UN, LEAST_S)[500:]
    flexing = series["release"][500:, [names.index(f"RG-F_{leg}") for leg in ("LH", "RH")]] > 0.1
    for side in range(2):
        assert standing[flexing[:, side], side].mean() < 0.5 < standing[~flexing[:, side], side].mean()


def test_a_mean_cycle_runs_from_one_start_of_swing_to_the_next():
    time = np.arange(0, 3, 0.002)
    phase = (time / 0.3 + 0.4) % 1
    cycle = mean_cycle(phase > 0.33, phase[:, None])
    assert cycle is not None
    np.testing.assert_allclose(cycle[:, 0], (np.arange(20) + 0.5) / 20, atol=0.02)
    assert mean_cycle(np.ones(len(time), bool), phase[:, None]) is None
