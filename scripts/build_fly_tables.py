"""Makes the tables of organisms/fly/data from published ones.

Usage: python -m animat.scripts.build_fly_tables FOLDER

FOLDER holds, under these names, copies of
  manc_v121_io_neurons.csv.gz        sensory and motor neurons of the male nerve cord (MANC v1.2.1, Marin et al. 2024)
  wT_manc.csv.gz                     cells of the front-leg network with their volumes (Pugliese et al. 2025)
  fanc_T1L_*                         premotor and motor neurons of a left front leg (Lesser, Azevedo et al. 2024)
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from ..organisms.fly.wiring import DATA

MANC = "MANC v1.2.1 (Marin et al. 2024 eLife 13:RP97766; Takemura et al. 2024 eLife 13:RP97769; CC BY 4.0)"
PUGLIESE = "volume over the median volume of the front-leg network: Pugliese et al. 2025 doi:10.1101/2025.09.12.675944"
FANC = "FANC v840 premotor matrix of the left front leg (Lesser, Azevedo et al. 2024 Nature 631:369)"
PAIRS = {"T1": "F", "T2": "M", "T3": "H"}
NERVES = {"ProLN": "F", "ProAN": "F", "VProN": "F", "DProN": "F", "MesoLN": "M", "MetaLN": "H"}

POOLS = {  # motor neuron type of MANC -> pool
    "Tergopleural/Pleural promotor MN": "promotor",
    "Pleural remotor/abductor MN": "remotor",
    "Sternal posterior rotator MN": "rotator_posterior",
    "Sternal adductor MN": "adductor",
    "Sternal anterior rotator MN": "rotator_anterior",
    "Tergotr. MN": "trochanter_extensor",
    "Sternotrochanter MN": "trochanter_extensor",
    "Tr extensor MN": "trochanter_extensor",
    "Tr flexor MN": "trochanter_flexor",
    "Acc. tr flexor MN": "trochanter_flexor",
    "Fe reductor MN": "reductor",
    "Ti extensor MN": "tibia_extensor",
    "Ti flexor MN": "tibia_flexor",
    "Acc. ti flexor MN": "tibia_flexor",
    "Ta depressor MN": "tarsus_depressor",
    "Ta levator MN": "tarsus_levator",
    "ltm MN": "long_tendon",
    "ltm1-tibia MN": "long_tendon",
    "ltm2-femur MN": "long_tendon",
}
MUSCLES = {  # muscle of the FANC table -> pool; the few unidentified tarsus cells are left out
    "tergopleural_promotor_pleural_promotor_miller_28_30": "promotor",
    "pleural_remotor_and_abductor_miller_29": "remotor",
    "sternal_posterior_rotator_miller_32": "rotator_posterior",
    "sternal_adductor_miller_miller_in_thorax_miller_33": "adductor",
    "sternal_anterior_rotator_miller_31": "rotator_anterior",
    "extracoxal_trochanter_depressor": "trochanter_extensor",
    "tergotrochanter": "trochanter_extensor",
    "trochanter_extensor": "trochanter_extensor",
    "trochanter_flexor": "trochanter_flexor",
    "trochanter_promotor": "trochanter_flexor",
    "femur_reductor": "reductor",
    "tibia_extensor": "tibia_extensor",
    "main_tibia_flexor": "tibia_flexor",
    "auxiliary_tibia_flexor": "tibia_flexor",
    "ltm": "long_tendon",
}
SIGNS = {"Ach": "excitatory", "GABA": "inhibitory", "Glu": "inhibitory"}


def motor_neurons(folder: Path) -> pd.DataFrame:
    """One row a typed leg motor neuron: name, type, pool, leg, MANC body, size relative to the median cell."""
    cells = pd.read_csv(folder / "manc_v121_io_neurons.csv.gz", dtype=str)
    cells = cells[(cells["class"] == "motor neuron") & cells["type"].isin(POOLS)]
    # some types also stand for cells without a soma side; the side is then that of the nerve
    side = cells["somaSide"].str[:1].where(cells["somaSide"].str[:1].isin(["L", "R"]), cells["name"].str[-1])
    table = pd.DataFrame({"type": cells["type"], "body_id": cells["bodyid"]})
    table["leg"] = side + cells["somaNeuromere"].map(PAIRS)
    table["pool"] = table["type"].map(POOLS)
    table = table.sort_values(["leg", "pool", "type", "body_id"]).reset_index(drop=True)
    number = table.groupby(["type", "leg"]).cumcount() + 1
    table.insert(0, "name", table["type"] + "_" + table["leg"] + "_" + number.astype(str))
    sizes = _sizes(folder)
    table["size"] = table["type"].map(sizes).round(3)
    table["provenance"] = "measured"
    table["source"] = f"{MANC}; size is the type's median in the front legs"
    return table


def _sizes(folder: Path) -> pd.Series:
    cells = pd.read_csv(folder / "wT_manc.csv.gz", low_memory=False)
    motor = cells[cells["class"] == "motor neuron"]
    return motor.groupby("type")["size"].median() / cells["size"].median()


def premotor(folder: Path) -> pd.DataFrame:
    """Synapses from groups of premotor cells to motor pools.

    A group is all local and intersegmental cells of one sign whose contacts are strongest, per motor neuron, on one
    pool. Columns: group sign, group pool, cells, pool, synapses (all of the group on all of the pool), motor_neurons.
    """
    cells = pd.read_csv(folder / "fanc_T1L_premotor_neurons.csv", dtype=str).drop_duplicates("segID")
    motor = pd.read_csv(folder / "fanc_T1L_motor_neurons.csv", dtype=str)
    edges = pd.read_csv(folder / "fanc_T1L_premotor_to_motor_edges.csv.gz", dtype={"pre": str, "post": str})
    motor = motor.assign(pool=motor["muscle"].map(MUSCLES)).dropna(subset=["pool"])
    count = motor.groupby("pool").size()
    cells = cells[cells["cell_class"].isin(["local", "intersegmental"])].assign(sign=cells["NT"].map(SIGNS))
    joined = edges.drop_duplicates().merge(motor[["segID", "pool"]], left_on="post", right_on="segID")
    joined = joined.merge(cells[["segID", "sign"]].dropna(), left_on="pre", right_on="segID", suffixes=("", "_pre"))
    by_cell = joined.pivot_table(index=["sign", "pre"], columns="pool", values="syn", aggfunc="sum", fill_value=0)
    favourite = (by_cell / count.reindex(by_cell.columns)).idxmax(axis=1).rename("group")
    groups = by_cell.groupby(["sign", favourite]).sum()
    size = by_cell.groupby(["sign", favourite]).size()
    rows = groups.reset_index().melt(["sign", "group"], var_name="pool", value_name="synapses")
    rows = rows.sort_values(["sign", "group", "pool"]).reset_index(drop=True)
    rows["cells"] = [int(size[key]) for key in zip(rows["sign"], rows["group"], strict=True)]
    rows["motor_neurons"] = rows["pool"].map(count)
    rows["provenance"], rows["source"] = "derived", f"{FANC}, summed over cells and motor neurons"
    return rows[["sign", "group", "cells", "pool", "synapses", "motor_neurons", "provenance", "source"]]


def sensory_neurons(folder: Path) -> pd.DataFrame:
    """How many proprioceptive cells of each type enter by each leg's nerves."""
    cells = pd.read_csv(folder / "manc_v121_io_neurons.csv.gz", dtype=str)
    cells = cells[cells["class"].isin(["sensory neuron", "sensory ascending"])]
    nerve = cells["name"].str.extract(r"_([A-Za-z]+)_[LR]$")[0]
    leg = cells["name"].str[-1] + nerve.map(NERVES)
    kept = cells["type"].isin(["SNpp39", "SNpp41", "SNpp45", "SNpp50", "SNpp51", "SNpp52", "SNpp53"]) & leg.notna()
    table = pd.DataFrame({"type": cells["type"][kept], "leg": leg[kept]})
    rows = table.groupby(["type", "leg"]).size().rename("cells").reset_index()
    rows["provenance"], rows["source"] = "measured", MANC
    return rows


def main() -> None:
    """Write the three tables."""
    folder = Path(sys.argv[1])
    DATA.mkdir(exist_ok=True)
    for name, make in (
        ("motor_neurons", motor_neurons),
        ("premotor", premotor),
        ("sensory_neurons", sensory_neurons),
    ):
        path = DATA / f"{name}.csv"
        make(folder).to_csv(path, index=False, lineterminator="\n")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
