"""Fits what the leg rhythm does to the premotor groups.

Usage: python -m animat.scripts.fit_fly_pattern (needs jax; minutes)

What the cells of the rhythm do to premotor cells is in no table at hand. Here it is fitted, once for each pair of legs,
so that the equilibrium of the muscles carries an unloaded foot along a given path: straight back at even height in
stance, forward through the air in swing, with the share of swing that is recorded in real steps. Free are the synapse
counts of five sources (E1, E2, I1, the relay, DNg100) on every premotor group; signs follow the transmitters. Nothing
about walking enters: no body on a floor, no speed, no phase between legs. One phase of the rhythm at which the swing
begins is common to all legs; of six it is the one with the smallest sum of errors.
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

SOURCES = {"IN17A001": 1, "INXXX466": 1, "IN16B036": -1, "relay": 1, "DNg100": 1}
JOINTS = {  # joint -> muscles that raise and lower its angle
    "coxa_promotion": ("coxa_promotor", "coxa_remotor"),
    "coxa_abduction": ("coxa_abductor", "coxa_adductor"),
    "coxa_rotation": ("coxa_rotator_anterior", "coxa_rotator_posterior"),
    "trochanter_extension": ("trochanter_extensor", "trochanter_flexor"),
    "femur_reduction": ("femur_reductor", None),
    "tibia_extension": ("tibia_extensor", "tibia_flexor"),
}


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
    steps: int = 1500  # of Adam
    rate: float = 0.03  # of Adam


def cycle(fit: Fit) -> tuple[Floats, float]:
    """Rates of the five sources over one cycle of the left middle leg, Hz, shape (bins, 5), and the period, s."""
    brain = build().brain()
    brain.reset(0)
    drive, place = np.zeros(brain.n), {name: i for i, name in enumerate(brain.names)}
    drive[[i for name, i in place.items() if name.startswith("DNg100")]] = fit.drive
    watched = [place[f"{name}_LM"] for name in list(SOURCES)[:-1]] + [place["DNg100_R"]]
    rates = np.array([brain.step(drive, 1e-3).voltage[watched] for _ in range(4000)])[2000:]
    first = rates[:, 0] - rates[:, 0].mean()
    up = np.flatnonzero((first[:-1] < 0) & (first[1:] >= 0))
    period = float(np.diff(up).mean())
    at = np.arange(fit.bins) / fit.bins * period
    turns = [[np.interp(start + at, np.arange(len(rates)), column) for column in rates.T] for start in up[1:-2]]
    return np.mean(turns, axis=0).T, period * 1e-3


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


def path(fit: Fit, pair: str) -> tuple[Floats, Floats]:
    """The foot's way from its neutral place, mm, shape (bins, 3), swing first, and whether it is in stance."""
    swing = fit.swing_s["FMH".index(pair)] / fit.period_s
    phase = np.arange(fit.bins) / fit.bins
    inside = phase < swing
    air, ground = phase / swing, (phase - swing) / (1 - swing)
    forward = fit.stride_mm * (air - np.sin(2 * np.pi * air) / (2 * np.pi) - 0.5)
    x = np.where(inside, forward, fit.stride_mm * (0.5 - ground))
    z = np.where(inside, fit.lift_mm * np.sin(np.pi * np.clip(air, 0, 1)), 0.0)
    z -= np.where(inside, 0.0, fit.press_mm * np.sqrt(np.sin(np.pi * np.clip(ground, 0, 1))))
    return np.stack([x, np.zeros_like(x), z], axis=1), (~inside).astype(np.float64)


class LegModel:
    """Rhythm -> premotor groups -> motor pools -> muscles -> joint angles, periodic, in jax."""

    def __init__(self, fit: Fit, rates: Floats, period_s: float, pair: str) -> None:
        import jax.numpy as jnp

        self.fit, self.np = fit, jnp
        self.sources = jnp.asarray(rates * np.array(list(SOURCES.values())))
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
        groups = self.rate(PER_SYNAPSE * self.sources @ counts.T, 1.0, width)
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

    way, stance = (jnp.asarray(np.roll(part, phase, axis=0)) for part in path(fit, pair))
    jacobian, weight = jnp.asarray(foot_jacobian(pair)), jnp.array([1.0, 0.7, 1.3])

    def error(free: Any, width: float) -> Any:
        counts = 10.0 * jax.nn.softplus(free)
        activation = model.activations(counts, width)
        angles = model.angles(activation)
        off = (angles @ jacobian.T - way) * weight
        grip = (model.of(activation, "claw_grip") - fit.grip * stance) ** 2
        small = 0.02 * jnp.mean(activation**2) + 1e-4 * jnp.mean(counts) + 0.01 * jnp.mean(angles**2)
        return jnp.mean(jnp.sum(off**2, axis=1)) + 0.1 * jnp.mean(grip) + small

    free = np.random.default_rng(0).normal(-0.5, 0.5, (len(model.groups), len(SOURCES)))
    best, value = _adam(jax.jit(jax.value_and_grad(error)), jnp.asarray(free), fit)
    return np.asarray(10.0 * jax.nn.softplus(best), dtype=np.float64), value


def _adam(slope: Callable[[Any, float], Any], free: Any, fit: Fit) -> tuple[Any, float]:
    """Adam, with thresholds that sharpen over the first 70 % of the steps."""
    import jax.numpy as jnp

    mean = square = jnp.zeros_like(free)
    value = float("nan")
    for step in range(fit.steps):
        width = max(0.002, 0.1 * (1 - step / (0.7 * fit.steps)))
        value, gradient = slope(free, width)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        scale = jnp.sqrt(square / (1 - 0.99 ** (step + 1))) + 1e-8
        free = free - fit.rate * mean / (1 - 0.9 ** (step + 1)) / scale
    return free, float(value)


def main() -> None:
    """Fit every pair of legs at six phases of the swing; write the counts of the best phase to pattern.csv."""
    fit = Fit()
    rates, period_s = cycle(fit)
    models = {pair: LegModel(fit, rates, period_s, pair) for pair in "FMH"}
    found: dict[int, dict[str, tuple[Floats, float]]] = {}
    for phase in range(fit.bins // 8, fit.bins // 2, fit.bins // 16):
        found[phase] = {pair: fitted(fit, model, pair, phase) for pair, model in models.items()}
        errors = {pair: round(value, 4) for pair, (_, value) in found[phase].items()}
        print(f"swing from {phase / fit.bins:.4f} of the cycle: errors {errors}, sum {sum(errors.values()):.4f}")
    best = min(found, key=lambda phase: sum(value for _, value in found[phase].values()))
    source = f"fitted to a path of the foot (scripts/fit_fly_pattern.py), swing from {best / fit.bins:.4f} of the cycle"
    rows = [
        (pair, name, premotor_type(*group), round(float(count), 1), sign, "assumed", source)
        for pair, (counts, _) in found[best].items()
        for group, row in zip(models[pair].groups, counts, strict=True)
        for (name, sign), count in zip(SOURCES.items(), row, strict=True)
        if count >= 0.05
    ]
    columns = ["pair", "pre", "post", "count", "sign", "provenance", "source"]
    pd.DataFrame(rows, columns=columns).to_csv(DATA / "pattern.csv", index=False, lineterminator="\n")
    print(f"wrote {DATA / 'pattern.csv'}: {len(rows)} rows, period {1e3 * period_s:.1f} ms")


if __name__ == "__main__":
    main()
