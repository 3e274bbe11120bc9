"""What a calibration is about: the free parameters, the targets they are tuned to, and traces turned into measures."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..registry import UnknownNameError, nearest

Floats = NDArray[np.float64]
Measures = Mapping[str, float]
Bound = float | Callable[[Measures], float]

KEYS = ("trial", "split", "seed", "score")  # the first columns of trials.csv, and so no names of anything else
SCALES = ("linear", "log")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A free number and its range."""

    name: str
    low: float  # in `unit`
    high: float  # in `unit`
    unit: str  # "1" for a pure number
    scale: str = "linear"  # "log" where a factor matters rather than a difference
    source: str = ""  # where the range is from

    def __post_init__(self) -> None:
        check_name("Parameter", self.name)
        if not self.unit:
            raise ValueError(f"Parameter {self.name!r}: needs a unit; '1' for a pure number")
        if self.scale not in SCALES:
            hint = nearest(self.scale, SCALES)
            raise UnknownNameError(f"Parameter {self.name!r}: no scale {self.scale!r}; {hint}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"Parameter {self.name!r}: low ({self.low} {self.unit}) must be below high ({self.high})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"Parameter {self.name!r}: low ({self.low} {self.unit}) must be above 0 on a log scale")

    def decode(self, share: float) -> float:
        """The value at a share (0 to 1, clipped) of the range; never outside it, whatever the rounding."""
        u = min(max(float(share), 0.0), 1.0)
        value = self.low * (self.high / self.low) ** u if self.scale == "log" else self.low + u * (self.high - self.low)
        return float(min(max(value, self.low), self.high))

    def encode(self, value: float) -> float:
        """The share of the range at which a value stands.

        Raises:
            ValueError: the value is outside the range.
        """
        if not self.low <= value <= self.high:
            raise ValueError(f"Parameter {self.name!r}: {value} {self.unit} is outside {self.low} to {self.high}")
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A band that a measure should be in.

    The score is `weight * (distance outside the band / scale) ** power`: 0 inside. Either bound may be a function
    of all measures of the evaluation, defined at the top of a module ("at least three times the crawling frequency").
    """

    measure: str  # a name that `evaluate` gives
    low: Bound = -math.inf  # in `unit`
    high: Bound = math.inf  # in `unit`
    scale: float  # in `unit`, the distance outside the band that counts as one
    unit: str  # of the measure, "1" for a pure number
    weight: float = 1.0  # 1
    power: int = 1  # 1 absolute, 2 squared
    missing: float = 10.0  # counted, before the weight, where measure or bound is no finite number; choose it large
    source: str = ""  # where the band is from

    def __post_init__(self) -> None:
        check_name("Target", self.measure)
        for name in ("scale", "weight", "missing"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"Target {self.measure!r}: {name} ({getattr(self, name)}) must be finite and above 0")
        if self.power not in (1, 2):
            raise ValueError(f"Target {self.measure!r}: power ({self.power}) must be 1 (absolute) or 2 (squared)")
        if not self.unit:
            raise ValueError(f"Target {self.measure!r}: needs a unit; '1' for a pure number")
        self._check_band()

    def _check_band(self) -> None:
        numbers = [bound for bound in (self.low, self.high) if not callable(bound)]
        if any(math.isnan(bound) for bound in numbers) or (len(numbers) == 2 and numbers[0] > numbers[1]):
            raise ValueError(f"Target {self.measure!r}: low ({self.low} {self.unit}) is not below high ({self.high})")
        if (self.low, self.high) == (-math.inf, math.inf):
            raise ValueError(f"Target {self.measure!r}: needs low or high; a band without either asks nothing")

    @classmethod
    def at(cls, measure: str, value: float, *, unit: str, scale: float | None = None, **options: Any) -> "Target":
        """A single value: by default the squared relative error; `scale` (in `unit`) makes it relative to that.

        Args:
            measure: a name that `evaluate` gives.
            value: what it should be, in `unit`.
            unit: of the measure.
            scale: the error that counts as one; default the size of the value.
            options: any other field; `power=1` for the absolute error.

        Raises:
            ValueError: no scale for the value 0, or fields that make no target.
        """
        if scale is None and value == 0:
            raise ValueError(f"Target {measure!r}: a value of 0 {unit} has no relative error; give a scale in {unit}")
        scale = abs(value) if scale is None else scale
        return cls(measure=measure, low=value, high=value, scale=scale, unit=unit, **{"power": 2, **options})

    def score(self, measures: Measures) -> float:
        """How far outside the band the measure of one evaluation is; finite, 0 inside.

        Raises:
            KeyError: no such measure; the message gives the nearest.
        """
        if self.measure not in measures:
            raise UnknownNameError(f"evaluate gave no measure {self.measure!r}; {nearest(self.measure, measures)}")
        value = measures[self.measure]
        low, high = (bound(measures) if callable(bound) else bound for bound in (self.low, self.high))
        if not math.isfinite(value) or math.isnan(low) or math.isnan(high):
            return self.weight * self.missing
        outside = max(0.0, (low - value) / self.scale, (value - high) / self.scale)
        score = self.weight * (outside * outside if self.power == 2 else outside)
        return score if math.isfinite(score) else self.weight * self.missing

    def describe(self) -> dict[str, Any]:
        """The fields as JSON holds them: an infinite bound is null, a function its name."""
        bounds = {name: _described(getattr(self, name)) for name in ("low", "high")}
        return {**vars(self), **bounds}


def _described(bound: Bound) -> float | str | None:
    if callable(bound):
        return named(bound)
    return float(bound) if math.isfinite(bound) else None


def total_score(targets: Sequence[Target], measures: Measures) -> float:
    """Sum of the targets' scores for one evaluation."""
    return float(sum(target.score(measures) for target in targets))


