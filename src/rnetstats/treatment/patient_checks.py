"""What is refused of patients with a treatment during follow-up, in words that name them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column
from rnetstats.errors import ColumnError, DataError, FormulaError, rows_text
from rnetstats.formula.terms import Formula
from rnetstats.formula.variables import read_variable
from rnetstats.kernels.same_times import as_observed

__all__ = [
    "check_baseline",
    "check_flags",
    "check_formula",
    "check_undetermined",
    "check_unique",
    "checked_times",
    "given_times",
    "names_of",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_IDENTIFIERS = ("patient_id", "patient", "id")


def names_of(table: pd.DataFrame, id: str | None) -> NDArray[Any]:
    """What each row's patient is called in messages: its id, or its row counted from 1."""
    if id is None:
        id = next((name for name in _IDENTIFIERS if name in table.columns), None)
    if id is None:
        return np.array([f"row {k}" for k in range(1, len(table) + 1)], dtype=object)
    return column(table, id).astype(str).to_numpy(dtype=object)


def check_unique(table: pd.DataFrame, id: str | None) -> None:
    """Refuse patients in several rows, and rows without a patient."""
    if id is None:
        return
    ids = column(table, id)
    if ids.isna().any():
        rows = (np.flatnonzero(ids.isna()) + 1).tolist()
        raise DataError(f"The patient in column {id!r} is missing in {rows_text(rows)}.")
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].astype(str).unique().tolist()
        raise DataError(
            f"Column {id!r} names a patient in more than one row: {_few(twice)}. Each patient is "
            "one row here; data in start-stop rows are split already and go to cox()."
        )


def _few(names: list[str], limit: int = 5) -> str:
    more = f" (and {len(names) - limit} more)" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def check_formula(formula: Formula) -> None:
    """Refuse start-stop times, and anything but covariates on the right side."""
    left = formula.outcome
    if left is not None and len(left.times) == 2:
        raise FormulaError(
            f"The left side of {str(formula)!r} has start and stop times; treatment during "
            "follow-up is read from one row a patient, Surv(time, event)."
        )
    if formula.strata or formula.cluster is not None or formula.offsets:
        raise FormulaError(
            f"strata(), cluster() and offset() have no place in {str(formula)!r}: the right side "
            "names baseline confounders, and each row is a patient."
        )


def check_baseline(formula: Formula, treatment_time: Any, ever_treated: str | None) -> None:
    """Refuse the treatment itself among the baseline confounders."""
    for name, told in ((treatment_time, "when"), (ever_treated, "whether")):
        if isinstance(name, str) and name in formula.term_columns:
            raise FormulaError(
                f"{name!r} on the right side of {str(formula)!r} says {told} a patient was "
                "treated, which is not known at the start of follow-up. The right side names "
                "baseline confounders: leave it out."
            )


def check_undetermined(
    table: pd.DataFrame, formula: Formula, rows: NDArray[np.intp], treated: Flags
) -> None:
    """Refuse a covariate of few levels in each of which all were treated, or nobody."""
    if treated.all() or not treated.any():
        return
    for name in formula.term_columns:
        variable = read_variable(table, name).take(rows)
        if variable.values is not None and len(np.unique(variable.values)) > 2:
            continue
        codes, levels = variable.as_factor()
        if 2 * len(levels) > len(codes):
            continue
        both = np.stack(
            [np.bincount(codes[arm], minlength=len(levels)) for arm in (treated, ~treated)]
        )
        if not (both > 0).all(axis=0).any():
            raise DataError(
                f"Column {name!r} on the right side tells exactly who was treated at some time. "
                "If it was made from the treatment, it was not known at the start of follow-up: "
                "leave it out. If it was known then, it determines the treatment, and no "
                "adjustment can compare the arms."
            )


def check_flags(
    flags: pd.Series, given: Floats, names: NDArray[Any], columns: tuple[str, str]
) -> None:
    """Refuse patients whose time of treatment contradicts what says who was treated."""
    flag, name = columns
    if not flags.isin([0, 1]).all():
        raise DataError(f"Column {flag!r} must say by 0 or 1 who was treated, for every patient.")
    ever = flags.astype(bool).to_numpy()
    unknown, spare = ever & np.isnan(given), ~ever & ~np.isnan(given)
    if unknown.any():
        raise DataError(
            f"{_few(names[unknown].tolist())}: treated by {flag!r}, but without a time in "
            f"{name!r}, so that they would be "
            "counted as never treated. Find the time, or leave these patients out."
        )
    if spare.any():
        raise DataError(
            f"{_few(names[spare].tolist())}: not treated by {flag!r}, but with a time in {name!r}."
        )


def given_times(table: pd.DataFrame, name: str) -> Floats:
    """Times of treatment (n,), NaN where there is none; all may be missing.

    Truth values are refused: they say who was treated, and as numbers would be times 0 and 1.
    """
    if not isinstance(name, str):
        raise ColumnError(f"treatment_time= is the name of a column, not {name!r}.")
    known = column(table, name).dropna()
    if known.empty:
        return np.full(len(table), np.nan)
    if known.map(lambda value: isinstance(value, (bool, np.bool_))).all():
        raise ColumnError(
            f"Column {name!r} holds truth values, which say who was treated but not when; "
            "treatment_time= is the column of times, missing for patients never treated."
        )
    return read_variable(table, name).numbers("a time of treatment")


def checked_times(
    given: Floats,
    stop: Floats,
    event: Flags,
    names: NDArray[Any],
    columns: tuple[str, str],
) -> tuple[Floats, list[str]]:
    """Return times of treatment, infinite without one before the end, and what was noticed.

    Parameters
    ----------
    given : array of shape (n,)
        NaN for patients never treated.
    stop : array of shape (n,)
    event : bool array of shape (n,)
    names : array of shape (n,)
        What the patients are called.
    columns : tuple of str
        Names of the columns of treatment and of the end of follow-up.
    """
    name, time = columns
    given = as_observed(given, stop)

    def some(flags: Flags) -> str:
        return _few(names[flags].tolist())

    if (given < 0.0).any():
        raise DataError(
            f"The treatment time {name!r} is negative for {some(given < 0.0)}; time counts from "
            "the start of follow-up. Treatment before it is a baseline covariate."
        )
    late = given > stop
    if late.any():
        k = int(np.flatnonzero(late)[0])
        end = "event" if event[k] else "last visit"
        raise DataError(
            f"The treatment time {name!r} is after the end of follow-up {time!r} for {some(late)} "
            f"(first: {given[k]:g}, {end} at {stop[k]:g}). A treatment after the event is no part "
            "of this comparison: make its time missing, or correct the times."
        )
    if (event & (stop == 0.0)).any():
        raise DataError(
            f"The event is at time 0 for {some(event & (stop == 0.0))}: no patient is at risk "
            "before it. Leave these patients out, or correct the times."
        )
    notes = []
    idle = int((stop == 0.0).sum())
    if idle:
        notes.append(f"{idle} patient(s) with {time} = 0 left out: they are never at risk.")
    tied = int(((given == stop) & (stop > 0.0)).sum())
    if tied:
        notes.append(
            f"{tied} patient(s) treated at the very end of their follow-up count as not treated "
            "before it: an event or a last visit comes before a treatment at the same time."
        )
    return np.where(np.isnan(given) | (given >= stop), np.inf, given), notes
