"""Restricted means adjusted for covariates: the analysis of covariance of Tian and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rnetstats._core.copies import copies
from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Formula
from rnetstats.kernels.rmst_adjusted import mean_regression, truncate
from rnetstats.survival.rmst_fit import CONTRAST_COLUMNS
from rnetstats.survival.rows import RowsInfo, SurvivalRows, group_rows

__all__ = ["adjusted_coefficients", "adjusted_contrasts", "adjusted_rows"]

Floats = NDArray[np.float64]

MEASURES = ("RMST difference", "RMST ratio", "RMTL ratio")
_COLUMNS = (
    "measure",
    "term",
    "level",
    "estimate",
    "conf_low",
    "conf_high",
    "coef",
    "std_error",
    "statistic",
    "p_value",
)
_MANY_TIES = 0.2  # of the events
_METHOD = "inverse probability of censoring weighting"


@dataclass(frozen=True)
class _Design:
    X: Floats
    names: tuple[tuple[str, str], ...]


def adjusted_rows(
    frame: pd.DataFrame,
    formula: str,
    adjust: str,
    *,
    freq_weights: str | ArrayLike | None,
    missing: str,
) -> tuple[SurvivalRows, RowsInfo, ModelFrame]:
    """Read the rows that are complete in outcome, groups and covariates, and the covariates.

    Raises
    ------
    FormulaError
        If ``adjust`` is no right side, or has strata, cluster or an offset.
    OptionError
        If it names the column that forms the groups.
    """
    parsed = _right_side(adjust)
    shared = sorted(set(parsed.columns) & set(as_formula(formula).columns))
    if shared:
        raise OptionError(f"adjust names {shared[0]!r}, which the formula has already.")
    first = model_frame(frame, parsed, kind="none", missing=missing, check=False)
    if freq_weights is not None and not isinstance(freq_weights, str):
        freq_weights = np.asarray(freq_weights)[first.rows]
    complete = frame.iloc[first.rows]
    rows, info = group_rows(complete, formula, freq_weights=freq_weights, missing=missing)
    if rows.start is not None or rows.robust:
        raise OptionError(
            "adjust takes neither late entry, Surv(start, stop, event), nor cluster(); leave one "
            "of them out."
        )
    kept = frame.iloc[first.rows[info.positions]]
    covariates = model_frame(kept, parsed, kind="none", intercept=False)
    info = RowsInfo(
        labels=info.labels,
        positions=first.rows[info.positions],
        n_missing=first.n_missing + info.n_missing,
        notes=tuple(dict.fromkeys((*first.notes, *info.notes, *covariates.notes))),
    )
    return rows, info, covariates


def _right_side(adjust: str) -> Formula:
    if not isinstance(adjust, str) or not adjust.strip():
        raise FormulaError("adjust is the right side of a formula, such as 'age + size_mm'.")
    parsed = as_formula(adjust if "~" in adjust else f"~ {adjust}")
    if parsed.outcome is not None or parsed.strata or parsed.cluster or parsed.offsets:
        raise FormulaError(
            f"adjust={adjust!r} must be covariates alone, without an outcome, strata(), cluster() "
            "or offset()."
        )
    if not parsed.terms:
        raise FormulaError("adjust names no covariate; leave it out.")
    return parsed


def adjusted_coefficients(
    rows: SurvivalRows, covariates: ModelFrame, tau: float, conf_level: float
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Fit the three models: mean, log mean, and log mean of the time lost.

    Returns
    -------
    DataFrame
        ``measure, term, level, estimate, conf_low, conf_high, coef, std_error, statistic,
        p_value``; the groups' coefficients have the term ``group``. Missing, with a note, where a
        group has no event by tau.
    notes : tuple of str
    """
    design = _design(rows, covariates)
    eventless = [
        label
        for code, label in enumerate(rows.labels)
        if not np.any(rows.event & (rows.stop <= tau) & (rows.group == code))
    ]
    if eventless:
        note = (
            f"{eventless[0]}: no event by {tau:g}. The adjusted analysis would take its mean as "
            "known without error, and is not given."
        )
        return _frame(design, []), (note,)
    X, whole = design.X, rows.expanded()
    if rows.weights is not None:
        X = X[copies(rows.weights)]
    cut = truncate(whole.stop, whole.event, whole.group, tau)
    z, unit = normal_quantile(conf_level), np.sqrt(np.mean(X**2, axis=0))
    parts: list[tuple[Any, ...]] = []
    notes: list[str] = []
    for measure in MEASURES:
        target = tau - cut.time if measure.startswith("RMTL") else cut.time
        fit = mean_regression(X, target, cut, log=measure != MEASURES[0])
        coef, error = fit.coef, np.sqrt(np.diag(fit.covariance))
        least = 1e-10 * np.abs(coef * unit).max()  # of what a column adds, whatever its unit
        if not fit.converged or not (error * unit > least).all():
            coef = error = np.full(len(coef), np.nan)
            notes.append(
                f"Adjusted {measure}: the patients whose time up to tau is known determine no "
                "finite estimate with an error; missing."
            )
        scale = np.exp if measure != MEASURES[0] else np.asarray
        with np.errstate(over="ignore"):
            limits = scale(coef), scale(coef - z * error), scale(coef + z * error)
        statistic = coef / error
        parts.append((measure, *limits, coef, error, statistic, two_sided_p(statistic)))
    return _frame(design, parts), (*notes, *_tied(whole, tau))


