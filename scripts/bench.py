"""`animat bench`: the figures that animat is held to, measured here and now."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from ..registry import nearest
from .show import JsonOption

SECTIONS = {  # name -> module of this package, and its function that measures
    "speed": "bench_speed:speed_bars",
    "behaviour": "bench_behaviour:behaviour_bars",
    "brain": "bench_brain:brain_bars",
    "worm-ablations": "bench_ablations:ablation_bars",
    "fly-body": "bench_fly:fly_body_bars",
    "fly": "bench_fly_behaviour:fly_bars",
    "fly-cns": "bench_cns:cns_bars",
    "imaging": "bench_imaging_roundtrip:roundtrip_bars",
    "imaging-align": "bench_imaging_align:imaging_align_bars",
    "imaging-compression": "bench_imaging_compression:compression_bars",
    "imaging-proofread": "bench_imaging_proofread:proofread_bars",
    "imaging-segment": "bench_imaging_segment:segment_bars",
    "imaging-synapses": "bench_imaging_synapses:imaging_synapses_bars",
    "mouse": "bench_mouse_behaviour:mouse_bars",
    "mouse-body": "bench_mouse_body:mouse_body_bars",
    "mouse-spinal": "bench_mouse_spinal:spinal_bars",
    "mouse-v1": "bench_mouse_v1:v1_bars",
    "mouse-sees": "bench_mouse_sight:sight_bars",
}


EM = Path(__file__).resolve().parents[2] / "shared" / "data" / "em"  # real volumes, beside the repository
REPORTED = "reported"  # how the bar of a line begins that is shown and not judged


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One line of the table."""

    what: str
    bar: str
    measured: str
    met: bool
    command: str


def bench(
    section: Annotated[str, typer.Argument(help=f"{', '.join(SECTIONS)} or all.")] = "all",
    as_json: JsonOption = False,
) -> None:
    """Measure speed and behaviour against their bars and print a table."""
    if section != "all" and section not in SECTIONS:
        raise ValueError(f"no benchmark {section!r}; {nearest(section, ('all', *SECTIONS))}")
    bars: list[Bar] = []
    for name in SECTIONS if section == "all" else (section,):
        try:
            for bar in _measure(name):
                bars.append(bar)
                if not as_json:
                    print(_line(bar), flush=True)
        except FileNotFoundError as error:  # of data that is not part of the repository
            print(f"animat bench {name}: stopped: there is no {error.filename}", file=sys.stderr)
    judged = [bar for bar in bars if not bar.bar.startswith(REPORTED)]
    met = sum(bar.met for bar in judged)
    if as_json:
        print(json.dumps({"bars": [asdict(bar) for bar in bars], "met": met, "of": len(judged)}))
    else:
        print(f"{met} of {len(judged)} bars met")


def _measure(section: str) -> Iterable[Bar]:
    """The lines of a section, one by one as they are measured."""
    module, function = SECTIONS[section].split(":")
    measure: Callable[[], Iterable[Bar]] = getattr(import_module(f".{module}", __package__), function)
    return measure()


def _line(bar: Bar) -> str:
    verdict = "-     " if bar.bar.startswith(REPORTED) else "met   " if bar.met else "MISSED"
    return f"{verdict}  {bar.what}\n          bar {bar.bar}; measured {bar.measured}\n          {bar.command}"
