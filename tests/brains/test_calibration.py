"""Calibration finds what is known, keeps held-out seeds out of the choice, and writes down every evaluation."""

import csv
import json
import math
import subprocess
import sys
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from animat.brains.brain import Brain
from animat.brains.calibration import Calibration, Parameter, Target, calibrate, trace_correlation, trace_rmse
from animat.brains.connectome import Connectome, Source
from animat.brains.models.lif import Lif
from animat.brains.network import SynapseGains, build_network, cells_from_table

OPTIMIZERS = ["cma", "differential_evolution", "nelder-mead"]
TRUE = Lif(tau_m_ms=31.0, t_refractory_ms=3.7)
DRIVES_MV = (8.0, 10.0, 15.0, 25.0, 9.0, 12.0, 40.0)  # the stimulus that a seed stands for
MEMBRANE = [
    Parameter(name="tau_m_ms", low=2.0, high=200.0, unit="ms", scale="log"),
    Parameter(name="t_refractory_ms", low=0.0, high=10.0, unit="ms"),
]
SAME_RATE = [Target.at("relative_error", 0.0, unit="1", scale=1.0)]


def rates(values, seed):
    """Closed-form firing rate under the seed's drive, against that of the true neuron."""
    rate_hz, true_hz = (float(lif.steady_rate(DRIVES_MV[seed])) for lif in (Lif(**values), TRUE))
    return {"rate_hz": rate_hz, "relative_error": rate_hz / true_hz - 1.0}


def bowl(values, seed, held_out_seed=10, held_out=0.0):
    """A noisy bowl with its lowest point at x = 0.3, y = 3; whatever one likes on the held-out seeds."""
    if seed >= held_out_seed:
        return {"height": held_out * values["x"] + seed, "x_seen": values["x"]}
    noise = np.random.default_rng(seed).normal(0.0, 0.01)
    return {"height": (values["x"] - 0.3) ** 2 + math.log10(values["y"] / 3.0) ** 2 + noise, "x_seen": values["x"]}


BOWL = [
    Parameter(name="x", low=-1.0, high=1.0, unit="1"),
    Parameter(name="y", low=0.1, high=100.0, unit="mV", scale="log"),
]
LOW = [Target(measure="height", high=-1.0, scale=1.0, unit="1")]


def search(evaluate=bowl, parameters=BOWL, targets=LOW, **options):
    given = {"train_seeds": (0, 1), "held_out_seeds": (10, 11), "trials": 30, "optimizer": "nelder-mead"}
    return calibrate(parameters, evaluate, targets, **{**given, **options})


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


# --- it finds what is known -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_membrane_of_a_neuron_is_found_from_its_firing_rates_and_holds_on_drives_it_was_not_tuned_on(optimizer):
    found = calibrate(
        MEMBRANE, rates, SAME_RATE, train_seeds=range(4), held_out_seeds=range(4, 7), optimizer=optimizer, trials=400
    )
    assert found.best == pytest.approx({"tau_m_ms": 31.0, "t_refractory_ms": 3.7}, rel=0.02)
    assert found.train_score < 1e-5
    assert found.held_out_score < 1e-4
    assert found.trials["train_score"].iloc[0] > 1e-3, "the start should not be the answer"


@lru_cache
def one_cell():
    neurons = pd.DataFrame(
        [("S", "S", "sensory", "acetylcholine", "M"), ("M", "M", "motor", "acetylcholine", "M")],
        columns=["name", "type", "role", "transmitter", "side"],
    ).assign(x_um=0.0, y_um=0.0, z_um=0.0)
    synapses = pd.DataFrame([("S", "M", "chemical", 4.0, 1)], columns=["pre", "post", "kind", "count", "sign"])
    return Connectome(
        neurons, synapses.assign(provenance="measured", sign_provenance="derived"), Source("a test", "10.0/none", "CC0")
    )


def brain_of(chemical_mv, seed, model="lif", **cells):
    table = pd.DataFrame([{"selector": "*", **cells}])
    network = build_network(
        one_cell(), cells_from_table(one_cell(), table, model), SynapseGains(chemical_mv=chemical_mv, electrical=0.0)
    )
    return Brain(network, seed=seed)


