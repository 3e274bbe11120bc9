"""Coordination of four limbs from swings that were made up with known steps."""

import numpy as np
import pytest

from animat.envs.quadruped import LIMBS, Coordination, coordination

TIME_S = np.arange(0.0, 3.0, 0.001)


def swings(hz: float, duty: float, phases: tuple[float, ...]) -> np.ndarray:
    offsets = np.array([0.0, *phases])
    return (TIME_S[:, None] * hz - 0.1 - offsets) % 1.0 < 1.0 - duty


@pytest.mark.parametrize(
    ("duty", "phases", "gait"),
    [
        (0.7, (0.5, 0.3, 0.8), "walk"),
        (0.7, (0.5, 0.7, 0.2), "walk"),
        (0.5, (0.5, 0.5, 0.0), "trot"),
        (0.4, (0.15, 0.5, 0.75), "gallop"),
        (0.4, (0.85, 0.5, 0.35), "gallop"),
        (0.3, (0.0, 0.6, 0.6), "bound"),
        (0.4, (0.5, 0.3, 0.8), "other"),  # a walk has a duty above one half
        (0.5, (0.5, 0.0, 0.5), "other"),  # a pace
    ],
)
def test_made_up_steps_are_measured_and_named(duty, phases, gait):
    found = coordination(TIME_S, swings(4.0, duty, phases))
    assert found is not None
    assert found.frequency_hz == pytest.approx(4.0, rel=0.01)
    assert found.duty == pytest.approx(duty, abs=0.01)
    apart = np.abs((np.array(found.phases) - phases + 0.5) % 1.0 - 0.5)
    assert apart.max() < 0.01
    assert found.closeness > 0.99
    assert found.gait == gait


def test_limbs_at_different_rates_keep_no_phase():
    moving = swings(4.0, 0.6, (0.5, 0.5, 0.0))
    moving[:, 1] = swings(5.0, 0.6, (0.5, 0.5, 0.0))[:, 1]
    found = coordination(TIME_S, moving)
    assert found is not None
    assert found.closeness < 0.2


@pytest.mark.parametrize("limb", range(len(LIMBS)))
def test_a_limb_that_does_not_step_leaves_nothing_to_measure(limb):
    moving = swings(4.0, 0.6, (0.5, 0.5, 0.0))
    moving[:, limb] = False
    assert coordination(TIME_S, moving) is None


def test_a_gait_has_one_name_on_each_side_of_its_borders():
    def named(right_hind: float) -> str:
        phases = (right_hind, 0.5, 0.75)
        return Coordination(frequency_hz=9.0, duty=0.4, phases=phases, closeness=1.0).gait

    assert [named(phase) for phase in (0.02, 0.03, 0.97, 0.98)] == ["bound", "gallop", "gallop", "bound"]
