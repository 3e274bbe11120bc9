"""Scores of predictions whose truth is known, and what the controls and baselines are."""

from dataclasses import replace

import numpy as np
import pytest

from animat.brains.atlas import Atlas
from animat.brains.connectome import Connectome
from animat.brains.response import NotSettledError
from animat.brains.validation import (
    MEASURES,
    baselines,
    control,
    measures,
    observed_pairs,
    score,
    soma_distance,
)


def spread_out(little_worm: Connectome) -> Connectome:
    """The little worm with its somata on a line, the last one unknown."""
    neurons = little_worm.neurons.assign(x_um=[0.0, 1.0, 3.0, 7.0, 20.0, np.nan])
    return Connectome(neurons, little_worm.synapses, little_worm.source)


def atlas_of(names: tuple[str, ...], response: np.ndarray, q: np.ndarray) -> Atlas:
    return Atlas(names=names, response=response, q=q, observations=np.ones(q.shape, dtype=np.int64))


@pytest.fixture
def random_atlas(little_worm) -> Atlas:
    rng = np.random.default_rng(0)
    return atlas_of(little_worm.names, rng.normal(size=(6, 6)), rng.choice([0.01, 0.5], (6, 6)))


def test_pairs_are_the_observed_ones_off_the_diagonal_in_the_connectomes_order(little_worm, random_atlas):
    response, q = random_atlas.response.copy(), random_atlas.q.copy()
    response[0, 1], q[2, 3] = np.nan, np.nan
    order = np.array([3, 1, 0, 5, 4, 2])
    names = tuple(little_worm.names[i] for i in order)
    mixed = atlas_of(names, response[np.ix_(order, order)], q[np.ix_(order, order)])
    pairs = observed_pairs(mixed, little_worm)
    found = set(zip(pairs.responding.tolist(), pairs.stimulated.tolist(), strict=True))
    assert found == {(i, j) for i in range(6) for j in range(6) if i != j} - {(0, 1), (2, 3)}
    np.testing.assert_array_equal(pairs.response, response[pairs.at])
    np.testing.assert_array_equal(pairs.significant, q[pairs.at] < 0.05)


def test_the_truth_scores_one_its_negative_gets_no_sign_right_and_chance_is_half(little_worm, random_atlas):
    truth = random_atlas.response
    q = np.where(np.abs(truth) > np.median(np.abs(truth)), 0.01, 0.5)
    pairs = observed_pairs(replace(random_atlas, q=q), little_worm)
    right = measures(truth, pairs)
    assert (right["auc"], right["balanced_sign"], right["sign"]) == (1.0, 1.0, 1.0)
    assert right["spearman"] == pytest.approx(1.0)
    wrong = measures(-truth, pairs)
    assert (wrong["auc"], wrong["balanced_sign"], wrong["sign"]) == (1.0, 0.0, 0.0)
    nothing = measures(np.zeros((6, 6)), pairs)
    assert (nothing["auc"], nothing["auc_at_distance"], nothing["balanced_sign"]) == (0.5, 0.5, 0.5)


def test_what_depends_on_the_stratum_of_distance_alone_is_worth_nothing_at_equal_distance(little_worm):
    worm = spread_out(little_worm)
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(6, 6))
    near = soma_distance(worm) < 5.0
    pairs = observed_pairs(atlas_of(worm.names, truth, np.where(near ^ (rng.random((6, 6)) < 0.2), 0.01, 0.5)), worm)
    coarse = np.zeros((6, 6))
    coarse[pairs.at] = -pairs.stratum
    found = measures(coarse, pairs, signed=False)
    assert found["auc"] > 0.6
    assert found["auc_at_distance"] == 0.5
    assert np.isinf(soma_distance(worm)[5]).all()  # an unknown soma is beyond every tenth
    assert pairs.stratum[(pairs.responding == 5) | (pairs.stimulated == 5)].min() == 9


