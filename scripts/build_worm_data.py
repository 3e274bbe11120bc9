"""Rebuilds organisms/worm/data from published tables, byte for byte.

A development tool: animat never imports what it needs. In an environment of its own:

    pip install --no-deps cect==0.3.5 c302==0.12.1 wormneuroatlas==0.0.7.3
    pip install numpy networkx pandas openpyxl
    python scripts/build_worm_data.py --fenyves PATH/journal.pcbi.1007974.s003.xlsx [--check]

`cect` and `c302` (both MIT) carry the published tables. The sign table is the third supplement of Fenyves et al. 2020,
read as data; it can be downloaded from the paper's page or taken from the wormneuroatlas wheel, none of whose code is
used. organisms/worm/data/README.md names every source.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import importlib.util
import io
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = tuple[object, ...]
Table = tuple[Sequence[str], list[Row]]

DATA = Path(__file__).resolve().parents[1] / "organisms" / "worm" / "data"
CORD_CLASSES = {"AS", "DA", "DB", "DD", "VA", "VB", "VC", "VD"}
# classes whose members also differ in D or V, as White et al. 1986 group them
DORSOVENTRAL_CLASSES = (
    "CEP", "IL1", "IL2", "OLQ", "RMD", "RME", "SAA", "SAB", "SIA", "SIB", "SMB", "SMD", "URA", "URY",
)  # fmt: skip
TRANSMITTERS = {
    "Acetylcholine": "acetylcholine",
    "Glutamate": "glutamate",
    "GABA": "GABA",
    "Betaine": "betaine",
    "Dopamine": "dopamine",
    "Serotonin": "serotonin",
    "Tyramine": "tyramine",
    "Octopamine": "octopamine",
}
TRANSMITTER_SIGNS = {"acetylcholine": 1, "GABA": -1}
PREDICTED_SIGNS = {"+": 1, "-": -1}


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Sorting key that puts DB2 before DB10."""
    return tuple((text, int(digits or -1)) for text, digits in re.findall(r"(\D+|^)(\d*)", name))


def class_and_side(name: str, names: set[str]) -> tuple[str, str]:
    """Cell class (White et al. 1986) and side: L or R for one of a pair, M for an unpaired cell."""
    cord = name.rstrip("0123456789")
    if cord in CORD_CLASSES:
        return cord, "M"
    other = {"L": "R", "R": "L"}.get(name[-1])
    paired = other is not None and name[:-1] + other in names
    stem = name[:-1] if paired else name
    for group in DORSOVENTRAL_CLASSES:
        if stem in (group, group + "D", group + "V"):
            stem = group
            break
    return stem, name[-1] if paired else "M"


def roles(names: Iterable[str]) -> dict[str, str]:
    """Cook et al. 2019 grouping; polymodal pharyngeal cells and CAN stay unclassified."""
    from cect import Cells

    groups = {"sensory": Cells.SENSORY_NEURONS_COOK, "inter": Cells.INTERNEURONS_COOK, "motor": Cells.MOTORNEURONS_COOK}
    return {name: next((role for role, cells in groups.items() if name in cells), "unclassified") for name in names}


def transmitters() -> dict[str, str]:
    """Wang et al. 2024: what each neuron makes and packs, in the order listed there; uptake alone does not count."""
    from cect.readers.Wang2024Reader import Wang2024Reader

    listed: Mapping[str, Sequence[str | None]] = Wang2024Reader(sex="Hermaphrodite").all_neurotransmitters
    return {cell: "+".join(TRANSMITTERS[t] for t in found if t in TRANSMITTERS) for cell, found in listed.items()}


def somata() -> dict[str, tuple[float, float, float]]:
    """Soma positions, um, of the Virtual Worm as NeuroML in c302: x right to left, y head to tail, z belly to back."""
    spec = importlib.util.find_spec("c302")
    if spec is None or spec.origin is None:
        raise SystemExit("c302 is not installed; see the top of this file")
    positions = {}
    for path in sorted((Path(spec.origin).parent / "NeuroML2").glob("*.cell.nml")):
        namespace = {"n": "http://www.neuroml.org/schema/neuroml2"}
        soma = ET.parse(path).getroot().find("n:cell/n:morphology/n:segment/n:proximal", namespace)
        if soma is not None:
            positions[path.name.split(".")[0]] = (
                float(soma.attrib["x"]),
                float(soma.attrib["y"]),
                float(soma.attrib["z"]),
            )
    return positions


def predicted_signs(workbook: Path) -> dict[tuple[str, str], int]:
    """Fenyves et al. 2020, sheet 5: sign of each chemical connection from transmitter and receptor genes."""
    from openpyxl import load_workbook

    sheet = load_workbook(workbook, read_only=True, data_only=True)["5. Sign prediction"]
    signs = {}
    for row in sheet.iter_rows(min_row=3, values_only=True):
        if row[0] and row[16] in PREDICTED_SIGNS:
            pre, post = (re.sub(r"(?<=[A-Z])0(?=\d)", "", str(row[column])) for column in (0, 3))
            signs[pre, post] = PREDICTED_SIGNS[str(row[16])]
    return signs


