"""Excel workbooks: one sheet as rows of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from rnetstats.data.cells import number_text
from rnetstats.data.raw import RawTable, from_rows
from rnetstats.data.workbook_notes import sheet_notes, sheet_rows
from rnetstats.data.written import where_to_say
from rnetstats.errors import OptionError, ReadError, closest

__all__ = ["cell_name", "read_workbook"]

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
        Name, or number from 1 among those not hidden; ``None`` is the first that is not hidden.

    Raises
    ------
    ReadError
        If the sheet is empty, or no table.
    OptionError
        If there is no such sheet.
    """
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    names = _names(book)
    chosen = _sheet(names, sheet, source)
    rows = sheet_rows(book, chosen)
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
    notes += sheet_notes(openpyxl, data, book[chosen], rows[:last], header)
    book.close()
    places = [f"sheet row {number}" for number in range(2, len(rows) + 1)]
    return from_rows(source, sha256, header, rows[1:], places=places, notes=notes)


@dataclass(frozen=True)
class _Names:
    """The sheets of a workbook in their order, without those that are charts."""

    shown: tuple[str, ...]
    hidden: tuple[str, ...]


def _names(book: Any) -> _Names:
    """Part the sheets that a person sees from hidden ones; where none is seen, all count."""
    sheets = book.worksheets
    shown = tuple(sheet.title for sheet in sheets if sheet.sheet_state == "visible")
    if not shown:
        return _Names(tuple(sheet.title for sheet in sheets), ())
    return _Names(shown, tuple(sheet.title for sheet in sheets if sheet.title not in shown))


def _others(names: _Names, chosen: str, sheet: str | int | None) -> str:
    """Say which sheet was read, if others are there and nobody chose."""
    others = [*names.shown[1:6], *(f"{name} (hidden)" for name in names.hidden[:5])]
    if sheet is not None or not others:
        return ""
    return (
        f" The sheet {chosen!r} was read; the workbook also has {', '.join(others)} (choose by "
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


def cell_name(cell: object) -> str:
    """Return the text of a header cell, or of a code."""
    return number_text(cell) if isinstance(cell, float) else str(cell)


def _sheet(names: _Names, sheet: str | int | None, source: str) -> str:
    """Return the name of the sheet asked for: hidden ones by name alone."""
    if sheet is None:
        return names.shown[0]
    known = (*names.shown, *names.hidden)
    if sheet in known:
        return str(sheet)
    number = int(sheet) if str(sheet).isdecimal() else 0  # the command line knows texts alone
    if 1 <= number <= len(names.shown):
        return names.shown[number - 1]
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    raise OptionError(
        f"{source} has no sheet {sheet!r}.{closest(str(sheet), known)} "
        f"It has {', '.join(repr(name) for name in known[:_LISTED])}{more} (or count from 1"
        f"{', without hidden ones' if names.hidden else ''})."
    )
