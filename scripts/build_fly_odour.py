"""Makes the tables of smell of organisms/fly/data from two wheels of PyPI.

Usage: python -m animat.scripts.build_fly_odour FOLDER

FOLDER holds fruitloops-0.2.2-py3-none-any.whl (synapses of the antennal lobes of FlyWire) and
connectome_interpreter-2.9.5-py3-none-any.whl (DoOR: what odorants do to receptors), both MIT:
  pip download fruitloops==0.2.2 connectome-interpreter==2.9.5 --no-deps -d FOLDER

One cell stands for the receptor neurons (ORN) of an antenna that go to one glomerulus, one for the uniglomerular
projection neurons (PN) of a glomerulus, one for the local neurons (LN) of a family, transmitter sign and lobe. A count
is the mean number of synapses that one cell of the target group gets from all cells of the source group.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pandas as pd

from ..organisms.fly.smell import DEFAULT, senses
from ..organisms.fly.wiring import DATA

WHEELS = {
    "fruitloops": "fruitloops-0.2.2-py3-none-any.whl",
    "door": "connectome_interpreter-2.9.5-py3-none-any.whl",
}
AUDIT = "fruitloops/data/flywire/pan_ln_analysis/source_audit/"
TRANSMITTERS = "fruitloops/data/comparison/flywire_vs_hemibrain/flywire_ln_nt_top3_by_root.csv"
DOOR = "connectome_interpreter/data/DoOR/"
MEASURED = "FlyWire v783 through fruitloops 0.2.2"
SOURCE = f"{MEASURED}; mean of both sides"
SYNAPSES = ["pre", "post", "count", "sign", "provenance", "source"]
FAMILY = r"^(il3LN6|lLN1|lLN2F|lLN2P|lLN2T|lLN2X|v2LN|vLN)"
ODORANTS = (
    "ethyl acetate",
    "ethyl butyrate",
    "acetic acid",
    "2,3-butanedione",
    "benzaldehyde",
    "1-octen-3-ol",
    "geosmin",
    "carbon dioxide",
)
SPLIT = {"VC3": ("VC3l", "VC3m")}  # one glomerulus in DoOR, two in FlyWire
PER_RECEPTOR = {"ipsi": 14.0, "contra": 10.0}  # synapses of a receptor neuron onto a projection neuron; assumed
RELAYED = "more on the own side: Tobin et al. 2017; by 40 %: Gaudry et al. 2013 (both from memory); counts assumed"
FAINT = 1.0  # synapses per cell below which a connection between groups is left out


def local_inputs(folder: Path) -> pd.DataFrame:
    """Synapses of receptor neurons onto local neurons, one row a pair of cells and lobe."""
    return _with_groups(folder, _read(folder, "fruitloops", f"{AUDIT}orn_partner_counts_by_hemisphere.csv"))


def local_outputs(folder: Path) -> pd.DataFrame:
    """Synapses of local neurons onto projection neurons, one row a pair of cells and lobe."""
    return _with_groups(folder, _read(folder, "fruitloops", f"{AUDIT}pn_partner_counts_by_hemisphere.csv"))


def odour_synapses(folder: Path) -> pd.DataFrame:
    """Receptor to local and local to projection neurons as counted, receptor to projection neurons as assumed."""
    into, out = local_inputs(folder), local_outputs(folder)
    cells = _local_cells(into, out)
    into = into.assign(pre="ORN_" + into["glomerulus"] + "_" + into["side_letter"], post=into["group"])
    shares = into.groupby(["pre", "post"])["n_synapses"].sum().reset_index()
    shares["count"] = shares["n_synapses"] / shares["post"].map(cells)
    shares["sign"] = 1
    out = out[(out["cell_sub_class"] == "uniglomerular") & out["glomerulus"].isin(into["glomerulus"])]
    out = out.assign(pre=out["group"], post="PN_" + out["glomerulus"] + "_" + out["analysis_hemisphere"])
    heads = out.groupby("post")["root_id"].nunique()
    inhibition = out.groupby(["pre", "post", "sign"])["n_synapses"].sum().reset_index()
    inhibition["count"] = inhibition["n_synapses"] / inhibition["post"].map(heads)
    rows = pd.concat([shares, inhibition], ignore_index=True)
    counted = _mirrored(rows).assign(provenance="derived", source=SOURCE)[SYNAPSES]
    return pd.concat([counted, _relays(into)], ignore_index=True)


def _relays(into: pd.DataFrame) -> pd.DataFrame:
    """Receptor neurons onto the projection neurons of their glomerulus on both sides; no table of this is at hand."""
    receptors = into.groupby("glomerulus")["root_id"].nunique() / 2
    rows = []
    for glomerulus, cells in receptors.items():
        for pre in "LR":
            for post in "LR":
                each = PER_RECEPTOR["ipsi" if pre == post else "contra"]
                rows.append((f"ORN_{glomerulus}_{pre}", f"PN_{glomerulus}_{post}", round(each * cells, 1), 1))
    table = pd.DataFrame(rows, columns=SYNAPSES[:4])
    return table.assign(provenance="assumed", source=RELAYED)


def _mirrored(rows: pd.DataFrame) -> pd.DataFrame:
    """Each connection as strong as its mean over both sides: one brain's asymmetry would turn the fly by itself."""
    across = rows.assign(pre=rows["pre"].map(_across), post=rows["post"].map(_across))
    means = pd.concat([rows, across]).groupby(["pre", "post", "sign"], as_index=False)["count"].sum()
    means["count"] = (means["count"] / 2).round(1)
    kept: pd.DataFrame = means[means["count"] >= FAINT]
    return kept


