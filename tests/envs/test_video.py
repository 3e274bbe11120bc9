"""The video of a recording, and the panel in time with it."""

from dataclasses import replace

import imageio_ffmpeg
import numpy as np
import pytest

from animat.envs.opengl import RenderingError
from animat.envs.organism_env import OrganismEnv
from animat.envs.overlay import title
from animat.envs.panels import TimePanel, watched
from animat.envs.recorder import Recording, run_episode
from animat.envs.tubes import DORSAL, SKIN, BodyTubes
from animat.envs.video import Film, render_video
from animat.organisms.organism import make


def test_the_video_is_1280x720_and_lasts_as_long_as_the_episode(short, tmp_path):
    path = render_video(short, tmp_path / "video.mp4", fps=25)
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(path)
    assert (frames, seconds) == (25, pytest.approx(1.0, abs=0.05))
    assert [file.name for file in tmp_path.iterdir()] == ["video.mp4"]
    reader = imageio_ffmpeg.read_frames(path)
    assert next(reader)["source_size"] == (1280, 720)
    first, *_, tenth = (np.frombuffer(next(reader), np.uint8).astype(int) for _ in range(10))
    reader.close()  # before its end: imageio-ffmpeg leaves the pipes of a finished process to the garbage collector
    assert np.abs(first - tenth).mean() > 0.1


def test_a_saved_recording_gives_the_same_frame_as_the_fresh_one(short, tmp_path):
    loaded = Recording.load(short.save(tmp_path))
    pictures = []
    for recording in (short, loaded):
        with Film(recording) as film:
            pictures.append(film.frame(60))
    assert np.array_equal(*pictures)


def test_the_cursor_runs_from_the_left_to_the_right_edge_of_the_plots(short):
    panel = TimePanel(short, 640, 600)
    columns = []
    for time_s in (short.series["time_s"][0], short.series["time_s"][-1]):
        changed = (panel.at(float(time_s)) != panel.picture).any(axis=(0, 2))
        columns.append(int(np.flatnonzero(changed).mean()))
    assert columns == [pytest.approx(panel.left, abs=3), pytest.approx(panel.right, abs=3)]


def test_the_panel_shows_the_organisms_own_selection_by_name(short):
    groups = dict(watched(short))
    names = short.episode["names"]["neurons"]
    assert [names[i] for i in groups["DB"]] == [f"DB{k}" for k in range(1, 8)]
    assert sorted(names[i] for i in groups["AVA"]) == ["AVAL", "AVAR"]


def test_a_dorsal_muscle_colours_the_dorsal_edge_where_it_pulls_and_nowhere_else():
    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(0))
    dorsal = np.zeros(24)
    dorsal[11] = 1.0
    _, upper, lower, _ = BodyTubes(body).at(data, dorsal, np.zeros(24))
    strongest = int(np.argmin(np.abs(upper.colours - DORSAL).sum(axis=1)))
    assert np.allclose(upper.colours[strongest], DORSAL, atol=0.05)
    assert np.linalg.norm(upper.points[strongest] - body.centreline(data)[11:13].mean(axis=0)) < 0.05
    assert np.allclose(lower.colours, SKIN)
    assert np.allclose(upper.colours[[0, -1]], SKIN)
    assert upper.points[strongest, 1] > lower.points[strongest, 1]


def test_the_drawn_body_runs_through_the_segments_from_nose_to_tail():
    body = make("worm").body()
    data = body.new_data()
    body.reset(data, np.random.default_rng(1))
    line = BodyTubes(body).at(data, np.zeros(24), np.zeros(24))[0].points
    nearest = np.linalg.norm(line[:, None] - body.centreline(data)[None], axis=2).min(axis=0)
    assert nearest.max() < 0.01
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).sum() == pytest.approx(body.length_mm, rel=0.01)


@pytest.mark.parametrize("options", [{"brain": None}, {"planar": False}, {"task": "swim"}, {"task": "thermotaxis"}])
def test_every_kind_of_recording_can_be_filmed(tmp_path, options):
    recording = run_episode(OrganismEnv(**options, duration_s=0.2), seed=0)
    assert render_video(recording, tmp_path / "v.mp4").stat().st_size > 1000


def test_a_field_shows_as_contours_and_a_map_with_the_path_on_it():
    recording = run_episode(OrganismEnv(task="chemotaxis", duration_s=2.0), seed=0)
    with Film(recording) as film:
        contours = film.view._contours(100)
        first, last = (film.view.plate(step) for step in (10, 199))
    assert contours
    field = film.view.fields[0]
    for tube in contours:
        assert np.ptp(field.values(tube.points)) < 0.1 * film.view.map.step
    assert first.path[0] == last.path[0] != last.path[-1]
    assert last.felt == f"salt {recording.series['field'][-1, 0]:.1f} mM"
    pixel = film.view.map.path[-1] - film.view.map.corner
    assert last.path[-1] == pytest.approx(
        [150 * pixel[0] / film.view.map.side, 150 * (1 - pixel[1] / film.view.map.side)], abs=0.01
    )


def test_effectors_without_dorsal_and_ventral_names_are_shown_as_they_are(short):
    names = {**short.episode["names"], "effectors": [f"motor_{k}" for k in range(95)]}
    with Film(replace(short, episode={**short.episode, "names": names})) as film:
        assert film.frame(50).shape == (720, 1280, 3)


def test_the_title_says_what_was_changed():
    options = {"ablate": ["DD", "VD"], "drive": {"AVB": 5.0}, "freeze_senses": True, "duration_s": 0.05, "model": "lif"}
    animal, rest = title(run_episode(OrganismEnv(**options), seed=4))
    assert animal == "worm, crawl"
    for words in ("connectome", "lif model", "without DD VD", "AVB +5 mV", "senses frozen", "seed 4"):
        assert words in rest


def test_one_control_step_is_too_short_a_video(tmp_path):
    recording = run_episode(OrganismEnv(duration_s=0.01), seed=0)
    with pytest.raises(RenderingError, match="at least 2 control steps, the recording has 1"):
        render_video(recording, tmp_path / "v.mp4")
    assert not list(tmp_path.iterdir())
