"""Excel workbooks: one sheet as rows of cells, and what a reader of the sheet would not see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from rnetstats.data.cells import number_text
from rnetstats.data.raw import RawTable, from_rows
from rnetstats.data.written import where_to_say
from rnetstats.errors import OptionError, ReadError, closest

__all__ = ["cell_name", "read_workbook"]

_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
_NUMBER = re.compile(rb"""\b(?:r|min)=["'](\d+)["']""")
_SHOWN = 5
_LISTED = 20


def read_workbook(
    openpyxl: Any, data: bytes, source: str, sha256: str, sheet: str | int | None
) -> RawTable:
    """Read one sheet of a workbook.

    Parameters
    ----------
    openpyxl
        The package that reads workbooks.
    data
        The bytes of the file.
    source, sha256
        Its name and checksum.
    sheet
        Name, or number from 1; ``None`` is the first.

    Raises
    ------
    ReadError
        If the sheet is empty, or no table.
    OptionError
        If there is no such sheet.
    """
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    names = [sheet.title for sheet in book.worksheets]  # without sheets that are charts
    chosen = _sheet(names, sheet, source)
    rows = _rows(book, chosen)
    inside = _inside(data, book[chosen])
    book.close()
    if not any(cell is not None for row in rows for cell in row):
        raise ReadError(f"{source}: the sheet {chosen!r} is empty.{_others(names, chosen, sheet)}")
    header = ["" if cell is None else cell_name(cell) for cell in rows[0]]
    _refuse_title(source, rows)
    notes = [note for note in [_others(names, chosen, sheet).strip()] if note]
    if not any(cell is not None for row in rows[1:] for cell in row):
        raise ReadError(
            f"{source}: the sheet {chosen!r} has a header but no row of data below it."
            f"{_others(names, chosen, sheet)}"
        )
    last = 1 + max(i for i, row in enumerate(rows) if any(cell is not None for cell in row))
    notes += _hidden(inside, last, header)
    if _FORMULA.search(inside):
        notes += _unsaved_formulas(openpyxl, data, chosen, rows[:last], header)
    places = [f"sheet row {number}" for number in range(2, len(rows) + 1)]
    return from_rows(source, sha256, header, rows[1:], places=places, notes=notes)


def _rows(book: Any, sheet: str) -> list[list[Any]]:
    """Return the cells of a sheet, all rows of one length."""
    book[sheet].reset_dimensions()  # what the file says of its own size may be wrong
    rows = [list(row) for row in book[sheet].iter_rows(values_only=True)]
    width = max((len(row) for row in rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _inside(data: bytes, sheet: Any) -> bytes:
    """Return the sheet's own text inside the workbook, or nothing where it is not found."""
    path = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
    with ZipFile(BytesIO(data)) as archive:
        return archive.read(path) if path in archive.namelist() else b""


def _others(names: Sequence[str], chosen: str, sheet: str | int | None) -> str:
    """Say which sheet was read, if others are there and nobody chose."""
    if sheet is not None or len(names) < 2:
        return ""
    others = ", ".join(names[1:6])
    return (
        f" The sheet {chosen!r} was read; the workbook also has {others} (choose by "
        f"{where_to_say('sheet', 'NAME')})."
    )


def _refuse_title(source: str, rows: Sequence[Sequence[object]]) -> None:
    """Refuse a first row that is a title: one cell, above rows of several."""
    filled = [sum(cell is not None for cell in row) for row in rows[:12]]
    if filled[0] == 1 and max(filled) > 2:
        title = next(cell for cell in rows[0] if cell is not None)
        raise ReadError(
            f"{source}: the first row holds {str(title)[:60]!r} alone, which is a title, not the "
            "names of columns. Delete the rows above the row of names, and save the workbook."
        )


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
    written = _rows(book, sheet)
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


def cell_name(cell: object) -> str:
    """Return the text of a header cell, or of a code."""
    return number_text(cell) if isinstance(cell, float) else str(cell)


def _sheet(names: list[str], sheet: str | int | None, source: str) -> str:
    if sheet is None:
        return names[0]
    if sheet in names:
        return str(sheet)
    number = int(sheet) if str(sheet).isdecimal() else 0  # the command line knows texts alone
    if 1 <= number <= len(names):
        return names[number - 1]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    raise OptionError(
        f"{source} has no sheet {sheet!r}.{closest(str(sheet), names)} "
        f"It has {', '.join(repr(name) for name in names[:_LISTED])}{more} (or count from 1)."
    )
