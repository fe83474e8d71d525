"""From a Cox model to its rows under each treatment: groups, times, what may be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import choice, real
from rnetstats.errors import DataError, FormulaError, OptionError, closest
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.parser import as_formula, parse_formula
from rnetstats.formula.terms import Condition, Formula
from rnetstats.formula.variables import level_text
from rnetstats.kernels.same_times import as_observed
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.variables import covariates_used
from rnetstats.survival.product_limit import at_risk
from rnetstats.survival.ticks import round_times
from rnetstats.treatment.standardised import StandardisedRows

__all__ = ["AdjustedRows", "adjusted_rows", "check_formula"]

Floats = NDArray[np.float64]

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, eq=False, kw_only=True)
class AdjustedRows:
    """What adjusted curves are made of.

    Attributes
    ----------
    rows : StandardisedRows
    treatment : str
    names : tuple of str
        Levels of the treatment, the reference first.
    times : array of shape (t,)
        When risks are compared.
    groups, at_risk : DataFrame
        ``group, n, n_events``; ``group, time, n_risk`` at round times.
    events_at : array of shape (L, k)
        Events observed in each group at each time of the grid.
    labels : dict
    notes : tuple of str
    """

    rows: StandardisedRows
    treatment: str
    names: tuple[str, ...]
    times: Floats
    groups: pd.DataFrame
    at_risk: pd.DataFrame
    events_at: Floats
    labels: dict[str, str]
    notes: tuple[str, ...]

    @property
    def first_event(self) -> float:
        """The time of the first event of any group; infinite where the curves have none."""
        return float(self.rows.grid[0]) if self.rows.grid.size else float("inf")


def adjusted_rows(
    model: CoxResult,
    treatment: str | None,
    times: float | Sequence[float] | None,
    tau: float | None,
) -> AdjustedRows:
    """Read the treatment and the times, and give every patient every treatment.

    Raises
    ------
    FormulaError, OptionError, DataError
    """
    engine = model.engine
    assert engine is not None and model.sets is not None
    frame = engine.frame
    name = _treatment(model, treatment)
    outcome = frame.outcome
    assert outcome is not None and outcome.stop is not None and outcome.event is not None
    stop, event = outcome.stop, outcome.event
    freq = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    covariates = covariates_used(frame)
    levels = _levels(model, frame, name, covariates[name])
    values, shown, group = levels.values, levels.names, levels.group
    last = min(float(stop[group == k].max()) for k in range(len(values)))
    grid = np.unique(stop[event & (stop <= last)])
    asked, notes = _times(times, stop, last, grid, model.outcome)
    until = float(asked.max()) if tau is None else _until(tau, stop, last)
    given = [
        frame.design.spec.matrix({**covariates, name: np.full(frame.n, value)}) for value in values
    ]
    rows = StandardisedRows(
        X=frame.design.X,
        given=np.stack(given),
        treatment=_columns(frame, name),
        group=group,
        event=event,
        sets=model.sets,
        freq=freq,
        coef=engine.reached,
        grid=grid,
        places=np.searchsorted(grid, asked, side="right"),
        tau=until,
        firth=engine.firth,
        ties=model.options["ties"],
    )
    counts = [(freq[group == k].sum(), freq[(group == k) & event].sum()) for k in range(len(shown))]
    label = model.labels.get(name, name)
    time_label = model.labels.get(outcome.time_name, outcome.time_name)
    column = outcome.columns[-1]
    return AdjustedRows(
        rows=rows,
        treatment=name,
        names=shown,
        times=asked,
        groups=pd.DataFrame(
            {
                "group": shown,
                "n": [int(n) for n, _ in counts],
                "n_events": [int(d) for _, d in counts],
            }
        ),
        at_risk=_risk_table(rows, outcome.start, stop, shown, last, time_label),
        events_at=_events_at(rows, stop),
        labels={"time": time_label, "event": model.labels.get(column, column), "group": label},
        notes=notes,
    )


def check_formula(formula: str | Formula, ties: str) -> None:
    """Refuse what has no place in a standardised model.

    Raises
    ------
    FormulaError, OptionError
    """
    choice("ties", ties, ("efron", "breslow"))
    parsed = as_formula(formula)
    for found, word in (
        (parsed.strata, "strata()"),
        (parsed.cluster, "cluster()"),
        (parsed.offsets, "offset()"),
    ):
        if found:
            raise FormulaError(
                f"{word} has no place in adjusted_survival, which averages one baseline hazard "
                "over one row a patient; make it a term, or leave it out."
            )


def _treatment(model: CoxResult, treatment: str | None) -> str:
    names = list(model.variables)
    if treatment is None:
        first = parse_formula(model.options["formula"]).terms[0]
        return str(first[0].columns[0])
    if not isinstance(treatment, str) or treatment not in names:
        raise OptionError(
            f"treatment={treatment!r} is no variable of the model; they are {', '.join(names)}."
            f"{closest(str(treatment), names)}"
        )
    return treatment


class _Levels(NamedTuple):
    """Values to be given to everybody, their names, and each patient's own (n,)."""

    values: list[Any]
    names: tuple[str, ...]
    group: NDArray[np.intp]


