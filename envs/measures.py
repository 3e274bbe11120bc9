"""What an episode is measured by: speed along the body, undulation, wavelength, path, reversals.

All measures come from the recorded centreline alone, so that a recording of a real animal can be measured the same way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SETTLE_S = 2.0  # s, start of the episode that steady measures leave out: the wave has to build up from a straight body
LOWEST_HZ = 0.1  # Hz, slower changes of posture are not undulation
REVERSAL_S = 0.5  # s, shortest backward run that counts as a reversal
REVERSAL_MM_S = 0.01  # mm/s, slower than this is standing still


def body_axis(centreline_mm: Floats) -> Floats:
    """Unit vector from the rear half's centre to the front half's, shape (..., 3), for points of shape (..., P, 3)."""
    half = centreline_mm.shape[-2] // 2
    axis = centreline_mm[..., :half, :].mean(axis=-2) - centreline_mm[..., -half:, :].mean(axis=-2)
    unit: Floats = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-12)
    return unit


def signed_speed(time_s: Floats, centreline_mm: Floats) -> Floats:
    """Speed of the centroid along the body axis, mm/s, shape (T,); positive is head first."""
    velocity = np.gradient(centreline_mm.mean(axis=1), time_s, axis=0)
    speed: Floats = np.einsum("tk,tk->t", velocity, body_axis(centreline_mm))
    return speed


def bend_angles(centreline_mm: Floats) -> Floats:
    """In-plane turn at each inner point of the centreline, rad, shape (T, P - 2), head first."""
    step = np.diff(centreline_mm[..., :2], axis=1)
    heading = np.unwrap(np.arctan2(step[..., 1], step[..., 0]), axis=1)
    angles: Floats = np.diff(heading, axis=1)
    return angles


def undulation(time_s: Floats, bends_rad: Floats) -> tuple[float, float]:
    """Frequency (Hz) and wavelength (body lengths) of the travelling wave.

    The frequency is the peak of the power spectrum averaged over the body, refined by a parabola through its
    neighbours; the wavelength follows from the mean phase step between neighbouring points at that frequency. It is
    positive for a wave that runs from head to tail.
    """
    dt_s = float(time_s[1] - time_s[0])
    padded = 8 * len(time_s)
    window = np.hanning(len(time_s))[:, None]
    spectrum = np.fft.rfft((bends_rad - bends_rad.mean(axis=0)) * window, padded, axis=0)
    hz = np.asarray(np.fft.rfftfreq(padded, dt_s), dtype=np.float64)
    power = np.where(hz >= LOWEST_HZ, (np.abs(spectrum) ** 2).sum(axis=1), 0.0)
    peak = int(power.argmax())
    phasor = spectrum[peak]
    step_rad = float(np.angle((phasor[1:] * np.conj(phasor[:-1])).sum()))
    points = bends_rad.shape[1] + 2  # the phase step is per segment, one of `points` in a body length
    wavelength = -2 * np.pi / (step_rad * points) if abs(step_rad) > 1e-9 else float("inf")
    return _refined(hz, power, peak), wavelength


def _refined(hz: Floats, power: Floats, peak: int) -> float:
    if not 0 < peak < len(hz) - 1 or power[peak] == 0.0:
        return float(hz[peak])
    left, top, right = power[peak - 1 : peak + 2]
    curvature = left - 2 * top + right
    shift = 0.5 * (left - right) / curvature if curvature else 0.0
    return float(hz[peak] + shift * (hz[1] - hz[0]))


def moving_average(values: Floats, samples: int) -> Floats:
    """Centred mean over an odd number of samples along the first axis; the ends are held, so that the length stays."""
    width = max(1, samples) | 1
    padding = [(width // 2, width // 2)] + [(0, 0)] * (values.ndim - 1)
    total = np.cumsum(np.pad(values, padding, mode="edge"), axis=0)
    total = np.concatenate([np.zeros_like(total[:1]), total])
    mean: Floats = (total[width:] - total[:-width]) / width
    return mean


def reversals(time_s: Floats, speed_mm_s: Floats) -> int:
    """How often the animal turns to moving backward for at least `REVERSAL_S`."""
    dt_s = float(time_s[1] - time_s[0])
    width = max(1, round(REVERSAL_S / dt_s))
    backward = np.concatenate([[False], moving_average(speed_mm_s, width) < -REVERSAL_MM_S, [False]])
    edges = np.flatnonzero(np.diff(backward.astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return int((lengths >= width).sum())


def measure(time_s: Floats, centreline_mm: Floats, settle_s: float = SETTLE_S) -> dict[str, float]:
    """All measures of a run.

    Args:
        time_s: sample times, evenly spaced, s, shape (T,).
        centreline_mm: points along the body, nose first, mm, shape (T, P, 3).
        settle_s: start of the run left out of all but travel, s; runs shorter than twice this keep everything.

    Raises:
        ValueError: fewer than ten samples, or shapes that do not match.
    """
    if centreline_mm.ndim != 3 or centreline_mm.shape[0] != len(time_s) or len(time_s) < 10:
        raise ValueError(f"measure: need (T, P, 3) points for T >= 10 times, got {centreline_mm.shape}, {time_s.shape}")
    kept = time_s - time_s[0] >= (settle_s if time_s[-1] - time_s[0] >= 2 * settle_s else 0.0)
    time, line = time_s[kept], centreline_mm[kept]
    speed, bends = signed_speed(time, line), bend_angles(line)
    hz, wavelength = undulation(time, bends)
    centroid = centreline_mm.mean(axis=1)
    return {
        "speed_mm_s": float(speed.mean()),
        "undulation_hz": hz,
        "wavelength_body_lengths": wavelength,
        "travel_mm": float(np.linalg.norm(centroid[-1] - centroid[0])),
        "reversals": reversals(time, speed),
        "rms_bend_rad": float((bends - bends.mean(axis=0)).std()),
    }
