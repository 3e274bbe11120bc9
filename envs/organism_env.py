"""OrganismEnv: an organism in an arena with a task, as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from inspect import Parameter, signature
from math import atan2, ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from numba import njit

from ..bodies.body import Body, Senses
from ..bodies.drag import Medium
from ..brains.brain import Activity, BrainLike
from ..brains.cells import members
from ..organisms.organism import Organism, make
from ..registry import UnknownNameError, nearest
from .drive import Drive
from .fields import described
from .policy import Controller, choose_brain
from .sensing import Observation, Sensing
from .tasks import Task, choose_task

if TYPE_CHECKING:
    from .camera import Camera

Floats = npt.NDArray[np.float64]
POSITION_LIMIT = 1e6  # body units; nothing that behaves gets this far
STIMULATION_MV = 20.0  # mV, drive of a stimulated neuron at action 1


class OrganismEnv(gymnasium.Env[Any, npt.NDArray[np.float32]]):
    """An organism that senses, thinks and moves.

    ## Description
    Each control step (the organism's `control_s`; 10 ms for the worm) the senses are read and mapped to the neurons,
    the brain runs for as long, its motor neurons excite the muscles and the physics runs for as long.

    ## Action space
    With a brain inside, `Box(-1, 1)`: stimulation of the neurons named in `stimulate`, times `stimulation_mv`; zero
    leaves the brain alone. With `brain=None`, `Box(0, 1)`: excitation of each effector, in the body's order.

    ## Observation space
    `Dict` of float32 `Box`es, one a modality (proprioception, touch, chemosensation, thermosensation); the body's
    `channels` name their entries.

    ## Rewards
    The task's; by default the speed of the centroid along the body axis, mm/s.

    ## Episode end
    Truncated after the task's duration. Terminated, with `info["reason"]`, if the animal falls over for good or the
    physics fails.

    Args:
        organism: an organism or the name of one.
        task: a task or the name of one; by default the first of the organism's.
        brain: "connectome" (the organism's own), None (the caller acts on the muscles), a control of
            `brains.controls.CONTROLS`, the folder of a saved Connectome, or a brain.
        model: neuron model of the brain; the organism's by default.
        engine: engine of the brain.
        ablate: selectors of neurons removed from the brain.
        drive: selector -> constant drive in mV for the whole episode; it replaces what the task drives a selector with.
        freeze_senses: the brain is shown the resting observation whatever happens (a control).
        stimulate: selectors of the neurons the action stimulates; default the organism's command neurons.
        stimulation_mv: drive of a stimulated neuron at action 1, mV.
        noise_mv: replaces the task's membrane noise, standard deviation in mV; seeded by `reset`.
        medium: replaces the arena's medium.
        duration_s: replaces the task's duration, s.
        neuropil: one of the organism's controls of its neuropil, such as "V1 rewired" of the mouse.
        control_seed: of the shuffles that make a control brain or neuropil.
        render_mode: None or "rgb_array".
        body: further options of the organism's body, such as `planar` of the worm.

    Raises:
        KeyError: an unknown organism, task, brain, model, engine, neuron or option, with the nearest name.
        ValueError: an impossible duration or medium.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012  Gymnasium's own form

    def __init__(
        self,
        organism: str | Organism = "worm",
        task: str | Task | None = None,
        brain: str | Path | BrainLike | None = "connectome",
        *,
        model: str | None = None,
        engine: str = "numba",
        ablate: Sequence[str] = (),
        drive: Mapping[str, float] | None = None,
        freeze_senses: bool = False,
        stimulate: Sequence[str] | None = None,
        stimulation_mv: float = STIMULATION_MV,
        noise_mv: float | None = None,
        medium: str | Medium | None = None,
        duration_s: float | None = None,
        neuropil: str | None = None,
        control_seed: int = 0,
        render_mode: str | None = None,
        **body: Any,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"no render mode {render_mode!r}; {nearest(str(render_mode), ['rgb_array'])}")
        base = make(organism) if isinstance(organism, str) else organism
        if neuropil is not None:
            base = base.with_neuropil(neuropil, control_seed)
        self.task = choose_task(base, task, **({} if duration_s is None else {"duration_s": duration_s}))
        base = base.for_task(self.task.name)
        model = model or base.model
        self.organism, self.brain = choose_brain(base.ablate(ablate), brain, model, engine, tuple(ablate), control_seed)
        standing = {"pillars": self.task.arena.pillars} if self.task.arena.pillars else {}
        self.body = _body(base, {"medium": medium or self.task.arena.medium, **standing, **body})
        self.data = self.body.new_data()
        self.controller = None if self.brain is None else Controller(self.organism, self.brain, self.body)
        self.render_mode = render_mode
        self._camera: Camera | None = None
        self.control_s = base.control_s
        self.fingerprint = self.organism.connectome.fingerprint
        self._last_step = ceil(self.task.duration_s / self.control_s - 1e-6)
        self._ctrl, self._freeze_senses = self.data.ctrl, freeze_senses
        self._prepare_physics()
        self.senses = Sensing(self.body, self.data, self.task)
        self.observation_space: spaces.Dict = self.senses.space
        noise_mv = self.task.noise_mv if noise_mv is None else noise_mv
        drive = {**self.task.drive, **(drive or {})}
        self._prepare_action(stimulate, stimulation_mv, drive, noise_mv)
        self._action_shape = self.action_space.shape
        self.options: dict[str, Any] = {
            "organism": self.organism.name,
            "task": self.task.name,
            "brain": brain if brain is None or isinstance(brain, str) else str(getattr(brain, "name", brain)),
            "model": model,
            "engine": engine,
            "ablate": list(ablate),
            "drive": drive,
            "freeze_senses": freeze_senses,
            "stimulate": list(self.stimulated),
            "stimulation_mv": stimulation_mv,
            "noise_mv": noise_mv,
            "duration_s": self.task.duration_s,
            "control_s": self.control_s,
            "neuropil": neuropil,
            "control_seed": control_seed,
            "fields": [described(field) for field in self.senses.fields],
            "body": dict(self.body.options),
        }

    def _prepare_physics(self) -> None:
        import mujoco

        self._mj_step, self._model = mujoco.mj_step, self.body.model
        self._substeps = _whole_steps(self.control_s, self._model.opt.timestep)
        self._effector_ids = self.body.effector_ids
        self._model.opt.wind[:2] = self.task.arena.wind_mm_s

    def _prepare_action(
        self,
        stimulate: Sequence[str] | None,
        stimulation_mv: float,
        constant: Mapping[str, float],
        noise_mv: float,
    ) -> None:
        self.excitation = np.zeros(len(self.body.effectors), dtype=np.float32)
        self.stimulated: tuple[str, ...] = ()
        if self.brain is None:
            self.action_space = spaces.Box(0.0, 1.0, (len(self.body.effectors),), np.float32)
            return
        find = partial(members, self.organism.reference)
        chosen = self.organism.stimulated if stimulate is None else stimulate
        self._drive = Drive(self.brain.names, find, constant, chosen, stimulation_mv, noise_mv, self.control_s)
        self.stimulated = self._drive.stimulated
        self.action_space = spaces.Box(-1.0, 1.0, (len(self.stimulated),), np.float32)

    @property
    def activity(self) -> Activity | None:
        """What the neurons did in the last step; None without a brain or before the first step."""
        return None if self.controller is None else self.controller.activity

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode from a slightly perturbed resting posture."""
        super().reset(seed=seed)
        self._steps, self.time_s = 0, 0.0
        self.body.reset(self.data, self.np_random)
        self.task.start(self.body, self.data, self.np_random)
        brain_seed = int(self.np_random.integers(2**32))
        if self.controller is not None:
            self.controller.reset(brain_seed)
            self._drive.reset(self.np_random)
        self.senses.begin(self.np_random)
        self.options["fields"] = [described(field) for field in self.senses.fields]
        self.excitation = np.zeros_like(self.excitation)
        self._observed, self._posture = self.senses.read(self.time_s)
        return self._observation(), {**self._info(), "brain_seed": brain_seed}

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One control step.

        Raises:
            ValueError: an action of the wrong shape or not finite.
        """
        values = self._shaped(action)
        self.excitation = values if self.controller is None else self._think(self.controller, values)
        if not _load(self.excitation, self._effector_ids, self._ctrl):
            raise _not_finite(values)
        self._mj_step(self._model, self.data, self._substeps)
        self._steps += 1
        self.time_s = self._steps * self.control_s  # not a running sum, which would drift
        observed, posture = self.senses.read(self.time_s)
        if not posture[6] < POSITION_LIMIT**2:  # a number that is not one fails the comparison too
            return self._observation(), 0.0, True, False, {**self._info(), "reason": self._failure()}
        reward = self.task.reward(self._posture, posture, self.control_s)
        self._observed, self._posture = observed, posture
        if self.body.fallen(self.data):
            return self._observation(), reward, True, False, {**self._info(), "reason": "fell over"}
        return self._observation(), reward, False, self._steps >= self._last_step, self._info()

    def render(self) -> npt.NDArray[np.uint8] | None:
        """A picture of the body, shape (480, 640, 3), or None without a render mode.

        Raises:
            RenderingError: there is no OpenGL here.
        """
        if self.render_mode is None:
            return None
        if self._camera is None:
            from .follow_camera import camera_of

            self._camera = camera_of(self.body)
        x, y, z, ahead, left, *_ = self._posture
        self._camera.aim(atan2(left, ahead))
        return self._camera.frame(self.data, np.array([x, y, z]))

    def close(self) -> None:
        """Free the camera, if there is one."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _shaped(self, action: npt.ArrayLike) -> Senses:
        values = np.asarray(action, dtype=np.float32)
        if values.shape != self._action_shape:
            raise ValueError(f"action: need shape {self.action_space.shape}, got {values.shape}: {values}")
        return values

    def _think(self, controller: Controller, stimulation: Senses) -> Senses:
        if not np.isfinite(stimulation).all():
            raise _not_finite(stimulation)
        extra = self._drive.next(stimulation)
        return controller.act(self.senses.resting if self._freeze_senses else self._observed, extra)

    def _failure(self) -> str:
        return f"physics failed at {self.time_s:.3f} s: the position is not finite or beyond {POSITION_LIMIT:g}"

    def _observation(self) -> Observation:
        return self.senses.by_modality(self._observed)

    def _info(self) -> dict[str, Any]:
        return {"time_s": self.time_s, "fingerprint": self.fingerprint}


def _body(organism: Organism, options: Mapping[str, Any]) -> Body:
    """The organism's body with these options.

    Raises:
        KeyError: an option that neither the environment nor this body has, with the nearest.
    """
    known = signature(organism.body).parameters
    anything = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known.values())
    for name in options:
        if name not in known and not anything:
            hint = nearest(name, {*known, *signature(OrganismEnv).parameters} - {"body"})
            raise UnknownNameError(f"no option {name!r} of the environment or the {organism.name}'s body; {hint}")
    return organism.body(**options)


def _whole_steps(control_s: float, timestep_s: float) -> int:
    steps = round(control_s / timestep_s)
    if steps < 1 or abs(steps * timestep_s - control_s) > 1e-9:
        raise ValueError(f"a control step of {control_s} s is not a whole number of physics steps of {timestep_s} s")
    return steps


@njit(cache=True)
def _load(excitation: Senses, effectors: npt.NDArray[np.int64], ctrl: Floats) -> bool:
    """Write to `ctrl`, which MuJoCo clamps to the actuators' range, unless a value is not finite."""
    for value in excitation:
        if not np.isfinite(value):
            return False
    for i in range(excitation.size):
        ctrl[effectors[i]] = excitation[i]
    return True


def _not_finite(action: Senses) -> ValueError:
    bad = {int(i): float(action[i]) for i in np.flatnonzero(~np.isfinite(action))[:5]}
    return ValueError(f"action: not finite at {bad}")
