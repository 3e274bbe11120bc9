"""The map of names between an external model and what a Body offers; its form is in external.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..registry import UnknownNameError, nearest

if TYPE_CHECKING:
    import mujoco

REQUIRED = ("name", "effectors", "channels", "centreline", "nose")
OPTIONAL = ("mm_per_unit", "keyframe", "perturbation", "tau_s")
DEFAULTS = {"mm_per_unit": 1.0, "perturbation": 0.01, "tau_s": 0.01}
SOURCES = ("joint", "velocity", "sensor")
WIRE = (*SOURCES, "index", "scale")


@dataclass(frozen=True, kw_only=True)
class Modality:
    """One sense: its unit, its bounds and where each channel comes from; None is the world."""

    unit: str
    low: float
    high: float
    channels: Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, kw_only=True)
class NameMap:
    """A map that has been checked for form, not yet against a model."""

    name: str
    effectors: Mapping[str, tuple[str, float | None]]  # effector: actuator, scale; None: that actuator itself
    modalities: Mapping[str, Modality]
    centreline: tuple[str, ...]
    nose: str
    keyframe: str
    mm_per_unit: float
    perturbation: float  # rad or the model's unit of length
    tau_s: float  # s

    @classmethod
    def read(cls, entries: Mapping[str, Any]) -> NameMap:
        """The map in this JSON object.

        Raises:
            ValueError: an entry is missing, unknown or of the wrong form.
        """
        _keys("name map", entries, REQUIRED, OPTIONAL)
        numbers = {name: float(entries.get(name, value)) for name, value in DEFAULTS.items()}
        for name, value in numbers.items():
            if not (value >= 0 and (value > 0 or name == "perturbation")):
                raise ValueError(f"name map: {name} ({value}) must be positive")
        if len(entries["centreline"]) < 2:
            raise ValueError(f"name map: centreline ({entries['centreline']}) must name at least 2 bodies, nose first")
        return cls(
            name=entries["name"],
            effectors={name: _effector(name, entry) for name, entry in entries["effectors"].items()},
            modalities={name: _modality(name, entry) for name, entry in entries["channels"].items()},
            centreline=tuple(entries["centreline"]),
            nose=entries["nose"],
            keyframe=entries.get("keyframe", ""),
            **numbers,
        )


def _effector(name: str, entry: Mapping[str, Any] | str) -> tuple[str, float | None]:
    if isinstance(entry, str):
        return entry, None
    _keys(f"effector {name!r}", entry, ("actuator",), ("scale",))
    return entry["actuator"], float(entry.get("scale", 1.0))


def _modality(name: str, entry: Mapping[str, Any]) -> Modality:
    _keys(f"modality {name!r}", entry, ("unit", "low", "high", "of"), ())
    low, high = float(entry["low"]), float(entry["high"])
    if not low < high:
        raise ValueError(f"modality {name!r}: low ({low}) must be below high ({high}), both in {entry['unit']}")
    for channel, wire in entry["of"].items():
        if wire is not None:
            _keys(f"channel {channel!r}", wire, (), WIRE)
            if sum(source in wire for source in SOURCES) != 1:
                raise ValueError(f"channel {channel!r}: give one of {', '.join(SOURCES)}, got {dict(wire)}")
    return Modality(unit=entry["unit"], low=low, high=high, channels=entry["of"])


def _keys(what: str, entry: Mapping[str, Any], required: Collection[str], optional: Collection[str]) -> None:
    for key in required:
        if key not in entry:
            raise ValueError(f"{what}: {key!r} is missing")
    known = (*required, *optional)
    for key in entry:
        if key not in known:
            raise ValueError(f"{what}: no entry {key!r}; {nearest(key, known)}")


def find(model: mujoco.MjModel, kind: str, name: str, wanted_by: str) -> int:
    """Number of a named element of a compiled model.

    Raises:
        UnknownNameError: the model has no element of this kind with this name.
    """
    counts = {"body": "nbody", "joint": "njnt", "site": "nsite", "sensor": "nsensor", "key": "nkey"}
    names = [getattr(model, kind)(k).name for k in range(getattr(model, counts[kind]))]
    if name not in names:
        raise UnknownNameError(f"{wanted_by}: the model has no {kind} {name!r}; {nearest(name, filter(None, names))}")
    return names.index(name)


def is_free(model: mujoco.MjModel, joint: int) -> bool:
    """Whether a joint leaves its body free in space."""
    import mujoco

    return bool(model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE)
