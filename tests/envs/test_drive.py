"""What drives neurons beside the senses: constants, stimulation, and noise of a known size, memory and seed."""

import numpy as np
import pytest

from animat.envs.drive import NOISE_TAU_S, Drive
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode

NAMES = tuple(f"N{i}" for i in range(400))
NOTHING = np.zeros(1, np.float32)
STEP_S = 0.01


def drive(noise_mv: float = 0.0, constant=None, step_s: float = STEP_S) -> Drive:
    return Drive(NAMES, lambda name: (name,), constant or {}, ("N3",), 20.0, noise_mv, step_s)


def series(made: Drive, steps: int, seed: int = 0) -> np.ndarray:
    made.reset(np.random.default_rng(seed))
    return np.array([made.next(NOTHING) for _ in range(steps)])


def test_constant_and_clipped_stimulation_add_up_and_leave_nothing_behind():
    made = drive(constant={"N1": 5.0, "N3": -1.0})
    made.reset(np.random.default_rng(0))
    stimulated = made.next(np.array([3.0], np.float32))
    assert {i: stimulated[i] for i in np.flatnonzero(stimulated)} == {1: 5.0, 3: 19.0}
    assert made.next(NOTHING)[3] == -1.0


def test_a_neuron_that_the_brain_has_lost_is_passed_over():
    made = Drive(NAMES[:2], lambda name: (name, "N1"), {"N9": 4.0}, ("N9",), 20.0, 0.0, STEP_S)
    made.reset(np.random.default_rng(0))
    assert made.stimulated == ("N1",)
    assert made.next(NOTHING).tolist() == [0.0, 4.0]


@pytest.mark.parametrize("step_s", [0.01, 0.1])
def test_noise_has_its_size_from_the_first_step_on_and_forgets_in_its_correlation_time(step_s):
    steps = round(20 / step_s)
    noise = series(drive(4.0, step_s=step_s), steps)
    assert noise[0].std() == pytest.approx(4.0, rel=0.1)  # 400 neurons: 3.5 % standard error
    assert noise.std() == pytest.approx(4.0, rel=0.05)
    lag = round(NOISE_TAU_S / step_s)
    kept = (noise[lag:] * noise[:-lag]).mean() / noise.var()
    assert kept == pytest.approx(np.exp(-1), abs=0.05)
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.6  # each neuron has its own; about 10 free samples


def test_one_seed_gives_one_noise_and_another_seed_another():
    assert (series(drive(4.0), 50) == series(drive(4.0), 50)).all()
    assert (series(drive(4.0), 50) != series(drive(4.0), 50, seed=1)).all()


def test_without_noise_nothing_is_drawn():
    made, rng = drive(), np.random.default_rng(0)
    made.reset(rng)
    made.next(NOTHING)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_noise_that_cannot_be_is_refused(value):
    with pytest.raises(ValueError, match=r"noise_mv \(.* mV\) must be 0 or more"):
        OrganismEnv("worm", "crawl", noise_mv=value)


def test_a_drive_that_is_not_finite_is_refused_by_its_selector():
    with pytest.raises(ValueError, match="drive of 'N1' \\(nan mV\\) is not finite"):
        drive(constant={"N1": np.nan})


def test_a_worm_with_noisy_membranes_reverses_untouched_and_one_without_noise_does_not():
    noisy, quiet = (
        run_episode(OrganismEnv("worm", "explore", duration_s=60.0, **options), seed=0)
        for options in ({}, {"noise_mv": 0.0})
    )
    assert noisy.measures["reversals_per_min"] >= 1
    assert 0.5 <= noisy.measures["reversal_s"] < 10
    assert noisy.measures["speed_mm_s"] > 0.03  # forward all the same
    assert quiet.measures["reversals_per_min"] == 0
    assert "reversal_s" not in quiet.measures
