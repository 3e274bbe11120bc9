"""One parity suite over every engine: the same network gives the same trajectory, and leaves the process as it was."""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from animat.brains import engines
from animat.brains.brain import Brain
from animat.brains.network import Cells, Network, SynapseGains, build_network, cells_from_table
from animat.organisms.worm.wiring import connectome as worm
from animat.registry import UnknownNameError

KINDS = ["graded", "lif", "rate", "mixed"]


def trajectories(brain: Brain, drives: np.ndarray, duration_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    activities = [brain.step(drive, duration_s) for drive in drives]
    return tuple(np.array([getattr(a, name) for a in activities]) for name in ("voltage", "release", "spikes"))


@pytest.mark.parametrize("kind", KINDS)
def test_numba_and_brian2_agree_step_for_step(random_network, kind):
    network = random_network(kind)
    drives = np.random.default_rng(1).uniform(0.0, 20.0, (8, network.n))
    voltage, release, spikes = trajectories(Brain(network, "numba"), drives, 0.025)
    reference = trajectories(Brain(network, "brian2"), drives, 0.025)
    np.testing.assert_allclose(voltage, reference[0], rtol=1e-9)
    np.testing.assert_allclose(release, reference[1], rtol=1e-9)
    np.testing.assert_array_equal(spikes, reference[2])
    assert release.std() > 0.01
    assert (spikes.sum() > 0) == (kind in ("lif", "mixed"))


@pytest.mark.parametrize("model", ["graded", "lif"])
def test_numba_and_brian2_agree_on_the_worm_over_one_second(model):
    connectome = worm()
    dynamics = pd.DataFrame([{"selector": "*", "tau_m_ms": 20.0}, {"selector": "DB", "plateau_mv": 40.0}])
    cells = cells_from_table(connectome, dynamics, model)
    network = build_network(connectome, cells, SynapseGains(chemical_mv=30.0, electrical=1.0, unknown_sign=-1.0))
    drive = np.random.default_rng(2).uniform(-5.0, 15.0, network.n)
    result, reference = (Brain(network, engine).step(drive, 1.0) for engine in ("numba", "brian2"))
    np.testing.assert_allclose(result.voltage, reference.voltage, rtol=1e-9)
    np.testing.assert_allclose(result.release, reference.release, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(result.spikes, reference.spikes)
    assert (result.spikes.sum() > 1000) == (model == "lif")


@pytest.mark.parametrize(("first", "second"), [("numba", "brian2"), ("brian2", "numba")])
def test_one_engine_continues_where_another_stopped(random_network, first, second):
    network = random_network("mixed")
    drive = np.full(network.n, 12.0)
    one, other = Brain(network, first), Brain(network, second, seed=9)
    one.step(drive, 0.1)
    other.restore(one.state)
    result, reference = other.step(drive, 0.1), one.step(drive, 0.1)
    np.testing.assert_allclose(result.voltage, reference.voltage, rtol=1e-9)
    np.testing.assert_array_equal(result.spikes, reference.spikes)


@pytest.mark.parametrize("engine", ["numba", "brian2"])
def test_two_brains_in_one_process_do_not_touch_each_other(random_network, engine):
    network = random_network("mixed")
    drive = np.full(network.n, 12.0)
    alone = Brain(network, engine)
    expected = [alone.step(drive, 0.02).voltage for _ in range(3)]
    one, other = Brain(network, engine), Brain(random_network("graded", n=5), engine)
    for voltage in expected:
        np.testing.assert_array_equal(one.step(drive, 0.02).voltage, voltage)
        other.step(np.full(5, -3.0), 0.05)


def test_release_follows_a_far_negative_voltage_to_zero_without_a_warning(make_network):
    for engine in ("numba", "brian2"):
        assert Brain(make_network("graded", slope_mv=0.01), engine).step(np.array([-1e4]), 0.5).release[0] == 0.0


def test_an_unknown_engine_raises_with_the_nearest(random_network):
    with pytest.raises(UnknownNameError, match="no engine 'nunba'; did you mean 'numba'"):
        Brain(random_network("graded"), "nunba")


def test_an_engine_that_is_not_installed_says_what_to_install(random_network):
    build = engines._lazy("missing_engine", "MissingEngine", "package_that_is_not_there", "'animat[missing]'")
    with pytest.raises(
        ModuleNotFoundError, match=r"engine 'missing' needs package_that.*pip install 'animat\[missing\]'"
    ):
        build(random_network("graded"))


IMPORT_BRIAN2 = """
import glob, logging, signal, sys, tempfile, warnings
before = sys.excepthook, signal.getsignal(signal.SIGINT), warnings.showwarning, list(sys.argv)
import animat.brains.engines.brian2_engine
assert "brian2" in sys.modules
assert before == (sys.excepthook, signal.getsignal(signal.SIGINT), warnings.showwarning, list(sys.argv))
assert not glob.glob(tempfile.gettempdir() + "/brian*"), glob.glob(tempfile.gettempdir() + "/brian*")
"""


def test_brian2_leaves_the_process_and_the_temporary_folder_as_they_were(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(IMPORT_BRIAN2)
    run = subprocess.run(
        [sys.executable, "-W", "error", script],
        env={"TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_engines_are_imported_only_when_they_are_asked_for():
    code = "import sys, animat.brains.brain; assert not {'numba', 'brian2'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


FIRST_STEP = """
import time
import numpy as np
from scipy.sparse import csr_array
from animat.brains.engines.numba_engine import NumbaEngine
from animat.brains.network import Cells, Network
one = np.ones(1)
cells = Cells(names=("A",), model=np.array(["graded"]), tau_m_ms=9 * one, v_rest_mv=one, v_half_mv=one, slope_mv=one,
    plateau_mv=one, tonic_mv=one, v_reset_mv=-one, t_refractory_ms=one, tau_release_ms=9 * one, rate_full_hz=one,
    spikelet_mv=one)
network = Network(cells=cells, chemical=csr_array((1, 1)), electrical=csr_array((1, 1)))
start = time.process_time()  # compiling keeps one core busy; what other processes take does not count
NumbaEngine(network).run(one, 1)
print(time.process_time() - start)
"""


def first_step_s(cache: str) -> float:
    env = {**os.environ, "NUMBA_CACHE_DIR": cache}
    return float(subprocess.run([sys.executable, "-c", FIRST_STEP], env=env, check=True, capture_output=True).stdout)


@pytest.mark.bench
def test_compiling_takes_under_eight_seconds_and_is_cached_on_disk(tmp_path):
    cold, warm = first_step_s(str(tmp_path)), first_step_s(str(tmp_path))
    assert cold < 8.0
    assert warm < 1.0


@pytest.mark.bench
def test_the_worm_brain_runs_at_sixty_thousand_steps_a_second():
    connectome = worm()
    cells = cells_from_table(connectome, pd.DataFrame([{"selector": "*", "tau_m_ms": 50.0}]))
    brain = Brain(build_network(connectome, cells, SynapseGains(chemical_mv=10.0, electrical=1.0)))
    drive = np.zeros(brain.n)
    best = np.inf
    for _ in range(8):
        start = time.process_time()  # one thread; what other processes take does not count
        brain.step(drive, 1.0)
        best = min(best, time.process_time() - start)
    assert 1000 / best >= 60_000


@pytest.mark.parametrize("engine", ["numba", "brian2"])
def test_a_spikelet_lets_a_firing_cell_depolarise_its_gap_junction_partner(engine):
    def partner_mv(spikelet_mv: float) -> float:
        one = np.ones(2)
        cells = Cells(
            names=("A", "B"), model=np.array(["lif", "lif"]), tau_m_ms=20 * one, v_rest_mv=-52 * one,
            v_half_mv=np.array([-45.0, 0.0]), slope_mv=one, plateau_mv=0 * one, tonic_mv=np.array([20.0, 0.0]),
            v_reset_mv=-52 * one, t_refractory_ms=2 * one, tau_release_ms=50 * one, rate_full_hz=50 * one,
            spikelet_mv=spikelet_mv * one,
        )  # fmt: skip
        gap = csr_array(np.array([[0.0, 0.0], [0.5, 0.0]]))
        brain = Brain(Network(cells=cells, chemical=csr_array((2, 2)), electrical=gap), engine, initial_spread_mv=0.0)
        return float(brain.step(np.zeros(2), 0.5).voltage[1])

    assert partner_mv(30.0) > partner_mv(0.0) + 5.0
