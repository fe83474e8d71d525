"""From untyped cells to a cohort by a codebook: one straight way, all problems in one error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.data.checks import (
    check_applicability,
    check_calendar,
    check_rules,
    check_unique,
)
from rnetstats.data.codebook import Codebook, ColumnSpec
from rnetstats.data.convert import convert
from rnetstats.data.derive import add_derived
from rnetstats.data.infer import infer_codebook
from rnetstats.data.ledger import Ledger
from rnetstats.data.raw import RawTable
from rnetstats.data.rule_values import holds
from rnetstats.errors import closest

__all__ = ["apply_codebook"]

_LONGEST = 60  # name of a column as it is shown


def apply_codebook(table: RawTable, book: Codebook, ledger: Ledger) -> pd.DataFrame:
    """Turn untyped cells into a cohort.

    Parameters
    ----------
    table
        Cells of n rows.
    book
        What they mean.
    ledger
        Takes the notes; may hold notes and problems already.

    Returns
    -------
    DataFrame
        n rows; :func:`rnetstats.data.read.read_cohort` describes it.

    Raises
    ------
    DataError
        For all problems together.
    """
    book, found = _matched(table, book, ledger)
    columns: dict[str, pd.Series[Any]] = {}
    failed = {spec.name for spec in book.columns if spec.required and not spec.derive}
    for spec in found:
        labels = table.value_labels.get(spec.in_file)
        column = convert(table.cells(spec.in_file), spec, book.file, ledger, labels)
        if column is not None:
            columns[spec.name] = column
            failed.discard(spec.name)
        else:
            failed.add(spec.name)
    underived = add_derived(columns, book, failed, ledger)
    order = [spec.name for spec in book.columns if spec.name in columns]
    frame = pd.DataFrame({name: columns[name] for name in order})
    absent = _absent(frame, book, failed, underived, ledger, table.notes)
    check_unique(frame, book, ledger)
    missing, structural = check_applicability(frame, book, [spec.name for spec in found], ledger)
    check_rules(frame, book, ledger)
    if book.calendar is not None:
        check_calendar(frame, book.calendar, ledger)
    ledger.raise_problems()
    _note_contents(frame, missing, absent, ledger)
    _note_bare_rows(frame, book, ledger)
    frame.attrs["rnetstats"] = {
        **_meanings(table, book, order),
        "missing": missing,
        "structural": structural,
        "absent": absent,
        "synthetic": False,
        "provenance": {
            "source": table.source,
            "sha256": table.sha256,
            "codebook": book.name,
            "codebook_sha256": book.sha256,
        },
        "notes": list(ledger.notes),
        **table.origin,
    }
    return frame


def _matched(table: RawTable, book: Codebook, ledger: Ledger) -> tuple[Codebook, list[ColumnSpec]]:
    """Find the codebook's columns in the file, and say what becomes of the others."""
    book = _by_white_space(table, book)
    found = [spec for spec in book.columns if spec.in_file in table.names]
    taken = {spec.in_file for spec in found}
    free = [name for name in table.names if name not in taken]
    wanted = [spec for spec in book.columns if spec.required and not spec.derive]
    if not found and _another_table(table, wanted):
        ledger.missing_column(_not_this_table(table, book, wanted))
        ledger.raise_problems()
    how_read = "".join(f" {note}" for note in table.notes)  # such as which sheet: said once
    for spec in wanted:
        if spec.in_file not in table.names:
            near = closest(spec.in_file, free)
            advice = (
                f' Say source = "NAME" in [columns.{spec.name}] of the codebook if it has another '
                "name, or required = false if there is none."
            )
            alone = " The table has one column only: is the delimiter right (or the sheet)?"
            ledger.missing_column(
                f"there is no column {spec.in_file!r}.{near}"
                f"{alone if len(table.names) == 1 and len(book.columns) > 1 else advice}"
                + ("" if near or not free else f" Not used so far: {_some(map(repr, free), 8)}.")
                + how_read
            )
            how_read = ""
    if not free:
        return book, found
    listed = ", ".join(repr(name) for name in free[:12]) + (", ..." if len(free) > 12 else "")
    if book.file.extra_columns == "error":
        ledger.missing_column(f"columns that the codebook does not have: {listed}.")
    elif book.file.extra_columns == "ignore":
        ledger.note(f"Columns that the codebook does not have were left out: {listed}.")
    else:
        return _with_extra(table, book, found, free, ledger)
    return book, found


def _by_white_space(table: RawTable, book: Codebook) -> Codebook:
    """Find columns whose name in the file differs in its white space alone."""
    missing = [spec for spec in book.columns if spec.in_file not in table.names]
    if not missing:
        return book
    free = set(table.names) - {spec.in_file for spec in book.columns}
    by_words: dict[str, list[str]] = {}
    for name in free:
        by_words.setdefault(" ".join(name.split()), []).append(name)
    sources = {
        spec.name: names[0]
        for spec in missing
        if len(names := by_words.get(" ".join(spec.in_file.split()), [])) == 1
    }
    columns = [replace(spec, source=sources.get(spec.name, spec.source)) for spec in book.columns]
    return replace(book, columns=tuple(columns)) if sources else book


def _another_table(table: RawTable, wanted: list[ColumnSpec]) -> bool:
    """Whether none of several columns is there, not even under a similar name."""
    return len(wanted) > 2 and not any(closest(spec.in_file, table.names) for spec in wanted)


