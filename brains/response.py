"""What a network does when one of its neurons is stimulated: in closed form for small currents, and simulated.

Graded neurons obey tau dV/dt = F(V) + drive with

    F_i = rest_i - V_i + tonic_i + plateau_i s_i + sum_j C_ij s_j + sum_j E_ij (V_j - V_i)
    s   = sigmoid((V - half)/slope)

(`models/graded.py`; C, in mV at full release, has signs and the inhibition gain in it, E is relative to the leak).
About a fixed point a small constant drive dI moves the steady voltages by dV = -J^-1 dI, with J = dF/dV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..registry import UnknownNameError, nearest
from .brain import Brain, BrainLike, whole_steps
from .network import Network

Floats = NDArray[np.float64]

NEWTON_STEPS = 30
TOLERANCE_MV = 1e-9  # mV, largest F of what counts as a fixed point
SETTLED_MV = 0.1  # mV, how far from where the simulation came to rest the fixed point may be


class NotSettledError(ValueError):
    """A network without a steady state, for which a steady gain means nothing."""


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A stimulus and how its effect is read.

    Duration and window are those of the atlas of Randi et al. 2023 (Nature 623:406): 300 or 500 ms of light about every
    30 s, response = mean over the time after stimulus onset less the mean before. How many millivolts the light is
    worth is not known: `amplitude_mv` (assumed) takes a neuron from rest, -35 mV, to the excitatory reversal, 0 mV.
    """

    amplitude_mv: float = 35.0  # mV, constant drive of the stimulated neuron; assumed
    duration_s: float = 0.5  # s
    window_s: float = 30.0  # s from the onset
    sample_s: float = 0.1  # s between samples of the voltage; the pulse is a whole number of them
    settle_s: float = 20.0  # s without stimulus beforehand

    def __post_init__(self) -> None:
        for name in ("duration_s", "window_s", "sample_s", "settle_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"Pulse: {name} ({getattr(self, name)} s) must be above 0")
        if self.window_s < self.duration_s:
            raise ValueError(f"Pulse: window_s ({self.window_s} s) must not be below duration_s ({self.duration_s} s)")
        for name in ("duration_s", "window_s"):
            whole_steps(getattr(self, name), self.sample_s * 1e3)


@dataclass(frozen=True, kw_only=True, eq=False)
class PulseResponse:
    """Change of voltage against the same run without the pulse, mV; rows respond, columns are stimulated, (n, n).

    Columns of neurons that were not stimulated are NaN.
    """

    mean: Floats  # over the window
    peak: Floats  # the largest in size over the window, with its sign


def release_slopes(network: Network, voltage: Floats) -> tuple[Floats, Floats]:
    """Release (0 to 1) and its slope (1/mV) of graded neurons at a voltage (mV), each of shape (n,).

    Raises:
        ValueError: a neuron is not graded; a spiking neuron has no slope.
    """
    spiking = network.cells.model != "graded"
    if spiking.any():
        name = network.names[int(spiking.argmax())]
        raise ValueError(f"closed-form response: neuron {name!r} is not graded; simulate it with pulse_responses")
    release = expit((voltage - network.cells.v_half_mv) / network.cells.slope_mv)
    return release, release * (1.0 - release) / network.cells.slope_mv


def imbalance(network: Network, voltage: Floats) -> Floats:
    """F of the module's equation, mV, shape (n,): zero at a fixed point."""
    cells, (release, _) = network.cells, release_slopes(network, voltage)
    load = np.asarray(network.electrical.sum(axis=1)).ravel()
    current = network.chemical @ release + network.electrical @ voltage - load * voltage
    return np.asarray(cells.v_rest_mv - voltage + cells.tonic_mv + cells.plateau_mv * release + current)


def jacobian(network: Network, voltage: Floats) -> Floats:
    """dF/dV at a voltage (mV), dimensionless, shape (n, n): row = whose balance, column = whose voltage."""
    _, slope = release_slopes(network, voltage)
    load = np.asarray(network.electrical.sum(axis=1)).ravel()
    own = network.cells.plateau_mv * slope - load - 1.0
    return np.asarray(network.chemical.toarray() * slope + network.electrical.toarray() + np.diag(own))


def operating_point(network: Network, settle_s: float = 20.0, seed: int = 0) -> Floats:
    """Steady voltages (mV, shape (n,)) that the network comes to without stimulus: simulated, then Newton's method.

    Raises:
        NotSettledError: it has not come to rest after `settle_s`; the message gives what still moves.
    """
    resting = Brain(network, seed=seed).step(np.zeros(network.n), settle_s).voltage
    voltage = resting
    for _ in range(NEWTON_STEPS):
        left = imbalance(network, voltage)
        if np.abs(left).max() < TOLERANCE_MV:
            break
        voltage = voltage - np.linalg.solve(jacobian(network, voltage), left)
    left, moved = np.abs(imbalance(network, voltage)), np.abs(voltage - resting)
    if not (left.max() < TOLERANCE_MV and moved.max() < SETTLED_MV):
        name = network.names[int(np.abs(imbalance(network, resting)).argmax())]
        raise NotSettledError(f"no steady state after {settle_s} s: neuron {name!r} is still moving")
    return voltage


def gain_matrix(network: Network, voltage: Floats | None = None) -> Floats:
    """Steady voltage change of every neuron for a small constant drive of every other, mV per mV, shape (n, n).

    Args:
        network: of graded neurons.
        voltage: its fixed point (mV), where known; otherwise `operating_point` finds it.

    Raises:
        NotSettledError: there is no fixed point, `voltage` is none, or it is unstable.
    """
    voltage = operating_point(network) if voltage is None else voltage
    left = np.abs(imbalance(network, voltage))
    if left.max() > 1e3 * TOLERANCE_MV:
        name = network.names[int(left.argmax())]
        raise NotSettledError(f"not a fixed point: neuron {name!r} is out of balance by {left.max():.3g} mV")
    steady = jacobian(network, voltage)
    growth = np.linalg.eigvals(steady / network.cells.tau_m_ms[:, None]).real.max() * 1e3
    if growth >= 0:
        raise NotSettledError(f"the fixed point is unstable: a deviation grows at {growth:.3g} per s")
    return np.asarray(-np.linalg.inv(steady))


def pulse_responses(brain: BrainLike, stimulated: Sequence[str], pulse: Pulse | None = None) -> PulseResponse:
    """Stimulate neurons one by one, each from the same settled state, and watch all of them.

    Args:
        brain: any brain; it is reset and left in the state after the last pulse.
        stimulated: names of the neurons to stimulate.
        pulse: the stimulus; default that of the atlas.
    """
    pulse = Pulse() if pulse is None else pulse
    place = {name: i for i, name in enumerate(brain.names)}
    for name in stimulated:
        if name not in place:
            raise UnknownNameError(f"no neuron {name!r} to stimulate; {nearest(name, place)}")
    n = len(brain.names)
    brain.reset()
    brain.step(np.zeros(n), pulse.settle_s)
    settled = brain.state
    silent = _trajectory(brain, np.zeros(n), pulse)
    mean, peak = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for name in stimulated:
        drive = np.zeros(n)
        drive[place[name]] = pulse.amplitude_mv
        brain.restore(settled)
        change = _trajectory(brain, drive, pulse) - silent
        mean[:, place[name]] = change.mean(axis=0)
        peak[:, place[name]] = change[np.abs(change).argmax(axis=0), np.arange(n)]
    return PulseResponse(mean=mean, peak=peak)


def _trajectory(brain: BrainLike, drive: Floats, pulse: Pulse) -> Floats:
    """Voltages (mV) at every sample after the onset, shape (samples, n)."""
    samples = whole_steps(pulse.window_s, pulse.sample_s * 1e3)
    on = whole_steps(pulse.duration_s, pulse.sample_s * 1e3)
    none = np.zeros_like(drive)
    return np.stack([brain.step(drive if k < on else none, pulse.sample_s).voltage for k in range(samples)])
