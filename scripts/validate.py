"""`animat validate`: the responses of an organism's networks against a measured functional atlas, beside controls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .show import JsonOption

if TYPE_CHECKING:
    from ..brains.atlas import Atlas
    from ..brains.validation import Floats, Pairs, Score
    from ..organisms.organism import Organism

BAR = 0.644  # AUC of a linear graded model on this wiring, un-fitted
BAR_NETWORK = "default"


def validate(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    atlas: Annotated[Path, typer.Option(help="Your copy of the atlas: funatlas.h5 or a converted folder.")] = Path(
        "funatlas.h5"
    ),
    strain: Annotated[str, typer.Option(help="wt or unc31.")] = "wt",
    draws: Annotated[int, typer.Option(min=1, help="Shuffles of each kind for each network.")] = 100,
    simulate: Annotated[bool, typer.Option("--simulate/--no-simulate", help="Also stimulate simulated brains.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffles and the bootstrap.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of validation.json and roc.png.")] = Path("runs/validation"),
    as_json: JsonOption = False,
) -> None:
    """Stimulate each neuron and score who responds, with which sign and how strongly."""
    from ..brains.atlas import Atlas
    from ..brains.validation import observed_pairs
    from ..organisms.organism import make
    from .validate_picture import save_picture

    animal, measured = make(organism), Atlas.load(atlas, strain)
    pairs = observed_pairs(measured, animal.connectome.names)
    report: dict[str, Any] = {
        "organism": organism,
        "fingerprint": animal.connectome.fingerprint,
        "atlas": {"strain": strain, "citation": measured.citation, "doi": measured.doi},
        "pairs": int(pairs.significant.size),
        "significant": int(pairs.significant.sum()),
        "seed": seed,
        "bar": {"network": BAR_NETWORK, "auc": BAR},
        "rows": [],
    }
    curves: dict[str, Floats] = {}
    if not as_json:
        print(_header(report), flush=True)
    for row, prediction in _rows(animal, measured, pairs, draws, simulate, seed):
        report["rows"].append(row)
        curves[row["name"]] = prediction
        if not as_json:
            print(_line(row), flush=True)
    report["met"] = next(r for r in report["rows"] if r["name"] == BAR_NETWORK)["score"]["auc"]["value"] >= BAR
    _write(out / "validation.json", json.dumps(report, indent=1) + "\n")
    save_picture(out / "roc.png", report, curves, pairs)
    if as_json:
        print(json.dumps(report))
    else:
        print(f"bar: AUC of {BAR_NETWORK!r} at least {BAR}: {'met' if report['met'] else 'MISSED'}")
        print(f"wrote {out / 'validation.json'} and {out / 'roc.png'}")


def _rows(animal: Organism, atlas: Atlas, pairs: Pairs, draws: int, simulate: bool, seed: int) -> Any:
    """Every row of the table with its prediction, as they are done."""
    import numpy as np

    from ..brains.validation import baselines, score
    from ..organisms.functional import CLOSED_FORMS, SIMULATED, closed_form

    def scored(prediction: Floats, signed: bool = True) -> Score:
        return score(prediction, pairs, np.random.default_rng(seed), signed)

    for name, prediction in baselines(animal.connectome, atlas).items():
        yield _row(name, "baseline", scored(prediction, signed=False)), prediction
    for name in CLOSED_FORMS:
        predict = closed_form(animal, name)
        prediction = predict(animal.connectome)
        row = _row(name, "closed form", scored(prediction))
        yield {**row, "controls": _controls(animal, predict, pairs, row["score"], draws, seed)}, abs(prediction)
    for name in SIMULATED if simulate else ():
        for measure, prediction in _simulated(animal, atlas, name).items():
            yield _row(f"{name}, {measure}", "simulated", scored(prediction)), abs(prediction)


def _controls(
    animal: Organism, predict: Callable[[Any], Floats], pairs: Pairs, real: dict[str, Any], draws: int, seed: int
) -> dict[str, Any]:
    """Both shuffles under one prediction, each measure compared with the real wiring's."""
    import numpy as np

    from ..brains.validation import MEASURES, control

    found: dict[str, Any] = {}
    for method in ("degree", "label"):
        shuffled = control(animal.connectome, predict, pairs, method, draws, np.random.default_rng(seed))
        found[method] = {name: shuffled.compared(name, real[name]["value"]) for name in MEASURES}
    return found


def _simulated(animal: Organism, atlas: Atlas, name: str) -> dict[str, Floats]:
    """Mean and peak response of a simulated brain to pulses on every stimulated neuron of the atlas."""
    import numpy as np

    from ..brains.brain import Brain
    from ..brains.response import pulse_responses
    from ..organisms.functional import NETWORKS

    stimulated = [atlas.names[j] for j in np.flatnonzero(np.isfinite(atlas.response).any(axis=0))]
    found = pulse_responses(Brain(NETWORKS[name](animal, animal.connectome)), stimulated)
    return {"mean of 30 s after a pulse": found.mean, "peak after a pulse": found.peak}


def _row(name: str, kind: str, score: Score) -> dict[str, Any]:
    return {"name": name, "kind": kind, "score": score.as_dict()}


def _header(report: dict[str, Any]) -> str:
    head = f"{report['pairs']} pairs, {report['significant']} significant; [95 % bootstrap over stimulated neurons]"
    return f"{head}\n{'':45s}{'AUC':24s}{'balanced sign':24s}{'Spearman':24s}"


def _line(row: dict[str, Any]) -> str:
    def cell(found: dict[str, float] | None) -> str:
        return (
            f"{'-':24s}"
            if found is None
            else f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]".ljust(24)
        )

    score = row["score"]
    lines = [f"{row['kind'] + ': ' + row['name']:45s}" + "".join(map(cell, map(score.get, _SHOWN)))]
    for method, found in row.get("controls", {}).items():
        text = "".join(
            f"{c['mean']:.3f} [{c['low']:.3f}, {c['high']:.3f}]".ljust(24) for c in map(found.get, _SHOWN) if c
        )
        auc = found["auc"]
        unsettled = f", {auc['unsettled']} without a steady state" if auc["unsettled"] else ""
        lines.append(f"{'    ' + method + ' shuffle':45s}{text}p {auc['p']:.3f} (AUC, {auc['draws']} draws{unsettled})")
    return "\n".join(lines)


_SHOWN = ("auc", "balanced_sign", "spearman")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
