"""Compiled code kept on disk under the sources it was made of.

Numba finds its cache by the name of a function and the date of its file; it does not see what the function calls. Here
the name holds a fingerprint of every source that matters, so that a changed one is compiled anew and nothing else is.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from numba import njit


def fingerprint(*modules: ModuleType) -> str:
    """Of the sources of some modules and of this one, 16 hexadecimal digits."""
    sources = "".join(inspect.getsource(module) for module in (*modules, sys.modules[__name__]))
    return hashlib.sha256(sources.encode()).hexdigest()[:16]


def kept(function: Callable[..., Any], names: dict[str, Any], key: str) -> Any:
    """A function compiled with other globals, `names`, and kept under its name and `key`; it lets other threads run."""
    copy = FunctionType(function.__code__, names)
    copy.__qualname__ = f"{function.__name__}_{key}"
    return njit(cache=True, nogil=True)(copy)
