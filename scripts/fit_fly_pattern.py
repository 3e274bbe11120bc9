"""Fits what the leg rhythm does to the premotor groups.

Usage: python -m animat.scripts.fit_fly_pattern (needs jax; minutes)

What the cells of the rhythm do to premotor cells is in no table at hand. Here it is fitted, once for each pair of legs,
so that the equilibrium of the muscles carries an unloaded foot along a given path: straight back at even height in
stance, forward through the air in swing, with the share of swing that is recorded in real steps. Free are the synapse
counts of five sources (E1, E2, I1, the relay, DNg100) on every premotor group; signs follow the transmitters. Nothing
about walking enters: no body on a floor, no speed, no phase between legs. One phase of the rhythm at which the swing
begins is common to all legs; of six it is the one with the smallest sum of errors. For MDN it is one of four at which a
fly was tried on the floor, because there it went backward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..bodies.fly import fly
from ..bodies.fly_tables import joint_row
from ..bodies.fly_tables import table as body_table
from ..organisms.fly import MUSCLE_GAIN, PER_SYNAPSE, RATE_FULL_HZ, SLOPE, THRESHOLD, build
from ..organisms.fly.wiring import DATA, premotor_type, table

Floats = npt.NDArray[np.float64]

RHYTHM = {"IN17A001": 1, "INXXX466": 1, "IN16B036": -1, "relay": 1}
BACK = {"back_IN17A001": 1, "back_INXXX466": 1, "back_relay": 1, "back_inhibitor": -1}  # silent unless MDN is active
JOINTS = {  # joint -> muscles that raise and lower its angle
    "coxa_promotion": ("coxa_promotor", "coxa_remotor"),
    "coxa_abduction": ("coxa_abductor", "coxa_adductor"),
    "coxa_rotation": ("coxa_rotator_anterior", "coxa_rotator_posterior"),
    "trochanter_extension": ("trochanter_extensor", "trochanter_flexor"),
    "femur_reduction": ("femur_reductor", None),
    "tibia_extension": ("tibia_extensor", "tibia_flexor"),
}


@dataclass(frozen=True, kw_only=True)
class Command:
    """A descending type, the sources whose counts are free, and those that keep what an earlier command fitted."""

    cell: str
    free: dict[str, int]  # source -> sign
    kept: dict[str, int]
    forward: float  # 1, or -1 for a foot that goes forward in stance
    phases: tuple[int, ...]  # at which the swing may begin, in bins of the cycle
    steps: int  # of Adam
    rate: float  # of Adam


COMMANDS = (
    Command(
        cell="DNg100",
        free={**RHYTHM, "DNg100": 1},
        kept={},
        forward=1.0,
        phases=tuple(range(8, 32, 4)),
        steps=1500,
        rate=0.03,
    ),
    Command(cell="MDN", free={**BACK, "MDN": 1}, kept=RHYTHM, forward=-1.0, phases=(34,), steps=2500, rate=0.06),
)
Counts = dict[tuple[str, tuple[str, str]], float]  # source, premotor group -> synapses


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The path, the weights of the parts of the error, and the search."""

    drive: float = 400.0  # input of DNg100 while the rhythm is recorded, as in the task
    stride_mm: float = 1.0  # mm, way of the foot in stance, relative to the body; assumed
    lift_mm: float = 0.5  # mm, height of the swing; assumed
    press_mm: float = 0.05  # mm below the floor at mid-stance, so that the foot carries; assumed
    swing_s: tuple[float, float, float] = (0.051, 0.048, 0.042)  # s, front, middle, hind: flygym single steps
    period_s: float = 0.135  # s, of the same recording
    grip: float = 0.6  # activation of the claw muscle in stance; assumed
    bins: int = 64  # of a cycle
    tau_rate_s: float = 0.02  # s, of every rate cell
    tau_muscle_s: float = 0.01  # s, bodies/data/fly_muscles.csv
    tau_joint_s: float = 0.006  # s, damping over stiffness of a leg joint


def cycle(fit: Fit, command: Command) -> tuple[dict[str, Floats], float]:
    """Rates of the sources over one cycle of the left middle leg, Hz, each (bins,), and the period, s."""
    brain = build().brain()
    brain.reset(0)
    drive, place = np.zeros(brain.n), {name: i for i, name in enumerate(brain.names)}
    drive[[i for name, i in place.items() if name.startswith(command.cell)]] = fit.drive
    watched = {name: f"{name}_LM" for name in {**RHYTHM, **command.free}}
    watched[command.cell] = next(name for name in place if name.startswith(f"{command.cell}_R"))
    columns = [place[name] for name in watched.values()]
    rates = np.array([brain.step(drive, 1e-3).voltage[columns] for _ in range(4000)])[2000:]
    first = rates[:, 0] - rates[:, 0].mean()
    up = np.flatnonzero((first[:-1] < 0) & (first[1:] >= 0))
    period = float(np.diff(up).mean())
    at = np.arange(fit.bins) / fit.bins * period
    turns = [[np.interp(start + at, np.arange(len(rates)), column) for column in rates.T] for start in up[1:-2]]
    return dict(zip(watched, np.mean(turns, axis=0), strict=True)), period * 1e-3