def motor_rate(values, seed):
    """Firing rate of the motor neuron over one second, its sensory neuron under a constant drive."""
    spikes = brain_of(values["chemical_mv"], seed).step(np.array([20.0, 0.0]), 1.0).spikes
    return {"sensory_hz": float(spikes[0]), "motor_hz": float(spikes[1])}


def step_response(tau_m_ms, seed):
    """Voltage (mV) of an unconnected graded neuron in the first 100 ms of a drive."""
    brain = brain_of(0.0, seed, "graded", tau_m_ms=tau_m_ms)
    return np.array([brain.step(np.array([5.0, 0.0]), 2e-3).voltage[0] for _ in range(50)])


def step_error(values, seed):
    trace, known = step_response(values["tau_m_ms"], seed), step_response(37.0, 99)
    return {"rmse_mv": trace_rmse(trace, known), "correlation": trace_correlation(trace, known)}


def test_a_gain_of_a_network_is_tuned_until_its_motor_neuron_fires_at_the_target_rate_from_other_starts_too():
    gain = Parameter(name="chemical_mv", low=1.0, high=200.0, unit="mV", scale="log")
    target = Target(measure="motor_hz", low=39.0, high=41.0, scale=40.0, unit="Hz")
    found = search(motor_rate, [gain], [target], optimizer="cma", population=6, trials=60)
    assert abs(found.rows.query("trial == 0 and split == 'train'")["motor_hz"].mean() - 40.0) > 5.0
    assert found.train_score == 0.0
    assert found.held_out_score < 0.03
    for seed in (50, 51):
        assert motor_rate(found.best, seed)["motor_hz"] == pytest.approx(40.0, abs=2.0)


def test_a_time_constant_is_found_from_a_trace():
    tau = Parameter(name="tau_m_ms", low=5.0, high=500.0, unit="ms", scale="log")
    traces = [
        Target.at("rmse_mv", 0.0, unit="mV", scale=1.0),
        Target(measure="correlation", low=0.999, scale=0.1, unit="1"),
    ]
    found = search(step_error, [tau], traces, trials=60)
    assert found.best["tau_m_ms"] == pytest.approx(37.0, rel=0.1)  # the starting voltages differ by 1 mV


PAIRINGS_MS = (5.0, -5.0, 20.0, -20.0, 40.0, -40.0)  # post minus pre; the pairing that a seed stands for


def pair_rule(values, seed):
    """Weight change of the pair rule (Song, Miller & Abbott 2000) at one pairing, against that of a known rule."""
    known = {"a_plus": 0.005, "a_minus": 0.00525, "tau_ms": 20.0}
    change = []
    for rule in (values, known):
        size = np.exp(-abs(PAIRINGS_MS[seed]) / rule["tau_ms"])
        change.append(size * (rule["a_plus"] if PAIRINGS_MS[seed] > 0 else -rule["a_minus"]))
    return {"relative_error": float(change[0] / change[1] - 1.0)}


def test_a_plasticity_rule_is_found_from_its_weight_changes():
    rule = [
        Parameter(name="a_plus", low=1e-4, high=1e-1, unit="1", scale="log"),
        Parameter(name="a_minus", low=1e-4, high=1e-1, unit="1", scale="log"),
        Parameter(name="tau_ms", low=2.0, high=100.0, unit="ms", scale="log"),
    ]
    found = search(pair_rule, rule, SAME_RATE, train_seeds=range(4), held_out_seeds=(4, 5), optimizer="cma", trials=500)
    assert found.best == pytest.approx({"a_plus": 0.005, "a_minus": 0.00525, "tau_ms": 20.0}, rel=0.02)
    assert found.held_out_score < 1e-3


# --- the split --------------------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    held_out=st.floats(-1e3, 1e3),
    seeds=st.sets(st.integers(10, 99), min_size=1, max_size=3),
    optimizer=st.sampled_from(OPTIMIZERS),
)
def test_what_happens_on_held_out_seeds_never_changes_a_trial_or_the_choice(held_out, seeds, optimizer):
    options = {"optimizer": optimizer, "trials": 20}
    plain = search(**options)
    other = search(partial(bowl, held_out=held_out), held_out_seeds=sorted(seeds), **options)
    train = [found.rows[found.rows["split"] == "train"] for found in (plain, other)]
    pd.testing.assert_frame_equal(*train)
    assert (other.best_trial, other.best, other.train_score) == (plain.best_trial, plain.best, plain.train_score)