def _across(name: str) -> str:
    return name[:-1] + ("L" if name[-1] == "R" else "R")


def odour_neurons(folder: Path) -> pd.DataFrame:
    """Receptor, local and projection neurons, with how many cells each stands for."""
    into, out = local_inputs(folder), local_outputs(folder)
    receptors = into.groupby(["glomerulus", "side_letter"])["root_id"].nunique().reset_index()
    unique = out[(out["cell_sub_class"] == "uniglomerular") & out["glomerulus"].isin(into["glomerulus"])]
    heads = unique.groupby(["glomerulus", "analysis_hemisphere"])["root_id"].nunique()
    both = heads.unstack(fill_value=0).stack().reset_index()  # none of DM3 on the left is in the table
    rows = [(f"ORN_{g}_{s}", "ORN", "sensory", "acetylcholine", s, n) for g, s, n in receptors.itertuples(index=False)]
    rows += [(f"PN_{g}_{s}", "PN", "inter", "acetylcholine", s, n) for g, s, n in both.itertuples(index=False)]
    for name, n in _local_cells(into, out).items():
        kind, side = str(name).rsplit("_", 1)
        transmitter = "acetylcholine" if kind.endswith("e") else "GABA+glutamate"
        rows.append((str(name), kind, "inter", transmitter, side, n))
    table = pd.DataFrame(rows, columns=["name", "type", "role", "transmitter", "side", "cells"])
    return table.assign(provenance="measured", source=MEASURED)


def odour_responses(folder: Path) -> pd.DataFrame:
    """Response of each glomerulus to each odorant above its spontaneous rate, 0 to 1, and the organ it smells with."""
    table = _read(folder, "door", f"{DOOR}processed_door_adult_sfr_subtracted.csv").set_index("glomerulus")
    receptors = _read(folder, "door", f"{DOOR}door_receptor_mappings.csv")
    palp = set(receptors["glomerulus"][receptors["sensillum.type"] == "maxillary palp"])
    glomeruli = set(local_inputs(folder)["glomerulus"])
    rows = []
    for odorant in ODORANTS:
        column = next(name for name in table.columns if name.rsplit("_", 1)[0] == odorant)
        for entry, value in table[column].items():
            for glomerulus in SPLIT.get(str(entry), (str(entry),)):
                if value > 0 and glomerulus in glomeruli:
                    rows.append((odorant, glomerulus, "palp" if entry in palp else "antenna", round(float(value), 4)))
    found = pd.DataFrame(rows, columns=["odorant", "glomerulus", "organ", "response"])
    source = "DoOR (Muench & Galizia 2016) as processed in connectome-interpreter 2.9.5"
    return found.assign(provenance="published", source=source)


def _local_cells(into: pd.DataFrame, out: pd.DataFrame) -> pd.Series[int]:
    both = pd.concat([into[["group", "source_root_id"]], out[["group", "source_root_id"]]])
    return both.groupby("group")["source_root_id"].nunique()


def _with_groups(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Local neurons by family, sign and lobe: lLN2T_L inhibits, lLN2Te_L excites."""
    family = table["LN_type"].str.extract(FAMILY)[0].fillna("otherLN")
    sign = table["source_root_id"].map(_signs(folder)).fillna(-1).astype(int)
    letter = sign.map({1: "e", -1: ""})
    return table.assign(sign=sign, group=family + letter + "_" + table["analysis_hemisphere"])


def _signs(folder: Path) -> pd.Series[int]:
    """1 for acetylcholine, -1 for GABA and glutamate, by type: as known, else as predicted; others are left aside."""
    table = _read(folder, "fruitloops", TRANSMITTERS).set_index("source_root_id")
    known = table["known_nt"].map(lambda name: 0 if not isinstance(name, str) else 1 if "acetyl" in name else -1)
    excites = table["mean_probability_acetylcholine"]
    inhibits = table["mean_probability_gaba"] + table["mean_probability_glutamate"]
    kinds = table["primary_flywire_name"]
    told, guess = known.groupby(kinds).transform("mean"), (excites - inhibits).groupby(kinds).transform("mean")
    return told.where(told != 0, guess).map(lambda lean: 1 if lean > 0 else -1)


def _read(folder: Path, wheel: str, name: str) -> pd.DataFrame:
    """A table of a wheel; ids stay text, for they have 18 digits."""
    with zipfile.ZipFile(folder / WHEELS[wheel]) as archive, archive.open(name) as file:
        return pd.read_csv(file, dtype={"source_root_id": str, "root_id": str})


def main(folder: Path) -> None:
    """Write the tables, and the senses for the default odorant."""
    odour_responses(folder).to_csv(DATA / "odour_responses.csv", index=False)
    odour_neurons(folder).to_csv(DATA / "odour_neurons.csv", index=False)
    odour_synapses(folder).to_csv(DATA / "odour_synapses.csv", index=False)
    senses(DEFAULT).to_csv(DATA / "senses_odour.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
