"""Meta-regression: effects of studies on their characteristics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtri, fdtri

from rnetstats._core.distributions import chi_square_p, f_p
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.evidence.meta_empty import arms_of
from rnetstats.evidence.meta_heterogeneity import heterogeneity
from rnetstats.evidence.meta_intervals import Limits, limits_of
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import method_text
from rnetstats.evidence.meta_regression_result import MetaRegressionResult
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.spec import INTERCEPT, Spec
from rnetstats.kernels.meta_pool import Pooled, inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared

if TYPE_CHECKING:
    from rnetstats.evidence.meta_result import MetaAnalysisResult

__all__ = ["MetaRegressionResult", "meta_regression"]

Floats = NDArray[np.float64]

_PER_TERM = 10  # studies a coefficient, as a rule of thumb


def meta_regression(result: MetaAnalysisResult, formula: str) -> MetaRegressionResult:
    """Regress effects on moderators; see :meth:`MetaAnalysisResult.meta_regression`.

    Raises
    ------
    FormulaError
        If the formula has a left side, or strata, clusters or offsets.
    ColumnError, DataError
        If a column is absent or constant, or there are no more studies than coefficients.

    References
    ----------
    Thompson SG, Higgins JPT (2002) How should meta-regression analyses be undertaken and
    interpreted? Stat Med 21:1559-1573. Knapp G, Hartung J (2003) Improved tests for a random
    effects meta-regression with a single covariate. Stat Med 22:2693-2710.
    """
    used = result.studies["used"].to_numpy()
    data = result.columns_for("meta_regression()")[used].reset_index(drop=True)
    frame = _frame(data, formula)
    rows = result.used_studies().iloc[frame.rows]
    y, v, x = rows["coef"].to_numpy(), np.square(rows["std_error"].to_numpy()), frame.design.X
    if len(y) <= x.shape[1]:
        raise DataError(
            f"{len(y)} studies cannot tell {x.shape[1]} coefficients and the variance between "
            "studies; take fewer terms."
        )
    how = result.pooling
    tau2 = _tau2(y, v, x, how)
    fit = inverse_variance(y, v, tau2, x=x)
    factor = float(fit.q / fit.df)
    variance = fit.cov.diagonal()
    limits = limits_of(
        fit.coef, np.sqrt(variance), np.sqrt(factor * variance), np.full(len(variance), fit.df), how
    )
    alone = _tau2(y, v, np.ones((len(y), 1)), how)
    spread = heterogeneity(y, v, np.asarray(tau2), how, x=x)
    return MetaRegressionResult(
        measure=result.measure,
        formula=str(frame.formula),
        coefficients=_table(frame, rows, fit, limits, result),
        tests=_tests(frame.design.spec, fit, factor, how),
        heterogeneity=pd.DataFrame({name: [float(value)] for name, value in spread.items()}).assign(
            tau2_alone=alone, r2=_explained(tau2, alone)
        ),
        covariance=fit.cov * (limits.std_error[0] ** 2 / variance[0]),
        covariance_known=fit.cov,
        knapp=factor,
        spec=frame.design.spec.to_dict(),
        rows=_shown(rows, data.iloc[frame.rows], frame.design.spec),
        notes=(
            *frame.notes,
            *_notes(len(y), x.shape[1], alone),
            *_exact_note(factor, how),
            *_empty_note(rows),
        ),
        options=how.as_dict(),
        synthetic=result.synthetic,
    )


def _frame(data: pd.DataFrame, formula: str) -> ModelFrame:
    """The moderators; a formula of the right side alone."""
    if not isinstance(formula, str) or not formula.strip():
        raise OptionError(
            f"The moderators must be a formula such as 'year + C(x)', not {formula!r}."
        )
    text = formula if "~" in formula else f"~ {formula}"
    if text.split("~", 1)[0].strip():
        raise FormulaError(
            f"{formula!r}: the left side is the studies' effect itself; give the right side alone."
        )
    frame = model_frame(data, text, kind="none")
    extra = {"strata": frame.strata, "cluster": frame.cluster, "offset": frame.offset}
    for name, found in extra.items():
        if found is not None:
            raise FormulaError(f"A meta-regression has no {name}().")
    if not frame.design.terms:
        raise FormulaError("The formula names no moderator; without any it is meta_analysis().")
    return frame


def _tau2(y: Floats, v: Floats, x: Floats, how: PoolOptions) -> float:
    return float(tau_squared(y, v, how.tau2, x=x)) if isinstance(how.tau2, str) else how.tau2


def _empty_note(rows: pd.DataFrame) -> list[str]:
    """Say where effects are those of what was added to zero cells."""
    arms = arms_of(rows)
    if arms is None or not arms.empty()[0]:
        return []
    return [
        "An arm has no event (or nothing else) in any of the studies: their effects rest on what "
        "was added to zero cells, and the coefficients show how sizes go with the moderators."
    ]


def _scale(factor: float, how: PoolOptions) -> float:
    """What Hartung and Knapp multiply the covariance with."""
    return max(factor, 1.0) if how.ci == "hartung-knapp-adhoc" else factor


def _classical_is_wider(df: int, residual: float, factor: float, how: PoolOptions) -> bool:
    """Whether the wider of two confidence regions of df coefficients is the classical one.

    Of one coefficient this is the wider of its two intervals.
    """
    if how.ci != "hartung-knapp-wider":
        return False
    student = df * factor * float(fdtri(df, residual, how.conf_level))
    return float(chdtri(df, 1.0 - how.conf_level)) > student


def _table(
    frame: ModelFrame, rows: pd.DataFrame, fit: Pooled, limits: Limits, result: MetaAnalysisResult
) -> pd.DataFrame:
    columns, measure = frame.design.columns, MEASURES[result.measure]
    n, n_events = _counts(frame, rows)
    names = [measure.name if c.term == INTERCEPT else measure.compared for c in columns]
    return coefficient_frame(
        {
            "term": [column.term for column in columns],
            "level": [column.level for column in columns],
            "n": n,
            "n_events": n_events,
            "measure": names,
            "estimate": measure.back(fit.coef),
            "conf_low": measure.back(limits.low),
            "conf_high": measure.back(limits.high),
            "coef": fit.coef,
            "std_error": limits.std_error,
            "statistic": limits.statistic,
            "p_value": limits.p_value,
            "method": [method_text(result.pooling, df) for df in limits.df],
        }
    )


def _counts(frame: ModelFrame, rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Studies and events behind each coefficient: those of the level, or all; NaN if not told."""
    behind = np.ones_like(frame.design.X)
    for term in frame.design.terms:
        if term.kind == "factor":
            behind[:, term.columns] = frame.design.X[:, term.columns]
    events = np.full(len(rows), np.nan)
    if "events_1" in rows.columns:
        events = (rows["events_1"] + rows["events_2"]).to_numpy(dtype=float)
    return behind.sum(axis=0), events @ behind


