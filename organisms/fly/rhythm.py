"""The leg rhythm by itself: one leg or six, as rates with drawn parameters or as populations of spiking cells.

The circuit is that of `data/rhythm.csv` and `data/coupling.csv`. Parameter draws are those of Pugliese et al. 2025: tau
20 +- 2 ms, r_max 200 +- 10 Hz, a 1 +- 0.1, theta 7.5 +- 0.6, gain and threshold scaled by the size of the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ...bodies.fly_tables import LEGS
from ...brains.brain import Brain
from ...brains.cells import PARAMETERS, Cells
from ...brains.network import Network
from .wiring import table

Floats = npt.NDArray[np.float64]
PER_SYNAPSE, RATE_FULL_HZ = 0.03, 200.0  # b and r_max of Pugliese et al. 2025, code
CORE = ("DNg100", "IN17A001", "INXXX466", "IN16B036")
STEP_S = 0.002  # s between samples
SETTLE = 0.5  # share of a run that is left out: damped oscillations have died by then
RHYTHMIC = 0.2  # autocorrelation one period on, above which a trace counts as rhythmic; assumed
LOWEST_HZ, HIGHEST_HZ = 3.0, 20.0  # Hz; slower changes are no stepping rhythm, faster ones the spikes themselves
SMOOTH_S = 0.01  # s, time constant over which the spikes of a population are counted


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Standard deviations of the published parameter draws, as shares of the means."""

    tau: float = 0.1
    rate_full: float = 0.05
    gain: float = 0.1
    threshold: float = 0.08


@dataclass(frozen=True, kw_only=True)
class Spiking:
    """A population of leaky integrate-and-fire cells in place of each rate cell; all of it assumed but tau.

    A rate cell fires (I - threshold)/size Hz. A cell that rests `threshold` below its spike threshold and is set back
    `reset` times its size below it fires about as much at the rates that matter here.
    """

    cells: int = 100  # of each type
    reset: float = 100.0  # input units below the spike threshold, times size
    tau_release_ms: float = 12.0  # ms, of the synapses; 20 gives 8.7 Hz, 5 gives 18 Hz
    connected: float = 0.5  # probability of a synapse between two cells of connected types
    t_refractory_ms: float = 2.2  # ms, Shiu et al. 2024


def sizes() -> dict[str, float]:
    """Size of each type of the core over the median cell."""
    rows = table("sizes")
    return dict(zip(rows["type"], rows["size"].astype(float), strict=True))


def links(extra: Mapping[tuple[str, str], float] | None = None) -> dict[tuple[str, str], float]:
    """Signed synapse counts among the core types; `extra` adds to or replaces them."""
    rows = table("rhythm")
    core = rows[rows["pre"].isin(CORE) & rows["post"].isin(CORE)]
    counts = dict(zip(zip(core["pre"], core["post"], strict=True), core["count"] * core["sign"], strict=True))
    return {**counts, **(extra or {})}


def rate_leg(
    rng: np.random.Generator,
    silenced: Sequence[str] = (),
    extra: Mapping[tuple[str, str], float] | None = None,
    draw: Draw | None = None,
) -> Brain:
    """The core of one leg with parameters drawn from `rng`; silenced types lose their synapses."""
    weights = np.zeros((len(CORE), len(CORE)))
    for (pre, post), count in links(extra).items():
        if pre not in silenced and post not in silenced:
            weights[CORE.index(post), CORE.index(pre)] = PER_SYNAPSE * count
    return _rates(CORE, np.array([sizes()[name] for name in CORE]), weights, rng, draw or Draw())


def rate_legs(rng: np.random.Generator, coupled: bool = True, draw: Draw | None = None) -> Brain:
    """Six legs, both DNg100 and the coupling cells, with parameters drawn from `rng`."""
    kinds = (*CORE[1:], "coupling")
    names = ("DNg100_L", "DNg100_R", *(f"{kind}_{leg}" for leg in LEGS for kind in kinds))
    place = {name: i for i, name in enumerate(names)}
    weights = np.zeros((len(names), len(names)))
    for row in table("rhythm").to_dict("records"):
        for leg in LEGS:
            pre = f"DNg100_{'L' if leg[0] == 'R' else 'R'}" if row["pre"] == "DNg100" else f"{row['pre']}_{leg}"
            if pre in place and f"{row['post']}_{leg}" in place:
                weights[place[f"{row['post']}_{leg}"], place[pre]] = PER_SYNAPSE * row["count"] * row["sign"]
    for row in table("coupling").to_dict("records") if coupled else ():
        weights[place[f"IN17A001_{row['to_leg']}"], place[f"coupling_{row['from_leg']}"]] = PER_SYNAPSE * row["count"]
    size = np.array([sizes().get(name.split("_")[0], 1.0) for name in names])
    return _rates(names, size, weights, rng, draw or Draw())


