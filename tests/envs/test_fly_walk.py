"""A fly walks on the wired rhythm: published bands, and what it cannot do without."""

import numpy as np
import pytest

from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode


def walk(seed: int = 0, duration_s: float = 2.0, **options) -> dict[str, float]:
    recording = run_episode(OrganismEnv("fly", "walk", duration_s=duration_s, **options), seed=seed)
    assert recording.episode["reason"] == ""
    return recording.measures


@pytest.fixture(scope="module")
def live():
    return walk(duration_s=3.0)


def test_a_fly_walks_at_a_published_speed_with_a_tripod_gait(live):
    assert 5 < live["speed_mm_s"] < 30
    assert 10 < live["step_frequency_hz"] < 15
    assert 0.6 < live["duty_factor"] < 0.7
    assert live["phase_error"] < 0.2
    assert abs(live["turn_deg_s"]) < 10


@pytest.mark.parametrize("lost", ["IN17A001", "INXXX466", "IN16B036"])
def test_no_cell_of_the_rhythm_can_be_missing(lost, live):
    lame = walk(ablate=(lost,))
    assert abs(lame["speed_mm_s"]) < 0.2 * live["speed_mm_s"]


def test_without_the_command_a_fly_stands():
    assert abs(walk(drive={"DNg100": 0.0})["speed_mm_s"]) < 0.1


def test_a_stronger_command_makes_it_faster_until_it_saturates():
    speeds = [walk(drive={"DNg100": drive})["speed_mm_s"] for drive in (250.0, 300.0, 400.0, 500.0)]
    assert np.diff(speeds).min() > 0


def test_dna02_turns_the_fly_to_its_own_side_the_more_the_stronger():
    turns = {drive: walk(drive={"DNa02_R": drive})["turn_deg_s"] for drive in (0.0, 20.0, 50.0, 100.0)}
    assert np.diff(list(turns.values())).max() < 0  # to the right is negative
    assert walk(drive={"DNa02_L": 50.0})["turn_deg_s"] == pytest.approx(-turns[50.0], abs=30)


def test_uncoupled_legs_step_without_a_tripod(live):
    apart = walk(ablate=("coupling",), duration_s=3.0)
    assert not apart.get("phase_error", np.nan) < 0.2


def test_mdn_instead_of_dng100_makes_it_go_backward():
    assert walk(drive={"DNg100": 0.0, "MDN": 400.0}, seed=7)["speed_mm_s"] < -1.0
