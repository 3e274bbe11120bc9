"""The fly's vision as a whole: optomotor and looming signals of two eyes, and what must not cause them."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from animat.bodies.eyes import hexagonal_eye, measured_eye
from animat.envs.panorama import Drum, SkyAndGround, looming_ball
from animat.organisms.fly.lobula_plate import (
    DIRECTION,
    LAYERS,
    OPPOSING,
    WIDE_FIELD,
    LobulaPlate,
    LobulaPlateSettings,
    published_counts,
)
from animat.organisms.fly.vision import OpticLobe, ReceptorSettings

EYES = (hexagonal_eye("left"), hexagonal_eye("right"))
FRAME_S = 0.01
MAP = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fly" / "ucl_hex_right_20240701_tomale.csv"


@dataclass
class Orbit:
    """A dark disc of constant size that circles the animal: it moves but does not loom."""

    half_deg: float
    speed_deg_s: float
    azimuth_deg: float
    upward: bool

    def luminance(self, directions, position_mm, time_s):
        turned = np.radians(self.speed_deg_s * (time_s - 0.5))
        az, el = np.radians(self.azimuth_deg), 0.0
        az, el = (az, turned) if self.upward else (az + turned, el)
        centre = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
        inside = directions @ centre >= np.cos(np.radians(self.half_deg))
        return np.where(inside, 0.0, SkyAndGround().luminance(directions, position_mm, time_s))


@dataclass
class Dimming:
    """Sky and ground that darken everywhere at once."""

    fall_s: float

    def luminance(self, directions, position_mm, time_s):
        left = 1.0 - 0.9 * np.clip((time_s - 0.3) / self.fall_s, 0.0, 1.0)
        return left * SkyAndGround().luminance(directions, position_mm, time_s)


@pytest.fixture(scope="module")
def lobe():
    return OpticLobe(EYES)


def watch(lobe, scene, duration_s, still_s=0.2):
    """The motion signals of every frame, after a time in which the scene stands still."""
    lobe.reset()
    seen = []
    for i in range(-round(still_s / FRAME_S), round(duration_s / FRAME_S)):
        light = [eye.look(scene, np.eye(3), np.zeros(3), max(i, 0) * FRAME_S) for eye in lobe.eyes]
        motion = lobe.step(np.stack(light), FRAME_S)
        if i >= 0:
            seen.append(motion)
    return seen


def rotation(lobe, frequency_hz, period_deg=30.0):
    seen = watch(lobe, Drum(period_deg=period_deg, speed_deg_s=period_deg * frequency_hz), 1.5)
    return np.mean([motion.rotation for motion in seen[50:]])


def test_the_optomotor_signal_has_the_sign_of_the_turn_and_none_without_one(lobe):
    left, right = rotation(lobe, 1.0), rotation(lobe, -1.0)
    assert left > 0.1
    assert right == pytest.approx(-left, rel=0.05)
    assert rotation(lobe, 0.0) == 0.0


def test_the_measured_eyes_of_852_facets_give_the_same_optomotor_signal(lobe):
    if not MAP.is_file():
        pytest.skip("the measured eye map is not at hand: ucl_hex_right_20240701_tomale.csv of connectome-interpreter")
    real = OpticLobe((measured_eye(MAP, "left"), measured_eye(MAP, "right")))
    signal = rotation(real, 1.0)
    assert signal == pytest.approx(-rotation(real, -1.0), rel=0.05)
    assert signal == pytest.approx(rotation(lobe, 1.0), rel=0.3)


def test_the_optomotor_signal_is_largest_near_one_stripe_a_second_as_in_flies(lobe):
    curve = {hz: rotation(lobe, hz) for hz in (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)}
    assert max(curve, key=curve.get) in (0.5, 1.0)
    assert curve[0.5] > curve[0.25] > curve[0.1] > 0
    assert curve[1.0] > curve[2.0] > curve[4.0] > curve[8.0] > 0


def test_the_optomotor_signal_grows_with_contrast_and_saturates(lobe):
    curve = [
        np.mean([m.rotation for m in watch(lobe, Drum(period_deg=30.0, speed_deg_s=30.0, contrast=contrast), 1.5)[50:]])
        for contrast in (0.1, 0.2, 0.5, 1.0)
    ]
    assert 0 < curve[0] < 0.5 * curve[1]
    assert curve[3] < 1.2 * curve[2]


def test_each_wide_field_cell_prefers_its_published_direction(lobe):
    turn = Drum(period_deg=30.0, speed_deg_s=30.0)
    pitch = Drum(period_deg=30.0, speed_deg_s=30.0, axis=(0.0, 1.0, 0.0))
    roll = Drum(period_deg=30.0, speed_deg_s=30.0, axis=(1.0, 0.0, 0.0))
    turning, pitching, rolling = (watch(lobe, scene, 1.5)[50:] for scene in (turn, pitch, roll))
    hs, h2 = (np.mean([getattr(m, name) for m in turning], axis=0) for name in ("hs", "h2"))
    assert hs[0] > 2 * abs(hs[1])  # the surround turns left: front to back on the left eye
    assert h2[1] > 2 * abs(h2[0])
    vs_pitch, vs_roll = (np.mean([m.vs for m in seen], axis=0) for seen in (pitching, rolling))
    assert vs_roll[1] > 1.5 * vs_roll[0]  # rolling about x: down on the right, up on the left
    assert vs_pitch[0] == pytest.approx(vs_pitch[1], rel=0.05)


def test_the_counts_alone_give_hs_front_to_back_and_h2_back_to_front_excitation():
    counts = published_counts().set_index(["target", "source"])
    both = counts["synapses_right"] + counts["synapses_left"]
    for cell in ("HSN", "HSE", "HSS"):
        assert both[cell, "T4a"] + both[cell, "T5a"] > 20 * (both.get((cell, "T4b"), 0) + both.get((cell, "T5b"), 0))
        assert counts.loc[(cell, "LPi15"), "sign"] == -1
    assert both["LPi15", "T4b"] + both["LPi15", "T5b"] > 20 * (both["LPi15", "T4a"] + both["LPi15", "T5a"]) / 2
    assert both["H2", "T4b"] + both["H2", "T5b"] > 12_000


def looming(lobe, l_over_v_s, azimuth_deg):
    """LPLC2 of both eyes in every frame before a ball touches, (frames, 2)."""
    ball = looming_ball(azimuth_deg=azimuth_deg, l_over_v_s=l_over_v_s, contact_s=0.6)
    return np.array([motion.looming for motion in watch(lobe, ball, 0.6 - l_over_v_s)])


@pytest.mark.parametrize("l_over_v_s", [0.02, 0.04])
@pytest.mark.parametrize(("azimuth_deg", "side"), [(25.0, 0), (-40.0, 1), (60.0, 0), (-75.0, 1), (95.0, 0)])
def test_a_looming_ball_is_announced_before_contact_on_its_side_only(lobe, l_over_v_s, azimuth_deg, side):
    seen = looming(lobe, l_over_v_s, azimuth_deg)
    assert seen[:, side].max() > 1.0
    assert seen[:, 1 - side].max() == 0.0
    assert not seen[:10].any()


def test_a_ball_of_10_ms_is_announced_in_its_last_20_ms_and_only_weakly(lobe):
    peaks = [looming(lobe, 0.01, azimuth).max(axis=1) for azimuth in (25.0, -40.0, 55.0, -70.0, 85.0, -95.0)]
    assert sum(peak.max() > 0 for peak in peaks) >= 4
    assert all(peak.max() < 1 and not peak[:-3].any() for peak in peaks)


def test_the_slower_a_ball_comes_the_earlier_it_is_announced(lobe):
    before = []
    for l_over_v_s in (0.02, 0.04, 0.08):
        seen = looming(lobe, l_over_v_s, 50.0)[:, 0]
        before.append(0.6 - np.flatnonzero(seen > 0.2)[0] * FRAME_S)
    assert before == sorted(before)
    assert before[0] > 0.03


@pytest.mark.parametrize(
    "scene",
    [
        *[looming_ball(azimuth_deg=40.0, l_over_v_s=lv, recede=True) for lv in (0.01, 0.02, 0.04)],
        *[Dimming(fall_s) for fall_s in (0.03, 0.1, 0.3)],
        *[
            Orbit(8.0, speed, azimuth, up)
            for speed in (40.0, 160.0)
            for azimuth in (40.0, -80.0)
            for up in (True, False)
        ],
        Drum(period_deg=30.0, speed_deg_s=60.0, contrast=1.0),
    ],
    ids=str,
)
def test_what_recedes_darkens_turns_or_is_small_and_only_moves_is_not_announced(lobe, scene):
    assert max(motion.looming.max() for motion in watch(lobe, scene, 0.9)) < 0.2


def test_the_lplc2_that_answers_looks_to_where_the_ball_comes_from(lobe):
    for azimuth in (30.0, 60.0, 90.0):
        ball = looming_ball(azimuth_deg=azimuth, l_over_v_s=0.04, contact_s=0.5)
        peak = np.max([motion.lplc2[0] for motion in watch(lobe, ball, 0.46)], axis=0)
        centre = EYES[0].directions[lobe.plate.centres[peak.argmax()]]
        toward = [np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth)), 0.0]
        assert np.degrees(np.arccos(centre @ toward)) < 20


def test_a_standing_picture_fades_to_nothing(lobe):
    motion = watch(lobe, Drum(period_deg=30.0, contrast=1.0), 0.3)[-1]
    assert not any(motion.channels().values())


def test_outward_motion_on_all_arms_is_looming_and_three_arms_are_not_enough():
    plate, places = LobulaPlate(EYES[0].columns, eyes=1), EYES[0].columns
    middle = int(np.flatnonzero((places[plate.centres] == 0).all(axis=1))[0])
    release = np.zeros((8, 1, 721))
    offset = np.stack([(places[:, 1] - places[:, 0]) * np.sqrt(0.75), places.sum(axis=1) / 2], axis=1)
    for i, layer in enumerate(LAYERS):
        on_arm = offset @ np.array(DIRECTION[layer]) >= np.hypot(*offset.T) * np.cos(np.pi / 4) - 1e-9
        release[4 + i, 0] = 0.1 * on_arm
    plate.step(release, 0.01)
    assert plate.lplc2[0, middle] > 1.0
    release[4] = 0.0
    plate.step(release, 0.01)
    assert plate.lplc2[0, middle] == 0.0


def test_channels_are_named_by_cell_and_side(lobe):
    motion = watch(lobe, Drum(period_deg=30.0, speed_deg_s=30.0), 0.5)[-1]
    names = [f"{cell}_{side}" for cell in ("HS", "H2", "VS", "LPLC2") for side in "LR"]
    assert list(motion.channels()) == names
    assert motion.channels()["HS_L"] == motion.hs[0]
    assert lobe.plate.cells == (*OPPOSING, *WIDE_FIELD)


def test_a_checkpoint_continues_exactly(lobe):
    drum = Drum(period_deg=40.0, speed_deg_s=80.0)
    pictures = [np.stack([eye.look(drum, np.eye(3), np.zeros(3), i * FRAME_S) for eye in EYES]) for i in range(20)]
    lobe.reset()
    for picture in pictures[:10]:
        lobe.step(picture, FRAME_S)
    state = lobe.state
    first = [lobe.step(picture, FRAME_S).channels() for picture in pictures[10:]]
    lobe.restore(state)
    assert first == [lobe.step(picture, FRAME_S).channels() for picture in pictures[10:]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OpticLobe((EYES[1], EYES[0])), "a left and a right"),
        (lambda: OpticLobe((EYES[0], hexagonal_eye("right", radius=3))), "same columns"),
        (lambda: OpticLobe(EYES).step(np.zeros((2, 5)), 0.01), "shape"),
        (lambda: OpticLobe(EYES).step(np.full((2, 721), -1.0), 0.01), "0 or more"),
        (lambda: OpticLobe(EYES).step(np.zeros((2, 721)), 0.012), "whole number"),
        (lambda: ReceptorSettings(adaptation_s=0.0), "adaptation_s"),
        (lambda: LobulaPlateSettings(threshold=0.0), "threshold"),
        (lambda: LobulaPlateSettings(opposition=-1.0), "opposition"),
    ],
)
def test_what_cannot_be_seen_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.bench
def test_two_eyes_and_both_lobes_take_a_quarter_of_real_time_at_most(lobe):
    drum, spent = Drum(period_deg=30.0, speed_deg_s=30.0), []
    for i in range(200):
        start = time.perf_counter()
        lobe.step(np.stack([eye.look(drum, np.eye(3), np.zeros(3), i * FRAME_S) for eye in EYES]), FRAME_S)
        spent.append(time.perf_counter() - start)
    assert min(spent) < FRAME_S / 4
