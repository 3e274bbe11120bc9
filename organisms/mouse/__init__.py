"""The house mouse, *Mus musculus*: eyes, V1, colliculus, brainstem and a spinal cord in a body of 25 grams."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from math import ceil, log2
from typing import Any

import numpy as np
import pandas as pd

from ...bodies.fly_medium import Fluid
from ...bodies.mouse import MouseBody, mouse
from ...bodies.pillars import Pillar
from ...brains.brain import BrainLike
from ...brains.composite import composed
from ...brains.connectome import Connectome
from ...brains.network import SynapseGains
from ...brains.population import PopulationNetwork, population_network
from ...brains.population_brain import PopulationBrain
from ..maps import EffectorMap, SensoryMap
from ..organism import Organism
from . import colliculus, spinal
from .cord import SteppingCord
from .sight import RADIUS_UM, WIRING_SEED, Sight
from .v1 import V1

MODEL = "population"
CONTROL_S = 0.002  # s, of the same order as a conduction delay of the mouse's short reflexes; assumed
STEP_MS = 0.2  # ms; published rhythms come out alike at 0.1
MUSCLE_GAIN = 2.0  # excitation of a muscle at full output of its pool; assumed: half of it is all of the muscle
TASKS = ("walk", "openfield", "approach", "looming")
SPINAL = ("walk",)  # tasks that command the cord itself
STIMULATED = ("command_L", "command_R", "halt_L", "halt_R")
PANEL = ("vis", "SCs", "SCm-*", "GRN", "LPGi", "command", "RG-F", "RG-E", "PF-*", "V0V", "V0D", "V3", "load", "Mn-*")
ABLATIONS = {
    "walk": ("vestibular-roll", "V0V*", "V0V*,V0D*", "V3", "load,limb-stretch"),
    "openfield": ("explore", "SCs"),
    "approach": ("SCs,SCm-*", "vis", "ret"),
    "looming": ("SCm-escape", "CnF"),
}


class Mouse(Organism):
    """An organism whose brain has two parts of populations: colliculus with brainstem, and the cord."""

    def brain(  # type: ignore[override]
        self, model: str | None = None, engine: str = "numba", seed: int = 0, dt_ms: float | None = None
    ) -> BrainLike:
        """What is left of colliculus, brainstem and cord. There is one model and one engine.

        The two parts exchange releases once a control step; a cord with nothing above it runs as one network.

        Args:
            model: None or "population".
            engine: "numba".
            seed: of the noise and the starting state.
            dt_ms: step, ms; by default `STEP_MS`, halved until a part is stable (a shuffle may heap up synapses).

        Raises:
            ValueError: another model or engine is asked for.
        """
        if model not in (None, self.model) or engine != "numba":
            raise ValueError(f"a mouse runs model {self.model!r} on engine 'numba', not {model!r} on {engine!r}")
        upper, populations = set(colliculus.connectome().names), partial(self._populations, dt_ms)
        if upper.isdisjoint(self.reference.names):
            return SteppingCord(populations(self.connectome), seed)
        parts = {
            "cord": [name for name in self.reference.names if name not in upper],
            "brainstem": [name for name in self.reference.names if name in upper],
        }
        build = {
            "cord": lambda wiring: SteppingCord(populations(wiring)),
            "brainstem": lambda wiring: PopulationBrain(populations(wiring)),
        }
        gains = dict.fromkeys((("brainstem", "cord"), ("cord", "brainstem")), 1.0)  # the second in shuffled wirings
        return composed(self.connectome, parts, build, gains, 1e3 * CONTROL_S, seed)

    def for_task(self, task: str) -> Mouse:
        """To walk, a cord that has nothing above it, as in a decerebrate animal; the whole animal for all else."""
        upper = colliculus.connectome()
        if task not in SPINAL or set(upper.names).isdisjoint(self.reference.names):
            return self
        types = {*upper.names, *upper.neurons["type"].astype(str)}
        rows, names = self.dynamics, self.sensory.table["neuron"]
        return replace(
            self,
            connectome=self.connectome.subset(name for name in self.connectome.names if name not in types),
            reference=self.reference.subset(name for name in self.reference.names if name not in types),
            dynamics=rows[~rows["selector"].isin(types)].reset_index(drop=True),
            sensory=SensoryMap(table=self.sensory.table[~names.isin(types)].reset_index(drop=True)),
            neuropil=None,
            neuropil_controls={},
        )

    def provenances(self) -> dict[str, Mapping[str, float]]:
        """Of the synapses of V1, which is drawn from statistics, and of those of colliculus and brainstem."""
        v1 = V1(RADIUS_UM, np.random.default_rng(WIRING_SEED))
        edges = v1.provenance.groupby("provenance")["edges"].sum()
        tables = {f"V1, {v1.n - v1.lgn_rows.size} cells": edges, "SC, brainstem": colliculus.provenance()}
        return {
            name: {str(kind): float(n / counts.sum()) for kind, n in counts.sort_values(ascending=False).items()}
            for name, counts in tables.items()
        }

    def _populations(self, dt_ms: float | None, wiring: Connectome) -> PopulationNetwork:
        network = population_network(wiring, self.dynamics, 1e-3, self.reference)
        halvings = max(0, ceil(log2(STEP_MS / network.longest_step_ms()) + 1e-9))
        return replace(network, dt_ms=dt_ms or STEP_MS / 2**halvings)


def build() -> Mouse:
    """The mouse, from the tables of `data/`."""
    wiring = colliculus.joined(spinal.connectome())
    return Mouse(
        name="mouse",
        connectome=wiring,
        reference=wiring,
        dynamics=pd.concat([colliculus.dynamics(), spinal.dynamics()], ignore_index=True).fillna(""),
        gains=SynapseGains(chemical_mv=1.0, electrical=0.0, normalisation=0.0),
        sensory=SensoryMap.from_csv(*(spinal.DATA / f"senses{part}.csv" for part in ("", "_visual"))),
        effectors=EffectorMap.from_csv(spinal.DATA / "effectors.csv", gain=MUSCLE_GAIN),
        body=body,
        rebuild=rebuild,
        tasks=TASKS,
        stimulated=STIMULATED,
        panel=PANEL,
        ablations=ABLATIONS,
        model=MODEL,
        control_s=CONTROL_S,
        neuropil=Sight,
        neuropil_controls={"V1 rewired": rewired_sight},
    )


def rewired_sight(seed: int) -> Sight:
    """A sight in whose V1 every cell has the inputs of another of its type: it says what is seen, and not where."""
    return Sight(rewired=seed)


def body(medium: str | Fluid = "air", pillars: Collection[Mapping[str, Any] | Pillar] = ()) -> MouseBody:
    """The mouse's body on a level floor, among pillars."""
    return mouse(medium=medium, pillars=pillars)


def rebuild(options: Mapping[str, Any]) -> MouseBody:
    """The mouse whose `options`, read from JSON, these are."""
    return mouse(**options)
