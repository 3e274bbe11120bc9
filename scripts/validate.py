"""`animat validate`: the responses of an organism's networks against a measured functional atlas, beside controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..registry import UnknownNameError, nearest
from .show import JsonOption

if TYPE_CHECKING:
    from ..brains.atlas import Atlas
    from ..brains.validation import Floats, Pairs
    from ..organisms.organism import Organism

BAR = 0.644  # AUC of a linear graded model on this wiring, un-fitted
BAR_NETWORK = "default"
METHODS: tuple[Literal["degree", "label"], ...] = ("degree", "label")
NAMES = 60  # characters, room for the longest name of a row
SHOWN = ("auc", "auc_at_distance", "spearman", "balanced_sign")


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """What is compared with what."""

    animal: Organism
    atlas: Atlas
    pairs: Pairs
    networks: tuple[str, ...]
    draws: int  # shuffles of each kind for each network
    resamples: int  # of the bootstrap
    simulate: bool
    seed: int  # of every shuffle series and every bootstrap


def validate(
    organism: Annotated[str, typer.Argument(help="Name of an organism.")] = "worm",
    atlas: Annotated[Path, typer.Option(help="Your copy of the atlas: funatlas.h5 or a converted folder.")] = Path(
        "funatlas.h5"
    ),
    strain: Annotated[str, typer.Option(help="wt or unc31.")] = "wt",
    network: Annotated[list[str] | None, typer.Option(help="Only this network; may be repeated.")] = None,
    draws: Annotated[int, typer.Option(min=1, help="Shuffles of each kind for each network.")] = 100,
    resamples: Annotated[int, typer.Option(min=2, help="Of the bootstrap over stimulated neurons.")] = 1000,
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
    experiment = Experiment(
        animal=animal,
        atlas=measured,
        pairs=observed_pairs(measured, animal.connectome),
        networks=_chosen(network),
        draws=draws,
        resamples=resamples,
        simulate=simulate,
        seed=seed,
    )
    report, predictions = _head(experiment), dict[str, Any]()
    if not as_json:
        print(_header(report), flush=True)
    for row, prediction in _rows(experiment):
        report["rows"].append(row)
        predictions[row["name"]] = prediction
        if not as_json:
            print(_line(row), flush=True)
    report["met"] = _met(report)
    predictions |= _shuffled_examples(experiment)
    _write(out / "validation.json", json.dumps(report, indent=1) + "\n")
    save_picture(out / "roc.png", report, predictions, experiment.pairs)
    if as_json:
        print(json.dumps(report))
    else:
        verdict = {True: "met", False: "MISSED", None: "not judged"}[report["met"]]
        print(f"bar: AUC of {BAR_NETWORK!r} at least {BAR}: {verdict}")
        print(f"wrote {out / 'validation.json'} and {out / 'roc.png'}")


def _chosen(names: list[str] | None) -> tuple[str, ...]:
    from ..organisms.functional import CLOSED_FORMS

    for name in names or ():
        if name not in CLOSED_FORMS:
            raise UnknownNameError(f"no network {name!r}; {nearest(name, CLOSED_FORMS)}")
    return tuple(name for name in CLOSED_FORMS if not names or name in names)


def _head(experiment: Experiment) -> dict[str, Any]:
    atlas, significant = experiment.atlas, experiment.pairs.significant
    return {
        "organism": experiment.animal.name,
        "fingerprint": experiment.animal.connectome.fingerprint,
        "atlas": {"strain": atlas.strain, "citation": atlas.citation, "doi": atlas.doi},
        "pairs": int(significant.size),
        "significant": int(significant.sum()),
        "seed": experiment.seed,
        "bar": {"network": BAR_NETWORK, "auc": BAR},
        "rows": [],
    }


def _met(report: dict[str, Any]) -> bool | None:
    """Whether the bar's network reaches it; None where it was not asked for, or the animals were mutants."""
    if report["atlas"]["strain"] != "wt":
        return None
    found = [row for row in report["rows"] if row["kind"] == "closed form" and row["name"] == BAR_NETWORK]
    return bool(found[0]["score"]["auc"]["value"] >= BAR) if found else None


