"""Network: a connectome and its parameters compiled to the arrays an engine runs.

Synapse counts become weights here, and the result is checked once, so that the engines need not check. Only chemical
and electrical synapses are part of this fast network; modulatory edges (monoamines) act over seconds and are left out.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..registry import UnknownNameError, nearest
from .cells import Cells, cells_from_table, check_columns, members, number_in, positions, text
from .connectome import Connectome

__all__ = ["Cells", "Network", "SynapseGains", "build_network", "cells_from_table", "members"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("chemical", "electrical")
RULE_COLUMNS = ("pre", "post", "kind", "factor", "sign_override")


@dataclass(frozen=True, kw_only=True, eq=False)
class SynapseGains:
    """How synapse counts become weights: a few global numbers, and a table of named exceptions.

    chemical weight        = chemical_mv * sign * count / (chemical counts onto the target)**normalisation,
                             times `inhibition` where the sign is negative
    electrical conductance = electrical * count / (electrical counts of the target)**normalisation_electrical

    `overrides` has the columns pre, post, kind, factor, sign_override, provenance, source: for the synapses of that
    kind from `pre` to `post` (selectors, see `members`) the weight is multiplied by `factor` and `sign_override`, where
    not empty, replaces the sign. Rows apply in order. Factor 0 for one direction of an electrical synapse rectifies it.
    """

    chemical_mv: float  # mV at full release: of all inputs together (normalisation 1) or of one contact (0)
    electrical: float  # conductance relative to the leak: of all contacts together (normalisation 1) or of one (0)
    inhibition: float = 1.0  # factor on every inhibitory chemical weight; assumed
    unknown_sign: float = 1.0  # sign used where the connectome has 0 (unknown); 0 leaves these synapses out; assumed
    normalisation: float = 1.0  # 0 to 1; assumed
    normalisation_electrical: float = 1.0  # 0 to 1; assumed
    overrides: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name in ("chemical_mv", "electrical", "inhibition"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"SynapseGains: {name} ({getattr(self, name)}) must be finite and 0 or more")
        for name in ("normalisation", "normalisation_electrical"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"SynapseGains: {name} ({getattr(self, name)}) must be between 0 and 1")
        if not -1 <= self.unknown_sign <= 1:
            raise ValueError(f"SynapseGains: unknown_sign ({self.unknown_sign}) must be between -1 and 1")
        if self.overrides is not None:
            check_columns("overrides", self.overrides, RULE_COLUMNS, required=RULE_COLUMNS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """What an engine runs. Rows of both matrices are targets (post), columns are sources (pre)."""

    cells: Cells
    chemical: csr_array  # (n, n) mV at full release of the source
    electrical: csr_array  # (n, n) conductance relative to the leak of the target, diagonal empty
    dt_ms: float = 1.0  # ms, step of the explicit Euler method

    def __post_init__(self) -> None:
        if not self.dt_ms > 0:
            raise ValueError(f"Network: dt_ms ({self.dt_ms} ms) must be above 0")
        for name in ("chemical", "electrical"):
            matrix = getattr(self, name)
            if matrix.shape != (self.n, self.n):
                raise ValueError(f"Network: {name} must have shape ({self.n}, {self.n}), got {matrix.shape}")
            if not np.isfinite(matrix.data).all():
                raise ValueError(f"Network: {name} has a weight that is not finite")
        if self.electrical.nnz and self.electrical.data.min() < 0:
            raise ValueError(f"Network: electrical has a negative conductance ({self.electrical.data.min()})")
        self._check_rate_cells()
        self._check_step()

    def _check_rate_cells(self) -> None:
        """A rate is no voltage: nothing can flow between it and another cell."""
        rates = self.cells.model == "rate"
        coupled = rates & (np.diff(self.electrical.indptr) > 0)
        if coupled.any():
            name = self.names[int(coupled.argmax())]
            raise ValueError(f"Network: neuron {name!r} is a rate cell and cannot have gap junctions")

    def _check_step(self) -> None:
        """Explicit Euler overshoots once dt reaches the shortest time constant of a cell, gap junctions included."""
        load = np.asarray(self.electrical.sum(axis=1)).ravel()
        ratio = self.dt_ms * (1.0 + load) / self.cells.tau_m_ms
        worst = int(ratio.argmax())
        if ratio[worst] >= 1.0:
            raise ValueError(
                f"Network: dt_ms ({self.dt_ms} ms) is too long for neuron {self.names[worst]!r}: tau_m_ms"
                f" ({self.cells.tau_m_ms[worst]} ms) and gap junctions of {load[worst]:.4g} times the leak"
                f" need dt_ms below {self.dt_ms / ratio[worst]:.4g} ms"
            )
        fast = (self.cells.model == "lif") & (self.cells.tau_release_ms <= self.dt_ms)
        if fast.any():
            name, tau = self.names[int(fast.argmax())], self.cells.tau_release_ms[int(fast.argmax())]
            raise ValueError(
                f"Network: dt_ms ({self.dt_ms} ms) must be below tau_release_ms ({tau} ms) of neuron {name!r}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Neuron names, in the order of every array."""
        return self.cells.names

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.cells.n


