"""Makes the tables of the mouse's visual cortex, organisms/mouse/data/v1_*.csv and lgn_*.csv, from published ones.

Usage: python -m animat.scripts.build_mouse_v1 SHARED BMTK

SHARED holds copies of base_props/*.csv and neuropixels/metrics/OSI_DSI_neuropixels_v4.csv of
AllenInstitute/biorealistic-v1-model (BSD-3), V1model_seed_file.xlsx among them; BMTK is the folder of an unpacked wheel
of bmtk 1.2.0 (BSD-3), which has the LGN filters. The cells' own parameters (v1_glif_cells.csv) are kept by hand.
"""

from __future__ import annotations

import json
import math
import re
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from ..organisms.mouse.v1_tables import DATA

MODEL = "AllenInstitute/biorealistic-v1-model base_props (BSD-3)"
EM = f"V1DD electron microscopy, pmax_matrix_v1dd.csv of {MODEL}; sigma.csv after Campagnola et al. 2022 Science 375"
PSP = "Campagnola et al. 2022 Science 375:eabj5861 (resting mean), psp_characterization.csv of the same"
CLASSES = {"Exc": "E", "ET": "E", "IT": "E", "NP": "E", "PV": "PV", "SST": "SST", "VIP": "VIP", "Inh": "L1"}
CELLS = {"L5_ET": "ET", "L5_NP": "NP"}  # class of v1_glif_cells.csv where it is not that of `CLASSES`
POOLS = {"E": "Exc", "PV": "PV", "SST": "SST", "VIP": "VIP"}  # class -> how names of recorded ones end
NEUROPIXELS = {"L5_ET": "L5 Exc", "L5_IT": "L5 Exc", "L5_NP": "L5 Exc", "L1_Inh": "L1 Htr3a"}
KINDS = ("L1_Inh", "L2/3_Exc", "L2/3_PV", "L2/3_SST", "L2/3_VIP", "L4_Exc", "L4_PV", "L4_SST", "L4_VIP", "L5_ET",
         "L5_IT", "L5_NP", "L5_PV", "L5_SST", "L5_VIP", "L6_Exc", "L6_PV", "L6_SST", "L6_VIP")  # fmt: skip


