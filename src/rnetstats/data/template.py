"""A first codebook for a file: what its columns seem to be, as TOML to be edited."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from typing import Literal

import numpy as np

from rnetstats._core.frame import Data
from rnetstats.data.builtin import builtin_codebook, builtin_names
from rnetstats.data.cells import Cells, number_of, number_text
from rnetstats.data.codebook import ColumnSpec
from rnetstats.data.infer import MAX_LEVELS, Inferred, infer_codebook
from rnetstats.data.raw import RawTable
from rnetstats.data.read import raw_table
from rnetstats.data.written import check_written

__all__ = ["first_codebook", "write_codebook"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NINES = re.compile(r"-?9{2,5}(\.0*)?|-[189]", re.ASCII)
_DATE_FORMS = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%d.%m.%y",
    "%Y年%m月%d日",
)
_HEAD = """\
# A first codebook for {source}, written by `rnetstats codebook`. Everything here was guessed from
# the values: check each column, and take the # from the lines that apply.
#
#   [columns.NAME]         NAME is the column's name in the analysis
#   source = "..."         its name in the file, where that differs
#   label, unit            for tables and figures
#   type                   numeric, integer, binary (0/1), category, text, id, date
#   levels = [...]         of a category, the reference first
#   recode = {{ "Yes" = 1, "No" = 0 }}      translates values
#   missing = [999]        codes for "no value"
#   range = [0, 120]       smallest and largest allowed value
#   unit_in = "days", unit = "months"     converts (a month is 30.4375 days)
#   derive = "seen - operated"            a column the file lacks: here days between two dates
{notes}
[codebook]
name = "mine"

[file]
decimal = {decimal}
extra_columns = "ignore"
"""


def write_codebook(
    source: str | os.PathLike[str] | Data,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Literal[".", ","] = ".",
    sheet: str | int | None = None,
) -> str:
    """Write a first codebook for a file, to be edited.

    Parameters
    ----------
    source
        A path, a DataFrame or a mapping of columns, as for
        :func:`rnetstats.data.read.read_cohort`.
    delimiter, encoding, decimal, sheet
        How the file is written, as there.

    Returns
    -------
    str
        TOML. Unedited, it reads the file as it is read without a codebook; columns that are not
        read without one (numbers mixed with text) are taken as text, with a comment. Where the
        columns are those of a built-in codebook, its first lines say so.

    Raises
    ------
    ReadError
        If the source is no table.
    OptionError
        If an option says of the file what cannot be.

    Examples
    --------
    >>> import rnetstats as rn
    >>> text = rn.write_codebook({"margin": ["R0", "R1", "R0"], "size_mm": [4.5, 10.0, 7.5]})
    >>> print(text[text.index("[columns.margin]") : text.index("[columns.size_mm]")].strip())
    [columns.margin]
    type = "category"
    # label = ""
    # alphabetical: the first, "R0", is the reference; put yours first
    levels = ["R0", "R1"]
    # rows: R0 (2), R1 (1)
    """
    return first_codebook(
        source, delimiter=delimiter, encoding=encoding, decimal=decimal, sheet=sheet
    )[0]


def first_codebook(
    source: str | os.PathLike[str] | Data,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Literal[".", ","] = ".",
    sheet: str | int | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Return a first codebook, and lines on what was read and on a built-in one that fits."""
    check_written(source, delimiter=delimiter, encoding=encoding, decimal=decimal, sheet=sheet)
    table = raw_table(source, delimiter=delimiter, encoding=encoding, sheet=sheet)
    inferred = infer_codebook(table, decimal=decimal)
    pointer = _pointer(_fitting(table))
    head = "".join(f"# {line}\n" for line in pointer) + "#\n" * bool(pointer)
    head += _HEAD.format(
        source=_comment(table.source),
        notes="".join(f"# Read: {_comment(note)}\n" for note in table.notes),
        decimal=_quoted(decimal),
    )
    options = {"delimiter": delimiter, "encoding": encoding, "sheet": sheet}
    head += "".join(
        f"{key} = {value if isinstance(value, int) else _quoted(value)}\n"
        for key, value in options.items()
        if value is not None
    )
    blocks = ["\n".join(_block(spec, table, inferred)) + "\n" for spec in inferred.codebook.columns]
    return "\n".join([head, *blocks]), (*table.notes, *pointer)