def _levels(model: CoxResult, frame: ModelFrame, name: str, column: np.ndarray) -> _Levels:
    """Levels of a factor or 0/1 column, or the two sides of ``I(column op value)``."""
    condition = _condition(model, name)
    if condition is not None:
        holds = frame.design.X[:, _columns(frame, name)[0]] == 1.0
        opposite = replace(condition, operator=_OPPOSITE[condition.operator])
        names = tuple(part.comparison.replace("`", "") for part in (opposite, condition))
        return _Levels([column[~holds][0], column[holds][0]], names, holds.astype(np.intp))
    values = list(model.variables[name]["values"])
    if len(values) < 2:
        raise OptionError(
            f"The treatment {name!r} is a number; curves need groups: make it a 0/1 column, or "
            f"write C({name}) or I({name} > value). treatment= names another variable."
        )
    group = np.zeros(len(column), dtype=np.intp)
    for code, value in enumerate(values):
        group[np.asarray(column == value, dtype=bool)] = code
    return _Levels(values, tuple(level_text(value) for value in values), group)


def _condition(model: CoxResult, name: str) -> Condition | None:
    """Return the condition through which alone the model reads a variable, if it does."""
    terms = parse_formula(model.options["formula"]).terms
    atoms = {atom for term in terms for atom in term if name in atom.columns}
    only = next(iter(atoms)) if len(atoms) == 1 else None
    return only if isinstance(only, Condition) else None


def _columns(frame: ModelFrame, name: str) -> NDArray[np.intp]:
    """Columns of the treatment's main effect."""
    return np.concatenate(
        [
            np.arange(term.start, term.stop)
            for term in frame.design.terms
            if term.kind != "interaction" and name in term.variables
        ]
    )


def _times(
    times: float | Sequence[float] | None, stop: Floats, last: float, grid: Floats, outcome: str
) -> tuple[Floats, tuple[str, ...]]:
    if times is None:
        if not grid.size:
            raise DataError(
                f"No event of {outcome} falls within the follow-up of every group (to {last:g}): "
                "there is nothing to compare."
            )
        said = f"Risks are compared at {grid[-1]:g}, the last event within every group's follow-up."
        return grid[-1:], (said,)
    asked = np.atleast_1d(np.asarray(times, dtype=object))
    if asked.ndim != 1 or not asked.size:
        raise OptionError(f"times must be a number or a list of numbers, not {times!r}.")
    numbers = as_observed([real("times", t, low=0.0, closed=False) for t in asked], stop)
    late = numbers[numbers > last]
    if late.size:
        raise DataError(
            f"A group is followed to {last:g} only: {late[0]:g} lies beyond, where its curve would "
            "be the model's alone. Choose an earlier time."
        )
    return np.unique(numbers), ()


def _until(tau: float, stop: Floats, last: float) -> float:
    until = float(as_observed(real("tau", tau, low=0.0, closed=False), stop))
    if until > last:
        raise DataError(f"A group is followed to {last:g} only: tau={until:g} lies beyond.")
    return until


def _events_at(rows: StandardisedRows, stop: Floats) -> Floats:
    """Events of each group at each time of the grid, (L, k)."""
    counts = np.zeros((rows.n_levels, rows.grid.size))
    seen = rows.event & np.isin(stop, rows.grid)
    place = np.searchsorted(rows.grid, stop[seen])
    np.add.at(counts, (rows.group[seen], place), rows.freq[seen])
    return counts


def _risk_table(
    rows: StandardisedRows,
    start: Floats | None,
    stop: Floats,
    names: tuple[str, ...],
    last: float,
    label: str,
) -> pd.DataFrame:
    """Numbers at risk as observed, just before round times."""
    ticks = np.array(round_times(last, 8, label))
    parts = []
    for code, name in enumerate(names):
        here = rows.group == code
        entry = None if start is None else start[here]
        n_risk = at_risk(ticks, stop[here], entry, rows.freq[here])
        parts.append(pd.DataFrame({"group": name, "time": ticks, "n_risk": n_risk}))
    return pd.concat(parts, ignore_index=True)
