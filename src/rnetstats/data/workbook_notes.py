"""What a person who looks at a sheet would not see in its cells, or sees otherwise: as notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from rnetstats.data.cells import number_text

__all__ = ["sheet_notes", "sheet_rows"]

_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
_NUMBER = re.compile(rb"""\b(?:r|min)=["'](\d+)["']""")
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^>]*\bref=["']([A-Z]+(\d+):[A-Z]+(\d+))["']""")
_PER_CENT = re.compile(rb"""\bnumFmtId=["'](?:9|10)["']|\bformatCode=["'][^"']*%""")
_SHOWN = 5


def sheet_notes(
    openpyxl: Any,
    data: bytes,
    sheet: Any,
    rows: Sequence[Sequence[object]],
    header: Sequence[str],
) -> list[str]:
    """Say what of a sheet is hidden, merged, shown as per cent, or a formula without a result.

    Parameters
    ----------
    openpyxl
        The package that reads workbooks.
    data
        The bytes of the file.
    sheet
        The sheet, opened for reading.
    rows
        Its cells, the header first, without empty rows at the end.
    header
        The names of its columns.
    """
    with ZipFile(BytesIO(data)) as archive:
        inside = _part(archive, str(getattr(sheet, "_worksheet_path", "")).lstrip("/"))
        styles = _part(archive, "xl/styles.xml")
    notes = _hidden(inside, len(rows), header) + _merged(inside, len(rows))
    if _PER_CENT.search(styles):
        notes += _per_cent(sheet, len(rows), header)
    if _FORMULA.search(inside):
        notes += _unsaved_formulas(openpyxl, data, sheet.title, rows, header)
    return notes


def _part(archive: ZipFile, path: str) -> bytes:
    """Return a file inside the workbook, or nothing where it is not found."""
    return archive.read(path) if path in archive.namelist() else b""


def sheet_rows(book: Any, sheet: str) -> list[list[Any]]:
    """Return the cells of a sheet, all rows of one length."""
    book[sheet].reset_dimensions()  # what the file says of its own size may be wrong
    rows = [list(row) for row in book[sheet].iter_rows(values_only=True)]
    width = max((len(row) for row in rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _merged(inside: bytes, n_rows: int) -> list[str]:
    """Say which cells below the header are merged: all but the first of them are empty."""
    found = [
        match[1].decode()
        for match in _MERGED.finditer(inside)
        if int(match[3]) > 1 and int(match[2]) <= n_rows
    ]
    if not found:
        return []
    more = ", ..." if len(found) > _SHOWN else ""
    return [
        f"Merged cells: {', '.join(found[:_SHOWN])}{more}. Only the first cell of each holds its "
        "value; the others were read as empty. Part them in the sheet, and fill each."
    ]


def _per_cent(sheet: Any, n_rows: int, header: Sequence[str]) -> list[str]:
    """Say which columns hold numbers that the sheet shows as per cent."""
    found: dict[int, tuple[int, float]] = {}
    for row in sheet.iter_rows(min_row=2, max_row=n_rows, max_col=len(header)):
        for j, cell in enumerate(row):
            value = cell.value
            if isinstance(value, int | float) and value and "%" in cell.number_format:
                count, first = found.get(j, (0, float(value)))
                found[j] = (count + 1, first)
    return [
        f"{header[j] or f'column {j + 1}'}: {count} {'cell' if count == 1 else 'cells'} shown as "
        f"per cent in the sheet, read as the number behind: {100.0 * first:g}% as "
        f"{number_text(first)}. If per cent are meant, multiply the column by 100 there."
        for j, (count, first) in found.items()
    ]


def _hidden(inside: bytes, n_rows: int, header: Sequence[str]) -> list[str]:
    """Say which rows and columns are hidden in the sheet; they are read as the others."""
    rows = [number for number in _numbers(_ROW, inside) if 1 < number <= n_rows]
    columns = [number for number in _numbers(_COLUMN, inside) if number <= len(header)]
    notes = []
    if rows:
        shown = ", ".join(str(number) for number in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        notes.append(
            f"Rows hidden in the sheet, by hand or by a filter, were read as the others: "
            f"{len(rows)} (sheet row {shown}{more}). If they are not meant, delete them."
        )
    if columns:
        shown = ", ".join(header[number - 1] or f"column {number}" for number in columns[:_SHOWN])
        notes.append(f"Columns hidden in the sheet were read as the others, such as {shown}.")
    return notes


def _numbers(tag: re.Pattern[bytes], inside: bytes) -> Iterator[int]:
    """Numbers of the hidden rows or columns."""
    for match in tag.finditer(inside):
        if _HIDDEN.search(match[1]) and (number := _NUMBER.search(match[1])):
            yield int(number[1])


def _unsaved_formulas(
    openpyxl: Any, data: bytes, sheet: str, rows: Sequence[Sequence[object]], header: Sequence[str]
) -> list[str]:
    """Say which empty cells are formulas whose results the workbook does not hold."""
    book = openpyxl.load_workbook(BytesIO(data), read_only=True)
    written = sheet_rows(book, sheet)
    book.close()
    count: dict[str, int] = {}
    for values, formulas in zip(rows[1:], written[1:], strict=False):
        for name, value, formula in zip(header, values, formulas, strict=False):
            if value is None and isinstance(formula, str) and formula.startswith("="):
                count[name] = count.get(name, 0) + 1
    return [
        f"{name}: formulas without stored results in {cells} of {len(rows) - 1} cells, read as "
        "empty. Open the workbook in a spreadsheet program and save it."
        for name, cells in count.items()
    ]
