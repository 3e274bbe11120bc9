"""The default engine of spiking networks: event-driven where the network is quiet, dense where it is busy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models.lif_exp import LifExp
from ..spiking import SpikingNetwork
from .event_loop import Machine, Mode, cuts, fill_calendar, hold, runner, shift_all, start_lazily
from .lif_cells import CELL, NEVER, RING, Shorts, Singles, decay_table
from .lif_dense import Dense
from .lif_kernels import Fired, Wiring
from .poisson_trains import Trains, trains

SpikingState = dict[str, NDArray[np.generic]]

WINDOW_MS = 20.0  # how often the engine asks itself which form is cheaper
BUSY = 1 / 50  # arriving spikes per neuron and step from which on the dense form is; see `animat bench brain`
LAST_STEP = 2**31 - RING  # steps are 32-bit numbers: 59 hours of 0.1 ms
FORMS = ("auto", "lazy", "dense")


class EventEngine:
    """Runs one `SpikingNetwork`; the result does not depend on the number of threads.

    Args:
        network: what to run.
        seed: of the Poisson trains.
        threads: partitions of the network, each with a thread of its own.
        form: "auto" changes between the lazy and the dense form by the activity; the other two keep to one.
    """

    def __init__(self, network: SpikingNetwork, seed: int = 0, threads: int = 1, form: str = "auto") -> None:
        if not (network.event_driven and isinstance(network.model, LifExp)):
            raise ValueError(
                "EventEngine: runs LifExp with one delay for all edges and no gap junctions; DenseEngine runs every"
                " network"
            )
        if form not in FORMS:
            raise ValueError(f"EventEngine: form must be one of {', '.join(FORMS)}, got {form!r}")
        if not 1 <= threads <= network.n:
            raise ValueError(f"EventEngine: threads must be 1 to {network.n}, the number of neurons; got {threads}")
        self._network, self._model, self._threads = network, network.model, threads
        self._refractory = np.full(network.n, round(network.model.t_refractory_ms / network.dt_ms), np.int32)
        bounds = np.linspace(0, network.n, threads + 1).astype(np.int64)
        delay = round(network.model.delay_ms / network.dt_ms)
        self._wiring = Wiring(
            bounds=bounds,
            start=cuts(network.start, network.target, bounds),
            target=network.target,
            weight=network.weight,
            delay=delay,
            refractory=self._refractory.copy(),
            span=float(np.float32(network.model.v_threshold_mv - network.model.v_reset_mv)),
        )
        window = int(np.ceil(WINDOW_MS / network.dt_ms / delay)) * delay
        self._mode = Mode(np.array([True]), window, form == "auto")
        self._lazy_at_start = form != "dense"
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """All neurons at rest, no drive, no trains."""
        n, threads, model = self._network.n, self._threads, self._model
        delay, bounds = self._wiring.delay, self._wiring.bounds
        self._seed, self._step = seed, 0
        self._wiring.refractory[:] = self._refractory
        self._mode.lazy[0] = self._lazy_at_start
        cells = np.zeros(n, CELL)
        cells["due"] = NEVER
        self._m = Machine(
            cells=cells,
            heads=np.full((threads, RING), NEVER, np.int32),
            dense=Dense(
                v=np.zeros(n, np.float32),
                g=np.zeros(n, np.float32),
                since=np.full(n, -1, np.int32),
                threshold=np.full(n, model.v_threshold_mv - model.v_rest_mv, np.float32),
                standing=np.zeros((threads, int(np.diff(bounds).max())), np.int32),
                stood_at=np.zeros((threads, int(np.diff(bounds).max())), np.float32),
                stand=np.zeros(threads, np.int64),
            ),
            wiring=self._wiring,
            decays=decay_table(model, self._network.dt_ms),
            trains=trains(seed),
            own=np.zeros(threads + 1, np.int64),
            fired=Fired(
                neuron=np.zeros((threads, 2, int(delay * np.diff(bounds).max())), np.int32),
                end=np.zeros((threads, 2, delay + 1), np.int64),
                events=np.zeros(threads, np.int64),
            ),
            mode=self._mode,
        )
        self._held = hold(self._m)
        if self._lazy_at_start:
            start_lazily(self._m)

    def drive(self, drive_mv: ArrayLike) -> None:
        """Set the constant drive of every neuron, mV, shape (n,), from now on."""
        model = self._model
        threshold = model.v_threshold_mv - model.v_rest_mv - np.asarray(drive_mv, dtype=np.float64)
        shift_all(self._m, self._step, threshold.astype(np.float32))

    def poisson(self, neurons: ArrayLike, rate_hz: ArrayLike, weight_mv: ArrayLike, t_refractory_ms: float) -> None:
        """Replace all Poisson trains; whoever has one gets another refractory period."""
        made = trains(self._seed, neurons, rate_hz, weight_mv, self._network.dt_ms, self._step - 1, self._network.n)
        self._wiring.refractory[:] = self._refractory
        self._wiring.refractory[made.neuron] = round(t_refractory_ms / self._network.dt_ms)
        self._use(made)

    def run(self, steps: int) -> tuple[Shorts, Shorts]:
        """Advance; returns the step and the neuron of every spike, in the order of steps and then of neurons.

        Raises:
            OverflowError: the network would run past `LAST_STEP`.
        """
        if self._step + steps > LAST_STEP:
            raise OverflowError(f"EventEngine: cannot run past step {LAST_STEP}; reset the brain")
        spikes = runner(self._threads > 1)(self._step, self._step + steps, self._held, BUSY)
        self._step += steps
        return spikes

    @property
    def voltage(self) -> Singles:
        """Voltage now, mV, shape (n,)."""
        model, cells, dense = self._model, self._m.cells, self._m.dense
        if not self._mode.lazy[0]:
            return np.asarray(model.v_threshold_mv - dense.threshold + dense.v, dtype=np.float32)
        passed = np.maximum(self._step - 1 - cells["since"], 0)
        of_voltage, _, gained = model.decays(passed, self._network.dt_ms)
        above = cells["v"] * of_voltage + cells["g"] * gained
        return np.asarray(model.v_threshold_mv - cells["threshold"] + above, dtype=np.float32)

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies."""
        arrays = {name: value.copy() for name, value in self._changing().items()}
        return arrays | {"seed": np.array(self._seed, np.uint64), "step": np.array(self._step)}

    def load(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken, by an engine of the same network and number of threads.

        Raises:
            ValueError: an array is missing or has another shape than this engine's.
        """
        for name, value in self.state.items():
            if name not in state:
                raise ValueError(f"EventEngine.load: no {name!r} in the state")
            if not name.startswith("trains.") and state[name].shape != value.shape:
                raise ValueError(f"EventEngine.load: {name!r} must have shape {value.shape}, got {state[name].shape}")
        self._seed, self._step = int(state["seed"]), int(state["step"])
        stored = {name: state[f"trains.{name}"].copy() for name in Trains._fields if name not in ("seed", "soon")}
        soon = np.zeros_like(stored["neuron"])
        self._use(Trains(**stored, seed=np.uint64(self._seed), soon=soon))  # type: ignore[arg-type]
        for name, value in self._changing().items():
            value[...] = state[name]
        fill_calendar(self._m.cells, self._m.heads, self._wiring.bounds)

    def _changing(self) -> dict[str, NDArray[np.generic]]:
        """The arrays that a checkpoint holds, themselves."""
        m = self._m
        arrays: dict[str, NDArray[np.generic]] = {
            "cells": m.cells,
            "refractory": m.wiring.refractory,
            "lazy": m.mode.lazy,
        }
        for part, values in (("dense", m.dense._asdict()), ("fired", m.fired._asdict())):
            arrays |= {f"{part}.{name}": value for name, value in values.items()}
        own = m.trains._asdict()
        return arrays | {f"trains.{name}": own[name] for name in own if name not in ("seed", "soon")}

    def _use(self, made: Trains) -> None:
        """Run with other trains from now on."""
        own = np.searchsorted(made.neuron, self._wiring.bounds).astype(np.int64)
        self._m = self._m._replace(trains=made, own=own)
        self._held = hold(self._m)