def check_name(what: str, name: str) -> None:
    """Raise unless a name can head a column of trials.csv."""
    if not name or not name.isprintable() or name != name.strip():
        raise ValueError(f"{what}: the name {name!r} must be printable text without spaces around it")
    if name in KEYS:
        raise ValueError(f"{what}: the name {name!r} is taken by a column of trials.csv: {', '.join(KEYS)}")


def named(function: Callable[..., Any]) -> str:
    """The importable name of a function, which is how a file refers to it and another process finds it.

    Raises:
        ValueError: a lambda, or a function defined inside another.
    """
    if isinstance(function, partial):
        fixed = [*map(repr, function.args), *(f"{name}={value!r}" for name, value in function.keywords.items())]
        return f"{named(function.func)}({', '.join(fixed)})"
    name = getattr(function, "__qualname__", "<unnamed>")
    if "<" in name:
        raise ValueError(
            f"{function!r} has no importable name: define it with def at the top of a module "
            "(functools.partial may fix some of its arguments)"
        )
    # `python -m module` calls the module __main__; its spec still knows its name
    spec = getattr(sys.modules.get(function.__module__), "__spec__", None)
    return f"{spec.name if spec else function.__module__}.{name}"


def trace_rmse(trace: ArrayLike, reference: ArrayLike) -> float:
    """Root-mean-square difference of two traces of one shape, in their unit; NaN where either has one.

    Raises:
        ValueError: different shapes, or nothing in them.
    """
    one, other = _paired(trace, reference)
    return float(np.sqrt(np.mean((one - other) ** 2)))


def trace_correlation(trace: ArrayLike, reference: ArrayLike) -> float:
    """Pearson correlation over time (first axis), averaged over the other axes; NaN where a trace is constant.

    It asks about the course and not the size, which suits calcium: fluorescence has no absolute scale.

    Raises:
        ValueError: different shapes, or nothing in them.
    """
    one, other = (array.reshape(len(array), -1) for array in _paired(trace, reference))
    if (np.ptp(one, axis=0) == 0).any() or (np.ptp(other, axis=0) == 0).any():
        return math.nan
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    norms = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return float(np.mean((one * other).sum(axis=0) / norms))


def _paired(trace: ArrayLike, reference: ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(trace, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if one.shape != other.shape or one.ndim == 0 or one.size == 0:
        raise ValueError(f"trace of shape {one.shape} and reference of shape {other.shape} must be alike and not empty")
    return one, other