def _tied(rows: SurvivalRows, tau: float) -> tuple[str, ...]:
    """Note events at the time of a censoring in their group, where they are many."""
    early = rows.stop < tau
    events = pd.DataFrame({"group": rows.group, "stop": rows.stop})[early & rows.event]
    censored = pd.DataFrame({"group": rows.group, "stop": rows.stop})[early & ~rows.event]
    tied = len(events.merge(censored.drop_duplicates(), on=["group", "stop"]))
    if tied < _MANY_TIES * len(events):
        return ()
    note = (
        f"{tied} of {len(events)} events before {tau:g} have the time of a censoring in their "
        "group: the weights of the adjusted contrasts take the censoring to come first, the curves "
        "the event. With times as coarse as these the adjusted contrasts are biased; add a "
        "hundredth of the unit to the censored times to have events first in both."
    )
    return (note,)


def _design(rows: SurvivalRows, covariates: ModelFrame) -> _Design:
    """A constant, the groups but the first, and the covariates."""
    k = len(rows.labels)
    groups = (rows.group[:, None] == np.arange(1, k)).astype(np.float64)
    X = np.column_stack([np.ones(len(rows.stop)), groups, covariates.design.X])
    size = np.sqrt(np.mean(X**2, axis=0))
    if np.linalg.matrix_rank(X / np.where(size > 0.0, size, 1.0)) < X.shape[1]:
        raise DataError(
            "The covariates of adjust determine each other or the groups, so that their "
            "coefficients do not exist; leave one out."
        )
    columns = covariates.design.columns
    names = (
        ("(Intercept)", ""),
        *(("group", label) for label in rows.labels[1:]),
        *((column.term, column.level) for column in columns),
    )
    return _Design(X, names)


def _frame(design: _Design, parts: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    missing = np.full(len(design.names), np.nan)
    found = parts or [(measure, *[missing] * 7) for measure in MEASURES]
    frames = []
    for measure, *columns in found:
        frame = pd.DataFrame(dict(zip(_COLUMNS[3:], columns, strict=True)))
        frame.insert(0, "level", [level for _, level in design.names])
        frame.insert(0, "term", [term for term, _ in design.names])
        frame.insert(0, "measure", measure)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def adjusted_contrasts(coefficients: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the groups' rows of the adjusted models as contrasts."""
    found = coefficients[coefficients["term"] == "group"].copy()
    found["order"] = [list(dict.fromkeys(found["level"])).index(v) for v in found["level"]]
    found = found.sort_values("order", kind="stable").rename(columns={"level": "group"})
    found = found.assign(
        reference=reference, method=np.where(found["coef"].isna(), "none", _METHOD)
    )
    return found.loc[:, list(CONTRAST_COLUMNS)].reset_index(drop=True)
