"""From a path to untyped cells: text, Excel, Parquet, Stata and SPSS, told apart by content."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from rnetstats.data.labelled import read_labelled
from rnetstats.data.raw import RawTable, from_frame
from rnetstats.data.textfile import read_text
from rnetstats.data.workbook import read_workbook
from rnetstats.errors import OptionError, ReadError, RnetError, closest

__all__ = ["read_file"]

_BY_NAME = {
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
    ".tab": "text",
    ".xlsx": "Excel",
    ".xlsm": "Excel",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".dta": "Stata",
    ".sav": "SPSS",
    ".zsav": "SPSS",
}
_BY_CONTENT = (
    (b"PK\x03\x04", "Excel"),
    (b"PAR1", "Parquet"),
    (b"<stata_dta>", "Stata"),
    (b"$FL2", "SPSS"),
    (b"$FL3", "SPSS"),
)
_REFUSED = (
    (b"\x1f\x8b", "a compressed file; unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls); save it as .xlsx or CSV"),
    (b"%PDF", "a PDF document, not a table"),
)


def read_file(
    path: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | int | None = None,
) -> RawTable:
    """Read a file of any known kind into untyped cells.

    Raises
    ------
    ReadError
        If there is no such file, or it cannot be read as a table.
    """
    data = _bytes(path)
    kind = _kind(path, data)
    if sheet is not None and kind != "Excel":
        raise OptionError(
            f"sheet is for Excel workbooks; {path.name} is read as {kind}. Leave {sheet!r} out"
            " (on the command line, or in [file] of the codebook)."
        )
    digest = hashlib.sha256(data).hexdigest()
    if kind == "text":
        if delimiter is None and path.suffix.lower() in {".tsv", ".tab"}:
            delimiter = "\t"
        return read_text(data, path.name, digest, delimiter=delimiter, encoding=encoding)
    if kind == "Excel":
        openpyxl = _need("openpyxl", kind)
        with _as_read_error(path.name, "an Excel workbook"):
            return read_workbook(openpyxl, data, path.name, digest, sheet)
    if kind == "Parquet":
        return _parquet(data, path.name, digest)
    pyreadstat = _need("pyreadstat", kind)
    with _as_read_error(path.name, f"{kind} data"):
        return read_labelled(pyreadstat, path, digest, kind)


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ReadError(f"{path} is a folder, not a file.")
        data = path.read_bytes()
    except RnetError:
        raise
    except (OSError, ValueError) as error:
        raise _unread(path, error) from None
    if not data.strip():
        raise ReadError(f"{path.name}: the file is empty.")
    return data


def _unread(path: Path, error: OSError | ValueError) -> ReadError:
    """Say why there is nothing to read."""
    if "\n" in path.name:
        return ReadError(
            f"{str(path).splitlines()[0][:60]!r} and the lines after it are the text of a table, "
            "not the path of a file. Save it as a file, or give a DataFrame: "
            "pandas.read_csv(io.StringIO(text))."
        )
    if isinstance(error, FileNotFoundError):
        folder = path.parent
        beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        where = "" if folder.is_dir() else f" The folder {folder} does not exist."
        return ReadError(f"There is no file {path}.{where}{closest(path.name, beside)}")
    reason = error.strerror if isinstance(error, OSError) else "no file's name holds a zero byte"
    return ReadError(f"{path} cannot be read: {reason}.")


def _kind(path: Path, data: bytes) -> str:
    for mark, what in _REFUSED:
        if data.startswith(mark):
            raise ReadError(f"{path.name}: is {what}.")
    for mark, kind in _BY_CONTENT:
        if data.startswith(mark):
            if kind == "Excel":
                _refuse_archive(path.name, data)
            return kind
    named = _BY_NAME.get(path.suffix.lower(), "text")
    if named in {"Excel", "Parquet", "SPSS"}:
        raise ReadError(f"{path.name}: is named like {named}, but its content is not {named}.")
    return named


def _refuse_archive(source: str, data: bytes) -> None:
    """Refuse what is packed as workbooks are, and is none."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
    except BadZipFile:  # a damaged workbook
        return
    if "content.xml" in names:
        raise ReadError(f"{source}: is an OpenDocument file; save it as .xlsx or CSV.")
    if "[Content_Types].xml" not in names:
        raise ReadError(f"{source}: is a compressed file; unpack it first.")


def _need(module: str, kind: str) -> Any:
    """Import a reader of the ``formats`` extra."""
    try:
        return import_module(module)
    except ImportError:
        raise ReadError(
            f"Reading {kind} files needs the package {module.partition('.')[0]}: "
            'pip install "rnetstats[formats]", or save the data as CSV.'
        ) from None


@contextmanager
def _as_read_error(source: str, kind: str) -> Iterator[None]:
    """Turn whatever a foreign reader raises into one clear error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and dates of the file, not on its cells
            yield
    except RnetError:
        raise
    except Exception as error:  # damaged files raise dozens of kinds
        said = str(error).strip().splitlines()
        detail = f" ({said[0][:200]})" if said else ""
        raise ReadError(f"{source}: cannot be read as {kind}{detail}. Is it damaged?") from error


def _parquet(data: bytes, source: str, sha256: str) -> RawTable:
    parquet = _need("pyarrow.parquet", "Parquet")
    notes = []
    with _as_read_error(source, "Parquet"):
        read = parquet.read_table(BytesIO(data))
        # long identifiers would lose digits as floats, which whole numbers with gaps become
        frame = read.to_pandas(ignore_metadata=True, integer_object_nulls=True)
        index = [name for name in frame.columns if str(name).startswith("__index_level_")]
        if index:
            frame = frame.drop(columns=index)
            notes.append("The nameless index of the Parquet file was left out.")
    return from_frame(frame, source=source, sha256=sha256, notes=notes)
