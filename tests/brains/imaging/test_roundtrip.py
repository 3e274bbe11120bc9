"""With the truth in place of every stage the connectome comes back; spoilt truths lose what they spoil."""

import numpy as np
import pytest

from animat.brains.imaging.roundtrip import GROUPS, ablation, round_trip, true_stages
from animat.brains.imaging.tables import read_table, write_table
from animat.brains.imaging.tissue import TissueSettings, grow
from animat.brains.imaging.tissue_circuits import random_circuit
from animat.brains.imaging.tissue_damage import STANDARD_DAMAGE
from animat.brains.imaging.workspace import Workspace
from animat.registry import UnknownNameError

SHAPE = (48, 64, 72)


@pytest.fixture(scope="module")
def tissue():
    rng = np.random.default_rng(5)
    return grow(random_circuit(4, rng, out_degree=2), SHAPE, rng, TissueSettings(damage=STANDARD_DAMAGE, barcodes=1))


def test_the_truth_gives_the_connectome_back(tissue, tmp_path):
    result = round_trip(tissue, tmp_path, true_stages(tissue))
    assert result.edges.plain.f1 == 1
    assert result.edges.weighted.f1 == pytest.approx(1)
    assert result.synapses.f1 == result.partners.f1 == 1
    assert result.segmentation.voi == 0


def test_a_merge_of_two_neurons_loses_edges(tissue, tmp_path):
    def merge(space):
        labels = tissue.truth.labels.copy()
        labels[labels == 2] = 1
        space.create("proofread", labels.shape, labels.dtype, tissue.truth.voxel_nm)[:] = labels

    result = round_trip(tissue, tmp_path, {**true_stages(tissue), "proofread": merge})
    assert result.edges.plain.f1 < 1
    assert result.segmentation.voi_merge > 0


def test_lost_synapses_lower_recall_and_turned_ones_precision(tissue, tmp_path):
    stages = true_stages(tissue)

    def spoil(change):
        def run(space):
            stages["synapses"](space)
            write_table(space, "synapses", change(read_table(space, "synapses")))

        return {**stages, "synapses": run}

    lost = round_trip(tissue, tmp_path / "lost", spoil(lambda table: table.iloc[::2]))
    turned = round_trip(
        tissue, tmp_path / "turned", spoil(lambda table: table.rename(columns={"pre": "post", "post": "pre"}))
    )
    assert lost.synapses.precision == 1
    assert lost.synapses.recall < 0.6
    assert turned.partners.f1 < 1


def test_sections_are_put_back_where_they_belong(tissue, tmp_path):
    space = Workspace(tmp_path)
    true_stages(tissue)["align"](space)
    whole = ~np.asarray(space.array("aligned_invalid")[:])
    whole[tissue.damaged["z"]] = False
    whole[:, :20], whole[:, -20:], whole[:, :, :20], whole[:, :, -20:] = False, False, False, False
    found, clean = np.asarray(space.array("aligned")[:])[whole], tissue.clean.data[whole]
    assert np.corrcoef(found, clean)[0, 1] > 0.8
    assert np.corrcoef(tissue.volume.data[whole], clean)[0, 1] < 0.5


def test_the_ablation_has_a_row_for_every_group_of_stages(tissue, tmp_path):
    table = ablation(tissue, tmp_path, true_stages(tissue))
    assert len(table) == len(GROUPS) + 1
    assert (table["f1"] == 1).all()
    assert table["true"].iloc[0] == "none"


def test_a_missing_stage_is_named(tissue, tmp_path):
    with pytest.raises(UnknownNameError, match="'align' is missing"):
        round_trip(tissue, tmp_path, {name: stage for name, stage in true_stages(tissue).items() if name != "align"})
