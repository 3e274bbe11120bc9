"""The mouse's visual cortex beside its bars: rates, tuning, size and speed; on seeds and radii it was not fitted on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..organisms.mouse.v1 import V1
from ..organisms.mouse.v1_tables import DATA, tables
from ..organisms.mouse.v1_validation import POOLS, grating, grating_counts, selectivity, spontaneous
from .bench import Bar

COMMAND = "animat bench mouse-v1"
HELD_OUT = (5, 6, 7)  # seeds; the background was fitted on seed 11 and a radius of 70 um
RADIUS_UM = 100.0  # 4,159 cells
GREY_S = 10.0  # s of spontaneous activity
GRATING_S = 2.0  # s of each direction
REPEATS = 3
WIDE_UM = 200.0  # 16,640 cells
WHOLE_UM = 550.0  # 125,824 cells


def v1_bars() -> Iterator[Bar]:
    """Every figure of the visual cortex with its bar."""
    columns = [V1(RADIUS_UM, np.random.default_rng(seed), ("L",)) for seed in HELD_OUT]
    yield from rate_bars(columns)
    yield tuning_bar(columns[1])
    seconds = wall(columns[0])
    yield _bar(
        "4,159 cells of one side with vision at 50 Hz, one core", "at least 1x real time", _speed(seconds), seconds <= 1
    )
    both = wall(V1(RADIUS_UM / np.sqrt(2.0), np.random.default_rng(0)))
    yield _bar("the same number on two sides with two eyes", "at least 1x real time", _speed(both), both <= 1)
    columns.clear()
    wide = V1(WIDE_UM, np.random.default_rng(0), ("L",))
    seconds = wall(wide)
    text = f"{_speed(seconds)} at a mean of {_mean_rate(wide):.2f} Hz"
    yield _bar(
        "16,640 cells in closed loop with vision at 50 Hz, one core", "at least 1x real time", text, seconds <= 1
    )
    del wide
    yield whole_bar()


def rate_bars(columns: list[V1]) -> Iterator[Bar]:
    """Median spontaneous rates of E, PV, SST and VIP cells, all together and by layer, over the held-out columns."""
    found = [spontaneous(v1, seed, GREY_S) for v1, seed in zip(columns, HELD_OUT, strict=True)]
    mean = pd.concat(found).groupby(level=0)[["model_hz", "measured_hz"]].mean()
    ratio = mean["model_hz"] / mean["measured_hz"]
    for pool in POOLS:
        row = mean.loc[f"all {pool}"]
        text = f"{row['model_hz']:.2f} Hz, recorded {row['measured_hz']:.2f} Hz"
        yield _bar(
            f"median spontaneous rate of all {pool} cells", "within a factor 2", text, _near(ratio[f"all {pool}"])
        )
    own = ratio[list(tables().names)]
    worst = str(own.apply(lambda r: max(r, 1 / max(r, 1e-9))).idxmax())
    text = f"{own.map(_near).sum()} of {len(own)}; farthest {worst} {own[worst]:.2f} times"
    yield _bar(
        "types whose median rate is within a factor 2 of the recorded one", "all 19", text, bool(own.map(_near).all())
    )


def tuning_bar(v1: V1) -> Bar:
    """Orientation selectivity of excitatory cells against PV cells; seed 5 helped to choose the setting, 6 did not."""
    counts = grating_counts(v1, 100, GRATING_S)
    tuning, known = selectivity(v1, counts, GRATING_S), tables()
    recorded = pd.read_csv(DATA / "v1_neuropixels.csv").set_index("neuropixels")["osi"].to_dict()
    parts, met = [], True
    for layer, excitatory in (("L2/3", "L2/3_Exc"), ("L4", "L4_Exc"), ("L5", "L5_IT"), ("L6", "L6_Exc")):
        e, pv = known.names.index(excitatory), known.names.index(f"{layer}_PV")
        met &= bool(tuning.osi[e] > tuning.osi[pv] and tuning.along[e] > tuning.along[pv])
        seen = f"recorded {recorded[f'{layer} Exc']:.2f} and {recorded[f'{layer} PV']:.2f}"
        along = f"along the wired one {tuning.along[e]:+.3f} and {tuning.along[pv]:+.3f}"
        parts.append(f"{layer} {tuning.osi[e]:.3f} and {tuning.osi[pv]:.3f} ({seen}; {along})")
    return _bar("median orientation selectivity of E and PV cells", "E above PV in every layer", "; ".join(parts), met)


def whole_bar() -> Bar:
    """A column as wide as published ones: built, and run for a moment."""
    started = time.perf_counter()
    v1 = V1(WHOLE_UM, np.random.default_rng(0), ("L",))
    built = time.perf_counter() - started
    seconds = wall(v1, 0.2)
    text = f"{built:.0f} s, {v1.connectome.edges / 1e6:.1f} M connections; runs at {_speed(seconds)}"
    return _bar("building 125,824 cells", "under 60 s", text, built < 60 and _mean_rate(v1) > 0)


def wall(v1: V1, duration_s: float = 1.0) -> float:
    """Wall seconds for a second of seeing drifting gratings frame by frame, best of `REPEATS`."""
    frame, eyes = v1.settings.frame_s, len(v1.sides)
    images = [np.stack([grating(v1.settings.view, 0.0, k * frame)] * eyes) for k in range(round(duration_s / frame))]
    times = []
    for _ in range(REPEATS + 1):  # the first compiles
        v1.reset(0)
        started = time.perf_counter()
        for image in images:
            v1.step(image, frame)
        times.append((time.perf_counter() - started) / duration_s)
    return min(times[1:])


def _mean_rate(v1: V1) -> float:
    """Hz of all cortical cells, in a grey field."""
    view = v1.settings.view
    v1.reset(0)
    spikes = v1.step(np.full((len(v1.sides), view.height_px, view.width_px), 0.5), 0.4).spikes
    return float(spikes[v1.lgn_rows.size :].mean() / 0.4)


def _near(ratio: float) -> bool:
    return 0.5 <= ratio <= 2.0


def _speed(seconds: float) -> str:
    return f"{seconds:.2f} s a second, {1 / seconds:.2f}x real time"


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)
