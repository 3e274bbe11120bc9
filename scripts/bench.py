"""`animat bench`: the figures that animat is held to, measured here and now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from ..registry import nearest
from .show import JsonOption

SECTIONS = ("speed", "behaviour", "brain", "worm-ablations", "fly-body", "fly", "fly-cns", "mouse-spinal")


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
    from .bench_ablations import ablation_bars
    from .bench_behaviour import behaviour_bars
    from .bench_brain import brain_bars
    from .bench_cns import cns_bars
    from .bench_fly import fly_body_bars
    from .bench_fly_behaviour import fly_bars
    from .bench_mouse_spinal import spinal_bars
    from .bench_mouse_body import mouse_body_bars
    from .bench_speed import speed_bars

    measures: dict[str, Callable[[], Iterable[Bar]]] = {
        "speed": speed_bars,
        "behaviour": behaviour_bars,
        "brain": brain_bars,
        "worm-ablations": ablation_bars,
        "fly-body": fly_body_bars,
        "fly": fly_bars,
        "fly-cns": cns_bars,
        "mouse-spinal": spinal_bars,
        "mouse-body": mouse_body_bars,
    }
    if section != "all" and section not in measures:
        raise ValueError(f"no benchmark {section!r}; {nearest(section, ('all', *SECTIONS))}")
    bars: list[Bar] = []
    for name in SECTIONS if section == "all" else (section,):
        for bar in measures[name]():
            bars.append(bar)
            if not as_json:
                print(_line(bar), flush=True)
    if as_json:
        print(json.dumps({"bars": [asdict(bar) for bar in bars], "met": sum(b.met for b in bars), "of": len(bars)}))
    else:
        print(f"{sum(bar.met for bar in bars)} of {len(bars)} bars met")


def _line(bar: Bar) -> str:
    verdict = "met   " if bar.met else "MISSED"
    return f"{verdict}  {bar.what}\n          bar {bar.bar}; measured {bar.measured}\n          {bar.command}"
