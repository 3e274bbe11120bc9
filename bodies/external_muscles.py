"""Effectors in [0, 1] on the actuators of an external model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..registry import UnknownNameError, nearest
from .external_map import NameMap

if TYPE_CHECKING:
    import mujoco


def add_effectors(spec: mujoco.MjSpec, names: NameMap) -> None:
    """Give every effector an actuator of its own name whose control is the effector's excitation.

    An actuator that effectors share keeps what it does at control 0 (a servo keeps holding its zero) and they add to
    it. Limits of control no longer apply, those of force apply to each effector alone. An effector without a scale is
    the actuator itself under another name.

    Raises:
        UnknownNameError: the model has no such actuator.
        ValueError: an effector is called like another actuator of the model, or its actuator cannot be shared because
            its force is not its control times a constant.
    """
    known = {actuator.name: actuator for actuator in spec.actuators}
    for name, (target, scale) in names.effectors.items():
        if target not in known:
            raise UnknownNameError(f"effector {name!r}: the model has no actuator {target!r}; {nearest(target, known)}")
        if name in known and (scale is not None or name != target):
            raise ValueError(f"effector {name!r}: the model has an actuator of that name; choose another")
        if scale is None:
            _rename(spec, known[target], name)
        else:
            _pull(spec, known[target], name, scale)
        _lag(spec.actuator(name), names.tau_s)


def _lag(actuator: Any, tau_s: float) -> None:
    """Every effector has an activation, as a muscle has, for recordings to keep."""
    import mujoco

    if actuator.dyntype == mujoco.mjtDyn.mjDYN_NONE:
        actuator.dyntype, actuator.dynprm[0] = mujoco.mjtDyn.mjDYN_FILTEREXACT, tau_s


def _rename(spec: mujoco.MjSpec, actuator: Any, name: str) -> None:
    import mujoco

    for sensor in spec.sensors:
        if sensor.objtype == mujoco.mjtObj.mjOBJ_ACTUATOR and sensor.objname == actuator.name:
            sensor.objname = name
    actuator.name = name


def _pull(spec: mujoco.MjSpec, actuator: Any, name: str, scale: float) -> None:
    import mujoco

    if actuator.gaintype != mujoco.mjtGain.mjGAIN_FIXED:
        raise ValueError(
            f"effector {name!r}: actuator {actuator.name!r} has no fixed gain, so nothing can be added to its control"
        )
    copy = spec.add_actuator(name=name, target=actuator.target, trntype=actuator.trntype)
    for field in ("dyntype", "dynprm", "gear", "refsite", "slidersite", "cranklength", "forcelimited", "forcerange"):
        setattr(copy, field, getattr(actuator, field))
    copy.gaintype, copy.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_NONE
    copy.gainprm = np.array(actuator.gainprm) * scale
    copy.ctrllimited, copy.ctrlrange = mujoco.mjtLimited.mjLIMITED_TRUE, [0.0, 1.0]
