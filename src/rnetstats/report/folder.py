"""Where a report is written: checked first, written beside, moved into place as a whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from rnetstats.errors import OutputError

__all__ = ["RECORD", "check_folder", "write_folder", "write_new"]

RECORD = "run.json"
MADE_BY = "rnetstats"


def check_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder to write to, or say why it cannot be one.

    A folder that does not exist, an empty one, and an earlier report (which will be replaced) are
    accepted. Nothing is created here.

    Raises
    ------
    OutputError
        If it is a file, holds something else, or cannot be written.
    """
    if not isinstance(output, str | os.PathLike) or "\0" in os.fsdecode(output):
        raise OutputError(f"output must be the path of a folder, not {output!r}.")
    folder = Path(os.path.abspath(os.fsdecode(output)))  # noqa: PTH100 (resolve would follow links)
    try:
        if folder.is_symlink() and not folder.exists():
            raise OutputError(f"{_name(folder)} is a broken link; choose another folder.")
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{_name(folder)} is a file; choose a folder for the report.")
        if folder.is_dir() and any(folder.iterdir()) and not _is_report(folder):
            raise OutputError(
                f"The folder {_name(folder)} holds other files and is no earlier report; it was "
                "left as it is. Choose a new or an empty folder."
            )
        parent = _nearest_existing(folder.parent)
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from None
    if not parent.is_dir():
        raise OutputError(f"{_name(folder)} cannot be made: {_name(parent)} is a file.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{_name(folder)} cannot be made: {_name(parent)} is not writable.")
    return folder


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a temporary folder beside ``folder``, then move it into place.

    If anything fails, the temporary folder is removed and ``folder`` is as it was before.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    made = _missing_parents(folder.parent)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
    except OSError as error:
        _remove_empty(made)
        raise OutputError(_cannot_write(folder, error)) from None
    try:
        fill(temporary)
        temporary.chmod(0o755)
        _swap(temporary, folder)
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(made)


def _swap(temporary: Path, folder: Path) -> None:
    """Put ``temporary`` where ``folder`` is; an earlier report is kept until that has worked."""
    if not folder.exists():
        temporary.rename(folder)
        return
    check_folder(folder)
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-old-", dir=folder.parent))
    try:
        folder.rename(old / "report")
        temporary.rename(folder)
    finally:  # whatever stopped it, an interruption too
        if not folder.exists():
            (old / "report").rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _is_report(folder: Path) -> bool:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("made_by") == MADE_BY


def _nearest_existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _missing_parents(path: Path) -> list[Path]:
    missing = []
    while not path.exists() and path != path.parent:
        missing.append(path)
        path = path.parent
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _name(path: Path) -> str:
    return repr(path.name or str(path))


def _cannot_write(folder: Path, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"The report cannot be written to {_name(folder)}: {reason}. Choose another folder."


def write_new(target: Path, text: str) -> None:
    """Write a text file that does not exist yet.

    Raises
    ------
    OutputError
        For a file that exists, which is left as it is, or one that cannot be written.
    """
    try:
        with target.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{target} exists and was left as it is; choose another name.") from None
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}.") from None
