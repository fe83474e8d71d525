"""What the columns of a file seem to be, when no codebook says it; each guess is told."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from rnetstats.data.cells import Cells, number_of
from rnetstats.data.codebook import DEFAULT_MISSING, Codebook, ColumnSpec, FileSpec
from rnetstats.data.raw import RawTable
from rnetstats.data.typed import THOUSANDS, finder

__all__ = ["Inferred", "infer_codebook"]

MAX_LEVELS = 20
_ID_NAME = re.compile(
    r"id|.*[_ .-]id|(patient|subject|case|record|study)([_ .-]?(no|nr|number|id|code))?|pid|mrn",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_TOO_LONG = re.compile(r"[+-]?\d{16,}", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0\d+", re.ASCII)


@dataclass(frozen=True)
class Inferred:
    """A guessed codebook.

    ``doubts`` are columns that must not be used without a word from the user, and why; ``notes``
    say what was guessed.
    """

    codebook: Codebook
    doubts: dict[str, str]
    notes: tuple[str, ...]


def infer_codebook(
    table: RawTable,
    *,
    decimal: Literal[".", ","] = ".",
    missing: tuple[str, ...] = DEFAULT_MISSING,
) -> Inferred:
    """Guess what each column is.

    Numbers that are only 0 and 1 are binary; numbers with leading zeros, or in a column that is
    named and filled like an identifier, are text; text of few values is a category whose levels
    sort by code point. A column of numbers with a few texts is a doubt, not a guess.
    """
    specs = []
    doubts = {}
    find = finder(missing)
    for name, column in zip(table.names, table.columns, strict=True):
        cells = table.cells(name)
        cells = cells.without([i for i, text in enumerate(cells.texts) if find(text)])
        if isinstance(column.dtype, pd.CategoricalDtype):
            levels = Cells.of(pd.Series(column.dtype.categories), name).texts
            specs.append(_category(name, cells, tuple(dict.fromkeys(levels))))
            continue
        spec = _guess(name, cells, decimal)
        if spec.type in {"category", "text"} and (
            doubt := _doubt(name, cells, decimal, table.places)
        ):
            doubts[name] = doubt
        specs.append(_labelled(spec, cells, table.value_labels.get(name, {})))
    book = Codebook(
        name="inferred", columns=tuple(specs), file=FileSpec(decimal=decimal, missing=missing)
    )
    return Inferred(book, doubts, tuple(_told(specs)))


def _category(name: str, cells: Cells, levels: tuple[str, ...]) -> ColumnSpec:
    return ColumnSpec(name=name, type="category", levels=levels, required=bool(cells.texts))


def _guess(name: str, cells: Cells, decimal: str) -> ColumnSpec:
    """Guess one column from its distinct values."""
    spec = ColumnSpec(name=name, type=_type(name, cells, decimal), required=bool(cells.texts))
    if spec.type == "category":
        return replace(spec, levels=tuple(sorted(set(cells.texts))))
    return spec


def _type(name: str, cells: Cells, decimal: str) -> str:
    texts = set(cells.texts)
    if not texts:
        return "numeric"
    if {text.lower() for text in texts} <= {"true", "false"}:
        return "binary"
    single = not cells.n_missing and len(texts) == len(cells.codes) > 1
    identifies = single and _ID_NAME.fullmatch(name) is not None
    if all(isinstance(value, dt.date) or _is_date(value) for value in cells.values):
        return "date"
    numbers = [_number(value, decimal) for value in cells.values]
    if any(number is None for number in numbers) or _is_code(cells):
        if identifies:
            return "id"
        return "category" if len(texts) <= MAX_LEVELS else "text"
    whole = all(_is_whole(value) for value in cells.values)
    if identifies and whole:
        return "id"
    if set(numbers) <= {0.0, 1.0}:
        return "binary"
    return "integer" if whole else "numeric"


def _number(value: object, decimal: str) -> float | None:
    if isinstance(value, str):
        return number_of(value, decimal)
    return float(value) if isinstance(value, int | float) else None


def _is_code(cells: Cells) -> bool:
    """Digits that are a label: leading zeros, or more of them than a number can hold."""
    return any(
        isinstance(value, str) and (_LEADING_ZERO.fullmatch(value) or _TOO_LONG.fullmatch(value))
        for value in cells.values
    )


def _is_whole(value: object) -> bool:
    if isinstance(value, str):
        return _WHOLE.fullmatch(value) is not None
    return isinstance(value, int) and abs(value) <= 2**53


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        return 1678 <= dt.datetime.fromisoformat(value).year <= 2261
    except ValueError:
        return False


def _labelled(spec: ColumnSpec, cells: Cells, labels: Mapping[str, str]) -> ColumnSpec:
    """Codes that Stata or SPSS labels are a category, except 0/1."""
    if spec.type not in {"integer", "numeric"} or not all(t in labels for t in cells.texts):
        return spec
    ordered = sorted(cells.texts, key=float)
    levels = tuple(dict.fromkeys(labels[text].strip() for text in ordered))
    return _category(spec.name, cells, levels) if levels and all(levels) else spec


def _doubt(name: str, cells: Cells, decimal: str, places: Sequence[str] | None) -> str:
    """Say why a column of text may be meant as numbers, or return an empty string."""
    other = "," if decimal == "." else "."
    if any(isinstance(value, dt.timedelta) for value in cells.values):
        return (
            f"column {name!r} holds durations such as {cells.texts[0]!r}, not numbers. Make "
            "numbers of them first, such as days: column / pandas.Timedelta(days=1)."
        )
    if not cells.texts or _is_code(cells):
        return ""
    grouped = [text for text in cells.texts if THOUSANDS.fullmatch(text)]
    plain = [number_of(text, decimal) is not None for text in cells.texts]
    if all(number_of(text, other) is not None for text in cells.texts):
        thousands = ", unless it parts thousands: then take it out of the file"
        return (
            f"column {name!r} has values such as {cells.texts[0]!r}. If that is a number, say "
            f'decimal = "{other}"{thousands if grouped else ""}; if it is text, use a codebook.'
        )
    if grouped and len(grouped) + sum(plain) >= len(cells.texts):
        return (
            f"column {name!r} has values such as {grouped[0]!r}: numbers whose thousands are "
            "parted by a mark, which cannot be read. Take the marks out of the file; if it is "
            "text, use a codebook."
        )
    if not _mostly_numbers(cells, decimal):
        return ""
    others = [i for i, text in enumerate(cells.texts) if number_of(text, decimal) is None]
    quoted = ", ".join(repr(cells.texts[i]) for i in others[:4])
    first = cells.positions(others)[0]
    line = f", {places[first]}" if places else ""
    return (
        f"column {name!r} holds numbers, but also {quoted} (row {first + 1}{line}). Correct the "
        "file, or write a codebook (rnetstats codebook FILE): there `missing` lists codes for "
        'missing values, and type = "text" takes everything as it is.'
    )


def _mostly_numbers(cells: Cells, decimal: str) -> bool:
    """Whether most rows are numbers, too many or too fine to be the codes of a category."""
    numbers = [number_of(text, decimal) for text in cells.texts]
    found = {number for number in numbers if number is not None}
    counts = cells.counts()
    rows = sum(int(counts[i]) for i, number in enumerate(numbers) if number is not None)
    fractions = any(math.isfinite(number) and number % 1 for number in found)
    enough = 3 if fractions else 10
    return (
        len(found) < len(set(cells.texts)) and len(found) >= enough and 2 * rows > len(cells.codes)
    )


def _told(specs: list[ColumnSpec]) -> Iterator[str]:
    """Say what was inferred."""
    yield "No codebook: what each column is was inferred from its values."
    for type_, words in _WORDS.items():
        names = [spec.name for spec in specs if spec.type == type_]
        if names:
            yield f"Inferred as {words}: {', '.join(names)}."
    for spec in specs:
        if spec.type == "category" and spec.levels:
            shown = ", ".join(spec.levels[:MAX_LEVELS])
            yield f"{spec.name}: levels {shown}; the first is the reference."


_WORDS = {
    "numeric": "numbers",
    "integer": "whole numbers",
    "binary": "0/1",
    "category": "categories",
    "text": "text",
    "id": "identifiers",
    "date": "dates",
}
