"""Taxis: indices, turns and steering of made-up animals whose answers are known."""

import numpy as np
import pytest

from animat.envs.fields import GaussianField, LinearField
from animat.envs.steering import steering
from animat.envs.tasks import TASKS, Band, Chemotaxis, Thermotaxis
from animat.envs.turns import omega_spans, pirouette_spans, spans

DT_S, POINTS = 0.05, 25
SALT = {"modality": "chemosensation", "channel": "salt", "unit": "mM"}
EAST = LinearField(**SALT, at_start=0.0, per_mm=2.0)


def follower(path_mm: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """A straight body of 1 mm along `heading` with its centroid on a path; shape (T, 25, 3)."""
    ahead = np.linspace(0.5, -0.5, POINTS)[None, :, None]
    along = np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=1)[:, None]
    return np.column_stack([path_mm, 0 * heading])[:, None] + ahead * along


def walk(turn_deg_mm, seconds: float = 40.0, speed: float = 0.2, heading: float = 0.0, backward=lambda t: False):
    """Times and centreline of an animal that turns by `turn_deg_mm(heading)` for each mm it goes."""
    time_s = np.arange(1, round(seconds / DT_S) + 1) * DT_S
    place, places, headings = np.zeros(2), [], []
    for t in time_s:
        heading += np.radians(turn_deg_mm(heading)) * speed * DT_S
        way = -speed if backward(t) else speed
        place = place + way * DT_S * np.array([np.cos(heading), np.sin(heading)])
        places.append(place)
        headings.append(heading)
    return time_s, follower(np.array(places), np.array(headings))


def test_an_animal_that_curves_up_the_gradient_has_the_slope_it_was_made_with():
    for slope in (3.0, -3.0):  # deg/mm for each unit/mm to the left; 2 units/mm to the east
        time_s, line = walk(lambda heading, k=slope: -k * 2.0 * np.sin(heading), heading=1.5)
        assert steering(time_s, line, EAST)["curving_per_gradient"] == pytest.approx(slope, rel=0.05)


def test_an_animal_that_goes_straight_has_no_curving_and_the_bearing_it_started_with():
    field = GaussianField(**SALT, peak=50.0, sigma_mm=5.0, x_mm=1000.0)
    time_s, line = walk(lambda _: 0.0, heading=np.radians(60), seconds=20.0)
    flat = LinearField(**SALT, at_start=0.0, per_mm=1.0)
    assert steering(time_s, line, flat)["mean_bearing_deg"] == pytest.approx(60, abs=0.5)
    assert "curving_per_gradient" not in steering(time_s, line, flat)
    assert "mean_bearing_deg" not in steering(time_s, line, field)


def test_an_animal_that_went_less_than_a_body_length_has_not_steered():
    for seconds, steered in ((20.0, True), (6.0, False)):  # 0.2 mm/s, less the ends of the averaging window
        time_s, line = walk(lambda heading: -6.0 * np.sin(heading), heading=1.5, seconds=seconds)
        assert ("curving_per_gradient" in steering(time_s, line, EAST)) == steered


def test_turned_attraction_turns_bearing_curving_and_the_sense_of_pirouettes():
    time_s, line = walk(lambda _: 5.0, heading=0.3, backward=lambda t: 14 < t < 16)
    up, down = (steering(time_s, line, EAST, sign) for sign in (1.0, -1.0))
    assert up["mean_bearing_deg"] + down["mean_bearing_deg"] == pytest.approx(180)
    assert up["curving_per_gradient"] == pytest.approx(-down["curving_per_gradient"])
    assert up["pirouettes_per_min_better"] == down["pirouettes_per_min_worse"] > 0


def test_pirouettes_are_counted_where_the_field_had_changed_for_the_worse():
    time_s, line = walk(lambda _: 0.0, heading=np.pi, backward=lambda t: 10 < t < 12 or 20 < t < 22)
    measures = steering(time_s, line, EAST)
    assert measures["pirouettes_per_min_worse"] > 2
    assert measures.get("pirouettes_per_min_better", 0.0) == 0.0


