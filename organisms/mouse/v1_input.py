"""What reaches a column from outside itself: the neighbours that a small disc lacks, and everything unmodelled.

A cell of a cortex without borders would have, from each type, 2 pi sigma^2 pmax rho inputs; a disc of cells has fewer.
The mean of what is missing, at the rates measured in the animal, is made up for by a constant current and its variance
by more background events, so that one calibration serves every radius. The background itself (other areas, other
layers' long axons, neuromodulation) is a Poisson input of each type; its rates are assumed, fitted by
`scripts/calibrate_mouse_v1.py` to the spontaneous rates of the Neuropixels units.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ncx2

from ...brains.models.lif_types import LifTypes
from .column import Column
from .v1_tables import DATA, Tables, tables

Floats = NDArray[np.float64]

BACKGROUND_PSP_MV = 0.3  # mV, peak potential of a background event: assumed
EVENT_PSP_MV = (
    2.0  # mV, of the events that are drawn: fewer and larger ones with the variance of all, the rest of whose
)
# mean is a constant current
RADII = 60  # at which missing inputs are computed; in between they are interpolated


class Outside(NamedTuple):
    """Input from outside of every cell of a column."""

    drive_mv: Floats  # (n,)
    rate_hz: Floats  # (n,) of background events
    weight_mv: Floats  # (n,) of an event


def target_rates() -> Floats:
    """Spontaneous rate of every type in the animal, Hz, shape (types,)."""
    units = pd.read_csv(DATA / "v1_neuropixels.csv").set_index("neuropixels")
    return np.asarray(units.loc[tables().types["neuropixels"], "spontaneous_hz"], dtype=np.float64)


def background_rates() -> Floats:
    """Background events of every type, Hz, shape (types,): assumed, see `v1_background.csv`."""
    table = pd.read_csv(DATA / "v1_background.csv").set_index("type")
    return table.loc[list(tables().names), "rate_hz"].to_numpy(np.float64)


def outside(column: Column, model: LifTypes, rates_hz: Floats | None = None) -> Outside:
    """Input from outside of a column.

    Args:
        column: whose.
        model: of its cells.
        rates_hz: background of every type, Hz; None for `background_rates`.
    """
    known = tables()
    base = background_rates() if rates_hz is None else rates_hz
    per_mv = model.current_per_psp(model.tau_e_ms)[: known.n]
    mean, square = _missing(known, column, model)
    event, event_square = _moments(model, model.tau_e_ms, known.n)
    mean += (base * BACKGROUND_PSP_MV * per_mv * event)[column.kind]
    square += (base * (BACKGROUND_PSP_MV * per_mv) ** 2 * event_square)[column.kind]
    weight = (EVENT_PSP_MV * per_mv)[column.kind]
    rate = square / (weight**2 * event_square[column.kind])
    return Outside(mean - rate * weight * event[column.kind], rate, weight)


def _missing(known: Tables, column: Column, model: LifTypes) -> tuple[Floats, Floats]:
    """Mean (mV) and variance (mV2) of the potential that the missing inputs of every cell would give."""
    neurons = column.connectome.neurons
    away = np.hypot(neurons["x_um"].to_numpy(), neurons["y_um"].to_numpy())
    grid = np.linspace(0.0, column.radius_um, RADII)
    mean, square = np.zeros(column.n), np.zeros(column.n)
    rates, psc = target_rates(), psp_weights(known, model)
    for post in range(known.n):
        rows = np.flatnonzero(column.kind == post)
        for sigma in np.unique(known.sigma_um[:, post]):
            lost = 1.0 - ncx2.cdf((column.radius_um / sigma) ** 2, 2, np.maximum((grid / sigma) ** 2, 1e-9))
            share = np.interp(away[rows], grid, lost)
            for pre in np.flatnonzero(known.sigma_um[:, post] == sigma):
                tau = model.tau_e_ms if known.sign[pre] > 0 else model.tau_i_ms
                event, event_square = (values[post] for values in _moments(model, tau, known.n))
                hz = 2.0 * np.pi * sigma**2 * known.pmax[pre, post] * known.per_um2[pre] * rates[pre]
                spread = np.exp(known.psp_spread[pre, post] ** 2)
                mean[rows] += share * hz * psc[pre, post] * event
                square[rows] += share * hz * psc[pre, post] ** 2 * spread * event_square
    return mean, square


def psp_weights(known: Tables, model: LifTypes) -> Floats:
    """Signed mean weight, mV of current, of a synapse of every pair of types, (pre, post)."""
    e, i = (model.current_per_psp(tau)[: known.n] for tau in (model.tau_e_ms, model.tau_i_ms))
    return np.asarray(known.psp_mv * np.where(known.sign[:, None] > 0, e[None, :], -i[None, :]))


def _moments(model: LifTypes, tau_s_ms: Floats, n: int) -> tuple[Floats, Floats]:
    """Integral (s) of the potential of an event of weight 1 and of its square, for every type."""
    tau_m, tau_s = model.tau_m_ms[:n], tau_s_ms[:n]
    return tau_s * 1e-3, 1e-3 * tau_s**2 / (2.0 * (tau_m + tau_s))
