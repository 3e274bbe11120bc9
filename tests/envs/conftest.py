"""Environments and recordings that several test files look at; made once."""

import pytest

from animat.envs.organism_env import OrganismEnv
from animat.envs.recorder import Recording, run_episode


@pytest.fixture(scope="session")
def crawl() -> Recording:
    """Ten seconds of the intact worm on agar."""
    return run_episode(OrganismEnv(), seed=0)


@pytest.fixture(scope="session")
def short() -> Recording:
    """One second of the intact worm."""
    return run_episode(OrganismEnv(duration_s=1.0), seed=0)
