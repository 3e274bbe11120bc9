"""What a mouse sees moves it: from the pictures of its eyes to the command of its cord and the bend of its trunk."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from animat.bodies.eyes import PictureEye
from animat.bodies.mouse import mouse
from animat.envs.experiment import conditions
from animat.envs.eye_pictures import POINT_PIXELS, EyePictures
from animat.envs.organism_env import OrganismEnv
from animat.envs.policy import BrainPolicy
from animat.envs.recorder import run_episode
from animat.envs.tasks import Approach, OpenField
from animat.envs.tasks.approach import BRIGHT, EXPLORE, with_target
from animat.organisms.mouse import build, colliculus, spinal
from animat.organisms.mouse.colliculus import TectumSettings
from animat.organisms.mouse.sight import Sight
from animat.organisms.mouse.v1 import V1
from animat.registry import UnknownNameError

RADIUS_UM = 30.0  # um: 750 cells


@pytest.fixture(scope="module")
def animal():
    """A mouse with a small V1."""
    controls = {"V1 rewired": lambda seed: Sight(radius_um=RADIUS_UM, rewired=seed)}
    return replace(build(), neuropil=partial(Sight, radius_um=RADIUS_UM), neuropil_controls=controls)


def lying(animal, task, seconds, seed=0, lost=(), **options):
    """An episode of a mouse whose motor neurons are gone, so that what it is told to do changes nothing."""
    env = OrganismEnv(animal, task, duration_s=seconds, ablate=("Mn-*", *lost), **options)
    return run_episode(env, seed=seed)


def release(recording, name):
    return recording.series["release"][:, recording.episode["names"]["neurons"].index(name)]


def target_side(recording):
    nose, *_, tail = recording.series["centreline_mm"][0, :, :2]
    ahead, way = nose - tail, np.array([400.0, 0.0]) - nose
    return "L" if ahead[0] * way[1] - ahead[1] * way[0] > 0 else "R"


def test_a_target_on_either_side_excites_the_colliculus_across_and_the_command_turns_the_mouse_to_it(animal):
    sides, retina = set(), replace(animal, neuropil=partial(Sight, cortex=False))
    for seed in (0, 1):
        found = lying(retina, "approach", 0.4, seed)
        near = target_side(found)
        far = {"L": "R", "R": "L"}[near]
        sides.add(near)
        assert release(found, f"SCm-orient_{far}").mean() > 2 * release(found, f"SCm-orient_{near}").mean()
        assert found.measures["steering"] > 0.005
    assert sides == {"L", "R"}


@pytest.mark.parametrize("options", [{"lost": ("SCs", "SCm-*")}, {"freeze_senses": True}])
def test_without_the_colliculus_or_in_the_dark_nothing_steers(animal, options):
    assert abs(lying(animal, "approach", 0.3, **options).measures["steering"]) < 1e-3


def test_a_ball_from_above_alarms_the_escape_cells_before_contact_and_nothing_to_see_does_not(animal):
    task = {"duration_s": 1.5, "ablate": ("Mn-*",)}
    found = run_episode(OrganismEnv(animal, "looming", **task), seed=0).measures
    assert found["alarm"] == 1.0
    assert 0 < found["alarm_before_contact_ms"] < 1000
    blind = run_episode(OrganismEnv(animal, "looming", freeze_senses=True, **task), seed=0).measures
    assert blind["alarm"] == 0.0


def test_to_walk_a_mouse_needs_no_eyes_and_nothing_above_its_cord():
    env = OrganismEnv(build(), "walk", duration_s=0.1)
    assert set(env.brain.names) == set(spinal.connectome().names)
    assert env.fingerprint == spinal.connectome().fingerprint
    assert env.organism.neuropil is None


def test_the_seed_of_an_episode_is_that_of_the_background_of_v1_and_not_of_its_wiring():
    sight, picture = Sight(radius_um=RADIUS_UM), np.full(2 * 48 * 64, 0.5, np.float32)

    def seen(seed):
        sight.reset(seed)
        return np.array([sight.step(picture, 0.02) for _ in range(10)])

    first, other = seen(1), seen(2)
    wiring = sight.v1.connectome.fingerprint
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first, seen(1))
    assert Sight(radius_um=RADIUS_UM).reset(5) is None
    assert V1(RADIUS_UM, np.random.default_rng(0)).connectome.fingerprint == wiring


def test_one_seed_gives_one_episode_and_another_gives_another(animal):
    runs = [run_episode(OrganismEnv(animal, "approach", duration_s=0.06), seed=seed).series for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0]["release"], runs[1]["release"])
    np.testing.assert_array_equal(runs[0]["qpos"], runs[1]["qpos"])
    assert not np.array_equal(runs[0]["qpos"], runs[2]["qpos"])


def test_in_the_dark_sight_tells_nothing_and_builds_no_v1():
    sight = Sight()
    told = [sight.step(np.zeros(2 * 48 * 64, np.float32), 0.002) for _ in range(30)]
    assert not np.any(told)
    assert sight.v1 is None


def test_sight_goes_on_exactly_from_a_checkpoint_taken_in_light_or_in_the_dark():
    pictures = np.random.default_rng(0).uniform(0.2, 0.9, (5, 2 * 48 * 64)).astype(np.float32)
    pictures[:2] = 0.0
    for cut in (1, 3):
        sight, other = Sight(radius_um=RADIUS_UM), Sight(radius_um=RADIUS_UM)
        for picture in pictures[:cut]:
            sight.step(picture, 0.02)
        other.restore(sight.state)
        for picture in pictures[cut:]:
            np.testing.assert_array_equal(sight.step(picture, 0.02), other.step(picture, 0.02))


def test_rewiring_keeps_how_many_inputs_each_type_has_from_each_and_loses_which():
    own = V1(RADIUS_UM, np.random.default_rng(0))
    dealt = V1(RADIUS_UM, np.random.default_rng(0), rewiring=np.random.default_rng(1))
    assert dealt.connectome.fingerprint != own.connectome.fingerprint
    columns = ["pre", "post", "edges"]
    assert dealt.provenance[columns].equals(own.provenance[columns])
    np.testing.assert_array_equal(dealt.connectome.start, own.connectome.start)
    incoming = [np.bincount(v1.connectome.target, minlength=v1.n) for v1 in (own, dealt)]
    for kind in np.unique(own.kind):
        rows = own.kind == kind
        np.testing.assert_array_equal(*(np.sort(numbers[rows]) for numbers in incoming))


def test_controls_of_the_neuropil_are_conditions_and_a_wrong_name_gets_the_nearest(animal):
    assert conditions((), ("V1 rewired",))["V1 rewired"] == {"neuropil": "V1 rewired"}
    with pytest.raises(UnknownNameError, match="no control 'V1 rewird' of a neuropil; did you mean 'V1 rewired'"):
        OrganismEnv(animal, "approach", neuropil="V1 rewird")


def test_the_brain_as_a_policy_sees_what_the_brain_inside_sees(animal):
    inside, outside = OrganismEnv(animal, "approach"), OrganismEnv(animal, "approach", brain=None)
    _, info = inside.reset(seed=7)
    observation, _ = outside.reset(seed=7)
    policy, state = BrainPolicy(animal, seed=info["brain_seed"], drive={"explore": EXPLORE}), None
    for _ in range(25):
        inside.step(np.zeros(inside.action_space.shape, np.float32))
        action, state = policy.predict(observation, state)
        observation, *_ = outside.step(action)
    assert np.array_equal(inside.data.qpos, outside.data.qpos)


def test_pictures_are_taken_fifty_times_a_second():
    env = OrganismEnv(build(), "approach", brain=None)
    observation, _ = env.reset(seed=0)
    seen = [observation["vision"].copy()]
    for _ in range(20):
        observation, *_ = env.step(np.ones(env.action_space.shape, np.float32))
        seen.append(observation["vision"].copy())
    changes = [k for k in range(1, 21) if not np.array_equal(seen[k], seen[k - 1])]
    assert changes == [10, 20]


def test_the_target_is_dark_before_a_bright_ground_and_stands_in_the_way():
    body = mouse(pillars=Approach().arena.pillars)
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    left, right = body.retina().look(data, BRIGHT, 0.0).reshape(2, 48, 64)
    for picture in (left, right):  # straight ahead, where both eyes see
        assert set(np.unique(picture.round(2))) == {0.05, 0.7}
    assert body.model.geom("pillar_0").size[0] == Approach().arena.pillars[0].radius_mm


def test_approach_is_measured_by_the_gap_that_is_closed():
    line = np.zeros((50, 4, 3))
    line[:, :, 0] = np.array([0.0, -30.0, -60.0, -90.0])
    line[:, :, 0] += np.linspace(0.0, 185.0, 50)[:, None]  # half of 370 mm, straight on
    series = {name: np.zeros((50, 4)) for name in ("contacts_un",)}
    series |= {"time_s": np.arange(50) * 0.02, "centreline_mm": line, "feet_mm": np.zeros((50, 4, 3))}
    series |= {"hind_rad": np.zeros((50, 2, 3))}
    series |= {"up": np.tile([0.0, 0.0, 1.0], (50, 1)), "qpos": np.zeros((50, 7)), "excitation": np.zeros((50, 42))}
    names = {"neurons": [], "types": [], "effectors": list(mouse().effectors), "modalities": [], "panel": []}
    found = Approach(duration_s=1.0).measures(series, names)
    assert found["approach_index"] == pytest.approx(0.5)
    assert found["heading_error_deg"] == pytest.approx(0.0, abs=1e-6)
    assert found["reached"] == 0.0
    assert "steering" not in found


def test_an_open_field_is_measured_by_the_squares_that_are_visited(animal):
    found = run_episode(OrganismEnv(animal, OpenField(duration_s=0.2)), seed=0).measures
    assert found["area_mm2"] >= 625.0
    assert {"path_mm", "turning_deg_s", "near_share", "speed_mm_s"} <= set(found)


def test_the_pictures_of_the_eyes_are_drawn_as_they_are_seen():
    eyes = mouse().retina().eyes
    assert all(isinstance(eye, PictureEye) for eye in eyes)
    seen = np.arange(2 * 48 * 64) % 251
    drawn = EyePictures(eyes).drawn(np.zeros((300, 600, 3), np.uint8), seen.astype(np.uint8), 10, 5)
    right = 10 + 64 * POINT_PIXELS + 8
    assert drawn[5, 10, 0] == seen[0]
    assert drawn[5 + POINT_PIXELS, 10 + POINT_PIXELS, 0] == seen[65]
    assert drawn[5, right + POINT_PIXELS, 0] == seen[48 * 64 + 1]


def test_an_animal_of_lines_that_do_not_fit_its_points_is_refused():
    with pytest.raises(ValueError, match="PictureEye: 1 points are not 2 lines of 2"):
        PictureEye(side="left", directions=np.array([[1.0, 0.0, 0.0]]), width=2, height=2)


def test_what_v1_and_colliculus_are_made_of_is_told(animal):
    shares = animal.provenances()
    assert all(sum(kinds.values()) == pytest.approx(1.0) for kinds in shares.values())
    assert {kind for kinds in shares.values() for kind in kinds} == {
        "em_statistics",
        "published_model",
        "tracer_regression",
        "assumed",
    }


def test_the_drive_to_explore_commands_the_pace_of_the_measured_mice(animal):
    dark = Approach(arena=replace(with_target(), panorama=None), duration_s=0.3)
    found = run_episode(OrganismEnv(animal, dark, ablate=("Mn-*",)), seed=0)
    assert release(found, "command_L")[-20:].mean() == pytest.approx(0.12, abs=0.01)
    assert TectumSettings().explore == EXPLORE
    assert colliculus.connectome().n < animal.connectome.n
