"""The notebooks say what their scripts say, show what the code gives, and name no machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))
LARGEST = 1_500_000  # bytes

pytestmark = pytest.mark.skipif(not SCRIPTS, reason="the notebooks are not beside the tests")
each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def cells(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


@pytest.mark.slow
@each
def test_script_and_notebook_hold_the_same_cells(script: Path) -> None:
    stored = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert cells(stored) == cells(jupytext.read(script)), "run: python notebooks/build.py"


@each
def test_every_code_cell_was_executed_in_order_without_errors(script: Path) -> None:
    stored = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]


@each
def test_the_notebook_holds_nothing_of_the_machine(script: Path) -> None:
    path = script.with_suffix(".ipynb")
    text = path.read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["metadata"] == {
        "jupytext": {"formats": "ipynb,py:percent"},
        "language_info": {"name": "python"},
    }
    assert all(cell["metadata"] == {} for cell in stored["cells"])
    assert not re.search(r"/home/|/tmp/|/root/|/Users/|[A-Z]:\\\\", text)
    assert path.stat().st_size < LARGEST


@each
def test_the_notebook_imports_only_public_names(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert re.findall(r"^.*\brnetstats\b.*import.*$|^import rnetstats.*$", text, re.M) == [
        "import rnetstats as rn"
    ]
    import rnetstats as rn

    used = set(re.findall(r"\brn\.(\w+)", text))
    assert used <= set(rn.__all__)


@pytest.mark.slow
def test_a_clean_kernel_gives_what_is_stored() -> None:
    done = run("--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnet_like_a.csv", "rnet_like_a_missing.csv"])
@pytest.mark.parametrize(
    ("stem", "counted"),
    [
        ("01_duan2024", r"^527 patients, \d+ recurrences$"),
        ("02_prediction_model", r"^\d+ patients, \d+ positive margins \(\d+ %\)\.$"),
        (
            "03_salvage",
            r"^\d+ positive margins, \d+ of them salvaged; "
            r"\d+ recurrences, \d+ recurrences or deaths\.$",
        ),
    ],
)
def test_the_notebook_runs_on_a_file_of_ones_own(
    stem: str, counted: str, name: str, tmp_path: Path
) -> None:
    file = ROOT / "tests" / "reference" / "data" / name
    assert re.search(counted, on_own_file(stem, file, tmp_path), re.M)


def on_own_file(stem: str, file: Path, folder: Path) -> str:
    """Run a notebook on a file; return what it prints."""
    script = (FOLDER / f"{stem}.py").read_text(encoding="utf-8")
    assert script.count("\nFILE = None") == 1
    own = script.replace("\nFILE = None", f"\nFILE = {str(file)!r}")
    (folder / f"{stem}.py").write_text(own, encoding="utf-8")
    shutil.copytree(ROOT / "data" / "synthetic", folder / "data" / "synthetic")
    done = run("--folder", str(folder))
    assert done.returncode == 0, done.stderr
    made = nbformat.read(folder / f"{stem}.ipynb", as_version=4)
    outputs = [o for c in made.cells for o in c.get("outputs", [])]
    shown = [o.get("text", o.get("data", {}).get("text/plain", "")) for o in outputs]
    return "\n".join(shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "file", "counted"),
    [
        ("04_cha2019", "data/synthetic/cha2019_null.csv", r"0 of 44, at most"),
        ("05_nelm2024", "data/synthetic/nelm2024_null.csv", r"counts that print as 71\.4 %: 5/7"),
        ("07_management", "tests/reference/data/rnet_like_a.csv", r"no rule|cannot be applied"),
    ],
)
def test_notebooks_of_other_documents_run_on_a_file_of_ones_own(
    stem: str, file: str, counted: str, tmp_path: Path
) -> None:
    own = tmp_path / "mine.csv"  # another content than any embedded cohort: no mark of synthetic
    own.write_bytes((ROOT / file).read_bytes() + b"\n")
    shown = on_own_file(stem, own, tmp_path)
    assert re.search(counted, shown, re.M)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # a kernel of its own process: its warnings are not those of the package
    return subprocess.run(
        [sys.executable, str(FOLDER / "build.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ | {"PYTHONWARNINGS": "default"},
    )
