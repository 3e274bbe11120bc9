"""The mouse's spinal cord by itself: rhythm and gait by drive, lesions, speed, against the published model."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..brains.population_brain import PopulationBrain
from ..envs.quadruped import LIMBS, Coordination, coordination
from ..organisms.mouse import spinal
from .bench import Bar

Floats = npt.NDArray[np.float64]

COMMAND = "animat bench mouse-spinal"
SAMPLE_S = 0.001  # s, between samples
ACTIVE_MV = -45.0  # mV, of a flexor half-centre whose limb swings: output 0.1, as in the published analysis
SETTLE_S, MEASURE_S = 5.0, 10.0  # s
LIFT_S = 0.02  # s, from the flexor burst to the foot off the ground: EMG leads by about 1.2 bins of 16 ms; assumed
SEEDS = (0, 1, 2)
OTHERS = (  # what is not of the published model
    *("halt", "PF-*", "In-Sw", "In-L", "VS-*", "Mn-*"),
    *("load", "limb-stretch", "vestibular-roll", "lateral-stretch"),
)


def cord(lost: Sequence[str] = (), seed: int = 0) -> PopulationBrain:
    """The 56 published populations and their command, without those that some selectors name."""
    return spinal.brain(spinal.connectome().ablate((*OTHERS, *lost)), seed)


def rhythm(
    brain: PopulationBrain, drive: float, settle_s: float = SETTLE_S, measure_s: float = MEASURE_S
) -> Coordination | None:
    """Coordination of the limbs under a constant drive on both sides, from where the brain stands."""
    command = spinal.command(brain.names, drive)
    rows = [brain.names.index(f"RG-F_{limb}") for limb in LIMBS]
    brain.step(command, settle_s)
    samples = round(measure_s / SAMPLE_S)
    active = np.array([brain.step(command, SAMPLE_S).voltage[rows] for _ in range(samples)]) > ACTIVE_MV
    return coordination(np.arange(samples, dtype=np.float64) * SAMPLE_S, active)


def motor_cycle(brain: PopulationBrain, drive: float, measure_s: float = 3.0) -> dict[str, Floats]:
    """Mean output of the motor pools of the left hind limb over a step, 20 bins from the start of swing of the foot.

    The foot is taken to leave the ground `LIFT_S` after its limb's flexor half-centre becomes active.
    """
    command, bins = spinal.command(brain.names, drive), 20
    brain.step(command, SETTLE_S)
    out = np.array([brain.step(command, SAMPLE_S).release for _ in range(round(measure_s / SAMPLE_S))])
    swinging = out[:, brain.names.index("RG-F_LH")] > 0.1
    starts = np.flatnonzero(np.diff(swinging.astype(np.int8)) > 0) + round(LIFT_S / SAMPLE_S)
    starts = starts[starts < len(out)]
    steps = [np.linspace(a, b, bins + 1).round().astype(int) for a, b in pairwise(starts.tolist())]
    means = np.mean([[out[a:b].mean(axis=0) for a, b in pairwise(edges)] for edges in steps], axis=0)
    pools = [name for name in brain.names if name.startswith("Mn-") and name.endswith("_LH")]
    return {name[3:-3]: means[:, brain.names.index(name)] for name in pools}


def emg_correlations(brain: PopulationBrain, drive: float) -> dict[str, float]:
    """Correlation of motor pools with the measured EMG of mice over a step, by pool."""
    measured, cycle = spinal.table("hindlimb_emg"), motor_cycle(brain, drive)
    pools = [name for name in measured if name in cycle]
    return {pool: float(np.corrcoef(cycle[pool], measured[pool].astype(float))[0, 1]) for pool in pools}


def spinal_bars() -> Iterator[Bar]:
    """Every figure of the cord with its bar."""
    walking = [_measured(rhythm(cord(seed=seed), 0.12)) for seed in SEEDS]
    frequency, duty = (float(np.mean([getattr(c, name) for c in walking])) for name in ("frequency_hz", "duty"))
    yield _bar("drive 0.12: frequency", "3.16 Hz +-5 %", f"{frequency:.2f} Hz", abs(frequency / 3.16 - 1) <= 0.05)
    yield _bar("drive 0.12: duty", "0.669 +-0.03", f"{duty:.3f}", abs(duty - 0.669) <= 0.03)
    for drive, hz, gait in GAITS:
        yield _gait_bar(f"drive {drive}", rhythm(cord(), drive), hz, gait)
    yield from _lesion_bars()
    for pool, r in emg_correlations(spinal.brain(), 0.12).items():
        yield _bar(f"drive 0.12: EMG of the {pool.replace('-', ' ')}, fitted", "r of 0.6 or more", f"{r:.2f}", r >= 0.6)
    yield _same_bar()
    yield from _spiking_bars()
    factor = real_time_factor(cord())
    yield _bar("56 populations, one core, dt 0.1 ms", "at least 37x real time", f"{factor:.0f}x", factor >= 37)
    whole = spinal.brain()
    factor = real_time_factor(whole)
    yield _bar(f"all {whole.n} nodes, one core, dt 0.1 ms", "at least 20x real time", f"{factor:.0f}x", factor >= 20)


# drive, Hz and gait of the published model, as measured of an independent implementation of it
GAITS = (
    (0.05, 2.19, "walk"),
    (0.12, 3.16, "walk"),
    (0.2, 4.16, "trot"),
    (0.4, 5.35, "trot"),
    (0.6, 6.9, "trot"),
    (0.8, 8.9, "trot"),
    (0.9, 10.05, "gallop"),
    (1.0, 10.7, "bound"),
    (1.05, 11.0, "bound"),
)
TROTTING = (0.2, 0.4, 0.6, 0.8)  # drives at which the intact cord trots


def _lesion_bars() -> Iterator[Bar]:
    gaits = [_measured(rhythm(cord(("V0V*",)), drive)).gait for drive in TROTTING]
    yield _bar("without V0V, drives 0.2 to 0.8", "no trot", ", ".join(gaits), "trot" not in gaits)
    both = [_measured(rhythm(cord(("V0V*", "V0D*")), drive)) for drive in (0.05, 0.12, *TROTTING)]
    apart = max(min(c.phases[0], 1.0 - c.phases[0]) for c in both)
    yield _bar(
        "without V0V and V0D, drives 0.05 to 0.8", "left and right together", f"apart {apart:.3f}", apart < 0.025
    )
    for lost, bar, least, most in (((), "most gallop", 6, 8), (("V3",), "none gallops", 0, 0)):
        gallops = sum(_measured(rhythm(cord(lost, seed), 0.9, 4.0, 1.0)).gait == "gallop" for seed in range(8))
        what = f"drive 0.9, 8 starts, {'without V3' if lost else 'intact'}"
        yield _bar(what, bar, f"{gallops} of 8 gallop", least <= gallops <= most)
    slowest = [_measured(rhythm(cord(("V0D*",)), drive)).frequency_hz for drive in (0.02, 0.05)]
    yield _bar("without V0D, drives 0.02 and 0.05", "above 3 Hz", f"{min(slowest):.2f} Hz", min(slowest) > 3.0)
    trot = [_measured(rhythm(cord(("V0D*",)), drive)).gait for drive in TROTTING]
    yield _bar("without V0D, drives 0.2 to 0.8", "trot kept", ", ".join(trot), set(trot) == {"trot"})


def _spiking_bars(cells: int = 50) -> Iterator[Bar]:
    wiring = spinal.connectome().ablate(OTHERS)
    for seed in SEEDS:
        found = _measured(rhythm(spinal.brain(wiring, seed, cells=cells), 0.12))
        met = abs(found.frequency_hz / 3.16 - 1) <= 0.05 and 0.4 < found.phases[0] < 0.6
        bar = "3.16 Hz +-5 %, left and right alternate"
        yield _bar(f"{cells} spiking cells a population, drive 0.12, seed {seed}", bar, _text(found), met)
    factor = real_time_factor(spinal.brain(wiring, cells=cells), 0.2, 5)
    yield _bar(f"{cells} spiking cells a population, one core", "at least 1x real time", f"{factor:.1f}x", factor >= 1)


def _same_bar() -> Bar:
    ends = []
    for _ in range(2):
        brain = cord(seed=7)
        brain.step(spinal.command(brain.names, 0.12), 2.0)
        ends.append(brain.state["voltage"])
    same = bool((ends[0] == ends[1]).all())
    return _bar("one seed, two runs of 2 s", "the same bit for bit", "the same" if same else "not the same", same)


def real_time_factor(brain: PopulationBrain, seconds: float = 1.0, repeats: int = 9) -> float:
    """Simulated over processor time in control steps of 10 ms, best of `repeats`."""
    times = []
    drive = spinal.command(brain.names, 0.12)
    brain.step(drive, 0.1)
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(round(seconds / 0.01)):
            brain.step(drive, 0.01)
        times.append(time.process_time() - start)
    return seconds / min(times)


def _gait_bar(what: str, found: Coordination | None, hz: float, gait: str) -> Bar:
    close = found is not None and abs(found.frequency_hz / hz - 1) <= 0.05
    met = close and found is not None and found.gait == gait
    return _bar(what, f"{gait}, {hz} Hz +-5 %", "no rhythm" if found is None else _text(found), met)


def _text(found: Coordination) -> str:
    phases = ", ".join(f"{phase:.2f}" for phase in found.phases)
    return f"{found.gait}, {found.frequency_hz:.2f} Hz, duty {found.duty:.3f}, RH LF RF at {phases}"


def _measured(found: Coordination | None) -> Coordination:
    if found is None:
        raise RuntimeError("bench mouse-spinal: a limb stopped stepping")
    return found


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=f"mouse cord, {what}", bar=bar, measured=measured, met=met, command=COMMAND)
