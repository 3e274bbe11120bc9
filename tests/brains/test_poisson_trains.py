"""Poisson trains that are given anew again and again, as a closed loop does, stay Poisson."""

import numpy as np
import pytest

from animat.brains.spiking import SpikingNetwork
from animat.brains.spiking_brain import SpikingBrain

N = 400


@pytest.mark.parametrize("engine", ["event", "dense"])
def test_trains_given_anew_every_window_have_the_counts_of_a_poisson_process(engine: str):
    net = SpikingNetwork(start=np.zeros(N + 1, np.int64), target=np.zeros(0, np.int32), weight=np.zeros(0, np.float32))
    brain = SpikingBrain(net, seed=1, engine=engine)
    counts = np.zeros((N, 100))
    for window in range(100):
        brain.poisson(np.arange(N), 50.0)
        counts[:, window] = brain.step(None, 0.01).spikes
    assert abs(counts.mean() - 0.5) < 0.015  # 50 Hz for 10 ms
    of_neuron = counts.sum(axis=1)
    assert 0.8 < of_neuron.var() / of_neuron.mean() < 1.2  # independent from window to window
    assert abs(np.corrcoef(counts[:, :-1].ravel(), counts[:, 1:].ravel())[0, 1]) < 0.02
