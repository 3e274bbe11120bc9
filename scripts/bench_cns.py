"""The whole central nervous system of the fly at its size: a synthetic one in MaleCNS's files, compiled and stepped.

Run it with `python -m animat.scripts.bench_cns`; with a folder as argument the files are kept there (0.5 GB) and used
again. What is measured runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..brains.compact import CompactConnectome
from .bench import Bar

COMMAND = "python -m animat.scripts.bench_cns"
DRIVEN = 300  # sensory neurons
RATE_HZ = 50.0  # mean rate of the driven neurons
CELLS = {"sensory": 20, "motor": 4, "inter": 1}  # of a group on one side; assumed
SYNC_S = 0.010  # s, how often senses and muscles are exchanged
SECONDS = 2.0  # s of biological time measured
REPEATS = 5  # the best one counts
MV_PER_SYNAPSE = 0.188  # mV, what MaleCNS's counts need for the published rate of MN9 (documentation of flyconn 0.4.0)


def cns_bars(folder: Path | None = None) -> Iterator[Bar]:
    """Every figure of the whole nervous system with its bar.

    Args:
        folder: where the files go and stay; None for a temporary one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        base = folder or Path(temporary)
        ensure(base)
        _measured_apart(base)  # the first process may compile code, once on a machine
        found = _measured_apart(base)
    size = f"{found['neurons']:,} neurons, {found['edges'] / 1e6:.2f} M edges"
    yield _bar(
        f"files to a running brain: {size}", "at most 60 s", f"{found['compile_s']:.1f} s", found["compile_s"] <= 60
    )
    peak = found["peak_bytes"] / 1e6
    yield _bar("peak memory of the process", "at most 1000 MB", f"{peak:.0f} MB", peak <= 1000)
    wall, brain = found["loop_s"], found["brain_s"]
    text = f"{wall:.3f} s a second ({1 / wall:.1f}x real time), {found['spikes_s']:,.0f} spikes a second"
    yield _bar(f"stepped every 10 ms, {DRIVEN} sensory neurons driven", "at most 1 s a second", text, wall <= 1)
    yield _bar("the brain's share of real time", "under a third", f"{brain:.3f}", brain < 1 / 3)
    wall, share = found["body_s"], found["body_brain_s"] / found["body_s"]
    text = f"{wall:.3f} s a second ({1 / wall:.1f}x real time), {found['body_spikes_s']:,.0f} spikes a second"
    yield _bar("the same in the fly's body, exchanged every 5 ms", "at least 1x real time", text, wall <= 1)
    yield _bar("the brain's share of the wall time there", "under a third", f"{share:.2f}", share < 1 / 3)


def ensure(base: Path) -> None:
    """Write the files if they are not there."""
    from ..organisms.datasets.registry import dataset
    from ..organisms.datasets.store import missing
    from ..organisms.datasets.synthetic import write_cns

    if missing(dataset("malecns"), base / "malecns"):
        write_cns(base / "malecns", np.random.default_rng(0))


def measure(base: Path) -> dict[str, Any]:
    """Compile and step in this process."""
    from ..brains.spiking_brain import SpikingBrain
    from ..organisms.datasets.convert import connectome

    started = time.perf_counter()
    whole = connectome("malecns", base=base, keep=False)
    brain = SpikingBrain(whole.network(MV_PER_SYNAPSE), threads=1)
    compiled = time.perf_counter() - started
    ends = whole.where(role="sensory"), whole.where(role="motor")
    found = min((closed_loop(brain, *ends) for _ in range(REPEATS)), key=lambda run: run["loop_s"])
    found |= {"compile_s": compiled, "neurons": whole.n, "edges": whole.edges}
    del brain
    return found | embodied(whole) | {"peak_bytes": peak_bytes()}


