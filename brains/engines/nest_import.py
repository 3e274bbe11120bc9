"""NEST imported without its traces, and what to say where it is not there: it is GPL, and so an optional extra."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

MISSING = "engine 'nest' needs the NEST simulator (PyPI nest-simulator 3.10 or newer, GPL): pip install 'animat[nest]'"


@contextmanager
def _process_unchanged() -> Iterator[None]:
    """Keep NEST from reading the program's arguments, and undo that it shares all later libraries' symbols.

    Its OpenMP is told to let waiting threads sleep: they meet at every step, and where another program wants the cores,
    threads that spin lose a time slice at each meeting, 40 ms a step instead of 0.5.
    """
    arguments, flags, wait = sys.argv[:], sys.getdlopenflags(), os.environ.get("OMP_WAIT_POLICY")
    sys.argv[:] = ["", "--quiet"]  # without it NEST prints a banner
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read once, when the library is loaded
    try:
        yield
    finally:
        sys.argv[:] = arguments
        sys.setdlopenflags(flags)
        if wait is None:
            del os.environ["OMP_WAIT_POLICY"]


@cache
def nest() -> Any:
    """The module of NEST.

    Raises:
        ModuleNotFoundError: it is not installed, or another package has its name; the message says what to install.
    """
    if find_spec("nest") is None:
        raise ModuleNotFoundError(MISSING)
    with _process_unchanged():
        import nest as module
    if not hasattr(module, "VerbosityLevel"):
        raise ModuleNotFoundError(f"{MISSING}; {module!r} is not it")
    module.verbosity = module.VerbosityLevel.ERROR
    return module
