"""`animat validate` on a small synthetic atlas."""

import json
import subprocess
import sys

import numpy as np
import pytest

from animat.brains.atlas import Atlas
from animat.organisms.functional import closed_form
from animat.organisms.organism import make


def animat(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "animat", *arguments], capture_output=True, text=True)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> str:
    """Thirty stimulated neurons of the default network itself."""
    worm, folder = make("worm"), tmp_path_factory.mktemp("atlas")
    response = closed_form(worm, "default")(worm.connectome)
    response[:, 30:] = np.nan
    np.fill_diagonal(response, np.nan)
    q = np.where(np.abs(response) > np.nanquantile(np.abs(response), 0.9), 0.01, 0.5)
    names, trials = worm.connectome.names, (~np.isnan(response)).astype(np.int64)
    Atlas(names=names, response=response, q=q, observations=trials).save(folder)
    return str(folder)


def test_validate_prints_one_object_writes_it_and_draws_a_picture(atlas, tmp_path):
    options = ("--network", "default", "--draws", "1", "--resamples", "10", "--no-simulate", "--json")
    run = animat("validate", "worm", "--atlas", atlas, *options, "--out", str(tmp_path / "out"))
    assert run.stderr == ""
    report = json.loads(run.stdout)
    assert report == json.loads((tmp_path / "out" / "validation.json").read_text())
    rows = {row["name"]: row for row in report["rows"]}
    assert rows["default"]["score"]["auc"]["value"] == 1.0
    assert rows["soma distance"]["score"]["balanced_sign"] is None
    assert rows["default"]["controls"]["degree"]["auc"]["mean"] < 0.8
    assert report["met"] is True
    assert (tmp_path / "out" / "roc.png").read_bytes().startswith(b"\x89PNG")


def test_validate_without_an_atlas_says_where_one_is(tmp_path):
    run = animat("validate", "worm", "--atlas", str(tmp_path / "none.h5"))
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "funatlas.h5 is inside the wormneuroatlas wheel" in run.stderr


def test_an_unknown_network_gets_the_nearest_name(atlas):
    run = animat("validate", "worm", "--atlas", atlas, "--network", "defalt")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "animat: no network 'defalt'; did you mean 'default'?\n"
