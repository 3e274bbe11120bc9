"""PopulationNetwork: populations of neurons that act on each other through conductances, as the arrays an engine runs.

A second kind of node, the input, stands for axons from outside (a descending command, an afferent): its output is what
it is driven with. So whatever reaches the populations from elsewhere does so through synapses of the connectome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..registry import UnknownNameError, nearest
from .cells import check_columns, number_in, positions, text
from .connectome import Connectome
from .models.population import Population

Floats = NDArray[np.float64]

KINDS = ("population", "input")
PARAMETERS = tuple(f.name for f in fields(Population))


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationNetwork:
    """What an engine runs. Rows of `weights` are targets, columns are sources; in conductances of the target's g_syn.

    `cells[i]` of an input has no meaning but is there.
    """

    names: tuple[str, ...]
    cells: tuple[Population, ...]  # (n,)
    inputs: NDArray[np.bool_]  # (n,) whose output is what they are driven with
    weights: csr_array  # (n, n) excitatory above 0, inhibitory below
    dt_ms: float = 0.1  # ms, step of the explicit Euler method

    def __post_init__(self) -> None:
        n = len(self.names)
        if not self.names:
            raise ValueError("PopulationNetwork: it needs at least one population")
        if len(self.cells) != n or self.inputs.shape != (n,) or self.weights.shape != (n, n):
            raise ValueError(
                f"PopulationNetwork: {n} names, but {len(self.cells)} cells, inputs {self.inputs.shape} and weights"
                f" {self.weights.shape}"
            )
        if not np.isfinite(self.weights.data).all():
            raise ValueError("PopulationNetwork: a weight is not finite")
        if not self.dt_ms > 0:
            raise ValueError(f"PopulationNetwork: dt_ms ({self.dt_ms} ms) must be above 0")
        self._check_step()

    def _check_step(self) -> None:
        """Explicit Euler overshoots where the step is longer than the membrane time constant with all synapses open."""
        load = abs(self.weights).sum(axis=1)
        for name, cell, synapses, given in zip(self.names, self.cells, load, self.inputs, strict=True):
            total = cell.g_leak_ns + cell.g_nap_ns + cell.g_syn_ns * (float(synapses) + abs(cell.tonic))
            if not given and self.dt_ms * total / cell.c_m_pf >= 1.0:
                raise ValueError(
                    f"PopulationNetwork: dt_ms ({self.dt_ms} ms) is too long for {name!r}: {total:.4g} nS in all over"
                    f" {cell.c_m_pf} pF need dt_ms below {cell.c_m_pf / total:.4g} ms"
                )

    def longest_step_ms(self) -> float:
        """Shortest membrane time constant with all synapses open, ms: longer steps overshoot."""
        loads = abs(self.weights).sum(axis=1)
        return min(
            cell.c_m_pf / (cell.g_leak_ns + cell.g_nap_ns + cell.g_syn_ns * (float(load) + abs(cell.tonic)))
            for cell, load, given in zip(self.cells, loads, self.inputs, strict=True)
            if not given
        )

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.names)

    def parameter(self, name: str) -> Floats:
        """One parameter of every node, shape (n,)."""
        return np.array([getattr(cell, name) for cell in self.cells], dtype=np.float64)


def population_network(
    connectome: Connectome, dynamics: pd.DataFrame, dt_ms: float = 0.1, reference: Connectome | None = None
) -> PopulationNetwork:
    """Populations with the counts of a connectome as weights: count times sign, nothing normalised.

    Args:
        connectome: chemical synapses of known sign; `count` is the weight without its sign.
        dynamics: one row a selector; columns selector, optionally model ("population", the default, or "input") and
            any parameter of `Population`. Later rows override earlier ones; an empty field keeps what was there.
        dt_ms: step, ms.
        reference: where selectors are looked up, for a connectome that has lost neurons; default the connectome itself.

    Raises:
        KeyError: a selector, column or model that does not exist, with the nearest that does.
        ValueError: a field that is no number, or parameters that make no population.
    """
    known = connectome if reference is None else reference
    check_columns("dynamics", dynamics, ("selector", "model", *PARAMETERS), required=("selector",))
    cells, inputs = [Population()] * connectome.n, np.zeros(connectome.n, dtype=np.bool_)
    for number, row in enumerate(dynamics.to_dict("records"), start=1):
        where = f"dynamics row {number} ({row['selector']!r})"
        rows = positions(connectome, known, str(row["selector"]))
        kind = text(row.get("model"))
        if kind and kind not in KINDS:
            raise UnknownNameError(f"{where}: no population model {kind!r}; {nearest(kind, KINDS)}")
        if kind:
            inputs[rows] = kind == "input"
        given = {name: number_in(where, name, row[name]) for name in PARAMETERS if text(row.get(name))}
        _assign(cells, rows.tolist(), given, where)
    return PopulationNetwork(
        names=connectome.names,
        cells=tuple(cells),
        inputs=inputs,
        weights=connectome.matrix("chemical"),
        dt_ms=dt_ms,
    )


def _assign(cells: list[Population], rows: Sequence[int], given: dict[str, float], where: str) -> None:
    for row in rows:
        try:
            cells[row] = replace(cells[row], **given)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
