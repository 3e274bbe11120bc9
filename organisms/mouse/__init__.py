"""The house mouse, *Mus musculus*: a spinal cord of published populations in a body of 25 grams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...bodies.fly_medium import Fluid
from ...bodies.mouse import MouseBody, mouse
from ...brains.brain import BrainLike
from ...brains.connectome import Connectome
from ...brains.network import SynapseGains
from ...brains.population import population_network
from ...brains.population_brain import PopulationBrain
from ..maps import EffectorMap, SensoryMap
from ..organism import Organism
from . import spinal

MODEL = "population"
CONTROL_S = 0.002  # s, of the same order as a conduction delay of the mouse's short reflexes; assumed
STEP_MS = 0.2  # ms, of the cord
MUSCLE_GAIN = 2.0  # excitation of a muscle at full output of its pool; assumed: half of it is all of the muscle
TASKS = ("walk",)
STIMULATED = ("command_L", "command_R", "halt_L", "halt_R")
PANEL = ("command", "RG-F", "RG-E", "PF-*", "V0V", "V0D", "V3", "vestibular-roll", "load", "Mn-*")
ABLATIONS = {"walk": ("vestibular-roll", "V0V*", "V0V*,V0D*", "V3", "load,limb-stretch")}


class Mouse(Organism):
    """An organism whose brain is a cord of populations."""

    def brain(  # type: ignore[override]
        self, model: str | None = None, engine: str = "numba", seed: int = 0, dt_ms: float = STEP_MS
    ) -> BrainLike:
        """The cord of the wiring that is left; `dt_ms` is its step. There is one model and one engine.

        Raises:
            ValueError: another model or engine is asked for.
        """
        if model not in (None, self.model) or engine != "numba":
            raise ValueError(f"a mouse runs model {self.model!r} on engine 'numba', not {model!r} on {engine!r}")
        return PopulationBrain(population_network(self.connectome, self.dynamics, dt_ms, self.reference), seed)


def build() -> Mouse:
    """The mouse, from the tables of `data/`."""
    wiring: Connectome = spinal.connectome()
    return Mouse(
        name="mouse",
        connectome=wiring,
        reference=wiring,
        dynamics=spinal.dynamics(),
        gains=SynapseGains(chemical_mv=1.0, electrical=0.0, normalisation=0.0),
        sensory=SensoryMap.from_csv(spinal.DATA / "senses.csv"),
        effectors=EffectorMap.from_csv(spinal.DATA / "effectors.csv", gain=MUSCLE_GAIN),
        body=body,
        rebuild=rebuild,
        tasks=TASKS,
        stimulated=STIMULATED,
        panel=PANEL,
        ablations=ABLATIONS,
        model=MODEL,
        control_s=CONTROL_S,
    )


def body(medium: str | Fluid = "air") -> MouseBody:
    """The mouse's body on a level floor."""
    return mouse(medium=medium)


def rebuild(options: Mapping[str, Any]) -> MouseBody:
    """The mouse whose `options`, read from JSON, these are."""
    return mouse(**options)
