"""The pictures of an animal on legs: what stands, what was trodden on, what is seen, and when."""

import mujoco
import numpy as np
import pytest

from animat.bodies.eyes import hexagonal_eye, lattice_places
from animat.envs.eye_maps import EyeMaps
from animat.envs.follow_camera import FollowCamera, Print, camera_of
from animat.envs.gait import stances
from animat.envs.legged_view import LeggedView, plot_footfalls
from animat.envs.organism_env import OrganismEnv
from animat.envs.overlay import title
from animat.envs.recorder import Recording, run_episode
from animat.envs.rendering import BodyCamera
from animat.envs.scroll_panel import AFTER_S, BEFORE_S, ScrollPanel
from animat.envs.video import Film, body_of, view_of
from animat.organisms.organism import make


@pytest.fixture(scope="module")
def stroll() -> Recording:
    return run_episode(OrganismEnv("fly", "walk", duration_s=1.2), seed=0)


@pytest.fixture(scope="module")
def fly():
    body = make("fly").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    mujoco.mj_camlight(body.model, data)
    return body, data, body.centreline(data).mean(axis=0)


def red(frame):
    """Pixels of the fly's eyes."""
    return (frame[..., 0].astype(int) - np.maximum(frame[..., 1], frame[..., 2])) > 80


def test_a_fly_is_filmed_from_ahead_and_a_worm_from_above(fly):
    worm = make("worm").body()
    assert view_of(fly[0]) is LeggedView
    assert view_of(worm) is not LeggedView
    for body, kind in ((fly[0], FollowCamera), (worm, BodyCamera)):
        with camera_of(body, 64, 48) as camera:
            assert type(camera) is kind


def test_the_camera_sees_the_same_fly_whichever_way_it_goes(fly):
    body, data, _ = fly
    pictures = []
    with FollowCamera(body, 320, 240) as camera:
        for heading in (0.0, 2.0):
            body.reset(data, np.random.default_rng(0))
            body.turn(data, heading)
            camera.aim(heading)
            pictures.append(red(camera.frame(data, body.centreline(data).mean(axis=0))))
        camera.aim(2.0 + np.pi)  # from behind
        behind = red(camera.frame(data, body.centreline(data).mean(axis=0)))
    body.reset(data, np.random.default_rng(0))
    drawn = pictures[0].sum()
    assert drawn > 200
    assert (pictures[0] != pictures[1]).sum() < 0.1 * drawn
    assert (behind != pictures[1]).sum() > drawn


def test_the_fly_throws_a_shadow_and_leaves_prints(fly):
    body, data, centre = fly
    with FollowCamera(body, 320, 240) as camera:
        bare = camera.frame(data, centre).astype(int)
        camera.prints = [Print(1.5, -1.5, 1.0)]
        printed = camera.frame(data, centre).astype(int)
        camera.prints = [Print(1.5, -1.5, 0.2)]
        faint = camera.frame(data, centre).astype(int)
        camera._shadows = lambda: None
        camera.prints = []
        lit = camera.frame(data, centre).astype(int)
    assert ((lit - bare).sum(axis=2) > 30).sum() > 500
    darker = [np.maximum(bare - other, 0).sum() for other in (printed, faint)]
    assert darker[0] > 2 * darker[1] > 0


def test_a_fly_with_a_brain_and_one_without_are_filmed_and_frames_repeat(stroll, tmp_path):
    loaded = Recording.load(stroll.save(tmp_path))
    pictures = []
    for recording in (stroll, loaded):
        with Film(recording) as film:
            pictures.append(film.frame(120))
    assert pictures[0].shape == (720, 1280, 3)
    assert np.array_equal(*pictures)
    with Film(run_episode(OrganismEnv("fly", brain=None, duration_s=0.1), seed=0)) as film:
        assert film.frame(10).shape == (720, 1280, 3)


def test_the_footfall_diagram_is_black_where_a_foot_stands(stroll):
    body, time_s = body_of(stroll), stroll.series["time_s"]
    panel = ScrollPanel(stroll, 640, 672, [(lambda axis, recording: plot_footfalls(axis, recording, body), 1.0)])
    standing = stances(time_s, stroll.series["contacts_un"])
    step = 150
    picture = panel.at(float(time_s[step]))[panel._rows[0], panel._columns]
    height, width = picture.shape[:2]
    middles = (np.arange(6) + 0.375) / 6 * height  # of the black part of each row
    seen = []
    for k in range(-60, 40):  # samples about now
        column = int((BEFORE_S + float(time_s[step + k] - time_s[step])) / (BEFORE_S + AFTER_S) * width)
        seen.append(picture[middles.astype(int), column, 0] < 128)
    agreement = np.array(seen) == standing[step - 60 : step + 40]
    assert 0.2 < standing.mean() < 0.95
    assert agreement.mean() > 0.97  # the cursor hides two columns


def test_the_panel_moves_with_time_and_its_cursor_stands_still(stroll):
    panel = ScrollPanel(stroll, 400, 300, [(lambda axis, recording: axis.plot(recording.series["time_s"] * 2), 1.0)])
    first, last = (panel.at(float(stroll.series["time_s"][k])) for k in (0, -1))
    orange = [
        np.flatnonzero((picture[panel._rows[0]] == (214, 96, 20)).all(axis=2).all(axis=0)) for picture in (first, last)
    ]
    assert np.array_equal(*orange)
    assert len(orange[0]) == 2
    assert not np.array_equal(first, last)


def test_the_title_gives_a_rate_brains_drive_without_millivolts(stroll):
    assert "driven: DNg100 +400" in title(stroll)[1]
    assert "mV" not in title(stroll)[1]


def test_eye_maps_put_what_is_ahead_in_the_middle_and_what_is_above_on_top():
    eyes = (hexagonal_eye("left"), hexagonal_eye("right"))
    maps = EyeMaps(eyes)
    assert set(np.unique(maps.facets)) == {-1, *range(2 * eyes[0].n)}  # every facet is drawn
    ahead = np.concatenate([lattice_places(eye.columns)[:, 0] for eye in eyes])
    above = np.concatenate([lattice_places(eye.columns)[:, 1] for eye in eyes])
    rows, columns = np.nonzero(maps.facets >= 0)
    shown, middle = maps.facets[rows, columns], maps.facets.shape[1] / 2
    assert np.corrcoef(ahead[shown], -np.abs(columns - middle))[0, 1] > 0.99
    assert np.corrcoef(above[shown], -rows)[0, 1] > 0.99
    assert (columns[shown < eyes[0].n] < middle).all()  # the left eye is on the left


def test_what_the_eyes_see_is_recorded_and_drawn(stroll):
    recording = run_episode(OrganismEnv("fly", "turn", duration_s=0.1), seed=0)
    seen = recording.series["seen"]
    assert (seen.shape, seen.dtype) == ((20, 1442), np.uint8)
    assert np.ptp(seen) > 50
    assert not np.array_equal(seen[0], seen[-1])
    assert "seen" not in stroll.series
    view = np.full((200, 300, 3), 7, np.uint8)
    maps = EyeMaps((hexagonal_eye("left"), hexagonal_eye("right")))
    drawn = maps.drawn(view, seen[-1], 10, 20)
    shown = maps.facets >= 0
    assert np.array_equal(drawn[20:, 10:][: shown.shape[0], : shown.shape[1], 0][shown], seen[-1][maps.facets[shown]])
    assert (drawn[:20] == 7).all()
