"""The layer law, read from the imports: nothing imports upward, bodies and brains do not know each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "bodies": set(),
    "brains": set(),
    "organisms": {"bodies", "brains"},
    "envs": {"bodies", "brains", "organisms"},
    "scripts": {"bodies", "brains", "organisms", "envs"},
}
FILES = sorted(path.relative_to(ROOT) for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))


def imported_modules(path: Path, source: str) -> set[str]:
    """Every module an import names, absolute, with the rooms as animat.<room>, wherever in the file it stands."""
    package = ("animat", *path.parts[:-1])
    modules = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *filter(None, [node.module])))
            modules |= {stem} | {f"{stem}.{alias.name}" for alias in node.names}
    return modules


def rooms_of(modules: set[str]) -> set[str]:
    return {module.split(".")[1] for module in modules if module.startswith("animat.")} & set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_room_imports_only_rooms_below_it(path: Path):
    room = path.parts[0]
    rooms = rooms_of(imported_modules(path, (ROOT / path).read_text()))
    assert rooms <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_inside_the_package_imports_of_it_are_relative(path: Path):
    absolute = {
        module
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    assert not {module.split(".")[0] for module in absolute} & {"animat", *MAY_IMPORT}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_nothing_is_unpickled_or_evaluated(path: Path):
    tree = ast.parse((ROOT / path).read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec"}
    assert not {module.split(".")[0] for module in imported_modules(path, (ROOT / path).read_text())} & {
        "pickle",
        "dill",
    }


@pytest.mark.parametrize(
    ("path", "line", "room"),
    [
        ("brains/x.py", "from ..bodies.worm import worm", "bodies"),
        ("brains/engines/x.py", "from ...bodies import worm", "bodies"),
        ("bodies/x.py", "def f():\n    from .. import envs", "envs"),
        ("organisms/worm/x.py", "import animat.envs.tasks", "envs"),
    ],
)
def test_an_upward_import_would_be_seen(path: str, line: str, room: str):
    assert room in rooms_of(imported_modules(Path(path), line)) - MAY_IMPORT[path.split("/")[0]]
