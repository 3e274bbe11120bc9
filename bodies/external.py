"""Bodies that others have made: any MJCF with a map of names becomes a Body.

The map is plain data, so it can be kept as JSON beside the model:

    {
      "name": "hopper",                                   the animal
      "mm_per_unit": 1000.0,                              the model's unit of length; its other units stay its own
      "effectors": {"knee_extensor": {"actuator": "knee", "scale": 1.0},
                    "knee_flexor": {"actuator": "knee", "scale": -1.0}},
      "channels": {"proprioception": {"unit": "rad", "low": -3.2, "high": 3.2, "of": {
                       "knee_angle": {"joint": "knee"}, "knee_speed": {"velocity": "knee", "scale": 0.1}}},
                   "touch": {"unit": "N", "low": 0.0, "high": 100.0, "of": {"foot": {"sensor": "foot", "index": 0}}},
                   "chemosensation": {"unit": "mM", "low": 0.0, "high": 1e6, "of": {"salt": null}}},
      "centreline": ["head", "torso", "tail"],            bodies, nose first
      "nose": "head",                                     a site or a body
      "keyframe": "stand",                                optional: the resting posture
      "perturbation": 0.01,                               optional: spread of the joints at reset, rad or model units
      "tau_s": 0.01                                       optional: lag of effectors whose actuators have none, s
    }

A channel that is null is filled by the world. An effector in [0, 1] adds `scale` times itself to the control of its
actuator, so that one servo or motor can have a flexor and an extensor; given as a plain string ("knee_flexor":
"flexor_muscle"), it is that actuator itself, with its own range of control.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from .body import Body, Floats, Indices, Posture, Senses
from .external_map import NameMap, find, is_free
from .external_muscles import add_effectors
from .free_root import turn_free_root

if TYPE_CHECKING:
    import mujoco


def external(
    mjcf: str | Path, name_map: Mapping[str, Any] | str | Path, *, timestep_s: float | None = None
) -> ExternalBody:
    """A body from an MJCF file, or its text, and a map of names, or the path of its JSON.

    Args:
        mjcf: path of the model, next to its meshes, or XML.
        name_map: see the module.
        timestep_s: physics step, s; the model's own by default.

    Raises:
        UnknownNameError: the map names what the model has not.
        ValueError: the map lacks an entry or has one too many, or an actuator cannot be shared.
    """
    import mujoco

    entries = dict(name_map if isinstance(name_map, Mapping) else json.loads(Path(name_map).read_text("utf-8")))
    names, text = NameMap.read(entries), str(mjcf)
    is_xml = text.lstrip().startswith("<")
    spec = mujoco.MjSpec.from_string(text) if is_xml else mujoco.MjSpec.from_file(text)
    if timestep_s is not None:
        spec.option.timestep = timestep_s
    add_effectors(spec, names)
    model = spec.compile()
    body = ExternalBody(
        name=names.name,
        model=model,
        options={"mjcf": text, "name_map": entries, "timestep_s": timestep_s},
        effectors=tuple(names.effectors),
        channels={modality: tuple(group.channels) for modality, group in names.modalities.items()},
        bounds={modality: (group.low, group.high) for modality, group in names.modalities.items()},
        units={modality: group.unit for modality, group in names.modalities.items()},
        length_mm=_length(model, names),
        names=names,
    )
    body.try_out()
    return body


def _length(model: mujoco.MjModel, names: NameMap) -> float:
    """Length of the centreline at rest, mm."""
    import mujoco

    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    points = data.xpos[[find(model, "body", name, "centreline") for name in names.centreline]]
    return float(names.mm_per_unit * np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


@njit(cache=True)
def _read(
    qpos: Floats,
    qvel: Floats,
    sensors: Floats,
    places: Floats,
    kinds: Indices,
    addresses: Indices,
    scales: Floats,
    bounds: Floats,
    line: Indices,
    mm: float,
    vector: Senses,
) -> Posture:
    """The channels of the body itself into `vector`; kinds: 0 the world's, 1 position, 2 velocity, 3 sensor."""
    for k in range(kinds.size):
        if kinds[k] == 0:
            continue
        source = qpos if kinds[k] == 1 else (qvel if kinds[k] == 2 else sensors)
        vector[k] = min(max(scales[k] * source[addresses[k]], bounds[k, 0]), bounds[k, 1])
    centre, axis = np.zeros(3), np.zeros(3)
    for k in range(3):
        for point in line:
            centre[k] += mm * places[point, k] / line.size
        axis[k] = places[line[0], k] - places[line[-1], k]
    axis /= max(np.sqrt((axis * axis).sum()), 1e-12)
    squares = 0.0
    for value in qpos:
        squares += value * value
    return centre[0], centre[1], centre[2], axis[0], axis[1], axis[2], squares


