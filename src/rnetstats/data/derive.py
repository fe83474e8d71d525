"""Derived columns: made by the codebook's rules, or held against them where the file has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rnetstats.data.codebook import Cases, Codebook, ColumnSpec, Derivation, RuleCases
from rnetstats.data.codebook_checks import derivation_order
from rnetstats.data.ledger import Ledger
from rnetstats.data.rule_values import holds, value
from rnetstats.data.rules import Rule
from rnetstats.data.units import conversion

__all__ = ["add_derived"]

_ROUNDING = 1e-9  # relative: what a difference of decimal fractions may be off


def add_derived(
    frame: dict[str, pd.Series[Any]], book: Codebook, failed: Collection[str], ledger: Ledger
) -> list[str]:
    """Add the derived columns to the columns read.

    Parameters
    ----------
    frame
        Columns read so far; derived ones are added, in the order in which they depend on
        each other.
    book
        The codebook.
    failed
        Columns with problems of their own, about which nothing more is said.
    ledger
        Takes the notes and the contradictions.

    Returns
    -------
    Names of the derived columns that could not be made: their columns are not there.
    """
    out: list[str] = []
    wrong: set[str] = set()  # of what follows from these nothing more is said
    for spec, derivations in derivation_order(book):
        if spec.name in failed:
            continue
        usable = [d for d in derivations if all(name in frame for name in d.columns)]
        if not usable:
            if spec.name not in frame:
                out.append(spec.name)
            continue
        made = _derived(spec, usable[0], pd.DataFrame(frame))
        if not wrong.isdisjoint(usable[0].columns):
            wrong.add(spec.name)
            frame.setdefault(spec.name, made)
        elif spec.name in frame:
            _compare(frame[spec.name], made, spec, usable[0], ledger)
            _note_gaps(frame, made, spec, usable[0], ledger)
        else:
            frame[spec.name] = made
            if _refused(made, spec, usable[0], ledger):
                wrong.add(spec.name)
            ledger.note(f"{spec.name}: derived: {usable[0].text}{_converted(spec)}.")
            _note_other_rules(made, spec, usable, frame, ledger)
    return out


def _converted(spec: ColumnSpec) -> str:
    return f", from {spec.unit_in} to {spec.unit}" if spec.unit_in else ""


def _derived(spec: ColumnSpec, derivation: Derivation, frame: pd.DataFrame) -> pd.Series[Any]:
    if isinstance(derivation, Cases):
        return _cases(spec, derivation, frame)
    if isinstance(derivation, RuleCases):
        values = _chosen_values(derivation, frame)
    elif derivation.is_condition:
        true, false = holds(derivation, frame)
        return _whole(np.where(true, 1.0, np.where(false, 0.0, np.nan)), spec.name)
    else:
        values = value(derivation, frame)
    if spec.type == "date":
        return pd.Series(values, name=spec.name)
    numbers = np.asarray(values, dtype=np.float64)
    if spec.unit_in:
        times, per = conversion(spec.unit_in, spec.unit)
        numbers = numbers * times / per
    if spec.type == "numeric":
        return pd.Series(numbers, name=spec.name)
    return _whole(numbers, spec.name)


def _note_other_rules(
    made: pd.Series[Any],
    spec: ColumnSpec,
    usable: list[Derivation],
    frame: dict[str, pd.Series[Any]],
    ledger: Ledger,
) -> None:
    """Name the rows that have no value by the rule taken, and have one by another of the list."""
    what = "rule" if spec.type in {"numeric", "integer", "date"} else "value"
    for other in usable[1:]:
        filled = made.isna() & _derived(spec, other, pd.DataFrame(frame)).notna()
        if filled.any():
            ledger.note(
                f"{spec.name}: {usable[0].text} gives no value in {int(filled.sum())} of "
                f"{len(made)} rows in which {other.text} would. One rule of a list serves the "
                f"whole file; a table {what} = condition chooses row by row."
            )


def _first_that_holds(conditions: tuple[Rule, ...], frame: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Number of the first condition that holds; -1 if none does, or an earlier one is unknown."""
    chosen = np.full(len(frame), -1, dtype=np.intp)
    open_ = np.ones(len(frame), dtype=bool)
    for number, condition in enumerate(conditions):
        true, false = holds(condition, frame)
        chosen[open_ & true] = number
        open_ &= false
    return chosen


def _chosen_values(cases: RuleCases, frame: pd.DataFrame) -> npt.NDArray[Any]:
    """What the rule of the first condition that holds gives; missing where none is known to."""
    chosen = _first_that_holds(cases.conditions, frame)
    made = [value(rule, frame) for rule in cases.values]
    out = np.full_like(made[0], "NaT" if made[0].dtype.kind == "M" else np.nan)
    for number, values in enumerate(made):
        out[chosen == number] = values[chosen == number]
    return out


