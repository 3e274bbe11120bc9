"""Brain: a compiled network with its state, stepped by whoever owns its senses."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from .engines import ENGINES, Floats, Ints, State
from .network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """What the neurons did during one `Brain.step`; arrays of shape (n,) in the brain's order of names."""

    voltage: Floats  # mV, at the end of the step
    release: Floats  # 0 to 1, at the end of the step
    spikes: Ints  # counts within the step; zero for graded neurons


class BrainLike(Protocol):
    """What an environment needs of a brain; the controls of `animat.brains.controls` have it too."""

    @property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in the order of every array."""

    @property
    def dt_ms(self) -> float:
        """Step of the network, ms."""

    def reset(self, seed: int | None = None) -> None:
        """Start again."""

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance under a constant drive (mV, shape (n,))."""

    @property
    def state(self) -> State:
        """All that changes, for an exact checkpoint."""

    def restore(self, state: State) -> None:
        """Continue from a checkpoint."""


class Brain:
    """A network run by an engine.

    Nothing in it is random but the starting voltages, which are drawn about rest so that the two sides of a symmetric
    animal do not start as exact copies; the same seed gives the same trajectory bit for bit.

    Args:
        network: what to run.
        engine: a name in `ENGINES`.
        seed: of the starting voltages.
        initial_spread_mv: their standard deviation about rest, mV (assumed; small against the slope of release).
    """

    def __init__(self, network: Network, engine: str = "numba", seed: int = 0, initial_spread_mv: float = 1.0) -> None:
        if not initial_spread_mv >= 0:
            raise ValueError(f"Brain: initial_spread_mv ({initial_spread_mv} mV) must be 0 or more")
        self.network = network
        self.engine = engine
        self.seed = seed
        self._spread_mv = initial_spread_mv
        self._engine = ENGINES[engine](network)
        self._step_count = 0
        self.reset()

    @property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in the order of every array."""
        return self.network.names

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.network.n

    @property
    def rest_mv(self) -> Floats:
        """Resting voltage of each neuron, mV, shape (n,)."""
        return self.network.cells.v_rest_mv

    @property
    def dt_ms(self) -> float:
        """Step of the network, ms."""
        return self.network.dt_ms

    @property
    def time_s(self) -> float:
        """Simulated time since the reset, s; kept as a whole number of steps, so it does not drift."""
        return self._step_count * self.dt_ms * 1e-3

    def reset(self, seed: int | None = None) -> None:
        """Start again at rest; `seed` replaces the seed of the starting voltages, None keeps the one before."""
        self.seed = self.seed if seed is None else seed
        noise = np.random.default_rng(self.seed).standard_normal(self.n)
        zeros = np.zeros(self.n)
        voltage = self.network.cells.v_rest_mv + self._spread_mv * noise
        self._engine.load({"voltage": voltage, "trace": zeros, "held": zeros.astype(np.int64)})
        self._step_count = 0

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance under a constant drive.

        Args:
            drive: depolarisation of each neuron, mV (current times membrane resistance), shape (n,).
            duration_s: a whole number of `dt_ms`, s.

        Raises:
            ValueError: a drive of the wrong shape or not finite, or a duration that is no whole number of steps.
        """
        steps = whole_steps(duration_s, self.dt_ms)
        spikes = self._engine.run(checked_drive(self.names, drive), steps)
        self._step_count += steps
        return Activity(voltage=self._engine.voltage, release=self._engine.release, spikes=spikes)

    @property
    def state(self) -> State:
        """All that changes, as copies: voltage (mV), trace, held, and step (the step count, shape ())."""
        return {**self._engine.state, "step": np.array(self._step_count, dtype=np.int64)}

    def restore(self, state: State) -> None:
        """Continue exactly where `state` was taken, also from another engine running the same network.

        Raises:
            ValueError: an array is missing, has the wrong shape or is not finite.
        """
        for name, shape in {"voltage": (self.n,), "trace": (self.n,), "held": (self.n,), "step": ()}.items():
            if name not in state:
                raise ValueError(f"Brain.restore: no {name!r} in the state, which has: {', '.join(sorted(state))}")
            if state[name].shape != shape:
                raise ValueError(f"Brain.restore: {name!r} must have shape {shape}, got {state[name].shape}")
            if not np.isfinite(state[name]).all():
                raise ValueError(f"Brain.restore: {name!r} is not finite")
        self._engine.load(state)
        self._step_count = int(state["step"])


def whole_steps(duration_s: float, dt_ms: float) -> int:
    """How many steps make up a duration; raises unless it is a whole number, one or more."""
    exact = duration_s * 1e3 / dt_ms
    steps = round(exact) if np.isfinite(exact) else 0
    if steps < 1 or abs(exact - steps) > 1e-6:
        raise ValueError(f"Brain.step: duration_s ({duration_s} s) is not a whole number of steps of {dt_ms} ms")
    return steps


def checked_drive(names: tuple[str, ...], drive: ArrayLike) -> Floats:
    """A drive as floats, mV, shape (n,); raises with the offending neurons and values otherwise."""
    values = np.asarray(drive, dtype=np.float64)
    if values.shape != (len(names),):
        raise ValueError(f"Brain.step: drive (mV) must have shape ({len(names)},), got {values.shape}")
    if not np.isfinite(values).all():
        bad = [f"{names[i]} = {values[i]} mV" for i in np.flatnonzero(~np.isfinite(values))]
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise ValueError(f"Brain.step: drive is not finite: {', '.join(bad[:5])}{more}")
    return values