def test_the_bootstrap_draws_stimulated_neurons_and_not_pairs(little_worm, random_atlas):
    response = random_atlas.response.copy()
    response[:, 1:] = np.nan
    one = observed_pairs(replace(random_atlas, response=response), little_worm)
    prediction = np.random.default_rng(2).normal(size=(6, 6))
    found = score(prediction, one, np.random.default_rng(0), resamples=20).auc
    assert found.value == found.low == found.high  # the only stimulated neuron is in every resample
    every = observed_pairs(random_atlas, little_worm)
    found = score(prediction, every, np.random.default_rng(0), resamples=200).auc
    assert found.low < found.value < found.high
    again = score(prediction, every, np.random.default_rng(0), resamples=200).auc
    assert again == found


def test_a_prediction_without_sign_is_not_scored_for_it(little_worm, random_atlas):
    pairs = observed_pairs(random_atlas, little_worm)
    found = score(np.abs(random_atlas.response), pairs, np.random.default_rng(0), signed=False, resamples=5)
    assert (found.balanced_sign, found.sign) == (None, None)
    assert found.as_dict()["spearman"]["value"] == pytest.approx(1.0)


def test_an_observed_pair_without_a_prediction_is_refused(little_worm, random_atlas):
    pairs = observed_pairs(random_atlas, little_worm)
    prediction = np.zeros((6, 6))
    prediction[4, 2] = np.nan
    with pytest.raises(ValueError, match="no prediction for an observed pair: neuron 2 to neuron 4"):
        measures(prediction, pairs)


def test_an_atlas_in_which_every_pair_is_significant_is_refused(little_worm, random_atlas):
    with pytest.raises(ValueError, match=r"30 of 30 pairs have q below 0\.05; AUC needs both kinds"):
        observed_pairs(replace(random_atlas, q=np.zeros((6, 6))), little_worm)


def test_baselines_read_from_the_stimulated_column_to_the_responding_row(little_worm, random_atlas):
    worm = spread_out(little_worm)
    trials = np.arange(36).reshape(6, 6)
    found = baselines(worm, replace(random_atlas, observations=trials))
    al, ar, db, dd, pvt, alm = range(6)
    assert found["chemical contacts"][db, al] == 6.0
    assert found["chemical contacts"][al, db] == 0.0
    assert found["gap contacts"][al, ar] == found["gap contacts"][ar, al] == 3.0
    assert found["chemical + gap contacts"][db, al] == 7.0
    assert found["chemical + gap contacts"][dd, dd] == 0.0
    assert found["shortest path"][dd, alm] == -3.0  # ALM to AL to DB1 to DD1
    assert found["shortest path"][alm, dd] == -np.inf
    assert found["soma distance"][dd, ar] == -6.0
    assert found["degree product"][db, pvt] == (6 + 2 + 4 + 1) * 3
    np.testing.assert_array_equal(found["number of trials"], trials)


def test_a_control_counts_as_good_draws_and_leaves_out_those_that_never_settle(little_worm, random_atlas):
    pairs = observed_pairs(random_atlas, little_worm)
    drawn: list[float] = []

    def predict(connectome: Connectome) -> np.ndarray:
        assert connectome.source.changes == ("shuffled (label)",)
        if len(drawn) == 3:
            drawn.append(np.nan)
            raise NotSettledError("a draw that oscillates")
        prediction = connectome.matrix("chemical").toarray()
        drawn.append(measures(prediction, pairs)["auc"])
        return prediction

    found = control(little_worm, predict, pairs, "label", 9, np.random.default_rng(0))
    known = np.array([value for value in drawn if np.isfinite(value)])
    np.testing.assert_array_equal(found.scores["auc"], known)
    assert set(found.scores) == set(MEASURES)
    middle = float(np.median(known))
    compared = found.compared("auc", middle)
    assert (compared["draws"], compared["unsettled"]) == (8, 1)
    assert compared["p"] == (1 + (known >= middle).sum()) / 9
    assert compared["low"] <= compared["mean"] <= compared["high"]
