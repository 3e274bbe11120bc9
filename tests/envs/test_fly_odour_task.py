"""A fly in a plume: the wind of an arena, what carries it upwind, and what is counted as that."""

import numpy as np
import pytest

from animat.bodies.fly_tables import LEGS
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
from animat.envs.tasks.odour import Odour, windy


def senses(env):
    return dict(
        zip(env.body.channels["antenna"], env.senses.by_modality(env.senses.read(0.0)[0])["antenna"], strict=True)
    )


@pytest.mark.parametrize(("wind", "stronger"), [((0.0, -100.0), "L"), ((0.0, 100.0), "R")])
def test_the_wind_of_the_arena_reaches_the_antenna_it_comes_from(wind, stronger):
    env = OrganismEnv("fly", Odour(arena=windy(wind)), brain=None)
    env.body.reset(env.data, np.random.default_rng(0))  # it looks along +x
    felt = senses(env)
    other = "R" if stronger == "L" else "L"
    assert felt[f"antenna_{stronger}_wind"] == pytest.approx(100 * np.sqrt(0.5), rel=0.1)
    assert felt[f"antenna_{other}_wind"] == pytest.approx(-100 * np.sqrt(0.5), rel=0.1)


def test_still_air_is_the_default_and_the_source_lies_straight_upwind():
    env = OrganismEnv("fly", "walk", brain=None)
    assert not env.body.model.opt.wind.any()
    plume = windy((0.0, 50.0), away_mm=30.0).fields[0]
    assert (plume.x_mm, plume.y_mm, plume.speed_mm_s) == (0.0, -30.0, 50.0)


def test_a_seed_sets_heading_and_plume_and_the_recording_keeps_the_plume():
    env = OrganismEnv("fly", "odour", brain=None)
    seen = []
    for seed in (7, 8, 7):
        observation, _ = env.reset(seed=seed)
        seen.append((env.options["fields"][0]["seed"], *observation["olfaction"].tolist(), *env._posture[3:5]))
    assert seen[0] == seen[2]
    assert all(a != b for a, b in zip(seen[0], seen[1], strict=True))


def test_odour_takes_a_fly_that_looks_away_upwind_to_the_source_and_faster():
    live = run_episode(OrganismEnv("fly", "odour", duration_s=6.0), seed=2).measures  # starts 118 degrees off
    assert live["reached"] == 1
    assert live["upwind_index"] > 0.7
    without = run_episode(OrganismEnv("fly", "odour", duration_s=6.0, ablate=("ORN",)), seed=2).measures
    assert without["upwind_index"] < 0
    assert without["reached"] == 0
    assert live["ground_mm_s"] > 1.2 * without["ground_mm_s"]


def track(path):
    """Series of a body without legs to speak of that goes along a path, 200 samples a second."""
    n = len(path)
    line = np.zeros((n, 4, 3))
    line[:, :, :2] = path[:, None]
    line[:, :, 0] -= np.linspace(0.0, 2.0, 4) - 1.0
    odour = np.zeros((n, 4))
    odour[n // 2 :, :2] = 0.5
    feet, up = np.zeros((n, len(LEGS), 3)), np.tile([0.0, 0.0, 1.0], (n, 1))
    series = {"time_s": 0.005 * np.arange(1, n + 1), "centreline_mm": line, "field": odour, "feet_mm": feet, "up": up}
    return {**series, "contacts_un": np.ones((n, len(LEGS)))}


def test_upwind_is_counted_until_the_fly_arrives():
    along = np.concatenate([np.linspace(0.0, 45.0, 600), np.linspace(45.0, -60.0, 600)])  # there, and far away again
    found = Odour().measures(track(np.stack([along, 0 * along], axis=1)), {})
    assert found["reached"] == 1
    assert found["upwind_mm_s"] == pytest.approx(15.0, rel=0.02)
    assert found["upwind_index"] == pytest.approx(1.0, rel=0.01)
    assert found["reached_s"] == pytest.approx(40 / 15, rel=0.05)
    across = np.linspace(0.0, 60.0, 800)
    found = Odour().measures(track(np.stack([0 * across, across], axis=1)), {})
    assert found["upwind_index"] == pytest.approx(0.0, abs=1e-9)
    assert found["ground_mm_s"] == pytest.approx(15.0, rel=0.02)
    assert (found["reached"], found["odour_share"]) == (0, pytest.approx(4 / 7, abs=0.02))
    assert "reached_s" not in found


def test_the_plume_of_the_task_is_always_at_the_start_and_beside_it_now_and_then():
    plume = windy().fields[0]
    start, beside = (np.array([plume.at(0.0, y, 0.3, t) for t in np.arange(0.0, 60.0, 0.1)]) for y in (0.0, 25.0))
    assert (start > 0.1).mean() > 0.95
    assert 0.02 < (beside > 0.1).mean() < 0.6
