"""Rooms import only downward; importing the package loads no third-party module."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rnetstats

PACKAGE = Path(rnetstats.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# From the ground up. Rooms of one height do not import each other.
HEIGHT = {
    "errors": 0,
    "formatting": 0,
    "_core": 1,
    "kernels": 1,
    "plots": 2,
    "data": 2,
    "formula": 2,
    "tables": 3,
    "survival": 4,
    "regression": 5,
    "missing": 6,
    "treatment": 7,
    "prediction": 7,
    "simulation": 8,
    "evidence": 9,
    "studies": 10,
    "report": 11,
    "cli": 12,
    "__main__": 13,
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports, at any depth, type-checking imports included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            found.add(node.module or "")
            if node.module == "rnetstats":
                found.update(f"rnetstats.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_only_downward(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in HEIGHT, f"{room} has no place among the rooms"
    for name in imported_modules(path):
        parts = name.split(".")
        if parts[0] != "rnetstats" or len(parts) == 1 or parts[1] == "__version__":
            continue
        other = parts[1]
        if other == room:
            continue
        assert other in HEIGHT, f"{path.name} imports {name}"
        assert HEIGHT[other] < HEIGHT[room], f"{room} imports {other}, which is not below it"


def test_kernels_import_numpy_only() -> None:
    allowed = set(sys.stdlib_module_names) | {"numpy", "rnetstats"}
    for path in (PACKAGE / "kernels").glob("*.py"):
        for name in imported_modules(path):
            assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
            if name.startswith("rnetstats"):
                assert name.startswith("rnetstats.kernels"), f"{path.name} imports {name}"


def test_matplotlib_is_imported_only_by_plots() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:  # module level; type-checking blocks are nested
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            heavy = {name.split(".")[0] for name in names} & {
                "matplotlib",
                "statsmodels",
                "lifelines",
            }
            assert not heavy or (room_of(path) == "plots" and heavy == {"matplotlib"}), path


def test_bare_import_loads_no_third_party_module() -> None:
    code = (
        "import sys; before = set(sys.modules); import rnetstats, json;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    loaded = {name.split(".")[0] for name in json.loads(shown)}
    assert loaded <= set(sys.stdlib_module_names) | {"rnetstats"}, loaded


def test_every_public_name_loads_and_shadows_no_module() -> None:
    top_level = {path.stem if path.suffix else path.name for path in PACKAGE.iterdir()}
    for name in rnetstats.__all__:
        value = getattr(rnetstats, name)
        if name in {"__version__", "errors"}:
            continue
        assert callable(value), name
        assert value.__doc__, f"{name} has no docstring"
        assert name not in top_level, f"{name} is also a module of the package"
    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = rnetstats.nothing_like_this
    assert set(dir(rnetstats)) >= set(rnetstats.__all__)


def test_every_module_can_be_imported_alone() -> None:
    for path in MODULES:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] == "__main__":
            continue
        importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