def _not_this_table(table: RawTable, book: Codebook, wanted: list[ColumnSpec]) -> str:
    """Say in one line what was found and what was expected."""
    header = " ".join(table.names)
    split = sum(spec.in_file in header for spec in wanted) > len(wanted) // 2
    if split:
        advice = "The names stand in the first line, but not as columns: is the delimiter right?"
    else:
        advice = (
            "Is it the right file, with the columns' names in its first line? If they have other "
            'names, say source = "NAME" in the codebook.'
        )
    return (
        f"this does not look like a table of the codebook {book.name!r}: none of its "
        f"{len(wanted)} required columns ({_some(spec.in_file for spec in wanted)}) is there. "
        f"Found {'one column' if len(table.names) == 1 else f'{len(table.names)} columns'}: "
        f"{_some(repr(_short(name)) for name in table.names)}. {advice}"
        + "".join(f" {note}" for note in table.notes)
    )


def _some(names: Iterable[str], shown: int = 5) -> str:
    listed = list(names)
    return ", ".join(listed[:shown]) + (", ..." if len(listed) > shown else "")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..."


def _with_extra(
    table: RawTable, book: Codebook, found: list[ColumnSpec], free: list[str], ledger: Ledger
) -> tuple[Codebook, list[ColumnSpec]]:
    """Keep columns that the codebook does not have, as what they seem to be."""
    known = {spec.name for spec in book.columns}
    clash = [name for name in free if name in known]
    if clash:
        ledger.note(
            f"Left out, as the codebook gives the name to another column: {', '.join(clash)}."
        )
    inferred = infer_codebook(table, decimal=book.file.decimal, missing=book.file.missing)
    extra = [inferred.codebook.column(name) for name in free if name not in known]
    for spec in extra:
        if spec.name in inferred.doubts:
            ledger.problem(inferred.doubts[spec.name])
    if extra:
        told = ", ".join(f"{spec.name} ({spec.type})" for spec in extra)
        ledger.note(f"Columns that the codebook does not have were kept, as inferred: {told}.")
    return replace(book, columns=(*book.columns, *extra)), [*found, *extra]


def _absent(
    frame: pd.DataFrame,
    book: Codebook,
    failed: set[str],
    underived: list[str],
    ledger: Ledger,
    notes: Sequence[str],
) -> list[str]:
    """Columns without any value: a problem if required, else noted with what is skipped."""
    absent = []
    for spec in book.columns:
        name = spec.name
        there = name in frame.columns
        if name in failed or (there and frame[name].notna().any()):
            continue
        skipped = f"; skipped without it: {spec.needed_for}" if spec.needed_for else ""
        if there and _applies_nowhere(frame, spec):
            ledger.note(f"Column {spec.in_file!r} has no values: it applies to nobody{skipped}.")
            absent.append(name)
            continue
        if spec.required and (there or name in underived):
            if not there and failed & {needed for d in spec.derive for needed in d.columns}:
                continue  # what it follows from has a problem of its own
            ledger.missing_column(
                f"column {spec.in_file!r} "
                + (
                    "has no value at all. Fill it, or write required = false in the codebook."
                    + "".join(f" {note}" for note in notes if note.startswith(f"{spec.in_file}: "))
                    if there
                    else "is not in the file and cannot be derived: "
                    + " or ".join(derivation.text for derivation in spec.derive)
                    + "."
                )
            )
            continue
        absent.append(name)
        state = "has no values" if there else "is not in the file"
        ledger.note(f"The optional column {spec.in_file!r} {state}{skipped}.")
    return absent


def _applies_nowhere(frame: pd.DataFrame, spec: ColumnSpec) -> bool:
    """Whether a column's ``applies_when`` is known to fail in every row."""
    rule = spec.applies_when
    if rule is None or not all(name in frame.columns for name in rule.columns):
        return False
    _, outside = holds(rule, frame)
    return bool(outside.all())


def _note_contents(
    frame: pd.DataFrame, missing: dict[str, int], absent: list[str], ledger: Ledger
) -> None:
    """Note missing values, columns of one value, and levels without rows."""
    for name, count in missing.items():
        if name not in absent:
            ledger.note(f"{name}: missing in {count} of {len(frame)} rows.")
    for name in frame.columns:
        column = frame[name]
        values = column.dropna().unique()
        if len(values) == 1 and len(frame) > 1:
            said = str(values[0]).removesuffix(" 00:00:00")  # of a date
            ledger.note(f"{name}: all values are the same ({said}).")
        if isinstance(column.dtype, pd.CategoricalDtype) and name not in absent:
            used = set(values)
            unused = [str(level) for level in column.cat.categories if level not in used]
            if unused:
                ledger.note(f"{name}: no row has the level {', '.join(unused)}.")


def _note_bare_rows(frame: pd.DataFrame, book: Codebook, ledger: Ledger) -> None:
    """Note rows of an identifier and nothing else: a line of remarks may pass for a patient."""
    ids = [spec.name for spec in book.columns if spec.type == "id" and spec.name in frame.columns]
    if not ids or frame.shape[1] < 3:
        return
    bare = np.flatnonzero(frame.drop(columns=ids).isna().all(axis=1).to_numpy(dtype=bool))
    if bare.size:
        names = ", ".join(repr(str(frame[ids[0]].iloc[row])) for row in bare[:4])
        ledger.note(
            f"Rows with an identifier and nothing else, counted as patients: {bare.size} "
            f"({names}), {ledger.rows(bare.tolist())}. If they are none, take them out of the file."
        )


def _meanings(table: RawTable, book: Codebook, names: list[str]) -> dict[str, Any]:
    """Labels, units and codes of the columns, as plain dicts."""
    specs = [book.column(name) for name in names]
    labels = {s.name: s.label or table.labels.get(s.in_file, "") for s in specs}
    return {
        "labels": {name: label for name, label in labels.items() if label},
        "units": {s.name: s.unit for s in specs if s.unit},
        "codes": {s.name: {str(code): text for code, text in s.codes} for s in specs if s.codes},
    }
