"""Fitting a score model: the treatment's arms, scores and weights, what they leave, in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame
from rnetstats._core.options import choice, flag
from rnetstats.errors import DataError, OptionError
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.spec import INTERCEPT
from rnetstats.formula.terms import Formula
from rnetstats.formula.variables import row_numbers
from rnetstats.kernels.roc import auc
from rnetstats.kernels.treatment_weights import ESTIMANDS, effective_size, probability
from rnetstats.regression.logistic import LogisticResult, logistic
from rnetstats.treatment.balance import balance_frame
from rnetstats.treatment.covariate_columns import CovariateColumns, covariate_columns
from rnetstats.treatment.positivity import (
    Positivity,
    determined_rows,
    judge_positivity,
    level_counts,
)
from rnetstats.treatment.score_rows import ScoreRows
from rnetstats.treatment.treatment_arms import check_arms, level_compared, treatment_arms

__all__ = ["ScoreFit", "fit_score"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreFit:
    """A score model with its rows; it lives in memory only.

    Attributes
    ----------
    rows : ScoreRows
    model : LogisticResult
    arms : tuple of str
        The control arm and the treated arm.
    score, weights : arrays of shape (n,)
    columns : CovariateColumns
    levels : DataFrame
    positivity : Positivity
    summary : dict
    n_cut : int
        Patients whose weight was cut.
    notes : tuple of str
    """

    rows: ScoreRows
    model: LogisticResult
    arms: tuple[str, str]
    score: Floats
    weights: Floats
    columns: CovariateColumns
    levels: pd.DataFrame
    positivity: Positivity
    summary: dict[str, Any]
    n_cut: int
    notes: tuple[str, ...]

    def balance(self, labels: dict[str, str], variances: str) -> pd.DataFrame:
        """Return the balance of the covariates, see :func:`balance_frame`."""
        rows = self.rows
        return balance_frame(
            self.columns, rows.treated, rows.freq, self.weights, labels, variances=variances
        )


def fit_score(
    data: Data,
    formula: str | Formula,
    *,
    estimand: str,
    penalty: str | None,
    stabilised: bool,
    truncate: tuple[float, float] | None,
    freq_weights: Any,
    missing: str,
) -> ScoreFit:
    """Fit a score model and make its weights; see :func:`rnetstats.propensity`."""
    choice("weights", estimand, ESTIMANDS)
    choice("penalty", penalty, ("firth", None))
    if flag("stabilised", stabilised) and estimand != "ate":
        raise OptionError(f"stabilised=True belongs to weights='ate', not to {estimand!r}.")
    cut = _shares(truncate)
    table = as_frame(data)
    parsed, said = level_compared(table, as_formula(formula))
    arms = treatment_arms(table, parsed)
    given = {"freq_weights": freq_weights}
    frame = model_frame(data, parsed, kind="binary", weights=given, missing=missing)
    check_arms(frame, arms)
    model = logistic(
        data, parsed, penalty=penalty, ci="wald", freq_weights=freq_weights, missing=missing
    )
    assert model.engine is not None
    assert frame.outcome is not None and frame.outcome.y is not None
    rows = ScoreRows(
        table=table.copy(),
        positions=frame.rows,
        X=frame.design.X,
        treated=frame.outcome.y == 1.0,
        freq=np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights,
        offset=frame.offset,
        cluster=None if frame.cluster is None else frame.cluster.codes,
        coef=model.engine.reached,
        estimand=estimand,
        firth=penalty == "firth",
        stabilised=bool(stabilised),
        truncate=cut,
    )
    found = _completed(rows, model, frame, arms)
    return replace(found, notes=(*found.notes, *said))


def _completed(
    rows: ScoreRows, model: LogisticResult, frame: ModelFrame, arms: tuple[str, str]
) -> ScoreFit:
    predictor = rows.X @ rows.coef + (0.0 if rows.offset is None else rows.offset)
    weights = _checked_weights(rows, predictor, arms)
    n_cut = 0
    if rows.truncate is not None:
        uncut = replace(rows, truncate=None).weighted(predictor[None], rows.freq)[0]
        n_cut = int(rows.freq[uncut != weights].sum())
    score = probability(predictor)
    columns = covariate_columns(frame.design.spec, rows.X, rows.table, rows.positions)
    levels = level_counts(columns, rows.treated, rows.freq)
    effective = tuple(
        float(effective_size(weights[None, arm], rows.freq[arm])[0])
        for arm in (rows.treated, ~rows.treated)
    )
    c_statistic = float(auc(rows.treated.astype(float), predictor, freq=rows.freq)[0])
    found = judge_positivity(
        estimand=rows.estimand,
        treated=rows.treated,
        freq=rows.freq,
        determined=determined_rows(rows.X, rows.treated, rows.freq, rows.offset),
        score=score,
        levels=levels,
        effective=(effective[0], effective[1]),
        c_statistic=c_statistic,
        odds=_odds(model, frame),
    )
    counts = {name: rows.freq[arm] for name, arm in _both(rows)}
    summary = {
        "n": int(rows.freq.sum()),
        "n_missing": frame.n_missing,
        "n_treated": int(counts["treated"].sum()),
        "n_control": int(counts["control"].sum()),
        "weights": rows.estimand,
        "ess_treated": effective[0],
        "ess_control": effective[1],
        "max_weight": float(weights.max()),
        "max_weight_treated": float(weights[rows.treated].max()),
        "max_weight_control": float(weights[~rows.treated].max()),
        "sum_weights_treated": float(counts["treated"] @ weights[rows.treated]),
        "sum_weights_control": float(counts["control"] @ weights[~rows.treated]),
        "c_statistic": c_statistic,
        "separation": model.summary["separation"],
        "n_determined": found.n_determined,
        "n_extreme": found.n_extreme,
        "positivity": found.verdict,
    }
    head = () if found.verdict == "no sign against it" else (_verdict(found),)
    return ScoreFit(
        rows=rows,
        model=model,
        arms=arms,
        score=score,
        weights=weights,
        columns=columns,
        levels=levels,
        positivity=found,
        summary=summary,
        n_cut=n_cut,
        notes=(*head, *found.reasons, *model.notes),
    )


def _odds(model: LogisticResult, frame: ModelFrame) -> dict[str, float]:
    """Odds ratios of treatment of the 0/1 columns, where they are finite."""
    X, coef = frame.design.X, model.coefficients["coef"].to_numpy()
    binary = ((X == 0.0) | (X == 1.0)).all(axis=0) & np.isfinite(coef)
    return {
        f"{column.term} = {column.level}" if column.level else column.term: float(np.exp(value))
        for column, value, is_binary in zip(frame.design.columns, coef, binary, strict=True)
        if is_binary and column.name != INTERCEPT
    }


def _verdict(found: Positivity) -> str:
    had = "may have had" if found.verdict == "doubtful" else "had"
    return f"Positivity is {found.verdict}: some patients {had} no chance of the other arm."


def _both(rows: ScoreRows) -> tuple[tuple[str, Any], ...]:
    return ("treated", rows.treated), ("control", ~rows.treated)


def _shares(truncate: Any) -> tuple[float, float] | None:
    """Return two quantile levels in order, or say what they must be."""
    if truncate is None:
        return None
    pair = tuple(truncate) if isinstance(truncate, Sequence) else ()
    fine = len(pair) == 2 and all(isinstance(q, Real) and not isinstance(q, bool) for q in pair)
    if not fine or not 0.0 <= pair[0] < pair[1] <= 1.0:
        raise OptionError(
            f"truncate must be two quantile levels in order, such as (0.01, 0.99), not "
            f"{truncate!r}."
        )
    return float(pair[0]), float(pair[1])


def _checked_weights(rows: ScoreRows, predictor: Floats, arms: tuple[str, str]) -> Floats:
    """Return the weights (n,), or say whose are infinite, or which arm has none."""
    weights = np.asarray(rows.weighted(predictor[None], rows.freq)[0])
    wrong = ~np.isfinite(weights)
    if wrong.any():
        raise DataError(
            f"The weights are infinite in {row_numbers(wrong, rows.positions)}: the score is "
            "0 or 1 there, against the arm received. Leave such patients out, or use "
            "weights='overlap'."
        )
    for arm, here in ((arms[1], rows.treated), (arms[0], ~rows.treated)):
        if not weights[here].sum() > np.finfo(float).tiny:
            raise DataError(
                f"All weights in the arm {arm!r} are 0: the covariates determine the "
                "treatment, and no adjustment can compare the arms."
            )
    return weights
