"""Writes organisms/fly/data/effectors.csv from the tables of motor neurons and pools.

Usage: python -m animat.scripts.build_fly_maps [--check]
"""

from __future__ import annotations

import sys

import pandas as pd

from ..organisms.fly.wiring import DATA, table

PROBOSCIS = {
    "rostrum_extensor": ("published", "MN9 extends the rostrum: Shiu et al. 2024 Nature 634:210"),
    "haustellum_extensor": ("assumed", "follows the rostrum; its own motor neurons are left out"),
}
COLUMNS = ("effector", "neuron", "weight", "sign", "provenance", "source")


def effectors() -> pd.DataFrame:
    """One row a muscle and motor neuron; all motor neurons of a pool pull alike."""
    rows = []
    motor = table("motor_neurons")
    for pool in table("pools").to_dict("records"):
        for neuron in motor[motor["pool"] == pool["pool"]].to_dict("records"):
            if neuron["leg"][1] in pool["pairs"]:
                rows += [
                    (f"{neuron['leg']}_{effector}", neuron["name"], 1, 1, pool["provenance"], pool["source"])
                    for effector in pool["effectors"].split()
                ]
    for effector in ("rostrum_extensor", "haustellum_extensor"):
        rows += [(effector, f"MN9_{side}", 1, 1, *PROBOSCIS[effector]) for side in "LR"]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["effector", "neuron"])


def main() -> None:
    """Write the table, or with --check only compare it with what is there."""
    path, text = DATA / "effectors.csv", effectors().to_csv(index=False, lineterminator="\n")
    if "--check" in sys.argv[1:]:
        if path.read_text() != text:
            raise SystemExit(f"{path} is not what the tables make; run python -m animat.scripts.build_fly_maps")
        return
    path.write_text(text)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