def sheet(path: Path) -> pd.DataFrame:
    """Population name, bounds (um) and areal density (per mm2) of the first sheet of a workbook, without openpyxl."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as book:
        texts = ["".join(item.itertext()) for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        rows = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).findall(".//m:row", space)
    table = []
    for row in rows:
        cells = {}
        for cell in row.findall("m:c", space):
            value = cell.find("m:v", space)
            if value is not None and value.text is not None:
                text = texts[int(value.text)] if cell.get("t") == "s" else value.text
                cells[re.sub(r"\d", "", str(cell.get("r")))] = text
        table.append(cells)
    frame = pd.DataFrame(table[1:]).rename(columns=table[0])
    return frame[frame["pop_name"].notna() & frame["location"].notna()]


def types(shared: Path) -> pd.DataFrame:
    """One row a cell type."""
    scheme = _read(shared, "cell_type_naming_scheme").set_index("pop_name")
    seeds = sheet(shared / "V1model_seed_file.xlsx").set_index("pop_name")
    lgn = _read(shared, "lgn_params").set_index("pop_name")
    fast, slow, share = (_read(shared, name).set_index("pre") for name in ("tau_syn_fast", "tau_syn_slow", "amp_slow"))
    glif = pd.read_csv(DATA / "v1_glif_cells.csv")
    glif["tau_m_ms"] = glif["c_pf"] / glif["g_ns"]
    glif = glif.groupby("class")[["tau_m_ms", "gap_mv"]].median()
    rows = []
    for kind in KINDS:
        names = scheme.index[scheme["cell_type"] == kind]
        first = scheme.loc[names[0]]
        synaptic, cell_class = first["cell_type_synaptic"], CLASSES[first["class"]]
        cells = CELLS.get(kind, "VIP" if cell_class == "L1" else cell_class)
        rows.append(
            {
                "type": kind,
                "layer": first["layer"],
                "class": cell_class,
                "sign": 1 if cell_class == "E" else -1,
                "per_mm2": round(seeds.loc[names, "Areal density (#/mm^2)"].astype(float).sum(), 1),
                "top_um": float(_at(seeds, names[0], "upper_bound")),
                "bottom_um": float(_at(seeds, names[0], "lower_bound")),
                "tau_m_ms": round(_at(glif, cells, "tau_m_ms"), 2),
                "gap_mv": round(_at(glif, cells, "gap_mv"), 2),
                "tau_e_ms": _mean_time(fast, slow, share, "exc", synaptic),
                "tau_i_ms": _mean_time(fast, slow, share, "inh", synaptic),
                "lgn_tf": lgn.loc[names[0], "poisson_parameter"],
                "lgn_on": lgn.loc[names[0], "sON_ratio"],
                "lgn_share": lgn.loc[names[0], "synapse_ratio_against_e4"],
                "lgn_yule": lgn.loc[names[0], "yule_parameter"],
                "neuropixels": NEUROPIXELS.get(kind, kind.replace("_", " ")),
                "cells": cells,
                "provenance": "measured",
                "source": f"V1model_seed_file.xlsx and lgn_params.csv of {MODEL}",
                "cell_provenance": "published" if kind.startswith("L4") or kind in CELLS else "assumed",
                "cell_source": "median of v1_glif_cells.csv" + ("" if kind.startswith("L4") or kind in CELLS else
                                                               ", taken over from layer 4"),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _mean_time(fast: pd.DataFrame, slow: pd.DataFrame, share: pd.DataFrame, pre: str, post: str) -> float:
    """Ms: an exponential current of the same mean time as the published sum of a fast and a slow alpha function."""
    quick, late, part = _at(fast, pre, post) * 1e3, _at(slow, pre, post) * 1e3, _at(share, pre, post)
    return float(round(2.0 * (quick**2 + part * late**2) / (quick + part * late), 2))


def pairs(shared: Path) -> pd.DataFrame:
    """One row a pair of cell types."""
    scheme = _read(shared, "cell_type_naming_scheme").drop_duplicates("cell_type").set_index("cell_type")
    pmax = _read(shared, "pmax_matrix_v1dd").set_index("pre")
    sigma = _read(shared, "sigma").set_index("pre")
    lookup = _read(shared, "psp_lookup_table").set_index("pre")
    latency = _read(shared, "syn_types_latency").set_index("pre")
    psp = pd.read_csv(shared / "psp_characterization.csv", sep=" ", na_values="[]").set_index("connection")
    first = {kind: _first(shared, kind) for kind in KINDS}
    rows = []
    for pre in KINDS:
        for post in KINDS:
            ends, synaptic = ([_at(scheme, k, c) for k in (pre, post)] for c in ("ei", "cell_type_synaptic"))
            used = _recorded(psp, _at(lookup, first[pre], first[post]))
            mean = _at(psp, used, "mean_resting")
            spread = math.sqrt(math.log1p((_at(psp, used, "std_resting") / mean) ** 2))
            own = "__to__".join(str(_at(scheme, kind, "cell_type_psp")) for kind in (pre, post))
            rows.append(
                {
                    "pre": pre,
                    "post": post,
                    "pmax": round(_at(pmax, pre, post), 6),
                    "sigma_um": _at(sigma, ends[0], ends[1]),
                    "psp_mv": round(mean, 4),
                    "psp_spread": round(spread, 3),
                    "psp_pairs": int(_at(psp, used, "N_resting")),
                    "psp_of": used,
                    "delay_ms": _at(latency, synaptic[0], synaptic[1]),
                    "provenance": "measured",
                    "psp_provenance": "measured" if used == own and "L1_Inh" not in (pre, post) else "assumed",
                }
            )  # fmt: skip
    table = pd.DataFrame(rows)
    table["source"] = EM
    table["psp_source"] = PSP
    return table


def _at(table: pd.DataFrame, row: str, column: str) -> Any:
    return table.loc[row, column]


def _first(shared: Path, kind: str) -> str:
    scheme = _read(shared, "cell_type_naming_scheme")
    return str(scheme.loc[scheme["cell_type"] == kind, "pop_name"].iloc[0])


def _recorded(psp: pd.DataFrame, asked: str) -> str:
    """The connection asked for, or the next wider one that was recorded in five pairs or more."""
    pre, post = asked.split("__to__")
    excitatory = pre.endswith("pyr")
    wide_pre = "all_pyr" if excitatory else "all_int"
    wide_post = "all_pyr" if post.endswith("pyr") else post
    for name in (asked, f"{pre}__to__{wide_post}", f"{wide_pre}__to__{wide_post}"):
        if name in psp.index and _at(psp, name, "N_resting") >= 5 and math.isfinite(_at(psp, name, "mean_resting")):
            return name
    raise ValueError(f"no recorded connection stands for {asked!r}")


def targets(shared: Path) -> pd.DataFrame:
    """Medians of the Neuropixels units of every class: spontaneous rates are fitted to, the rest only compared with."""
    units = _read(shared, "OSI_DSI_neuropixels_v4")
    pooled = [
        units[units["cell_type"].str.endswith(end)].assign(cell_type=f"all {name}") for name, end in POOLS.items()
    ]
    rows = (
        pd.concat([units, *pooled])
        .groupby("cell_type")
        .agg(
            units=("OSI", "size"),
            spontaneous_hz=("Spont_Rate(Hz)", "median"),
            grating_hz=("Ave_Rate(Hz)", "median"),
            tuned_units=("OSI", "count"),
            osi=("OSI", "median"),
            dsi=("DSI", "median"),
        )
    )
    table = rows.round(4).reset_index().rename(columns={"cell_type": "neuropixels"})
    table["provenance"] = "measured"
    table["source"] = "Allen Neuropixels, OSI_DSI_neuropixels_v4.csv of AllenInstitute/biorealistic-v1-model (BSD-3)"
    return table


def filters(shared: Path, bmtk: Path) -> pd.DataFrame:
    """One row an LGN class: cells a tile, temporal kernel, spontaneous rate, sizes."""
    models = _read(shared, "lgn_models")
    folder = bmtk / "bmtk" / "utils" / "scripts" / "filternet" / "filter_models"
    spont = {kind: _spontaneous(bmtk, kind) for kind in ("sON", "sOFF", "tOFF")}
    rows = []
    for model in models.to_dict("records"):
        name = str(model["pop_name"])
        kernel = {"sONsOFF_001": "sOFF_TF4", "sONtOFF_001": "tOFF_TF8"}.get(name, name)
        fit = json.loads((folder / f"{kernel}.json").read_text(encoding="utf-8"))
        kind, _, tf = name.partition("_")
        rows.append(
            {
                "name": name,
                "cells": int(model["N"]),
                "kernel": kernel,
                "weight_1": round(fit["opt_wts"][0], 4),
                "weight_2": round(fit["opt_wts"][1], 4),
                "peak_1_ms": round(fit["opt_kpeaks"][0], 3),
                "peak_2_ms": round(fit["opt_kpeaks"][1], 3),
                "delay_1_ms": fit["opt_delays"][0],
                "delay_2_ms": fit["opt_delays"][1],
                "spontaneous_hz": {"sONsOFF": 4.0, "sONtOFF": 5.5}.get(kind) or round(spont[kind][tf], 3),
                "min_deg": model["min_size"],
                "max_deg": model["max_size"],
                "provenance": "published",
                "source": f"lgn_models.csv of {MODEL}; kernels and recorded spontaneous rates of bmtk 1.2.0 (BSD-3)",
            }
        )
    return pd.DataFrame(rows)


def _spontaneous(bmtk: Path, kind: str) -> pd.Series:
    """Mean spontaneous rate, Hz, of the recorded cells of a kind by their best temporal frequency."""
    folder = bmtk / "bmtk" / "simulator" / "filternet" / "lgnmodel" / "cell_metrics"
    cells = pd.read_csv(folder / f"{kind}_cell_data.csv")
    best = cells[[f"F0_TF{f}" for f in (1, 2, 4, 8, 15)]].idxmax(axis=1).astype(str).str[3:]
    return cells.groupby(best)["Spont"].mean()


def _read(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / f"{name}.csv", sep=" ")


def main() -> None:
    """Write the four tables."""
    shared, bmtk = Path(sys.argv[1]), Path(sys.argv[2])
    made = {
        "v1_types": types(shared),
        "v1_pairs": pairs(shared),
        "v1_neuropixels": targets(shared),
        "lgn_filters": filters(shared, bmtk),
    }
    for name, table in made.items():
        path = DATA / f"{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