def transmitter_sign(transmitter: str) -> tuple[int, str]:
    """Sign that the first-listed transmitter suggests, and the provenance of that sign."""
    sign = TRANSMITTER_SIGNS.get(transmitter.split("+")[0], 0)
    return sign, "derived" if sign else "none"


def neuron_table(names: Sequence[str]) -> Table:
    """One row a neuron, in natural order."""
    role, transmitter, soma = roles(names), transmitters(), somata()
    rows: list[Row] = []
    for name in sorted(names, key=natural):
        group, side = class_and_side(name, set(names))
        rows.append((name, group, role[name], transmitter[name], side, *soma[name]))
    return ("name", "type", "role", "transmitter", "side", "x_um", "y_um", "z_um"), rows


def connections(reader: str) -> Iterator[tuple[str, str, str, float]]:
    """Connections of a cect reader's cached table: pre, post, syntype, number."""
    from cect.ConnectomeDataset import get_cache_filename, load_connectome_dataset_file

    dataset: Any = load_connectome_dataset_file(get_cache_filename(reader))
    for connection in dataset.get_current_connection_info_list():
        yield connection.pre_cell, connection.post_cell, connection.syntype, float(connection.number)


def synapse_table(names: set[str], transmitter: Mapping[str, str], signs: Mapping[tuple[str, str], int]) -> Table:
    """Chemical and electrical connections of Cook et al. 2019, monoamine ones of Bentley et al. 2016."""
    rows: list[Row] = []
    for pre, post, syntype, number in connections("Cook2019HermReader"):
        if pre not in names or post not in names:
            continue
        if syntype != "Chemical":
            rows.append((pre, post, "electrical", number, 1, "measured", "derived"))
            continue
        sign, known = transmitter_sign(transmitter[pre])
        if (pre, post) in signs:
            sign, known = signs[pre, post], "published"
        rows.append((pre, post, "chemical", number, sign, "measured", known))
    rows += [
        (pre, post, "modulatory", number, 0, "derived", "none")
        for pre, post, _, number in connections("Bentley2016MAReader")
    ]
    rows.sort(key=lambda row: (str(row[2]), natural(str(row[0])), natural(str(row[1]))))
    return ("pre", "post", "kind", "count", "sign", "provenance", "sign_provenance"), rows


def muscle_tables(names: set[str], transmitter: Mapping[str, str]) -> dict[str, Table]:
    """Neuron to muscle, chemical and electrical, and muscle to muscle, all of Cook et al. 2019."""
    from cect.Cells import BODY_WALL_MUSCLE_NAMES

    muscles = set(BODY_WALL_MUSCLE_NAMES)
    chemical: list[Row] = []
    gaps: list[Row] = []
    between: list[Row] = []
    for pre, post, syntype, number in connections("Cook2019HermReader"):
        if pre in names and post in muscles and syntype == "Chemical":
            chemical.append((pre, post, number, *transmitter_sign(transmitter[pre])))
        elif pre in names and post in muscles:
            gaps.append((pre, post, number))
        elif pre in muscles and post in muscles:
            between.append((pre, post, number))
    for rows in (chemical, gaps, between):
        rows.sort(key=lambda row: (natural(str(row[0])), natural(str(row[1]))))
    return {
        "neuromuscular.csv": (("neuron", "muscle", "count", "sign", "sign_provenance"), chemical),
        "neuromuscular_gap.csv": (("neuron", "muscle", "count"), gaps),
        "muscle_gap.csv": (("pre", "post", "count"), between),
    }


def text_of(table: Table) -> bytes:
    """The table as CSV; numbers to 0.001 (the somata carry single-precision noise below that)."""
    header, rows = table
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([f"{round(cell, 3):.10g}" if isinstance(cell, float) else cell for cell in row])
    return out.getvalue().encode()


def build(fenyves: Path) -> dict[str, bytes]:
    """Every table as the bytes of its CSV, by file name without `.gz`."""
    from cect.Cells import PREFERRED_HERM_NEURON_NAMES

    neurons = neuron_table(PREFERRED_HERM_NEURON_NAMES)
    transmitter = {str(row[0]): str(row[3]) for row in neurons[1]}
    names = set(transmitter)
    tables = {
        "neurons.csv": neurons,
        "synapses.csv": synapse_table(names, transmitter, predicted_signs(fenyves)),
        **muscle_tables(names, transmitter),
    }
    return {name: text_of(table) for name, table in tables.items()}


def sums(tables: Mapping[str, bytes]) -> str:
    """SHA-256 of each CSV, in the format of `sha256sum`; of the text, so that it does not depend on the zlib in use."""
    return "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in sorted(tables.items()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or with --check compare them with the shipped ones; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fenyves", type=Path, required=True, help="journal.pcbi.1007974.s003.xlsx")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if SHA256SUMS differs")
    options = parser.parse_args(arguments)
    tables = build(options.fenyves)
    if options.check:
        shipped = (DATA / "SHA256SUMS").read_text()
        print("same" if shipped == sums(tables) else f"differs; rebuilt:\n{sums(tables)}shipped:\n{shipped}")
        return int(shipped != sums(tables))
    for name, text in tables.items():
        (DATA / f"{name}.gz").write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
    (DATA / "SHA256SUMS").write_text(sums(tables))
    print(f"wrote {len(tables)} tables to {DATA}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
