"""Sensing: what the body, the arena's fields and the task's stimuli make the sense organs report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..bodies.body import Body, Posture, Senses
from .arenas import channels_of
from .fields import Field
from .tasks import Task

if TYPE_CHECKING:
    import mujoco

    from ..bodies.retina import Retina

Floats = npt.NDArray[np.float64]
Observation = dict[str, npt.NDArray[np.float32]]


class Felt(NamedTuple):
    """A field and one of the channels that feel it."""

    field: Field
    channel: str
    place: int  # in the vector of all channels


class Sensing:
    """Every channel of a body, as one vector in the body's order and as a dictionary by modality.

    Args:
        body: whose channels.
        data: the state of its physics, which is read.
        task: its arena holds the fields, and it may touch the animal.
    """

    def __init__(self, body: Body, data: mujoco.MjData, task: Task) -> None:
        self._body, self._data, self._task, self._read = body, data, task, body.reader(data)
        self.fields = task.arena.fields
        resting = task.arena.resting_senses(body)
        self.resting = np.concatenate([resting[name] for name in body.channels]).astype(np.float32)
        edges = np.cumsum([0, *(len(labels) for labels in body.channels.values())])
        self._slices = {
            name: slice(int(a), int(b)) for name, a, b in zip(body.channels, edges, edges[1:], strict=False)
        }
        self._low, self._high = np.empty_like(self.resting), np.empty_like(self.resting)
        boxes: dict[str, spaces.Space[Any]] = {}
        for name, part in self._slices.items():
            self._low[part], self._high[part] = body.bounds[name]
            boxes[name] = spaces.Box(self._low[part].copy(), self._high[part].copy(), dtype=np.float32)
        self.space: spaces.Dict = spaces.Dict(boxes)
        self._retina = None if task.arena.panorama is None else body.retina()
        if task.arena.panorama is not None and self._retina is None:
            raise ValueError(f"task {task.name!r} has something to see, and the {body.name} has no eyes")
        self._look_s, self._seen = 0.0, np.zeros(0)
        self.felt = self._find_felt()

    def _find_felt(self) -> list[Felt]:
        body = self._body
        return [
            Felt(field, body.channels[field.modality][k], self._slices[field.modality].start + k)
            for field in self.fields
            for k in channels_of(field, body)
        ]

    def begin(self, rng: np.random.Generator) -> None:
        """Start an episode: fields in which chance has a part draw it from `rng`, which the others leave alone."""
        self.fields = tuple(field.begun(rng) for field in self._task.arena.fields)
        self.felt = self._find_felt()
        self._look_s = 0.0

    def read(self, time_s: float) -> tuple[Senses, Posture]:
        """All channels, a fresh array of shape (n_channels,), and where the body is."""
        vector = self.resting.copy()
        posture = self._read(vector)
        if self.felt:
            self._feel_fields(vector, time_s)
        if self._retina is not None:
            vector[self._slices["vision"]] = self._looked(self._retina, time_s)
        stimuli = self._task.stimuli(time_s, self._body)
        for name, values in stimuli.items():
            vector[self._slices[name]] += values
        return (np.clip(vector, self._low, self._high) if stimuli else vector), posture

    def _looked(self, retina: Retina[Any], time_s: float) -> Floats:
        """What the eyes see, or saw when the last picture was due, shape (points of all eyes,)."""
        panorama = self._task.arena.panorama
        if panorama is not None and time_s > self._look_s - 1e-9:
            self._seen = retina.look(self._data, panorama, time_s).ravel()
            self._look_s += retina.frame_s
        return self._seen

    def _feel_fields(self, vector: Senses, time_s: float) -> None:
        for (_, _, place), value in zip(self.felt, self.field_values(time_s), strict=True):
            vector[place] = min(max(value, self._low[place]), self._high[place])

    def field_values(self, time_s: float) -> list[float]:
        """Each of the arena's fields where each channel's organ is now, in the unit of the channel, as in `felt`."""
        values = []
        for field, channel, _ in self.felt:
            x, y, z = self._body.organ(self._data, channel).tolist()
            values.append(field.at(x, y, z, time_s))
        return values

    def by_modality(self, vector: Senses) -> Observation:
        """The vector as Gymnasium's observation; its entries share the vector's memory."""
        return {name: vector[part] for name, part in self._slices.items()}
