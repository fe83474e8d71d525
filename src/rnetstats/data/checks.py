"""Checks across a whole table: unique values, rules between columns, the study's calendar."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.data.codebook import Calendar, Check, Codebook, ColumnSpec
from rnetstats.data.ledger import Ledger
from rnetstats.data.rule_values import holds
from rnetstats.data.units import DAYS_PER_MONTH
from rnetstats.errors import DataError

__all__ = ["check_applicability", "check_calendar", "check_rules", "check_shape", "check_unique"]


def check_shape(n_rows: int, n_columns: int, ledger: Ledger) -> None:
    """Refuse a table with more columns than rows: it is transposed, or not a cohort."""
    if n_columns > n_rows:
        ledger.problem(
            f"{n_columns} columns but only {n_rows} {'row' if n_rows == 1 else 'rows'}: a cohort "
            "has a row a patient. Is the table transposed? Else leave out columns (a codebook "
            "takes only those it names)."
        )


def check_unique(frame: pd.DataFrame, book: Codebook, ledger: Ledger) -> None:
    """Refuse repeated values where each may occur once, such as a patient's identifier."""
    for spec in book.columns:
        if spec.must_be_unique and spec.name in frame.columns:
            column = frame[spec.name]
            twice = column.duplicated(keep=False) & column.notna()
            if bool(twice.any()):
                rows = np.flatnonzero(twice.to_numpy(dtype=bool))
                values = list(dict.fromkeys(str(value) for value in column[twice]))
                quoted = ", ".join(repr(value) for value in values[:4])
                more = f" and {len(values) - 4} more" if len(values) > 4 else ""
                ledger.problem(
                    f"column {spec.in_file!r}: each value may occur once, but {quoted}{more} "
                    f"{'occurs' if len(values) == 1 else 'occur'} again, in "
                    f"{ledger.rows(rows.tolist())}. Remove the duplicates; if several "
                    "rows per patient are meant, write unique = false in the codebook."
                )


def check_applicability(
    frame: pd.DataFrame, book: Codebook, in_file: Collection[str], ledger: Ledger
) -> tuple[dict[str, int], dict[str, int]]:
    """Count missing values, apart from cells that are empty because nothing applies.

    Parameters
    ----------
    frame
        The cohort's columns, n rows.
    book
        The codebook.
    in_file
        Columns that the file has; the others are derived.
    ledger
        Takes the problems. Of a derived column nothing is said that was said of the column which
        it follows from: its reader has no such column to correct.

    Returns
    -------
    Two dicts, column -> count: missing values, and cells empty by the structure of the data.
    """
    missing: dict[str, int] = {}
    structural: dict[str, int] = {}
    told: dict[str, set[int]] = {}
    for spec in book.columns:
        if spec.name not in frame.columns:
            continue
        empty = frame[spec.name].isna().to_numpy(dtype=bool)
        rule = spec.applies_when
        if rule is not None and all(name in frame.columns for name in rule.columns):
            _, outside = holds(rule, frame)
            structural[spec.name] = int(np.count_nonzero(empty & outside))
            odd = np.flatnonzero(~empty & outside).tolist()
            if odd and (spec.name in in_file or not _told_of_sources(spec, odd, told)):
                told[spec.name] = set(odd)
                ledger.problem(
                    f"column {spec.in_file!r} has a value where it does not apply (it applies "
                    f"when {rule.text}): {ledger.rows(odd)}. Empty it, or correct the "
                    "columns of the rule."
                )
            empty = empty & ~outside
        if count := int(np.count_nonzero(empty)):
            missing[spec.name] = count
    return missing, structural


def _told_of_sources(spec: ColumnSpec, rows: list[int], told: dict[str, set[int]]) -> bool:
    """Whether these rows were named already for a column that this one is derived from."""
    sources = {name for derivation in spec.derive for name in derivation.columns}
    return any(set(rows) <= told.get(name, set()) for name in sources)


def check_rules(frame: pd.DataFrame, book: Codebook, ledger: Ledger) -> None:
    """Hold each row against the codebook's rules; where a value is missing nothing is said."""
    for check in book.checks:
        needed = {*check.rule.columns, *(check.when.columns if check.when else ())}
        if needed <= set(frame.columns):
            _check_rule(frame, check, ledger)


def _check_rule(frame: pd.DataFrame, check: Check, ledger: Ledger) -> None:
    _, wrong = holds(check.rule, frame, slack=check.tolerance)
    if check.when is not None:
        wrong = wrong & holds(check.when, frame)[0]
    rows = np.flatnonzero(wrong)
    if not rows.size:
        return
    when = f" when {check.when.text}" if check.when else ""
    shown = _row_values(frame.iloc[int(rows[0])], check)
    said = check.message or f"the rule {check.rule.text!r} must hold{when}"
    text = f"{said}: this does not hold in {ledger.rows(rows.tolist())} ({shown})."
    if check.severity == "note":
        ledger.note(text[0].upper() + text[1:])
    else:
        ledger.problem(
            f"{text} Correct the file, or the check {check.rule.text!r} in the codebook."
        )


def _row_values(row: pd.Series[Any], check: Check) -> str:
    names = dict.fromkeys((*check.rule.columns, *(check.when.columns if check.when else ())))
    numbers = [cell for name in names if isinstance(cell := row[name], int | float | np.number)]
    # six digits, unless numbers that differ would read alike ("15.3 is not at most 15.3")
    alike = len({f"{number:g}" for number in numbers}) < len({f"{n:.12g}" for n in numbers})
    form = ".12g" if alike else "g"
    return "there " + ", ".join(f"{name} = {_said(row[name], form)}" for name in names)


def _said(cell: object, form: str) -> str:
    if isinstance(cell, pd.Timestamp):
        return cell.date().isoformat()
    return f"{cell:{form}}" if isinstance(cell, int | float | np.number) else repr(cell)


def check_calendar(frame: pd.DataFrame, calendar: Calendar, ledger: Ledger) -> None:
    """Refuse entries outside the study's dates, and times that reach past its last date.

    Without the column of entry dates a time can still not exceed the whole study.
    """
    start = calendar.start
    slack = calendar.tolerance * DAYS_PER_MONTH
    entry = frame[start] if start and start in frame.columns else None
    if entry is not None:
        for limit, sign, word in (
            (calendar.first_date, -1, "before the codebook's first date"),
            (calendar.last_date, 1, "after the codebook's last date"),
        ):
            if limit is not None:
                days = (entry - pd.Timestamp(limit)) / pd.Timedelta(days=1) * sign
                _refuse_times(start, days > 0, f"{word} {limit}", "", ledger)
    if calendar.last_date is None:
        return
    first = entry if entry is not None else calendar.first_date
    if first is None:
        return
    room = (pd.Timestamp(calendar.last_date) - pd.to_datetime(first)) / pd.Timedelta(days=1)
    since = f"{start} plus {{}}" if entry is not None else f"{calendar.first_date} plus {{}}"
    for name in calendar.times:
        if name in frame.columns:
            late = frame[name] * DAYS_PER_MONTH > room + slack
            where = f"after the codebook's last date {calendar.last_date}"
            _refuse_times(name, late, where, f" ({since.format(name)} months)", ledger)


def _refuse_times(
    name: str, wrong: pd.Series[Any], where: str, reckoned: str, ledger: Ledger
) -> None:
    rows = np.flatnonzero(wrong.to_numpy(dtype=bool, na_value=False))
    if rows.size:
        ledger.problem(
            f"column {name!r} is {where}{reckoned} in {ledger.rows(rows.tolist())}. "
            "Correct the file, or the dates in [calendar] of the codebook.",
            DataError,
        )