def foot_jacobian(pair: str) -> Floats:
    """How the left foot moves with each joint about the neutral pose, mm per rad, shape (3, joints)."""
    import mujoco

    body = fly()
    data, tip = body.new_data(), f"L{pair}_tip"
    mujoco.mj_kinematics(body.model, data)
    start, columns = data.site(tip).xpos.copy(), []
    for joint in JOINTS:
        data.qpos[:] = body.model.qpos0
        data.qpos[body.model.joint(f"L{pair}_{joint}").qposadr[0]] = 1e-4
        mujoco.mj_kinematics(body.model, data)
        columns.append((data.site(tip).xpos - start) * 1e4)
    return np.array(columns).T


def path(fit: Fit, pair: str, forward: float) -> tuple[Floats, Floats]:
    """The foot's way from its neutral place, mm, shape (bins, 3), swing first, and whether it is in stance."""
    swing = fit.swing_s["FMH".index(pair)] / fit.period_s
    phase = np.arange(fit.bins) / fit.bins
    inside = phase < swing
    air, ground = phase / swing, (phase - swing) / (1 - swing)
    swung = air - np.sin(2 * np.pi * air) / (2 * np.pi) - 0.5
    x = forward * fit.stride_mm * np.where(inside, swung, 0.5 - ground)
    z = np.where(inside, fit.lift_mm * np.sin(np.pi * np.clip(air, 0, 1)), 0.0)
    z -= np.where(inside, 0.0, fit.press_mm * np.sqrt(np.sin(np.pi * np.clip(ground, 0, 1))))
    return np.stack([x, np.zeros_like(x), z], axis=1), (~inside).astype(np.float64)


class LegModel:
    """Rhythm -> premotor groups -> motor pools -> muscles -> joint angles, periodic, in jax."""

    def __init__(
        self, fit: Fit, command: Command, rates: dict[str, Floats], period_s: float, pair: str, known: Counts
    ) -> None:
        import jax.numpy as jnp

        self.fit, self.command, self.np = fit, command, jnp
        cells = len(table("descending").query("type == @command.cell")) // 2  # that reach a leg
        signed = {name: rates[name] * sign for name, sign in {**command.kept, **command.free}.items()}
        signed[command.cell] = cells * signed[command.cell]
        self.free = jnp.asarray(np.stack([signed[name] for name in command.free], axis=1))
        self.frequency = np.fft.rfftfreq(fit.bins, period_s / fit.bins)
        rows = table("premotor")
        self.groups = list(dict.fromkeys(zip(rows["sign"], rows["group"], strict=True)))
        pools = table("pools")
        self.effectors = {
            effector: row["pool"]
            for row in pools.to_dict("records")
            if pair in row["pairs"]
            for effector in row["effectors"].split()
        }
        kept = [sum(known.get((name, group), 0.0) * signed[name] for name in command.kept) for group in self.groups]
        self.kept = jnp.asarray(np.stack(kept, axis=1)) if command.kept else 0.0
        self.pools = list(dict.fromkeys(rows["pool"]))
        matrix = np.zeros((len(self.groups), len(self.pools)))
        for row in rows.to_dict("records"):
            sign = 1.0 if row["sign"] == "excitatory" else -1.0
            place = self.groups.index((row["sign"], row["group"])), self.pools.index(row["pool"])
            matrix[place] = sign * row["synapses"] / row["motor_neurons"]
        self.matrix = jnp.asarray(matrix)
        sizes = table("motor_neurons").groupby("pool")["size"].mean()
        self.size = jnp.asarray(sizes.reindex(self.pools).to_numpy())
        self.muscles = {row["muscle"]: row for row in body_table("muscles")}

    def low_pass(self, values: Any, tau_s: float) -> Any:
        """A periodic first-order lag along time."""
        jnp = self.np
        gain = 1 / (1 + 2j * np.pi * self.frequency * tau_s)
        return jnp.fft.irfft(jnp.fft.rfft(values, axis=0) * gain[:, None], self.fit.bins, axis=0)

    def rate(self, drive: Any, size: Any, width: float) -> Any:
        """A rate cell; `width` rounds its threshold off so that a silent cell still has a slope."""
        from jax.nn import softplus

        above = (drive - THRESHOLD * size) / (SLOPE * size)
        return self.low_pass(RATE_FULL_HZ * self.np.tanh(width * softplus(above / width)), self.fit.tau_rate_s)

    def activations(self, counts: Any, width: float) -> Any:
        """Activation of each pool's muscles over the cycle, (bins, pools), for counts of shape (groups, sources)."""
        groups = self.rate(PER_SYNAPSE * (self.kept + self.free @ counts.T), 1.0, width)
        motor = self.rate(PER_SYNAPSE * groups @ self.matrix, self.size, width)
        return self.low_pass(self.np.minimum(MUSCLE_GAIN * motor / RATE_FULL_HZ, 1.0), self.fit.tau_muscle_s)

    def angles(self, activation: Any) -> Any:
        """Where the muscles of each joint balance, rad, (bins, joints)."""
        columns = []
        for joint, (raises, lowers) in JOINTS.items():
            up, down = self.of(activation, raises), self.of(activation, lowers)
            muscle, row = self.muscles[raises], joint_row(joint)
            strength, own = float(muscle["strength_uN_mm"]), float(muscle["stiffness_uN_mm_rad"])
            rest = float(row["stiffness_uN_mm_rad"]) + float(row["tone_uN_mm_rad"])
            columns.append(strength * (up - down) / (rest + own * (up + down)))
        return self.low_pass(self.np.stack(columns, axis=1), self.fit.tau_joint_s)

    def of(self, activation: Any, muscle: str | None) -> Any:
        """Activation of one muscle; nothing where there is none."""
        pool = self.effectors.get(muscle or "")
        return 0.0 * activation[:, 0] if pool is None else activation[:, self.pools.index(pool)]


