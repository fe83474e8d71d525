"""Start-stop rows: each patient untreated until the treatment, and treated from then on."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, column
from rnetstats._core.options import items_of
from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula, Plain
from rnetstats.formula.tokens import Literal
from rnetstats.treatment.patients import Patients, is_coded, read_patients

__all__ = ["split_at_treatment"]

_NAMES = ("start", "stop", "event", "treated")


def split_at_treatment(
    data: Data,
    formula: str | Formula,
    *,
    treatment_time: str,
    ever_treated: str | None = None,
    id: str | None = None,
    treated: str = "treated",
    outcomes: Sequence[str] = (),
    censor: Literal = 0,
    missing: str = "drop",
) -> pd.DataFrame:
    """Split each patient's follow-up at the treatment, into start-stop rows.

    A patient treated during follow-up gives two rows, (0, treatment] untreated and without event,
    and (treatment, end] treated with the event, if there is one; the others give one row.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row a patient; never changed.
    formula : str
        ``"Surv(time, event)"``; a right side is not needed and not read. The event may be a coded
        column (competing events), whose codes are kept.
    treatment_time : str
        Column with the time from the start of follow-up to the treatment, in the unit of ``time``;
        missing for patients never treated. A treatment at 0 makes one treated row; one at the very
        end of follow-up is no treatment before it (the event comes first), and makes one untreated
        row; a later one is an error.
    ever_treated : str, optional
        Column 0/1 that says who was treated: a treated patient without a time, who would count as
        never treated, is then an error.
    id : str, optional
        Column that names the patient, once. Without it a column ``id`` with the row number is
        added, for ``cluster(id)``.
    treated : str
        Name of the new column 0/1.
    outcomes : sequence of str
        Further outcome columns with the same time (such as ``dfs_event``): they are set to
        ``censor`` in rows that end at the treatment, as the event of the formula is.
    censor : number or str
        Code of censoring.
    missing : {"drop", "raise"}
        What to do with patients without time or event.

    Returns
    -------
    DataFrame
        All columns, after ``start``, ``stop``, ``event`` and ``treated``; in the order of the data,
        for ``cox(split, "Surv(start, stop, event) ~ treated + ... + cluster(id)")``.
        ``attrs["rnetstats"]["split"]`` holds what was checked (patients, rows, events and
        person-time before and after, which agree) and notes.

    Raises
    ------
    FormulaError, ColumnError
        The formula or a column cannot be used, or a new column's name is taken.
    DataError
        A treatment before time zero or after the end of follow-up, an event at time 0, or a
        patient in several rows; the first few patients are named.
    OptionError
        An option is not allowed.

    Notes
    -----
    Other columns are repeated in both rows: they must be known at the start of follow-up, or be
    outcomes that are named in ``outcomes``.

    References
    ----------
    Andersen PK, Gill RD (1982). Cox's regression model for counting processes. Annals of Statistics
    10:1100-20. Suissa S (2008). Immortal time bias in pharmacoepidemiology. American Journal of
    Epidemiology 167:492-9.

    Examples
    --------
    >>> import rnetstats as rn
    >>> patients = {"months": [10, 20, 30], "event": [1, 1, 0], "salvage": [None, 6, 0]}
    >>> split = rn.split_at_treatment(patients, "Surv(months, event)", treatment_time="salvage")
    >>> split[["id", "start", "stop", "event", "treated"]]
       id  start  stop  event  treated
    0   1    0.0  10.0      1        0
    1   2    0.0   6.0      0        0
    2   2    6.0  20.0      1        1
    3   3    0.0  30.0      0        1
    >>> account = split.attrs["rnetstats"]["split"]
    >>> account["person_time_before"], account["person_time_after"], account["events"]
    (60.0, 60.0, 2)
    """
    table = as_frame(data)
    if np.ndim(censor) > 0:
        raise OptionError(f"censor must be one code, not {censor!r}.")
    alone = isinstance(formula, str) and "~" not in formula
    parsed = as_formula(f"{formula} ~ 1" if alone else formula).with_terms(())
    patients = read_patients(
        table,
        parsed,
        treatment_time,
        ever_treated=ever_treated,
        id=id,
        missing=missing,
        coded=True,
        censor=censor,
    )
    _check_names(table, parsed, id, treated)
    assert parsed.outcome is not None
    coded = is_coded(table, parsed)
    source = parsed.outcome.event
    also = [source.column] if isinstance(source, Plain) else []
    twice = patients.treated & (patients.treated_at > 0.0)
    rows = np.repeat(np.arange(patients.n), 1 + twice)
    second = np.append(False, rows[1:] == rows[:-1])
    early = np.append(rows[1:] == rows[:-1], False)
    split = table.iloc[patients.positions[rows]].reset_index(drop=True)
    for name in [*also, *items_of(outcomes)]:
        split[name] = _censored(column(split, name), early, censor)
    if id is None:
        split.insert(0, "id", patients.positions[rows] + 1)
    at = patients.treated_at[rows]
    made: dict[str, Any] = {
        "start": np.where(second, at, 0.0),
        "stop": np.where(early, at, patients.stop[rows]),
        "event": split[source.column]
        if coded
        else (patients.event[rows] & ~early).astype(np.int64),
        treated: (second | (at == 0.0)).astype(np.int64),
    }
    first = 1 if id is None else 0
    for place, (name, values) in enumerate(made.items()):
        split = split.drop(columns=name, errors="ignore")
        split.insert(min(first + place, split.shape[1]), name, values)
    split.attrs = copy.deepcopy(table.attrs)
    known = dict(split.attrs.get("rnetstats") or {})
    known["split"] = _account(patients, split, (treated, censor), parsed)
    split.attrs["rnetstats"] = known
    return split


def _check_names(
    table: pd.DataFrame,
    formula: Formula,
    id: str | None,
    treated: str,
) -> None:
    """Refuse new columns that would take another column's place."""
    assert formula.outcome is not None
    if not isinstance(treated, str) or not treated or treated in _NAMES[:3]:
        raise OptionError(f"treated= is the name of a new column, not {treated!r}.")
    if id is None and "id" in table.columns:
        raise ColumnError(
            "The data have a column 'id' already: say id='id' if it names the patients, or rename "
            "it."
        )
    own = {formula.outcome.event.column}
    for name in ("start", "stop", "event", treated):
        if name in table.columns and not (name == "event" and name in own):
            raise ColumnError(
                f"The data have a column {name!r} already, which the split would replace; rename "
                + ("it, or choose another name with treated=." if name == treated else "it.")
            )


