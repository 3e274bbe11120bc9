"""Maps: which sense drives which neuron and which neuron pulls which muscle, as tables a biologist can edit.

A map is data. `compile` turns it into one sparse matrix for a given connectome and body, so that the control loop does
one matrix-vector product a step for the senses and one for the muscles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from ..brains.cells import members
from ..brains.connectome import Connectome
from ..registry import UnknownNameError, nearest

Floats = npt.NDArray[np.float64]

SENSORY_COLUMNS = ("channel", "neuron", "gain", "unit", "encoding", "delay_s", "provenance", "source")
EFFECTOR_COLUMNS = ("effector", "neuron", "weight", "sign", "provenance", "source")
PROVENANCES = ("measured", "derived", "published", "assumed")
RANGE = re.compile(r"^(?P<stem>\w+)\[(?P<first>\d+):(?P<last>\d+)\]$")


class Encoding(NamedTuple):
    """A piecewise-linear code: `above` times what exceeds the baseline, `below` times what falls short of it.

    The baseline is zero, or for an adapting code the channel's own running mean.
    """

    above: float
    below: float
    tau_s: float = 0.0  # s, time constant of the running mean; 0 for a fixed baseline of zero


ENCODINGS: Mapping[str, Encoding] = {
    "linear": Encoding(1.0, 1.0),
    "rectified": Encoding(1.0, 0.0),
    "stretch": Encoding(0.8, 1.2),  # dorsal stretch receptors, Boyle, Berri & Cohen 2012
    "adapting_on": Encoding(1.0, 0.0, tau_s=5.0),  # answers a rise; time constant assumed
    "adapting_off": Encoding(0.0, -1.0, tau_s=5.0),  # answers a fall
    "adapting": Encoding(1.0, 1.0, tau_s=5.0),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SensoryMap:
    """Rows of channel, neuron, gain (mV per unit of the channel), unit, encoding, delay_s, provenance, source.

    A channel is a name ("touch_03") or the mean of a numbered range, both ends included ("touch[1:8]"). A neuron is any
    selector of the connectome ("AVM", "ALM", "role:sensory").
    """

    table: pd.DataFrame

    @classmethod
    def from_csv(cls, *paths: Path) -> SensoryMap:
        """Read and check one or more tables.

        Raises:
            ValueError: a missing column or a bad value, naming file, row and column.
        """
        tables = [_read(path, SENSORY_COLUMNS, numbers=("gain", "delay_s")) for path in paths]
        for path, table in zip(paths, tables, strict=True):
            _check_choice(path, table, "encoding", tuple(ENCODINGS))
        return cls(table=pd.concat(tables, ignore_index=True))

    def compile(
        self, names: Sequence[str], channels: Sequence[str], dt_s: float, reference: Connectome
    ) -> CompiledSenses:
        """The map for one brain and one body.

        Args:
            names: the brain's neurons, in order; rows whose neurons it has lost to ablation drop out.
            channels: names of the observation vector, in order.
            dt_s: control step, s.
            reference: the intact wiring, where neuron selectors are looked up.

        Raises:
            KeyError: a channel or neuron that does not exist, with the nearest that does.
        """
        return CompiledSenses(self.table, names, channels, dt_s, reference)


class CompiledSenses:
    """Observation vector to drive. Its only state is the running mean of adapting channels and delayed features."""

    def __init__(
        self,
        table: pd.DataFrame,
        neurons: Sequence[str],
        channels: Sequence[str],
        dt_s: float,
        reference: Connectome,
    ) -> None:
        place = {name: i for i, name in enumerate(neurons)}
        entries: dict[int, list[tuple[int, int, float]]] = {}
        features: dict[tuple[int, str], int] = {}
        for row in table.to_dict("records"):
            inputs = channel_members(str(row["channel"]), channels)
            targets = [place[name] for name in members(reference, str(row["neuron"])) if name in place]
            delayed = entries.setdefault(round(float(row["delay_s"]) / dt_s), [])
            for channel in inputs:
                feature = features.setdefault((channel, str(row["encoding"])), len(features))
                delayed += [(target, feature, float(row["gain"]) / len(inputs)) for target in targets]
        self._inputs = np.array([channel for channel, _ in features], dtype=np.int64)
        codes = [ENCODINGS[name] for _, name in features]
        self._above, self._below = (np.array([getattr(c, side) for c in codes]) for side in ("above", "below"))
        self._follow = np.array([dt_s / code.tau_s if code.tau_s else 0.0 for code in codes])
        self._adapts = bool(self._follow.any())
        self._n = len(neurons)
        shape = (self._n, len(features))
        self._matrices = {delay: _sparse(cells, shape) for delay, cells in sorted(entries.items())}
        self.reset()

    def reset(self) -> None:
        """Forget what was sensed."""
        self._mean: Floats | None = None
        self._past: list[Floats] = []

    def __call__(self, observation: npt.NDArray[np.floating[Any]]) -> Floats:
        """Drive of each neuron, mV, shape (n,), for an observation of shape (n_channels,)."""
        value = observation[self._inputs].astype(np.float64)
        if self._adapts:
            if self._mean is None:
                self._mean = np.where(self._follow > 0, value, 0.0)
            value = value - self._mean
            self._mean = self._mean + self._follow * value
        coded = value * np.where(value > 0, self._above, self._below)
        self._past = [coded, *self._past[: max(self._matrices, default=0)]]
        drive = np.zeros(self._n)
        for delay, matrix in self._matrices.items():
            drive += matrix @ self._past[min(delay, len(self._past) - 1)]
        return drive

    @property
    def state(self) -> dict[str, Floats]:
        """All that changes, for an exact checkpoint."""
        mean = np.zeros(0) if self._mean is None else self._mean.copy()
        return {"mean": mean, "past": np.array(self._past)}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Continue from a checkpoint."""
        self._mean = state["mean"].copy() if state["mean"].size else None
        self._past = [row.copy() for row in state["past"]]


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectorMap:
    """Rows of effector, neuron, weight (synaptic count), sign (-1, 0 unknown, 1), provenance, source.

    An effector's excitation is `gain` times the signed sum of its neurons' release, each weighted by its share of all
    excitatory input the intact effector has, and is clipped to [0, 1]. The share is taken before ablation, so losing
    neurons never strengthens those that are left.
    """

    table: pd.DataFrame
    gain: float  # excitation if every excitatory input were fully active
    unknown_sign: float = 1.0  # used where sign is 0; assumed

    def __post_init__(self) -> None:
        if not (np.isfinite(self.gain) and self.gain > 0):
            raise ValueError(f"EffectorMap: gain ({self.gain}) must be finite and above 0")

    @classmethod
    def from_csv(cls, path: Path, gain: float, unknown_sign: float = 1.0) -> EffectorMap:
        """Read and check a table.

        Raises:
            ValueError: a missing column or a bad value, naming file, row and column.
        """
        table = _read(path, EFFECTOR_COLUMNS, numbers=("weight", "sign"))
        return cls(table=table, gain=gain, unknown_sign=unknown_sign)

    def compile(self, names: Sequence[str], effectors: Sequence[str], reference: Connectome) -> CompiledEffectors:
        """The map for one brain and one body.

        Raises:
            KeyError: an effector or neuron that does not exist, with the nearest that does.
        """
        rows = {name: i for i, name in enumerate(effectors)}
        place = {name: i for i, name in enumerate(names)}
        known = set(reference.names)
        matrix = np.zeros((len(rows), len(names)))
        excitation = np.zeros(len(rows))
        for row in self.table.to_dict("records"):
            effector, neuron = str(row["effector"]), str(row["neuron"])
            _check_known("effector", effector, rows)
            _check_known("neuron", neuron, known)
            weight = float(row["weight"]) * (float(row["sign"]) or self.unknown_sign)
            excitation[rows[effector]] += max(weight, 0.0)
            if neuron in place:
                matrix[rows[effector], place[neuron]] += weight
        shares = self.gain * matrix / np.where(excitation > 0, excitation, 1.0)[:, None]
        return CompiledEffectors(csr_array(shares))


