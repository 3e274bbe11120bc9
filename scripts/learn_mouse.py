"""Learn what the mouse's pools must do on the ground, by walking: a foot that carries too little reaches further.

Usage: python -m animat.scripts.learn_mouse --write (two minutes)

The pattern of `mouse_pattern` follows a path of the feet, but a millimetre decides which foot carries the mouse. So it
walks, free, on its own cord, and after each episode the path of hind and fore feet changes a little at every phase of
the step: the limb grows where its foot carried less than its share and shrinks where it carried more or dragged in
swing (iterative learning; Arimoto, Kawamura & Miyazaki 1984 J. Robot. Syst. 1:123). Other deviations of the joints from
the wanted angles are made up for in part. Nothing of this acts while the animal lives: what remains are the synapses
onto the pools. Episodes are of the training seeds 0 to 4; `--write` puts the result into the tables of organisms/mouse.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from ..bodies.body import Floats
from ..bodies.mouse import MouseBody
from ..bodies.mouse_tables import LEGS
from ..envs.organism_env import OrganismEnv
from ..envs.recorder import Recording, run_episode
from ..organisms.mouse import build, spinal
from ..organisms.organism import Organism
from .mouse_pattern import DUTY, LIMBS, PHASES, Stride, body, early, joint_angles, patterned

SEEDS = (0, 1, 2, 3, 4)
SECONDS, SETTLE_S = 3.0, 0.8  # s, of an episode, and of its start that teaches nothing
LEAST_S = 2.0  # s, an episode that ended before teaches nothing
WEIGHT_MN = 245.0  # mN, of a mouse of 25 g
HIND_SHARE = 0.52  # of it that the hind limbs shall carry; assumed
SMOOTH = 9  # samples of 2 ms that loads are averaged over
LOST_MN, REACH_MM, TURN_RAD = 90.0, 4.0, 0.4  # largest error that counts, and largest changes of length and angle
EARLY_S = 0.015  # s, by which a change comes before the error it makes up for
LENGTHENING = {  # rad of each joint by which the limb grows 1 mm, derived from the body in mid-stance
    "H": np.array([0.02, 0.068, 0.045]),
    "F": np.array([0.09, 0.135, -0.02]),
}
PHASE = np.arange(PHASES) / PHASES
SHAPE = np.clip((PHASE - (1 - DUTY)) / 0.1, 0, 1) * np.clip((1 - PHASE) / 0.12, 0, 1)  # of a foot's load; assumed
PLAN = (  # (episodes, drives in turn, mm of length a mN, share of the other deviations)
    (4, (0.12,), 0.003, 0.15),
    (10, (0.12,), 0.0015, 0.1),
    (10, (0.12, 0.16), 0.001, 0.05),
)


def cached_body(medium: str = "air") -> MouseBody:
    """The body on a level floor, built once for all episodes."""
    return body()


def organism(populations: pd.DataFrame, synapses: pd.DataFrame) -> Organism:
    """The mouse with other tables of its cord."""
    wiring = spinal.assembled(populations, synapses)
    return replace(
        build().for_task("walk"),
        connectome=wiring,
        reference=wiring,
        dynamics=spinal.dynamics(populations),
        body=cached_body,
    )


def over_a_step(recording: Recording, pair: str) -> tuple[Floats, Floats]:
    """Load of a foot, mN, (PHASES,), and joint angles from standing, rad, (PHASES, 3): means of both sides.

    Swing and stance of the limb's rhythm are stretched to those of the pattern's step.
    """
    series, names = recording.series, recording.episode["names"]["neurons"]
    first = round(SETTLE_S / float(series["time_s"][0]))
    model, loads, angles = body().model, [], []
    for leg in (f"{side}{pair}" for side in "LR"):
        active = series["release"][:, names.index(f"RG-F_{leg}")] > 0.1
        starts = np.flatnonzero(np.diff(active.astype(np.int8)) > 0) + 1
        load = np.convolve(series["contacts_un"][:, LEGS.index(leg)] / 1e3, np.ones(SMOOTH) / SMOOTH, "same")
        at = [int(model.joint(f"{leg}_{joint}").qposadr[0]) for joint in LIMBS[pair][1]]
        columns = np.column_stack([load, series["qpos"][:, at] - model.qpos0[at]])
        for a, b in pairwise(starts[starts >= first].tolist()):
            swing = float(active[a:b].mean())
            share = np.interp(PHASE, [0, 1 - DUTY, 1], [0, swing, 1])
            step = np.array([np.interp(a + share * (b - a), np.arange(len(columns)), c) for c in columns.T])
            loads.append(step[0])
            angles.append(step[1:].T)
    return np.mean(loads, axis=0), np.mean(angles, axis=0)


class Learner:
    """The changes of every limb's path that episodes have taught so far.

    Attributes:
        turns: change of the angles, rad, by pair of limbs, (PHASES, 3).
    """

    def __init__(self, stride: Stride) -> None:
        self.stride = stride
        self.wanted = {pair: joint_angles(stride, pair) for pair in LIMBS}
        self._length = {pair: np.zeros(PHASES) for pair in LIMBS}
        self._others = {pair: np.zeros((PHASES, 3)) for pair in LIMBS}

    @property
    def turns(self) -> dict[str, Floats]:
        """Change of the angles so far."""
        return {p: self._length[p][:, None] * LENGTHENING[p] + self._others[p] for p in LIMBS}

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Populations and synapses of the cord with what was learned."""
        return patterned(self.stride, {pair: self.wanted[pair] + turn for pair, turn in self.turns.items()})

    def learn(self, recording: Recording, mm_per_mn: float, share: float) -> None:
        """Change the paths by what went wrong in an episode."""
        if recording.series["time_s"][-1] < LEAST_S:
            return
        for pair in LIMBS:
            load, angles = over_a_step(recording, pair)
            carried = HIND_SHARE if pair == "H" else 1 - HIND_SHARE
            missing = (SHAPE / SHAPE.mean() * WEIGHT_MN * carried / 2 - load).clip(-LOST_MN, LOST_MN)
            length = self._length[pair] + mm_per_mn * smooth(early(missing, EARLY_S))
            self._length[pair] = length.clip(-REACH_MM, REACH_MM)
            off = np.array([smooth(early(error, EARLY_S)) for error in (self.wanted[pair] - angles).T]).T
            along = LENGTHENING[pair] / np.linalg.norm(LENGTHENING[pair])
            self._others[pair] += share * (off - np.outer(off @ along, along))
            self._others[pair] = self._others[pair].clip(-TURN_RAD, TURN_RAD)


