"""Slow modulation of spiking cells by monoamines, around a `SpikingBrain` and so on every engine.

Every neuron that sends modulatory edges leaves a trace of what it has released: a spike adds 1/tau, and the trace
decays with tau, so that a steady train of r Hz has a trace of r. The concentration at a target is the sum of the traces
of its senders, times their counts, in Hz; what it does is a drive in mV: `mv_per_hz` times concentration times sign.

Traces are exact. The drive follows them in periods of its own, on a grid that begins with the reset, so that it does
not depend on how long the steps are that a caller takes: it is that of the beginning of its period, late by at most one
period, an error of at most period/tau of a trace without new spikes (0.2 % of 10 ms in 5 s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from .brain import checked_drive, whole_steps
from .connectome import Connectome
from .receptors import Receptors, edge_receptors
from .spiking_brain import SpikingActivity, SpikingBrain, SpikingState

Floats = NDArray[np.float64]

OWN = ("trace", "held", "drive")


@dataclass(frozen=True, kw_only=True, eq=False)
class Modulation:
    """Who modulates whom, one entry for each receptor."""

    receptors: tuple[str, ...]
    tau_ms: Floats  # (receptors,) ms
    count: tuple[sparse.csr_array, ...]  # (receptors,) of shape (n, n), row = target, column = sender; signed counts
    mv_per_hz: float  # mV for a concentration of 1 Hz; nothing is known of its size: assumed by whoever sets it

    def __post_init__(self) -> None:
        if not len(self.receptors) == len(self.tau_ms) == len(self.count):
            raise ValueError(
                f"Modulation: {len(self.receptors)} receptors, {len(self.tau_ms)} of tau_ms, {len(self.count)} of count"
            )
        if not (np.isfinite(self.tau_ms) & (self.tau_ms > 0)).all():
            raise ValueError(f"Modulation: tau_ms must be above 0, got {', '.join(map(str, self.tau_ms))} ms")
        if not np.isfinite(self.mv_per_hz):
            raise ValueError(f"Modulation: mv_per_hz ({self.mv_per_hz} mV/Hz) is not finite")

    def concentration(self, trace: Floats) -> Floats:
        """What reaches every cell through each receptor, Hz, shape (receptors, n), from traces of the same shape."""
        pairs = zip(self.count, trace, strict=True)
        return np.array([abs(count) @ released for count, released in pairs]).reshape(trace.shape)

    def drive_mv(self, trace: Floats) -> Floats:
        """What the traces do to every cell, mV, shape (n,)."""
        total = np.zeros(trace.shape[1])
        for count, released in zip(self.count, trace, strict=True):
            total += count @ released
        return self.mv_per_hz * total


def modulation(connectome: Connectome, table: Receptors, mv_per_hz: float) -> Modulation:
    """The modulatory edges of a connectome, each with the slow receptor that `edge_receptors` gives it.

    Args:
        connectome: edges without a slow receptor in the table are left out, as `receptor_counts` shows.
        table: of the same animal; `Receptors.prefer` chooses among receptors of both signs.
        mv_per_hz: drive, mV, of a concentration of 1 Hz; see `Modulation`.
    """
    edges = edge_receptors(connectome, table)
    edges = edges[(edges["kind"] == "modulatory") & (edges["receptor"] != "")]
    names = tuple(sorted(set(edges["receptor"])))
    groups = [edges[edges["receptor"] == name] for name in names]
    return Modulation(
        receptors=names,
        tau_ms=np.array([group["decay_ms"].iloc[0] for group in groups]),
        count=tuple(_counts(connectome, group) for group in groups),
        mv_per_hz=mv_per_hz,
    )


def _counts(connectome: Connectome, edges: pd.DataFrame) -> sparse.csr_array:
    ends = connectome.index(edges["post"].tolist()), connectome.index(edges["pre"].tolist())
    signed = edges["count"].to_numpy(np.float64) * edges["sign"].to_numpy(np.float64)
    return sparse.csr_array((signed, ends), shape=(connectome.n, connectome.n))


class ModulatedBrain:
    """A spiking brain whose cells are modulated; `brain` is the one inside, for Poisson input and the like.

    Args:
        brain: to be stepped through this object only, which also sets its drive, at first 0.
        modulation: of the same neurons.
        period_ms: how often the drive follows the concentration, a whole number of steps of the brain.
    """

    def __init__(self, brain: SpikingBrain, modulation: Modulation, period_ms: float = 10.0) -> None:
        sizes = {count.shape for count in modulation.count} - {(brain.n, brain.n)}
        if sizes:
            raise ValueError(f"ModulatedBrain: the modulation is of {sizes.pop()[0]} neurons, the brain of {brain.n}")
        self.brain, self.modulation = brain, modulation
        self._period = round(period_ms / brain.dt_ms)
        if self._period < 1 or abs(period_ms / brain.dt_ms - self._period) > 1e-6:
            raise ValueError(
                f"ModulatedBrain: period_ms ({period_ms} ms) is no whole number of steps of {brain.dt_ms} ms"
            )
        self._keep = np.exp(-self._period * brain.dt_ms / modulation.tau_ms)
        self._begin()

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.brain.n

    @property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in the order of every array."""
        return self.brain.names

    @property
    def dt_ms(self) -> float:
        """Step of the network, ms."""
        return self.brain.dt_ms

    @property
    def time_s(self) -> float:
        """Simulated time since the reset, s."""
        return self.brain.time_s

    @property
    def concentration(self) -> Floats:
        """What reaches every cell through each receptor now, Hz, shape (receptors, n)."""
        left = (self._end - self._step) * self.dt_ms
        return self.modulation.concentration(self._trace * np.exp(left / self.modulation.tau_ms)[:, None])

    def reset(self, seed: int | None = None) -> None:
        """Start again without trains, drive and modulators; None keeps the seed."""
        self.brain.reset(seed)
        self._begin()

    def _begin(self) -> None:
        self._step = round(self.brain.time_s * 1e3 / self.dt_ms)
        self._trace = np.zeros((len(self.modulation.receptors), self.n))  # Hz, what it will be when the period ends
        self._held, self._drive = np.zeros(self.n), np.zeros(self.n)  # mV, of the modulators and of the caller
        self._given = np.full(self.n, np.nan)  # mV, what the brain has, so that it is told only what is new

    @property
    def _end(self) -> int:
        """The step at which the period ends that the next step is in."""
        return (self._step // self._period + 1) * self._period

    def step(self, drive: ArrayLike | None, duration_s: float) -> SpikingActivity:
        """Advance under a constant drive and the modulation; see `SpikingBrain.step`."""
        last = self._step + whole_steps(duration_s, self.dt_ms)
        if drive is not None:
            self._drive = checked_drive(self.names, drive).copy()
        parts = []
        while self._step < last:
            parts.append(self._within_period(min(last, self._end)))
        return SpikingActivity.joined(parts)

    def _within_period(self, last: int) -> SpikingActivity:
        """Advance to a step that is not beyond the end of this period."""
        end, total = self._end, self._drive + self._held
        new = None if np.array_equal(total, self._given) else total
        activity = self.brain.step(new, (last - self._step) * self.dt_ms * 1e-3)
        self._given = total
        self._release(activity, end)
        self._step = last
        if last == end:
            self._held = self.modulation.drive_mv(self._trace)
            self._trace *= self._keep[:, None]
        return activity

    def _release(self, activity: SpikingActivity, end: int) -> None:
        """Add spikes to the traces, one after the other, so that the sums do not depend on how many come at once."""
        since_ms = (end - activity.steps) * self.dt_ms
        for trace, tau_ms in zip(self._trace, self.modulation.tau_ms, strict=True):
            np.add.at(trace, activity.neurons, 1e3 / tau_ms * np.exp(-since_ms / tau_ms))

    @property
    def state(self) -> SpikingState:
        """All that changes, as copies, for an exact checkpoint."""
        own = {"trace": self._trace, "held": self._held, "drive": self._drive}
        return {**self.brain.state, **{f"modulation.{name}": own[name].copy() for name in OWN}}

    def restore(self, state: SpikingState) -> None:
        """Continue exactly where `state` was taken.

        Raises:
            ValueError: an array is missing or has another shape.
        """
        shapes = {name: self.state[f"modulation.{name}"].shape for name in OWN}
        for name, shape in shapes.items():
            stored = state.get(f"modulation.{name}")
            if stored is None or stored.shape != shape:
                raise ValueError(f"ModulatedBrain.restore: 'modulation.{name}' must have shape {shape}")
        self.brain.restore(state)
        self._step = int(state["step"])
        self._trace, self._held, self._drive = (np.array(state[f"modulation.{name}"], np.float64) for name in OWN)
        self._given = np.full(self.n, np.nan)
