"""Where a report is written: checked first, written beside, moved into place as a whole."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnetstats.errors import OutputError
from rnetstats.report.placing import (
    OF_THE_SYSTEM,
    exchange,
    is_report,
    others,
    put,
    temporary_beside,
)

__all__ = ["check_folder", "write_folder", "write_new"]


def check_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder to write to, or say why it cannot be one.

    A folder that does not exist, an empty one, and an earlier report (which will be replaced, but
    not what was put beside it or among its tables and figures) are accepted; of a link to a
    folder, that folder. Nothing is created here.

    Raises
    ------
    OutputError
        If it is a file, holds something else, or cannot be written.
    """
    if not isinstance(output, str | os.PathLike) or "\0" in os.fsdecode(output):
        raise OutputError(f"output must be the path of a folder, not {output!r}.")
    try:
        folder = Path(os.path.abspath(os.fsdecode(output)))  # noqa: PTH100 (names links as given)
    except OSError:
        raise OutputError(
            "The working directory no longer exists; change to another, or name the whole path of "
            "the folder for the report."
        ) from None
    try:
        _refuse_content(folder)
        folder = folder.resolve() if folder.is_symlink() else folder
        parent = folder if _stays(folder) else _nearest_existing(folder.parent)
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from None
    if not parent.is_dir():
        kind = "a broken link" if parent.is_symlink() else "a file"
        raise OutputError(f"{_name(folder)} cannot be made: {_name(parent)} is {kind}.")
    if not os.access(parent, os.W_OK | os.X_OK):
        what = "written" if folder.is_dir() else "made"
        raise OutputError(f"{_name(folder)} cannot be {what}: {_name(parent)} is not writable.")
    return folder


def _refuse_content(folder: Path) -> None:
    """Refuse what is no folder, and a folder of files that are not of a report."""
    if folder.is_symlink() and not folder.exists():
        raise OutputError(f"{_name(folder)} is a broken link; choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{_name(folder)} is a file; choose a folder for the report.")
    if not folder.is_dir():
        return
    if others(folder, OF_THE_SYSTEM) and not is_report(folder):
        raise OutputError(
            f"The folder {_name(folder)} holds other files and is no earlier report; it was "
            "left as it is. Choose a new or an empty folder."
        )


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a temporary folder beside ``folder``, then move it into place.

    Where ``folder`` itself must stay, or holds what is not of a report, the report in it is
    exchanged. If anything fails, the temporary folder is removed and ``folder`` is as it was
    before.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    made = _missing_parents(folder.parent)
    try:
        stays = _stays(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(folder, inside=stays)
    except OSError as error:
        _remove_empty(made)
        raise OutputError(_cannot_write(folder, error)) from None
    report = temporary / "report"
    try:
        report.mkdir()  # unlike the temporary folder, with the rights of the user's other folders
        fill(report)
        with _to_the_end():
            if stays:
                exchange(report, folder)
            else:
                _refuse_content(folder)  # which may have come there meanwhile
                put(report, folder)
    except OSError as error:
        raise OutputError(_cannot_write(folder, error)) from None
    finally:
        with _to_the_end():
            shutil.rmtree(temporary, ignore_errors=True)
            _remove_empty(made)


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Hold an interruption by the user back until what has begun, which is short, is done."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield  # interruptions are ignored, or do not come here
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


def _stays(folder: Path) -> bool:
    """Whether a folder is there and cannot be moved away.

    It is where somebody works, another disc is mounted there, or the folder above is not writable.
    """
    if not folder.is_dir():
        return False
    try:
        worked_in = folder.samefile(os.curdir)
    except OSError:  # the working directory is gone
        worked_in = False
    return worked_in or folder.is_mount() or not os.access(folder.parent, os.W_OK | os.X_OK)


def _nearest_existing(path: Path) -> Path:
    while not os.path.lexists(path) and path != path.parent:
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
        stream = target.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise OutputError(f"{target} exists and was left as it is; choose another name.") from None
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}.") from None
    try:
        with stream:
            stream.write(text)
    except BaseException as error:  # nothing half-written is left, after an interruption neither
        target.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise OutputError(f"{target} cannot be written: {error.strerror}.") from None