@dataclass(frozen=True, kw_only=True)
class ExternalBody(Body):
    """Someone else's model behind the contract of Body; lengths are in mm, all else in the model's units."""

    names: NameMap

    def try_out(self) -> None:
        """Look up every name of the map now rather than in the middle of an episode.

        Raises:
            UnknownNameError: the model lacks one.
            ValueError: a channel asks for one value of several.
        """
        data = self.new_data()
        self.reset(data, np.random.default_rng(0))
        self.reader(data)
        self.nose(data)

    def reader(self, data: mujoco.MjData) -> Callable[[Senses], Posture]:
        """Joint positions, velocities and sensors as the map says."""
        sources = [
            (self._source(channel, wire), *self.bounds[modality])
            for modality, group in self.names.modalities.items()
            for channel, wire in group.channels.items()
        ]
        kinds = np.array([source[0] for source, _, _ in sources], dtype=np.int64)
        addresses = np.array([source[1] for source, _, _ in sources], dtype=np.int64)
        scales = np.array([source[2] for source, _, _ in sources])
        bounds = np.array([(low, high) for _, low, high in sources])
        arrays, mm = (data.qpos, data.qvel, data.sensordata, data.xpos), self.names.mm_per_unit

        def read(vector: Senses) -> Posture:
            posture: Posture = _read(*arrays, kinds, addresses, scales, bounds, self._line, mm, vector)
            return posture

        return read

    def _source(self, channel: str, wire: Mapping[str, Any] | None) -> tuple[int, int, float]:
        if wire is None:
            return 0, 0, 1.0
        scale, model = float(wire.get("scale", 1.0)), self.model
        if "sensor" in wire:
            sensor = model.sensor(find(model, "sensor", wire["sensor"], channel))
            index = int(wire.get("index", 0))
            if not 0 <= index < sensor.dim[0]:
                raise ValueError(f"{channel}: sensor {wire['sensor']!r} has {sensor.dim[0]} values, no index {index}")
            return 3, int(sensor.adr[0]) + index, scale
        kind = 1 if "joint" in wire else 2
        joint = model.joint(find(model, "joint", wire["joint" if kind == 1 else "velocity"], channel))
        if joint.qpos0.size > 1:
            raise ValueError(f"{channel}: joint {joint.name!r} has {joint.qpos0.size} coordinates; use a sensor")
        return kind, int(joint.qposadr[0] if kind == 1 else joint.dofadr[0]), scale

    @cached_property
    def _line(self) -> Indices:
        names = self.names.centreline
        return np.array([find(self.model, "body", name, "centreline") for name in names], dtype=np.int64)

    @cached_property
    def _nose(self) -> tuple[bool, int]:
        sites = [self.model.site(k).name for k in range(self.model.nsite)]
        is_site = self.names.nose in sites
        return is_site, find(self.model, "site" if is_site else "body", self.names.nose, "nose")

    def centreline(self, data: mujoco.MjData) -> Floats:
        """Origins of the bodies of the centreline, mm, shape (n_points, 3)."""
        points: Floats = self.names.mm_per_unit * data.xpos.take(self._line, axis=0)
        return points

    def nose(self, data: mujoco.MjData) -> Floats:
        """The site or body that the map calls the nose, mm, shape (3,)."""
        is_site, k = self._nose
        place: Floats = self.names.mm_per_unit * (data.site_xpos if is_site else data.xpos)[k]
        return place

    def turn(self, data: mujoco.MjData, heading_rad: float) -> None:
        """Turn the animal about the vertical at the origin.

        Raises:
            ValueError: its model has no free joint.
        """
        free = [k for k in range(self.model.njnt) if is_free(self.model, k)]
        if not free:
            raise ValueError(f"{self.name}: the model has no free joint, so it cannot be turned")
        turn_free_root(self.model, data, heading_rad, int(self.model.jnt_qposadr[free[0]]))

    def reset(self, data: mujoco.MjData, rng: np.random.Generator) -> None:
        """The keyframe, or the model's own start, with the map's perturbation of every hinge and slide."""
        import mujoco

        mujoco.mj_resetData(self.model, data)
        if self.names.keyframe:
            mujoco.mj_resetDataKeyframe(self.model, data, find(self.model, "key", self.names.keyframe, "keyframe"))
        single = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
        moved = self.model.jnt_qposadr[np.isin(self.model.jnt_type, [int(kind) for kind in single])]
        data.qpos[moved] += rng.normal(0.0, self.names.perturbation, size=moved.size)
        mujoco.mj_forward(self.model, data)