def test_reversals_sooner_than_the_longest_pause_are_one_pirouette():
    def bouts(second: float) -> int:
        return len(pirouette_spans(*walk(lambda _: 0.0, backward=lambda t: 10 < t < 12 or second < t < second + 2)))

    assert (bouts(15.0), bouts(25.0)) == (1, 2)


def arc(turn_rad: float) -> np.ndarray:
    heading = np.linspace(0, turn_rad, POINTS)
    return np.stack([np.cos(heading), np.sin(heading), 0 * heading], axis=1).cumsum(axis=0) / POINTS


@pytest.mark.parametrize(("turn_deg", "omega"), [(0, False), (90, False), (180, False), (270, True), (340, True)])
def test_only_a_body_bent_so_far_that_its_ends_come_near_is_an_omega(turn_deg, omega):
    assert bool(omega_spans(arc(np.radians(turn_deg))[None])) == omega


def test_an_omega_in_the_middle_of_a_run_is_one_turn_and_one_pirouette():
    bend = np.interp(np.arange(400) * DT_S, [0, 8, 10, 12, 20], [0, 0, 5.5, 0, 0])
    line = np.array([arc(turn) for turn in bend])
    assert len(omega_spans(line)) == 1
    middle = omega_spans(line)[0]
    assert middle[0] < 200 < middle[1]
    assert len(pirouette_spans(np.arange(1, 401) * DT_S, line)) == 1


def test_a_crawling_worm_makes_no_omega(crawl):
    assert crawl.measures["omega_turns"] == 0


def test_spans_are_the_stretches_of_true():
    assert spans(np.array([True, False, True, True, False, True])) == [(0, 1), (2, 4), (5, 6)]


def stay(x_mm: float, samples: int) -> np.ndarray:
    return follower(np.tile([x_mm, 0.0], (samples, 1)), np.zeros(samples))


@pytest.mark.parametrize("task", [Chemotaxis(), Thermotaxis()])
def test_the_index_is_the_share_of_time_at_the_goal_less_that_at_the_control_place(task):
    line = np.concatenate([stay(5.0, 60), stay(-5.0, 20), stay(0.0, 20)])
    measures = task.track_measures(np.arange(1, 101) * DT_S, line)
    assert measures["taxis_index"] == pytest.approx(0.4)
    assert (measures["index_at_end"], measures["distance_end_mm"]) == (0.0, pytest.approx(5.0))
    assert task.track_measures(np.arange(1, 61) * DT_S, stay(-5.0, 60))["index_at_end"] == -1.0


@pytest.mark.parametrize("task", [Chemotaxis(), Thermotaxis()])
def test_the_goal_is_where_the_task_says_and_the_start_is_half_way_to_the_control_place(task):
    field = task.arena.fields[0]
    ahead = field.at(task.distance_mm, 0.0) - field.at(0.0, 0.0)
    assert ahead * task.attraction > 0
    assert task.away(np.zeros((1, 2)), 1.0) == task.away(np.zeros((1, 2)), -1.0) == pytest.approx(task.distance_mm)


def test_thermotaxis_looks_for_the_temperature_of_cultivation():
    task = Thermotaxis()
    assert task.arena.fields[0].at(task.distance_mm, 0.0) == pytest.approx(task.arena.temperature_c)


@pytest.mark.parametrize("region", [0.0, 6.0])
def test_regions_that_overlap_or_are_empty_are_refused(region):
    with pytest.raises(ValueError, match=rf"region_mm \({region} mm\)"):
        Chemotaxis(region_mm=region)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_band_has_a_source_and_an_inside(name):
    for band in TASKS[name]().BANDS.values():
        assert isinstance(band, Band)
        assert band.low < band.high
        assert band.source