def fitted(fit: Fit, model: LegModel, pair: str, phase: int) -> tuple[Floats, float]:
    """Synapse counts (groups, sources) and the error for a swing that begins at a phase, in bins."""
    import jax
    import jax.numpy as jnp

    way, stance = (jnp.asarray(np.roll(part, phase, axis=0)) for part in path(fit, pair, model.command.forward))
    jacobian, weight = jnp.asarray(foot_jacobian(pair)), jnp.array([1.0, 0.7, 1.3])

    def error(free: Any, width: float) -> Any:
        counts = 10.0 * jax.nn.softplus(free)
        activation = model.activations(counts, width)
        angles = model.angles(activation)
        off = (angles @ jacobian.T - way) * weight
        grip = (model.of(activation, "claw_grip") - fit.grip * stance) ** 2
        small = 0.02 * jnp.mean(activation**2) + 1e-4 * jnp.mean(counts) + 0.01 * jnp.mean(angles**2)
        return jnp.mean(jnp.sum(off**2, axis=1)) + 0.1 * jnp.mean(grip) + small

    free = np.random.default_rng(0).normal(-0.5, 0.5, (len(model.groups), len(model.command.free)))
    best, value = _adam(jax.jit(jax.value_and_grad(error)), jnp.asarray(free), model.command)
    return np.asarray(10.0 * jax.nn.softplus(best), dtype=np.float64), value


def _adam(slope: Callable[[Any, float], Any], free: Any, command: Command) -> tuple[Any, float]:
    """Adam, with thresholds that sharpen over the first 70 % of the steps."""
    import jax.numpy as jnp

    mean = square = jnp.zeros_like(free)
    value = float("nan")
    for step in range(command.steps):
        width = max(0.002, 0.1 * (1 - step / (0.7 * command.steps)))
        value, gradient = slope(free, width)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        scale = jnp.sqrt(square / (1 - 0.99 ** (step + 1))) + 1e-8
        free = free - command.rate * mean / (1 - 0.9 ** (step + 1)) / scale
    return free, float(value)


def best_of(fit: Fit, models: dict[str, LegModel]) -> tuple[int, dict[str, Floats]]:
    """The phase of the swing with the smallest error over all legs, in bins, and its counts by pair."""
    found: dict[int, dict[str, tuple[Floats, float]]] = {}
    for phase in next(iter(models.values())).command.phases:
        found[phase] = {pair: fitted(fit, model, pair, phase) for pair, model in models.items()}
        errors = {pair: round(value, 4) for pair, (_, value) in found[phase].items()}
        print(f"swing from {phase / fit.bins:.4f} of the cycle: errors {errors}, sum {sum(errors.values()):.4f}")
    best = min(found, key=lambda phase: sum(value for _, value in found[phase].values()))
    return best, {pair: counts for pair, (counts, _) in found[best].items()}


def main() -> None:
    """Fit both commands, every pair of legs at each phase of the swing; write the counts of the best to pattern.csv."""
    fit, rows = Fit(), []
    known: dict[str, Counts] = {pair: {} for pair in "FMH"}
    for command in COMMANDS:
        rates, period_s = cycle(fit, command)
        print(f"{command.cell}: period {1e3 * period_s:.1f} ms")
        models = {pair: LegModel(fit, command, rates, period_s, pair, known[pair]) for pair in "FMH"}
        phase, counts = best_of(fit, models)
        source = (
            f"fitted to a path of the foot (scripts/fit_fly_pattern.py), swing from {phase / fit.bins:.4f} of the cycle"
        )
        for pair, model in models.items():
            for group, row in zip(model.groups, counts[pair].round(1), strict=True):
                for (name, sign), count in zip(command.free.items(), row.tolist(), strict=True):
                    if count:
                        known[pair][name, group] = count
                        rows.append((pair, name, premotor_type(*group), count, sign, "assumed", source))
    columns = ["pair", "pre", "post", "count", "sign", "provenance", "source"]
    pd.DataFrame(rows, columns=columns).to_csv(DATA / "pattern.csv", index=False, lineterminator="\n")
    print(f"wrote {DATA / 'pattern.csv'}: {len(rows)} rows")


if __name__ == "__main__":
    main()
