"""Brains in the loop: which brain, between which maps, inside an environment or outside as a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bodies.body import Body
from ..brains.brain import Activity, BrainLike
from ..brains.cells import members
from ..brains.connectome import Connectome
from ..brains.controls import CONTROLS
from ..organisms.organism import Organism, make
from ..registry import UnknownNameError, nearest
from .drive import Drive

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PolicyState:
    """Everything a brain policy carries from one step to the next."""

    brain: Mapping[str, Any]
    senses: Mapping[str, npt.NDArray[np.generic]]
    neuropil: Mapping[str, Any] = field(default_factory=dict)


class Controller:
    """A brain between a sensory map and an effector map; both the environment and `BrainPolicy` run exactly this.

    Args:
        organism: whose maps and control step are used.
        brain: whose neurons are in between.
        body: whose channels and effectors the maps are compiled for.
        seed: of the neuropil until a reset gives another.
    """

    def __init__(self, organism: Organism, brain: BrainLike, body: Body, seed: int = 0) -> None:
        self.brain = brain
        self.control_s = organism.control_s
        self.activity: Activity | None = None
        self._senses = organism.sensory.compile(
            brain.names, organism.channels(body), self.control_s, organism.reference
        )
        self._effectors = organism.effectors.compile(brain.names, body.effectors, organism.reference)
        self._neuropil = None if organism.neuropil is None else organism.neuropil()
        if self._neuropil is not None:
            self._seen = channel_slice(body, self._neuropil.modality)
            self._neuropil.reset(seed)

    def reset(self, seed: int | None = None) -> None:
        """Start again; `seed` replaces that of the brain and the neuropil, None keeps them."""
        self.brain.reset(seed)
        self._senses.reset()
        if self._neuropil is not None:
            self._neuropil.reset(seed)
        self.activity = None

    def act(self, observation: npt.NDArray[np.float32], extra_mv: Floats | None = None) -> npt.NDArray[np.float32]:
        """Excitation of each effector after one control step.

        Args:
            observation: all channels in the body's order, shape (n_channels,).
            extra_mv: drive added to the senses', mV, shape (n_neurons,); stimulation by an experimenter.
        """
        if self._neuropil is not None:
            told = self._neuropil.step(observation[self._seen], self.control_s)
            observation = np.concatenate([observation, told.astype(np.float32)])
        drive = self._senses(observation)
        if extra_mv is not None:
            drive = drive + extra_mv
        self.activity = self.brain.step(drive, self.control_s)
        return self._effectors(self.activity.release)

    @property
    def state(self) -> PolicyState:
        """All that changes, for an exact checkpoint."""
        return PolicyState(self.brain.state, self._senses.state, self._neuropil.state if self._neuropil else {})

    def restore(self, state: PolicyState) -> None:
        """Continue from a checkpoint."""
        self.brain.restore(dict(state.brain))
        self._senses.restore(state.senses)
        if self._neuropil is not None:
            self._neuropil.restore(state.neuropil)


def channel_slice(body: Body, modality: str) -> slice:
    """Where a modality's channels are in the vector of all of a body's."""
    names = list(body.channels)
    start = sum(len(body.channels[name]) for name in names[: names.index(modality)])
    return slice(start, start + len(body.channels[modality]))


class BrainPolicy:
    """An organism's brain with Stable-Baselines3's `predict`, for environments made with `brain=None`.

    Args:
        organism: an organism or the name of one.
        brain: the brain to use; by default the organism's own, of the given model and engine.
        model: neuron model of that brain; the organism's by default.
        engine: engine of that brain.
        seed: of that brain's starting voltages and of the neuropil.
        drive: selector -> constant drive, as an environment with the brain inside has it.
    """

    def __init__(
        self,
        organism: str | Organism = "worm",
        brain: BrainLike | None = None,
        *,
        model: str | None = None,
        engine: str = "numba",
        seed: int = 0,
        drive: Mapping[str, float] | None = None,
    ) -> None:
        self.organism = make(organism) if isinstance(organism, str) else organism
        body = self.organism.body()
        self._modalities = tuple(body.channels)
        self._controller = Controller(self.organism, brain or self.organism.brain(model, engine, seed), body, seed)
        find, step_s = partial(members, self.organism.reference), self.organism.control_s
        constant = Drive(self.brain.names, find, drive or {}, (), 0.0, 0.0, step_s)
        self._extra = constant.next(np.zeros(0, np.float32))
        self._latest: PolicyState | None = None

    @property
    def brain(self) -> BrainLike:
        """The brain inside."""
        return self._controller.brain

    @property
    def activity(self) -> Activity | None:
        """What the neurons did in the last step."""
        return self._controller.activity

    def reset(self, seed: int | None = None) -> None:
        """Forget the last episode; `seed` replaces the brain's, None keeps it."""
        self._controller.reset(seed)
        self._latest = None

    def predict(
        self,
        observation: Mapping[str, npt.NDArray[np.float32]],
        state: PolicyState | None = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = True,
    ) -> tuple[npt.NDArray[np.float32], PolicyState]:
        """Muscle excitations for one observation, and the state to hand back at the next call.

        Args:
            observation: the environment's Dict observation, with or without a batch dimension of one.
            state: what the last call returned; None starts the brain afresh.
            episode_start: true where an episode has just begun, which starts the brain afresh too.
            deterministic: accepted for the signature; the brain is deterministic.

        Raises:
            ValueError: a batch of more than one observation: every environment needs a brain of its own.
        """
        first = observation[self._modalities[0]]
        if first.ndim == 2 and first.shape[0] != 1:
            raise ValueError(f"BrainPolicy.predict: a batch of {first.shape[0]} observations; use one policy each")
        if state is None or (episode_start is not None and bool(np.any(episode_start))):
            self.reset()
        elif state is not self._latest:
            self._controller.restore(state)
        vector = np.concatenate([np.ravel(observation[name]) for name in self._modalities])
        action = self._controller.act(vector, self._extra)
        self._latest = self._controller.state
        return (action[None] if first.ndim == 2 else action), self._latest


def choose_brain(
    organism: Organism,
    brain: str | Path | BrainLike | None,
    model: str | None,
    engine: str,
    ablate: tuple[str, ...] = (),
    control_seed: int = 0,
) -> tuple[Organism, BrainLike | None]:
    """The organism and the brain that `brain` asks for; see `OrganismEnv`.

    Raises:
        KeyError: neither a control nor the folder of a connectome has that name.
    """
    if brain is None or not isinstance(brain, str | Path):
        return organism, brain
    if brain == "connectome":
        return organism, organism.brain(model, engine)
    if isinstance(brain, str) and brain in CONTROLS:
        rewired: list[Organism] = []

        def build(connectome: Connectome) -> Any:
            rewired.append(organism.with_connectome(connectome).ablate(ablate))
            return rewired[-1].brain(model, engine)

        made = CONTROLS[brain](organism.wiring, build, np.random.default_rng(control_seed))
        return rewired[-1], made
    if not Path(brain).is_dir():
        known = ("connectome", *CONTROLS)
        raise UnknownNameError(f"no brain {str(brain)!r}, and no folder of that name; {nearest(str(brain), known)}")
    loaded = organism.with_connectome(Connectome.load(Path(brain))).ablate(ablate)
    return loaded, loaded.brain(model, engine)
