"""Fitting a law to a model frame: checks, tidy tables, joint tests, comparison of laws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    FormulaError,
    RnetError,
    TooFewEventsError,
    rows_text,
)
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import INTERCEPT
from rnetstats.kernels.newton import OK
from rnetstats.regression.parametric_laws import FittedLaw, fit_law
from rnetstats.regression.wald import missing_joint_tests, wald_statistic

__all__ = [
    "Counts",
    "check_frame",
    "coefficient_table",
    "comparison",
    "fit_checked",
    "joint_table",
    "parametric_notes",
    "references_of",
]

_FEW = 5
_MEASURES = {"log(scale)": "scale", "shape": "shape", "growth": "growth"}


@dataclass(frozen=True, eq=False)
class Counts:
    """Weights and weighted events of the rows (n,), and their sums."""

    weight: np.ndarray
    events: np.ndarray

    @property
    def n(self) -> float:
        """Patients."""
        return float(self.weight.sum())

    @property
    def n_events(self) -> float:
        """Events."""
        return float(self.events.sum())


def check_frame(frame: ModelFrame) -> Counts:
    """Refuse what a parametric model cannot use, and count.

    Raises
    ------
    FormulaError, DataError, TooFewEventsError
    """
    for what, found in (
        ("strata()", frame.strata),
        ("cluster()", frame.cluster),
        ("offset()", frame.offset),
    ):
        if found is not None:
            raise FormulaError(f"A parametric model takes no {what}; leave it out, or use cox().")
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    zero = np.flatnonzero(outcome.stop <= 0.0)
    if zero.size:
        raise DataError(
            f"{outcome.time_name} is 0 in {rows_text((frame.rows[zero] + 1).tolist())}: a time of "
            "0 has no logarithm. Leave these rows out, or count them as half the smallest unit."
        )
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    counts = Counts(weight, weight * outcome.event)
    if not counts.n_events:
        raise TooFewEventsError(
            f"No row of the {frame.n} used has the event of {outcome.name}: no law can be fitted. "
            "kaplan_meier(ci='bpcp') and exact_rate() give bounds."
        )
    return counts


def fit_checked(frame: ModelFrame, distribution: str, counts: Counts) -> FittedLaw:
    """Fit a law, or say why there is no maximum.

    Raises
    ------
    TooFewEventsError, ConvergenceError
    """
    outcome = frame.outcome
    assert outcome is not None
    X = frame.design.X
    extra = {"exponential": 0, "generalised gamma": 2}.get(distribution, 1)
    df = X.shape[1] + extra
    if df > counts.n_events:
        raise TooFewEventsError(
            f"{df} parameters of the {distribution} model for {counts.n_events:g} "
            f"event{'s' if counts.n_events != 1 else ''}: use fewer terms, or a law with fewer "
            "parameters, such as 'exponential'."
        )
    law = fit_law(
        distribution,
        X,
        stop=outcome.stop,
        event=outcome.event,
        start=outcome.start,
        freq=frame.freq_weights,
    )
    sound = np.isfinite(law.covariance).all() and (np.diag(law.covariance) > 0.0).all()
    if law.status != OK or not sound:
        raise ConvergenceError(
            f"The likelihood of the {distribution} model has no finite maximum that could be "
            f"found. {_reason(frame, counts)}"
        )
    return law


def _reason(frame: ModelFrame, counts: Counts) -> str:
    for term in frame.design.terms:
        block = frame.design.X[:, term.columns]
        if not np.isin(block, (0.0, 1.0)).all():
            continue
        names = [column.name for column in frame.design.columns[term.start : term.stop]]
        for name, column in zip(names, block.T, strict=True):
            for value in (1.0, 0.0):
                if not counts.events[column == value].any():
                    return (
                        f"No event where {name} is {value:g}: its coefficient is infinite. "
                        "cox(penalty='firth') gives a finite estimate."
                    )
    return "Try a law with fewer parameters, such as 'weibull' or 'exponential', or fewer terms."


def coefficient_table(
    frame: ModelFrame, law: FittedLaw, counts: Counts, conf_level: float
) -> dict[str, Any]:
    """Return the columns of the shared schema: intercept, terms, scale and shape."""
    columns, gompertz = frame.design.columns, law.distribution == "gompertz"
    n, n_events = _counts(frame, counts)
    more = len(law.extra)
    error = np.sqrt(np.diag(law.covariance))
    reach = normal_quantile(conf_level) * error
    # shape and growth have a scale of their own, on which 0 is a point like others
    plain = np.array([False] * len(columns) + [name != "log(scale)" for name in law.extra])
    limits = [law.coef, law.coef - reach, law.coef + reach]
    with np.errstate(over="ignore"):
        estimate, low, high = (np.where(plain, v, np.exp(v)) for v in limits)
    usual = "HR" if gompertz else "TR"
    first = "hazard" if gompertz else "time"
    return {
        "term": [*(column.term for column in columns), *law.extra],
        "level": [*(column.level for column in columns), *[""] * more],
        "n": np.append(n, [counts.n] * more),
        "n_events": np.append(n_events, [counts.n_events] * more),
        "measure": [
            *(usual if column.term != INTERCEPT else first for column in columns),
            *(_MEASURES[name] for name in law.extra),
        ],
        "estimate": estimate,
        "conf_low": low,
        "conf_high": high,
        "coef": law.coef,
        "std_error": error,
        "statistic": law.coef / error,
        "p_value": two_sided_p(law.coef / error),
        "method": ["ML, Wald"] * law.df,
    }


def _counts(frame: ModelFrame, counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    X = frame.design.X
    n, events = np.full(X.shape[1], counts.n), np.full(X.shape[1], counts.n_events)
    for term in frame.design.terms:
        if term.kind == "factor":
            n[term.columns] = counts.weight @ X[:, term.columns]
            events[term.columns] = counts.events @ X[:, term.columns]
    return n, events


def references_of(frame: ModelFrame, counts: Counts) -> dict[str, Any]:
    """Return ``term, level, n, n_events`` of each factor's reference level."""
    rows = []
    for term in frame.design.terms:
        if term.reference is None:
            continue
        outside = 1.0 - frame.design.X[:, term.columns].sum(axis=1)
        numbers = float(counts.weight @ outside), float(counts.events @ outside)
        rows.append((term.name, term.reference, *numbers))
    names = ("term", "level", "n", "n_events")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def joint_table(frame: ModelFrame, law: FittedLaw) -> dict[str, Any]:
    """Return the joint Wald test of each term."""
    terms = frame.design.terms
    statistic = [
        wald_statistic(law.coef, law.covariance, range(term.start, term.stop)) for term in terms
    ]
    df = [term.df for term in terms]
    return {
        "term": [term.name for term in terms],
        "kind": [term.kind for term in terms],
        "df": df,
        "statistic": statistic,
        "p_value": chi_square_p(statistic, df),
    }