def smooth(cycle: Floats) -> Floats:
    """A cycle averaged with its neighbours, twice."""
    for _ in range(2):
        cycle = (np.roll(cycle, 1) + 2 * cycle + np.roll(cycle, -1)) / 4
    return cycle


def learned(stride: Stride) -> Learner:
    """Run the plan."""
    learner, number = Learner(stride), 0
    for episodes, drives, mm_per_mn, share in PLAN:
        for k in range(episodes):
            drive, seed = drives[k % len(drives)], SEEDS[number % len(SEEDS)]
            env = OrganismEnv(organism(*learner.tables()), "walk", drive={"command": drive}, duration_s=SECONDS)
            recording = run_episode(env, seed=seed)
            learner.learn(recording, mm_per_mn, share)
            number += 1
            measures = recording.measures
            text = f"{recording.series['time_s'][-1]:.1f} s at {measures['speed_mm_s']:.0f} mm/s"
            print(
                f"episode {number}, drive {drive}, seed {seed}: {text}, tilt {measures['tilt_deg']:.1f} deg", flush=True
            )
    return learner


def write(populations: pd.DataFrame, synapses: pd.DataFrame, folder: Path = spinal.DATA) -> None:
    """Put tables in the place of the shipped ones."""
    for name, rows in (("spinal_populations", populations), ("spinal_synapses", synapses)):
        path = folder / f"{name}.csv"
        rows.to_csv(path.with_suffix(".tmp"), index=False, lineterminator="\n")
        path.with_suffix(".tmp").replace(path)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="replace the tables of organisms/mouse")
    options = parser.parse_args()
    tables = learned(Stride()).tables()
    if options.write:
        write(*tables)


if __name__ == "__main__":
    main()