def test_the_best_by_training_score_are_run_on_every_held_out_seed_and_both_scores_are_kept():
    found = search(finalists=3, held_out_seeds=(10, 11, 12))
    held_out = found.rows[found.rows["split"] == "held_out"]
    best = found.trials.sort_values("train_score", kind="stable")["trial"].head(3).tolist()
    assert held_out["trial"].unique().tolist() == best
    assert held_out["seed"].tolist() == [10, 11, 12] * 3
    assert found.best_trial == best[0]
    scores = held_out[held_out["trial"] == best[0]]["score"]
    assert found.held_out_score == pytest.approx(scores.mean(), rel=1e-15)
    assert found.trials["held_out_score"].notna().sum() == 3
    assert [finalist["trial"] for finalist in found.result["finalists"]] == best


def test_of_equal_training_scores_the_first_trial_is_the_best():
    inside = [Target(measure="x_seen", low=-2.0, high=2.0, scale=1.0, unit="1")]
    assert search(targets=inside).best_trial == 0


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({"train_seeds": (0, 1, 2), "held_out_seeds": (2, 3, 1)}, r"seeds \[1, 2\] are in train_seeds and in held_out"),
        ({"train_seeds": (), "held_out_seeds": (1,)}, r"train_seeds \(\[\]\) must be one or more different seeds"),
        ({"held_out_seeds": ()}, r"held_out_seeds \(\[\]\) must be one or more different seeds"),
        ({"train_seeds": (1, 1)}, r"train_seeds \(\[1, 1\]\) must be one or more different"),
    ],
)
def test_seeds_that_make_no_split_are_refused(seeds, message):
    with pytest.raises(ValueError, match=message):
        search(**seeds)


# --- parameters and bounds --------------------------------------------------------------------------------------------


@given(
    low=st.floats(1e-6, 1e6),
    width=st.floats(1e-3, 1e6),
    share=st.floats(-1, 2),
    scale=st.sampled_from(["linear", "log"]),
)
@example(low=0.1, width=1.5714285714285714, share=1.0, scale="log")  # rounds to above the range if left alone
def test_a_decoded_value_never_leaves_the_range_and_encodes_to_its_share(low, width, share, scale):
    parameter = Parameter(name="p", low=low, high=low + width, unit="mV", scale=scale)
    value = parameter.decode(share)
    assert parameter.low <= value <= parameter.high
    assert parameter.encode(value) == pytest.approx(min(max(share, 0.0), 1.0), abs=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_trial_is_inside_the_bounds_even_if_the_best_is_outside(optimizer):
    high = [Target(measure="x_seen", low=5.0, scale=1.0, unit="1")]
    found = search(targets=high, optimizer=optimizer, trials=80)
    assert found.trials["x"].between(-1.0, 1.0).all()
    assert found.trials["y"].between(0.1, 100.0).all()
    assert found.best["x"] > 0.95


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_first_trial_is_the_start_and_the_number_of_trials_is_kept(optimizer):
    found = search(optimizer=optimizer, start={"y": 7.0}, trials=17)
    assert found.trials.loc[0, ["x", "y"]].tolist() == pytest.approx([0.0, 7.0], rel=1e-12)
    assert found.trials["trial"].tolist() == list(range(17))
    assert found.ended == "trials spent"


def test_a_converged_search_ends_before_its_trials_are_spent_and_says_so():
    found = search(trials=5000)
    assert len(found.trials) < 5000
    assert found.ended.startswith("nelder-mead: ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"low": 2.0, "high": 1.0}, r"'p': low \(2.0 mV\) must be below high \(1.0\)"),
        ({"high": math.inf}, "must be below high"),
        ({"low": 0.0, "scale": "log"}, r"low \(0.0 mV\) must be above 0 on a log scale"),
        ({"scale": "logs"}, "no scale 'logs'; did you mean 'log'"),
        ({"unit": ""}, "needs a unit; '1' for a pure number"),
        ({"name": "seed"}, "the name 'seed' is taken by a column"),
        ({"name": " p"}, "must be printable text"),
    ],
)
def test_a_parameter_that_is_none_is_refused_with_its_name_and_unit(fields, message):
    with pytest.raises((ValueError, KeyError), match=message):
        Parameter(**{"name": "p", "low": 1.0, "high": 2.0, "unit": "mV", **fields})


