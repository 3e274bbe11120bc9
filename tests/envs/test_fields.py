"""Fields: their values and slopes, where they are felt, and what they leave alone."""

from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animat.bodies.worm import WormBody
from animat.envs.arenas import Arena
from animat.envs.fields import GaussianField, LinearField, described, from_description
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
from animat.envs.tasks import Chemotaxis, Task
from animat.organisms.organism import make
from animat.registry import UnknownNameError

SALT = {"modality": "chemosensation", "channel": "salt", "unit": "mM"}
GAUSSIAN = GaussianField(**SALT, peak=50.0, sigma_mm=5.0, x_mm=3.0, y_mm=-2.0, background=1.0)
LINEAR = LinearField(**SALT, at_start=20.0, per_mm=0.5, towards_rad=0.7)
place = st.floats(-20, 20)


@pytest.mark.parametrize("field", [GAUSSIAN, LINEAR])
@given(x=place, y=place)
def test_a_fields_slope_is_the_difference_of_its_values_and_both_forms_of_the_value_agree(field, x, y):
    step = 1e-5
    here = np.array([[x, y], [x + step, y], [x, y + step]])
    values = field.values(here)
    assert values[0] == pytest.approx(field.at(x, y), abs=1e-12)
    assert field.gradient(here)[0] == pytest.approx((values[1:] - values[0]) / step, abs=1e-3)


def test_a_gaussian_field_is_highest_at_its_centre_and_steepest_one_sigma_away():
    away = np.column_stack([3.0 + np.linspace(0, 15, 151), np.full(151, -2.0)])
    slope = np.linalg.norm(GAUSSIAN.gradient(away), axis=1)
    assert GAUSSIAN.at(3.0, -2.0) == 51.0
    assert away[slope.argmax(), 0] - 3.0 == pytest.approx(5.0)


@pytest.mark.parametrize("field", [GAUSSIAN, LINEAR])
def test_a_described_field_is_read_back_the_same(field):
    assert from_description(described(field)) == field


def test_an_unknown_kind_of_field_gets_the_near_one():
    with pytest.raises(UnknownNameError, match="did you mean 'LinearField'"):
        from_description({"kind": "LinerField"})


@pytest.mark.parametrize(("name", "message"), [("chanel", "did you mean 'salt'"), ("modality", "chemosensation")])
def test_a_field_of_a_sense_the_body_lacks_is_refused_with_the_near_one(name, message):
    wrong = {"chanel": {"channel": "slat"}, "modality": {"modality": "chemosense"}}[name]
    arena = Arena(fields=(LinearField(**{**asdict(LINEAR), **wrong}),))
    with pytest.raises(UnknownNameError, match=message):
        OrganismEnv(task=Task(name="t", arena=arena))


def test_the_nose_is_the_tip_of_the_first_segment():
    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    line = body.centreline(data)
    assert np.linalg.norm(body.nose(data) - line[0]) == pytest.approx(0.02)
    assert np.linalg.norm(body.nose(data) - line[1]) > 0.058


@pytest.mark.parametrize("planar", [True, False])
def test_a_worm_turned_about_its_middle_has_the_same_shape_and_the_new_heading(planar):
    body = make("worm").body(planar=planar)
    lines = []
    for heading in (0.0, 2.0):
        data = body.new_data()
        body.reset(data, np.random.default_rng(3))
        body.turn(data, heading)
        lines.append(body.centreline(data))
    turn = np.array([[np.cos(2.0), -np.sin(2.0), 0], [np.sin(2.0), np.cos(2.0), 0], [0, 0, 1]])
    assert lines[1] == pytest.approx(lines[0] @ turn.T, abs=1e-9)


def test_the_observation_is_the_field_at_the_nose_in_every_step():
    env = OrganismEnv(task="chemotaxis")
    observation, _ = env.reset(seed=3)
    for _ in range(50):
        nose = env.body.nose(env.data)
        salt = env.task.arena.fields[0].at(nose[0], nose[1])
        assert observation["chemosensation"].tolist() == pytest.approx([salt, 0.0, 0.0], rel=1e-6)
        observation, *_ = env.step(np.zeros(env.action_space.shape, np.float32))


def test_a_field_beyond_what_the_body_can_sense_is_cut_to_it():
    env = OrganismEnv(brain=None, task=Chemotaxis(arena=Arena(fields=(LinearField(**SALT, at_start=-5.0, per_mm=0),))))
    observation, _ = env.reset(seed=0)
    assert observation["chemosensation"][0] == 0.0
    assert observation["chemosensation"] in env.observation_space["chemosensation"]


def test_headings_are_drawn_from_the_seed_and_cover_the_circle():
    env, headings = OrganismEnv(task="chemotaxis", brain=None), []
    for seed in [*range(40), 0]:
        env.reset(seed=seed)
        line = env.body.centreline(env.data)
        forward = line[0] - line[-1]
        headings.append(np.arctan2(forward[1], forward[0]))
    assert headings[-1] == headings[0]
    assert np.histogram(headings[:-1], bins=4, range=(-np.pi, np.pi))[0].min() >= 4


def test_a_recording_keeps_what_the_nose_met_and_the_fields_it_met_it_in():
    recording = run_episode(OrganismEnv(task="thermotaxis", duration_s=0.3), seed=1)
    assert recording.series["field"].shape == (30, 1)
    assert recording.series["field"] == pytest.approx(np.full((30, 1), 20.5), abs=0.06)
    field = from_description(recording.episode["options"]["fields"][0])
    assert field == OrganismEnv(task="thermotaxis").task.arena.fields[0]


class Nosy(WormBody):
    """A worm that smells what repels it with its tail."""

    def organ(self, data, channel):
        return self.centreline(data)[-1] if channel == "odour_repellent" else self.nose(data)


def test_one_field_is_felt_by_several_channels_each_where_its_organ_is():
    def body(**options):
        made = make("worm").body(**options)
        return Nosy(**{part.name: getattr(made, part.name) for part in fields(made)})

    smell = LinearField(modality="chemosensation", channel="odour_*", unit="mM", at_start=10.0, per_mm=2.0)
    task = Task(name="smell", arena=Arena(fields=(smell,)), duration_s=0.2)
    env = OrganismEnv(replace(make("worm"), body=body), task, brain=None)
    recording = run_episode(env, seed=0)
    assert [felt.channel for felt in env.senses.felt] == ["odour_attractive", "odour_repellent"]
    salt, *odours = env.senses.by_modality(env._observed)["chemosensation"]
    assert salt == 0.0
    places = [env.body.organ(env.data, felt.channel)[0] for felt in env.senses.felt]
    assert odours == pytest.approx([10.0 + 2.0 * x for x in places], rel=1e-6)
    assert odours[0] > odours[1] + 1.0
    assert recording.series["field"][-1] == pytest.approx(odours)


def test_an_arena_without_fields_records_none(short):
    assert "field" not in short.series
    assert short.episode["options"]["fields"] == []


def test_salt_that_rises_depolarises_asel_and_salt_that_falls_aser():
    def voltages(slope: float) -> list[float]:
        field = LinearField(**SALT, at_start=25.0, per_mm=slope)
        env = OrganismEnv(task=Task(name="line", arena=Arena(fields=(field,)), duration_s=3.0))
        recording = run_episode(env, seed=0)
        return [recording.series["voltage_mv"][-1, env.brain.names.index(name)] for name in ("ASEL", "ASER")]

    up, down = voltages(20.0), voltages(-20.0)
    assert up[0] > down[0] + 5
    assert down[1] > up[1] + 5