def parametric_notes(law: FittedLaw, counts: Counts, joint: Mapping[str, Any]) -> tuple[str, ...]:
    """Say how little stands behind the law, what has no test, what a falling hazard means."""
    notes = []
    undetermined = [
        name
        for name, value in zip(joint["term"], joint["statistic"], strict=True)
        if math.isnan(value)
    ]
    if undetermined:
        notes.append(missing_joint_tests(undetermined, ""))
    if counts.n_events < _FEW * law.df:
        notes.append(
            f"{counts.n_events:g} events for {law.df} "
            f"parameter{'s' if law.df != 1 else ''}: the shape of the law is hardly "
            "determined by the data, and normal limits are rough."
        )
    if law.distribution == "gompertz" and law.coef[-1] < 0.0:
        notes.append(
            "The hazard falls over time (growth below 0): the law has a share of patients who "
            "never have the event, which the follow-up may or may not support."
        )
    return tuple(notes)


def comparison(frame: ModelFrame, distributions: Sequence[str]) -> pd.DataFrame:
    """Fit each law to the frame and order them by AIC."""
    counts = check_frame(frame)
    rows: list[dict[str, Any]] = []
    for name in distributions:
        row: dict[str, Any] = {"distribution": name, "df": 0, "note": ""}
        try:
            law = fit_checked(frame, name, counts)
        except RnetError as refusal:
            row |= {"log_likelihood": np.nan, "aic": np.nan, "note": str(refusal)}
        else:
            aic = 2.0 * law.df - 2.0 * law.log_likelihood
            row |= {"df": law.df, "log_likelihood": law.log_likelihood, "aic": aic}
        rows.append(row)
    found = pd.DataFrame(rows).sort_values("aic", kind="stable", ignore_index=True)
    found["difference"] = found["aic"] - found["aic"].min()
    return found[["distribution", "df", "log_likelihood", "aic", "difference", "note"]]
