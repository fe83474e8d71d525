"""Execute the notebooks' percent scripts and write the .ipynb beside each.

    python notebooks/build.py            # execute and write
    python notebooks/build.py --check    # execute, compare with what is stored, write nothing

The files hold no kernel, path, time or version of the machine: the same code gives the same file.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 300  # seconds a cell


def execute(script: Path) -> NotebookNode:
    """Return a script as an executed notebook without anything of the machine."""
    notebook = jupytext.read(script)
    # figures become part of the notebook whatever the caller's backend is
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # last bits differ between numbers of threads
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(script.parent)}},
    )
    client.execute()
    return cleaned(notebook)


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """Keep the pairing and the language; number the cells instead of naming them at random."""
    notebook.metadata = NotebookNode(
        jupytext={"formats": "ipynb,py:percent"}, language_info={"name": "python"}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    return notebook


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces in which printed text happens to arrive."""
    found: list[NotebookNode] = []
    for output in outputs:
        last = found[-1] if found else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            found.append(output)
    return found


def visible(notebook: NotebookNode) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a reader sees, cell by cell; of a figure only that it is one."""
    return [
        (cell.source, [_seen(output) for output in cell.get("outputs", [])])
        for cell in notebook.cells
    ]


def _seen(output: NotebookNode) -> tuple[str, str]:
    if output.output_type == "stream":
        return output.name, output.text
    if "image/png" in output.get("data", {}):
        return "figure", ""
    return output.output_type, str(output.get("data", {}).get("text/plain", ""))


def differences(stored: NotebookNode, fresh: NotebookNode) -> list[str]:
    """Return a line for each cell that does not show what it showed."""
    old, new = visible(stored), visible(fresh)
    if len(old) != len(new):
        return [f"{len(old)} cells stored, {len(new)} in the script"]
    return [
        f"cell {number} ({source.strip().splitlines()[0]})"
        for number, ((source, shown), other) in enumerate(zip(new, old, strict=True))
        if (source, shown) != other
    ]


def main() -> int:
    """Build or check every notebook; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the scripts are")
    given = parser.parse_args()
    check, stale = given.check, []
    for script in sorted(given.folder.resolve().glob("[0-9]*.py")):
        fresh, target = execute(script), script.with_suffix(".ipynb")
        if not check:
            nbformat.write(fresh, target)
            continue
        stored = nbformat.read(target, as_version=4)
        stale += [f"{target.name}: {line}" for line in differences(stored, fresh)]
    for line in stale:
        print(line, file=sys.stderr)
    if stale:
        print("Not in step; write them again: python notebooks/build.py", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
