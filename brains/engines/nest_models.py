"""Which of NEST's built-in models each of ours is, with its parameters in NEST's units.

In both a step integrates, decays the input, adds what arrives and compares with the threshold, so that a spike of step
k with a delay of d steps arrives in step k + d. NEST stamps that spike k + 1, and its refractory period holds the
voltage during t_ref whole steps where ours, as brian2's, lets it move again in the last: t_ref is one step shorter.

| ours | NEST's | agreement |
|---|---|---|
| LifPsc | iaf_psc_exp | the same exact step: spike for spike |
| LifAlpha | iaf_psc_alpha | the same exact step: spike for spike |
| LifExp | aeif_psc_exp | the same equations, integrated to 1e-6: spike for spike on small networks |
| Izhikevich | izhikevich | the same Euler step; an input that itself lifts v over the peak acts one step earlier |
| LifCond | iaf_cond_exp | the same equations; NEST integrates them to 1e-6, ours by exponential Euler |
| AdEx | aeif_cond_exp | the same equations; NEST integrates them to 1e-6, ours by Euler |
| HodgkinHuxley | hh_cond_exp_traub | the same, and NEST's spike is the peak above v_offset + 30 mV, not a crossing |

LifExp (Shiu et al. 2024) is not iaf_psc_exp: its input is set to zero by a spike and what arrives while it is
refractory is lost; there the current goes on. That matters: with a decay of 5 ms and a refractory period of 2.2 ms,
64 % of the current would outlive it. NEST has a linear model with a current that can be set, aeif_psc_exp with neither
exponential nor adaptation, and `forgets` names what the engine sets to zero in the last step of a refractory period.
With g_leak = 1 nS and C = tau_m * 1 nS, 1 pA is 1 mV. It is some ten times slower than iaf_psc_exp; who wants that with
these numbers asks for `LifPsc(c_m_pf=tau_m, tau_m_ms=tau_m, tau_e_ms=tau_synapse, tau_i_ms=tau_synapse)`: again 1 pA is
1 mV, and the current outlives the spike.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models import SPIKING
from ..models.adex import AdEx
from ..models.hodgkin_huxley import HodgkinHuxley
from ..models.izhikevich import Izhikevich
from ..models.lif_alpha import LifAlpha
from ..models.lif_cond import LifCond
from ..models.lif_exp import LifExp
from ..models.lif_psc import LifPsc
from ..models.spiking_model import SpikingModel, variables

Floats = NDArray[np.float64]

STATE = {"v": "V_m", "u": "U_m", "w": "w", "m": "Act_m", "h": "Inact_h", "n": "Act_n"}  # of a neuron at rest
CONDUCTANCE = {"g_L": "g_leak_ns", "E_L": "e_leak_mv", "tau_syn_ex": "tau_e_ms", "tau_syn_in": "tau_i_ms"}
CONDUCTANCE |= {"C_m": "c_m_pf", "E_ex": "e_e_mv", "E_in": "e_i_mv"}


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """One of NEST's models that does what one of ours does."""

    name: str
    parameters: dict[str, float]  # in NEST's units: mV, ms, pF, nS, pA
    current: float = 1.0  # NEST's I_e of a drive of 1
    forgets: tuple[str, ...] = ()  # variables set to zero in the last step of a refractory period
    refracts: bool = True  # whether it has a refractory period


def _above(threshold: float) -> float:
    """The threshold of a model that spikes above it, for one that spikes at it."""
    return float(np.nextafter(threshold, np.inf))


def _taken(model: SpikingModel, fields: dict[str, str]) -> dict[str, float]:
    return {name: float(getattr(model, field)) for name, field in fields.items()}


def _lif_psc(model: LifPsc) -> Counterpart:
    fields = {"C_m": "c_m_pf", "tau_m": "tau_m_ms", "tau_syn_ex": "tau_e_ms", "tau_syn_in": "tau_i_ms"}
    fields |= {"E_L": "v_rest_mv", "V_th": "v_threshold_mv", "V_reset": "v_reset_mv"}
    return Counterpart(name="iaf_psc_exp", parameters=_taken(model, fields), current=model.c_m_pf / model.tau_m_ms)


def _lif_alpha(model: LifAlpha) -> Counterpart:
    fields = {"C_m": "tau_m_ms", "tau_m": "tau_m_ms", "tau_syn_ex": "tau_synapse_ms", "tau_syn_in": "tau_synapse_ms"}
    fields |= {"E_L": "v_rest_mv", "V_reset": "v_reset_mv"}
    parameters = _taken(model, fields) | {"V_th": _above(model.v_threshold_mv)}
    return Counterpart(name="iaf_psc_alpha", parameters=parameters)