def _tests(spec: Spec, fit: Pooled, factor: float, how: PoolOptions) -> pd.DataFrame:
    """Joint tests of all moderators and of each term: chi-square, or F with Hartung-Knapp."""
    scale = _scale(factor, how)
    residual = float(fit.df)
    sets = [("all moderators", slice(1, len(spec.columns)))]
    sets += [(term.name, term.columns) for term in spec.terms]
    rows: list[dict[str, Any]] = []
    for name, columns in sets:
        b, block = fit.coef[columns], fit.cov[columns, columns]
        q, df = float(b @ np.linalg.solve(block, b)), len(b)
        if how.ci == "wald" or _classical_is_wider(df, residual, factor, how):
            found = {"statistic": q, "df": df, "df_residual": np.inf}
            p, method = float(chi_square_p(q, df)), "Wald chi-square"
        else:
            f = q / df / scale if scale > 0.0 else float("nan")
            found = {"statistic": f, "df": df, "df_residual": residual}
            p, method = f_p(f, df, residual), "F, Hartung-Knapp"
        rows.append({"term": name, **found, "p_value": p, "method": method})
    return pd.DataFrame(rows)


def _explained(tau2: float, alone: float) -> float:
    """Share of the variance between studies that the moderators take away."""
    return max(0.0, 1.0 - tau2 / alone) if alone > 0.0 else float("nan")


def _shown(rows: pd.DataFrame, data: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Studies with their effect and the moderators, for the plot."""
    kept = rows[["study", "coef", "std_error", "weight"]].reset_index(drop=True)
    own = data[list(spec.variables)].reset_index(drop=True).add_prefix("moderator:")
    return pd.concat([kept, own], axis=1)


def _exact_note(factor: float, how: PoolOptions) -> list[str]:
    """Without residuals Hartung-Knapp limits shrink to points."""
    if factor > 0.0 or how.ci != "hartung-knapp":
        return []
    return [
        "The moderators leave no residual: the Hartung-Knapp limits shrink to points and there "
        "are no tests. ci='hartung-knapp-adhoc' keeps the classical standard errors."
    ]


def _notes(k: int, p: int, alone: float) -> list[str]:
    notes = [
        "Moderators were not assigned to studies: an association between studies may not hold "
        "between patients within them."
    ]
    if k < _PER_TERM * (p - 1):
        notes.append(
            f"{k} studies for {p - 1} coefficient{'s' * (p > 2)}: fewer than {_PER_TERM} each, as "
            "is usually asked for."
        )
    if alone == 0.0:
        notes.append("Without moderators tau2 is 0: there is no share of it to be explained (R2).")
    return notes
