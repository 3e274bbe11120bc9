"""Gap junctions between the cells of a `SpikingNetwork`: currents that flow with the difference of two voltages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .connectome import Connectome
from .models.spiking_model import SpikingModel, leak_ns, resting_state

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LOAD = 0.5  # share of a difference in voltage that a step may carry away; twice as much would overshoot


@dataclass(frozen=True, kw_only=True, eq=False)
class GapJunctions:
    """Junctions between pairs of cells, each listed once.

    What one cell loses the other gains. A rectifying junction conducts only while `pre` is above `post`. The current is
    that of the voltages at the start of each step, and reaches the cell as `drive` does; a cell held in its refractory
    period takes none of it but is still felt by the other. No spike is added to an integrate-and-fire voltage: what is
    passed on is its climb and its reset.
    """

    pre: Ints  # (k,)
    post: Ints  # (k,)
    conductance: Floats  # (k,) nS; of the leak where the model has none in nS, 1/ms for Izhikevich (see `leak_ns`)
    rectified: NDArray[np.bool_] | None = None  # (k,); None: none of them

    def __post_init__(self) -> None:
        for name in ("post", "conductance", "rectified"):
            values = getattr(self, name)
            if values is not None and values.shape != self.pre.shape:
                raise ValueError(f"GapJunctions: {self.pre.size} of pre but {values.size} of {name}")
        if not (np.isfinite(self.conductance) & (self.conductance >= 0)).all():
            raise ValueError("GapJunctions: a conductance is negative or not finite")
        if (self.pre == self.post).any():
            raise ValueError(f"GapJunctions: neuron {self.pre[self.pre == self.post][0]} is joined to itself")

    @property
    def one_way(self) -> NDArray[np.bool_]:
        """Which of them rectify, shape (k,)."""
        return np.zeros(self.pre.size, np.bool_) if self.rectified is None else self.rectified

    def load(self, n: int) -> Floats:
        """Conductance of all junctions of each of n cells, shape (n,)."""
        both = np.concatenate([self.pre, self.post])
        return np.bincount(both, np.tile(self.conductance, 2), minlength=n).astype(np.float64)

    def drive_per_mv(self, model: SpikingModel) -> Floats:
        """Conductances as what a difference of 1 mV adds to the model's drive, shape (k,)."""
        return self.conductance / leak_ns(model)

    def check(self, n: int, model: SpikingModel, dt_ms: float) -> None:
        """Refuse junctions of cells that are not there, or so strong that the steps would overshoot.

        Raises:
            ValueError: naming the cell and its load.
        """
        ends = np.concatenate([self.pre, self.post])
        if ends.size and not (ends.min() >= 0 and ends.max() < n):
            raise ValueError(f"GapJunctions: one of them ends at none of the {n} neurons")
        share = self.load(n) / leak_ns(model) * _gain(model, dt_ms)
        if (share > LOAD).any():
            i = int(share.argmax())
            raise ValueError(
                f"GapJunctions: those of neuron {i} carry {share[i]:.3g} of a difference in one step of {dt_ms} ms,"
                f" more than {LOAD}; take shorter steps or a smaller conductance"
            )


def _gain(model: SpikingModel, dt_ms: float) -> float:
    """Change of the resting voltage, mV, by one step of a drive of 1."""
    constants, voltage = model.constants(dt_ms), []
    for drive in (0.0, 1.0):
        x = resting_state(model, 1)
        model.advance(x, 0, True, drive, constants)
        voltage.append(float(x[0, 0]))
    return voltage[1] - voltage[0]


def gap_junctions(connectome: Connectome, per_junction: float) -> GapJunctions | None:
    """The electrical synapses of a connectome, none of them rectifying; None where it has none.

    Args:
        connectome: lists every pair both ways; a cell's junctions with itself carry nothing and are left out.
        per_junction: conductance of one count, in the unit of `GapJunctions.conductance`.
    """
    table = connectome.synapses
    table = table[table["kind"] == "electrical"]
    pre, post = (np.asarray(connectome.index(table[end].tolist()), dtype=np.int64) for end in ("pre", "post"))
    once = pre < post
    conductance = per_junction * table["count"].to_numpy(np.float64)
    order = np.lexsort((post[once], pre[once]))
    made = (values[once][order] for values in (pre, post, conductance))
    return GapJunctions(**dict(zip(("pre", "post", "conductance"), made, strict=True))) if once.any() else None