# --- targets ----------------------------------------------------------------------------------------------------------


def thrice(measures):
    return 3.0 * measures["crawl_hz"]


def test_a_band_costs_nothing_inside_and_its_distance_outside():
    band = Target(measure="rate_hz", low=10.0, high=20.0, scale=5.0, unit="Hz", weight=2.0)
    scores = [band.score({"rate_hz": rate}) for rate in (0.0, 10.0, 15.0, 20.0, 25.0)]
    assert scores == [4.0, 0.0, 0.0, 0.0, 2.0]


def test_a_value_target_is_the_squared_relative_error_or_the_absolute_one():
    assert Target.at("rate_hz", 20.0, unit="Hz").score({"rate_hz": 30.0}) == 0.25
    assert Target.at("rate_hz", 20.0, unit="Hz", power=1).score({"rate_hz": 10.0}) == 0.5
    assert Target.at("rate_hz", 0.0, unit="Hz", scale=4.0).score({"rate_hz": 2.0}) == 0.25


def test_a_bound_may_depend_on_another_measure():
    faster = Target(measure="swim_hz", low=thrice, scale=0.5, unit="Hz")
    assert faster.score({"swim_hz": 1.5, "crawl_hz": 0.5}) == 0.0
    assert faster.score({"swim_hz": 1.5, "crawl_hz": 0.6}) == pytest.approx(0.6)
    assert faster.describe()["low"].endswith(".thrice")


@given(value=st.floats(), low=st.floats(-1e300, 1e300), power=st.sampled_from([1, 2]))
def test_the_score_of_any_measure_is_finite_and_never_negative(value, low, power):
    target = Target(measure="m", low=low, scale=1e-3, unit="1", power=power, missing=7.0)
    score = target.score({"m": value})
    assert 0.0 <= score < math.inf
    assert math.isfinite(value) or score == 7.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_measure_or_bound_that_is_not_a_number_costs_the_stated_penalty(bad):
    target = Target(measure="swim_hz", low=thrice, scale=1.0, unit="Hz", weight=3.0, missing=4.0)
    assert target.score({"swim_hz": bad, "crawl_hz": 0.1}) == 12.0
    assert target.score({"swim_hz": 1.0, "crawl_hz": math.nan}) == 12.0


def sometimes_nan(values, seed):
    measures = bowl(values, seed)
    if values["x"] < 0.2:
        return {"height": math.nan, "x_seen": values["x"]}
    return measures if seed else {"height": measures["height"], "x_seen": values["x"]}


def later_silent(values, seed):
    return bowl(values, seed) if values["x"] <= 0.0 else {"x_seen": values["x"]}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_search_goes_around_where_the_measure_is_nan_and_writes_the_nan_down(optimizer, tmp_path):
    found = search(sometimes_nan, optimizer=optimizer, start={"x": 0.6}, trials=120, out=tmp_path / "out")
    nan = found.rows[found.rows["height"].isna()]
    assert len(nan) > 0
    assert (nan["score"] == 10.0).all()
    assert found.best["x"] == pytest.approx(0.3, abs=0.1)
    pd.testing.assert_frame_equal(Calibration.load(tmp_path / "out").rows, found.rows)


def test_a_measure_that_a_later_evaluation_leaves_out_is_nan():
    found = search(later_silent)
    assert found.rows["height"].isna().equals(found.rows["x"] > 0.0)
    assert found.rows["height"].isna().any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"low": 3.0, "high": 2.0}, r"'m': low \(3.0 Hz\) is not below high \(2.0\)"),
        ({}, "needs low or high"),
        ({"low": math.nan}, "is not below"),
        ({"low": 1.0, "scale": 0.0}, r"scale \(0.0\) must be finite and above 0"),
        ({"low": 1.0, "missing": math.inf}, r"missing \(inf\) must be finite"),
        ({"low": 1.0, "power": 3}, r"power \(3\) must be 1 \(absolute\) or 2 \(squared\)"),
        ({"low": 1.0, "unit": ""}, "needs a unit"),
    ],
)
def test_a_target_that_is_none_is_refused_with_its_name_and_unit(fields, message):
    with pytest.raises(ValueError, match=message):
        Target(**{"measure": "m", "scale": 1.0, "unit": "Hz", **fields})


