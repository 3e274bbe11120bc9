"""A fly that walks onto sugar stops and puts its proboscis out, by what its feet taste."""

import numpy as np
import pytest

from animat.envs.fields import PatchField
from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import run_episode
from animat.organisms.organism import make


def measures(**options):
    return run_episode(OrganismEnv("fly", "feed", **options), seed=4).measures


def test_a_fly_stops_on_sugar_and_feeds():
    found = measures()
    assert found["feeding_share"] > 0.9
    assert abs(found["late_speed_mm_s"]) < 1.0


@pytest.mark.parametrize("options", [{"freeze_senses": True}, {"ablate": ("sugarGRN",)}, {"ablate": ("MN9",)}])
def test_it_does_not_feed_without_taste_or_its_motor_neuron(options):
    assert measures(**options)["feeding_share"] == 0.0


@pytest.mark.parametrize(("grn_hz", "mn9_hz"), [(100.0, 67.0), (200.0 * np.tanh(1.0), 86.0)])
def test_sugar_neurons_drive_mn9_as_published_which_is_what_the_counts_were_set_to(grn_hz, mn9_hz):
    brain = make("fly").brain()
    drive = np.zeros(brain.n)
    drive[brain.names.index("sugarGRN_LF")] = 7.5 + 200.0 * np.arctanh(grn_hz / 200.0)
    rate = brain.step(drive, 1.0).voltage
    assert rate[brain.names.index("sugarGRN_LF")] == pytest.approx(grn_hz, rel=0.01)
    assert rate[brain.names.index("MN9_L")] == pytest.approx(mn9_hz, rel=0.06)


def test_bitter_on_the_same_foot_keeps_the_proboscis_in():
    brain = make("fly").brain()
    drive = np.zeros(brain.n)
    drive[[brain.names.index(f"{taste}GRN_LF") for taste in ("sugar", "bitter")]] = 120.0
    assert brain.step(drive, 1.0).voltage[brain.names.index("MN9_L")] < 1.0


def test_a_patch_is_tasted_by_what_touches_it_only():
    patch = PatchField(modality="taste", channel="taste_LF_sugar", unit="mM", value=100.0, radius_mm=2.0, x_mm=5.0)
    assert [patch.at(*place) for place in ((5, 0, 0.05), (6.9, 0, 0.0), (7.1, 0, 0.0), (5, 0, 0.5))] == [100, 100, 0, 0]
    with pytest.raises(ValueError, match=r"radius_mm \(0 mm\)"):
        PatchField(modality="taste", channel="x", unit="mM", value=1.0, radius_mm=0, x_mm=0.0)
