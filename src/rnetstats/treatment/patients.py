"""Patients with a treatment during follow-up: what is read, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats._core.frame import Data, as_frame, column, label_of, time_unit
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula, Plain
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import read_variable
from rnetstats.kernels.same_times import as_observed
from rnetstats.treatment.patient_checks import (
    check_baseline,
    check_flags,
    check_formula,
    check_undetermined,
    check_unique,
    checked_times,
    given_times,
    names_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Level", "Patients", "is_coded", "read_patients"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Level:
    """Patients (n,) that share a level of a covariate (or a quarter of its range)."""

    covariate: str
    level: str
    flags: Flags


@dataclass(frozen=True, eq=False)
class Patients:
    """One row a patient; frequency weights have been written out.

    Attributes
    ----------
    positions : int array of shape (n,)
        Rows of the data as given, from 0.
    stop : array of shape (n,)
        End of follow-up, above 0, in the unit of the data.
    event : bool array of shape (n,)
    treated_at : array of shape (n,)
        Time of treatment, before ``stop``; infinite for patients not treated before it.
    X : array of shape (n, p)
        Baseline covariates, without a constant.
    levels : tuple of Level
        Of the covariates, for the check of positivity.
    labels : dict
        ``time, event, endpoint, covariates, unit`` as shown.
    n_missing : int
        Rows left out for missing values.
    notes : tuple of str
    """

    positions: NDArray[np.intp]
    stop: Floats
    event: Flags
    treated_at: Floats
    X: Floats
    levels: tuple[Level, ...]
    labels: dict[str, str]
    n_missing: int
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.stop)

    @property
    def treated(self) -> Flags:
        """Patients (n,) treated before the end of their follow-up."""
        return np.isfinite(self.treated_at)

    def at(self, time: float) -> str:
        """Name a time: ``'month 6'``, or ``'time 6'`` where the unit is not known."""
        word = {"months": "month", "days": "day", "years": "year", "weeks": "week"}
        return f"{word.get(self.labels['unit'], 'time')} {time:g}"

    def moments(self, times: float | Sequence[float]) -> Floats:
        """Return times asked for, each as the one of the data it differs from by rounding alone."""
        return as_observed(times, np.append(self.stop, self.treated_at))

    def take(self, rows: NDArray[np.intp]) -> Patients:
        """Return some of the patients, each as often as it is named."""
        return replace(
            self,
            positions=self.positions[rows],
            stop=self.stop[rows],
            event=self.event[rows],
            treated_at=self.treated_at[rows],
            X=self.X[rows],
            levels=tuple(replace(level, flags=level.flags[rows]) for level in self.levels),
        )


def read_patients(
    data: Data,
    formula: str | Formula,
    treatment_time: str,
    *,
    ever_treated: str | None = None,
    id: str | None = None,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
    coded: bool = False,
    censor: Literal = 0,
) -> Patients:
    """Read outcome, baseline covariates and times of treatment.

    With ``coded`` the outcome may be a column of codes (competing events): any but ``censor`` is
    an event.

    Raises
    ------
    FormulaError
        The left side is no ``Surv(time, event)``, or the right side has more than covariates, or
        the treatment among them.
    ColumnError
        A column is absent or of the wrong type.
    DataError
        A time of treatment is negative, infinite or after the end of follow-up; an event at time
        0; a patient in several rows; a covariate that tells exactly who was treated.
    """
    table = as_frame(data)
    parsed = as_formula(formula)
    check_formula(parsed)
    check_baseline(parsed, treatment_time, ever_treated)
    check_unique(table, id)
    read = model_frame(
        table,
        parsed,
        kind="competing" if coded and is_coded(table, parsed) else "survival",
        weights={"freq_weights": freq_weights},
        missing=missing,
        intercept=False,
        censor=censor,
    )
    assert read.outcome is not None
    assert read.outcome.stop is not None and read.outcome.event is not None
    names = names_of(table, id)[read.rows]
    stop, event = read.outcome.stop, read.outcome.event
    given = given_times(table, treatment_time)[read.rows]
    if ever_treated is not None:
        flags = column(table, ever_treated).iloc[read.rows]
        check_flags(flags, given, names, (ever_treated, treatment_time))
    treated_at, notes = checked_times(
        given, stop, event, names, (treatment_time, read.outcome.time_name)
    )
    check_undetermined(table, parsed, np.asarray(read.rows), ~np.isnan(given))
    found = Patients(
        positions=np.asarray(read.rows),
        stop=stop,
        event=event,
        treated_at=treated_at,
        X=read.design.X,
        levels=_levels(table, parsed, read),
        labels=_labels(table, parsed, read),
        n_missing=read.n_missing,
        notes=(*read.notes, *notes),
    )
    again = np.arange(found.n)
    if read.freq_weights is not None:
        again = copies(read.freq_weights)
    return found.take(again[stop[again] > 0.0])


def is_coded(table: pd.DataFrame, formula: Formula) -> bool:
    """Say whether the outcome is a column of codes: anything but 0, 1 and truth values."""
    if formula.outcome is None or not isinstance(formula.outcome.event, Plain):
        return False
    values = column(table, formula.outcome.event.column).dropna()
    return not values.isin([0, 1]).all()


def _levels(table: pd.DataFrame, formula: Formula, read: ModelFrame) -> tuple[Level, ...]:
    """Levels of each covariate; a number with more than two values in quarters."""
    found = []
    for name in formula.term_columns:
        variable = read_variable(table, name).take(read.rows)
        if variable.values is not None and len(np.unique(variable.values)) > 2:
            cuts = np.unique(np.quantile(variable.values, [0.0, 0.25, 0.5, 0.75, 1.0]))
            slot = np.searchsorted(cuts[1:-1], variable.values, side="left")
            parts = [(f"{a:g} to {b:g}", k) for k, (a, b) in enumerate(_pairs(cuts))]
        else:
            slot, levels = variable.as_factor()
            parts = [(f"{level}", k) for k, level in enumerate(levels)]
        found += [Level(name, text, slot == k) for text, k in parts if (slot == k).any()]
    return tuple(found)


def _pairs(cuts: Floats) -> list[tuple[float, float]]:
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def _labels(table: pd.DataFrame, formula: Formula, read: ModelFrame) -> dict[str, str]:
    outcome = read.outcome
    assert outcome is not None and formula.outcome is not None
    _, comparison, value = outcome.name.removesuffix(")").partition(" == ")
    event = label_of(table, outcome.columns[-1]) + (f" = {value}" if comparison else "")
    time = label_of(table, outcome.time_name)
    return {
        "time": time,
        "event": event,
        "endpoint": outcome.name,
        "covariates": ", ".join(label_of(table, name) for name in formula.term_columns),
        "unit": time_unit(table, outcome.time_name),
    }
