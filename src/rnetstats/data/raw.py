"""A table as a file holds it: named columns of untyped cells, before any codebook is applied."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rnetstats._core.frame import is_synthetic
from rnetstats.data.cells import Cells, composed
from rnetstats.errors import ColumnError, ReadError

__all__ = ["RawTable", "from_frame", "from_rows"]


@dataclass(frozen=True)
class RawTable:
    """Named columns of untyped cells.

    ``places`` names each row's place in the file, ``value_labels`` holds the labels that Stata
    and SPSS give to codes, ``labels`` those of whole columns. ``origin`` marks synthetic data.
    """

    source: str
    sha256: str
    names: tuple[str, ...]
    columns: tuple[pd.Series[Any], ...]
    places: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    _cells: dict[str, Cells] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_rows(self) -> int:
        """Number of rows below the header."""
        return len(self.columns[0])

    def cells(self, name: str) -> Cells:
        """Return the distinct values of a column and where they stand."""
        if name not in self._cells:
            self._cells[name] = Cells.of(self.columns[self.names.index(name)], name)
        return self._cells[name]


def from_rows(
    source: str,
    sha256: str,
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    places: Sequence[str],
    notes: Sequence[str] = (),
) -> RawTable:
    """Build a table from a header and rows of equal length (text files and worksheets).

    A nameless first column that only counts the rows, a nameless empty column and empty rows are
    left out, with a note; all else without a name is an error.
    """
    said = list(notes)
    body, places = _without_empty_rows(list(rows), list(places), said)
    if not body:
        raise ReadError(f"{source}: there is a header but no row of data below it.")
    _refuse_repeated_header(source, header, body, places)
    columns = [[row[j] for row in body] for j in range(len(header))]
    keep = _named(source, header, columns, said)
    names = tuple(composed(header[j]).strip() for j in keep)
    _refuse_odd_names(source, names)
    series = tuple(pd.Series(columns[j], dtype=object) for j in keep)
    return RawTable(source, sha256, names, series, tuple(places), tuple(said))


def from_frame(
    frame: pd.DataFrame,
    *,
    source: str = "the DataFrame",
    sha256: str | None = None,
    notes: Sequence[str] = (),
    **more: Any,
) -> RawTable:
    """Build a table from a DataFrame, which is not changed."""
    if isinstance(frame.columns, pd.MultiIndex):
        raise ReadError(f"{source}: columns have several levels; flatten them to plain names.")
    names = tuple(composed(str(name)).strip() for name in frame.columns)
    _refuse_odd_names(source, names)
    if not len(frame):
        raise ReadError(f"{source}: the table has no rows.")
    said = list(notes)
    index_names = [str(name) for name in frame.index.names if name is not None]
    if index_names:
        said.append(
            f"The index ({', '.join(index_names)}) is not a column and was left out; "
            "reset_index() makes it one."
        )
    columns = tuple(frame.iloc[:, j].reset_index(drop=True) for j in range(frame.shape[1]))
    digest = sha256 if sha256 is not None else _frame_digest(frame)
    return RawTable(
        source, digest, names, columns, None, tuple(said), origin=_origin(frame), **more
    )


def _origin(frame: pd.DataFrame) -> dict[str, Any]:
    """What a frame says of having been drawn, not observed: a mark that must not get lost."""
    about = frame.attrs.get("rnetstats", {})
    if not is_synthetic(frame):
        return {}
    return {key: about[key] for key in ("synthetic", "study", "truth") if key in about}


def _frame_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of the table written as CSV."""
    return hashlib.sha256(frame.to_csv(index=False).encode("utf-8", "replace")).hexdigest()


def _empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _without_empty_rows(
    rows: list[Sequence[object]], places: list[str], said: list[str]
) -> tuple[list[Sequence[object]], list[str]]:
    """Drop wholly empty rows (spreadsheets leave them): they are no patients; and say so."""
    n = len(rows)
    while n and _blank(rows[n - 1]):
        n -= 1
    if n < len(rows):
        said.append(f"Empty rows at the end, left out: {len(rows) - n}.")
    blank = [i for i in range(n) if _blank(rows[i])]
    if blank:
        shown = ", ".join(places[i] for i in blank[:5])
        said.append(f"Empty rows between others, left out: {len(blank)} ({shown}).")
    kept = sorted(set(range(n)) - set(blank))
    return [rows[i] for i in kept], [places[i] for i in kept]


def _refuse_repeated_header(
    source: str, header: Sequence[str], rows: Sequence[Sequence[object]], places: Sequence[str]
) -> None:
    """Refuse a row that is the header again: files were put together, and it is no patient."""
    names = [composed(name).strip() for name in header]
    if len(names) < 2:
        return
    again = [
        place
        for row, place in zip(rows, places, strict=True)
        if isinstance(row[0], str) and [composed(str(cell or "")).strip() for cell in row] == names
    ]
    if again:
        more = f" and {len(again) - 5} more" if len(again) > 5 else ""
        raise ReadError(
            f"{source}: the names of the columns stand again in {', '.join(again[:5])}{more}. Were "
            "files put together? Delete these lines, and see that no patient stands there twice."
        )


def _blank(row: Sequence[object]) -> bool:
    """Whether a row of several cells is wholly empty; of one column it is a missing value."""
    return len(row) > 1 and all(_empty(cell) for cell in row)


def _named(
    source: str, header: Sequence[str], columns: Sequence[Sequence[object]], said: list[str]
) -> list[int]:
    """Positions of the columns to keep."""
    keep = []
    for j, name in enumerate(header):
        if name.strip():
            keep.append(j)
        elif all(_empty(cell) for cell in columns[j]):
            said.append(f"Column {j + 1} has no name and no values and was left out.")
        elif j == 0 and _counts_rows(columns[j]):
            said.append("The first column has no name and only counts the rows; it was left out.")
        else:
            raise ColumnError(
                f"{source}: column {j + 1} has values but no name. Give it one in the header, "
                "the first row: a single row, without merged cells and without a title above it."
            )
    if not keep:
        raise ReadError(f"{source}: the header names no column.")
    return keep


def _counts_rows(cells: Sequence[object]) -> bool:
    texts = [str(cell).strip() for cell in cells]
    n = len(texts)
    return any(texts == [str(i) for i in range(k, n + k)] for k in (0, 1))


def _refuse_odd_names(source: str, names: Sequence[str]) -> None:
    if not names:
        raise ReadError(f"{source}: the table has no columns.")
    if any(not name for name in names):
        raise ColumnError(f"{source}: column {list(names).index('') + 1} has no name.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        where = "; ".join(
            f"{name!r} as columns {', '.join(str(j + 1) for j, n in enumerate(names) if n == name)}"
            for name in twice[:5]
        )
        raise ColumnError(
            f"{source}: column names must differ, but some stand twice: {where}. Rename them."
        )