def _cases(spec: ColumnSpec, cases: Cases, frame: pd.DataFrame) -> pd.Series[Any]:
    """The value of the first condition that holds; missing once an earlier one is unknown."""
    chosen = _first_that_holds(cases.conditions, frame)
    if spec.type == "category":
        levels = list(spec.levels) or sorted({str(v) for v in cases.values})
        places = np.array([levels.index(_level(v)) for v in cases.values] + [-1], dtype=np.intp)
        codes = pd.Categorical.from_codes(places[chosen], categories=pd.Index(levels))
        return pd.Series(codes, name=spec.name)
    numbers = np.array([float(v) for v in cases.values] + [np.nan])
    return _whole(numbers[chosen], spec.name)


def _level(case: float | str) -> str:
    return case if isinstance(case, str) else f"{case:g}"


def _whole(numbers: npt.NDArray[np.float64], name: str) -> pd.Series[Any]:
    rounded = np.round(numbers)
    near = np.abs(numbers - rounded) <= _ROUNDING * np.maximum(1.0, np.abs(numbers))
    numbers = np.where(near, rounded, numbers)
    column = pd.Series(numbers, name=name)
    whole = bool(np.all(np.isfinite(numbers) & near))
    return column.astype(np.int64) if whole else column


def _refused(
    made: pd.Series[Any], spec: ColumnSpec, derivation: Derivation, ledger: Ledger
) -> bool:
    """Hold derived numbers against the column's type, codes and range, as those of a file are."""
    if spec.type not in {"numeric", "integer", "binary"}:
        return False
    numbers = made.to_numpy(dtype=float)
    for wrong, what, advice in _faults(spec, numbers):
        rows = np.flatnonzero(wrong & ~np.isnan(numbers))
        if rows.size:
            ledger.problem(
                f"column {spec.name!r}, derived ({derivation.text}), {what} in "
                f"{ledger.rows(rows.tolist())}: there it is {_said(made.iloc[int(rows[0])])}. "
                f"Correct the columns that it follows from, or {advice} in [columns.{spec.name}] "
                "of the codebook."
            )
            return True
    return False


def _faults(
    spec: ColumnSpec, numbers: npt.NDArray[np.float64]
) -> Iterator[tuple[npt.NDArray[np.bool_], str, str]]:
    """Go through what a column of numbers must be: where it is not, how to say so, what to do."""
    if spec.type == "binary":
        yield ~np.isin(numbers, (0.0, 1.0)), "is not 0 or 1", "`derive`"
    if spec.type == "integer":
        yield numbers != np.round(numbers), "is no whole number", 'write type = "numeric"'
    if spec.codes:
        listed = ", ".join(f"{code} ({meaning})" for code, meaning in spec.codes)
        unknown = ~np.isin(numbers, [code for code, _ in spec.codes])
        yield unknown, f"is none of the codes {listed}", "`derive` or `codes`"
    if spec.range is not None:
        low, high = spec.range
        limits = f"{low:g} to {high:g} {spec.unit}".rstrip()
        outside = (numbers < low) | (numbers > high)
        yield outside, f"is outside the range {limits}", "change `range`"


def _compare(
    found: pd.Series[Any],
    made: pd.Series[Any],
    spec: ColumnSpec,
    derivation: Derivation,
    ledger: Ledger,
) -> None:
    """Hold the file's own column against the rule."""
    known = (found.notna() & made.notna()).to_numpy(dtype=bool)
    if spec.type in {"numeric", "integer", "binary"}:
        gap = np.abs(found.to_numpy(dtype=float) - made.to_numpy(dtype=float))
        differs = known & (np.nan_to_num(gap) > spec.tolerance + 1e-9)
    else:
        differs = known & (found.astype(object) != made.astype(object)).to_numpy(dtype=bool)
    rows = np.flatnonzero(differs)
    if not rows.size:
        return
    first = int(rows[0])
    ledger.problem(
        f"column {spec.in_file!r} contradicts the rule it follows from ({derivation.text}) in "
        f"{ledger.rows(rows.tolist())}: there it is {_said(found.iloc[first])}, by the rule "
        f"{_said(made.iloc[first])}. Correct the file, or the rule in the codebook."
    )


def _note_gaps(
    frame: dict[str, pd.Series[Any]],
    made: pd.Series[Any],
    spec: ColumnSpec,
    derivation: Derivation,
    ledger: Ledger,
) -> None:
    """Note the empty cells of the file's own column to which the rule would give a value."""
    gaps = (frame[spec.name].isna() & made.notna()).to_numpy(dtype=bool)
    rule = spec.applies_when
    if rule is not None and all(name in frame for name in rule.columns):
        _, outside = holds(rule, pd.DataFrame(frame))
        gaps &= ~outside  # empty as it must be
    rows = np.flatnonzero(gaps)
    if rows.size:
        ledger.note(
            f"{spec.name}: empty in {ledger.rows(rows.tolist())}, where the rule it follows from "
            f"({derivation.text}) gives a value. The file's own column was taken, and its gaps "
            "with it; without the column all rows would be derived."
        )


def _said(cell: object) -> str:
    return f"{cell:g}" if isinstance(cell, int | float | np.number) else str(cell)