def spiking_leg(rng: np.random.Generator, silenced: Sequence[str] = (), spiking: Spiking | None = None) -> Brain:
    """The core of one leg as populations, named TYPE_0 ...; silenced types lose their synapses."""
    form = spiking or Spiking()
    n, size = form.cells, np.repeat([sizes()[name] for name in CORE], form.cells)
    weights = np.zeros((size.size, size.size))
    for (pre, post), count in links().items():
        made = (rng.random((n, n)) < form.connected).astype(np.float64)
        made /= np.maximum(made.sum(axis=1, keepdims=True), 1.0)  # what a target gets in all is the published count
        rows, columns = (slice(CORE.index(name) * n, (CORE.index(name) + 1) * n) for name in (post, pre))
        if pre not in silenced and post not in silenced:
            weights[rows, columns] = PER_SYNAPSE * count * RATE_FULL_HZ * made
    spread, draw = rng.standard_normal((3, size.size)), Draw()
    values = {
        "tau_m_ms": 20.0 * (1 + draw.tau * spread[0]),
        "v_rest_mv": -7.5 * size * (1 + draw.threshold * spread[1]),
        "v_half_mv": np.zeros(size.size),
        "v_reset_mv": -form.reset * size / (1 + draw.gain * spread[2]),
        "t_refractory_ms": np.full(size.size, form.t_refractory_ms),
        "tau_release_ms": np.full(size.size, form.tau_release_ms),
        "rate_full_hz": np.full(size.size, RATE_FULL_HZ),
    }
    names = tuple(f"{name}_{k}" for name in CORE for k in range(n))
    return _brain(names, "lif", values, weights, dt_ms=0.5, seed=int(rng.integers(2**32)), spread=20.0)


def trace(brain: Brain, cell: str, drive: float = 400.0, duration_s: float = 3.0) -> Floats:
    """Rate of a type, Hz, sampled every `STEP_S` while every DNg100 is driven; spikes of populations are smoothed."""
    driven = np.array([drive if name.startswith("DNg100") else 0.0 for name in brain.names])
    rows = [i for i, name in enumerate(brain.names) if name == cell or name.startswith(f"{cell}_")]
    values, kept = [], 0.0
    for _ in range(round(duration_s / STEP_S)):
        activity = brain.step(driven, STEP_S)
        if brain.network.cells.model[rows[0]] == "rate":
            kept = float(activity.voltage[rows].mean())
        else:
            kept += (float(activity.spikes[rows].mean()) / STEP_S - kept) * STEP_S / SMOOTH_S
        values.append(kept)
    return np.array(values)


def rhythm(values: Floats) -> tuple[float, float]:
    """Frequency of a trace, Hz, and its autocorrelation one period on; both 0 for a trace that is tonic or silent."""
    kept = values[int(SETTLE * len(values)) :]
    centred = kept - kept.mean()
    if centred.std() < 0.05 * max(abs(kept.mean()), 1.0):
        return 0.0, 0.0
    hz = np.fft.rfftfreq(8 * len(centred), STEP_S)
    band = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
    power = np.where(band, np.abs(np.fft.rfft(centred * np.hanning(len(centred)), 8 * len(centred))), 0.0)
    frequency = float(hz[power.argmax()])
    lag = round(1 / frequency / STEP_S)
    return frequency, float(centred[:-lag] @ centred[lag:] / (centred @ centred) * len(centred) / len(centred[lag:]))


def leg_phases(brain: Brain, drive: float = 400.0, duration_s: float = 3.0) -> Floats:
    """How far E1 of each leg lags that of LF, in cycles from 0 to 1, shape (6,), in the order of LEGS."""
    driven = np.array([drive if name.startswith("DNg100") else 0.0 for name in brain.names])
    rows = [brain.names.index(f"IN17A001_{leg}") for leg in LEGS]
    rates = np.array([brain.step(driven, STEP_S).voltage[rows] for _ in range(round(duration_s / STEP_S))])
    kept = rates[len(rates) // 2 :]
    centred = (kept - kept.mean(axis=0)) * np.hanning(len(kept))[:, None]
    spectrum = np.fft.rfft(centred, 4 * len(centred), axis=0)
    hz = np.fft.rfftfreq(4 * len(centred), STEP_S)
    peak = spectrum[np.where(hz >= LOWEST_HZ, (np.abs(spectrum) ** 2).sum(axis=1), 0.0).argmax()]
    lag: Floats = (np.angle(peak[0]) - np.angle(peak)) / (2 * np.pi) % 1.0
    return lag


def _rates(names: Sequence[str], size: Floats, weights: Floats, rng: np.random.Generator, draw: Draw) -> Brain:
    spread = rng.standard_normal((4, size.size))
    full = RATE_FULL_HZ * (1 + draw.rate_full * spread[1])
    values = {
        "tau_m_ms": 20.0 * (1 + draw.tau * spread[0]),
        "rate_full_hz": full,
        "slope_mv": full * size / (1 + draw.gain * spread[2]),
        "v_half_mv": 7.5 * size * (1 + draw.threshold * spread[3]),
    }
    return _brain(names, "rate", values, weights * full, dt_ms=1.0, seed=int(rng.integers(2**32)), spread=1.0)


def _brain(
    names: Sequence[str],
    model: str,
    values: Mapping[str, Floats],
    weights: Floats,
    dt_ms: float,
    seed: int,
    spread: float,
) -> Brain:
    """A brain of cells with these parameters; what is not named is of no effect in the model and is set to 0 or 1."""
    n = len(names)
    neutral = {name: np.ones(n) if name.startswith(("tau", "slope", "rate")) else np.zeros(n) for name in PARAMETERS}
    cells = Cells(names=tuple(names), model=np.full(n, model), **{**neutral, **values})
    network = Network(cells=cells, chemical=csr_array(weights), electrical=csr_array((n, n)), dt_ms=dt_ms)
    return Brain(network, seed=seed, initial_spread_mv=spread)