def build_network(
    connectome: Connectome,
    cells: Cells,
    gains: SynapseGains,
    dt_ms: float = 1.0,
    reference: Connectome | None = None,
) -> Network:
    """Turn synapse counts into weights.

    Args:
        connectome: whose synapses; self-synapses of the electrical kind carry no current and are dropped.
        cells: one entry a neuron, in the connectome's order.
        gains: global gains and named exceptions.
        dt_ms: step of the network in ms.
        reference: where the counts of the normalisation are taken and selectors are looked up: pass the intact one with
            an ablated connectome, so that ablation does not rescale what is left. Default the connectome itself.

    Raises:
        KeyError: an override names nothing that exists.
        ValueError: cells of another connectome, a step too long for explicit Euler (naming the neuron), a bad override.
    """
    if cells.names != connectome.names:
        raise ValueError(
            f"build_network: cells ({cells.n}) and connectome ({connectome.n} neurons) do not match in order"
        )
    known = connectome if reference is None else reference
    factors = {
        "chemical": (gains.chemical_mv, gains.normalisation),
        "electrical": (gains.electrical, gains.normalisation_electrical),
    }
    matrices = {}
    for kind, (gain, exponent) in factors.items():
        pre, post, count, sign = _edges(connectome, kind)
        weight = gain * count / _input_counts(connectome, known, kind)[post] ** exponent
        sign = np.where(sign == 0.0, gains.unknown_sign, sign) if kind == "chemical" else np.ones_like(count)
        weight, sign = _override(connectome, known, gains.overrides, kind, pre, post, weight, sign)
        weight = np.where(sign < 0, weight * gains.inhibition, weight)
        matrix = csr_array((weight * sign, (post, pre)), shape=(connectome.n, connectome.n))
        matrix.eliminate_zeros()
        matrix.sort_indices()
        matrices[kind] = matrix
    return Network(cells=cells, chemical=matrices["chemical"], electrical=matrices["electrical"], dt_ms=dt_ms)


def _edges(connectome: Connectome, kind: str) -> tuple[Ints, Ints, Floats, Floats]:
    """Source index, target index, count and sign of every synapse of a kind."""
    table = connectome.synapses
    table = table[table["kind"] == kind]
    if kind == "electrical":
        table = table[table["pre"] != table["post"]]
    pre, post = (np.asarray(connectome.index(table[end].tolist()), dtype=np.int64) for end in ("pre", "post"))
    return pre, post, table["count"].to_numpy(np.float64), table["sign"].to_numpy(np.float64)


def _input_counts(connectome: Connectome, reference: Connectome, kind: str) -> Floats:
    """Counts of a kind onto each neuron of `connectome`, summed over `reference`; 1 where neither has any."""
    _, target, count, _ = _edges(reference, kind)
    known = dict(zip(reference.names, np.bincount(target, weights=count, minlength=reference.n), strict=True))
    totals = np.array([known.get(name, 0.0) for name in connectome.names])
    _, post, _, _ = _edges(connectome, kind)
    lost = post[totals[post] == 0.0]
    if lost.size:
        name = connectome.names[lost[0]]
        raise ValueError(f"build_network: the reference connectome has no {kind} input to {name!r}, the connectome has")
    return np.where(totals == 0.0, 1.0, totals)


def _override(
    connectome: Connectome,
    reference: Connectome,
    rules: pd.DataFrame | None,
    kind: str,
    pre: Ints,
    post: Ints,
    weight: Floats,
    sign: Floats,
) -> tuple[Floats, Floats]:
    """Apply the rows of the override table that are of this kind, in order."""
    records = [] if rules is None else rules.to_dict("records")
    for number, row in enumerate(records, start=1):
        where = f"overrides row {number} ({row['pre']!r} to {row['post']!r})"
        if row["kind"] not in KINDS:
            raise UnknownNameError(f"{where}: no synapse kind {row['kind']!r}; {nearest(str(row['kind']), KINDS)}")
        if row["kind"] != kind:
            continue
        sources, targets = (positions(connectome, reference, str(row[end])) for end in ("pre", "post"))
        hit = np.isin(pre, sources) & np.isin(post, targets)
        factor = number_in(where, "factor", row["factor"])
        if kind == "electrical" and (factor < 0 or text(row["sign_override"])):
            raise ValueError(f"{where}: an electrical synapse has no sign; factor {factor} must be 0 or more")
        weight = np.where(hit, weight * factor, weight)
        if text(row["sign_override"]):
            sign = np.where(hit, number_in(where, "sign_override", row["sign_override"]), sign)
    return weight, sign
