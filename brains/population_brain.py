"""PopulationBrain: a network of populations with its state, stepped by whoever owns its senses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .brain import Activity, checked_drive, whole_steps
from .engines.population_engine import PopulationEngine, PopulationState
from .engines.spiking_populations import Cells, SpikingPopulations
from .population import PopulationNetwork

Floats = NDArray[np.float64]

SPREAD_MV = 1.0  # mV, standard deviation of the starting voltages about rest; assumed


class PopulationBrain:
    """A population network and its state; see `brain.BrainLike`.

    Random are the noise current and the starting state: voltages about rest, and how far the sodium channels of each
    rhythm generator are inactivated. One seed gives one result bit for bit, however a run is cut into calls.

    Args:
        network: what to run.
        seed: of the noise and the starting state.
        cells: spiking cells that stand for each population; None for its mean.
    """

    def __init__(self, network: PopulationNetwork, seed: int = 0, cells: Cells | None = None) -> None:
        self.network = network
        self.seed = seed
        self._engine = PopulationEngine(network) if cells is None else SpikingPopulations(network, cells)
        self._step_count = 0
        self.reset()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the nodes, in the order of every array."""
        return self.network.names

    @property
    def n(self) -> int:
        """Number of nodes."""
        return self.network.n

    @property
    def dt_ms(self) -> float:
        """Step of the network, ms."""
        return self.network.dt_ms

    @property
    def rest_mv(self) -> Floats:
        """Resting voltage of each population, mV, and 0 of inputs; shape (n,)."""
        return np.where(self.network.inputs, 0.0, self.network.parameter("e_leak_mv"))

    @property
    def time_s(self) -> float:
        """Simulated time since the reset, s."""
        return self._step_count * self.dt_ms * 1e-3

    def reset(self, seed: int | None = None) -> None:
        """Start again; `seed` replaces the seed, None keeps the one before."""
        self.seed = self.seed if seed is None else seed
        self._engine.load(self._engine.start(np.random.default_rng([self.seed]), SPREAD_MV))
        self._step_count = 0

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance under a constant drive.

        Args:
            drive: of an input, its output; of a population, a conductance in units of its `g_syn_ns`, excitatory above
                0 and inhibitory below; shape (n,).
            duration_s: a whole number of `dt_ms`, s.

        Returns:
            voltage: mV, of inputs their output; release: output, 0 to 1 but for inputs; spikes of all cells together,
            where there are cells.

        Raises:
            ValueError: a drive of the wrong shape or not finite, or a duration that is no whole number of steps.
        """
        steps = whole_steps(duration_s, self.dt_ms)
        spikes = self._engine.run(checked_drive(self.names, drive), self._step_count, steps, self.seed)
        self._step_count += steps
        return Activity(voltage=self._engine.voltage, release=self._engine.output, spikes=spikes)

    @property
    def state(self) -> PopulationState:
        """All that changes, as copies: what the engine has, and seed and step, shape ()."""
        counts = {"seed": np.array(self.seed, dtype=np.int64), "step": np.array(self._step_count, dtype=np.int64)}
        return {**self._engine.state, **counts}

    def restore(self, state: PopulationState) -> None:
        """Continue exactly where `state` was taken.

        Raises:
            ValueError: an array is missing, has the wrong shape or is not finite.
        """
        for name, shape in {name: value.shape for name, value in self.state.items()}.items():
            if name not in state:
                raise ValueError(
                    f"PopulationBrain.restore: no {name!r} in the state, which has: {', '.join(sorted(state))}"
                )
            if state[name].shape != shape or not np.isfinite(state[name]).all():
                raise ValueError(f"PopulationBrain.restore: {name!r} must be finite and of shape {shape}")
        self._engine.load(state)
        self.seed, self._step_count = int(state["seed"]), int(state["step"])
