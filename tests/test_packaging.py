"""animat installs as one package whose rooms are the folders at the top of the repository."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from animat import env_id
from animat.organisms.organism import ORGANISMS, make

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("bodies", "brains", "envs", "organisms", "scripts")
HEAVY = ("mujoco", "brian2", "pandas", "matplotlib", "numba", "networkx", "scipy", "imageio", "torch")


def run_python(code: str, cwd: Path, *options: str) -> str:
    done = subprocess.run([sys.executable, *options, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_a_relative_link_under_src(room: str):
    link = ROOT / "src" / "animat" / room
    assert link.is_symlink()
    assert link.readlink() == Path("..", "..", room)
    assert (link / "__init__.py").is_file()


def test_importing_animat_loads_nothing_heavy(tmp_path: Path):
    code = f"import sys, animat; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert run_python(code, tmp_path) == "[]"


def test_importing_animat_takes_under_300_ms(tmp_path: Path):
    # of the processor: what other processes take does not count
    code = "import time; start = time.process_time(); import animat; print(time.process_time() - start)"
    best = min(float(run_python(code, tmp_path)) for _ in range(5))
    assert best < 0.3


def test_importing_animat_registers_one_environment_for_each_task_of_each_organism(tmp_path: Path):
    code = "import gymnasium, animat; print(*(i for i in gymnasium.registry if i.startswith('animat/')))"
    ids = run_python(code, tmp_path).split()
    tasks = {name: make(name).tasks for name in ORGANISMS}
    assert ids == [env_id(name, task) for name in tasks for task in tasks[name]]


def test_the_module_prefix_imports_animat_by_itself(tmp_path: Path):
    code = "import gymnasium; print(gymnasium.make('animat:animat/WormCrawl-v0').spec.kwargs['task'])"
    assert run_python(code, tmp_path) == "crawl"


def test_a_users_own_folder_named_like_a_room_does_not_shadow_ours(tmp_path: Path):
    (tmp_path / "brains").mkdir()
    (tmp_path / "brains" / "__init__.py").write_text("raise RuntimeError('shadowed')")
    assert run_python("from animat.brains.connectome import Source; print(Source('x').citation)", tmp_path) == "x"


def test_importing_a_room_by_its_bare_name_fails_instead_of_loading_it_twice():
    done = subprocess.run(
        [sys.executable, "-c", "import brains.connectome"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "ImportError" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_wheel_and_sdist_hold_every_room_and_table(tmp_path: Path):
    copy = tmp_path / "animat"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), str(copy)], check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    tracked = subprocess.run(["git", "ls-files", *ROOMS], cwd=copy, capture_output=True, text=True, check=True).stdout
    expected = {f"animat/{name}" for name in tracked.split() if name.endswith((".py", ".csv", ".gz", "SHA256SUMS"))}
    assert expected | {"animat/py.typed"} <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        members = {member.name.split("/", 2)[2]: member for member in archive if "/src/" in member.name}
    assert expected <= set(members)
    assert all(members[name].isfile() for name in expected)


@pytest.mark.slow
def test_a_room_that_is_a_file_instead_of_a_link_stops_the_build(tmp_path: Path):
    (tmp_path / "src" / "animat").mkdir(parents=True)
    (tmp_path / "src" / "animat" / "envs").write_text("../../envs")
    (tmp_path / "setup.py").write_text((ROOT / "setup.py").read_text())
    done = subprocess.run(
        [sys.executable, "setup.py", "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "git config core.symlinks true" in done.stderr
