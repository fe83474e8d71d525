"""From untyped cells to a typed column: missing codes, recoding, numbers, levels, dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rnetstats.data.cells import Cells, number_text
from rnetstats.data.codebook import ColumnSpec, FileSpec
from rnetstats.data.dates import date_column
from rnetstats.data.ledger import Ledger
from rnetstats.data.typed import (
    Task,
    category_column,
    finder,
    number_column,
    text_column,
)

__all__ = ["convert"]


def convert(
    cells: Cells,
    spec: ColumnSpec,
    file: FileSpec,
    ledger: Ledger,
    value_labels: Mapping[str, str] | None = None,
) -> pd.Series[Any] | None:
    """Convert one column.

    Parameters
    ----------
    cells
        The column as it stands in the file, n rows.
    spec, file
        What the codebook says of the column and of the file.
    ledger
        Takes the notes, and the problems with their rows.
    value_labels
        Labels that Stata or SPSS gives to the codes; used for text, ids and categories.

    Returns
    -------
    Series of n rows, or None if a problem was found
    """
    cells = _without_missing(cells, spec, file, ledger)
    if value_labels and spec.type in {"category", "text"}:
        cells = _labelled(cells, spec, value_labels, ledger)
    if value_labels and spec.type == "binary" and not spec.recode:
        _tell_labels(cells, spec, value_labels, ledger)
    task = Task(cells, spec, ledger)
    recoded = _recoded(task)
    if recoded is None:
        return None
    if spec.type in {"numeric", "integer", "binary"}:
        # 1.000 with decimal commas is a thousand, or an error: never 1, whole as it may look
        decimal = spec.decimal or (file.decimal if spec.type != "binary" else ".")
        return number_column(task, recoded, decimal)
    if spec.type == "category":
        return category_column(task, recoded)
    return date_column(task) if spec.type == "date" else text_column(task, recoded)


def _without_missing(cells: Cells, spec: ColumnSpec, file: FileSpec, ledger: Ledger) -> Cells:
    kept_as_values = {*spec.levels, *(value for value, _ in spec.recode)}
    codes = {*file.missing, *spec.missing} - kept_as_values
    find = finder(codes)
    counts = cells.counts()
    found: dict[str, int] = {}
    dropped = []
    for i, text in enumerate(cells.texts):
        exact_only = spec.type in {"text", "id"}
        code = (text if text in codes else None) if exact_only else find(text)
        if code is not None and text not in kept_as_values:
            dropped.append(i)
            found[code] = found.get(code, 0) + int(counts[i])
    if found:
        told = ", ".join(f"{code!r} ({count})" for code, count in sorted(found.items()))
        ledger.note(f"{spec.name}: codes read as missing, with their number: {told}.")
    return cells.without(dropped)


def _tell_labels(cells: Cells, spec: ColumnSpec, labels: Mapping[str, str], ledger: Ledger) -> None:
    """Say what the file calls 0 and 1, which stay numbers."""
    find = finder(labels)
    named = sorted((code, labels[code]) for text in cells.texts if (code := find(text)))
    if named:
        told = ", ".join(f"{code} = {label}" for code, label in named)
        ledger.note(f"{spec.name}: the file calls {told}.")


def _labelled(cells: Cells, spec: ColumnSpec, labels: Mapping[str, str], ledger: Ledger) -> Cells:
    find, level = finder(labels), finder(spec.levels)
    if spec.levels and all(level(text) for text in cells.texts):
        return cells
    if any(find(text) for text in cells.texts):
        ledger.note(f"{spec.name}: the file's value labels were read instead of its codes.")
    new = []
    for text, value in zip(cells.texts, cells.values, strict=True):
        code = find(text)
        new.append(value if code is None else labels[code])
    return cells.replaced(new)


def _recoded(task: Task) -> Cells | None:
    """Apply the recoding, counted; a code whose meaning it changes must not pass unlisted."""
    table = dict(task.spec.recode)
    if not table:
        return task.cells
    cells = task.cells
    find = finder(table)
    codes = [find(text) for text in cells.texts]
    unlisted = [i for i, code in enumerate(codes) if code is None]
    if unlisted and _changes_codes(table):
        task.refuse(
            unlisted,
            "is not in `recode`",
            "It gives codes a new meaning, and must therefore list all that occur.",
        )
        return None
    told: dict[str, int] = {}
    new: list[object] = []
    for code, value, count in zip(codes, cells.values, cells.counts(), strict=True):
        if code is None:
            new.append(value)
            continue
        new.append(table[code])
        pair = f"{code!r} to {_target_text(table[code])!r}"
        told[pair] = told.get(pair, 0) + int(count)
    if told:
        pairs = ", ".join(f"{pair} ({count})" for pair, count in told.items())
        task.ledger.note(f"{task.spec.name}: recoded, with their number: {pairs}.")
    return cells.replaced(new)


def _changes_codes(table: Mapping[str, float | str]) -> bool:
    """Whether a value that the column may hold is turned into another of them."""
    find = finder(_target_text(target) for target in table.values())
    return any(find(value) not in (None, _target_text(target)) for value, target in table.items())


def _target_text(target: float | str) -> str:
    return target if isinstance(target, str) else number_text(target)
