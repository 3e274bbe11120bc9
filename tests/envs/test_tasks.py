"""Tasks: what happens when, and what is rewarded."""

from dataclasses import replace

import numpy as np
import pytest

from animat.envs.organism_env import OrganismEnv
from animat.envs.tasks import TASKS, Crawl, Task, Touch, choose_task
from animat.organisms.organism import ORGANISMS, make
from animat.registry import UnknownNameError


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_rewards_forward_motion_and_nothing_sideways(name):
    task, start, axis = TASKS[name](), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0)
    rewards = [
        task.reward((*start, *axis, 1.0), (1.0 + x, 1.0 + y, 0.0, *axis, 1.0), 0.01)
        for x, y in ((2e-3, 0), (-2e-3, 0), (0, 2e-3))
    ]
    assert rewards == pytest.approx([0.2, -0.2, 0.0])


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_takes_a_duration_and_refuses_an_impossible_one(name):
    assert TASKS[name](duration_s=3.0).duration_s == 3.0
    with pytest.raises(ValueError, match=r"duration_s \(0 s\)"):
        TASKS[name](duration_s=0)


def test_crawling_is_on_agar_and_swimming_in_water():
    assert (TASKS["crawl"]().arena.medium, TASKS["swim"]().arena.medium) == ("agar", "water")


def test_touch_presses_the_front_then_the_rear_and_only_then():
    task, env = Touch(anterior_s=1.0, posterior_s=2.0, touch_s=0.5), OrganismEnv(task="touch")
    force = {t: task.stimuli(t, env.body).get("touch", np.zeros(25)) for t in (0.5, 1.2, 1.7, 2.2, 2.7)}
    assert [float(f.sum()) for f in force.values()] == [0.0, 40.0, 0.0, 40.0, 0.0]
    assert np.flatnonzero(force[1.2]).max() < 12 < np.flatnonzero(force[2.2]).min()


def test_a_touch_shows_in_the_observation_and_depolarises_its_receptor_neurons():
    env = OrganismEnv(task=Touch(anterior_s=0.2, posterior_s=0.6, touch_s=0.2, duration_s=1.0))
    observation, _ = env.reset(seed=0)
    at = [env.brain.names.index(name) for name in ("ALML", "PLML")]
    voltage, touch = [], []
    for _ in range(80):
        observation, *_ = env.step(np.zeros(env.action_space.shape, np.float32))
        voltage.append(env.activity.voltage[at])
        touch.append(observation["touch"].sum())
    (alm, plm), touch = np.transpose(voltage), np.array(touch)
    assert (touch[[10, 30, 50, 70]] > 0).tolist() == [False, True, False, True]
    assert alm[38] > alm[18] + 10 > plm[38] + 5
    assert plm[78] > plm[58] + 10


def test_touch_measures_are_means_over_their_windows():
    task = Touch()
    time_s = np.arange(0.01, 18.005, 0.01)
    x = np.where(time_s < 6, 0.1 * time_s, np.where(time_s < 13, 0.6 - 0.2 * (time_s - 6), -0.8 + 0.3 * (time_s - 13)))
    line = np.zeros((len(time_s), 25, 3))
    line[..., 0] = x[:, None] - np.arange(25) / 25
    measures = task.track_measures(time_s, line)
    assert measures["speed_before_anterior_mm_s"] == pytest.approx(0.1, rel=1e-6)
    assert measures["speed_anterior_mm_s"] == pytest.approx(-0.2, rel=1e-6)
    assert measures["speed_posterior_mm_s"] == pytest.approx(0.3, rel=1e-6)
    assert "speed_posterior_mm_s" not in task.track_measures(time_s[:700], line[:700])


def test_touch_measures_the_swing_of_the_head_in_the_reversal_and_the_ventral_turn_after_it():
    task, time_s = Touch(), np.arange(0.01, 18.005, 0.01)
    swinging = (time_s > 6) & (time_s < 8)
    bend = np.where(swinging, 0.2 * np.sqrt(2) * np.sin(20 * np.pi * time_s / 1.8), 0.0)
    bend = np.where((time_s >= 8) & (time_s < 11), -0.3, bend)  # the body's own sign: dorsal is positive
    heading = np.pi - np.cumsum(np.where(np.arange(24) < 7, bend[:, None], 0.0), axis=1)  # from the nose tailwards
    steps = np.stack([np.cos(heading), np.sin(heading), np.zeros_like(heading)], axis=2) / 25
    line = np.concatenate([np.zeros((len(time_s), 1, 3)), np.cumsum(steps, axis=1)], axis=1)
    measures = task.track_measures(time_s, line)
    assert measures["head_bend_anterior_rad"] == pytest.approx(0.2, rel=0.01)
    assert measures["ventral_bend_after_rad"] == pytest.approx(0.3, rel=0.01)
    assert "ventral_bend_after_rad" not in task.track_measures(time_s[:900], line[:900])


def test_a_task_by_name_as_an_object_and_by_default_is_the_animals_own():
    worm = make("worm")
    assert choose_task(worm).name == worm.tasks[0] == "crawl"
    assert choose_task(worm, "swim", duration_s=2.0).duration_s == 2.0
    task = Crawl(duration_s=3.0)
    assert choose_task(worm, task) is task


def test_a_task_of_another_animal_is_refused_with_the_nearest_that_this_animal_has():
    sloth = replace(make("worm"), name="sloth", tasks=("hang", "scrawl"))
    for task in ("crawl", Crawl()):
        with pytest.raises(UnknownNameError, match="organism 'sloth' has no task 'crawl'; did you mean 'scrawl'"):
            choose_task(sloth, task)
    with pytest.raises(UnknownNameError, match="organism 'worm' has no task 'swam'; did you mean 'swim'"):
        choose_task(make("worm"), "swam")
    anyones = Task(name="lie", arena=Crawl().arena)
    assert choose_task(sloth, anyones) is anyones


@pytest.mark.parametrize("name", sorted(ORGANISMS))
def test_every_task_of_an_organism_exists_and_is_for_it(name):
    organism = make(name)
    for task in organism.tasks:
        assert choose_task(organism, task).name == task
    assert set(organism.ablations) <= set(organism.tasks)


def test_what_the_task_drives_is_driven_unless_the_user_says_otherwise():
    task = Crawl(drive={"AVB": 5.0, "AVA": 1.0})
    assert OrganismEnv(task=task).options["drive"] == {"AVB": 5.0, "AVA": 1.0}
    assert OrganismEnv(task=task, drive={"AVA": -2.0}).options["drive"] == {"AVB": 5.0, "AVA": -2.0}
    constant = OrganismEnv(task=task)._drive
    constant.reset(np.random.default_rng(0))
    driven = constant.next(np.zeros(1, np.float32))
    names = OrganismEnv(brain="connectome").brain.names
    assert {names[i]: driven[i] for i in np.flatnonzero(driven)} == {"AVBL": 5.0, "AVBR": 5.0, "AVAL": 1.0, "AVAR": 1.0}


def test_a_task_without_an_animal_of_its_own_measures_speed_and_travel():
    time_s = np.arange(1, 101) * 0.01
    line = np.zeros((100, 3, 3))
    line[..., 0] = 2.0 * time_s[:, None] - np.arange(3)
    measures = Task(name="go", arena=Crawl().arena).measures({"time_s": time_s, "centreline_mm": line}, {})
    assert measures == {"speed_mm_s": pytest.approx(2.0), "travel_mm": pytest.approx(1.98)}
