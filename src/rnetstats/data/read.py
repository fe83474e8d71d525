"""Reading a cohort: from a file or DataFrame, through a codebook, to a plain DataFrame."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from rnetstats._core.frame import Data, as_frame
from rnetstats.data.apply import apply_codebook
from rnetstats.data.builtin import builtin_codebook, builtin_names
from rnetstats.data.checks import check_shape
from rnetstats.data.codebook import Codebook
from rnetstats.data.cohort_files import embedded_origin
from rnetstats.data.formats import read_file
from rnetstats.data.infer import infer_codebook
from rnetstats.data.ledger import Ledger
from rnetstats.data.raw import RawTable, from_frame
from rnetstats.data.units import convertible
from rnetstats.data.written import check_written
from rnetstats.errors import CodebookError, ReadError, closest

__all__ = ["raw_table", "read_cohort", "resolve_codebook"]


def read_cohort(
    source: str | os.PathLike[str] | Data,
    *,
    codebook: Codebook | str | os.PathLike[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Literal[".", ","] | None = None,
    sheet: str | int | None = None,
) -> pd.DataFrame:
    """Read a cohort of patients.

    Parameters
    ----------
    source
        A path (CSV or TSV, and with the ``formats`` extra Excel, Parquet, Stata, SPSS), a
        DataFrame or a mapping of columns, which is not changed.
    codebook
        A :class:`Codebook`, the path to one in TOML, or the name of a built-in study
        (``"duan2024"``). ``None`` infers what each column is, and says so in the notes.
    delimiter, encoding, decimal, sheet
        How the file is written; each goes before what ``[file]`` of the codebook says. By default
        the delimiter is found, the encoding is UTF-8 (or UTF-16 with its mark), the decimal mark a
        point, and the sheet of a workbook the first that is not hidden; ``sheet`` is its name, or
        its number from 1. Delimiter and encoding are for text files, and passed over for others.

    Returns
    -------
    DataFrame
        A row a patient. Categories carry the order of levels, the reference first; whole numbers
        are int64, or float64 if any is missing. ``attrs["rnetstats"]`` holds ``labels``,
        ``units``, ``codes``, ``missing`` (counts), ``structural`` (counts of cells that are empty
        because nothing applies), ``absent`` (optional columns without values), ``synthetic``,
        ``provenance`` (source, sha256, codebook, codebook_sha256) and ``notes``: all that was
        recoded, derived, inferred or left out.

    Raises
    ------
    ReadError
        If the file is not there, or is no table.
    ColumnError, DataError
        If columns are missing or values wrong: all problems in one error, with their rows.
    CodebookError
        If the codebook is malformed.
    OptionError
        If an encoding is unknown, a sheet is not there (or the file is no workbook), a delimiter
        is not a single character, or a decimal mark is neither ``"."`` nor ``","``.

    Examples
    --------
    A path to a file is read in the same way.

    >>> import rnetstats as rn
    >>> columns = {"id": list("abc"), "size_mm": [4.5, 8.0, 12.0], "margin": ["neg", "pos", "neg"]}
    >>> cohort = rn.read_cohort(columns)
    >>> cohort["margin"].cat.categories.tolist()
    ['neg', 'pos']
    >>> for note in cohort.attrs["rnetstats"]["notes"]:
    ...     print(note)
    No codebook: what each column is was inferred from its values.
    Inferred as numbers: size_mm.
    Inferred as categories: margin.
    Inferred as identifiers: id.
    margin: levels neg, pos; the first is the reference.
    """
    check_written(source, delimiter=delimiter, encoding=encoding, decimal=decimal, sheet=sheet)
    book = None if codebook is None else resolve_codebook(codebook)
    if book is not None:
        _check_units(book)
        delimiter = book.file.delimiter if delimiter is None else delimiter
        encoding = book.file.encoding if encoding is None else encoding
        if sheet is None and _is_path(source):
            sheet = book.file.sheet
        if decimal is not None:
            book = replace(book, file=replace(book.file, decimal=decimal))
    table = raw_table(source, delimiter=delimiter, encoding=encoding, sheet=sheet)
    if not table.origin:
        table = replace(table, origin=embedded_origin(table.sha256, builtin_names()))
    if book is None:
        inferred = infer_codebook(table, decimal=decimal or ".")
        ledger = _ledger(table)
        check_shape(table.n_rows, len(table.names), ledger)
        for doubt in inferred.doubts.values():
            ledger.problem(doubt)
        ledger.raise_problems()
        ledger.notes.extend(inferred.notes)
        return apply_codebook(table, inferred.codebook, ledger)
    ledger = _ledger(table)
    return apply_codebook(table, book, ledger)


def _check_units(book: Codebook) -> None:
    """Refuse a unit that is to be converted into nothing."""
    for spec in book.columns:
        if spec.unit_in and not spec.unit:
            known = ", ".join(f'"{unit}"' for unit in convertible(spec.unit_in))
            raise CodebookError(
                f"[columns.{spec.name}]: unit_in = {spec.unit_in!r} says what the file has; write "
                f"unit beside it, what the numbers are to become ({known})."
            )


def _is_path(source: object) -> bool:
    return isinstance(source, str | os.PathLike)


def raw_table(
    source: str | os.PathLike[str] | Data,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | int | None = None,
) -> RawTable:
    """Return the untyped cells of a file, a DataFrame or a mapping."""
    if isinstance(source, str | os.PathLike):
        path = Path(os.fsdecode(source)).expanduser()
        return read_file(path, delimiter=delimiter, encoding=encoding, sheet=sheet)
    if isinstance(source, pd.DataFrame):
        return from_frame(source)
    if isinstance(source, Mapping):
        return from_frame(as_frame(source), source="the mapping")
    raise ReadError(
        f"a cohort is a path, a DataFrame or a mapping of columns, not {type(source).__name__}."
    )


def resolve_codebook(codebook: Codebook | str | os.PathLike[str]) -> Codebook:
    """Return a codebook from itself, the name of a built-in study, or a path to TOML."""
    if isinstance(codebook, Codebook):
        return codebook
    if not isinstance(codebook, str | os.PathLike):
        raise CodebookError(
            f"codebook must be a Codebook, a path or a study's name, not {type(codebook).__name__}."
        )
    text = os.fsdecode(codebook)
    if text in builtin_names():
        return builtin_codebook(text)
    path = Path(text).expanduser()
    if not _may_exist(path):
        raise CodebookError(
            f"there is no codebook file {text!r}, and no built-in codebook of that name "
            f"(built in: {', '.join(builtin_names())}).{closest(text, builtin_names())}"
        )
    return Codebook.from_toml(path)


def _may_exist(path: Path) -> bool:
    """Whether a file may be there: where that cannot be seen, reading it says why."""
    try:
        return path.exists()
    except OSError:
        return True


def _ledger(table: RawTable) -> Ledger:
    ledger = Ledger(table.source, table.places)
    for text in table.notes:
        ledger.note(text)
    return ledger