def _lif_exp(model: LifExp) -> Counterpart:
    fields = {"C_m": "tau_m_ms", "tau_syn_ex": "tau_synapse_ms", "tau_syn_in": "tau_synapse_ms"}
    fields |= {"E_L": "v_rest_mv", "V_reset": "v_reset_mv"}
    linear = {"g_L": 1.0, "a": 0.0, "b": 0.0, "Delta_T": 0.0, "V_peak": 1e6, "V_th": _above(model.v_threshold_mv)}
    return Counterpart(name="aeif_psc_exp", parameters=_taken(model, fields) | linear, forgets=("I_syn_ex", "I_syn_in"))


def _lif_cond(model: LifCond) -> Counterpart:
    parameters = _taken(model, CONDUCTANCE | {"V_reset": "v_reset_mv"}) | {"V_th": _above(model.v_threshold_mv)}
    return Counterpart(name="iaf_cond_exp", parameters=parameters, current=model.g_leak_ns)


def _adex(model: AdEx) -> Counterpart:
    fields = {"V_th": "v_exponential_mv", "Delta_T": "slope_mv", "tau_w": "tau_w_ms", "a": "a_ns", "b": "b_pa"}
    fields |= CONDUCTANCE | {"V_reset": "v_reset_mv"}
    parameters = _taken(model, fields) | {"V_peak": _above(model.v_peak_mv)}
    return Counterpart(name="aeif_cond_exp", parameters=parameters, current=model.g_leak_ns)


def _izhikevich(model: Izhikevich) -> Counterpart:
    fields = {"a": "a", "b": "b", "c": "c_mv", "d": "d", "V_th": "v_peak_mv"}
    return Counterpart(name="izhikevich", parameters=_taken(model, fields), refracts=False)


def _hodgkin_huxley(model: HodgkinHuxley) -> Counterpart:
    fields = CONDUCTANCE | {"g_Na": "g_na_ns", "g_K": "g_k_ns", "E_Na": "e_na_mv", "E_K": "e_k_mv"}
    fields |= {"V_T": "v_offset_mv"}
    return Counterpart(name="hh_cond_exp_traub", parameters=_taken(model, fields), current=model.g_leak_ns)


COUNTERPARTS: dict[type, Callable[[Any], Counterpart]] = {
    LifPsc: _lif_psc,
    LifAlpha: _lif_alpha,
    LifExp: _lif_exp,
    LifCond: _lif_cond,
    AdEx: _adex,
    Izhikevich: _izhikevich,
    HodgkinHuxley: _hodgkin_huxley,
}


def counterpart(model: SpikingModel) -> Counterpart:
    """NEST's model of one of ours, at rest.

    Raises:
        ValueError: NEST has none; the message names those that it has.
    """
    make = COUNTERPARTS.get(type(model))
    if make is None:
        works = ", ".join(name for name, kind in SPIKING.items() if kind in COUNTERPARTS)
        raise ValueError(f"NestEngine: NEST has no counterpart of {type(model).__name__}; it runs {works}")
    made, rest = make(model), model.resting()
    at_rest = {STATE[name]: rest[name] for name in variables(model) if name in rest}
    return replace(made, parameters=made.parameters | at_rest)


def nest_weights(model: SpikingModel, weight: ArrayLike, receptor: ArrayLike) -> Floats:
    """Weights as NEST wants them, whose models choose the receptor by the sign, shape of `weight`.

    Raises:
        ValueError: a current of one sign at the receptor of the other, where the two are not alike.
    """
    values, second = np.asarray(weight, dtype=np.float64), np.asarray(receptor) == 1
    if model.UNSIGNED:
        return np.where(second, -np.abs(values), np.abs(values))
    wrong = np.where(second, values > 0, values < 0)
    if isinstance(model, LifPsc) and model.tau_e_ms != model.tau_i_ms and wrong.any():
        raise ValueError(
            f"NestEngine: iaf_psc_exp takes positive weights at i_e and negative ones at i_i; got"
            f" {np.broadcast_to(values, wrong.shape)[wrong][0]} pA at the other, and tau_e_ms ({model.tau_e_ms} ms) is"
            f" not tau_i_ms ({model.tau_i_ms} ms); engine='dense' runs it"
        )
    return values