def _rows(experiment: Experiment) -> Iterator[tuple[dict[str, Any], Floats]]:
    """Every row of the table with its strengths, as they are done."""
    from ..brains.validation import baselines
    from ..organisms.functional import SIMULATED, closed_form

    animal = experiment.animal
    for name, prediction in baselines(animal.connectome, experiment.atlas).items():
        yield _row(experiment, name, "baseline", prediction), prediction
    for name in experiment.networks:
        predict = closed_form(animal, name)
        prediction = predict(animal.connectome)
        row = _row(experiment, name, "closed form", prediction)
        yield {**row, "controls": _controls(experiment, predict, row["score"])}, abs(prediction)
    for name in SIMULATED if experiment.simulate else ():
        if name in experiment.networks:
            for measure, prediction in _simulated(experiment, name).items():
                yield _row(experiment, f"{name}, {measure}", "simulated", prediction), abs(prediction)


def _row(experiment: Experiment, name: str, kind: str, prediction: Floats) -> dict[str, Any]:
    import numpy as np

    from ..brains.validation import score

    rng = np.random.default_rng(experiment.seed)
    found = score(prediction, experiment.pairs, rng, signed=kind != "baseline", resamples=experiment.resamples)
    return {"name": name, "kind": kind, "score": found.as_dict()}


def _controls(experiment: Experiment, predict: Callable[[Any], Floats], real: dict[str, Any]) -> dict[str, Any]:
    """Both shuffles under one prediction, each measure compared with the real wiring's."""
    import numpy as np

    from ..brains.validation import MEASURES, control

    found: dict[str, Any] = {}
    for method in METHODS:
        rng = np.random.default_rng(experiment.seed)
        shuffled = control(experiment.animal.connectome, predict, experiment.pairs, method, experiment.draws, rng)
        found[method] = {name: shuffled.compared(name, real[name]["value"]) for name in MEASURES}
    return found


def _shuffled_examples(experiment: Experiment) -> dict[str, Floats]:
    """Strengths of the bar's network on the first shuffle of each kind, for the picture."""
    import numpy as np

    from ..brains.response import NotSettledError
    from ..organisms.functional import closed_form

    predict, found = closed_form(experiment.animal, BAR_NETWORK), {}
    for method in METHODS:
        shuffled = experiment.animal.connectome.shuffle(np.random.default_rng(experiment.seed), method)
        with suppress(NotSettledError):  # a shuffle without a steady state has no curve
            found[f"{BAR_NETWORK}, {method} shuffle"] = abs(predict(shuffled))
    return found


def _simulated(experiment: Experiment, name: str) -> dict[str, Floats]:
    """Mean and peak response of a simulated brain to pulses on every stimulated neuron of the atlas."""
    import numpy as np

    from ..brains.brain import Brain
    from ..brains.response import pulse_responses
    from ..organisms.functional import NETWORKS

    animal, atlas = experiment.animal, experiment.atlas
    stimulated = [atlas.names[j] for j in np.flatnonzero(np.isfinite(atlas.response).any(axis=0))]
    found = pulse_responses(Brain(NETWORKS[name](animal, animal.connectome)), stimulated)
    return {"mean after a pulse": found.mean, "peak after a pulse": found.peak}


def _header(report: dict[str, Any]) -> str:
    head = f"{report['pairs']} pairs, {report['significant']} significant; [95 % bootstrap over stimulated neurons]"
    return f"{head}\n{'':{NAMES}s}{'AUC':24s}{'AUC at equal distance':24s}{'Spearman':24s}{'balanced sign':24s}"


def _line(row: dict[str, Any]) -> str:
    def cell(found: dict[str, float] | None) -> str:
        return (
            f"{'-':24s}"
            if found is None
            else f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]".ljust(24)
        )

    score = row["score"]
    lines = [f"{row['kind'] + ': ' + row['name']:{NAMES}s}" + "".join(map(cell, map(score.get, SHOWN)))]
    for method, found in row.get("controls", {}).items():
        text = "".join(
            f"{c['mean']:.3f} [{c['low']:.3f}, {c['high']:.3f}]".ljust(24) for c in map(found.get, SHOWN) if c
        )
        auc = found["auc"]
        unsettled = f", {auc['unsettled']} without a steady state" if auc["unsettled"] else ""
        name = f"    {method} shuffle".ljust(NAMES)
        lines.append(f"{name}{text}p {auc['p']:.3f} (AUC, {auc['draws']} draws{unsettled})")
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
