"""The step of a spiking model as jax sees it: the model's own functions, traced over all neurons at once.

Nothing is written twice. `advance`, `above` and `reset` of a model are called with rows of neurons where numba gives
them one neuron, with `math` standing for jax.numpy, and once for each of the two values of `active`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from ..models.spiking_model import SpikingModel, held, variables
from .jax_import import Array, jax, jnp

Rows = tuple[Array, ...]  # the state: one array of shape (neurons,) a variable

UNTRACEABLE = (
    jax.errors.JAXTypeError,
    ValueError,
    TypeError,
    AttributeError,
)  # what jax raises at an `if` or a `float`


class Cells:
    """The state in the notation of the models: `x[row, i]` is the row of all neurons, whatever i."""

    def __init__(self, rows: Iterable[Array]) -> None:
        self.rows = list(rows)

    def __getitem__(self, place: tuple[int, Any]) -> Array:
        return self.rows[place[0]]

    def __setitem__(self, place: tuple[int, Any], values: Array) -> None:
        self.rows[place[0]] = values


class Step(NamedTuple):
    """What happens to neurons within a step, by the functions of a model."""

    above_: Callable[..., Any]
    advance_: Callable[..., None]
    reset_: Callable[..., None]
    receptors: tuple[int, ...]  # the row that each adds to
    held: tuple[int, ...]  # rows that lose what arrives in the refractory period
    level: tuple[int, str]  # the row that a threshold is put to, and its name among the constants

    def advance(self, x: Rows, active: Array, drive: Array, c: Any) -> Rows:
        """One step of all neurons; `active` is false in the refractory period, shape (neurons,)."""
        free, still = Cells(x), Cells(x)
        self.advance_(free, 0, True, drive, c)
        self.advance_(still, 0, False, drive, c)
        pairs = zip(free.rows, still.rows, strict=True)
        return tuple(a if a is b else jnp.where(active, a, b) for a, b in pairs)

    def above(self, x: Rows, c: Any) -> Array:
        """Who is above the threshold, shape (neurons,)."""
        return self.above_(Cells(x), 0, c)

    def reset(self, x: Rows, fired: Array, c: Any) -> Rows:
        """What a spike does to those that fired."""
        after = Cells(x)
        self.reset_(after, 0, c)
        pairs = zip(after.rows, x, strict=True)
        return tuple(a if a is b else jnp.where(fired, a, b) for a, b in pairs)

    def receive(self, x: Rows, row: int, amount: Array, ready: Array) -> Rows:
        """Add what arrives; who stands still loses it."""
        amount = jnp.where(ready, amount, 0.0) if row in self.held else amount
        return (*x[:row], x[row] + amount, *x[row + 1 :])

    def distance(self, x: Rows, c: Any) -> Array:
        """How far each neuron is above its threshold, mV, shape (neurons,)."""
        row, name = self.level
        return x[row] - getattr(c, name)


def check_traceable(model: SpikingModel, dt_ms: float) -> None:
    """Refuse a model whose functions jax cannot trace, with those that it can."""
    step, c = step_of(type(model)), model.constants(dt_ms)
    row = jax.ShapeDtypeStruct((2,), jnp.float32)

    def once(x: Rows) -> Rows:
        after = step.advance(x, x[0] > 0, x[0], c)
        return step.reset(after, step.above(after, c), c)

    jax.eval_shape(once, (row,) * len(variables(model)))


@cache
def step_of(model: type[SpikingModel]) -> Step:
    """The step of a model."""
    names = variables(model)
    return Step(
        above_=_over_rows(model, "above"),
        advance_=_over_rows(model, "advance"),
        reset_=_over_rows(model, "reset"),
        receptors=tuple(names.index(name) for name in model.RECEPTORS),
        held=tuple(names.index(name) for name in held(model)),
        level=_level(model),
    )


def _over_rows(model: type[SpikingModel], part: str) -> Callable[..., Any]:
    """A function of a model with `math` and `bool` for arrays, which names the model where it cannot be traced."""
    function = getattr(model, part)
    names = {**function.__globals__, "math": jnp, "np": jnp, "bool": lambda rows: rows}
    traced = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)

    def call(*values: Any) -> Any:
        try:
            return traced(*values)
        except UNTRACEABLE as error:
            raise _refusal(model, part) from error

    return call


def _level(model: type[SpikingModel]) -> tuple[int, str]:
    """The variable and the constant of a threshold such as "v > v_threshold"."""
    found = re.fullmatch(r"(\w+) >=? (\w+)", model.THRESHOLD)
    if found is None or found[1] not in variables(model):
        raise _refusal(model, "THRESHOLD")
    return variables(model).index(found[1]), found[2]


def _refusal(model: type[SpikingModel], part: str) -> ValueError:
    from ..models import SPIKING

    return ValueError(
        f"engine 'jax': cannot trace {model.__name__}.{part}, which may branch on `active` alone and call `math` alone;"
        f" {', '.join(kind.__name__ for kind in SPIKING.values())} work, and engine 'dense' runs every model"
    )