def test_a_relative_error_about_zero_needs_a_scale():
    with pytest.raises(ValueError, match="a value of 0 mV has no relative error; give a scale in mV"):
        Target.at("offset_mv", 0.0, unit="mV")


# --- traces -----------------------------------------------------------------------------------------------------------


def test_traces_become_measures_in_their_unit_and_by_their_course():
    time = np.linspace(0.0, 6.0, 200)
    wave = np.stack([np.sin(time), np.cos(time)], axis=1)
    assert trace_rmse(wave + 2.0, wave) == pytest.approx(2.0)
    assert trace_correlation(3.0 * wave + 2.0, wave) == pytest.approx(1.0)
    assert trace_correlation(wave * [1.0, -1.0], wave) == pytest.approx(0.0, abs=1e-12)
    assert trace_correlation(wave[:, 0], wave[:, 1]) == pytest.approx(np.corrcoef(wave.T)[0, 1])
    assert math.isnan(trace_correlation(np.full(200, 0.1), wave[:, 0]))
    with pytest.raises(ValueError, match=r"shape \(3,\) and reference of shape \(4,\)"):
        trace_rmse(np.zeros(3), np.zeros(4))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_saved_and_loaded_is_the_same_calibration(tmp_path):
    found = search(out=tmp_path / "out", context={"fingerprint": "abc"})
    loaded = Calibration.load(tmp_path / "out")
    pd.testing.assert_frame_equal(loaded.rows, found.rows, check_exact=True)
    assert loaded.declared == found.declared
    assert (loaded.result, loaded.ended, loaded.parameters) == (found.result, found.ended, tuple(BOWL))
    found.save(tmp_path / "saved")
    assert bytes_of(tmp_path / "saved") == bytes_of(tmp_path / "out")


def test_every_trial_seed_and_score_is_in_the_file_with_parameters_targets_and_versions(tmp_path):
    found = search(out=tmp_path)
    with (tmp_path / "trials.csv").open(newline="") as file:
        columns, *rows = csv.reader(file)
    assert columns == ["trial", "split", "seed", "score", "x", "y", "height", "x_seen"]
    assert len(rows) == 30 * 2 + 5 * 2
    for _, _, seed, score, x, y, height, _ in rows:
        measures = bowl({"x": float(x), "y": float(y)}, int(seed))
        assert (float(height), float(score)) == (measures["height"], LOW[0].score(measures))
    header = json.loads((tmp_path / "calibration.json").read_text())
    assert header["declared"]["parameters"][1]["unit"] == "mV"
    assert header["declared"]["targets"][0]["low"] is None
    assert header["declared"]["evaluate"].endswith("test_calibration.bowl")
    assert {"animat", "numpy", "scipy", "python"} <= set(header["declared"]["versions"])
    assert header["result"]["best"] == found.best


def test_resuming_a_finished_search_evaluates_nothing(tmp_path):
    search(out=tmp_path)
    before = bytes_of(tmp_path)
    with pytest.raises(ZeroDivisionError):
        search(forbidden, out=tmp_path / "other")
    header = json.loads(before["calibration.json"])
    header["declared"]["evaluate"] = f"{forbidden.__module__}.forbidden"
    (tmp_path / "calibration.json").write_text(json.dumps(header))
    again = search(forbidden, out=tmp_path)
    assert again.result == header["result"]
    assert (tmp_path / "trials.csv").read_bytes() == before["trials.csv"]


def forbidden(values, seed):
    raise ZeroDivisionError