def _fitting(table: RawTable) -> str:
    """Return the built-in codebook that has this table's columns, or an empty string.

    It fits if the table has every column that it requires, and no more columns of its own than
    of the codebook's.
    """
    for name in builtin_names():
        book = builtin_codebook(name)
        there = [spec for spec in book.columns if spec.in_file in table.names]
        needed = [spec for spec in book.columns if spec.required and not spec.derive]
        if needed and set(needed) <= set(there) and 2 * len(there) >= len(table.names):
            return name
    return ""


def _pointer(name: str) -> tuple[str, ...]:
    """Return the lines that point to a built-in codebook; none without one."""
    if not name:
        return ()
    return (
        f"These columns are those of the built-in codebook {name}, which knows their meaning and",
        f"order of levels: --codebook {name}, or codebook={name!r} in Python.",
        "What follows is guessed, for a file that differs from it.",
    )


def _block(spec: ColumnSpec, table: RawTable, inferred: Inferred) -> Iterator[str]:
    """The lines of one column."""
    cells = table.cells(spec.name)
    yield f"[columns.{_key(spec.name)}]"
    doubt = inferred.doubts.get(spec.name, "")
    if doubt:
        yield f"# {_comment(doubt.replace('use a codebook', 'leave it so'))}"
    yield f"type = {_quoted('text' if doubt else spec.type)}"
    label = table.labels.get(spec.name, "")
    yield f"label = {_quoted(label)}" if label else '# label = ""'
    if spec.levels and not doubt:
        if list(spec.levels) == sorted(spec.levels) and len(spec.levels) > 1:
            first = _comment(_quoted(spec.levels[0]))
            yield f"# alphabetical: the first, {first}, is the reference; put yours first"
        yield f"levels = [{', '.join(_quoted(level) for level in spec.levels)}]"
    if spec.type in {"numeric", "integer"}:
        yield from _number_lines(cells)
    elif spec.type in {"category", "text"}:
        yield from _text_lines(cells)
    if not spec.required:
        yield "required = false  # no row has a value"
    elif cells.n_missing:
        yield f"# {cells.n_missing} of {table.n_rows} cells are empty"


def _number_lines(cells: Cells) -> Iterator[str]:
    yield '# unit = ""'
    numbers = [number for text in cells.texts if (number := _plain_number(text)) is not None]
    if numbers:
        yield f"# range = [{number_text(min(numbers))}, {number_text(max(numbers))}]  # as found"
    suspects = [text for text in cells.texts if _NINES.fullmatch(text)]
    if suspects and len(numbers) > len(suspects):
        yield f"# missing = [{', '.join(suspects[:5])}]  # if these mean no value"


def _plain_number(text: str) -> float | None:
    number = number_of(text.replace(",", "."))
    return number if number is not None and np.isfinite(number) else None


def _text_lines(cells: Cells) -> Iterator[str]:
    counts = dict(zip(cells.texts, (int(count) for count in cells.counts()), strict=True))
    if len(counts) <= MAX_LEVELS:
        yield "# rows: " + _comment(
            ", ".join(f"{text} ({n})" for text, n in sorted(counts.items()))
        )
    else:
        yield f"# {len(counts)} different values"
    forms = [form for form in _DATE_FORMS if counts and all(_written_so(t, form) for t in counts)]
    if forms:
        shown = " or ".join(f"date_format = {_quoted(form)}" for form in forms)
        yield f'# type = "date", {shown}  # if these are dates'


def _written_so(text: str, form: str) -> bool:
    """Whether a text is a date in a form of ``strptime``."""
    try:
        dt.datetime.strptime(text.strip(), form)
    except ValueError:
        return False
    return True


def _comment(text: str) -> str:
    """Text that is safe in a TOML comment: on one line, without control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escape(char) for char in escaped) + '"'


def _escape(char: str) -> str:
    if char.isprintable() or char == " ":
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # half of a pair: not a character, TOML has no way to write it
        return "\ufffd"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
