"""What the mouse's motor pools must do over a step, and the synapses onto them that come nearest to it.

A foot's path over a step is turned into joint angles by inverse kinematics, for a hind limb those nearest to the mean
cycle of real mice; the angles into activations of antagonists that hold them; and these into synaptic weights from the
cord's populations, whose activity over a step is recorded without a body at the walking drive. Nothing of it acts while
the animal lives: what remains are rows of `organisms/mouse/data/spinal_synapses.csv` and constant drives of the pools.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from ..bodies.body import Floats
from ..bodies.mouse import MouseBody, mouse
from ..bodies.mouse_tables import table as body_table
from ..brains.models.population import Population
from ..brains.population import population_network
from ..brains.population_brain import PopulationBrain
from ..organisms.mouse import MUSCLE_GAIN, STEP_MS, spinal

PHASES = 48  # points of a step, from the start of the flexor burst
DRIVE = 0.12  # alpha at which the pattern is fitted: the walking drive
PERIOD_S, DUTY = 0.316, 0.67  # of the cord at that drive, and of the mice
EXCITING = ("PF-F", "PF-Sw", "PF-T", "PF-Y", "PF-E", "PF-St", "PF-L")
INHIBITING = ("In-F", "In-Sw", "In-E", "In-L")
LIMBS = {
    "H": ("LH", ("hip", "knee", "ankle"), "hip_abduction"),
    "F": ("LF", ("shoulder", "elbow", "wrist"), "shoulder_abduction"),
}
REST_MV = -52.5  # mV, leak reversal of the motor pools, as in spinal_populations.csv
CELL = Population()  # what all pools share
SPAN_MV, LEAK = CELL.v_full_mv - CELL.v_threshold_mv, CELL.g_leak_ns / CELL.g_syn_ns
STANDS = np.clip((np.arange(PHASES) / PHASES - (1 - DUTY)) / 0.06, 0, 1) * np.clip(
    (1 - np.arange(PHASES) / PHASES) / 0.06, 0, 1
)  # how far a limb stands, from 0 to 1 and back within 6 % of the step; assumed
LARGEST = 2.0  # weight of a synapse at most
LEAST = 0.005  # weight below which a synapse is left out
RIDGE = 0.01  # of the weights against activation, so that the fit has one answer
TIGHT_MM, LOOSE_MM = 0.3, 1.0  # how near the path is followed: height of a standing foot, and all else
ANGLE_RAD = {"H": np.array([0.15, 0.15, 0.15]), "F": np.array([0.6, 0.6, 0.24])}  # how near the preferred angles


@dataclass(frozen=True, kw_only=True)
class Stride:
    """Path of the feet at the walking drive, and how the muscles hold it; every number was searched or assumed."""

    sweep_hind_mm: float = 28.0  # mm, that a standing foot moves back
    sweep_fore_mm: float = 26.0  # mm
    lift_hind_mm: float = 5.5  # mm, height of the swing
    lift_fore_mm: float = 5.5  # mm
    behind_hind_mm: float = 2.4  # mm, middle of the path behind the standing foot
    behind_fore_mm: float = 2.4  # mm
    raised_hind_mm: float = -1.0  # mm, of the trunk over its height in the tables' pose
    raised_fore_mm: float = -1.0  # mm
    lead_s: float = 0.012  # s, by which the activations come before the angles, against the lag of the muscles
    stiffening: float = 0.45  # activation of both antagonists at a joint's standing angle
    carrying: float = 1.0  # of the standing tone's torque that is added in stance
    push: float = 0.15  # activation of the toe flexors added in stance

    def path(self, pair: str) -> Floats:
        """Displacement of a foot from its standing place, mm, ahead and up, (PHASES, 2)."""
        sweep, lift, behind, raised = (
            getattr(self, f"{name}_{'hind' if pair == 'H' else 'fore'}_mm")
            for name in ("sweep", "lift", "behind", "raised")
        )
        phase, swing = np.arange(PHASES) / PHASES, 1 - DUTY
        forward = np.clip(phase / swing, 0, 1)
        ahead = np.where(phase < swing, -0.5 * np.cos(np.pi * forward), 0.5 - (phase - swing) / DUTY)
        up = np.where(phase < swing, lift * np.sin(np.pi * forward), 0.0)
        return np.stack([sweep * ahead - behind, up - raised], axis=1)


@cache
def body() -> MouseBody:
    """The body that the pattern is for."""
    return mouse()


@cache
def measured_angles() -> Floats:
    """Hip, knee and ankle of real mice over a step, from the mean, rad, (PHASES, 3)."""
    rows = spinal.table("hindlimb_angles")[["hip_deg", "knee_deg", "ankle_deg"]].to_numpy(np.float64)
    bins, phase = (np.arange(-1, 21) + 0.5) / 20, np.arange(PHASES) / PHASES
    cycle = np.radians(np.stack([np.interp(phase, bins, np.r_[c[-1], c, c[0]]) for c in rows.T], axis=1))
    offset = np.array([body().model.joint(f"LH_{joint}").qpos0[0] for joint in LIMBS["H"][1]])
    angles: Floats = cycle - offset
    return angles


def joint_angles(stride: Stride, pair: str) -> Floats:
    """Angles from standing that lead the ball of a foot along its path, rad, (PHASES, 3), damped least squares."""
    import mujoco

    model, data = body().model, body().new_data()
    leg, names, _ = LIMBS[pair]
    joints = [model.joint(f"{leg}_{name}") for name in names]
    at, columns = [int(j.qposadr[0]) for j in joints], [int(j.dofadr[0]) for j in joints]
    low, high = np.array([j.range for j in joints]).T + np.array([[0.05], [-0.05]]) - model.qpos0[at]
    preferred, path = _preferred(stride, pair), stride.path(pair)
    site, jacobian = model.site(f"{leg}_ball").id, np.zeros((3, model.nv))
    mujoco.mj_forward(model, data)
    start, found = data.site_xpos[site, [0, 2]].copy(), np.zeros((PHASES, 3))
    angles = preferred[0].copy()
    for k in (*range(PHASES - 8, PHASES), *range(PHASES)):
        near = np.array([LOOSE_MM, TIGHT_MM if k / PHASES >= 1 - DUTY else LOOSE_MM])
        for _ in range(4):
            data.qpos[at] = model.qpos0[at] + angles
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_jacSite(model, data, jacobian, None, site)
            mine = jacobian[np.ix_([0, 2], columns)] / near[:, None]
            miss = (start + path[k] - data.site_xpos[site, [0, 2]]) / near
            pull = np.diag(ANGLE_RAD[pair] ** -2)
            step = np.linalg.solve(mine.T @ mine + pull, mine.T @ miss + pull @ (preferred[k] - angles))
            angles = np.clip(angles + np.clip(step, -0.3, 0.3), low, high)
        found[k] = angles
    return found


def _preferred(stride: Stride, pair: str) -> Floats:
    """Angles to stay near: those of real mice, stretched as their sweep of 22 mm is; of a fore limb, standing."""
    if pair == "F":
        return np.zeros((PHASES, 3))
    mean = measured_angles().mean(axis=0)
    stretched: Floats = mean + (measured_angles() - mean) * stride.sweep_hind_mm / 22.0
    return stretched


@dataclass(frozen=True, eq=False, kw_only=True)
class Joint:
    """A joint over a step and its two antagonists, (PHASES,) each.

    Antagonists of torque a F (1 - 2 x) and b G (1 + 2 x) at the angle x, rad, balance there if a F : b G is as
    1 + 2 x to 1 - 2 x.
    """

    muscles: tuple[str, str]  # that raises and that lowers the angle, without the leg
    wanted: tuple[Floats, Floats]  # activations
    torques: tuple[Floats, Floats]  # of each at full activation at the wanted angle, N mm


def held(stride: Stride, pair: str, angles: Floats) -> Iterator[Joint]:
    """Every joint of a limb that two antagonists hold at the angles from standing, (PHASES, 3), the toes aside."""
    leg, names, spread = LIMBS[pair]
    tone = dict(zip(body().effectors, body().tone.tolist(), strict=True))
    for joint, angle in zip((*names, spread), np.hstack([angles, np.zeros((PHASES, 1))]).T, strict=True):
        rows = {row["sign"]: row for row in body_table("muscles") if row["joint"] == joint}
        muscles = rows["1"]["muscle"], rows["-1"]["muscle"]
        raising, lowering = (float(rows[sign]["strength_N_mm"]) for sign in ("1", "-1"))
        carrying = (tone[f"{leg}_{muscles[0]}"] * raising - tone[f"{leg}_{muscles[1]}"] * lowering) * STANDS
        torque, x = stride.stiffening * np.sqrt(raising * lowering), early(angle, stride.lead_s)
        extra = early(stride.carrying * carrying / 2, stride.lead_s)
        wanted = (torque * (1 + 2 * x) + extra) / raising, (torque * (1 - 2 * x) - extra) / lowering
        torques = raising * (1 - 2 * x).clip(0.1), lowering * (1 + 2 * x).clip(0.1)
        yield Joint(muscles=muscles, wanted=(wanted[0].clip(0, 1), wanted[1].clip(0, 1)), torques=torques)


def early(cycle: Floats, lead_s: float) -> Floats:
    """A cycle by some time earlier."""
    phase = np.arange(PHASES) / PHASES
    shifted: Floats = np.interp((phase + lead_s / PERIOD_S) % 1, np.append(phase, 1), np.append(cycle, cycle[0]))
    return shifted


@cache
def activity() -> dict[str, Floats]:
    """Output of the exciting, then the inhibiting populations over a step, by pair of limbs, (PHASES, populations)."""
    network = population_network(spinal.connectome(), spinal.dynamics(), STEP_MS)
    brain, names = PopulationBrain(network, 0), (*EXCITING, *INHIBITING)
    drive = spinal.command(brain.names, DRIVE)
    brain.step(drive, 4.0)
    out = np.array([brain.step(drive, 0.001).release for _ in range(3000)])
    found = {}
    for pair, (leg, _, _) in LIMBS.items():
        active = out[:, brain.names.index(f"RG-F_{leg}")] > 0.1
        starts = np.flatnonzero(np.diff(active.astype(np.int8)) > 0) + 1
        columns = out[:, [brain.names.index(f"{name}_{leg}") for name in names]]
        steps = [a + np.arange(PHASES) / PHASES * (b - a) for a, b in pairwise(starts.tolist())]
        found[pair] = np.mean(
            [[np.interp(step, np.arange(len(out)), column) for column in columns.T] for step in steps], axis=0
        ).T
    return found


def weights(wanted: Floats, sources: Floats) -> Floats:
    """Weights of the exciting populations, a constant drive and the inhibiting populations, all 0 or more.

    At a given voltage a pool's balance of currents is linear in the weights, so that these are found by non-negative
    least squares; each moment counts by how much its voltage then moves. Less than nothing and more than all do no
    harm.
    """
    n, volts = len(EXCITING), SPAN_MV * wanted.clip(0, 1) / MUSCLE_GAIN + CELL.v_threshold_mv
    push, pull = (CELL.e_excite_mv - volts)[:, None], (volts - CELL.e_inhibit_mv)[:, None]
    rows = np.hstack([sources[:, :n] * push, push, -sources[:, n:] * pull])
    found, loads, counts = np.zeros(rows.shape[1]), np.full(len(wanted), 2 * LEAK), np.ones(len(wanted))
    for _ in range(4):
        scale = counts / loads
        system = np.vstack([rows * scale[:, None], RIDGE * np.ptp(volts).clip(5) * np.eye(rows.shape[1])])
        found = nnls(system, np.append(LEAK * (volts - REST_MV) * scale, np.zeros(rows.shape[1])))[0].clip(0, LARGEST)
        settled, loads = _settled(found, sources)
        silent = (wanted <= 0.02) & (settled <= CELL.v_threshold_mv)
        counts = np.where(silent | ((wanted >= 0.98) & (settled >= volts)), 0.1, 1.0)
    return np.where(found < LEAST, 0.0, found)


def _settled(found: Floats, sources: Floats) -> tuple[Floats, Floats]:
    """Voltage of a pool, mV, and its conductance in units of 10 nS, (PHASES,)."""
    n = len(EXCITING)
    excited, inhibited = sources[:, :n] @ found[:n] + found[n], sources[:, n:] @ found[n + 1 :]
    loads = LEAK + excited + inhibited
    return (LEAK * REST_MV + excited * CELL.e_excite_mv + inhibited * CELL.e_inhibit_mv) / loads, loads


def excitation(found: Floats, sources: Floats) -> Floats:
    """What a pool of these weights excites its muscle with over a step, (PHASES,)."""
    outputs = (_settled(found, sources)[0] - CELL.v_threshold_mv) / SPAN_MV
    return (MUSCLE_GAIN * outputs.clip(0, 1)).clip(0, 1)


def antagonists(joint: Joint, sources: Floats, rounds: int = 4) -> tuple[Floats, Floats]:
    """Weights of two pools; each in turn is fitted to hold the angle against what the other really does."""
    found = [weights(wanted, sources) for wanted in joint.wanted]
    for k in range(rounds):
        mine, other = k % 2, 1 - k % 2
        excess = (excitation(found[other], sources) - joint.wanted[other]) * joint.torques[other]
        found[mine] = weights(joint.wanted[mine] + excess / joint.torques[mine], sources)
    return found[0], found[1]


@cache
def halted() -> dict[str, Floats]:
    """Output of the same populations in a cord that halts, by pair of limbs, (1, populations)."""
    brain = PopulationBrain(population_network(spinal.connectome(), spinal.dynamics(), STEP_MS), 0)
    drive = np.array([float(name.startswith("halt")) for name in brain.names])
    brain.step(drive, 4.0)
    out = brain.step(drive, 0.001).release
    names = (*EXCITING, *INHIBITING)
    return {p: np.array([[out[brain.names.index(f"{n}_{leg}")] for n in names]]) for p, (leg, _, _) in LIMBS.items()}


def standing(found: Floats, sources: Floats, tone: float) -> float:
    """Weight of the halting command on a pool, below 0 inhibitory, with which it holds a standing limb.

    Args:
        found: the pool's other weights.
        sources: what the populations do as the cord halts, (1, populations).
        tone: activation of the muscle as the body stands.
    """
    volts = SPAN_MV * tone / MUSCLE_GAIN + CELL.v_threshold_mv
    settled, loads = _settled(found, sources)
    missing = float(loads[0] * (volts - settled[0]))
    return missing / ((CELL.e_excite_mv if missing > 0 else CELL.e_inhibit_mv) - volts) * (1 if missing > 0 else -1)


def pools(stride: Stride, angles: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    """Every motor pool of the limbs, without its place, and the weights onto it that hold the angles of each pair."""
    for pair in LIMBS:
        for joint in held(stride, pair, angles[pair]):
            for muscle, found in zip(joint.muscles, antagonists(joint, activity()[pair]), strict=True):
                yield f"Mn-{muscle.replace('_', '-')}", found
    toes = body().tone[body().effectors.index("LH_toe_flexor")] + stride.push * STANDS
    yield "Mn-toe-flexor", weights(toes, activity()["H"])


def patterned(stride: Stride, angles: Mapping[str, Floats]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of populations and synapses of the cord with a pattern.

    Args:
        stride: how the muscles hold the angles.
        angles: from standing, by pair of limbs, rad, (PHASES, 3): those of the stride's path, or learned.
    """
    populations, synapses = spinal.table("spinal_populations"), spinal.table("spinal_synapses")
    ours = synapses["pre"].isin((*EXCITING, *INHIBITING, "halt")) & synapses["post"].str.startswith("Mn-")
    tone = dict(zip(body().effectors, body().tone.tolist(), strict=True))
    rows = []
    for pool, found in pools(stride, angles):
        populations.loc[populations["type"] == pool, "tonic"] = f"{found[len(EXCITING)]:.3f}"
        given = np.delete(found, len(EXCITING))
        for k, (pre, weight) in enumerate(zip((*EXCITING, *INHIBITING), given, strict=True)):
            if weight > 0:
                rows.append((pre, "both", pool, "own", "same", f"{weight:.3f}", "1" if k < len(EXCITING) else "-1"))
        pair = next(p for p, (leg, _, _) in LIMBS.items() if f"{leg}_{muscle_of(pool)}" in tone)
        weight = standing(found, halted()[pair], tone[f"{LIMBS[pair][0]}_{muscle_of(pool)}"])
        rows.append(("halt", "", pool, "both", "same", f"{abs(weight):.3f}", "1" if weight > 0 else "-1"))
    fitted = pd.DataFrame(rows, columns=list(synapses)[:7]).assign(provenance="assumed", source=SOURCE)
    return populations, pd.concat([synapses[~ours], fitted], ignore_index=True)


def muscle_of(pool: str) -> str:
    """The muscle of a pool, without its place: "Mn-hip-flexor" pulls "hip_flexor"."""
    return pool.removeprefix("Mn-").replace("-", "_")


SOURCE = (
    "Rybak et al. 2006 doi:10.1113/jphysiol.2006.118703 (pattern formation between rhythm and motoneurons); fitted so "
    "that antagonists hold the limb's angles over a step, or from halt the standing ones (scripts/mouse_pattern.py)"
)