@settings(max_examples=15, deadline=None)
@given(cut=st.floats(0.0, 1.0), optimizer=st.sampled_from(OPTIMIZERS))
@example(cut=0.01, optimizer="cma")  # after the header and before the first row
def test_a_file_cut_anywhere_is_continued_to_the_same_bytes(tmp_path_factory, cut, optimizer):
    folder = tmp_path_factory.mktemp("cut")
    options = {"optimizer": optimizer, "trials": 25, "out": folder}
    search(**options)
    whole = bytes_of(folder)
    table, header = folder / "trials.csv", json.loads(whole["calibration.json"])
    table.write_bytes(whole["trials.csv"][: int(cut * len(whole["trials.csv"]))])
    (folder / "calibration.json").write_text(json.dumps(header | {"result": None}))
    assert Calibration.load(folder).ended == ""
    search(**options)
    assert bytes_of(folder) == whole


SCRIPT = """
import os, signal, sys
from animat.brains.calibration import Parameter, Target, calibrate

KILL_AT, PROCESSES, OUT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
evaluations = 0


def evaluate(values, seed):
    global evaluations
    evaluations += 1
    if evaluations == KILL_AT:
        os.kill(os.getpid() if PROCESSES == 1 else os.getppid(), signal.SIGKILL)
    return {"height": (values["x"] - 0.3) ** 2 + values["y"] ** 2 * seed / 7}


if __name__ == "__main__":
    calibrate(
        [Parameter(name=name, low=-1.0, high=1.0, unit="1") for name in "xy"],
        evaluate,
        [Target.at("height", 0.0, unit="1", scale=1.0)],
        train_seeds=(1, 2), held_out_seeds=(3, 4), trials=20, seed=5, population=6, processes=PROCESSES, out=OUT,
    )
"""


def run_script(path, kill_at, processes, out):
    path.write_text(SCRIPT)
    command = [sys.executable, str(path), str(kill_at), str(processes), str(out)]
    # waits for the end of the output, and so for every worker that a killed search has left behind
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_search_killed_twice_continues_to_the_bytes_of_one_that_ran_through_on_two_processes(tmp_path):
    script, whole, killed = (tmp_path / name for name in ("run.py", "whole", "killed"))
    done = run_script(script, 0, 2, whole)
    assert done.returncode == 0, done.stderr
    rows = []
    for kill_at, processes in ((3, 2), (30, 1)):
        assert run_script(script, kill_at, processes, killed).returncode == -9
        assert json.loads((killed / "calibration.json").read_text())["result"] is None
        rows.append(len(Calibration.load(killed).rows))
    assert rows[1] == rows[0] + 29 < 20 * 2 + 5 * 2
    assert run_script(script, 0, 1, killed).returncode == 0
    assert bytes_of(killed) == bytes_of(whole)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_seed_gives_the_same_trials_and_the_global_generator_has_no_part_in_it(optimizer):
    np.random.seed(1)
    one = search(optimizer=optimizer, seed=3)
    np.random.seed(2)
    pd.testing.assert_frame_equal(search(optimizer=optimizer, seed=3).rows, one.rows, check_exact=True)
    assert np.random.random() == np.random.RandomState(2).random(), "the global generator was drawn from"
    if optimizer != "nelder-mead":  # which draws nothing
        assert not search(optimizer=optimizer, seed=4).rows["x"].equals(one.rows["x"])


# --- errors -----------------------------------------------------------------------------------------------------------


def array_measure(values, seed):
    return {"height": np.zeros(3)}


def shadowing(values, seed):
    return {"height": 1.0, "x": 2.0}


def growing(values, seed):
    return {"height": 1.0} | ({"extra": 1.0} if seed else {})