def _censored(values: pd.Series, early: np.ndarray, censor: Literal) -> pd.Series:
    """Return an outcome with the code of censoring in rows that end at the treatment."""
    if isinstance(values.dtype, pd.CategoricalDtype) and censor not in values.cat.categories:
        raise OptionError(
            f"censor={censor!r} is no level of {values.name!r}; say which level means censored."
        )
    if values.dtype.kind == "b":
        return values & ~early
    return values.mask(early, censor)


def _account(
    patients: Patients, split: pd.DataFrame, names: tuple[str, Literal], formula: Formula
) -> dict[str, Any]:
    """Count before and after, and refuse to return rows that do not agree."""
    treated, censor = names
    length = (split["stop"] - split["start"]).to_numpy(float)
    on = split[treated].to_numpy() == 1
    before, after = math.fsum(patients.stop), math.fsum(length)
    events = int((split["event"] != censor).sum()) if len(split) else 0
    agree = (length > 0.0).all() and events == int(patients.event.sum())
    if not agree or not math.isclose(before, after, rel_tol=1e-9):
        raise DataError(
            f"The split has {events} events and person-time {after:g} where the data have "
            f"{int(patients.event.sum())} and {before:g}; please report this."
        )
    unit = patients.labels["unit"]
    assert formula.outcome is not None
    notes = [
        *patients.notes,
        f"{patients.n} patients in {len(split)} rows; person-time {before:g}"
        f"{' ' + unit if unit else ''} and {events} events agree before and after; "
        f"{math.fsum(length[on]):g} of it after the treatment of {int(patients.treated.sum())} "
        "patients.",
        "Columns that are not named as outcomes are repeated in both rows.",
    ]
    return {
        "formula": formula.outcome.text,
        "patients": patients.n,
        "patients_treated": int(patients.treated.sum()),
        "rows": len(split),
        "events": events,
        "person_time_before": before,
        "person_time_after": after,
        "person_time_treated": math.fsum(length[on]),
        "notes": notes,
    }