class CompiledEffectors:
    """Release to excitation."""

    def __init__(self, matrix: csr_array) -> None:
        self._matrix = matrix

    def __call__(self, release: Floats) -> npt.NDArray[np.float32]:
        """Excitation of each effector in [0, 1], shape (n_effectors,), for a release of shape (n,)."""
        excitation: npt.NDArray[np.float32] = np.clip(self._matrix @ release, 0.0, 1.0).astype(np.float32)
        return excitation


def channel_members(channel: str, channels: Sequence[str]) -> list[int]:
    """Indices of the channels that a name or a numbered range ("touch[1:8]") stands for.

    Raises:
        KeyError: no such channel, with the nearest that exists.
    """
    ranged = RANGE.match(channel)
    names = [channel]
    if ranged:
        first, last = int(ranged["first"]), int(ranged["last"])
        if first > last:
            raise ValueError(f"channel {channel!r}: the range runs backward")
        names = [f"{ranged['stem']}_{k:02d}" for k in range(first, last + 1)]
    place = {name: i for i, name in enumerate(channels)}
    for name in names:
        _check_known("channel", name, place)
    return [place[name] for name in names]


def _check_known(kind: str, name: str, known: Mapping[str, int] | set[str]) -> None:
    if name not in known:
        raise UnknownNameError(f"no {kind} {name!r}; {nearest(name, known)}")


def _sparse(cells: list[tuple[int, int, float]], shape: tuple[int, int]) -> csr_array:
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    index = (np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))
    return csr_array((np.array(values, dtype=np.float64), index), shape=shape)


def _read(path: Path, columns: tuple[str, ...], numbers: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"no map table {str(path)!r}")
    table = pd.read_csv(path, comment="#", keep_default_na=False, dtype=str)
    for column in columns:
        if column not in table.columns:
            raise ValueError(f"{path.name}: no column {column!r} among {', '.join(table.columns)}")
    for column in numbers:
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
        for bad in np.flatnonzero(~np.isfinite(values)):
            raise ValueError(f"{path.name}: row {bad + 1}, column {column}: {table[column][bad]!r} is not finite")
        table[column] = values
    _check_choice(path, table, "provenance", PROVENANCES)
    return table[list(columns)]


def _check_choice(path: Path, table: pd.DataFrame, column: str, choices: tuple[str, ...]) -> None:
    for number, value in enumerate(table[column], start=1):
        if value not in choices:
            raise ValueError(f"{path.name}: row {number}, column {column}: no {value!r}; {nearest(value, choices)}")
