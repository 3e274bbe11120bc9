"""OpenGL without a screen: which backend works here.

A backend is tried in a process of its own. A broken driver may crash, and a failed attempt leaves PyOpenGL bound to its
platform, after which no other one could be tried.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from functools import cache
from typing import Any

BACKENDS = ("egl", "osmesa")
OFF = ("disable", "disabled", "off", "false", "0")  # MuJoCo's words for "no pictures"
WINDOWED = ("glfw", "glx")  # MuJoCo's words for "through the window system"
PACKAGES = "libegl1 libegl-mesa0 libgl1-mesa-dri (or libosmesa6)"
PROBE_S = 60.0  # s, longest wait for a backend; a cold disk has taken 10 s to import MuJoCo
PROBE = """
import importlib, sys, mujoco
context = importlib.import_module(f"mujoco.{sys.argv[1]}").GLContext(16, 16)
context.make_current()
drawing = mujoco.MjrContext(mujoco.MjSpec().compile(), mujoco.mjtFontScale.mjFONTSCALE_100)
drawing.free()
context.free()
"""


class RenderingError(RuntimeError):
    """No OpenGL to draw with, or nothing to draw; the message says which packages or what is missing."""


def choose() -> str:
    """The backend that MUJOCO_GL asks for, otherwise the first of egl and osmesa that works.

    Raises:
        RenderingError: none works here, or MUJOCO_GL turns drawing off; the message names the Debian packages.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked in OFF:
        raise RenderingError(f"the environment variable MUJOCO_GL ({asked}) turns drawing off")
    if asked in WINDOWED:
        return "glfw"
    failures = {}
    for backend in (asked,) if asked in BACKENDS else BACKENDS:
        failures[backend] = failure(backend)
        if not failures[backend]:
            return backend
    reasons = "; ".join(f"{backend}: {reason}" for backend, reason in failures.items())
    raise RenderingError(f"no OpenGL without a screen ({reasons}); on Debian and Ubuntu: apt install {PACKAGES}")


@cache
def failure(backend: str) -> str:
    """Why a backend does not work here, or '' if it does; tried once a process."""
    try:
        tried = subprocess.run(
            [sys.executable, "-c", PROBE, backend],
            env={**os.environ, "MUJOCO_GL": "off"},  # or `import mujoco` would already fail
            capture_output=True,
            text=True,
            timeout=PROBE_S,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {PROBE_S:g} s"
    if tried.returncode == 0:
        return ""
    if tried.returncode < 0:
        return f"its driver crashed (signal {-tried.returncode})"
    reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
    return "its library is missing" if "'NoneType' object" in reason else reason


def prepare(wanted: bool) -> str:
    """Set MUJOCO_GL for this process before MuJoCo is imported, which fails on a setting that does not work here.

    Args:
        wanted: whether anything will be drawn.

    Returns:
        Why nothing can be drawn, or ''.
    """
    backend, reason = "off", ""
    if wanted:
        try:
            backend = choose()
        except RenderingError as error:
            reason = str(error)
    os.environ["MUJOCO_GL"] = backend
    return reason


def open_context(width: int, height: int) -> Any:
    """An offscreen OpenGL context, made current.

    Raises:
        RenderingError: there is no OpenGL here.
    """
    backend = choose()
    try:
        context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
        context.make_current()
    except Exception as error:  # another PyOpenGL platform in this process raises whatever it happens to raise
        raise RenderingError(f"OpenGL through {backend} failed: {type(error).__name__}: {error}") from None
    return context
