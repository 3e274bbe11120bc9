"""`animat list` and `animat show`: what there is, and what an organism's maps connect."""

from __future__ import annotations

import json
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def list_names(as_json: JsonOption = False) -> None:
    """List organisms, environments, tasks, brains, models and engines."""
    import gymnasium

    from ..brains.controls import CONTROLS
    from ..brains.engines import ENGINES
    from ..brains.models import MODELS
    from ..envs.tasks import TASKS
    from ..organisms.organism import ORGANISMS

    names = {
        "organisms": sorted(ORGANISMS),
        "environments": sorted(name for name in gymnasium.registry if name.startswith("animat/")),
        "tasks": sorted(TASKS),
        "brains": ["connectome", "none", *sorted(CONTROLS)],
        "models": sorted(MODELS),
        "engines": sorted(ENGINES),
    }
    if as_json:
        print(json.dumps(names))
        return
    for kind, members in names.items():
        print(f"{kind + ':':14s}{', '.join(members)}")


def show(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    connectome: Annotated[str, typer.Option(help="Another wiring, as `animat run` takes it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Audit an organism's maps: provenance, dangling channels and neurons, paths from senses to muscles."""
    from ..organisms.audit import audit
    from ..organisms.organism import make
    from .run import animal

    known = animal(organism, connectome)
    report = audit(make(known) if isinstance(known, str) else known)
    print(json.dumps(report.as_dict()) if as_json else report.text())
