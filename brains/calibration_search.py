"""Optimisers over the unit cube, each a function that asks for the scores of whole batches of points.

They draw from the generator they are given and from nothing else, so the points depend on the seed and the scores
alone: a search whose scores are replayed asks the same questions again.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..registry import Registry

Floats = NDArray[np.float64]
Objective = Callable[[Floats], Floats]
"""Points of the unit cube, shape (n, d), to scores, shape (n,)."""

OPTIMIZERS: Registry[str] = Registry("optimizer")
"""name -> function(objective, start, step, population, rng) -> why it stopped, as text. `start` is a point, shape (d,),
`step` the first step as a share of each range, `population` the points a batch, None for the optimiser's own choice."""

NO_CMA = (
    "optimizer 'cma' needs the package cma: pip install 'animat[calibration]', or choose "
    "optimizer='differential_evolution' or 'nelder-mead'"
)


def cma_version() -> str:
    """Version of the package cma.

    Raises:
        ImportError: it is not installed; the message says what to do.
    """
    try:
        import cma
    except ImportError:
        raise ImportError(NO_CMA) from None
    return str(cma.__version__)


def _cma(objective: Objective, start: Floats, step: float, population: int | None, rng: np.random.Generator) -> str:
    """Covariance matrix adaptation (Hansen & Ostermeier 2001), package cma: for noisy, bent and correlated scores."""
    import cma

    options = {"bounds": [0, 1], "verbose": -9, "seed": np.nan, "randn": lambda *shape: rng.standard_normal(shape)}
    strategy = cma.CMAEvolutionStrategy(
        start, step, options if population is None else options | {"popsize": population}
    )
    strategy.inject([start], force=True)  # so that trial 0 is the start, which it would never evaluate by itself
    while not strategy.stop():
        points = strategy.ask()
        strategy.tell(points, objective(np.array(points)).tolist())
    return f"cma: {', '.join(sorted(strategy.stop()))}"


class _Carried(Exception):
    """Takes an error of the objective through scipy, which would report a ValueError as a fault of its own."""


def _differential_evolution(
    objective: Objective, start: Floats, step: float, population: int | None, rng: np.random.Generator
) -> str:
    """Differential evolution (Storn & Price 1997), scipy: global, starts from the whole range and ignores `step`."""
    from scipy.optimize import Bounds, differential_evolution

    def by_column(columns: Floats) -> Any:  # scipy's types do not know `vectorized`
        try:
            return objective(columns.T)
        except (TypeError, ValueError) as error:
            raise _Carried from error

    first = rng.random((population or 15 * len(start), len(start)))
    first[0] = start
    try:
        result = differential_evolution(
            by_column,
            Bounds(np.zeros(len(start)), np.ones(len(start))),
            init=first,
            seed=rng,
            vectorized=True,
            updating="deferred",
            polish=False,
            tol=0.0,
            maxiter=2**31,
        )
    except _Carried as carried:
        raise carried.__cause__ or carried from None
    return f"differential_evolution: {result.message}"


def _nelder_mead(
    objective: Objective, start: Floats, step: float, population: int | None, rng: np.random.Generator
) -> str:
    """Simplex search (Nelder & Mead 1965), scipy: local, one point at a time, for few parameters and a smooth score."""
    from scipy.optimize import minimize

    def one(point: Floats) -> Any:
        return float(objective(point[None])[0])

    inward = np.where(start + step <= 1, step, -step)
    simplex = np.clip(np.vstack([start, start + np.diag(inward)]), 0, 1)
    patience = {"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2**31, "maxfev": 2**31}
    options: Any = {"initial_simplex": simplex, **patience}
    result = minimize(
        one,
        start,
        method="Nelder-Mead",
        bounds=[(0.0, 1.0)] * len(start),
        options=options,
    )
    return f"nelder-mead: {result.message}"


for _name, _optimizer in {
    "cma": _cma,
    "differential_evolution": _differential_evolution,
    "nelder-mead": _nelder_mead,
}.items():
    OPTIMIZERS.add(_name, _optimizer)
