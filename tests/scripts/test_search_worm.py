"""The search of the worm's assumed numbers starts from the shipped worm and asks for what its episodes measure."""

import numpy as np
import pytest

from animat.organisms.organism import make
from animat.scripts.search_worm import (
    FREE,
    HELD_OUT,
    SEEDS,
    TARGETS,
    episode,
    evaluate,
    parameters,
    search,
    shipped,
    worm_with,
)


def test_the_shipped_values_are_inside_their_ranges_and_rebuild_the_shipped_worm():
    values = shipped("graded")
    shares = [parameter.encode(values[parameter.name]) for parameter in parameters("graded")]
    assert all(0 < share < 1 for share in shares)
    rebuilt, worm = (organism.brain("graded").network for organism in (worm_with(FREE["graded"], values), make("worm")))
    for kind in ("chemical", "electrical"):
        np.testing.assert_array_equal(getattr(rebuilt, kind).toarray(), getattr(worm, kind).toarray())
    for name in ("v_half_mv", "plateau_mv", "tonic_mv"):
        np.testing.assert_allclose(getattr(rebuilt.cells, name), getattr(worm.cells, name), rtol=1e-5)


def test_every_target_is_measured_and_an_evaluation_depends_on_nothing_but_values_and_seed():
    values = shipped("graded")
    first = evaluate(values, SEEDS[0], "graded")
    assert np.isfinite([first[target.measure] for target in TARGETS["graded"]]).all()
    episode.cache_clear()
    assert evaluate(values, SEEDS[0], "graded") == first


def test_the_benchmarks_seeds_are_neither_searched_on_nor_held_out():
    from animat.scripts import bench_behaviour

    assert not set(bench_behaviour.SEEDS) & {*SEEDS, *HELD_OUT}


def test_a_misspelt_start_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(KeyError, match="start has no parameter 'chemical'; did you mean 'chemical_mv'"):
        search("graded", {"chemical": 3.0}, 0.05, 1, 0, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()
