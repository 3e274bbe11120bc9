"""Every organism: it builds, its maps fit its body and connectome, and the audit says so."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animat.bodies.fly_tables import LEGS
from animat.brains.connectome import Connectome, Source
from animat.organisms.audit import audit
from animat.organisms.organism import ORGANISMS, make
from animat.organisms.worm import FOLDER
from animat.registry import UnknownNameError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=sorted(ORGANISMS))
def organism(request):
    return make(request.param)


def test_maps_name_only_what_exists(organism):
    assert audit(organism).unknown_neurons == ()


def test_every_muscle_of_the_worm_and_every_leg_muscle_with_a_known_motor_neuron_of_the_fly_is_driven():
    assert audit(make("worm")).effectors_without_neuron == ()
    legs = [name for name in audit(make("fly")).effectors_without_neuron if name[:2] in LEGS]
    no_motor_neuron = {f"{leg}_femur_antireductor" for leg in LEGS}  # none is known
    tarsi = {f"{leg}_tarsus_{way}" for leg in LEGS if leg[1] != "F" for way in ("levator", "depressor")}
    assert set(legs) == no_motor_neuron | tarsi  # MANC names tarsus motor neurons in the front legs only


def test_every_mapped_sense_reaches_a_muscle(organism):
    assert audit(organism).unreached == ()


def test_the_audit_prints_as_text_and_as_json(organism):
    report = audit(organism)
    assert report.fingerprint[:12] in report.text()
    assert report.as_dict()["neurons"] == organism.connectome.n


def test_every_row_of_every_parameter_table_has_provenance_and_source(organism):
    tables = [organism.dynamics, organism.gains.overrides, organism.sensory.table, organism.effectors.table]
    for table in (table for table in tables if table is not None):
        assert set(table["provenance"]) <= {"measured", "derived", "published", "assumed"}
        assert (table["source"].str.len() > 0).all()


@pytest.mark.parametrize("organism", ["fly", "worm"], indirect=True)  # of one network; of parts: test_composite
def test_ablation_leaves_the_other_weights_alone(organism):
    intact = organism.brain().network
    lost = organism.connectome.names[0]
    ablated = organism.ablate([lost]).brain().network
    assert (intact.chemical.toarray()[1:, 1:] == ablated.chemical.toarray()).all()
    assert (intact.electrical.toarray()[1:, 1:] == ablated.electrical.toarray()).all()


def test_an_unknown_organism_gets_the_near_name():
    with pytest.raises(UnknownNameError, match="no organism 'wrom'; did you mean 'worm'"):
        make("wrom")


def test_ablating_a_neuron_that_never_was_gets_the_near_name():
    with pytest.raises(UnknownNameError, match="no neuron, type or glob 'AVAX'; did you mean 'AVA'"):
        make("worm").ablate(["AVAX"])


def test_the_worm_has_302_neurons_and_162_of_them_drive_its_95_muscles():
    report = audit(make("worm"))
    assert (report.neurons, report.motor_neurons, report.effectors) == (302, 162, 95)
    assert report.path_by_type["ALM"] <= 3


def test_the_generated_worm_maps_are_what_their_script_makes():
    run = subprocess.run(
        [sys.executable, "-m", "animat.scripts.build_worm_maps", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_tonic_drive_but_avb_and_no_clock_in_the_worms_parameters():
    table = pd.read_csv(FOLDER / "dynamics.csv", keep_default_na=False)
    tonic = pd.to_numeric(table["tonic_mv"], errors="coerce").fillna(0.0)
    assert set(table.loc[tonic != 0, "selector"]) == {"AVB"}


def test_a_resting_worm_drives_no_sensory_neuron():
    worm = make("worm")
    body = worm.body()
    channels = [name for labels in body.channels.values() for name in labels]
    drive = worm.sensory.compile(worm.connectome.names, channels, 0.01, worm.reference)
    assert np.abs(drive(np.zeros(len(channels)))).max() == 0.0


def test_the_digest_changes_with_any_table_or_gain_and_with_nothing_else():
    worm = make("worm")
    assert worm.digest == make("worm").digest == worm.ablate(["AVA"]).digest
    louder = worm.sensory.table.copy()
    louder.loc[0, "gain"] *= 1.001
    others = (
        replace(worm, sensory=replace(worm.sensory, table=louder)),
        replace(worm, gains=replace(worm.gains, inhibition=1.0)),
        replace(worm, gains=replace(worm.gains, overrides=None)),
        replace(worm, effectors=replace(worm.effectors, gain=1.0)),
        replace(worm, dynamics=worm.dynamics.iloc[::-1]),
    )
    assert len({worm.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_a_wiring_of_part_of_the_animal_runs_and_the_audit_names_what_it_lacks():
    worm = make("worm")
    part = worm.with_connectome(worm.connectome.subset(["AVM", "AVD", "AVA"]))
    assert part.brain().names == part.connectome.names
    lacking = audit(part).unknown_neurons
    assert "DB1" in lacking
    assert "AVAL" not in lacking


def test_a_reconstruction_without_types_gets_those_of_the_neurons_it_names():
    worm = make("worm")
    neurons = worm.connectome.neurons.assign(type="", role="unclassified", side="", transmitter="")
    blank = Connectome(neurons, worm.connectome.synapses, Source("no types"))
    assert worm.with_connectome(blank).reference.select("DB") == worm.connectome.select("DB")


def test_the_animals_own_wiring_put_back_is_the_same_animal():
    worm = make("worm")
    assert worm.with_connectome(worm.connectome).reference == worm.reference
