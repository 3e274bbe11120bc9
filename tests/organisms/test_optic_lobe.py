"""The optic lobe: the published wiring as it stands, and what it makes of moving, standing and flickering pictures."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animat.bodies.eyes import hexagon, lattice_places
from animat.organisms.fly.lobula_plate import MOTION, LobulaPlateSettings, calcium
from animat.organisms.fly.optic_lobe import ColumnNetwork, LobeSettings
from animat.organisms.fly.optic_wiring import (
    MERGED,
    published_cells,
    published_columns,
    turned_offsets,
    whole_lobe_cells,
    wiring_among,
)
from animat.registry import UnknownNameError
from animat.scripts.build_fly_vision import column_table, lobula_plate_table, read_graph

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fly"
DIRECTIONS = np.arange(0, 360, 45)  # deg on the eye: 0 to the front, 90 up
PREFERRED = {"a": 180, "b": 0, "c": 90, "d": 270}  # front to back, back to front, up, down: Maisak et al. 2013
WANTED = np.array([PREFERRED[name[-1]] for name in MOTION])
ON, OFF = slice(0, 4), slice(4, 8)  # T4 and T5 in MOTION


class FlatEye:
    """One small eye seen as a plane, in facet distances (5 deg)."""

    def __init__(self, cells=None, table=None, settings=None, radius=7):
        self.network = ColumnNetwork(hexagon(radius), cells, table, settings, eyes=1)
        self.places, self.radius = lattice_places(self.network.columns), radius
        self.middle = np.linalg.norm(self.places, axis=1) <= 3.5
        self.dt_s = self.network.settings.dt_ms * 1e-3

    def watch(self, pictures):
        """Output of T4 and T5 of the middle columns, (times, 8, columns)."""
        self.network.reset()
        seen = []
        for picture in pictures:
            self.network.step(picture[None], 1)
            seen.append(self.network.release(*MOTION)[:, 0, self.middle])
        return calcium(np.array(seen), LobulaPlateSettings().half_looming)

    def grating(self, direction_deg, frequency_hz, wavelength=6.0, contrast=0.5):
        """Mean output of the second second, (8,)."""
        along = self.places @ unit(direction_deg)
        t = np.arange(0.0, 2.0, self.dt_s)[:, None]
        fade = 0.5 * contrast * np.minimum(t / 0.5, 1.0)
        seen = self.watch(fade * np.sin(2 * np.pi * (along / wavelength - frequency_hz * t)))
        return seen[int(1.0 / self.dt_s) :].mean(axis=(0, 2))

    def edge(self, direction_deg, brighter, speed=6.0, contrast=0.5):
        """Peak output, mean of the columns, (8,); the speed in facets per second: 6 is 30 deg/s."""
        along, far = self.places @ unit(direction_deg), self.radius + 1
        t = np.arange(0.0, 2 * far / speed + 0.3, self.dt_s)[:, None]
        sign = 0.5 * contrast if brighter else -0.5 * contrast
        return self.watch(sign * np.clip(speed * t - far - along + 0.5, 0, 1)).max(axis=0).mean(axis=1)


def unit(direction_deg):
    return np.array([np.cos(np.radians(direction_deg)), np.sin(np.radians(direction_deg))])


def selectivity(responses):
    """(preferred - null) / (preferred + null) on the published axes, of responses (directions, 8)."""
    place = {int(d): i for i, d in enumerate(DIRECTIONS)}
    preferred = np.array([responses[place[int(w)], i] for i, w in enumerate(WANTED)])
    null = np.array([responses[place[int(w + 180) % 360], i] for i, w in enumerate(WANTED)])
    return (preferred - null) / (preferred + null)


def error_deg(responses):
    """Angle between the vector mean of the responses and the published direction, (8,)."""
    vectors = np.tensordot(np.exp(1j * np.radians(DIRECTIONS)), responses, axes=1)
    return np.abs(np.degrees(np.angle(vectors * np.exp(-1j * np.radians(WANTED)))))


def edges(eye):
    """T4 to brighter and T5 to darker edges, (directions, 8)."""
    bright = np.array([eye.edge(d, True) for d in DIRECTIONS])
    dark = np.array([eye.edge(d, False) for d in DIRECTIONS])
    return np.concatenate([bright[:, ON], dark[:, OFF]], axis=1)


@pytest.fixture(scope="module")
def intact_edges():
    return edges(FlatEye())


def test_the_table_is_the_published_graph_of_605_type_pairs_2140_offsets_and_8087_synapses():
    table = published_columns()
    assert len(table.groupby(["source", "target"])) == 605
    assert len(table) == 2140
    assert table["synapses"].sum() == pytest.approx(8087, abs=1)
    assert len(set(table["source"]) | set(table["target"])) == 65
    assert set(table["sign"]) == {-1, 1}


def test_the_script_rebuilds_both_tables_from_their_sources():
    graph, counts = SHARED / "fib25-fib19_v2.2.json", SHARED / "flywire_v783_visual_type_to_type_counts.csv.gz"
    if not graph.is_file():
        pytest.skip("the published sources are not at hand: flyvis 1.2.0 and FlyWire's visual type counts")
    pd.testing.assert_frame_equal(column_table(read_graph(graph)), published_columns())
    folder = Path(__file__).resolve().parents[2] / "organisms" / "fly"
    pd.testing.assert_frame_equal(lobula_plate_table(pd.read_csv(counts)), pd.read_csv(folder / "lobula_plate.csv"))


def test_the_lattice_step_is_the_product_with_the_whole_matrix():
    network = ColumnNetwork(hexagon(3), eyes=2)
    cells, n, dt = published_cells(), 37, network.settings.dt_ms
    light = np.random.default_rng(0).standard_normal((2, n))
    network.step(light, 40)
    fast, slow = np.repeat(dt / cells["tau_ms"], n), np.repeat((dt / cells["highpass_ms"]).fillna(0.0), n)
    rectified = np.repeat(cells["release"] == "rectified", n)
    matrix, v, a, out = network.matrix(), *np.zeros((3, len(cells) * n))
    for _ in range(40):
        v = v + fast * (matrix @ out + np.concatenate([light[1], np.zeros(len(cells) * n - n)]) - v)
        a = a + slow * (v - a)
        out = np.where(rectified, np.maximum(v - (slow > 0) * a, 0.0), v - (slow > 0) * a)
    assert network.release(*network.types)[:, 1].ravel() == pytest.approx(np.asarray(out), abs=1e-5)


def test_weights_are_signed_shares_of_the_counts():
    network = ColumnNetwork(hexagon(1), settings=LobeSettings(inhibition=1.0, gain=0.5), eyes=1)
    weights = network.weights()
    assert weights.abs().groupby(network.table["target"]).sum().to_numpy() == pytest.approx(0.5)
    one = network.table[network.table["target"] == "Mi1"]
    share = one["synapses"] / one["synapses"].sum() * one["sign"] * 0.5
    assert weights[one.index].to_numpy() == pytest.approx(share.to_numpy())


def test_t4_prefers_its_published_direction_for_brighter_edges_and_t5_for_darker_ones(intact_edges):
    assert (error_deg(intact_edges) < 30).all()
    assert (selectivity(intact_edges) > 0.25).all()
    assert selectivity(intact_edges).mean() > 0.5


def test_t4_answers_to_brighter_edges_and_t5_to_darker_ones():
    eye = FlatEye()
    bright, dark = (np.max([eye.edge(d, brighter) for d in DIRECTIONS], axis=0) for brighter in (True, False))
    assert (bright[ON] > 10 * dark[ON]).all()
    assert (dark[OFF] > 5 * bright[OFF]).all()


@pytest.mark.parametrize("frequency_hz", [0.5, 1.0])
def test_all_eight_prefer_their_published_directions_of_a_grating(frequency_hz):
    eye = FlatEye()
    responses = np.array([eye.grating(d, frequency_hz) for d in DIRECTIONS])
    assert (error_deg(responses) < 30).all()
    assert (selectivity(responses) > 0.15).all()


def test_all_58_types_of_the_graph_together_prefer_the_same_directions():
    eye = FlatEye(cells=whole_lobe_cells())
    assert len(eye.network.types) == 58
    assert eye.network.synapse_classes > 2000
    seen = edges(eye)
    assert (error_deg(seen) < 30).all()
    assert selectivity(seen).mean() > 0.5


def test_with_equal_time_constants_hardly_any_selectivity_is_left(intact_edges):
    cells = published_cells().assign(tau_ms=20.0, highpass_ms=np.nan)
    equal = selectivity(edges(FlatEye(cells=cells)))
    assert np.abs(equal[ON]).max() < 0.1
    assert np.abs(equal).mean() < 0.2 * selectivity(intact_edges).mean()


def test_with_the_offsets_turned_by_chance_the_published_directions_are_lost(intact_edges):
    wiring = wiring_among(tuple(published_cells()["type"]), published_columns())
    turned = [edges(FlatEye(table=turned_offsets(wiring, np.random.default_rng(seed)))) for seed in range(5)]
    assert np.mean([selectivity(each).mean() for each in turned]) < 0.4 * selectivity(intact_edges).mean()
    assert not any((error_deg(each) < 45).all() for each in turned)
    assert np.mean([np.cos(np.radians(error_deg(each))).mean() for each in turned]) < 0.4


def test_turning_offsets_keeps_types_counts_signs_and_distances():
    wiring = wiring_among(tuple(published_cells()["type"]), published_columns())
    turned = turned_offsets(wiring, np.random.default_rng(1))
    assert not turned[["dp", "dq"]].equals(wiring[["dp", "dq"]])
    for table in (wiring, turned):
        steps = np.linalg.norm(lattice_places(table[["dp", "dq"]].to_numpy()), axis=1)
        table["distance"] = np.round(steps, 6)
    keys = ["source", "target", "sign", "synapses", "distance"]
    for (_, before), (_, after) in zip(wiring.groupby(keys[:2]), turned.groupby(keys[:2]), strict=True):
        pd.testing.assert_frame_equal(
            before[keys].sort_values(keys).reset_index(drop=True), after[keys].sort_values(keys).reset_index(drop=True)
        )


def test_the_inhibition_of_ct1_carries_most_of_the_selectivity_of_t5(intact_edges):
    wiring = wiring_among(tuple(published_cells()["type"]), published_columns())
    without = wiring[~((wiring["source"] == "CT1(Lo1)") & wiring["target"].str.startswith("T5"))]
    assert selectivity(edges(FlatEye(table=without)))[OFF].mean() < 0.4 * selectivity(intact_edges)[OFF].mean()


def test_in_the_dark_of_no_change_the_lobe_is_silent_and_stays_fast():
    network = ColumnNetwork(hexagon(15))
    noise = np.random.default_rng(0).standard_normal((2, 721))
    network.step(noise, 200)

    def best():
        times = []
        for _ in range(20):
            start = time.perf_counter()
            network.step(np.zeros((2, 721)), 2)
            times.append(time.perf_counter() - start)
        return min(times)

    awake = best()
    network.step(np.zeros((2, 721)), 8_000)
    assert np.abs(network.release(*network.types)).max() < 1e-18
    assert best() < 3 * awake  # denormal numbers would make it tens of times slower


def test_a_run_cut_into_pieces_and_continued_from_a_state_is_the_same_bit_for_bit():
    light = np.random.default_rng(2).standard_normal((2, 37))
    whole, cut = ColumnNetwork(hexagon(3)), ColumnNetwork(hexagon(3))
    whole.step(light, 30)
    cut.step(light, 11)
    state = cut.state
    cut.step(-light, 7)
    cut.restore(state)
    cut.step(light, 19)
    assert np.array_equal(whole.state, cut.state)


def test_two_eyes_do_not_hear_each_other():
    network, light = ColumnNetwork(hexagon(4)), np.zeros((2, 61))
    light[0] = np.random.default_rng(3).standard_normal(61)
    network.step(light, 50)
    assert np.abs(network.release(*network.types)[:, 0]).max() > 0
    assert not network.release(*network.types)[:, 1].any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: wiring_among(("L1", "Mi01"), published_columns()), UnknownNameError, "Mi1"),
        (lambda: ColumnNetwork(hexagon(1)).release("T4e"), UnknownNameError, "T4"),
        (lambda: ColumnNetwork(hexagon(1), published_cells().iloc[1:]), ValueError, "receptor"),
        (lambda: ColumnNetwork(hexagon(1), published_cells().assign(tau_ms=0.0)), ValueError, "tau_ms"),
        (lambda: ColumnNetwork(hexagon(1), published_cells().assign(release="some")), ValueError, "graded, rectified"),
        (lambda: ColumnNetwork(hexagon(1), table=published_columns().drop(columns="dp")), ValueError, "lacks dp"),
        (lambda: ColumnNetwork(hexagon(1)).restore(np.zeros((3, 1, 1), np.float32)), ValueError, "shape"),
        (lambda: LobeSettings(inhibition=0.0), ValueError, "inhibition"),
    ],
)
def test_what_cannot_be_run_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_every_type_of_the_motion_pathway_has_a_source_for_its_time_constant():
    cells = published_cells()
    assert set(cells["provenance"]) <= {"measured", "derived", "published", "assumed"}
    assert cells["source"].str.len().min() > 0
    assert set(cells["type"]) - set(MERGED.values()) <= set(published_columns()["target"])
