"""How a report takes the place of an earlier one, without what was put beside or into that.

Nothing is written here: what is there already is moved away, the new report to its place, and all
of it back if one of the moves fails.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from rnetstats.errors import OutputError

__all__ = [
    "MADE_BY",
    "OF_THE_SYSTEM",
    "RECORD",
    "exchange",
    "files_in",
    "is_report",
    "others",
    "put",
    "temporary_beside",
]

RECORD = "run.json"
"""The file in which a report says what it is and which files are its own."""

MADE_BY = "rnetstats"

OF_THE_SYSTEM = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files left in a folder by programs that show it."""

_PAGES = {"report.html", "audit.html", "results.json", "audit.json", "model.json", RECORD}
_FOLDERS = ("tables", "figures")
_OF_A_REPORT = {*_PAGES, *_FOLDERS}


def others(folder: Path, expected: set[str]) -> bool:
    """Whether a folder holds anything but what is expected."""
    return any(entry.name not in expected for entry in folder.iterdir())


def temporary_beside(folder: Path, *, inside: bool, kind: str = "") -> Path:
    """Make a hidden folder beside a folder, or in it."""
    place = folder if inside else folder.parent
    return Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-{kind}", dir=place))


def put(report: Path, folder: Path) -> None:
    """Put ``report`` where ``folder`` is to be, as far as what is there already allows."""
    if not folder.exists():
        report.rename(folder)
    elif others(folder, _OF_A_REPORT | OF_THE_SYSTEM) or _added(folder):
        exchange(report, folder)
    else:
        _swap(report, folder)


def _swap(report: Path, folder: Path) -> None:
    """Put ``report`` where ``folder`` is; an earlier report is kept until that has worked."""
    old = temporary_beside(folder, inside=False, kind="old-")
    try:
        folder.rename(old / "report")
        report.rename(folder)
    finally:  # whatever stopped it, an interruption too
        if not folder.exists():
            (old / "report").rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def exchange(report: Path, folder: Path) -> None:
    """Put what is in ``report`` into ``folder``; the report there is kept until that has worked."""
    before = [entry for entry in folder.iterdir() if entry.name in _OF_A_REPORT]
    added = _added(folder)
    _refuse_names(added, files_in(report))
    old = temporary_beside(folder, inside=True, kind="old-")
    moves = [(entry, old / entry.name) for entry in before]
    moves += [(entry, folder / entry.name) for entry in report.iterdir()]
    moves += [(old / name, folder / name) for name in added]
    done = 0
    try:
        for done, (source, target) in enumerate(moves, 1):  # noqa: B007 (counted for the way back)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
    except BaseException:  # an interruption too
        for source, target in reversed(moves[:done]):
            if not os.path.lexists(source):
                target.rename(source)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def files_in(folder: Path) -> list[str]:
    """Return the files of a folder and of those in it, by their paths from there."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _added(folder: Path) -> list[str]:
    """Return what somebody has put among the tables and figures of a report.

    A report of an earlier release does not say which files are its own. What a link leads to is
    elsewhere, and stays there.
    """
    written = _record(folder).get("files")
    if not isinstance(written, list):
        return []
    here = [name for name in _FOLDERS if not (folder / name).is_symlink()]
    inside = [f"{name}/{file}" for name in here for file in files_in(folder / name)]
    return [file for file in inside if file not in written]


def _refuse_names(added: list[str], new: list[str]) -> None:
    """Refuse to write over what somebody has put among the tables and figures."""
    for name in added:
        for taken in (name, *map(str, PurePosixPath(name).parents)):
            if taken in new:
                raise OutputError(
                    f"{taken!r} in the folder is not of the earlier report, and the new one has a "
                    "file of this name; all was left as it was. Move it elsewhere, or choose "
                    "another folder."
                )


def is_report(folder: Path) -> bool:
    """Whether a folder holds a report that this project made."""
    return _record(folder).get("made_by") == MADE_BY


def _record(folder: Path) -> dict[str, Any]:
    """Return what a report says of itself; nothing where there is none."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