def failing(values, seed):
    raise RuntimeError("no such body")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimizer": "cmaes"}, KeyError, "no optimizer 'cmaes'; did you mean 'cma'"),
        ({"start": {"z": 1.0}}, KeyError, "start has no parameter 'z'; known: 'x', 'y'"),
        ({"start": {"y": 200.0}}, ValueError, "'y': 200.0 mV is outside 0.1 to 100.0"),
        ({"parameters": []}, ValueError, "at least one parameter and one target"),
        ({"parameters": [BOWL[0], BOWL[0]]}, ValueError, "a parameter is there twice"),
        ({"trials": 0}, ValueError, r"trials \(0\) must be 1 or more"),
        ({"processes": 0}, ValueError, r"processes \(0\) must be 1 or more"),
        ({"step": 0.0}, ValueError, r"step \(0.0 of each range\)"),
        ({"population": 8}, ValueError, "nelder-mead has none"),
        ({"evaluate": lambda values, seed: {}}, ValueError, "has no importable name: define it with def at the top"),
        ({"targets": [Target(measure="hight", low=0, scale=1, unit="1")]}, KeyError, "'hight'; did you mean 'height'"),
        ({"evaluate": array_measure}, ValueError, "'height' is a ndarray, not a number; trace_rmse"),
        ({"evaluate": shadowing}, ValueError, "the measure 'x' is also the name of a parameter"),
        ({"evaluate": growing}, KeyError, "seed 1: measure 'extra' is new"),
    ],
)
def test_a_declaration_that_makes_no_search_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        search(**options)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_error_of_evaluate_comes_out_as_it_is_and_says_where_it_was(optimizer):
    with pytest.raises(RuntimeError, match="no such body") as caught:
        search(failing, optimizer=optimizer)
    assert "in trial 0 of a calibration, seed 0, values {'x': 0.0" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="is a ndarray"):
        search(array_measure, optimizer=optimizer)


def test_a_folder_with_another_search_is_refused_and_the_difference_named(tmp_path):
    search(out=tmp_path)
    before = bytes_of(tmp_path)
    with pytest.raises(ValueError, match="holds another search: trials is 30, now 31; give a new folder"):
        search(out=tmp_path, trials=31)
    with pytest.raises(ValueError, match=r"targets\.0\.high is -1\.0, now -2"):
        search(out=tmp_path, targets=[Target(measure="height", high=-2.0, scale=1.0, unit="1")])
    assert bytes_of(tmp_path) == before


def test_a_file_that_does_not_replay_is_refused_with_row_and_value(tmp_path):
    search(out=tmp_path)
    table = tmp_path / "trials.csv"
    lines = table.read_text().splitlines(keepends=True)
    for row, column in ((5, 4), (8, 3)):
        fields = lines[row - 1].split(",")
        fields[column] = "0.125"
        table.write_text("".join([*lines[: row - 1], ",".join(fields), *lines[row:]]))
        with pytest.raises(ValueError, match=f"row {row}: {['score', 'x'][column - 3]} is 0.125, this search has"):
            search(out=tmp_path)
    table.write_text("".join([*lines, lines[-1]]))
    with pytest.raises(ValueError, match="row 72: the search ended before this row"):
        search(out=tmp_path)
    table.write_text("".join([*lines[:3], "1,train\n"]))
    with pytest.raises(ValueError, match="row 4: is not a row of a calibration"):
        search(out=tmp_path)


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"it has no calibration\.json"):
        Calibration.load(tmp_path)
    (tmp_path / "trials.csv").write_text("mine\n")
    with pytest.raises(ValueError, match=r"stands there without a calibration\.json"):
        search(out=tmp_path)
    assert (tmp_path / "trials.csv").read_text() == "mine\n"
    (tmp_path / "trials.csv").unlink()
    search(out=tmp_path)
    header = tmp_path / "calibration.json"
    saved = json.loads(header.read_text())
    saved["result"]["held_out_score"] = 0.0
    header.write_text(json.dumps(saved))
    with pytest.raises(ValueError, match="its result is not that of the rows"):
        Calibration.load(tmp_path)
    for text, message in (("{", "is not JSON"), ("{}", "is not the header of a calibration")):
        header.write_text(text)
        with pytest.raises(ValueError, match=message):
            Calibration.load(tmp_path)


def test_two_searches_cannot_write_the_same_folder_at_once(tmp_path):
    with pytest.raises(RuntimeError, match="another process is writing this calibration"):
        search(partial(nested, folder=str(tmp_path)), out=tmp_path)


def nested(values, seed, folder):
    return search(partial(nested, folder=folder), out=folder).best


def test_without_the_package_cma_the_error_says_what_to_do(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(f"import sys\nsys.modules['cma'] = None  # as if it were not installed\n{SCRIPT}")
    done = subprocess.run(
        [sys.executable, str(script), "0", "1", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert "needs the package cma: pip install 'animat[calibration]'" in done.stderr
    assert not (tmp_path / "out").exists()