def embodied(whole: CompactConnectome) -> dict[str, float]:
    """Wall seconds a biological second of a fly with this brain, and of the brain in it."""
    from ..envs.organism_env import OrganismEnv
    from ..organisms.fly.whole import whole_fly

    env = OrganismEnv(whole_fly(with_groups(whole)), "walk", drive={"DNg100": 100.0}, duration_s=100.0)
    env.reset(seed=0)
    still, inside, spikes = np.zeros(env.action_space.shape or (0,), np.float32), [0.0], [0]
    step = env.brain.brain.step  # type: ignore[union-attr]

    def timed(drive: Any, duration_s: float) -> Any:
        before = time.perf_counter()
        activity = step(drive, duration_s)
        inside[0] += time.perf_counter() - before
        spikes[0] += activity.neurons.size
        return activity

    env.brain.brain.step = timed  # type: ignore[union-attr]
    for _ in range(20):
        env.step(still)  # whatever is compiled is compiled now
    inside[0], spikes[0], started = 0.0, 0, time.perf_counter()
    for _ in range(round(SECONDS / env.control_s)):
        env.step(still)
    wall = time.perf_counter() - started
    return {"body_s": wall / SECONDS, "body_brain_s": inside[0] / SECONDS, "body_spikes_s": spikes[0] / SECONDS}


def with_groups(whole: CompactConnectome) -> CompactConnectome:
    """The same wiring with the types that the fly's body needs, given to cells of the right role by chance."""
    from ..organisms.fly.wiring import table

    rng = np.random.default_rng(2)
    neurons = whole.neurons.copy()
    for name in ("type", "side", "superclass", "subclass", "entryNerve"):
        neurons[name] = neurons[name].astype(str)
    left = {role: rng.permutation(whole.where(role=role)).tolist() for role in ("sensory", "motor", "inter")}
    for row in table("whole_groups").to_dict("records"):
        for side in "LR":
            for _ in range(CELLS[row["role"]]):
                cell = left[row["role"]].pop()
                neurons.loc[cell, ["type", "side"]] = row["types"].split(";")[0].replace("*", ""), side
                neurons.loc[cell, ["superclass", "subclass"]] = row["superclass"], row["subclass"]
                neurons.loc[cell, "entryNerve"] = (row["entry_nerves"].split() or [""])[0]
    return replace(whole, neurons=neurons)


def peak_bytes() -> int:
    """Most memory this process had at once; `ru_maxrss` would begin at that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def closed_loop(brain: Any, sensory: np.ndarray, motor: np.ndarray) -> dict[str, float]:
    """Wall seconds a biological second: rates of the senses in, spikes of the motor neurons out, every `SYNC_S`."""
    rng = np.random.default_rng(1)
    driven = np.sort(rng.choice(sensory, min(DRIVEN, sensory.size), replace=False))
    rates = rng.uniform(0.0, 2 * RATE_HZ, driven.size)
    spikes, inside = 0, 0.0
    brain.reset()
    brain.poisson(driven, rates)
    brain.step(None, SYNC_S)  # whatever is compiled is compiled now
    started = time.perf_counter()
    for _ in range(round(SECONDS / SYNC_S)):
        before = time.perf_counter()
        brain.poisson(driven, rates)
        activity = brain.step(None, SYNC_S)
        inside += time.perf_counter() - before
        spikes += activity.neurons.size
        commanded = activity.spikes[motor].mean()
        rates = np.clip(rates + rng.normal(0.0, 2.0, driven.size) - commanded, 0.0, 2 * RATE_HZ)
    wall = time.perf_counter() - started
    return {"loop_s": wall / SECONDS, "brain_s": inside / SECONDS, "spikes_s": spikes / SECONDS}


def _measured_apart(base: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "animat.scripts.bench_cns", "--measure", str(base)], check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bar(what: str, bar: str, measured: str, met: bool) -> Bar:
    return Bar(what=what, bar=bar, measured=measured, met=met, command=COMMAND)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        for line in cns_bars(Path(sys.argv[1]) if sys.argv[1:] else None):
            print(f"{'met   ' if line.met else 'MISSED'}  {line.what}: {line.measured} (bar: {line.bar})", flush=True)
