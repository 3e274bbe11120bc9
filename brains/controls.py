"""Controls: the brains an honest experiment runs beside the real one.

A control is made from the same connectome by the same recipe (`build`), so that it differs from the real brain in one
named way; what a control does as well is not owed to the wiring. Frozen senses are the environment's and not here.
"""

from collections.abc import Callable

import numpy as np

from ..registry import Registry
from .brain import Activity, Brain, BrainLike, checked_drive, whole_steps
from .connectome import Connectome
from .engines import Floats, State

__all__ = ["CONTROLS", "BrainLike", "RandomBrain", "SilentBrain"]

Build = Callable[[Connectome], Brain]

CONTROLS: Registry[BrainLike] = Registry("control", "animat.controls")
"""name -> function(connectome, build, rng) -> BrainLike; `build` makes the organism's brain of any connectome."""


class SilentBrain:
    """Every neuron at rest and without release, whatever it is driven with.

    Args:
        brain: whose names, step and resting voltages.
    """

    def __init__(self, brain: Brain) -> None:
        self.names = brain.names
        self.dt_ms = brain.dt_ms
        self._rest_mv = brain.rest_mv
        self._step_count = 0

    def reset(self, seed: int | None = None) -> None:
        """Start again; there is nothing to draw."""
        self._step_count = 0

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Let time pass; refuses what `Brain.step` refuses."""
        checked_drive(self.names, drive)
        self._step_count += whole_steps(duration_s, self.dt_ms)
        n = len(self.names)
        return Activity(voltage=self._rest_mv.copy(), release=np.zeros(n), spikes=np.zeros(n, dtype=np.int64))

    @property
    def state(self) -> State:
        """The step count."""
        return {"step": np.array(self._step_count, dtype=np.int64)}

    def restore(self, state: State) -> None:
        """Continue from a checkpoint."""
        self._step_count = int(state["step"])


class RandomBrain:
    """The live brain's activity handed to random neurons, drawn anew at every step.

    The mean and the distribution of release at every moment are exactly the live brain's; which neuron has it is noise.

    Args:
        brain: the live brain, which keeps running inside.
        seed: of the draws.
    """

    def __init__(self, brain: Brain, seed: int) -> None:
        self.names = brain.names
        self.dt_ms = brain.dt_ms
        self._brain = brain
        self._seed = seed

    def reset(self, seed: int | None = None) -> None:
        """Start again; `seed` replaces that of the draws and of the live brain, None keeps both."""
        self._brain.reset(seed)
        self._seed = self._seed if seed is None else seed

    def step(self, drive: Floats, duration_s: float) -> Activity:
        """Advance the live brain and deal its activity out at random."""
        live = self._brain.step(drive, duration_s)
        # Drawn from the step count and not from a running generator, so that a checkpoint needs no generator state.
        deal = np.random.default_rng([self._seed, int(self._brain.state["step"])]).permutation(len(self.names))
        return Activity(voltage=live.voltage[deal], release=live.release[deal], spikes=live.spikes[deal])

    @property
    def state(self) -> State:
        """The live brain's state and the seed of the draws."""
        return {**self._brain.state, "seed": np.array(self._seed, dtype=np.int64)}

    def restore(self, state: State) -> None:
        """Continue from a checkpoint."""
        self._brain.restore(state)
        self._seed = int(state["seed"])


def _shuffled(connectome: Connectome, build: Build, rng: np.random.Generator) -> BrainLike:
    """Edges rewired at random, every neuron keeping its number of inputs and outputs of each kind."""
    return build(connectome.shuffle(rng, "degree"))


def _label_shuffled(connectome: Connectome, build: Build, rng: np.random.Generator) -> BrainLike:
    """The graph kept and the neurons dealt to its nodes at random."""
    return build(connectome.shuffle(rng, "label"))


def _silent(connectome: Connectome, build: Build, rng: np.random.Generator) -> BrainLike:
    return SilentBrain(build(connectome))


def _random(connectome: Connectome, build: Build, rng: np.random.Generator) -> BrainLike:
    return RandomBrain(build(connectome), seed=int(rng.integers(2**32)))


for _name, _control in {
    "shuffled": _shuffled,
    "label_shuffled": _label_shuffled,
    "silent": _silent,
    "random": _random,
}.items():
    CONTROLS.add(_name, _control)
