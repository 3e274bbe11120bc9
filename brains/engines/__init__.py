"""Engines, one a file: each runs the same `Network` to the same trajectory. None is imported before it is asked for."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...registry import Registry
from ..network import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
State = dict[str, NDArray[np.float64] | NDArray[np.int64]]


class Engine(Protocol):
    """A network being run. The state is the same for all engines, so that one can continue where another stopped."""

    def run(self, drive: Floats, steps: int) -> Ints:
        """Advance by `steps` under a constant drive (mV, shape (n,)); returns the spikes of each neuron."""

    @property
    def voltage(self) -> Floats:
        """Voltage now, mV, shape (n,), a copy."""

    @property
    def release(self) -> Floats:
        """Release now, 0 to 1, shape (n,), a copy."""

    @property
    def state(self) -> State:
        """Copies of `voltage` (mV), `trace` (lif release before clipping) and `held` (lif refractory steps left)."""

    def load(self, state: State) -> None:
        """Continue from a state."""


ENGINES: Registry[Engine] = Registry("engine", "animat.engines")


def _lazy(module: str, name: str, package: str, install: str) -> Callable[[Network], Engine]:
    """A factory that imports its engine on first use and says what to install where that fails."""

    def build(network: Network) -> Engine:
        if find_spec(package) is None:
            engine_name = module.removesuffix("_engine")
            raise ModuleNotFoundError(f"engine {engine_name!r} needs {package}: pip install {install}")
        engine: Engine = getattr(import_module(f".{module}", __name__), name)(network)
        return engine

    return build


ENGINES.add("numba", _lazy("numba_engine", "NumbaEngine", "numba", "animat"))
ENGINES.add("brian2", _lazy("brian2_engine", "Brian2Engine", "brian2", "animat"))
