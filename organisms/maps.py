"""Maps: which sense drives which neuron and which neuron pulls which muscle, as tables a biologist can edit.

A map is data. `compile` turns it, for a given brain and body, into one sparse sum a control step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..brains.cells import members
from ..brains.connectome import Connectome
from ..registry import UnknownNameError, nearest
from .compiled import CompiledEffectors, CompiledSenses, Features, Links

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
    "rectified_off": Encoding(0.0, -1.0),  # what falls short of zero
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
        place = {name: i for i, name in enumerate(names)}
        entries: list[tuple[int, int, float, int]] = []
        features: dict[tuple[int, str], int] = {}
        for row in self.table.to_dict("records"):
            inputs = channel_members(str(row["channel"]), channels)
            targets = [place[name] for name in members(reference, str(row["neuron"])) if name in place]
            delay = round(float(row["delay_s"]) / dt_s)
            for channel in inputs:
                feature = features.setdefault((channel, str(row["encoding"])), len(features))
                entries += [(target, feature, float(row["gain"]) / len(inputs), delay) for target in targets]
        return CompiledSenses(_features(list(features), dt_s), _links(entries), len(names))


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
        entries: list[tuple[int, int, float, int]] = []
        excitation = np.zeros(len(rows))
        for row in self.table.to_dict("records"):
            effector, neuron = str(row["effector"]), str(row["neuron"])
            _check_known("effector", effector, rows)
            _check_known("neuron", neuron, known)
            weight = float(row["weight"]) * (float(row["sign"]) or self.unknown_sign)
            excitation[rows[effector]] += max(weight, 0.0)
            if neuron in place:
                entries.append((rows[effector], place[neuron], weight, 0))
        links = _links(entries)
        share = self.gain / np.where(excitation > 0, excitation, 1.0)[links.target]
        return CompiledEffectors(links._replace(weight=links.weight * share), len(rows))


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


def _features(coded: list[tuple[int, str]], dt_s: float) -> Features:
    codes = [ENCODINGS[name] for _, name in coded]
    return Features(
        channel=np.array([channel for channel, _ in coded], dtype=np.int64),
        above=np.array([code.above for code in codes]),
        below=np.array([code.below for code in codes]),
        follow=np.array([dt_s / code.tau_s if code.tau_s else 0.0 for code in codes]),
    )


def _links(entries: list[tuple[int, int, float, int]]) -> Links:
    """Sorted by target, so that the loop over them writes to one place after another."""
    columns = list(zip(*sorted(entries), strict=True)) or [(), (), (), ()]
    target, source, delay = (np.array(columns[k], dtype=np.int64) for k in (0, 1, 3))
    return Links(target=target, source=source, weight=np.array(columns[2], dtype=np.float64), delay=delay)


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
